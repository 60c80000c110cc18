//! Finds rules that never match, because earlier rules take all their packets. Only certain cases
//! are reported.
//!
//! The packets of the earlier rules are removed from the packets of a rule, field by field. If a
//! part remains, the rule may match. Each rule is compared with at most 64 earlier rules, and with
//! a rule that takes everything. The cost therefore grows with the number of rules and not with its
//! square.

use std::rc::Rc;

use super::space::{Dimension, Space, Values};
use crate::iptables::extension::{Id, lower};
use crate::mesh::reached_from;
use crate::netfilter::base::{ChainType, priority};
use crate::netfilter::effect::Behavior;
use crate::netfilter::ruleset::{Rule, Ruleset, Table, Target};
use crate::packet::Family;
use crate::packet::fields::PacketField;
use crate::packet::hook::Hook;

/// The maximum number of earlier rules that a rule is compared with.
const MAX_EARLIER_RULES: usize = 64;
/// The maximum number of pieces that a rule's packets are split into.
const MAX_REGIONS: usize = 64;
/// The maximum number of separate paths into one chain.
const MAX_CALLERS: usize = 4;

/// A rule that never matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dead {
    /// The position of its chain in the table.
    pub chain: u32,
    /// Its position in the chain, from 0.
    pub rule: u32,
    /// Whether this holds only as long as packets to loopback addresses leave through `lo`.
    pub in_practice: bool,
    /// The rules that take its packets, by the position of their chain and their own position, from
    /// 0. Empty if no packet that enters its chain meets its conditions.
    pub takers: Vec<(u32, u32)>,
}

/// A rule, and the packets that it keeps from the rules after it.
#[derive(Debug)]
struct Taker {
    rule: (u32, u32),
    space: Space,
}

/// One path into a chain: its packets, and the rules that already removed packets.
#[derive(Clone, Debug)]
struct CallPath {
    space: Space,
    takers: Vec<Rc<Taker>>,
}

/// Finds the dead rules of one table.
pub fn dead_rules(ruleset: &Ruleset, table: &Table) -> Vec<Dead> {
    let mut search = DeadRuleSearch::new(ruleset, table);
    search.go_on(ruleset, table, &mut usize::MAX.clone());
    search.dead
}

/// A search that processes some rules at a time.
#[derive(Debug)]
pub(super) struct DeadRuleSearch {
    /// The results.
    pub(super) dead: Vec<Dead>,
    outward: Vec<bool>,
    ways: Vec<Vec<CallPath>>,
    /// The remaining chains. The next one is the last of the list.
    order: Vec<usize>,
    /// The current chain, the paths to its next rule, and the position of that rule.
    at: Option<(usize, Vec<CallPath>, usize)>,
}

impl DeadRuleSearch {
    pub(super) fn new(ruleset: &Ruleset, table: &Table) -> Self {
        let mut ways: Vec<Vec<CallPath>> = vec![Vec::new(); table.chains.len()];
        for (place, chain) in table.chains.iter().enumerate() {
            if chain.hook().is_some() {
                ways[place].push(CallPath {
                    space: Space::all(ruleset.family),
                    takers: Vec::new(),
                });
            }
        }
        let mut order = order(table);
        order.reverse();
        Self {
            dead: Vec::new(),
            outward: only_from_output(table),
            ways,
            order,
            at: None,
        }
    }

    /// Processes the next rules, subtracts their number from `most`, and returns whether these were
    /// the last ones.
    pub(super) fn go_on(&mut self, ruleset: &Ruleset, table: &Table, most: &mut usize) -> bool {
        while *most > 0 {
            let (place, mut into, first) = match self.at.take() {
                Some(at) => at,
                None => {
                    let Some(place) = self.order.pop() else {
                        return true;
                    };
                    (place, self.into(ruleset, place), 0)
                }
            };
            let rules = &table.chains[place].rules;
            // If no packet enters the chain, another finding reports it.
            let last = if into.is_empty() {
                first
            } else {
                rules.len().min(first.saturating_add(*most))
            };
            for number in first..last {
                Walk {
                    ruleset,
                    table,
                    place,
                    outward: self.outward[place],
                    ways: &mut self.ways,
                    dead: &mut self.dead,
                }
                .rule(&mut into, number);
            }
            *most = most.saturating_sub(last - first).saturating_sub(1);
            if !into.is_empty() && last < rules.len() {
                self.at = Some((place, into, last));
            }
        }
        self.at.is_none() && self.order.is_empty()
    }

    /// The paths into a chain.
    fn into(&mut self, ruleset: &Ruleset, place: usize) -> Vec<CallPath> {
        let into = std::mem::take(&mut self.ways[place]);
        if into.len() > MAX_CALLERS {
            return vec![CallPath {
                space: Space::all(ruleset.family),
                takers: Vec::new(),
            }];
        }
        into
    }
}

/// The chains that only outgoing packets reach, before nat changes their destination.
fn only_from_output(table: &Table) -> Vec<bool> {
    let output = table.at(Hook::Output).and_then(|(_, chain)| chain.base);
    if output.is_none_or(|base| base.kind != ChainType::Nat && base.priority > priority::NAT_DST) {
        return vec![false; table.chains.len()];
    }
    let mut only = reached_from(table, Hook::Output);
    for hook in Hook::ALL.into_iter().filter(|hook| *hook != Hook::Output) {
        for (only, other) in only.iter_mut().zip(reached_from(table, hook)) {
            *only &= !other;
        }
    }
    only
}

/// The chains in an order in which callers come before the chains that they call. Chains of a loop
/// are omitted.
fn order(table: &Table) -> Vec<usize> {
    let calls = |place: usize| {
        table.chains[place]
            .rules
            .iter()
            .filter_map(|rule| match rule.target {
                Target::Jump(chain) | Target::Goto(chain) => Some(chain as usize),
                _ => None,
            })
    };
    let mut callers = vec![0_usize; table.chains.len()];
    for place in 0..table.chains.len() {
        calls(place).for_each(|callee| callers[callee] += 1);
    }
    let mut ready: Vec<usize> = (0..table.chains.len())
        .filter(|place| callers[*place] == 0)
        .collect();
    let mut order = Vec::new();
    while let Some(place) = ready.pop() {
        order.push(place);
        for callee in calls(place) {
            callers[callee] -= 1;
            if callers[callee] == 0 {
                ready.push(callee);
            }
        }
    }
    order
}

struct Walk<'a> {
    ruleset: &'a Ruleset,
    table: &'a Table,
    place: usize,
    outward: bool,
    ways: &'a mut Vec<Vec<CallPath>>,
    dead: &'a mut Vec<Dead>,
}

impl Walk<'_> {
    fn rule(&mut self, into: &mut [CallPath], number: usize) {
        let rule = &self.table.chains[self.place].rules[number];
        let (asked, exact) = asked(self.ruleset, rule);
        let narrow =
            |place| u32::try_from(place).expect("rules are fewer than bytes of a text below 4 GiB");
        let (chain, number) = (narrow(self.place), narrow(number));
        if let Some((in_practice, takers)) = self.is_dead(into, &asked) {
            self.dead.push(Dead {
                chain,
                rule: number,
                in_practice,
                takers,
            });
        }
        if let Target::Jump(to) | Target::Goto(to) = rule.target {
            let to = &mut self.ways[to as usize];
            if to.len() <= MAX_CALLERS {
                to.extend(into.iter().map(|way| CallPath {
                    space: way.space.and(&asked),
                    takers: way.takers.clone(),
                }));
            }
        }
        let taken = if exact {
            self.takes(rule, &asked)
        } else {
            None
        };
        let taken = taken.map(|space| {
            Rc::new(Taker {
                rule: (chain, number),
                space,
            })
        });
        for way in into {
            if changes(self.ruleset, rule) {
                way.takers.retain(|taker| taker.space.is_steady());
            }
            let taken = taken
                .as_ref()
                .filter(|taken| way.takers.len() < MAX_EARLIER_RULES || taken.space.asks_nothing());
            way.takers.extend(taken.cloned());
        }
    }

    /// Whether no packet remains for a rule on any path into its chain. The result states whether
    /// this holds only in practice, and which rules take the packets.
    fn is_dead(&self, into: &[CallPath], asked: &Space) -> Option<(bool, Vec<(u32, u32)>)> {
        let mut takers = Vec::new();
        if into
            .iter()
            .all(|way| is_covered(way.space.and(asked), &way.takers, &mut takers))
        {
            return Some((false, takers));
        }
        let to_loopback = |space: &Space| {
            space
                .get(&Dimension::of_field(PacketField::Dst))
                .is_some_and(|values| is_loopback(values, self.ruleset.family))
        };
        let by_lo = |mut space: Space| {
            space.meet(Dimension::leaves_by("lo"), vec![(1, 1)]);
            space
        };
        takers.clear();
        (self.outward
            && into.iter().all(|way: &CallPath| {
                let space = way.space.and(asked);
                to_loopback(&space) && is_covered(by_lo(space), &way.takers, &mut takers)
            }))
        .then_some((true, takers))
    }

    /// The packets that a rule keeps from the rules after it.
    fn takes(&self, rule: &Rule, asked: &Space) -> Option<Space> {
        match rule.target {
            // It is unknown whether a target that is kept as written ends the chain.
            Target::Extension(Id::OPAQUE_TARGET) => None,
            Target::Extension(_) => lower::behavior(self.ruleset, rule)?
                .ends_chain()
                .then(|| asked.clone()),
            Target::Goto(_) => Some(asked.clone()),
            // A chain whose first rule is terminal takes the packets of that rule.
            Target::Jump(chain) => {
                let first = self.table.chains[chain as usize].rules.first()?;
                let Target::Extension(id) = first.target else {
                    return None;
                };
                if id == Id::OPAQUE_TARGET {
                    return None;
                }
                let (inner, exact) = self::asked(self.ruleset, first);
                let behavior = lower::behavior(self.ruleset, first);
                let leaves = matches!(behavior, Some(Behavior::Terminal | Behavior::Redirect));
                (exact && leaves).then(|| asked.and(&inner))
            }
            Target::None | Target::Missing { .. } => None,
        }
    }
}

/// Whether the next rule may see a changed packet.
fn changes(ruleset: &Ruleset, rule: &Rule) -> bool {
    match rule.target {
        Target::Jump(_) => true,
        Target::Extension(_) => lower::behavior(ruleset, rule) == Some(Behavior::Continue),
        Target::None | Target::Goto(_) | Target::Missing { .. } => false,
    }
}

/// The packets that meet a rule's conditions, and whether the set is exact. Undetermined conditions
/// are omitted.
fn asked(ruleset: &Ruleset, rule: &Rule) -> (Space, bool) {
    let mut all = Space::default();
    let mut exact = true;
    for group in ruleset.groups(rule) {
        match Space::of_group(ruleset, group) {
            Some(space) => all = all.and(&space),
            None => exact = false,
        }
    }
    (all, exact)
}

/// Whether rules take all packets of a space. The rules that do are added to `by`.
fn is_covered(space: Space, takers: &[Rc<Taker>], by: &mut Vec<(u32, u32)>) -> bool {
    let mut left = vec![space.clone()];
    left.retain(|space| !space.is_empty());
    let mut some = Vec::new();
    for taker in takers {
        if left.is_empty() {
            break;
        }
        // Most rules have no packet in common.
        if left.iter().all(|space| space.is_apart(&taker.space)) {
            continue;
        }
        some.push(taker);
        let mut pieces = Vec::new();
        for space in left {
            space.without(&taker.space, &mut pieces);
        }
        left = pieces;
        if left.is_empty() || left.len() > MAX_REGIONS {
            break;
        }
    }
    if !left.is_empty() {
        return false;
    }
    // A single rule that takes everything is a better explanation than several rules.
    if let Some(one) = some.iter().position(|taker| space.is_within(&taker.space)) {
        some = vec![some[one]];
    }
    for taker in some {
        if !by.contains(&taker.rule) {
            by.push(taker.rule);
        }
    }
    true
}

fn is_loopback(values: &Values, family: Family) -> bool {
    let (first, last) = match family {
        Family::Ipv4 => (0x7f00_0000, 0x7fff_ffff),
        Family::Ipv6 => (1, 1),
    };
    values
        .iter()
        .all(|(low, high)| *low >= first && *high <= last)
}
