//! `-j DNAT` (xt_nat.c): changes the destination of a connection.

use super::nat;
use crate::iptables::extension::{Extension, Kind, ListingForm, Opt};
use crate::iptables::table_name::TableName;
use crate::netfilter::effect::Effect;
use crate::packet::hook::Hook;

/// `-j DNAT`.
pub static DNAT: Extension = Extension {
    listed: ListingForm::new("", &[("to:%", "--to-destination %")]),
    tables: &[TableName::Nat],
    tracks: true,
    hooks: &[Hook::Prerouting, Hook::Output],
    check: nat::check,
    ..Extension::acting(
        "DNAT",
        "changes the destination",
        &[
            Opt::new("--to-destination", Kind::Own(&nat::DESTINATION)).required(),
            Opt::new("--random", Kind::Flag),
            Opt::new("--persistent", Kind::Flag),
        ],
        |options| Effect::Dnat {
            range: nat::range(options, "--to-destination"),
            choice: nat::choice(options),
        },
        |options| {
            format!(
                "change its destination to {}",
                options.printed("--to-destination").unwrap_or_default()
            )
        },
    )
};
