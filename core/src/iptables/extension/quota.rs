//! `-m quota` (xt_quota.c): matches until a number of bytes has passed.

use super::{Extension, Kind, ListingForm, Opt};

/// `-m quota`.
pub static QUOTA: Extension = Extension {
    listed: ListingForm::new("", &[("quota: % bytes", "--quota %")]),
    unknowable: Some("it depends on the bytes of earlier packets"),
    words: Some(|options| {
        let yet = if options.negates("--quota") {
            "already"
        } else {
            "not yet"
        };
        format!(
            "{} bytes have {yet} passed",
            options.printed("--quota").unwrap_or_default()
        )
    }),
    ..Extension::matching(
        "quota",
        "matches until a number of bytes has passed",
        &[Opt::new("--quota", Kind::Wide).negatable().required()],
    )
};
