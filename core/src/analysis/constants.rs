//! The constants that rules compare, by the subject of the condition. Outcomes change at these
//! values.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::netfilter::condition::Subject;
use crate::netfilter::ruleset::{Ruleset, Value};
use crate::packet::Family;

/// A constant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Constant {
    /// A range of numbers.
    Numbers(u32, u32),
    /// The first and the last address of a network.
    Network(IpAddr, IpAddr),
    /// The name of an interface.
    Name(String),
}

/// All constants of one family's rules for the fields that counterfactuals change, by the subject
/// of the condition. 110,000 rules have about 40,000 of them, so the caller should keep them.
#[derive(Clone, Debug, Default)]
pub struct Constants(BTreeMap<Subject, BTreeSet<Constant>>);

impl Constants {
    /// Collects them.
    pub fn collect(rulesets: &[Ruleset], family: Family) -> Self {
        let mut found = Self::default();
        for ruleset in rulesets.iter().filter(|ruleset| ruleset.family == family) {
            for part in &ruleset.parts {
                if let Some(subject) = part.subject()
                    && subject
                        .fields()
                        .iter()
                        .any(|field| field.row().trial.is_some())
                {
                    found.add(subject, &part.value, ruleset);
                }
            }
        }
        found
    }

    fn add(&mut self, subject: Subject, value: &Value, ruleset: &Ruleset) {
        let own = self.0.entry(subject).or_default();
        let mut add = |constant| {
            own.insert(constant);
        };
        match value {
            Value::None => add(Constant::Numbers(1, 1)),
            Value::Number(number) => add(Constant::Numbers(*number, *number)),
            Value::Range(low, high) => add(Constant::Numbers(*low, *high)),
            Value::List(list) => list
                .iter()
                .for_each(|(low, high)| add(Constant::Numbers(*low, *high))),
            Value::Masked { value, mask } => {
                // A value that differs from the constant in the lowest bit under the mask.
                let other = value ^ (mask & mask.wrapping_neg());
                add(Constant::Numbers(*value, *value));
                add(Constant::Numbers(other, other));
            }
            Value::Bits(bits) => {
                (0..32)
                    .map(|bit| 1 << bit)
                    .filter(|bit| bits & bit != 0)
                    .for_each(|bit| add(Constant::Numbers(bit, bit)));
            }
            Value::Net4(address, mask) => {
                let last = Ipv4Addr::from_bits(address.to_bits() | !mask.to_bits());
                add(Constant::Network((*address).into(), last.into()));
            }
            Value::Net6(net) => {
                let last = Ipv6Addr::from_bits(net.0.to_bits() | !net.1.to_bits());
                add(Constant::Network(net.0.into(), last.into()));
            }
            Value::Addresses(span) => add(Constant::Network(span.0, span.1)),
            Value::Text(text) => add(Constant::Name(ruleset.text(*text).to_owned())),
            Value::Nat(_) | Value::Wide(_) | Value::Wides(_) | Value::Mac(_) => {}
        }
    }

    /// The subjects of the rules' conditions, in order.
    pub fn subjects(&self) -> impl Iterator<Item = Subject> {
        self.0.keys().copied()
    }

    fn each(&self, subject: Subject) -> impl Iterator<Item = &Constant> {
        self.0.get(&subject).into_iter().flatten()
    }

    /// The constants that are ranges of numbers.
    pub fn ranges(&self, subject: Subject) -> Vec<(u32, u32)> {
        self.each(subject)
            .filter_map(|constant: &Constant| match constant {
                Constant::Numbers(low, high) => Some((*low, *high)),
                _ => None,
            })
            .collect()
    }

    /// The constants that are networks: first and last address.
    pub fn networks(&self, subject: Subject) -> Vec<(IpAddr, IpAddr)> {
        self.each(subject)
            .filter_map(|constant: &Constant| match constant {
                Constant::Network(first, last) => Some((*first, *last)),
                _ => None,
            })
            .collect()
    }

    /// The constants that are names.
    pub fn names(&self, subject: Subject) -> Vec<String> {
        self.each(subject)
            .filter_map(|constant: &Constant| match constant {
                Constant::Name(name) => Some(name.clone()),
                _ => None,
            })
            .collect()
    }

    /// The constants that are numbers, and the numbers next to them.
    pub fn numbers(&self, subject: Subject) -> Vec<u32> {
        let mut numbers: Vec<u32> = self
            .ranges(subject)
            .into_iter()
            .flat_map(|(low, high): (u32, u32)| {
                [low.saturating_sub(1), low, high, high.saturating_add(1)]
            })
            .collect();
        numbers.dedup();
        numbers
    }

    /// The first and last addresses of the networks, and the addresses next to them. This is not a
    /// list, because few of them are tried.
    pub fn addresses(&self, subject: Subject) -> impl Iterator<Item = IpAddr> {
        let mut before = None;
        self.each(subject)
            .flat_map(|constant: &Constant| match constant {
                Constant::Network(first, last) => {
                    vec![beside(*first, false), *first, *last, beside(*last, true)]
                }
                _ => Vec::new(),
            })
            .filter(move |address| before.replace(*address) != Some(*address))
    }
}

fn beside(address: IpAddr, up: bool) -> IpAddr {
    match address {
        IpAddr::V4(v4) if up => Ipv4Addr::from_bits(v4.to_bits().saturating_add(1)).into(),
        IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits().saturating_sub(1)).into(),
        IpAddr::V6(v6) if up => Ipv6Addr::from_bits(v6.to_bits().saturating_add(1)).into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits().saturating_sub(1)).into(),
    }
}
