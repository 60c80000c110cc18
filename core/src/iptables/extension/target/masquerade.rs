//! `-j MASQUERADE` (nf_nat_masquerade.c): sets the source to an address of the outgoing interface.

use super::nat;
use crate::iptables::extension::{Extension, Kind, ListingForm, Opt};
use crate::iptables::table_name::TableName;
use crate::netfilter::effect::{Effect, NatRange};
use crate::packet::hook::Hook;

/// `-j MASQUERADE`.
pub static MASQUERADE: Extension = Extension {
    listed: ListingForm::new("", &[("masq ports: %", "--to-ports %")]),
    tables: &[TableName::Nat],
    tracks: true,
    hooks: &[Hook::Postrouting],
    check: nat::check,
    ..Extension::acting(
        "MASQUERADE",
        "changes the source to an address of the interface",
        &[
            Opt::new("--to-ports", Kind::Own(&nat::FROM_PORTS)),
            Opt::new("--random", Kind::Flag),
            Opt::new("--random-fully", Kind::Flag),
        ],
        |options| {
            let NatRange { ports, base, .. } = nat::range(options, "--to-ports");
            Effect::Masquerade {
                ports,
                base,
                choice: nat::choice(options),
            }
        },
        |_| "change its source to the address of the interface it leaves by".into(),
    )
};
