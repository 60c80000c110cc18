//! `-j DSCP` (xt_DSCP.c, `dscp_tg`): writes the differentiated services code point into the IP header.

use crate::extension::dscp::{CLASS, NUMBER};
use crate::extension::{Behaviour, Extension, Kind, Listed, Opt};
use crate::ruleset::TableName;
use crate::walk::effect::Action;

/// `-j DSCP`.
pub static DSCP: Extension = Extension {
    listed: Listed::new("DSCP", &[("set %", "--set-dscp %")]),
    tables: &[TableName::Mangle],
    ..Extension::acting(
        "DSCP",
        "sets the differentiated services code point",
        &[
            Opt::new("--set-dscp", Kind::Own(&NUMBER)),
            Opt::new("--set-dscp-class", Kind::Own(&CLASS)).stored_as("--set-dscp"),
        ],
        Behaviour::GoesOn,
        |effects, options| {
            if let Some(point) = options.number("--set-dscp").and_then(|point| u8::try_from(point).ok()) {
                effects.view.dscp = point;
            }
            Action::Continue
        },
        |options| format!("set its DSCP to {}", options.printed("--set-dscp").unwrap_or_default()),
    )
    .asking()
};
