//! `-j LOG` (xt_LOG.c): writes a line to the kernel log and goes on.

use crate::extension::{Behaviour, Extension, Kind, Opt};
use crate::walk::effect::Action;

/// `-j LOG`. Level 4 (warning) is the default and is not printed.
pub static LOG: Extension = Extension::acting(
    "LOG",
    "writes to the kernel log",
    &[
        Opt::new("--log-prefix", Kind::Text(29)),
        Opt::new(
            "--log-level",
            Kind::NumberOr(
                &[
                    ("emerg", 0),
                    ("panic", 0),
                    ("alert", 1),
                    ("crit", 2),
                    ("error", 3),
                    ("err", 3),
                    ("warning", 4),
                    ("warn", 4),
                    ("notice", 5),
                    ("info", 6),
                    ("debug", 7),
                ],
                7,
            ),
        )
        .unprinted(4),
        Opt::new("--log-tcp-sequence", Kind::Flag),
        Opt::new("--log-tcp-options", Kind::Flag),
        Opt::new("--log-ip-options", Kind::Flag),
        Opt::new("--log-uid", Kind::Flag),
        Opt::new("--log-macdecode", Kind::Flag),
    ],
    Behaviour::Observes,
    |_, _| Action::Continue,
    |options| match options.text("--log-prefix") {
        Some(prefix) => format!("log it as “{}” and go on", prefix.trim_end()),
        None => "log it and go on".into(),
    },
);
