//! `-m connbytes` (xt_connbytes.c): the amount of data that a connection has transferred.

use std::fmt::Write;

use super::kind::ValueForm;
use super::kind::read::problem;
use super::{Extension, Kind, ListingForm, Opt, Options};
use crate::netfilter::ruleset::{CompactBox, Value};
use crate::text::number::parse_u64;

/// `1000`, `1000:2000`, `:2000`. Without an upper end, the range is not limited.
static AMOUNT: ValueForm = ValueForm {
    words: 1,
    read: |words, _| {
        let text = words[0];
        let wrong = || problem("amount", text, "1000 or 1000:2000");
        let (low, high) = text.split_once(':').unwrap_or((text, ""));
        let or = |text: &str, default| {
            if text.is_empty() {
                Some(default)
            } else {
                parse_u64(text)
            }
        };
        let low = if text.is_empty() { None } else { or(low, 0) };
        let (low, high) = (
            low.ok_or_else(wrong)?,
            or(high, u64::MAX).ok_or_else(wrong)?,
        );
        if low > high {
            Err(wrong())
        } else {
            Ok(Value::Wides(CompactBox::new((low, high))))
        }
    },
    write: |value, _, out| {
        let Value::Wides(ends) = value else { return };
        // Writing to a string cannot fail.
        let _ = match **ends {
            (low, 0 | u64::MAX) => write!(out, "{low}"),
            (low, high) => write!(out, "{low}:{high}"),
        };
    },
    examples: &["1000", "1000:2000", "0:5", ":7"],
};

/// `!` swaps both ends. A single number therefore stays as it was (libxt_connbytes.c of iptables
/// 1.8.9).
fn negated(options: &Options) -> bool {
    let one = matches!(options.value("--connbytes"), Some(Value::Wides(ends)) if ends.0 == ends.1);
    options.negates("--connbytes") && !one
}

fn print(options: &Options, out: &mut String) {
    out.push_str(if negated(options) { " !" } else { "" });
    for flag in ["--connbytes", "--connbytes-mode", "--connbytes-dir"] {
        out.extend([" ", flag, " ", &options.printed(flag).unwrap_or_default()]);
    }
}

fn describe(options: &Options) -> String {
    let what = match options.printed("--connbytes-mode").as_deref() {
        Some("packets") => "packets",
        Some("bytes") => "bytes",
        _ => "bytes in each packet",
    };
    let way = match options.printed("--connbytes-dir").as_deref() {
        Some("original") => " on its way there",
        Some("reply") => " on its way back",
        _ => "",
    };
    let not = if negated(options) { " not" } else { "" };
    let amount = match options.value("--connbytes") {
        Some(Value::Wides(ends)) if ends.1 == u64::MAX => format!("at least {}", ends.0),
        Some(Value::Wides(ends)) => format!("{} to {}", ends.0, ends.1),
        _ => String::new(),
    };
    format!("the connection has{not} carried {amount} {what}{way}")
}

/// `-m connbytes`.
pub static CONNBYTES: Extension = Extension {
    listed: ListingForm::new(
        "",
        &[(
            "!connbytes % connbytes mode % connbytes direction %",
            "--connbytes % --connbytes-mode % --connbytes-dir %",
        )],
    ),
    tracks: true,
    unknowable: Some("it depends on the data that the connection has transferred"),
    print: Some(print),
    words: Some(describe),
    ..Extension::matching(
        "connbytes",
        "the amount of data that a connection has transferred",
        &[
            Opt::new("--connbytes", Kind::Own(&AMOUNT))
                .negatable()
                .required(),
            Opt::new(
                "--connbytes-mode",
                Kind::OneOf(&[("packets", 0), ("bytes", 1), ("avgpkt", 2)]),
            )
            .required(),
            Opt::new(
                "--connbytes-dir",
                Kind::OneOf(&[("original", 0), ("reply", 1), ("both", 2)]),
            )
            .required(),
        ],
    )
};
