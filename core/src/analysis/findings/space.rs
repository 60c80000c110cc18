//! Sets of packets: for some fields, the possible values. A set is exact wherever a finding depends
//! on "all of these packets".

use std::net::IpAddr;

use crate::netfilter::condition::Subject;
use crate::netfilter::ruleset::{Clause, Ruleset, Value};
use crate::packet::Family;
use crate::packet::fields::{PacketField, Region};

/// Ranges of values in order. Both ends are included.
pub(super) type Values = Vec<(u128, u128)>;

/// A dimension that restricts a set of packets: the numbers of a subject, or whether a condition
/// holds whose value is not a set of numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dimension {
    subject: Subject,
    /// The value of the condition. Equal values mean equal conditions.
    condition: Option<String>,
}

impl Dimension {
    /// The numbers of a packet field.
    pub(super) const fn of_field(field: PacketField) -> Self {
        Self {
            subject: Subject::Packet(field),
            condition: None,
        }
    }

    /// Whether a packet leaves through this interface.
    pub(super) fn leaves_by(name: &str) -> Self {
        Self {
            subject: Subject::OutInterface,
            condition: Some(name.to_owned()),
        }
    }

    /// Whether a rule may change it and let the packet continue in the same table.
    fn is_rewritten(&self) -> bool {
        region(self.subject).is_some_and(|region| region.rewritten)
    }
}

/// How sets are compared in a subject; `None` if they are not.
fn region(subject: Subject) -> Option<Region> {
    match subject {
        Subject::Packet(field) => field.row().region,
        Subject::OutInterface => Some(Region::STEADY),
        Subject::EitherPort | Subject::Other => None,
    }
}

/// A set of packets: the values of some dimensions. Any other dimension is unrestricted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Space(Vec<(Dimension, Values)>);

/// All values of a field: numbers, addresses, and one more value for an absent field.
const ALL: (u128, u128) = (0, u128::MAX);
/// A condition that is not a set of numbers is true (1) or false (0).
const TRUE: (u128, u128) = (1, 1);

impl Space {
    /// All packets of a family, restricted by the bounds of their fields.
    pub(super) fn all(family: Family) -> Self {
        Self(
            PacketField::all()
                .filter_map(|field: PacketField| {
                    let bits = field
                        .row()
                        .kind
                        .bits(family)
                        .filter(|_| field.row().region.is_some_and(|region| region.bounded))?;
                    Some((
                        Dimension::of_field(field),
                        vec![(0, u128::MAX >> (u128::BITS - bits))],
                    ))
                })
                .collect(),
        )
    }

    /// The packets that meet the conditions of a match; `None` if the set cannot be exact.
    pub(super) fn of_group(ruleset: &Ruleset, group: &[Clause]) -> Option<Self> {
        let mut space = Self::default();
        let port = |part: &&Clause| {
            part.negated
                && matches!(
                    part.subject(),
                    Some(Subject::Packet(PacketField::Sport | PacketField::Dport))
                )
        };
        if group.iter().filter(port).count() > 1 {
            // iptables-nft 1.8.8 to 1.8.10 loads "neither port" as "not both".
            return None;
        }
        for part in group {
            let Some(opt) = part.opt() else {
                // A match without options and without unknown parts requires only its protocol:
                // `-m tcp`.
                match ["tcp", "udp", "comment"].contains(&part.extension().name) {
                    true => continue,
                    false => return None,
                }
            };
            let Some(field) = opt.field else {
                match part.extension().name {
                    "comment" => continue,
                    // The option changes how other options are read.
                    _ => return None,
                }
            };
            let subject = field.subject;
            let region = region(subject)?;
            let (condition, values) = match numbers(subject, &part.value) {
                Some(values) => (None, values),
                None => (Some(atom(&part.value, ruleset)?), vec![TRUE]),
            };
            let values = if part.negated {
                complement(&values)
            } else {
                values
            };
            if region.transport {
                space.meet(Dimension::of_field(PacketField::Fragment), vec![(0, 0)]);
            }
            space.meet(Dimension { subject, condition }, values);
        }
        Some(space)
    }

    /// The values of a dimension, if it is restricted.
    pub(super) fn get(&self, key: &Dimension) -> Option<&Values> {
        self.0
            .iter()
            .find(|(own, _)| own == key)
            .map(|(_, values)| values)
    }

    fn set(&mut self, key: Dimension, values: Values) {
        match self.0.iter_mut().find(|(own, _)| *own == key) {
            Some((_, own)) => *own = values,
            None => self.0.push((key, values)),
        }
    }

    /// Whether the set contains all packets.
    pub(super) fn asks_nothing(&self) -> bool {
        self.0.is_empty()
    }

    /// Restricts one dimension.
    pub(super) fn meet(&mut self, key: Dimension, values: Values) {
        match self.0.iter_mut().find(|(own, _)| *own == key) {
            Some((_, own)) => *own = intersection(own, &values),
            None => self.0.push((key, values)),
        }
    }

    /// The intersection of two sets.
    pub(super) fn and(&self, other: &Self) -> Self {
        let mut both = self.clone();
        for (key, values) in &other.0 {
            both.meet(key.clone(), values.clone());
        }
        both
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().any(|(_, values)| values.is_empty())
    }

    /// Whether it restricts only fields that no rule changes.
    pub(super) fn is_steady(&self) -> bool {
        !self.0.iter().any(|(key, _)| key.is_rewritten())
    }

    /// Whether the intersection with another set is empty.
    pub(super) fn is_apart(&self, other: &Self) -> bool {
        other
            .0
            .iter()
            .any(|(key, values)| self.get(key).is_some_and(|own| !overlap(own, values)))
    }

    /// Whether the other set contains all its packets.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        let mut left = Vec::new();
        self.clone().without(other, &mut left);
        left.is_empty()
    }

    /// The packets that the other set does not contain, in pieces.
    pub(super) fn without(mut self, other: &Self, pieces: &mut Vec<Self>) {
        if self.is_apart(other) {
            pieces.push(self);
            return;
        }
        for (key, values) in &other.0 {
            let own = self.get(key).cloned().unwrap_or_else(|| vec![ALL]);
            let outside = intersection(&own, &complement(values));
            if !outside.is_empty() {
                let mut piece = self.clone();
                piece.set(key.clone(), outside);
                pieces.push(piece);
            }
            self.set(key.clone(), intersection(&own, values));
        }
    }
}

/// The set of numbers of a value, if the value is one.
fn numbers(subject: Subject, value: &Value) -> Option<Values> {
    let address = |address: IpAddr| match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    };
    let span = |first: IpAddr, last: IpAddr| Some(vec![(address(first), address(last))]);
    match value {
        // `-p all` requires nothing.
        Value::Number(0) if subject == Subject::Packet(PacketField::Protocol) => Some(vec![ALL]),
        Value::Number(number) => Some(vec![((*number).into(), (*number).into())]),
        Value::Range(low, high) => Some(vec![((*low).into(), (*high).into())]),
        Value::List(list) => {
            let mut values = Values::new();
            for (low, high) in list
                .iter()
                .map(|(low, high)| (u128::from(*low), u128::from(*high)))
            {
                values.insert(values.partition_point(|other| other.0 < low), (low, high));
            }
            Some(values)
        }
        Value::None => Some(vec![TRUE]),
        Value::Net4(first, mask) if contiguous(u128::from(mask.to_bits()) << 96) => span(
            (*first).into(),
            std::net::Ipv4Addr::from_bits(first.to_bits() | !mask.to_bits()).into(),
        ),
        Value::Net6(net) if contiguous(net.1.to_bits()) => span(
            net.0.into(),
            std::net::Ipv6Addr::from_bits(net.0.to_bits() | !net.1.to_bits()).into(),
        ),
        _ => None,
    }
}

fn contiguous(mask: u128) -> bool {
    mask.leading_ones() + mask.trailing_zeros() >= 128
}

/// A name for a value that is not a set of numbers. Equal names mean equal conditions.
fn atom(value: &Value, ruleset: &Ruleset) -> Option<String> {
    match value {
        Value::Text(text) => Some(ruleset.text(*text).to_owned()),
        Value::Masked { value, mask } => Some(format!("{value}/{mask}")),
        Value::Bits(bits) => Some(bits.to_string()),
        _ => None,
    }
}

fn complement(values: &Values) -> Values {
    let mut gaps = Vec::new();
    let mut next = Some(0);
    for (low, high) in values {
        if let Some(start) = next
            && *low > start
        {
            gaps.push((start, low - 1));
        }
        // The ranges of a list may overlap.
        next = next.and_then(|next| high.checked_add(1).map(|behind| behind.max(next)));
    }
    gaps.extend(next.map(|next| (next, u128::MAX)));
    gaps
}

fn overlap(a: &Values, b: &Values) -> bool {
    a.iter().any(|a| b.iter().any(|b| a.0 <= b.1 && b.0 <= a.1))
}

fn intersection(a: &Values, b: &Values) -> Values {
    a.iter()
        .flat_map(|a: &(u128, u128)| {
            b.iter()
                .map(move |b| (a.0.max(b.0), a.1.min(b.1)))
                .filter(|(low, high)| low <= high)
                .collect::<Vec<_>>()
        })
        .collect()
}
