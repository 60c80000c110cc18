//! `-j NFQUEUE` (xt_NFQUEUE.c): queues the packet to a user-space program, which decides.

use std::fmt::Write;

use crate::iptables::extension::kind::ValueForm;
use crate::iptables::extension::kind::read::problem;
use crate::iptables::extension::{Extension, Implied, Kind, ListingForm, Opt, Options};
use crate::netfilter::effect::Effect;
use crate::netfilter::ruleset::{Ruleset, Value};
use crate::text::diagnostic::{Code, Problem};

static BALANCE: ValueForm = ValueForm {
    words: 1,
    read: parse_queues,
    write: |value, _, out| {
        if let Value::Range(low, high) = value {
            // Writing to a string cannot fail.
            let _ = write!(out, "{low}:{high}");
        }
    },
    examples: &["0:3", ":4", "4:"],
};

/// A range of queues. The kernel refuses the range of all queues (`nfqueue_tg_check`).
fn parse_queues(words: &[&str], ruleset: &mut Ruleset) -> Result<Value, Problem> {
    let wrong = || {
        problem(
            "range of queues",
            words[0],
            "0:3, with numbers from 0 to 65535",
        )
    };
    let (low, high) = words[0].split_once(':').ok_or_else(wrong)?;
    let mut end = |text: &str, open: u32| match text {
        "" => Ok(open),
        _ => match Kind::Number(65535).parse(&[text], ruleset)? {
            Value::Number(number) => Ok(number),
            _ => Err(wrong()),
        },
    };
    match (end(low, 0)?, end(high, 65535)?) {
        (0, 65535) => Err(wrong()),
        (low, high) if low < high => Ok(Value::Range(low, high)),
        _ => Err(Problem::new(
            Code::ReversedRange,
            format!("reversed range `{}`", words[0]),
        )
        .hint("write the lower number first")),
    }
}

/// First and last queue.
fn queues(options: &Options) -> (u16, u16) {
    let (low, high) = match options.value("--queue-balance") {
        Some(Value::Range(low, high)) => (*low, *high),
        _ => (
            options.number("--queue-num").unwrap_or(0),
            options.number("--queue-num").unwrap_or(0),
        ),
    };
    let narrow = |number| u16::try_from(number).unwrap_or(u16::MAX);
    (narrow(low), narrow(high))
}

fn describe(options: &Options) -> String {
    let queues = match queues(options) {
        (first, last) if first == last => format!("queue {first}"),
        (first, last) => format!("one of the queues {first} to {last}"),
    };
    match options.has("--queue-bypass") {
        true => format!("hand it to the program on {queues}, or accept it where there is none"),
        false => format!("hand it to the program on {queues}"),
    }
}

/// `-j NFQUEUE`.
pub static NFQUEUE: Extension = Extension {
    listed: ListingForm::new(
        "NFQUEUE",
        &[
            ("num %", "--queue-num %"),
            ("balance %", "--queue-balance %"),
            ("bypass", "--queue-bypass"),
            ("cpu-fanout", "--queue-cpu-fanout"),
        ],
    ),
    implied: &[Implied::new("--queue-num", "0").without(&["--queue-balance"])],
    ..Extension::acting(
        "NFQUEUE",
        "queues the packet to a user-space program",
        &[
            Opt::new("--queue-num", Kind::Number(65535)).excludes(&["--queue-balance"]),
            Opt::new("--queue-balance", Kind::Own(&BALANCE)),
            Opt::new("--queue-bypass", Kind::Flag),
            Opt::new("--queue-cpu-fanout", Kind::Flag).needs(&["--queue-balance"]),
        ],
        |options| Effect::Queue {
            queues: queues(options),
            bypass: options.has("--queue-bypass"),
        },
        describe,
    )
};
