//! `-j LOG` (xt_LOG.c): writes a line to the kernel log and goes on.

use std::fmt::Write;

use crate::extension::kind::{Form, Names};
use crate::extension::{Behaviour, Extension, Kind, Opt};
use crate::ruleset::Value;
use crate::walk::effect::Action;

const LEVELS: Names = &[
    ("emerg", 0),
    ("panic", 0),
    ("alert", 1),
    ("crit", 2),
    ("error", 3),
    ("warning", 4),
    ("notice", 5),
    ("info", 6),
    ("debug", 7),
];

/// A level by number, or by its name in lower case.
static LEVEL: Form = Form {
    words: 1,
    read: |words, ruleset| match LEVELS.iter().find(|(name, _)| *name == words[0]) {
        Some((_, level)) => Ok(Value::Number(*level)),
        None => Kind::Number(7).parse(words, ruleset),
    },
    write: |value, _, out| {
        if let Value::Number(level) = value {
            // Writing to a string cannot fail.
            let _ = write!(out, "{level}");
        }
    },
    examples: &["7", "debug", "warning"],
};

/// `-j LOG`. Level 4 (warning) is the default and is not printed.
pub static LOG: Extension = Extension::acting(
    "LOG",
    "writes to the kernel log",
    &[
        Opt::new("--log-prefix", Kind::Line(29)),
        Opt::new("--log-level", Kind::Own(&LEVEL)).unprinted(4),
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
