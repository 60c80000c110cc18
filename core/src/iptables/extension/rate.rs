//! A rate, as `-m limit` and `-m hashlimit` write it: `3/hour`. It is stored as the time between
//! two packets.

use super::kind::read::problem;
use crate::text::diagnostic::{Code, Problem};

/// A unit of time: the word to parse (any abbreviation of it), the printed word, and the seconds.
type Unit = (&'static str, &'static str, u64);

const UNITS: [Unit; 4] = [
    ("day", "day", 86_400),
    ("hour", "hour", 3_600),
    ("minute", "min", 60),
    ("second", "sec", 1),
];

/// Parses a rate. The result is the time between two packets, in fractions of a second (`scale` of
/// them in a second), and the seconds of the written unit. Text after the number is ignored
/// (`atoi`).
pub(super) fn parse_rate(text: &str, scale: u64) -> Result<(u64, u64), Problem> {
    let wrong = || problem("rate", text, "3/hour, 10/minute or 5/second");
    let (number, unit) = text.split_once('/').unwrap_or((text, "second"));
    let is_start = |whole: &str| {
        whole
            .get(..unit.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(unit))
    };
    let named = UNITS
        .iter()
        .find(|(whole, ..)| !unit.is_empty() && is_start(whole));
    let (_, _, seconds) = named.ok_or_else(wrong)?;
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = number[..digits].parse().map_err(|_| wrong())?;
    let period = (scale * seconds).checked_div(number).ok_or_else(wrong)?;
    if period == 0 {
        return Err(
            Problem::new(Code::InvalidValue, format!("the rate `{text}` is too fast"))
                .hint(format!("use at most {scale} per second")),
        );
    }
    Ok((period, *seconds))
}

/// The number and unit that iptables prints for a time between two packets (`print_rate` in
/// libxt_limit.c).
pub(super) fn unit(period: u64, scale: u64) -> (u64, Unit) {
    let fits = |(_, _, seconds): &Unit| {
        let whole = scale * seconds;
        period <= whole && whole / period >= whole % period
    };
    let last = UNITS.iter().skip(1).take_while(|unit| fits(unit)).count();
    let unit = UNITS[last];
    (scale * unit.2 / period, unit)
}

/// Prints a rate: `3/hour`.
pub(super) fn print(period: u64, scale: u64) -> String {
    let (number, (_, unit, _)) = unit(period, scale);
    format!("{number}/{unit}")
}

/// Words a rate: "3 packets an hour".
pub(super) fn describe(period: u64, scale: u64) -> String {
    let (number, (unit, ..)) = unit(period, scale);
    let (article, s) = (
        if unit == "hour" { "an" } else { "a" },
        if number == 1 { "" } else { "s" },
    );
    format!("{number} packet{s} {article} {unit}")
}
