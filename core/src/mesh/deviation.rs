//! Deviations from the rules that a mesh makes: missing, added, reordered and duplicate rules.

use super::chain_role::ChainRole;
use super::{
    ConditionField, IdRange, Mesh, Mode, Network, OptionValue, OwnerRule, Purpose, RuleEffect,
    RuleView, ids,
};
use crate::iptables::table_name::TableName;
use crate::netfilter::effect::Effect;
use crate::netfilter::ruleset::{Chain, Ruleset, Table};
use crate::packet::fields::PacketField;
use crate::packet::hook::Hook;

/// A difference from the rules that the mesh's own tools make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// The table.
    pub table: u32,
    /// The position of the chain in the table.
    pub chain: u32,
    /// The position of the rule in the chain; `None` if a rule is missing.
    pub rule: Option<u32>,
    /// The deviation and its consequence.
    pub says: String,
}

/// Compares a recognized rule set with the rules that its mesh makes.
pub fn deviations(mesh: &Mesh, ruleset: &Ruleset) -> Vec<Deviation> {
    let mut found = Vec::new();
    for (table_place, table) in (0..).zip(&ruleset.tables) {
        for (place, chain) in (0..).zip(&table.chains) {
            let Some(role) = mesh.kind.definition().role(&chain.name) else {
                continue;
            };
            let mut order = OrderCheck {
                mesh,
                table,
                table_place,
                place,
                chain,
                found: &mut found,
            };
            order.check(ruleset, role);
        }
    }
    missing(mesh, ruleset, &mut found);
    found
}

/// The rules that were found for one of the proxy's ids.
struct OwnerRules {
    group: bool,
    ids: IdRange,
    seen: Vec<OwnerRule>,
}

/// The highest ranks in a chain so far. The order of rules that all return makes no difference:
/// meshes and versions put exclusions before and after others.
#[derive(Default)]
struct HighestRanks {
    of_returns: u8,
    of_others: u8,
}

impl HighestRanks {
    /// Whether a rule comes after one that may take its packets.
    fn is_late(&self, rank: u8, effect: &RuleEffect) -> bool {
        rank < self.of_others || !returns(effect) && rank < self.of_returns
    }

    fn add(&mut self, rank: u8, effect: &RuleEffect) {
        let highest = if returns(effect) {
            &mut self.of_returns
        } else {
            &mut self.of_others
        };
        *highest = rank.max(*highest);
    }
}

fn returns(effect: &RuleEffect) -> bool {
    *effect == RuleEffect::Perform(Effect::Return)
}

struct OrderCheck<'a> {
    mesh: &'a Mesh,
    table: &'a Table,
    table_place: u32,
    place: u32,
    chain: &'a Chain,
    found: &'a mut Vec<Deviation>,
}

impl OrderCheck<'_> {
    fn report(&mut self, rule: Option<u32>, says: String) {
        self.found.push(Deviation {
            table: self.table_place,
            chain: self.place,
            rule,
            says,
        });
    }

    fn check(&mut self, ruleset: &Ruleset, role: ChainRole) {
        let mut ranks = HighestRanks::default();
        let mut sets: Vec<OwnerRules> = Vec::new();
        let (mut alone, mut has_loopback_return) = (true, false);
        let is_taken = self.chain.hook().is_none() || self.table.is(TableName::Nat);
        for (number, rule) in (0..).zip(&self.chain.rules) {
            let view = RuleView::from_iptables(ruleset, self.table, rule);
            let Some(fit) = self.mesh.kind.definition().fit(ruleset.family, role, &view) else {
                let name = self.mesh.name();
                // Other programs have rules in the built-in chains, too. Only their rules in nat
                // affect the mesh's traffic.
                if is_taken && view.effect.takes_packets() {
                    let text = format!(
                        "{name} is not known to make this rule: packets that it takes do not come to the rules after it"
                    );
                    self.report(Some(number), text);
                }
                continue;
            };
            let late = ranks.is_late(fit.rule.rank, &view.effect);
            if late {
                self.report(
                    Some(number),
                    "it comes after rules that it should precede: they may take its packets".into(),
                );
            }
            // The rule for the proxy's own calls takes no other packets.
            if fit.rule.purpose != Purpose::Owner(OwnerRule::OwnPod) {
                ranks.add(fit.rule.rank, &view.effect);
            }
            has_loopback_return |= fit.rule.spares_loopback();
            if fit.rule.purpose == Purpose::Renewal {
                self.report(
                    Some(number),
                    "the rules were being renewed when the dump was taken, or the renewal failed: nothing gets through"
                        .into(),
                );
            }
            if let (Purpose::Owner(part), Some(ids)) = (fit.rule.purpose, ids(fit.subject.as_ref()))
            {
                let group = fit.subject.is_some_and(|condition| {
                    condition.field == ConditionField::Packet(PacketField::Gid)
                });
                let place = sets
                    .iter()
                    .position(|set| (set.group, set.ids) == (group, ids))
                    .unwrap_or(sets.len());
                if place == sets.len() {
                    sets.push(OwnerRules {
                        group,
                        ids,
                        seen: Vec::new(),
                    });
                }
                let seen = &mut sets[place].seen;
                let doubled = seen.contains(&part);
                // The other two both return.
                let behind = !doubled && part == OwnerRule::OwnPod && !seen.is_empty() && !late;
                if !doubled {
                    seen.push(part);
                }
                alone &= part == OwnerRule::LetOut;
                if doubled {
                    self.report(Some(number), "it is here twice".into());
                } else if behind {
                    self.report(Some(number), "it comes after a rule for the same id that it should precede, and never sees the packets of that rule".into());
                }
            }
        }
        self.check_sets(&sets, alone, has_loopback_return);
    }

    /// Since 1.5, each of the proxy's ids has three consecutive rules; if loopback addresses are
    /// captured, it has two.
    fn check_sets(&mut self, sets: &[OwnerRules], alone: bool, has_loopback_return: bool) {
        if alone {
            return;
        }
        let mut values = self.mesh.options.iter().flat_map(|setting| &setting.values);
        let loopback = values
            .any(|value| matches!(value, OptionValue::Network(network) if in_loopback(network)));
        for OwnerRules { group, ids, seen } in sets {
            let what = if *group { "gid" } else { "uid" };
            let proxy = self.mesh.proxy();
            let lacks = |part| !seen.contains(&part);
            let says = if lacks(OwnerRule::LetOut) {
                format!(
                    "no rule lets {what} {ids} out: {proxy}'s own traffic comes back to it, for ever"
                )
            } else if *seen == [OwnerRule::LetOut] {
                continue;
            } else if lacks(OwnerRule::OwnPod) {
                format!(
                    "no rule leads {what} {ids}'s calls to its own pod into {proxy}: they pass the inbound policies by"
                )
            } else if lacks(OwnerRule::OthersLoopback) && !loopback && !has_loopback_return {
                format!(
                    "no rule spares the pod's own calls over lo for {what} {ids}: they are captured"
                )
            } else {
                continue;
            };
            self.report(None, says);
        }
    }
}

/// Whether a network contains loopback addresses only.
fn in_loopback(network: &Network) -> bool {
    network.address.is_ipv4() && network.address.is_loopback()
}

/// Finds the rules that the whole set lacks, as after an interrupted load.
fn missing(mesh: &Mesh, ruleset: &Ruleset, found: &mut Vec<Deviation>) {
    let Some(table_place) = ruleset.table_place(TableName::Nat) else {
        return;
    };
    let table = &ruleset.tables[table_place as usize];
    let mut say = |place: u32, says: String| {
        found.push(Deviation {
            table: table_place,
            chain: place,
            rule: None,
            says,
        });
    };
    let proxy = mesh.proxy();
    if let Some((_, place, chain)) = mesh.outward(ruleset) {
        let reached = super::reached_from(table, Hook::Output);
        if chain.rules.is_empty() {
            say(
                place,
                format!(
                    "it holds no rules: the set is half loaded, and nothing that leaves is captured by {proxy}"
                ),
            );
        } else if !reached[place as usize] {
            say(
                place,
                format!(
                    "no rule leads from OUTPUT into it: nothing that leaves is captured by {proxy}"
                ),
            );
        }
    }
    if mesh.outbound.is_empty() {
        say(
            0,
            format!("no rule redirects what leaves to {proxy}: the set is half loaded"),
        );
    }
    if mesh.inbound.is_empty() && mesh.mode != Mode::Ambient {
        say(0, format!("no rule redirects what arrives to {proxy}"));
    }
}
