//! `-m ipv6header` (ip6t_ipv6header.c): the extension headers of an IPv6 packet. This file also
//! holds the parts that the matches on single headers share.

use super::kind::ValueForm;
use super::{Extension, Kind, ListingForm, Opt};
use crate::netfilter::condition::{Context, Field, Parameters, Phrase, Subject};
use crate::netfilter::ruleset::{Ruleset, Value};
use crate::packet::fields::PacketField;
use crate::packet::value::FieldValue;
use crate::packet::{Family, Packet};
use crate::text::diagnostic::{Code, Problem};
use crate::text::names;

/// Names as `iptables-save` prints them, protocol numbers, and bits (`MASK_*` in
/// ip6t_ipv6header.h).
const HEADERS: [(&str, u8, u32); 8] = [
    ("hop-by-hop", 0, 128),
    ("ipv6-opts", 60, 64),
    ("ipv6-route", 43, 32),
    ("ipv6-frag", FRAGMENT, 16),
    ("ah", 51, 8),
    ("esp", 50, 4),
    ("ipv6-nonxt", 59, 2),
    ("protocol", names::NOT_A_HEADER, 1),
];

const FRAGMENT: u8 = 44;
const ESP: u8 = 50;
const NOTHING: u8 = 59;

/// The numbers of all headers before the payload, if the packet states them.
fn headers(packet: &Packet) -> Option<Vec<u8>> {
    let mut headers: Vec<u8> = packet
        .ipv6_headers
        .as_ref()?
        .iter()
        .filter_map(|name| names::ipv6_header(name))
        .collect();
    headers.push(packet.protocol.0);
    headers.extend(packet.fragment.map(|_| FRAGMENT));
    Some(headers)
}

/// Whether a packet has a header, as 0 or 1. A packet that is not a fragment has no fragment
/// header.
pub(super) fn has_header(context: &Context, number: u8) -> FieldValue<'static> {
    let packet = context.packet;
    let known = packet.protocol.0 == number || number == FRAGMENT && packet.fragment.is_some();
    match headers(packet) {
        _ if known => FieldValue::Number(1),
        Some(headers) => FieldValue::Number(headers.contains(&number).into()),
        None if number == FRAGMENT => FieldValue::Number(0),
        None => FieldValue::Unknown("the packet does not state its IPv6 extension headers".into()),
    }
}

/// The reason why the contents of a header are undetermined.
pub(super) fn unstated<'a>(_: &Context<'a>) -> FieldValue<'a> {
    FieldValue::Unknown("the packet does not state what that IPv6 header holds".into())
}

static LIST: ValueForm = ValueForm {
    words: 1,
    read: parse_headers,
    write,
    examples: &[
        "hop-by-hop,frag",
        "dst",
        "60,43,44",
        "auth,esp",
        "none",
        "prot",
    ],
};

/// Empty items are skipped, as `strtok` does.
fn parse_headers(words: &[&str], _: &mut Ruleset) -> Result<Value, Problem> {
    let mut bits = 0;
    for word in words[0].split(',').filter(|word| !word.is_empty()) {
        let number = names::ipv6_header_of_iptables(word);
        let header =
            number.and_then(|number| HEADERS.iter().find(|(_, known, _)| *known == number));
        bits |= header.map(|(_, _, bit)| *bit).ok_or_else(|| {
            Problem::new(Code::InvalidValue, format!("invalid IPv6 header `{word}`"))
                .hint("use hop, dst, route, frag, auth, esp, none or prot, separated by commas")
        })?;
    }
    if bits == 0 {
        return Err(Problem::new(Code::InvalidValue, "--header names no header")
            .hint("such as --header dst,frag"));
    }
    Ok(Value::Number(bits))
}

fn write(value: &Value, _: &Ruleset, out: &mut String) {
    let Value::Number(bits) = value else { return };
    for (place, (name, ..)) in HEADERS
        .iter()
        .filter(|(_, _, bit)| bits & bit != 0)
        .enumerate()
    {
        out.push_str(if place == 0 { "" } else { "," });
        out.push_str(name);
    }
}

/// The set of headers as bits. The payload is one of them (`ipv6header_mt6`). Headers after ESP do
/// not count.
fn found(packet: &Packet) -> Option<u32> {
    let headers = headers(packet)?;
    let bits = headers
        .iter()
        .filter_map(|number| HEADERS.iter().find(|(_, known, _)| known == number));
    let bits = bits.fold(0, |all, (_, _, bit)| all | bit);
    let payload = if headers.contains(&ESP) || headers.contains(&NOTHING) {
        0
    } else {
        1
    };
    Some(bits | payload)
}

/// With `--soft`, the condition holds if the packet has all of the headers, or, with `!`, none of
/// them.
static SET: Field = Field {
    subject: Subject::Packet(PacketField::Ipv6Headers),
    phrase: Phrase::Noun("list of IPv6 headers"),
    read: |context| {
        let Some(found) = found(context.packet) else {
            return unstated_list();
        };
        let &Value::Number(wanted) = context.wanted else {
            return unstated_list();
        };
        let soft = context.parameters == Parameters::Ipv6Headers { soft: true };
        let holds = match (soft, context.negated) {
            (false, _) => found == wanted,
            (true, false) => found & wanted == wanted,
            (true, true) => found & wanted != 0,
        };
        let mut shown = String::new();
        write(&Value::Number(found), context.ruleset, &mut shown);
        FieldValue::Holds(holds, shown)
    },
};

fn unstated_list() -> FieldValue<'static> {
    FieldValue::Unknown("the packet does not state its IPv6 extension headers".into())
}

/// `iptables -L` prints the set of headers as a number.
fn names_of(_: &str, value: &str) -> Option<String> {
    let bits = u32::from_str_radix(value.strip_prefix("0x")?, 16).ok()?;
    let named: Vec<&str> = HEADERS
        .iter()
        .filter(|(_, _, bit)| bits & bit != 0)
        .map(|(name, ..)| *name)
        .collect();
    Some(named.join(","))
}

/// `-m ipv6header`.
pub static IPV6HEADER: Extension = Extension {
    listed: ListingForm::new("ipv6header", &[("flags:!%", "--header %")]).values(names_of),
    family: Some(Family::Ipv6),
    parameters: Some(|options| Parameters::Ipv6Headers {
        soft: options.has("--soft"),
    }),
    ..Extension::matching(
        "ipv6header",
        "the extension headers of an IPv6 packet",
        &[
            Opt::tests("--header", Kind::Own(&LIST), &SET).required(),
            Opt::new("--soft", Kind::Flag),
        ],
    )
};
