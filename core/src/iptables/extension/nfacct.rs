//! `-m nfacct` (xt_nfacct.c): increases a counter outside the rules.

use super::{Extension, Kind, Opt};

/// `-m nfacct`. A counter without a quota matches every packet.
pub static NFACCT: Extension = Extension {
    unknowable: Some("it depends on the quota of its counter"),
    words: Some(|options| {
        format!(
            "the counter “{}” lets it through",
            options.text("--nfacct-name").unwrap_or_default()
        )
    }),
    ..Extension::matching(
        "nfacct",
        "increases a counter outside the rules",
        &[Opt::new("--nfacct-name", Kind::Text(31)).required()],
    )
};
