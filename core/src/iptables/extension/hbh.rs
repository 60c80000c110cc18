//! `-m hbh` and `-m dst` (ip6t_hbh.c): the IPv6 headers with options for every router and for the
//! destination.

use super::ipv6header::{has_header, unstated};
use super::kind::ValueForm;
use super::kind::read::{number_u32, problem, whole};
use super::{Extension, Kind, ListingForm, Opt};
use crate::netfilter::condition::{Field, Phrase, Subject};
use crate::netfilter::ruleset::{CompactBox, Ruleset, Value};
use crate::packet::Family;
use crate::text::diagnostic::{Code, Problem};
use nom::character::complete::char;
use nom::combinator::opt;
use nom::multi::separated_list1;
use nom::sequence::preceded;

/// A list of options, each `TYPE` or `TYPE:LENGTH`. A length of 255 means any length.
static OPTIONS: ValueForm = ValueForm {
    words: 1,
    read: parse_options,
    write,
    examples: &["5:4,1:2", "7", "0x3e,1:255"],
};

/// iptables keeps the low eight bits of each number (`parse_options` in libip6t_hbh.c).
fn parse_options(words: &[&str], _: &mut Ruleset) -> Result<Value, Problem> {
    let one = (number_u32, opt(preceded(char(':'), number_u32)));
    let list = whole(separated_list1(char(','), one), words[0]).filter(|list| list.len() <= 16);
    let Some(list) = list else {
        return Err(problem(
            "list of options",
            words[0],
            "5:4,1:2, with at most 16 of them",
        ));
    };
    Ok(Value::List(CompactBox::new(
        list.into_iter()
            .map(
                |(kind, length): (u32, Option<u32>)| match (kind & 0xff, length) {
                    (0, Some(_)) => Err(Problem::new(
                        Code::RefusedCombination,
                        "option 0 is one byte and has no length",
                    )
                    .hint("remove the `:` and the length")),
                    (kind, length) => Ok((kind, length.unwrap_or(0xff) & 0xff)),
                },
            )
            .collect::<Result<_, _>>()?,
    )))
}

fn write(value: &Value, _: &Ruleset, out: &mut String) {
    let Value::List(list) = value else { return };
    for (place, (kind, length)) in list.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        out.push_str(&match length {
            0xff => format!("{comma}{kind}"),
            _ => format!("{comma}{kind}:{length}"),
        });
    }
}

static HOP_BY_HOP: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Sentence("it has a hop-by-hop header", "it has no hop-by-hop header"),
    read: |context| has_header(context, 0),
};

static DESTINATION: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Sentence(
        "it has a header of destination options",
        "it has no header of destination options",
    ),
    read: |context| has_header(context, 60),
};

static LENGTH: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("length of that header"),
    read: unstated,
};

static CONTENTS: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("list of its options"),
    read: unstated,
};

/// `-m hbh`.
pub static HBH: Extension = Extension {
    listed: ListingForm::new(
        "hbh",
        &[("length:!%", "--hbh-len %"), ("opts %", "--hbh-opts %")],
    ),
    family: Some(Family::Ipv6),
    asks_first: Some(&HOP_BY_HOP),
    ..Extension::matching(
        "hbh",
        "the hop-by-hop header",
        &[
            Opt::tests("--hbh-len", Kind::Number(u32::MAX), &LENGTH),
            Opt::tests("--hbh-opts", Kind::Own(&OPTIONS), &CONTENTS).positive(),
        ],
    )
};

/// `-m dst`.
pub static DST: Extension = Extension {
    listed: ListingForm::new(
        "dst",
        &[("length:!%", "--dst-len %"), ("opts %", "--dst-opts %")],
    ),
    family: Some(Family::Ipv6),
    asks_first: Some(&DESTINATION),
    ..Extension::matching(
        "dst",
        "the header of destination options",
        &[
            Opt::tests("--dst-len", Kind::Number(u32::MAX), &LENGTH),
            Opt::tests("--dst-opts", Kind::Own(&OPTIONS), &CONTENTS).positive(),
        ],
    )
};
