//! `-m limit` (xt_limit.c): so many packets in a time, and a few more at first.

use super::kind::Form;
use super::{Extension, Implied, Kind, Opt, rate};
use crate::ruleset::Value;

/// Parts of a second (`XT_LIMIT_SCALE`).
const SCALE: u64 = 10_000;

static RATE: Form = Form {
    words: 1,
    read: |words, _| rate::read(words[0], SCALE).map(|(period, _)| Value::Wide(period)),
    write: |value, _, out| {
        if let Value::Wide(period) = value {
            out.push_str(&rate::print(*period, SCALE));
        }
    },
    examples: &["3/hour", "10/m", "100/sec", "1/day"],
};

/// The burst that is not printed.
const BURST: u32 = 5;

/// `-m limit`.
pub static LIMIT: Extension = Extension {
    unknowable: Some("it depends on how many packets came before"),
    implied: &[Implied::new("--limit", "3/hour")],
    words: Some(|options| {
        let rate = match options.value("--limit") {
            Some(Value::Wide(period)) => rate::say(*period, SCALE),
            _ => String::new(),
        };
        format!("no more than {rate} come, after {} at first", options.number("--limit-burst").unwrap_or(BURST))
    }),
    ..Extension::matching(
        "limit",
        "so many packets in a time",
        &[
            Opt::new("--limit", Kind::Own(&RATE)),
            // The kernel refuses none at all (`limit_mt_check`).
            Opt::new("--limit-burst", Kind::Between(1, 10_000)).unprinted(BURST),
        ],
    )
};
