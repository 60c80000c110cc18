//! `-m rt` (ip6t_rt.c): the routing header of IPv6.

use std::net::Ipv6Addr;

use super::ipv6header::{has_header, unstated};
use super::kind::ValueForm;
use super::kind::read::problem;
use super::{Extension, Given, Kind, ListingForm, Opt};
use crate::netfilter::condition::{Field, Phrase, Subject};
use crate::netfilter::ruleset::{Ruleset, Value};
use crate::packet::Family;
use crate::text::address::write_ipv6;
use crate::text::diagnostic::{Code, Problem};

/// At most 16 addresses.
static ADDRESSES: ValueForm = ValueForm {
    words: 1,
    read: parse_addresses,
    write,
    examples: &["2001:db8::1,2001:db8::2", "::1"],
};

fn parse_addresses(words: &[&str], ruleset: &mut Ruleset) -> Result<Value, Problem> {
    let list: Option<Vec<Ipv6Addr>> = words[0].split(',').map(|word| word.parse().ok()).collect();
    match list.filter(|list| list.len() <= 16) {
        Some(list) => {
            let mut text = String::new();
            for (place, address) in list.into_iter().enumerate() {
                text.push_str(if place == 0 { "" } else { "," });
                // Writing to a string cannot fail.
                let _ = write_ipv6(address, &mut text);
            }
            Ok(Value::Text(ruleset.keep(&text)))
        }
        None => Err(problem(
            "list of addresses",
            words[0],
            "2001:db8::1,2001:db8::2, with at most 16 of them",
        )),
    }
}

fn write(value: &Value, ruleset: &Ruleset, out: &mut String) {
    if let Value::Text(text) = value {
        out.push_str(ruleset.text(*text));
    }
}

/// The routing header, of any type.
pub(super) static PRESENT: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Sentence("it has a routing header", "it has no routing header"),
    read: |context| has_header(context, 43),
};

static TYPE: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("type of its routing header"),
    read: unstated,
};
static LEFT: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("number of segments left"),
    read: unstated,
};
static LENGTH: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("length of its routing header"),
    read: unstated,
};
static RESERVED: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Sentence(
        "the reserved field of its routing header is 0",
        "the reserved field of its routing header is set",
    ),
    read: unstated,
};
static ROUTE: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("list of its hops"),
    read: unstated,
};

/// The options for type 0 require the option that selects type 0 (`rt_parse` in libip6t_rt.c,
/// `rt_mt6_check`).
fn check(given: &Given) -> Result<(), Problem> {
    let mut parts = given.options.parts.iter();
    let zero = parts.any(|part| {
        !part.negated
            && part.value == Value::Number(0)
            && part.opt().is_some_and(|opt| opt.flag == "--rt-type")
    });
    let asks = ["--rt-0-res", "--rt-0-addrs"]
        .into_iter()
        .find(|flag| given.options.has(flag));
    match asks {
        Some(flag) if !zero => Err(Problem::new(
            Code::MissingOption,
            format!("{flag} needs --rt-type 0 before it"),
        )),
        _ => Ok(()),
    }
}

/// `-m rt`.
pub static RT: Extension = Extension {
    listed: ListingForm::new(
        "rt",
        &[
            ("type:!%", "--rt-type %"),
            ("segsleft:!%", "--rt-segsleft %"),
            ("segslefts:!%", "--rt-segsleft %"),
            ("length:!%", "--rt-len %"),
            ("reserved", "--rt-0-res"),
            ("0-addrs %", "--rt-0-addrs %"),
            ("0-not-strict", "--rt-0-not-strict"),
        ],
    ),
    family: Some(Family::Ipv6),
    asks_first: Some(&PRESENT),
    check,
    ..Extension::matching(
        "rt",
        "the routing header of IPv6",
        &[
            Opt::tests("--rt-type", Kind::Number(u32::MAX), &TYPE),
            Opt::tests("--rt-segsleft", Kind::NumberRange(u32::MAX), &LEFT).unprinted(u32::MAX),
            Opt::tests("--rt-len", Kind::Number(u32::MAX), &LENGTH),
            Opt::tests("--rt-0-res", Kind::Flag, &RESERVED)
                .positive()
                .behind("--rt-type"),
            Opt::tests("--rt-0-addrs", Kind::Own(&ADDRESSES), &ROUTE)
                .positive()
                .behind("--rt-type"),
            Opt::new("--rt-0-not-strict", Kind::Flag).behind("--rt-0-addrs"),
        ],
    )
};
