//! A fast first test of a rule. Most rules of a large chain fail by a condition on a value of the
//! packet itself, such as its destination. The prefilter reads each value once and compares it with
//! rule after rule.

use std::net::{IpAddr, Ipv4Addr};

use crate::iptables::extension::Id;
use crate::iptables::extension::lower::plain_condition;
use crate::netfilter::condition::{Answer, Context, contains_number, is_interface, is_within};
use crate::netfilter::ruleset::{Clause, Rule, Value};
use crate::netfilter::statement::is_present;
use crate::packet::value::FieldValue;

/// The values of the packet that rules have compared so far.
#[derive(Debug, Default)]
pub(super) struct PacketPrefilter {
    /// The rule set and the view of the packet that the values belong to.
    of: Option<(u32, u32)>,
    /// The values by extension and option.
    shown: [[PlainValue; OPTIONS]; EXTENSIONS],
    names: Vec<String>,
}

/// The limits cover the first extensions of the list and the first options of each. Most rules
/// begin with these.
const EXTENSIONS: usize = 20;
const OPTIONS: usize = 8;

/// The value of the packet for one option.
#[derive(Clone, Copy, Debug, Default)]
enum PlainValue {
    /// No rule has compared it yet.
    #[default]
    Unread,
    /// The prefilter cannot evaluate the option.
    Hidden,
    /// The option compares nothing.
    Anything,
    /// The packet has no such field.
    Absent,
    Number(u32),
    /// An IPv4 address.
    Address(Ipv4Addr),
    Bits(u32),
    /// The position of a name.
    Name(u32),
}

impl PacketPrefilter {
    /// Discards the values of another view of the packet.
    pub(super) fn turn_to(&mut self, ruleset: u32, view: u32) {
        if self.of != Some((ruleset, view)) {
            *self = Self {
                of: Some((ruleset, view)),
                ..Self::default()
            };
        }
    }

    /// The first condition that fails, as its position among the rule's matches, if the prefilter
    /// can evaluate it and all conditions before it.
    #[inline]
    pub(super) fn fails(&mut self, matches: &[Clause], context: &Context) -> Option<u16> {
        let mut place = 0;
        while let Some(part) = matches.get(usize::from(place)) {
            // Two negated ports may be one condition: see extension/version_bugs.rs.
            if part.negated && part.extension != Id::HEADER {
                return None;
            }
            let seen = self
                .shown
                .get_mut(part.extension.place())?
                .get_mut(usize::from(part.option))?;
            // These are consecutive tests and not one `match`, because a jump table takes half as
            // long again.
            let holds = if let (PlainValue::Address(address), Value::Net4(of, mask)) =
                (*seen, &part.value)
            {
                is_within(address, *of, *mask)
            } else if let PlainValue::Number(number) = *seen {
                contains_number(&part.value, number)
            } else {
                match (*seen, &part.value) {
                    (PlainValue::Unread, _) => {
                        *seen = read_condition(part, context, &mut self.names);
                        continue;
                    }
                    (PlainValue::Anything, _) => !part.negated,
                    (PlainValue::Absent, _) => false,
                    (PlainValue::Bits(bits), Value::Bits(want)) => want & bits != 0,
                    (PlainValue::Name(name), Value::Text(text)) => {
                        is_interface(context.ruleset.text(*text), &self.names[name as usize])
                    }
                    _ => return None,
                }
            };
            if holds == part.negated {
                return Some(place);
            }
            place += 1;
        }
        None
    }
}

impl PacketPrefilter {
    /// The number of leading rules that first compare an address, as `like` does, and compare it
    /// with another one than the packet's. In large chains there are thousands in a row. This takes
    /// fewer instructions than [`PacketPrefilter::fails`].
    #[inline(never)]
    pub(super) fn strangers(&self, rules: &[Rule], parts: &[Clause], like: &Rule) -> usize {
        let Some(like) = parts.get(like.first as usize).filter(|part| !part.negated) else {
            return 0;
        };
        let shown = self
            .shown
            .get(like.extension.place())
            .and_then(|options| options.get(usize::from(like.option)));
        let Some(PlainValue::Address(address)) = shown else {
            return 0;
        };
        let asked = |part: &Clause| (part.extension, part.option, part.negated);
        let (address, asks) = (*address, asked(like));
        let stranger = |rule: &Rule| match parts.get(rule.first as usize) {
            Some(part) => {
                let other =
                    matches!(part.value, Value::Net4(of, mask) if !is_within(address, of, mask));
                rule.matches > 0 && asked(part) == asks && other
            }
            None => false,
        };
        rules
            .iter()
            .position(|rule| !stranger(rule))
            .unwrap_or(rules.len())
    }
}

/// Reads the value that an option compares, if only the packet determines it.
#[cold]
fn read_condition(part: &Clause, context: &Context, names: &mut Vec<String>) -> PlainValue {
    let Some(plain) = plain_condition(part) else {
        return PlainValue::Hidden;
    };
    if plain
        .requires
        .is_some_and(|field| is_present(field, context) != Answer::Yes)
    {
        return PlainValue::Hidden;
    }
    let Some(field) = plain.field else {
        return PlainValue::Anything;
    };
    match (field.read)(context) {
        FieldValue::Number(number) => PlainValue::Number(number),
        FieldValue::Address(IpAddr::V4(address)) => PlainValue::Address(address),
        FieldValue::Bits(bits) => PlainValue::Bits(bits),
        FieldValue::Absent(_) => PlainValue::Absent,
        FieldValue::Name(name) => {
            names.push(name.to_owned());
            PlainValue::Name(u32::try_from(names.len() - 1).expect("options are fewer than 2^32"))
        }
        _ => PlainValue::Hidden,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_all_that_can_be_told() {
        for id in Id::all() {
            let told = id.get().options.iter().rposition(|opt| opt.alone);
            let fits = told.is_none_or(|option| id.place() < EXTENSIONS && option < OPTIONS);
            assert!(fits, "{:?} is too far down in its list", id.get());
        }
    }
}
