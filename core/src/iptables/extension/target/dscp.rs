//! `-j DSCP` (xt_DSCP.c, `dscp_tg`): writes the differentiated services code point into the IP
//! header.

use crate::iptables::extension::dscp::{CLASS, NUMBER};
use crate::iptables::extension::{Extension, Kind, ListingForm, Opt};
use crate::iptables::table_name::TableName;
use crate::netfilter::effect::{Effect, MaskedBits};

/// `-j DSCP`.
pub static DSCP: Extension = Extension {
    listed: ListingForm::new("DSCP", &[("set %", "--set-dscp %")]),
    tables: &[TableName::Mangle],
    ..Extension::acting(
        "DSCP",
        "sets the differentiated services code point",
        &[
            Opt::new("--set-dscp", Kind::Own(&NUMBER)),
            Opt::new("--set-dscp-class", Kind::Own(&CLASS)).stored_as("--set-dscp"),
        ],
        |options| {
            let change = options.number("--set-dscp").map(|point| MaskedBits {
                value: point << 2,
                mask: 0xfc,
            });
            Effect::SetTos(change.unwrap_or_default())
        },
        |options| {
            format!(
                "set its DSCP to {}",
                options.printed("--set-dscp").unwrap_or_default()
            )
        },
    )
    .asking()
};
