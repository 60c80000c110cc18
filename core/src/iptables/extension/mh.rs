//! `-m mh` (ip6t_mh.c): the type of a mobility header.

use super::kind::ValueForm;
use super::kind::read::problem;
use super::transport::{TRANSPORT, headless};
use super::{Extension, Kind, ListingForm, Opt};
use crate::netfilter::condition::{Field, Phrase, Subject};
use crate::netfilter::ruleset::{Ruleset, Value};
use crate::packet::value::FieldValue;
use crate::packet::{Family, Protocol};
use crate::text::diagnostic::{Code, Problem};
use crate::text::number;

const MOBILITY: Protocol = Protocol(135);

/// Names with their short forms (libip6t_mh.c of iptables 1.8.9).
const TYPES: [(&str, u32); 15] = [
    ("binding-refresh-request", 0),
    ("brr", 0),
    ("home-test-init", 1),
    ("hoti", 1),
    ("careof-test-init", 2),
    ("coti", 2),
    ("home-test", 3),
    ("hot", 3),
    ("careof-test", 4),
    ("cot", 4),
    ("binding-update", 5),
    ("bu", 5),
    ("binding-acknowledgement", 6),
    ("ba", 6),
    ("binding-error", 7),
];

static RANGE: ValueForm = ValueForm {
    words: 1,
    read: parse_types,
    write,
    examples: &["bu", "binding-update", "1:3", ":7", "cot"],
};

/// A number, or the abbreviation of a name. An exact name wins, then the first match
/// (`name_to_type`).
fn number_of(text: &str) -> Option<u32> {
    let begins = |name: &str| {
        name.get(..text.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(text))
    };
    let exact = TYPES
        .iter()
        .chain(&[("be", 7)])
        .rfind(|(name, _)| name.eq_ignore_ascii_case(text));
    let found = exact.or_else(|| TYPES.iter().find(|(name, _)| begins(name)));
    found
        .map(|(_, number)| *number)
        .or_else(|| number::parse_u32(text).filter(|number| *number <= 255))
}

fn parse_types(words: &[&str], _: &mut Ruleset) -> Result<Value, Problem> {
    let wrong = || {
        problem(
            "type of mobility header",
            words[0],
            "bu, binding-update, 5 or 1:3",
        )
    };
    let end = |text: &str, open: u32| {
        if text.is_empty() {
            Some(open)
        } else {
            number_of(text)
        }
    };
    let (low, high) = match words[0].split_once(':') {
        Some((low, high)) => (end(low, 0), end(high, 255)),
        None => (number_of(words[0]), number_of(words[0])),
    };
    match (low.ok_or_else(wrong)?, high.ok_or_else(wrong)?) {
        (low, high) if low <= high => Ok(Value::Range(low, high)),
        _ => Err(Problem::new(
            Code::ReversedRange,
            format!("reversed range `{}`", words[0]),
        )
        .hint("write the lower number first")),
    }
}

fn write(value: &Value, _: &Ruleset, out: &mut String) {
    match value {
        Value::Range(low, high) if low == high => out.push_str(&low.to_string()),
        Value::Range(low, high) => out.push_str(&format!("{low}:{high}")),
        _ => {}
    }
}

static TYPE: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("type of its mobility header"),
    read: |context| {
        headless(context).unwrap_or_else(|| {
            FieldValue::Unknown("the packet does not state the type of its mobility header".into())
        })
    },
};

/// `-m mh`.
pub static MH: Extension = Extension {
    listed: ListingForm::new("mh", &[("?!%", "--mh-type %")]),
    family: Some(Family::Ipv6),
    implied_by: Some(MOBILITY),
    protocols: &[MOBILITY],
    asks_first: Some(&TRANSPORT),
    ..Extension::matching(
        "mh",
        "the type of a mobility header",
        &[Opt::tests("--mh-type", Kind::Own(&RANGE), &TYPE).unprinted(255)],
    )
};
