//! `-j LOG` (xt_LOG.c): writes a line to the kernel log. The packet continues.

use std::fmt::Write;

use crate::iptables::extension::kind::{Names, ValueForm};
use crate::iptables::extension::{Extension, Kind, ListingForm, Opt};
use crate::netfilter::effect::Effect;
use crate::netfilter::ruleset::Value;

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

/// The number of a level, or its name in lower case.
static LEVEL: ValueForm = ValueForm {
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

/// `iptables -L -n` prints the other logged items as one number (`XT_LOG_*` in xt_LOG.h).
/// `iptables -L` prints the short name of a level.
fn listed(flag: &str, value: &str) -> Option<String> {
    const FLAGS: [(&str, u8); 5] = [
        ("--log-tcp-sequence", 1),
        ("--log-tcp-options", 2),
        ("--log-ip-options", 4),
        ("--log-uid", 8),
        ("--log-macdecode", 32),
    ];
    match (flag, value) {
        ("", number) => {
            let bits: u8 = number.parse().ok()?;
            Some(
                FLAGS
                    .iter()
                    .filter(|(_, bit)| bits & bit != 0)
                    .map(|(flag, _)| *flag)
                    .collect::<Vec<_>>()
                    .join(" "),
            )
        }
        (_, "warn") => Some("warning".into()),
        _ => Some(value.to_owned()),
    }
}

/// `-j LOG`. Level 4 (warning) is the default and is not printed.
pub static LOG: Extension = Extension {
    listed: ListingForm::new(
        "LOG",
        &[
            ("flags %", "%"),
            ("level %", "--log-level %"),
            ("tcp-sequence", "--log-tcp-sequence"),
            ("tcp-options", "--log-tcp-options"),
            ("ip-options", "--log-ip-options"),
            ("uid", "--log-uid"),
            ("macdecode", "--log-macdecode"),
            ("prefix \"%\"", "--log-prefix %"),
            ("prefix `%'", "--log-prefix %"),
        ],
    )
    .values(listed),
    ..Extension::acting(
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
        |_| Effect::Passive,
        |options| match options.text("--log-prefix") {
            Some(prefix) => format!("log it as “{}” and go on", prefix.trim_end()),
            None => "log it and go on".into(),
        },
    )
};
