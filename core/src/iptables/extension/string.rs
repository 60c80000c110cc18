//! `-m string` (xt_string.c): a text at any position of the packet.

use std::fmt::Write;

use super::kind::ValueForm;
use super::kind::read::problem;
use super::{Extension, Given, Kind, ListingForm, Opt, Options};
use crate::netfilter::ruleset::{Ruleset, Value};
use crate::text::diagnostic::{Code, Problem};

/// The maximum length in bytes (`XT_STRING_MAX_PATTERN_SIZE`).
const MAX_PATTERN_BYTES: usize = 128;

/// Stores bytes as hexadecimal digits, because they need not be valid text.
fn keep(bytes: &[u8], ruleset: &mut Ruleset) -> Result<Value, Problem> {
    if bytes.is_empty() || bytes.len() > MAX_PATTERN_BYTES {
        return Err(Problem::new(
            Code::InvalidValue,
            format!("this pattern has {} bytes", bytes.len()),
        )
        .hint(format!("use 1 to {MAX_PATTERN_BYTES}")));
    }
    let mut digits = String::new();
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    Ok(Value::Text(ruleset.keep(&digits)))
}

/// Literal text.
static PLAIN: ValueForm = ValueForm {
    words: 1,
    read: |words, ruleset| keep(words[0].as_bytes(), ruleset),
    write: |value, ruleset, out| {
        if let Value::Text(text) = value {
            out.push_str(ruleset.text(*text));
        }
    },
    examples: &["GET", "x"],
};

/// Text with hexadecimal bytes between bars: `a|62 63|d`. A backslash escapes a special character.
static HEXADECIMAL: ValueForm = ValueForm {
    words: 1,
    read: |words, ruleset| {
        let bytes = unescape(words[0]).ok_or_else(|| problem("pattern", words[0], "a|62 63|d"))?;
        keep(&bytes, ruleset)
    },
    write: PLAIN.write,
    examples: &["|0a0d|", "a|6263|d"],
};

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        match first {
            b'|' => {
                let end = rest.iter().position(|byte| *byte == b'|')?;
                out.extend(hexadecimal(&rest[..end])?);
                rest = &rest[end + 1..];
            }
            b'\\' => {
                let (&meant, behind) = rest.split_first()?;
                out.push(meant);
                rest = behind;
            }
            _ => out.push(first),
        }
    }
    Some(out)
}

/// Parses two digits for each byte. A blank may separate the bytes.
fn hexadecimal(mut digits: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    while let [b' ', rest @ ..] = digits {
        digits = rest;
    }
    while let [high, low, rest @ ..] = digits {
        let digit = |byte: &u8| {
            char::from(*byte)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        };
        out.push(digit(high)? << 4 | digit(low)?);
        digits = rest.strip_prefix(b" ").unwrap_or(rest);
    }
    digits.is_empty().then_some(out)
}

/// The pattern of the option, and whether it is hexadecimal.
fn pattern(options: &Options) -> (Vec<u8>, bool) {
    let digits = options.text("--string").unwrap_or_default();
    (
        hexadecimal(digits.as_bytes()).unwrap_or_default(),
        options.negates("--string"),
    )
}

/// Whether iptables prints a pattern as text (`is_hex_string` in libxt_string.c).
fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| (b' '..=b'~').contains(byte)) && bytes.last() != Some(&b'\\')
}

fn print(options: &Options, out: &mut String) {
    let (bytes, negated) = pattern(options);
    out.push_str(if negated { " !" } else { "" });
    if is_text(&bytes) {
        out.push_str(" --string \"");
        for byte in bytes {
            out.push_str(if matches!(byte, b'"' | b'\\') {
                "\\"
            } else {
                ""
            });
            out.push(byte.into());
        }
        out.push('"');
    } else {
        out.extend([
            " --hex-string \"|",
            options.text("--string").unwrap_or_default(),
            "|\"",
        ]);
    }
    out.extend([" --algo ", &options.printed("--algo").unwrap_or_default()]);
    for (flag, default) in [("--from", 0), ("--to", u32::from(u16::MAX))] {
        if let Some(number) = options.number(flag).filter(|number| *number != default) {
            // Writing to a string cannot fail.
            let _ = write!(out, " {flag} {number}");
        }
    }
    out.push_str(if options.has("--icase") {
        " --icase"
    } else {
        ""
    });
}

fn check(given: &Given) -> Result<(), Problem> {
    let options = given.options;
    if !options.has("--string") {
        return Err(Problem::new(
            Code::MissingOption,
            "-m string needs --string or --hex-string",
        ));
    }
    let (from, to) = (options.number("--from"), options.number("--to"));
    if from.unwrap_or(0) > to.unwrap_or(u16::MAX.into()) {
        return Err(Problem::new(
            Code::RefusedCombination,
            "--from is after --to",
        ));
    }
    Ok(())
}

fn describe(options: &Options) -> String {
    let (bytes, negated) = pattern(options);
    let what = if is_text(&bytes) {
        format!("“{}”", String::from_utf8_lossy(&bytes))
    } else {
        format!("the bytes {}", options.text("--string").unwrap_or_default())
    };
    let does = if negated { "does not hold" } else { "holds" };
    let case = if options.has("--icase") {
        ", in any case"
    } else {
        ""
    };
    let part = match (options.number("--from"), options.number("--to")) {
        (None, None) => String::new(),
        (from, None) => format!(" from byte {} on", from.unwrap_or(0)),
        (from, Some(to)) => format!(" in bytes {} to {to}", from.unwrap_or(0)),
    };
    format!("it {does} {what}{part}{case}")
}

/// `-m string`.
pub static STRING: Extension = Extension {
    listed: ListingForm::new(
        "STRING match",
        &[
            ("!\"|%|\"", "--hex-string |%|"),
            ("!\"%\"", "--string %"),
            ("ALGO name %", "--algo %"),
            ("FROM %", "--from %"),
            ("TO %", "--to %"),
            ("ICASE", "--icase"),
        ],
    ),
    unknowable: Some("it depends on the payload"),
    check,
    print: Some(print),
    words: Some(describe),
    ..Extension::matching(
        "string",
        "a text in the packet",
        &[
            Opt::new("--string", Kind::Own(&PLAIN)).negatable(),
            Opt::new("--hex-string", Kind::Own(&HEXADECIMAL))
                .negatable()
                .stored_as("--string"),
            Opt::new("--algo", Kind::OneOf(&[("bm", 0), ("kmp", 1)])).required(),
            Opt::new("--from", Kind::Number(65_535)),
            Opt::new("--to", Kind::Number(65_535)),
            Opt::new("--icase", Kind::Flag),
        ],
    )
};
