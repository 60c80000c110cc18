//! `-j LED` (xt_LED.c): switches a light of the machine on.

use std::fmt::Write;

use crate::iptables::extension::kind::ValueForm;
use crate::iptables::extension::{Extension, Kind, Opt};
use crate::netfilter::ruleset::Value;

static DELAY: ValueForm = ValueForm {
    words: 1,
    read: |words, ruleset| match words[0] {
        "inf" => Ok(Value::Number(u32::MAX)),
        _ => Kind::Number(u32::MAX - 1).parse(words, ruleset),
    },
    write: |value, _, out| {
        // Writing to a string cannot fail.
        let _ = match value {
            Value::Number(u32::MAX) => write!(out, "inf"),
            Value::Number(number) => write!(out, "{number}"),
            _ => Ok(()),
        };
    },
    examples: &["42", "inf"],
};

/// `-j LED`.
pub static LED: Extension = Extension::observing(
    "LED",
    "switches a light on",
    &[
        Opt::new("--led-trigger-id", Kind::Text(27)).required(),
        Opt::new("--led-delay", Kind::Own(&DELAY)).unprinted(0),
        Opt::new("--led-always-blink", Kind::Flag),
    ],
    |options| {
        format!(
            "make the light {} blink and go on",
            options.text("--led-trigger-id").unwrap_or_default()
        )
    },
);
