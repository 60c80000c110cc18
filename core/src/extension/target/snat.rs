//! `-j SNAT` (xt_nat.c): changes where a connection seems to come from.

use super::nat;
use crate::extension::{Behaviour, Extension, Kind, Listed, Opt};
use crate::ruleset::{Hook, TableName, Value};
use crate::walk::effect::Action;

/// `-j SNAT`.
pub static SNAT: Extension = Extension {
    listed: Listed::new("", &[("to:%", "--to-source %")]),
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
        Behaviour::Ends,
        |effects, options| {
            if let Some(Value::Nat(range)) = options.value("--to-source") {
                effects.translate_source(range, options);
            }
            Action::Accept
        },
        |options| format!("change its source to {}", options.printed("--to-source").unwrap_or_default()),
    )
};
