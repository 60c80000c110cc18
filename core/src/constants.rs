//! The constants that rules name, by field: where they change, answers change.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::packet::Family;
use crate::ruleset::{Ruleset, Value};

/// All constants of one family's rules.
#[derive(Clone, Debug, Default)]
pub struct Constants {
    /// Numbers by field, as ranges; a value under a mask, and one that is not it.
    pub numbers: BTreeMap<&'static str, BTreeSet<(u32, u32)>>,
    /// First and last address of networks by field.
    pub addresses: BTreeMap<&'static str, BTreeSet<(IpAddr, IpAddr)>>,
    /// Names by field: interfaces.
    pub names: BTreeMap<&'static str, BTreeSet<String>>,
}

impl Constants {
    /// Collects them.
    pub fn of(rulesets: &[Ruleset], family: Family) -> Self {
        let mut found = Self::default();
        for ruleset in rulesets.iter().filter(|ruleset| ruleset.family == family) {
            for part in &ruleset.parts {
                if let Some(field) = part.opt().and_then(|opt| opt.field) {
                    found.add(field.name, &part.value, ruleset);
                }
            }
        }
        found
    }

    fn add(&mut self, field: &'static str, value: &Value, ruleset: &Ruleset) {
        let numbers = self.numbers.entry(field).or_default();
        match value {
            Value::None => {
                numbers.insert((1, 1));
            }
            Value::Number(number) => {
                numbers.insert((*number, *number));
            }
            Value::Range(low, high) => {
                numbers.insert((*low, *high));
            }
            Value::List(list) => numbers.extend(list.iter()),
            Value::Masked { value, mask } => {
                // The lowest bit that is looked at tells the value from another one.
                let other = value ^ (mask & mask.wrapping_neg());
                numbers.extend([(*value, *value), (other, other)]);
            }
            Value::Bits(bits) => {
                numbers.extend((0..32).map(|bit| 1 << bit).filter(|bit| bits & bit != 0).map(|b| (b, b)))
            }
            Value::Net4(address, mask) => {
                let last = Ipv4Addr::from_bits(address.to_bits() | !mask.to_bits());
                self.addresses.entry(field).or_default().insert(((*address).into(), last.into()));
            }
            Value::Net6(net) => {
                let last = Ipv6Addr::from_bits(net.0.to_bits() | !net.1.to_bits());
                self.addresses.entry(field).or_default().insert((net.0.into(), last.into()));
            }
            Value::Text(text) => {
                self.names.entry(field).or_default().insert(ruleset.text(*text).to_owned());
            }
            Value::Addresses(span) => {
                self.addresses.entry(field).or_default().insert(**span);
            }
            Value::Nat(_) | Value::Wide(_) | Value::Wides(_) | Value::Mac(_) => {}
        }
    }

    /// The constants of a field and their neighbours, all different.
    pub fn numbers(&self, field: &str) -> BTreeSet<u32> {
        let ranges = self.numbers.get(field).into_iter().flatten();
        ranges.flat_map(|(low, high)| [low.saturating_sub(1), *low, *high, high.saturating_add(1)]).collect()
    }

    /// The first and last addresses of a field's networks and their neighbours.
    pub fn addresses(&self, field: &str) -> BTreeSet<IpAddr> {
        let nets = self.addresses.get(field).into_iter().flatten();
        nets.flat_map(|(first, last)| [beside(*first, false), *first, *last, beside(*last, true)]).collect()
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
