//! `-m length` (xt_length.c): the length of the whole IP packet in bytes, including the chunks of
//! SCTP.

use super::{Extension, Kind, Opt};
use crate::netfilter::condition::{Context, Field, Phrase, Subject};
use crate::netfilter::ruleset::Value;
use crate::packet::value::FieldValue;
use crate::packet::{Family, Packet, Protocol};

const UNKNOWN: &str = "the packet does not state how long its headers are";

/// For ESP, the index and the sequence number count as the header.
const ESP: Protocol = Protocol(50);

/// The length of all headers. IP options are not simulated.
fn headers(context: &Context) -> Option<u32> {
    let packet = context.packet;
    let later = packet.is_later_fragment();
    let transport = if later { 0 } else { transport(context)? };
    Some(network(packet)? + transport)
}

/// The length of the IP header with its extensions. Only the fragment header has a fixed length.
fn network(packet: &Packet) -> Option<u32> {
    if packet.family() == Family::Ipv4 {
        return Some(20);
    }
    let others = packet
        .ipv6_headers
        .iter()
        .flatten()
        .any(|name| Protocol::from_text(name) != Some(Protocol(44)));
    let fragment = if packet.fragment.is_some() { 8 } else { 0 };
    (!others).then_some(40 + fragment)
}

fn transport(context: &Context) -> Option<u32> {
    Some(match context.packet.protocol {
        Protocol::TCP => 20 + tcp_options(context)?,
        Protocol::UDP | Protocol::UDPLITE | Protocol::ICMP | Protocol::ICMPV6 | ESP => 8,
        // The common header, without the chunks.
        Protocol::SCTP => 12,
        // These headers have no fixed length: DCCP, GRE, AH, IPComp, Mobile IPv6.
        Protocol::DCCP | Protocol(47 | 51 | 108 | 135) => return None,
        // Everything is payload.
        _ => 0,
    })
}

/// The length of TCP's options, padded to a multiple of 4 bytes.
fn tcp_options(context: &Context) -> Option<u32> {
    const MSS: u8 = 2;
    let options = context.packet.tcp_options.as_deref().unwrap_or_default();
    // The option that TCPMSS adds makes the header longer. TCPOPTSTRIP does not change the length.
    let stated = context.view.mss.is_some() || context.packet.mss.is_some();
    let unlisted = stated && !options.contains(&MSS);
    let lengths = options.iter().map(|option| match option {
        0 | 1 => Some(1),
        2 => Some(4),
        3 => Some(3),
        4 => Some(2),
        8 => Some(10),
        _ => None,
    });
    let sum = lengths.sum::<Option<u32>>()? + if unlisted { 4 } else { 0 };
    Some(sum.next_multiple_of(4))
}

static LENGTH_FIELD: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("length"),
    read: |context| match headers(context) {
        Some(headers) if has_chunks(context.packet) => with_chunks(context, headers),
        Some(headers) => FieldValue::Number(headers.saturating_add(context.packet.payload_length)),
        None => FieldValue::Unknown(UNKNOWN.into()),
    },
};

/// Whether the packet's length includes chunks of SCTP. A packet states the names of its chunks but
/// not their lengths.
fn has_chunks(packet: &Packet) -> bool {
    packet.protocol == Protocol::SCTP
        && !packet.is_later_fragment()
        && packet
            .sctp_chunks
            .as_ref()
            .is_none_or(|chunks| !chunks.is_empty())
}

/// The shortest chunk of each kind, header included (RFC 9260, RFC 3758, RFC 5061).
fn shortest(name: &str) -> u32 {
    match name.to_ascii_uppercase().as_str() {
        "DATA" | "SACK" => 16,
        "INIT" | "INIT_ACK" => 20,
        "SHUTDOWN" | "ECN_ECNE" | "ECN_CWR" | "ASCONF" | "ASCONF_ACK" | "FORWARD_TSN" => 8,
        _ => 4,
    }
}

/// The length as a range. It is at least the headers with the payload, and at least the headers
/// with the shortest chunks.
fn with_chunks(context: &Context, headers: u32) -> FieldValue<'static> {
    let names = context.packet.sctp_chunks.iter().flatten();
    let chunks: u32 = names.map(|name| shortest(name)).sum::<u32>().max(4);
    let least = headers.saturating_add(context.packet.payload_length.max(chunks));
    let longest = u32::from(u16::MAX);
    match context.wanted {
        Value::Range(low, high) if *low <= least && *high >= longest => {
            FieldValue::Holds(true, format!("at least {least}"))
        }
        Value::Range(_, high) if *high < least => {
            FieldValue::Holds(false, format!("at least {least}"))
        }
        _ => {
            FieldValue::Unknown("the packet does not state how long its chunks of SCTP are".into())
        }
    }
}

/// `-m length`.
pub static LENGTH: Extension = Extension::matching(
    "length",
    "the length of the whole packet",
    &[Opt::tests("--length", Kind::NumberRange(65535), &LENGTH_FIELD).required()],
)
.listed("", &[("length !%", "--length %")]);
