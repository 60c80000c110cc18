//! `-m rateest` (xt_rateest.c): compares a rate that `-j RATEEST` measured with a number or with
//! another such rate.

use super::kind::read::problem;
use super::kind::{ValueForm, quote_if_needed};
use super::{Extension, Kind, Opt, Options};
use crate::netfilter::ruleset::Value;

/// Suffixes of a rate, with their bits per second.
const SUFFIXES: [(&str, u64); 19] = [
    ("bit", 1),
    ("kibit", 1 << 10),
    ("kbit", 1_000),
    ("mibit", 1 << 20),
    ("mbit", 1_000_000),
    ("gibit", 1 << 30),
    ("gbit", 1_000_000_000),
    ("tibit", 1 << 40),
    ("tbit", 1_000_000_000_000),
    ("bps", 8),
    ("kibps", 8 << 10),
    ("kbps", 8_000),
    ("mibps", 8 << 20),
    ("mbps", 8_000_000),
    ("gibps", 8 << 30),
    ("gbps", 8_000_000_000),
    ("tibps", 8 << 40),
    ("tbps", 8_000_000_000_000),
    ("", 1),
];

/// A rate, stored in bytes per second.
static RATE: ValueForm = ValueForm {
    words: 1,
    read: |words, _| {
        let text = words[0];
        let wrong = || problem("rate", text, "10mbit or 500kbps");
        let end = text
            .find(|c: char| c.is_ascii_alphabetic())
            .unwrap_or(text.len());
        let scale = SUFFIXES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(&text[end..]))
            .ok_or_else(wrong)?
            .1;
        let number: u64 = text[..end].parse().map_err(|_| wrong())?;
        let bytes = number.checked_mul(scale).ok_or_else(wrong)? / 8;
        u32::try_from(bytes).map(Value::Number).map_err(|_| wrong())
    },
    write: |value, _, out| {
        let Value::Number(bytes) = value else { return };
        let bits = u64::from(*bytes) * 8;
        // `%.0f` rounds half to even.
        let round = |unit: u64| {
            let (whole, rest) = (bits / unit, bits % unit * 2);
            whole + u64::from(rest > unit || rest == unit && whole % 2 == 1)
        };
        out.push_str(&match bits {
            1_000_000_000.. => format!("{}Mbit", round(1_000_000)),
            1_000_000.. => format!("{}Kbit", round(1_000)),
            _ => format!("{bits}bit"),
        });
    },
    examples: &["10mbit", "1000bit"],
};

static PACKETS: ValueForm = ValueForm {
    words: 1,
    read: |words, _| {
        crate::text::number::parse_u32(words[0])
            .map(Value::Number)
            .ok_or_else(|| problem("number", words[0], "100"))
    },
    write: |value, _, out| {
        if let Value::Number(number) = value {
            out.push_str(&number.to_string());
        }
    },
    examples: &["100"],
};

const COMPARISONS: [(&str, &str); 3] = [
    ("--rateest-lt", "below"),
    ("--rateest-gt", "above"),
    ("--rateest-eq", "equal to"),
];

/// The comparison of a rule. The kernel refuses a rule without one.
fn comparison(options: &Options) -> (&'static str, &'static str) {
    COMPARISONS
        .into_iter()
        .find(|(flag, _)| options.has(flag))
        .unwrap_or(COMPARISONS[0])
}

fn rate(options: &Options, flag: &str) -> String {
    options
        .printed(flag)
        .filter(|rate| !rate.is_empty())
        .unwrap_or_else(|| match flag.contains("bps") {
            true => "0bit".into(),
            false => "0".into(),
        })
}

fn print(options: &Options, out: &mut String) {
    let relative = options.has("--rateest2");
    let delta = options.has("--rateest-delta");
    let name =
        |flag, out: &mut String| quote_if_needed(options.text(flag).unwrap_or_default(), out);
    out.push_str(if delta { " --rateest-delta" } else { "" });
    out.push_str(if relative {
        " --rateest1 "
    } else {
        " --rateest "
    });
    name("--rateest1", out);
    let (flag, _) = comparison(options);
    let compares = [if options.negates(flag) { " ! " } else { " " }, flag];
    for (first, second, alone) in [
        ("--rateest-bps1", "--rateest-bps2", "--rateest-bps"),
        ("--rateest-pps1", "--rateest-pps2", "--rateest-pps"),
    ] {
        if !options.has(first) && !options.has(second) {
            continue;
        }
        if delta {
            out.extend([" ", first, " ", &rate(options, first)]);
        }
        out.extend(compares);
        out.extend([" ", if delta { second } else { alone }]);
        if delta || !relative {
            out.extend([" ", &rate(options, second)]);
        }
    }
    if relative {
        out.push_str(" --rateest2 ");
        name("--rateest2", out);
    }
}

fn describe(options: &Options) -> String {
    let name = |flag| options.text(flag).unwrap_or_default();
    let (flag, compares) = comparison(options);
    let not = if options.negates(flag) { "not " } else { "" };
    let other = match options.has("--rateest2") {
        true => format!("the rate “{}”", name("--rateest2")),
        false if options.has("--rateest-bps2") => rate(options, "--rateest-bps2"),
        false => format!("{} packets a second", rate(options, "--rateest-pps2")),
    };
    format!(
        "the rate “{}” is {not}{compares} {other}",
        name("--rateest1")
    )
}

/// `-m rateest`. A single rate is the second one, which the first is compared with.
pub static RATEEST: Extension = Extension {
    unknowable: Some("it depends on measured rates"),
    print: Some(print),
    words: Some(describe),
    ..Extension::matching(
        "rateest",
        "a rate that -j RATEEST measured",
        &[
            Opt::new("--rateest1", Kind::Word(15))
                .or(&["--rateest"])
                .required(),
            Opt::new("--rateest-delta", Kind::Flag),
            Opt::new("--rateest-bps1", Kind::Maybe(&RATE)),
            Opt::new("--rateest-pps1", Kind::Maybe(&PACKETS)),
            Opt::new("--rateest-bps2", Kind::Maybe(&RATE)).or(&["--rateest-bps"]),
            Opt::new("--rateest-pps2", Kind::Maybe(&PACKETS)).or(&["--rateest-pps"]),
            Opt::new("--rateest-lt", Kind::Flag)
                .negatable()
                .excludes(&["--rateest-gt", "--rateest-eq"]),
            Opt::new("--rateest-gt", Kind::Flag)
                .negatable()
                .excludes(&["--rateest-eq"]),
            Opt::new("--rateest-eq", Kind::Flag).negatable(),
            Opt::new("--rateest2", Kind::Word(15)),
        ],
    )
};
