//! `-j SECMARK` (xt_SECMARK.c): sets a SELinux mark. A kernel without SELinux refuses it.

use crate::iptables::extension::{Extension, Kind, ListingForm, Opt};
use crate::iptables::table_name::TableName;

/// `-j SECMARK`.
pub static SECMARK: Extension = Extension {
    listed: ListingForm::new("SECMARK", &[]),
    tables: &[TableName::Mangle, TableName::Security],
    ..Extension::observing(
        "SECMARK",
        "sets the security mark",
        &[Opt::new("--selctx", Kind::Word(255)).required()],
        |options| {
            format!(
                "set its security mark to {}",
                options.text("--selctx").unwrap_or_default()
            )
        },
    )
};
