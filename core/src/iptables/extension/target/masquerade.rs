//! `-j MASQUERADE` (nf_nat_masquerade.c): the source becomes the outgoing interface's own address.

use super::nat;
use crate::iptables::extension::{Behaviour, Extension, Kind, Listed, Opt};
use crate::netfilter::effect::Effect;
use crate::netfilter::ruleset::{TableName, Value};
use crate::packet::hook::Hook;

/// `-j MASQUERADE`.
pub static MASQUERADE: Extension = Extension {
    listed: Listed::new("", &[("masq ports: %", "--to-ports %")]),
    tables: &[TableName::Nat],
    tracks: true,
    hooks: &[Hook::Postrouting],
    check: nat::check,
    ..Extension::acting(
        "MASQUERADE",
        "changes the source to the interface's own address",
        &[
            Opt::new("--to-ports", Kind::Own(&nat::FROM_PORTS)),
            Opt::new("--random", Kind::Flag),
            Opt::new("--random-fully", Kind::Flag),
        ],
        Behaviour::Ends,
        |options| {
            let (ports, base) = match options.value("--to-ports") {
                Some(Value::Nat(range)) => (range.ports, range.base),
                _ => (None, None),
            };
            Effect::Masquerade { ports, base, choice: nat::choice(options) }
        },
        |_| "change its source to the address of the interface it leaves by".into(),
    )
};
