//! `-m ah` (ipt_ah.c, ip6t_ah.c): the authentication header of IPsec. In IPv6 it is one of several
//! extension headers, and the match does not need `-p`.

use super::ipv6header::has_header;
use super::spi::SPI;
use super::transport::{TRANSPORT, headless};
use super::{Extension, Kind, ListingForm, Opt};
use crate::netfilter::condition::{Context, Field, Phrase, Subject};
use crate::netfilter::ruleset::Value;
use crate::packet::value::FieldValue;
use crate::packet::{Family, Protocol};

const AH: Protocol = Protocol(51);

/// `-m ah` of iptables.
pub static AH4: Extension = Extension {
    listed: ListingForm::new("ah", &[("spi:!%", "--ahspi %"), ("spis:!%", "--ahspi %")]),
    family: Some(Family::Ipv4),
    implied_by: Some(AH),
    protocols: &[AH],
    asks_first: Some(&TRANSPORT),
    ..Extension::matching(
        "ah",
        "the SPI of an authentication header",
        &[Opt::tests("--ahspi", Kind::NumberRange(u32::MAX), &SPI).unprinted(u32::MAX)],
    )
};

/// A later fragment has only the headers before its fragment header (`ipv6_find_hdr` in
/// exthdrs_core.c).
static PRESENT: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Sentence(
        "it has an authentication header",
        "it has no authentication header",
    ),
    read: |context| headless(context).unwrap_or_else(|| has_header(context, AH.0)),
};

/// The kernel treats a length of 0 as any length.
static LENGTH: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("length of the authentication header"),
    read: |context| match context.wanted {
        Value::Number(0) => FieldValue::Holds(!context.negated, "of any size".into()),
        _ => unstated(context),
    },
};

static RESERVED: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Sentence(
        "the reserved bits of its authentication header are 0",
        "a reserved bit of its authentication header is set",
    ),
    read: unstated,
};

fn unstated<'a>(_: &Context<'a>) -> FieldValue<'a> {
    FieldValue::Unknown(
        "the packet does not state what else its authentication header holds".into(),
    )
}

/// `-m ah` of ip6tables.
pub static AH6: Extension = Extension {
    listed: ListingForm::new(
        "ah",
        &[
            ("spi:!%", "--ahspi %"),
            ("spis:!%", "--ahspi %"),
            ("length:!%", "--ahlen %"),
            ("reserved", "--ahres"),
        ],
    ),
    family: Some(Family::Ipv6),
    implied_by: Some(AH),
    asks_first: Some(&PRESENT),
    ..Extension::matching(
        "ah",
        "an authentication header and its SPI",
        &[
            Opt::tests("--ahspi", Kind::NumberRange(u32::MAX), &SPI).unprinted(u32::MAX),
            Opt::tests("--ahlen", Kind::Number(u32::MAX), &LENGTH).unprinted(0),
            Opt::tests("--ahres", Kind::Flag, &RESERVED).positive(),
        ],
    )
};
