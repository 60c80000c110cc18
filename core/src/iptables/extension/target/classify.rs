//! `-j CLASSIFY` (xt_CLASSIFY.c): sets the class of traffic control. No rule tests it.

use std::fmt::Write;

use crate::iptables::extension::kind::ValueForm;
use crate::iptables::extension::kind::read::problem;
use crate::iptables::extension::{Extension, Kind, ListingForm, Opt};
use crate::netfilter::ruleset::{Ruleset, Value};
use crate::packet::hook::Hook;
use crate::text::diagnostic::Problem;

static CLASS: ValueForm = ValueForm {
    words: 1,
    read: read_class,
    write: |value, _, out| {
        if let Value::Number(class) = value {
            // Writing to a string cannot fail.
            let _ = write!(out, "{:04x}:{:04x}", class >> 16, class & 0xffff);
        }
    },
    examples: &["1:10", "0001:ffff"],
};

/// Parses a class as `sscanf("%x:%x")` does. Text after the second number is ignored, and so are
/// bits above sixteen.
fn read_class(words: &[&str], _: &mut Ruleset) -> Result<Value, Problem> {
    let half = |text: &str| {
        let digits = text
            .strip_prefix("0x")
            .or_else(|| text.strip_prefix("0X"))
            .unwrap_or(text);
        let end = digits.bytes().take_while(u8::is_ascii_hexdigit).count();
        let number = u32::from_str_radix(&digits[..end], 16).ok()? & 0xffff;
        Some((number, digits.len() == end))
    };
    match words[0]
        .split_once(':')
        .map(|(major, minor)| (half(major), half(minor)))
    {
        Some((Some((major, true)), Some((minor, _)))) => Ok(Value::Number(major << 16 | minor)),
        _ => Err(problem(
            "traffic class",
            words[0],
            "1:10, both numbers hexadecimal",
        )),
    }
}

/// `-j CLASSIFY`.
pub static CLASSIFY: Extension = Extension {
    listed: ListingForm::new("CLASSIFY", &[("set %", "--set-class %")]),
    hooks: &[Hook::Forward, Hook::Output, Hook::Postrouting],
    ..Extension::observing(
        "CLASSIFY",
        "sets a class of traffic control",
        &[Opt::new("--set-class", Kind::Own(&CLASS)).required()],
        |options| {
            format!(
                "put it into traffic class {}",
                options.printed("--set-class").unwrap_or_default()
            )
        },
    )
};
