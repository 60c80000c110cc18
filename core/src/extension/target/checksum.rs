//! `-j CHECKSUM` (xt_CHECKSUM.c): fills in a checksum that was left to the network card.

use crate::extension::{Extension, Kind, Opt};
use crate::ruleset::TableName;

/// `-j CHECKSUM`.
pub static CHECKSUM: Extension = Extension {
    tables: &[TableName::Mangle],
    ..Extension::observing(
        "CHECKSUM",
        "fills in the checksum",
        &[Opt::new("--checksum-fill", Kind::Flag).required()],
        |_| "fill in its checksum and go on".into(),
    )
};
