//! `-m hashlimit` (xt_hashlimit.c): a limit of packets or bytes in a time, with a counter for each
//! address or port.

use std::fmt::Write;

use super::kind::read::problem;
use super::kind::{ValueForm, quote_if_needed};
use super::{Extension, Given, Kind, Opt, Options, rate};
use crate::netfilter::ruleset::{CompactBox, Value};
use crate::text::diagnostic::{Code, Problem};
use crate::text::number::parse_u64;

/// Parts of a second (`XT_HASHLIMIT_SCALE_v2`).
const SCALE: u64 = 1_000_000;

/// The unit that marks a rate in bytes.
const BYTES: u64 = 0;

/// The cost of 16 bytes. The kernel counts bytes in units of 16 (`XT_HASHLIMIT_BYTE_SHIFT`) and
/// stores the cost of one unit.
fn cost(bytes: u64) -> u64 {
    // Only the low 32 bits count.
    let units = u32::try_from((bytes >> 4) & u64::from(u32::MAX))
        .unwrap_or(u32::MAX)
        .wrapping_add(1);
    u64::from(u32::MAX.checked_div(units).unwrap_or(0))
}

fn bytes(cost: u64) -> u64 {
    (u64::from(u32::MAX)
        .checked_div(cost)
        .unwrap_or(u32::MAX.into())
        - 1)
        << 4
}

/// The factor of a letter after a number of bytes.
fn factor(letter: Option<char>) -> u64 {
    match letter {
        Some('m') => 1 << 20,
        Some('k') => 1 << 10,
        _ => 1,
    }
}

/// `5/sec`, or `512kb/s`. It is stored as the time between packets, or as the cost of bytes, with
/// the seconds of the unit.
static RATE: ValueForm = ValueForm {
    words: 1,
    read: |words, _| {
        let text = words[0];
        let Some(number) = text
            .split_once("b/s")
            .map(|(number, _)| number)
            .filter(|number| !number.is_empty())
        else {
            return rate::parse_rate(text, SCALE).map(|rate| Value::Wides(CompactBox::new(rate)));
        };
        let wrong = || problem("rate", text, "512kb/s or 10mb/s");
        let digits = number.bytes().take_while(u8::is_ascii_digit).count();
        let count: u64 = number[..digits]
            .parse()
            .ok()
            .filter(|count| *count > 0)
            .ok_or_else(wrong)?;
        let cost = cost(
            count
                .checked_mul(factor(number.chars().last()))
                .ok_or_else(wrong)?,
        );
        if cost == 0 {
            Err(wrong())
        } else {
            Ok(Value::Wides(CompactBox::new((cost, BYTES))))
        }
    },
    write: |value, _, out| {
        let Value::Wides(rate) = value else { return };
        match **rate {
            (cost, BYTES) => out.push_str(&print_bytes(bytes(cost), |unit| {
                self::cost(bytes(cost) & !(unit - 1)) == cost
            })),
            (period, _) => return out.push_str(&rate::print(period, SCALE)),
        }
        out.push_str("/s");
    },
    examples: &["5", "60/min", "3/hour", "512kb/s"],
};

/// Prints bytes in the largest unit that is not above them and `fits`.
fn print_bytes(bytes: u64, fits: impl Fn(u64) -> bool) -> String {
    let unit = [("m", 1 << 20), ("k", 1 << 10)]
        .into_iter()
        .find(|(_, unit)| bytes >= *unit && fits(*unit));
    let (letter, unit) = unit.unwrap_or(("", 1));
    format!("{}{letter}b", bytes / unit)
}

/// `5`, or bytes with the suffix `k` or `m`. It is stored as the number and whether it had a
/// letter.
static BURST: ValueForm = ValueForm {
    words: 1,
    read: |words, _| {
        let text = words[0];
        let digits = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let end = text[..digits]
            .find(['k', 'm', 'b'])
            .filter(|_| !text.starts_with("0x"));
        let (number, letter) = text.split_at(end.unwrap_or(text.len()));
        let wrong = || problem("burst", text, "5, or 64k with a rate of bytes");
        let count = parse_u64(number)
            .filter(|count| *count > 0)
            .ok_or_else(wrong)?;
        if letter.is_empty() && count > MAX_RATE {
            return Err(wrong());
        }
        count
            .checked_mul(factor(letter.chars().next()))
            .map(|count| Value::Wide(count.into()))
            .ok_or_else(wrong)
    },
    write: |value, _, out| {
        if let Value::Wide(count) = value {
            out.push_str(&count.get().to_string());
        }
    },
    examples: &["5", "100"],
};

const MAX_RATE: u64 = 1_000_000;

/// The keys of the counters, in print order. `mode` splits at `,` and `|`.
const MODES: [&str; 4] = ["srcip", "srcport", "dstip", "dstport"];

static MODE: ValueForm = ValueForm {
    words: 1,
    read: |words, _| {
        let mut bits = 0;
        for word in words[0].split([',', '|']).filter(|word| !word.is_empty()) {
            let place = MODES.iter().position(|mode| *mode == word);
            bits |=
                1 << place.ok_or_else(|| problem("list of modes", words[0], "srcip,dstport"))?;
        }
        Ok(Value::Bits(bits))
    },
    write: |value, _, out| {
        let Value::Bits(bits) = value else { return };
        let modes: Vec<&str> = MODES
            .iter()
            .enumerate()
            .filter(|(place, _)| bits & 1 << place != 0)
            .map(|(_, mode)| *mode)
            .collect();
        out.push_str(&modes.join(","));
    },
    examples: &["srcip", "srcip,dstport"],
};

/// The numbers of a rule, as iptables passes them to the kernel.
struct RateLimit {
    above: bool,
    /// The time between packets, or the cost of bytes.
    each: u64,
    in_bytes: bool,
    /// Packets. For bytes: a multiple of the rate, or 0 for none.
    burst: u64,
    /// The seconds of the written unit.
    unit: u64,
    expire: u64,
}

impl RateLimit {
    fn from_options(options: &Options) -> Option<Self> {
        let (flag, above) = if options.has("--hashlimit-upto") {
            ("--hashlimit-upto", false)
        } else {
            ("--hashlimit-above", true)
        };
        let Some(Value::Wides(rate)) = options.value(flag) else {
            return None;
        };
        let (mut each, unit) = **rate;
        let in_bytes = unit == BYTES;
        let written = match options.value("--hashlimit-burst") {
            Some(Value::Wide(burst)) => Some(burst.get()),
            _ => None,
        };
        let (burst, unit) = match (in_bytes, written) {
            (true, None) => (0, 15),
            (true, Some(burst)) => (burst.div_ceil(bytes(each).max(1)), 60),
            (false, burst) => (burst.unwrap_or(5), unit),
        };
        if !in_bytes && options.has("--hashlimit-rate-match") {
            each /= unit;
        }
        let expire = options
            .number("--hashlimit-htable-expire")
            .map_or(unit * 1000, u64::from);
        Some(Self {
            above: above != options.negates(flag),
            each,
            in_bytes,
            burst,
            unit,
            expire,
        })
    }
}

fn print(options: &Options, out: &mut String) {
    let Some(limit) = RateLimit::from_options(options) else {
        return;
    };
    // Writing to a string cannot fail.
    let _ = write(&limit, options, out);
}

fn write(limit: &RateLimit, options: &Options, out: &mut String) -> std::fmt::Result {
    write!(
        out,
        " --hashlimit-{} ",
        if limit.above { "above" } else { "upto" }
    )?;
    let expire = if limit.in_bytes {
        (RATE.write)(
            &Value::Wides(CompactBox::new((limit.each, BYTES))),
            options.ruleset,
            out,
        );
        if limit.burst > 0 {
            write!(
                out,
                " --hashlimit-burst {}",
                print_bytes(bytes(limit.each) * limit.burst, |_| true)
            )?;
        }
        if limit.burst > 0 { 60 } else { 15 }
    } else {
        let (_, (_, _, seconds)) = rate::unit(limit.each.max(1), SCALE);
        write!(
            out,
            "{} --hashlimit-burst {}",
            rate::print(limit.each.max(1), SCALE),
            limit.burst
        )?;
        seconds
    };
    if let Some(mode) = options
        .printed("--hashlimit-mode")
        .filter(|mode| !mode.is_empty())
    {
        write!(out, " --hashlimit-mode {mode}")?;
    }
    out.push_str(" --hashlimit-name ");
    quote_if_needed(options.text("--hashlimit-name").unwrap_or_default(), out);
    for (flag, default) in [
        ("--hashlimit-htable-size", 0),
        ("--hashlimit-htable-max", 0),
        ("--hashlimit-htable-gcinterval", 1000),
    ] {
        if let Some(number) = options.number(flag).filter(|number| *number != default) {
            write!(out, " {flag} {number}")?;
        }
    }
    if limit.expire != expire * 1000 {
        write!(out, " --hashlimit-htable-expire {}", limit.expire)?;
    }
    for flag in ["--hashlimit-srcmask", "--hashlimit-dstmask"] {
        let full = u32::from(options.ruleset.family.bits());
        if let Some(length) = options.number(flag).filter(|length| *length != full) {
            write!(out, " {flag} {length}")?;
        }
    }
    if options.has("--hashlimit-rate-match") {
        out.push_str(" --hashlimit-rate-match");
        let default = if limit.in_bytes { 1 } else { limit.unit };
        let interval = options
            .number("--hashlimit-rate-interval")
            .map_or(default, u64::from);
        if interval != 1 {
            write!(out, " --hashlimit-rate-interval {interval}")?;
        }
    }
    Ok(())
}

fn check(given: &Given) -> Result<(), Problem> {
    let options = &given.options;
    let Some(limit) = RateLimit::from_options(options) else {
        return Err(Problem::new(
            Code::MissingOption,
            "-m hashlimit needs --hashlimit-upto or --hashlimit-above",
        ));
    };
    if let (true, Some(Value::Wide(burst))) = (limit.in_bytes, options.value("--hashlimit-burst"))
        && burst.get() < bytes(limit.each)
    {
        return Err(Problem::new(
            Code::RefusedCombination,
            format!(
                "the burst is smaller than the rate of {} bytes",
                bytes(limit.each)
            ),
        ));
    }
    let long = |flag: &&&str| {
        options
            .number(flag)
            .is_some_and(|length| length > given.family.bits().into())
    };
    if let Some(flag) = ["--hashlimit-srcmask", "--hashlimit-dstmask"]
        .iter()
        .find(long)
    {
        return Err(Problem::new(
            Code::InvalidValue,
            format!("{flag} is at most {} here", given.family.bits()),
        ));
    }
    match options.text("--hashlimit-name") {
        Some("" | "." | "..") => Err(Problem::new(
            Code::InvalidValue,
            "the name of the table must be a valid file name",
        )),
        Some(name) if name.contains('/') => Err(Problem::new(
            Code::InvalidValue,
            "the name of the table contains `/`",
        )),
        _ => Ok(()),
    }
}

fn describe(options: &Options) -> String {
    let Some(limit) = RateLimit::from_options(options) else {
        return String::new();
    };
    let does = if limit.above { "more" } else { "no more" };
    let rate = match limit.in_bytes {
        true => format!("{} bytes a second", bytes(limit.each)),
        false => rate::describe(limit.each.max(1), SCALE),
    };
    let mode = options.printed("--hashlimit-mode").unwrap_or_default();
    let mut who: Vec<&str> = Vec::new();
    for (name, said) in [
        ("srcip", "source address"),
        ("srcport", "source port"),
        ("dstip", "destination address"),
        ("dstport", "destination port"),
    ] {
        if mode.split(',').any(|mode| mode == name) {
            who.push(said);
        }
    }
    let each = if who.is_empty() {
        String::new()
    } else {
        format!(" for its {}", who.join(" and "))
    };
    format!("{does} than {rate} come{each}, after a few at first")
}

/// `-m hashlimit`.
pub static HASHLIMIT: Extension = Extension {
    unknowable: Some("it depends on the number of earlier packets"),
    check,
    print: Some(print),
    words: Some(describe),
    ..Extension::matching(
        "hashlimit",
        "a limit of packets or bytes in a time, for each address or port",
        &[
            Opt::new("--hashlimit-upto", Kind::Own(&RATE))
                .or(&["--hashlimit"])
                .negatable()
                .excludes(&["--hashlimit-above"]),
            Opt::new("--hashlimit-above", Kind::Own(&RATE)).negatable(),
            Opt::new("--hashlimit-burst", Kind::Own(&BURST)),
            Opt::new("--hashlimit-mode", Kind::Own(&MODE)),
            Opt::new("--hashlimit-name", Kind::Word(255)).required(),
            Opt::new("--hashlimit-htable-size", Kind::Number(u32::MAX)),
            Opt::new("--hashlimit-htable-max", Kind::Number(u32::MAX)),
            Opt::new("--hashlimit-htable-gcinterval", Kind::Between(1, u32::MAX)),
            Opt::new("--hashlimit-htable-expire", Kind::Between(1, u32::MAX)),
            Opt::new("--hashlimit-srcmask", Kind::Number(128)),
            Opt::new("--hashlimit-dstmask", Kind::Number(128)),
            Opt::new("--hashlimit-rate-match", Kind::Flag),
            Opt::new(
                "--hashlimit-rate-interval",
                Kind::Between(1, i32::MAX as u32),
            ),
        ],
    )
};
