//! `-j CHECKSUM` (xt_CHECKSUM.c): computes a checksum that was left to the network card.

use crate::iptables::extension::{Extension, Kind, ListingForm, Opt};
use crate::iptables::table_name::TableName;

/// `-j CHECKSUM`.
pub static CHECKSUM: Extension = Extension {
    listed: ListingForm::new("CHECKSUM", &[("fill", "--checksum-fill")]),
    tables: &[TableName::Mangle],
    ..Extension::observing(
        "CHECKSUM",
        "fills in the checksum",
        &[Opt::new("--checksum-fill", Kind::Flag).required()],
        |_| "fill in its checksum and go on".into(),
    )
};
