//! `-j NFLOG` (xt_NFLOG.c): sends a copy to a logging program. The packet continues.

use crate::iptables::extension::{Extension, Kind, Opt};
use crate::netfilter::effect::Effect;

/// `-j NFLOG`. The prefix is printed first. A group of 0 and a threshold of 0 are not printed.
pub static NFLOG: Extension = Extension::acting(
    "NFLOG",
    "sends a copy to a logging program",
    &[
        Opt::new("--nflog-prefix", Kind::Line(63)),
        Opt::new("--nflog-group", Kind::Number(65535)).unprinted(0),
        Opt::new("--nflog-range", Kind::Number(u32::MAX))
            .unprinted(0)
            .excludes(&["--nflog-size"]),
        Opt::new("--nflog-size", Kind::Number(u32::MAX)),
        Opt::new("--nflog-threshold", Kind::Number(65535)).unprinted(0),
    ],
    |_| Effect::Passive,
    |options| {
        format!(
            "hand a copy to logging group {} and go on",
            options.number("--nflog-group").unwrap_or(0)
        )
    },
);
