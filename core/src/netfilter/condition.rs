//! A test of one packet field against a set of values, with three answers.
//!
//! Nearly every match of iptables means "this field of the packet is (not) in this set of values".
//! A [`Field`] reads the field and words it in sentences. A [`Value`] is the set.
//! [`Condition`](crate::netfilter::statement::Condition) compares the two.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

use crate::netfilter::ruleset::{Ruleset, Value};
use crate::packet::Packet;
use crate::packet::fields::PacketField;
use crate::packet::host::Host;
use crate::packet::value::FieldValue;
use crate::packet::view::View;

/// Yes, no, or undetermined by the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The condition holds.
    Yes,
    /// The condition fails.
    No,
    /// The match drops the packet. iptables-legacy counts a negated condition as met all the same.
    Drops {
        /// Whether the condition is negated.
        negated: bool,
    },
    /// The input does not determine the answer, for this reason.
    Unknown(Cow<'static, str>),
}

/// The grammar of a sentence about a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phrase {
    /// A noun, as in "uid 1000 is not 1337".
    Noun(&'static str),
    /// A verb and its negation, as in "leaves by eth0, not lo".
    Verb(&'static str, &'static str),
    /// A whole sentence and its negation, for a flag without a value.
    Sentence(&'static str, &'static str),
}

/// The property of a packet that a condition compares with the value of the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// One field of the packet.
    Packet(PacketField),
    /// The source port or the destination port: the condition holds if the set contains one of
    /// them.
    EitherPort,
    /// The interface that routing chose.
    OutInterface,
    /// A fact that only the extension can read, or several fields together.
    Other,
}

impl Subject {
    /// The fields of the packet that it compares.
    pub fn fields(&self) -> &[PacketField] {
        match self {
            Self::Packet(field) => std::slice::from_ref(field),
            Self::EitherPort => &[PacketField::Dport, PacketField::Sport],
            Self::OutInterface | Self::Other => &[],
        }
    }
}

/// A property of a packet, with the function that reads it and the words for sentences.
pub struct Field {
    /// The property.
    pub subject: Subject,
    /// The words for sentences.
    pub phrase: Phrase,
    /// Reads the property.
    pub read: for<'a> fn(&Context<'a>) -> FieldValue<'a>,
}

impl std::fmt::Debug for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.phrase)
    }
}

/// Everything that a condition may read.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The fields that no rule changes.
    pub packet: &'a Packet,
    /// The fields that rules and routing change.
    pub view: &'a View,
    /// The namespace.
    pub host: &'a Host,
    /// The rule set of the rule.
    pub ruleset: &'a Ruleset,
    /// The options of the match that change how its fields are read.
    pub parameters: Parameters,
    /// The value that the field is compared with; [`Value::None`] where it is only read.
    pub wanted: &'a Value,
    /// Whether the field must not have that value.
    pub negated: bool,
}

/// The options of a match that change how its fields are read. The rule language sets them when it
/// lowers a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Parameters {
    /// The match has no such options.
    #[default]
    None,
    /// How a match on the transport header treats a later fragment, which has no such header.
    LaterFragment(LaterFragment),
    /// For a match on the packet's connection.
    Connection {
        /// Whether the match also compares the state. If so, its other conditions hold for a packet
        /// without a connection.
        compares_state: bool,
    },
    /// For a match on a label of the connection.
    ConnectionLabel {
        /// Whether the match sets a label that the connection lacks.
        sets: bool,
    },
    /// For a match on the extension headers of IPv6.
    Ipv6Headers {
        /// Whether the packet may have more headers than those named.
        soft: bool,
    },
    /// For a match on the type of an address.
    AddressType {
        /// The interface whose routes and addresses count; `None` for those of all interfaces.
        interface: Option<InterfaceSide>,
    },
    /// For a match on the process that sent the packet.
    Owner {
        /// Whether the supplementary groups of the process count.
        supplementary_groups: bool,
    },
    /// For a lookup of the route back to the sender.
    ReversePath {
        /// Whether the route may use any interface.
        loose: bool,
        /// Whether the lookup uses the packet's mark.
        uses_mark: bool,
        /// Whether a packet with a source address of this host passes.
        accepts_local: bool,
        /// Whether the match holds if no such route exists.
        inverted: bool,
    },
    /// For a lookup of the socket that receives the packet.
    Socket {
        /// Whether the socket must be transparent.
        transparent: bool,
        /// Whether a socket that is bound to no address counts.
        unbound: bool,
        /// Whether the packet gets the socket's mark.
        restores_mark: bool,
    },
}

/// How a match on the transport header treats a later fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaterFragment {
    /// The match fails, but it drops a fragment that begins within the TCP header.
    DropsOverlap,
    /// The match reads the fragment's payload as if it were the header.
    ReadsPayload,
}

/// One of a packet's interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InterfaceSide {
    /// The interface that the packet arrived on.
    In,
    /// The interface that the packet leaves through.
    Out,
}

impl<'a> Context<'a> {
    /// The value of a packet field.
    pub fn field(&self, field: PacketField) -> FieldValue<'a> {
        field.value(self.packet, self.view)
    }
}

/// Compares a field with a value.
pub(crate) fn test_field(field: &Field, value: &Value, negated: bool, context: &Context) -> Answer {
    let context = &Context {
        wanted: value,
        negated,
        ..*context
    };
    let holds = match (field.read)(context) {
        FieldValue::Absent(_) => false,
        FieldValue::Never(_) => return Answer::No,
        FieldValue::Drops(_) => return Answer::Drops { negated },
        FieldValue::Ignored(_) => return Answer::Yes,
        FieldValue::Unknown(reason) => return Answer::Unknown(reason),
        FieldValue::Span(low, high) => match contains_span(value, (low, high)) {
            Some(holds) => holds,
            None => return Answer::Unknown(picked((low, high)).into()),
        },
        FieldValue::Either(one, other) => {
            match (contains_span(value, one), contains_span(value, other)) {
                (Some(true), _) | (_, Some(true)) => true,
                (Some(false), Some(false)) => false,
                (None, _) => return Answer::Unknown(picked(one).into()),
                (_, None) => return Answer::Unknown(picked(other).into()),
            }
        }
        FieldValue::Holds(holds, _) => holds,
        reading => contains(value, &reading, context.ruleset),
    };
    if holds != negated {
        Answer::Yes
    } else {
        Answer::No
    }
}

fn picked((low, high): (u32, u32)) -> String {
    format!("nat picked a port from {low} to {high} at random")
}

/// Compares a span of numbers with the set that a value describes: `Some` if the set contains all
/// of them or none, `None` if it contains only some.
fn contains_span(value: &Value, (low, high): (u32, u32)) -> Option<bool> {
    let ranges = match value {
        Value::Number(want) => &[(*want, *want)][..],
        Value::Range(low, high) => &[(*low, *high)],
        Value::List(list) => list,
        _ => &[],
    };
    let inside = ranges
        .iter()
        .filter(|range| range.0 <= high && range.1 >= low);
    let mut inside: Vec<(u32, u32)> = inside
        .map(|range| (range.0.max(low), range.1.min(high)))
        .collect();
    inside.sort();
    let mut reached = low;
    for range in &inside {
        if range.0 <= reached {
            reached = reached.max(range.1 + 1);
        }
    }
    match (inside.is_empty(), reached > high) {
        (true, _) => Some(false),
        (_, true) => Some(true),
        _ => None,
    }
}

/// Whether the set that a value describes contains the value of a field.
fn contains(value: &Value, reading: &FieldValue, ruleset: &Ruleset) -> bool {
    match (value, reading) {
        (value, FieldValue::Number(number)) => contains_number(value, *number),
        (Value::Bits(want), FieldValue::Bits(bits)) => want & bits != 0,
        (Value::Net4(address, mask), FieldValue::Address(IpAddr::V4(have))) => {
            is_within(*have, *address, *mask)
        }
        (Value::Net6(net), FieldValue::Address(IpAddr::V6(have))) => {
            (have.to_bits() ^ net.0.to_bits()) & net.1.to_bits() == 0
        }
        (Value::Addresses(span), FieldValue::Address(have)) => (span.0..=span.1).contains(have),
        (Value::Mac(want), FieldValue::Mac(have)) => want == have,
        (Value::Text(text), FieldValue::Name(name)) => is_interface(ruleset.text(*text), name),
        _ => false,
    }
}

/// Whether the set that a value describes contains a number.
#[inline]
pub(crate) fn contains_number(value: &Value, number: u32) -> bool {
    let within = |(low, high): &(u32, u32)| (*low..=*high).contains(&number);
    match value {
        Value::None => number != 0,
        Value::Number(want) => number == *want,
        Value::Range(low, high) => within(&(*low, *high)),
        Value::Masked { value, mask } => number & mask == *value,
        Value::List(list) => list.iter().any(within),
        _ => false,
    }
}

/// Whether a network contains an address. The mask may have holes.
#[inline]
pub(crate) fn is_within(address: Ipv4Addr, network: Ipv4Addr, mask: Ipv4Addr) -> bool {
    let [address, network, mask] =
        [address, network, mask].map(|bytes| u32::from_ne_bytes(bytes.octets()));
    (address ^ network) & mask == 0
}

/// Compares an interface name with a pattern. A `+` at the end of the pattern matches any ending
/// (`eth+`).
pub(crate) fn is_interface(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('+') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netfilter::ruleset::CompactBox;

    #[test]
    fn a_port_of_a_span_is_in_a_set_surely_or_not_or_nobody_knows() {
        let list = |ranges: &[(u32, u32)]| Value::List(CompactBox::new(ranges.to_vec()));
        assert_eq!(contains_span(&Value::Range(1, 9), (2, 9)), Some(true));
        assert_eq!(contains_span(&Value::Range(1, 9), (10, 12)), Some(false));
        assert_eq!(contains_span(&Value::Number(10), (10, 12)), None);
        assert_eq!(
            contains_span(&list(&[(20, 30), (11, 15), (5, 10)]), (6, 14)),
            Some(true)
        );
        assert_eq!(contains_span(&list(&[(5, 8), (10, 15)]), (6, 14)), None);
    }
}
