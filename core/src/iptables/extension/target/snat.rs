//! `-j SNAT` (xt_nat.c): changes the source of a connection.

use super::nat;
use crate::iptables::extension::{Extension, Kind, ListingForm, Opt};
use crate::iptables::table_name::TableName;
use crate::netfilter::effect::Effect;
use crate::packet::hook::Hook;

/// `-j SNAT`.
pub static SNAT: Extension = Extension {
    listed: ListingForm::new("", &[("to:%", "--to-source %")]),
    tables: &[TableName::Nat],
    tracks: true,
    hooks: &[Hook::Input, Hook::Postrouting],
    check: nat::check,
    ..Extension::acting(
        "SNAT",
        "changes the source",
        &[
            Opt::new("--to-source", Kind::Own(&nat::SOURCE)).required(),
            Opt::new("--random", Kind::Flag),
            Opt::new("--random-fully", Kind::Flag),
            Opt::new("--persistent", Kind::Flag),
        ],
        |options| Effect::Snat {
            range: nat::range(options, "--to-source"),
            choice: nat::choice(options),
        },
        |options| {
            format!(
                "change its source to {}",
                options.printed("--to-source").unwrap_or_default()
            )
        },
    )
};
