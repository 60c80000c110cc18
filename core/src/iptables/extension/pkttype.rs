//! `-m pkttype` (xt_pkttype.c): the kind of link-layer destination of the packet.

use super::kind::ValueForm;
use super::{Extension, Kind, Opt};
use crate::netfilter::condition::{Context, Field, Phrase, Subject};
use crate::netfilter::ruleset::{Ruleset, Value};
use crate::packet::Origin;
use crate::packet::fields::PacketField;
use crate::packet::value::FieldValue;
use crate::text::diagnostic::{Code, Problem};

/// Names and numbers (`PACKET_*` in if_packet.h). The first name of a number is printed.
const TYPES: [(&str, u32); 7] = [
    ("unicast", 0),
    ("broadcast", 1),
    ("multicast", 2),
    ("otherhost", 3),
    ("host", 0),
    ("bcast", 1),
    ("mcast", 2),
];

const BROADCAST: u32 = 1;
const MULTICAST: u32 = 2;

static TYPE: ValueForm = ValueForm {
    words: 1,
    read: parse_type,
    write: |value, _, out| {
        let Value::Number(number) = value else { return };
        out.push_str(
            TYPES
                .iter()
                .find(|(_, known)| known == number)
                .map_or("", |(name, _)| name),
        );
    },
    examples: &["unicast", "BROADCAST", "mcast", "host", "otherhost"],
};

fn number_of(text: &str) -> Option<u32> {
    TYPES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(text))
        .map(|(_, number)| *number)
}

fn parse_type(words: &[&str], _: &mut Ruleset) -> Result<Value, Problem> {
    number_of(words[0]).map(Value::Number).ok_or_else(|| {
        Problem::new(
            Code::InvalidValue,
            format!("invalid packet type `{}`", words[0]),
        )
        .hint("use unicast, broadcast, multicast or otherhost")
    })
}

/// A packet that a process here sends counts as unicast, for any destination. The returning copy of
/// a multicast or broadcast is classified by its destination (`pkttype_mt`; measured).
fn delivered<'a>(context: &Context<'a>) -> FieldValue<'a> {
    if context.view.copied && context.view.in_interface.is_some() {
        return FieldValue::Number(if context.view.dst.is_multicast() {
            MULTICAST
        } else {
            BROADCAST
        });
    }
    match (
        context.packet.origin,
        context.field(PacketField::PacketType),
    ) {
        (Origin::Local, _) => FieldValue::Number(0),
        (Origin::Inbound, FieldValue::Name(stated)) => match number_of(stated) {
            Some(number) => FieldValue::Number(number),
            None => FieldValue::Unknown("the packet's packet_type is none that exists".into()),
        },
        (Origin::Inbound, unstated) => unstated,
    }
}

static DELIVERED: Field = Field {
    subject: Subject::Packet(PacketField::PacketType),
    phrase: Phrase::Noun("packet type"),
    read: delivered,
};

/// `-m pkttype`.
pub static PKTTYPE: Extension = Extension::matching(
    "pkttype",
    "the link-layer destination of the packet",
    &[Opt::tests("--pkt-type", Kind::Own(&TYPE), &DELIVERED).required()],
)
.listed(
    "",
    &[
        ("PKTTYPE = %", "--pkt-type %"),
        ("PKTTYPE != %", "! --pkt-type %"),
    ],
);
