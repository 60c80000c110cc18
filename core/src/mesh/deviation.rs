//! Deviations from the rules that a mesh makes: missing, added, reordered and duplicate rules.

use super::chain_role::ChainRole;
use super::{
    ConditionField, IdRange, Mesh, Mode, Network, OptionValue, OwnerRule, Purpose, RuleView, ids,
};
use crate::iptables::table_name::TableName;
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
            let mut order = Order {
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

struct Order<'a> {
    mesh: &'a Mesh,
    table: &'a Table,
    table_place: u32,
    place: u32,
    chain: &'a Chain,
    found: &'a mut Vec<Deviation>,
}

impl Order<'_> {
    fn report(&mut self, rule: Option<u32>, says: String) {
        self.found.push(Deviation {
            table: self.table_place,
            chain: self.place,
            rule,
            says,
        });
    }

    fn check(&mut self, ruleset: &Ruleset, role: ChainRole) {
        let mut rank = 0;
        let mut sets: Vec<OwnerRules> = Vec::new();
        let mut alone = true;
        let is_taken = self.chain.hook().is_none() || self.table.is(TableName::Nat);
        for (number, rule) in (0..).zip(&self.chain.rules) {
            let view = RuleView::from_iptables(ruleset, self.table, rule);
            let Some(fit) = self.mesh.kind.definition().fit(ruleset.family, role, &view) else {
                let name = self.mesh.name();
                // Other programs have rules in the built-in chains, too. Only their rules in nat
                // affect the mesh's traffic.
                if is_taken {
                    self.report(
                        Some(number),
                        format!("{name} does not make this rule: what it takes, the rules behind it never see"),
                    );
                }
                continue;
            };
            let late = fit.rule.rank < rank;
            if late {
                self.report(
                    Some(number),
                    "it stands behind rules that it should come before: they may take what is meant for it".into(),
                );
            }
            rank = rank.max(fit.rule.rank);
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
                let behind = !doubled && seen.iter().any(|other| *other > part) && !late;
                if !doubled {
                    seen.push(part);
                }
                alone &= part == OwnerRule::LetOut;
                if doubled {
                    self.report(Some(number), "it stands here twice".into());
                } else if behind {
                    self.report(Some(number), "it stands behind a rule for the same id that it should come before, and never sees what that one takes".into());
                }
            }
        }
        self.check_sets(&sets, alone);
    }

    /// Since 1.5, each of the proxy's ids has three consecutive rules; if loopback addresses are
    /// captured, it has two.
    fn check_sets(&mut self, sets: &[OwnerRules], alone: bool) {
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
            } else if lacks(OwnerRule::OthersLoopback) && !loopback {
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
