//! `-j CONNSECMARK` (xt_CONNSECMARK.c): copies SELinux marks between a packet and its connection.

use crate::iptables::extension::{Extension, Kind, ListingForm, Opt};
use crate::iptables::table_name::TableName;

/// `-j CONNSECMARK`.
pub static CONNSECMARK: Extension = Extension {
    listed: ListingForm::new("CONNSECMARK", &[]),
    tables: &[TableName::Mangle, TableName::Security],
    tracks: true,
    ..Extension::observing(
        "CONNSECMARK",
        "copies security marks between packet and connection",
        &[
            Opt::new("--save", Kind::Flag).excludes(&["--restore"]),
            Opt::new("--restore", Kind::Flag),
        ],
        |options| match options.has("--save") {
            true => "copy its security mark to its connection".into(),
            false => "give it the security mark of its connection".into(),
        },
    )
    .asking()
};
