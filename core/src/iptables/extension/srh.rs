//! `-m srh` (ip6t_srh.c): the segment routing header, a routing header of type 4.

use std::fmt::Write;

use super::ipv6header::unstated;
use super::kind::ValueForm;
use super::kind::read::network;
use super::rt::PRESENT;
use super::{Extension, Kind, ListingForm, Opt};
use crate::netfilter::condition::{Field, Phrase, Subject};
use crate::netfilter::ruleset::{CompactBox, Ruleset, Value};
use crate::packet::Family;
use crate::packet::value::FieldValue;
use crate::text::address::write_ipv6;
use crate::text::diagnostic::{Code, Problem};

/// The packet does not state whether its routing header has type 4.
static SEGMENTS: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Sentence(
        "it has a segment routing header",
        "it has no segment routing header",
    ),
    read: |context| match (PRESENT.read)(context) {
        FieldValue::Number(1) => unstated(context),
        other => other,
    },
};

/// An address with a mask. `iptables-save` also prints the bits outside of the mask.
static SEGMENT: ValueForm = ValueForm {
    words: 1,
    read: parse_headers,
    write,
    examples: &["2001:db8::1/64", "2001:db8::1", "::/0"],
};

fn parse_headers(words: &[&str], _: &mut Ruleset) -> Result<Value, Problem> {
    let masked = network(words[0])?;
    let address = words[0]
        .split('/')
        .next()
        .and_then(|address| address.parse().ok());
    match (masked, address) {
        (Value::Net6(net), Some(address)) => Ok(Value::Net6(CompactBox::new((address, net.1)))),
        _ => Err(Problem::new(
            Code::InvalidValue,
            format!("invalid IPv6 address `{}`", words[0]),
        )
        .hint("write an address such as 2001:db8::1/64")),
    }
}

fn write(value: &Value, _: &Ruleset, out: &mut String) {
    let Value::Net6(net) = value else { return };
    // Writing to a string cannot fail.
    let _ = write_ipv6(net.0, out);
    let mask = net.1.to_bits();
    // A mask with holes is printed as -1, unsigned.
    let length = if mask.leading_ones() == mask.count_ones() {
        mask.leading_ones()
    } else {
        u32::MAX
    };
    let _ = write!(out, "/{length}");
}

static NEXT: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("header after it"),
    read: unstated,
};
static LENGTH: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("length of that header"),
    read: unstated,
};
static LEFT: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("number of segments left"),
    read: unstated,
};
static LAST: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("last entry"),
    read: unstated,
};
static TAG: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("tag"),
    read: unstated,
};
static PREVIOUS_SID: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("previous segment"),
    read: unstated,
};
static NEXT_SID: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("next segment"),
    read: unstated,
};
static LAST_SID: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("last segment"),
    read: unstated,
};

/// `-m srh`.
pub static SRH: Extension = Extension {
    listed: ListingForm::new(
        "srh",
        &[
            ("next-hdr:!%", "--srh-next-hdr %"),
            ("hdr-len-eq:!%", "--srh-hdr-len-eq %"),
            ("hdr-len-gt:!%", "--srh-hdr-len-gt %"),
            ("hdr-len-lt:!%", "--srh-hdr-len-lt %"),
            ("segs-left-eq:!%", "--srh-segs-left-eq %"),
            ("segs-left-gt:!%", "--srh-segs-left-gt %"),
            ("segs-left-lt:!%", "--srh-segs-left-lt %"),
            ("last-entry-eq:!%", "--srh-last-entry-eq %"),
            ("last-entry-gt:!%", "--srh-last-entry-gt %"),
            ("last-entry-lt:!%", "--srh-last-entry-lt %"),
            ("tag:!%", "--srh-tag %"),
            ("psid !%", "--srh-psid %"),
            ("nsid !%", "--srh-nsid %"),
            ("lsid !%", "--srh-lsid %"),
        ],
    ),
    family: Some(Family::Ipv6),
    asks_first: Some(&SEGMENTS),
    ..Extension::matching(
        "srh",
        "the segment routing header of IPv6",
        &[
            Opt::tests("--srh-next-hdr", Kind::Number(255), &NEXT),
            Opt::tests("--srh-hdr-len-eq", Kind::Number(255), &LENGTH),
            Opt::tests("--srh-hdr-len-gt", Kind::Above(255), &LENGTH),
            Opt::tests("--srh-hdr-len-lt", Kind::Below(255), &LENGTH),
            Opt::tests("--srh-segs-left-eq", Kind::Number(255), &LEFT),
            Opt::tests("--srh-segs-left-gt", Kind::Above(255), &LEFT),
            Opt::tests("--srh-segs-left-lt", Kind::Below(255), &LEFT),
            Opt::tests("--srh-last-entry-eq", Kind::Number(255), &LAST),
            Opt::tests("--srh-last-entry-gt", Kind::Above(255), &LAST),
            Opt::tests("--srh-last-entry-lt", Kind::Below(255), &LAST),
            Opt::tests("--srh-tag", Kind::Number(65535), &TAG),
            Opt::tests("--srh-psid", Kind::Own(&SEGMENT), &PREVIOUS_SID),
            Opt::tests("--srh-nsid", Kind::Own(&SEGMENT), &NEXT_SID),
            Opt::tests("--srh-lsid", Kind::Own(&SEGMENT), &LAST_SID),
        ],
    )
};
