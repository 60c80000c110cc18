//! `-j DNAT` (xt_nat.c): changes where a connection goes.

use super::nat;
use crate::extension::{Behaviour, Extension, Kind, Listed, Opt};
use crate::ruleset::{Hook, TableName, Value};
use crate::walk::effect::Action;

/// `-j DNAT`.
pub static DNAT: Extension = Extension {
    listed: Listed::new("", &[("to:%", "--to-destination %")]),
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
        Behaviour::Redirects,
        |effects, options| {
            if let Some(Value::Nat(range)) = options.value("--to-destination") {
                effects.translate_destination(range, options);
            }
            Action::Accept
        },
        |options| format!("change its destination to {}", options.printed("--to-destination").unwrap_or_default()),
    )
};
