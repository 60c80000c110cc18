//! `-m osf` (xt_osf.c): the operating system that probably sent a TCP SYN.

use super::{Extension, Kind, ListingForm, Opt};
use crate::packet::hook::Hook;
use crate::packet::{Family, Protocol};

/// `-m osf`.
pub static OSF: Extension = Extension {
    listed: ListingForm::new("OS fingerprint match", &[("!%", "--genre %")]),
    family: Some(Family::Ipv4),
    protocols: &[Protocol::TCP],
    unknowable: Some("it depends on a list of fingerprints outside the rules"),
    words: Some(|options| {
        let not = if options.negates("--genre") {
            " not"
        } else {
            ""
        };
        format!(
            "its sender does{not} look like {}",
            options.text("--genre").unwrap_or_default()
        )
    }),
    hooks: &[Hook::Prerouting, Hook::Input, Hook::Forward],
    ..Extension::matching(
        "osf",
        "the operating system that probably sent a TCP SYN",
        &[
            Opt::new("--genre", Kind::Word(31)).negatable().required(),
            Opt::new("--ttl", Kind::Number(2)),
            Opt::new("--log", Kind::Number(2)),
        ],
    )
};
