//! `-j RATEEST` (xt_RATEEST.c): feeds an estimator of rates. Its times are stored as powers of two
//! (libxt_RATEEST.c of iptables 1.8.9).

use crate::iptables::extension::kind::read::problem;
use crate::iptables::extension::kind::{ValueForm, quote_if_needed};
use crate::iptables::extension::{Extension, Given, Kind, ListingForm, Opt, Options};
use crate::netfilter::ruleset::Value;
use crate::text::diagnostic::{Code, Problem};
use crate::text::number;

const SECOND: u32 = 1_000_000;
const MILLISECOND: u32 = 1_000;
/// The shortest interval, in microseconds. Each longer interval is twice the previous one.
const QUARTER: u32 = 250_000;

/// A time in microseconds, with or without a unit.
static TIME: ValueForm = ValueForm {
    words: 1,
    read: |words, _| match microseconds(words[0]) {
        Some(time) => Ok(Value::Number(time)),
        None => Err(problem("time", words[0], "250ms or 0.5s")),
    },
    write: |value, _, out| {
        if let Value::Number(time) = value {
            write_time(*time, out);
        }
    },
    examples: &["250ms", "1s", "4sec"],
};

fn microseconds(text: &str) -> Option<u32> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "s" | "sec" | "secs" => SECOND,
        "ms" | "msec" | "msecs" => MILLISECOND,
        "" | "us" | "usec" | "usecs" => 1,
        _ => return None,
    };
    let time = number::parse_decimal(number)? * f64::from(factor);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it fits, and iptables cuts it off, too"
    )]
    (time <= f64::from(u32::MAX)).then_some(time as u32)
}

/// `print_time`: prints a time in the largest unit that divides it.
fn write_time(time: u32, out: &mut String) {
    let (unit, name) = match time {
        SECOND.. => (SECOND, "s"),
        MILLISECOND.. => (MILLISECOND, "ms"),
        _ => return out.push_str(&format!("{time}us")),
    };
    out.push_str(&format!("{:.1}{name}", f64::from(time) / f64::from(unit)));
}

/// The interval rounded up, and the exponent of the average, as the kernel gets them
/// (`RATEEST_final_check`).
fn rounded(options: &Options) -> Result<(u32, u32), Problem> {
    let interval = options.number("--rateest-interval").unwrap_or(0);
    let average = f64::from(options.number("--rateest-ewmalog").unwrap_or(0));
    let steps = (0..=5).find(|steps| interval <= QUARTER << steps);
    let steps = steps
        .ok_or_else(|| Problem::new(Code::InvalidValue, "--rateest-interval is at most 8s"))?;
    let weight = |log: i32| 1.0 - 1.0 / 2f64.powi(log);
    let log = (1..32)
        .find(|log| f64::from(interval) / -weight(*log).ln() > average)
        .unwrap_or(32)
        - 1;
    match u32::try_from(log) {
        Ok(log) if (1..31).contains(&log) => Ok((QUARTER << steps, log)),
        _ => Err(Problem::new(
            Code::RefusedCombination,
            "--rateest-ewmalog does not fit the interval",
        )
        .hint("use a small multiple of the interval")),
    }
}

fn check(given: &Given) -> Result<(), Problem> {
    rounded(&given.options).map(drop)
}

fn print(options: &Options, out: &mut String) {
    let Ok((interval, log)) = rounded(options) else {
        return;
    };
    out.push_str(" --rateest-name ");
    quote_if_needed(options.text("--rateest-name").unwrap_or_default(), out);
    out.push_str(" --rateest-interval ");
    write_time(interval, out);
    out.push_str(" --rateest-ewmalog ");
    write_time(interval.wrapping_shl(log), out);
}

/// `-j RATEEST`.
pub static RATEEST: Extension = Extension {
    listed: ListingForm::new(
        "",
        &[
            ("name %", "--rateest-name %"),
            ("interval %", "--rateest-interval %"),
            ("ewmalog %", "--rateest-ewmalog %"),
        ],
    ),
    check,
    print: Some(print),
    ..Extension::observing(
        "RATEEST",
        "feeds a rate estimator",
        &[
            Opt::new("--rateest-name", Kind::Word(15)).required(),
            Opt::new("--rateest-interval", Kind::Own(&TIME)).required(),
            Opt::new("--rateest-ewmalog", Kind::Own(&TIME)).required(),
        ],
        |options| {
            format!(
                "count it for the rate estimator {} and go on",
                options.text("--rateest-name").unwrap_or_default()
            )
        },
    )
};
