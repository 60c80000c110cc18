//! `-m conntrack` (xt_conntrack.c): the data of connection tracking about the packet's connection.
//!
//! For the connection of a first packet, everything is known except its timeout: the addresses of
//! the packet, and the addresses of its reply as far as nat has set them up. For an older
//! connection, a packet states its state, its direction, and the addresses of that direction.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::kind::host::HOST;
use super::kind::read::{port_range, problem, whole};
use super::kind::{Names, ValueForm};
use super::{Extension, Kind, Opt};
use crate::netfilter::condition::{Context, Field, Parameters, Phrase, Subject};
use crate::netfilter::ruleset::Value;
use crate::packet::fields::{PacketField, SearchWord};
use crate::packet::value::FieldValue;
use crate::packet::{ConnectionState, Direction, Family, Packet, Protocol};

/// The bits after those of the states.
const SNAT: u32 = 32;
const DNAT: u32 = 64;

static STATE: Field = Field {
    subject: Subject::Packet(PacketField::State),
    phrase: Phrase::Noun("connection state"),
    read: |context| {
        let view = context.view;
        let source = if view.source_translated { SNAT } else { 0 };
        let destination = if view.destination_translated { DNAT } else { 0 };
        FieldValue::Bits(view.state_bit() | source | destination)
    },
};

const OLDER: &str = "the packet does not state how its connection began";

/// The data about the connection of a first packet. In table raw, after CT, this is a template.
fn first<'a>(
    context: &Context<'a>,
    template: FieldValue<'a>,
    own: fn(&Context<'a>) -> FieldValue<'a>,
) -> FieldValue<'a> {
    match context.view.state {
        Some(ConnectionState::New) if context.view.tracked => own(context),
        Some(ConnectionState::Related) if is_expected(context.packet) => own(context),
        Some(ConnectionState::New) => template,
        Some(ConnectionState::Established | ConnectionState::Related) => {
            FieldValue::Unknown(OLDER.into())
        }
        // `conntrack_mt`: for a packet without a connection, only the state is compared.
        _ if context.parameters
            == (Parameters::Connection {
                compares_state: true,
            }) =>
        {
            FieldValue::Ignored("the packet belongs to no connection: only its state counts")
        }
        _ => FieldValue::Never("the packet belongs to no connection"),
    }
}

/// Whether a RELATED packet is the first of an expected connection. An ICMP error belongs to the
/// connection that it reports.
fn is_expected(packet: &Packet) -> bool {
    !matches!(packet.protocol, Protocol::ICMP | Protocol::ICMPV6)
}

/// The address at one end of a connection, in one direction. An ESTABLISHED packet of that
/// direction has it at its first hook.
fn end_in<'a>(
    context: &Context<'a>,
    direction: Direction,
    template: FieldValue<'a>,
    of_first: fn(&Context<'a>) -> FieldValue<'a>,
    of_packet: fn(&Context<'a>) -> FieldValue<'a>,
) -> FieldValue<'a> {
    let is_later = context.view.state == Some(ConnectionState::Established);
    match is_later && context.packet.direction_in_connection() == direction {
        true => of_packet(context),
        false => first(context, template, of_first),
    }
}

fn source<'a>(context: &Context<'a>) -> FieldValue<'a> {
    FieldValue::Address(context.packet.src.unwrap_or(context.view.src))
}

fn destination<'a>(context: &Context<'a>) -> FieldValue<'a> {
    FieldValue::Address(context.packet.dst)
}

/// The address of a template's tuple.
fn zero(context: &Context) -> FieldValue<'static> {
    FieldValue::Address(match context.packet.family() {
        Family::Ipv4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        Family::Ipv6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    })
}

static PROTOCOL_NUMBER: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("number of the connection's protocol"),
    read: |context| {
        let own = |context: &Context| FieldValue::Number(context.packet.protocol.0.into());
        match context.view.state {
            Some(ConnectionState::Established) => own(context),
            _ => first(context, FieldValue::Number(0), own),
        }
    },
};

static FIRST_SOURCE: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("connection's first source"),
    read: |context| end_in(context, Direction::Original, zero(context), source, source),
};

static FIRST_DESTINATION: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("connection's first destination"),
    read: |context| {
        end_in(
            context,
            Direction::Original,
            zero(context),
            destination,
            destination,
        )
    },
};

static REPLY_SOURCE: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("source of the connection's replies"),
    read: |context| {
        end_in(
            context,
            Direction::Reply,
            zero(context),
            |context: &Context| match context.view.destination_translated {
                true => FieldValue::Address(context.view.dst),
                false => FieldValue::Address(context.packet.dst),
            },
            source,
        )
    },
};

static REPLY_DESTINATION: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("destination of the connection's replies"),
    read: |context| {
        let of_first = |context: &Context| match context.view.source_translated {
            true => FieldValue::Address(context.view.src),
            false => FieldValue::Address(context.packet.src.unwrap_or(context.view.src)),
        };
        end_in(
            context,
            Direction::Reply,
            zero(context),
            of_first,
            destination,
        )
    },
};

/// A port of the connection. For ICMP, the identifier replaces the source port, and type and code
/// replace the destination port.
fn port<'a>(context: &Context, port: Option<u16>, message: Option<u32>) -> FieldValue<'a> {
    /// GRE uses keys instead of ports.
    const GRE: Protocol = Protocol(47);
    match (context.packet.protocol, message) {
        (Protocol::ICMP | Protocol::ICMPV6, Some(message)) => FieldValue::Number(message),
        (Protocol::ICMP | Protocol::ICMPV6, None) => FieldValue::Unknown(
            "the packet does not state the identifier that its protocol has instead of ports"
                .into(),
        ),
        (GRE | Protocol::DCCP, _) => {
            FieldValue::Unknown("the ports of such a connection are not simulated".into())
        }
        (protocol, _) if protocol.has_ports() => match port {
            Some(port) => FieldValue::Number(port.into()),
            None => FieldValue::Unknown("the packet states no port".into()),
        },
        _ => FieldValue::Number(0),
    }
}

/// The type and code of the ICMP message that begins a connection, or, with `reply`, of its answer
/// (nf_conntrack_proto_icmp.c and _icmpv6.c, `invmap`).
fn message(context: &Context, reply: bool) -> u32 {
    let default = if context.packet.protocol == Protocol::ICMPV6 {
        128
    } else {
        8
    };
    let kind = context.packet.icmp_type.unwrap_or(default);
    let kind = match kind {
        8 if reply => 0,
        13 | 15 | 17 | 128 | 139 if reply => kind + 1,
        _ => kind,
    };
    u32::from(kind) << 8 | u32::from(context.packet.icmp_code.unwrap_or(0))
}

static FIRST_SOURCE_PORT: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("connection's first source port"),
    read: |context| {
        end_in(
            context,
            Direction::Original,
            FieldValue::Number(0),
            source_port,
            source_port,
        )
    },
};

static FIRST_DESTINATION_PORT: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("connection's first destination port"),
    read: |context| {
        end_in(
            context,
            Direction::Original,
            FieldValue::Number(0),
            destination_port,
            destination_port,
        )
    },
};

fn source_port<'a>(context: &Context<'a>) -> FieldValue<'a> {
    port(context, context.packet.sport, None)
}

fn destination_port<'a>(context: &Context<'a>) -> FieldValue<'a> {
    port(context, context.packet.dport, Some(message(context, false)))
}

static REPLY_SOURCE_PORT: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("source port of the connection's replies"),
    read: |context| {
        end_in(
            context,
            Direction::Reply,
            FieldValue::Number(0),
            |context: &Context| match context.view.destination_translated {
                true => port(context, context.view.dport, None),
                false => port(context, context.packet.dport, None),
            },
            source_port,
        )
    },
};

static REPLY_DESTINATION_PORT: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("destination port of the connection's replies"),
    read: |context| {
        let of_first = |context: &Context| match context.view.source_translated {
            true => port(context, context.view.sport, Some(message(context, true))),
            false => port(context, context.packet.sport, Some(message(context, true))),
        };
        end_in(
            context,
            Direction::Reply,
            FieldValue::Number(0),
            of_first,
            destination_port,
        )
    },
};

/// The bits of `enum ip_conntrack_status` that rules can test.
const STATUSES: Names = &[
    ("NONE", 0),
    ("EXPECTED", EXPECTED),
    ("SEEN_REPLY", SEEN_REPLY),
    ("ASSURED", 4),
    ("CONFIRMED", CONFIRMED),
];
const EXPECTED: u32 = 1;
const SEEN_REPLY: u32 = 2;
const CONFIRMED: u32 = 8;

/// A connection is confirmed after the last table of POSTROUTING or INPUT. Therefore only a packet
/// that returns through `lo` sees a confirmed connection, or the second one of a broadcast and its
/// copy (measured).
static STATUS: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("connection's status"),
    read: |context| {
        let seen = FieldValue::Bits(SEEN_REPLY | CONFIRMED);
        let wanted = match context.wanted {
            Value::Bits(bits) => *bits,
            _ => 0,
        };
        match context.view.state {
            Some(ConnectionState::Established) if wanted & (SEEN_REPLY | CONFIRMED) != 0 => seen,
            _ if wanted == 0 => first(context, FieldValue::Bits(0), |_| FieldValue::Bits(0)),
            _ => first(context, FieldValue::Bits(CONFIRMED), |context| {
                let expected = context.view.state == Some(ConnectionState::Related);
                FieldValue::Bits(
                    if context.view.confirmed { CONFIRMED } else { 0 }
                        | if expected { EXPECTED } else { 0 },
                )
            }),
        }
    },
};

static EXPIRES: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("seconds until the connection expires"),
    read: |context| {
        let timed = || {
            FieldValue::Unknown("it depends on how long ago the connection was last used".into())
        };
        first(context, timed(), |_| {
            FieldValue::Unknown("it depends on the connection's timeout".into())
        })
    },
};

static DIRECTION_OF_PACKET: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("direction of the packet in its connection"),
    read: |context| match (context.view.state, context.packet.direction_in_connection()) {
        (Some(ConnectionState::Established), Direction::Reply) => FieldValue::Name("REPLY"),
        (Some(ConnectionState::Established), Direction::Original) => FieldValue::Name("ORIGINAL"),
        _ => first(context, FieldValue::Name("ORIGINAL"), |_| {
            FieldValue::Name("ORIGINAL")
        }),
    },
};

/// Ports. A reversed range contains none. An upper end of 0 means none (libxt_conntrack.c of
/// iptables 1.8.9).
static PORTS: ValueForm = ValueForm {
    words: 1,
    read: |words, _| match whole(port_range, words[0]) {
        Some((low, 0)) => Ok(Value::Range(low, low)),
        Some((low, high)) => Ok(Value::Range(low, high)),
        None => Err(problem("port", words[0], "443 or 8000:8080")),
    },
    write: SECONDS.write,
    examples: &["443", "1024:65535", ":1023", "0:65535"],
};

/// Seconds, or a range of seconds. The range may be reversed.
static SECONDS: ValueForm = ValueForm {
    words: 1,
    read: |words, _| {
        let wrong = || problem("number of seconds", words[0], "60 or 60:120");
        let or = |text: &str, default| {
            if text.is_empty() {
                Ok(default)
            } else {
                crate::text::number::parse_u32(text).ok_or_else(wrong)
            }
        };
        match words[0].split_once(':') {
            Some((low, high)) => Ok(Value::Range(or(low, 0)?, or(high, u32::MAX)?)),
            None => crate::text::number::parse_u32(words[0])
                .map(|one| Value::Range(one, one))
                .ok_or_else(wrong),
        }
    },
    write: |value, _, out| match value {
        Value::Range(low, high) if low == high => out.push_str(&low.to_string()),
        Value::Range(low, high) => out.extend([&low.to_string(), ":", &high.to_string()]),
        _ => {}
    },
    examples: &["60", "60:120", "60:"],
};

/// A protocol, printed as a number.
pub(super) static PROTOCOL: ValueForm = ValueForm {
    words: 1,
    read: |words, _| match words[0] {
        all if all.eq_ignore_ascii_case("all") => Ok(Value::Number(0)),
        text => Protocol::from_text(text)
            .map(|protocol| Value::Number(protocol.0.into()))
            .ok_or_else(|| problem("protocol", text, "tcp, or a number from 0 to 255")),
    },
    write: |value, _, out| {
        if let Value::Number(number) = value {
            out.push_str(&number.to_string());
        }
    },
    examples: &["tcp", "17"],
};

/// The direction in a connection, in upper or lower case.
pub(super) static DIRECTION: ValueForm = ValueForm {
    words: 1,
    read: |words, ruleset| {
        let known = ["ORIGINAL", "REPLY"]
            .into_iter()
            .find(|name| name.eq_ignore_ascii_case(words[0]));
        known
            .map(|name| Value::Text(ruleset.keep(name)))
            .ok_or_else(|| problem("direction", words[0], "ORIGINAL or REPLY"))
    },
    write: |value, ruleset, out| {
        if let Value::Text(name) = value {
            out.push_str(ruleset.text(*name));
        }
    },
    examples: &["ORIGINAL", "reply"],
};

/// `-m conntrack`.
pub static CONNTRACK: Extension = Extension {
    tracks: true,
    parameters: Some(|options| Parameters::Connection {
        compares_state: options.has("--ctstate"),
    }),
    ..Extension::matching(
        "conntrack",
        "the data of connection tracking about the packet's connection",
        &[
            Opt::tests(
                "--ctstate",
                Kind::Bits(&[
                    ("INVALID", ConnectionState::Invalid.bit()),
                    ("NEW", ConnectionState::New.bit()),
                    ("RELATED", ConnectionState::Related.bit()),
                    ("ESTABLISHED", ConnectionState::Established.bit()),
                    ("UNTRACKED", ConnectionState::Untracked.bit()),
                    ("SNAT", SNAT),
                    ("DNAT", DNAT),
                ]),
                &STATE,
            )
            .alone(),
            Opt::tests("--ctproto", Kind::Own(&PROTOCOL), &PROTOCOL_NUMBER),
            Opt::tests("--ctorigsrc", Kind::Own(&HOST), &FIRST_SOURCE),
            Opt::tests("--ctorigdst", Kind::Own(&HOST), &FIRST_DESTINATION),
            Opt::tests("--ctreplsrc", Kind::Own(&HOST), &REPLY_SOURCE),
            Opt::tests("--ctrepldst", Kind::Own(&HOST), &REPLY_DESTINATION),
            Opt::tests("--ctorigsrcport", Kind::Own(&PORTS), &FIRST_SOURCE_PORT)
                .found_by(SearchWord::Port),
            Opt::tests(
                "--ctorigdstport",
                Kind::Own(&PORTS),
                &FIRST_DESTINATION_PORT,
            )
            .found_by(SearchWord::Port),
            Opt::tests("--ctreplsrcport", Kind::Own(&PORTS), &REPLY_SOURCE_PORT)
                .found_by(SearchWord::Port),
            Opt::tests(
                "--ctrepldstport",
                Kind::Own(&PORTS),
                &REPLY_DESTINATION_PORT,
            )
            .found_by(SearchWord::Port),
            Opt::tests("--ctstatus", Kind::Bits(STATUSES), &STATUS),
            Opt::tests("--ctexpire", Kind::Own(&SECONDS), &EXPIRES),
            Opt {
                negatable: false,
                ..Opt::tests("--ctdir", Kind::Own(&DIRECTION), &DIRECTION_OF_PACKET)
            },
        ],
    )
    .asking()
};
