//! `-j ULOG` (ipt_ULOG.c). Linux 3.17 removed it.

use crate::iptables::extension::{Extension, Given, Kind, ListingForm, Opt};
use crate::packet::Family;
use crate::text::diagnostic::{Code, Problem};

/// `-j ULOG` (ipt_ULOG.c). Linux 3.17 removed it.
pub static ULOG: Extension = Extension {
    listed: ListingForm::new(
        "ULOG",
        &[
            ("copy_range %", "--ulog-cprange %"),
            ("nlgroup %", "--ulog-nlgroup %"),
            ("prefix `%'", "--ulog-prefix %"),
            ("prefix \"%\"", "--ulog-prefix %"),
            ("queue_threshold %", "--ulog-qthreshold %"),
        ],
    ),
    family: Some(Family::Ipv4),
    check: |_: &Given| {
        Err(
            Problem::new(Code::UnavailableTarget, "Linux 3.17 removed ULOG")
                .hint("use NFLOG instead"),
        )
    },
    ..Extension::observing(
        "ULOG",
        "sends a copy to a logging program",
        &[
            Opt::new("--ulog-nlgroup", Kind::Between(1, 32)).unprinted(1),
            Opt::new("--ulog-prefix", Kind::Line(31)),
            Opt::new("--ulog-cprange", Kind::Wide),
            Opt::new("--ulog-qthreshold", Kind::Between(1, 50)).unprinted(1),
        ],
        |options| {
            format!(
                "hand a copy to logging group {} and go on",
                options.number("--ulog-nlgroup").unwrap_or(1)
            )
        },
    )
};
