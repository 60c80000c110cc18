//! `-m u32` (xt_u32.c): extracts four bytes of the packet and compares them.

use super::kind::ValueForm;
use super::kind::read::problem;
use super::{Extension, Kind, ListingForm, Opt};
use crate::netfilter::ruleset::Value;
use crate::text::number::parse_u32;

/// The maximum number of tests, of numbers in a position, and of ranges (`XT_U32_MAXSIZE`, 10). One
/// test less fits, because the kernel checks the end later.
const MAX_ITEMS: usize = 10;

/// `0>>22&0x3C@0>>16=80`: printed in hexadecimal and without blanks.
static TESTS: ValueForm = ValueForm {
    words: 1,
    read: |words, ruleset| match canonical(words[0]) {
        Some(tests) => Ok(Value::Text(ruleset.keep(&tests))),
        None => Err(problem("test", words[0], "\"0>>22&0x3C@0>>16=80\"")),
    },
    write: |value, ruleset, out| {
        if let Value::Text(text) = value {
            out.extend(["\"", ruleset.text(*text), "\""]);
        }
    },
    examples: &["0=0", "6&0xFF=1&&4&0x1FFF=0", "0>>22&0x3C@0>>16=80,443:445"],
};

/// Parses all tests and writes them as iptables does.
fn canonical(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text.trim_start();
    for test in 0..MAX_ITEMS {
        rest = place(rest, &mut out)?;
        rest = values(rest, &mut out)?;
        if rest.is_empty() {
            return Some(out);
        }
        rest = rest
            .strip_prefix("&&")
            .filter(|_| test + 1 < MAX_ITEMS)?
            .trim_start();
        out.push_str("&&");
    }
    None
}

/// Parses a position: a number, and operations on it, up to `=`.
fn place<'a>(text: &'a str, out: &mut String) -> Option<&'a str> {
    let mut rest = number(text, out)?;
    for _ in 0..MAX_ITEMS {
        if let Some(values) = rest.strip_prefix('=') {
            out.push('=');
            return Some(values.trim_start());
        }
        let operation = ["&", "<<", ">>", "@"]
            .into_iter()
            .find(|operation| rest.starts_with(operation))?;
        out.push_str(operation);
        rest = number(rest[operation.len()..].trim_start(), out)?;
    }
    None
}

/// Parses the wanted values: numbers and ranges.
fn values<'a>(text: &'a str, out: &mut String) -> Option<&'a str> {
    let mut rest = text;
    for _ in 0..MAX_ITEMS {
        let (low, behind) = take(rest)?;
        rest = behind;
        let mut high = low;
        if let Some(behind) = rest.strip_prefix(':') {
            (high, rest) = take(behind.trim_start())?;
        }
        out.push_str(&if low == high {
            format!("{low:#x}")
        } else {
            format!("{low:#x}:{high:#x}")
        });
        match rest.strip_prefix(',') {
            Some(more) => rest = more.trim_start(),
            None => return Some(rest),
        }
        out.push(',');
    }
    None
}

fn number<'a>(text: &'a str, out: &mut String) -> Option<&'a str> {
    let (number, rest) = take(text)?;
    out.push_str(&format!("{number:#x}"));
    Some(rest)
}

/// Splits a text after its first number, and removes blanks.
fn take(text: &str) -> Option<(u32, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(text.len());
    Some((
        parse_u32(&text[..end]).filter(|_| end > 0)?,
        text[end..].trim_start(),
    ))
}

/// `-m u32`.
pub static U32: Extension = Extension {
    listed: ListingForm::new("", &[("!u32 !\"%\"", "--u32 %")]),
    unknowable: Some("it compares bytes that the packet does not state"),
    words: Some(|options| {
        let not = if options.negates("--u32") {
            "do not pass"
        } else {
            "pass"
        };
        format!(
            "bytes of it {not} {}",
            options.printed("--u32").unwrap_or_default()
        )
    }),
    ..Extension::matching(
        "u32",
        "bytes of the packet",
        &[Opt::new("--u32", Kind::Own(&TESTS)).negatable().required()],
    )
};
