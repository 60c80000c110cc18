//! A first look at a rule. Most rules of a large chain fail by a condition on what the packet shows
//! of itself, such as its destination: that is read once, and compared with rule after rule.

use std::net::{IpAddr, Ipv4Addr};

use crate::iptables::extension::Id;
use crate::iptables::extension::lower::plain_condition;
use crate::netfilter::condition::{Answer, Context, contains_number, is_interface, is_within};
use crate::netfilter::ruleset::{Part, Rule, Value};
use crate::netfilter::statement::is_present;
use crate::packet::value::FieldValue;

/// What the packet shows, as far as rules have asked.
#[derive(Debug, Default)]
pub(super) struct Glance {
    /// Of which rule set, and which view of the packet.
    of: Option<(u32, u32)>,
    /// By extension and option.
    shown: [[Shown; OPTIONS]; EXTENSIONS],
    names: Vec<String>,
}

/// Only the first extensions of the list, and the first options of each: those that rules mostly
/// begin with.
const EXTENSIONS: usize = 20;
const OPTIONS: usize = 8;

/// What the packet shows to one option.
#[derive(Clone, Copy, Debug, Default)]
enum Shown {
    /// No rule has asked yet.
    #[default]
    Unread,
    /// Not to be told at a glance.
    Hidden,
    /// The option asks nothing.
    Anything,
    /// The packet has no such field.
    Absent,
    Number(u32),
    /// An address of IPv4.
    Address(Ipv4Addr),
    Bits(u32),
    /// The place of a name.
    Name(u32),
}

impl Glance {
    /// Forgets what another view of the packet showed.
    pub(super) fn turn_to(&mut self, ruleset: u32, view: u32) {
        if self.of != Some((ruleset, view)) {
            *self = Self {
                of: Some((ruleset, view)),
                ..Self::default()
            };
        }
    }

    /// The condition that fails, as its place among the rule's matches, if it and all before it can
    /// be told at a glance.
    #[inline]
    pub(super) fn fails(&mut self, matches: &[Part], context: &Context) -> Option<u16> {
        let mut place = 0;
        while let Some(part) = matches.get(usize::from(place)) {
            // Two negated ports can be one condition: see extension/version_bugs.rs.
            if part.negated && part.extension != Id::HEADER {
                return None;
            }
            let seen = self
                .shown
                .get_mut(part.extension.place())?
                .get_mut(usize::from(part.option))?;
            // One after the other, and not in one `match`: a jump table takes half as long again.
            let holds =
                if let (Shown::Address(address), Value::Net4(of, mask)) = (*seen, &part.value) {
                    is_within(address, *of, *mask)
                } else if let Shown::Number(number) = *seen {
                    contains_number(&part.value, number)
                } else {
                    match (*seen, &part.value) {
                        (Shown::Unread, _) => {
                            *seen = read(part, context, &mut self.names);
                            continue;
                        }
                        (Shown::Anything, _) => !part.negated,
                        (Shown::Absent, _) => false,
                        (Shown::Bits(bits), Value::Bits(want)) => want & bits != 0,
                        (Shown::Name(name), Value::Text(text)) => {
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

impl Glance {
    /// How many rules, from the first on, ask before all for an address as `like` does, and not for
    /// the packet's: in large chains thousands, one after another. Told by fewer instructions
    /// than [`Glance::fails`] takes.
    #[inline(never)]
    pub(super) fn strangers(&self, rules: &[Rule], parts: &[Part], like: &Rule) -> usize {
        let Some(like) = parts.get(like.first as usize).filter(|part| !part.negated) else {
            return 0;
        };
        let shown = self
            .shown
            .get(like.extension.place())
            .and_then(|options| options.get(usize::from(like.option)));
        let Some(Shown::Address(address)) = shown else {
            return 0;
        };
        let asked = |part: &Part| (part.extension, part.option, part.negated);
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

/// Reads what an option asks, if nothing but the packet decides what is read.
#[cold]
fn read(part: &Part, context: &Context, names: &mut Vec<String>) -> Shown {
    let Some(plain) = plain_condition(part) else {
        return Shown::Hidden;
    };
    if plain
        .requires
        .is_some_and(|field| is_present(field, context) != Answer::Yes)
    {
        return Shown::Hidden;
    }
    let Some(field) = plain.field else {
        return Shown::Anything;
    };
    match (field.read)(context) {
        FieldValue::Number(number) => Shown::Number(number),
        FieldValue::Address(IpAddr::V4(address)) => Shown::Address(address),
        FieldValue::Bits(bits) => Shown::Bits(bits),
        FieldValue::Absent(_) => Shown::Absent,
        FieldValue::Name(name) => {
            names.push(name.to_owned());
            Shown::Name(u32::try_from(names.len() - 1).expect("options are fewer than 2^32"))
        }
        _ => Shown::Hidden,
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
            assert!(fits, "{:?} stands too far behind in its list", id.get());
        }
    }
}
