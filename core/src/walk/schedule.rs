//! The order of evaluation. At each hook, the base chains of all tables run by ascending priority,
//! with connection tracking and nat as further stations (`nf_hook_entries_grow` in
//! netfilter/core.c; measured).

use crate::netfilter::base::{BaseChain, ChainType, nat_priority, priority};
use crate::netfilter::place::ChainPlace;
use crate::netfilter::ruleset::Ruleset;
use crate::packet::hook::Hook;

/// One unit of evaluation at a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Station {
    /// Connection tracking sees the packet.
    ConnectionTracking,
    /// A base chain of type filter or route.
    Chain(ChainPlace, ChainType),
    /// The nat chains of the hook, in order. They all run at this point, so their own priorities do
    /// not count.
    Nat(Vec<ChainPlace>),
}

/// The stations of all hooks.
#[derive(Debug)]
pub(super) struct Schedule {
    /// The rule sets that the packet meets. If two chains have equal priority, the chain of the
    /// earlier rule set runs first.
    pub(super) layers: Vec<u32>,
    /// Whether base chains of two rule sets have equal priority at a hook, so that the order of the
    /// rule sets may matter.
    pub(super) has_ties: bool,
    /// The stations by the position of the hook in [`Hook::ALL`].
    hooks: [Vec<Station>; Hook::ALL.len()],
}

/// A base chain with its position.
type Entry = (BaseChain, ChainPlace);

impl Schedule {
    /// Sorts the base chains of some rule sets.
    pub(super) fn new(rulesets: &[Ruleset], layers: Vec<u32>) -> Self {
        let mut entries: Vec<Entry> = Vec::new();
        for &layer in &layers {
            // Within one rule set, the chain that was registered last runs first (measured).
            let mut own: Vec<Entry> = base_chains(&rulesets[layer as usize], layer).collect();
            own.reverse();
            entries.extend(own);
        }
        entries.sort_by_key(|(base, _)| (base.hook, base.priority));
        let has_ties = entries.windows(2).any(|pair: &[Entry]| {
            let [(one, first), (other, second)] = pair else {
                return false;
            };
            (one.hook, one.priority) == (other.hook, other.priority)
                && first.ruleset != second.ruleset
        });
        let hooks = Hook::ALL
            .map(|hook| stations(hook, entries.iter().filter(|(base, _)| base.hook == hook)));
        Self {
            layers,
            has_ties,
            hooks,
        }
    }

    /// The stations of a hook, in the order of evaluation.
    pub(super) fn at(&self, hook: Hook) -> &[Station] {
        &self.hooks[hook as usize]
    }
}

fn base_chains(ruleset: &Ruleset, number: u32) -> impl Iterator<Item = Entry> {
    debug_assert!(
        ruleset
            .find_base_chains()
            .eq(ruleset.base_chains.iter().copied()),
        "the chains of a rule set are indexed before it is walked"
    );
    ruleset
        .base_chains
        .iter()
        .filter_map(move |(table, chain)| {
            let place = ChainPlace {
                ruleset: number,
                table: *table,
                chain: *chain,
            };
            let base = ruleset.tables[*table as usize].chains[*chain as usize].base?;
            Some((base, place))
        })
}

/// The stations of one hook, from its base chains by ascending priority.
fn stations<'a>(hook: Hook, chains: impl Iterator<Item = &'a Entry>) -> Vec<Station> {
    let mut stations: Vec<(i32, Station)> = Vec::new();
    if matches!(hook, Hook::Prerouting | Hook::Output) {
        stations.push((priority::CONNTRACK, Station::ConnectionTracking));
    }
    let mut nat = Vec::new();
    for (base, place) in chains {
        match base.kind {
            ChainType::Nat => nat.push(*place),
            kind => stations.push((base.priority, Station::Chain(*place, kind))),
        }
    }
    if hook != Hook::Forward {
        stations.push((nat_priority(hook), Station::Nat(nat)));
    }
    stations.sort_by_key(|(priority, _)| *priority);
    stations.into_iter().map(|(_, station)| station).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::parse::parse;
    use crate::iptables::table_name::TableName;
    use crate::netfilter::backend::Backend;

    /// The stations of a hook, each in a word.
    fn order(rulesets: &[Ruleset], schedule: &Schedule, hook: Hook) -> Vec<String> {
        let chain =
            |place: &ChainPlace| format!("{}/{}", place.ruleset, place.table(rulesets).label());
        schedule
            .at(hook)
            .iter()
            .map(|station: &Station| match station {
                Station::ConnectionTracking => "conntrack".to_owned(),
                Station::Chain(place, _) => chain(place),
                Station::Nat(chains) => format!(
                    "nat({})",
                    chains.iter().map(chain).collect::<Vec<_>>().join(" ")
                ),
            })
            .collect()
    }

    fn both_backends() -> Vec<Ruleset> {
        let mut text = String::new();
        for program in ["iptables-legacy", "iptables-nft"] {
            text += &format!("# Generated by {program}-save v1.8.9\n");
            for table in TableName::ALL {
                text += &format!("*{table}\n");
                for hook in table.hooks() {
                    text += &format!(":{hook} ACCEPT [0:0]\n-A {hook} -s 192.0.2.1/32\n");
                }
                text += "COMMIT\n";
            }
        }
        parse(&text).rulesets
    }

    #[test]
    fn base_chains_run_by_priority() {
        let rulesets = both_backends();
        assert_eq!(
            rulesets.iter().map(|set| set.backend).collect::<Vec<_>>(),
            [Backend::Legacy, Backend::Nft].map(Some)
        );
        let schedule = Schedule::new(&rulesets, vec![1, 0]);
        assert!(schedule.has_ties);
        assert_eq!(
            order(&rulesets, &schedule, Hook::Input),
            [
                "1/mangle",
                "0/mangle",
                "1/filter",
                "0/filter",
                "0/security",
                "nat(1/nat 0/nat)",
                "1/security"
            ]
        );
        assert_eq!(
            order(&rulesets, &schedule, Hook::Prerouting),
            [
                "1/raw",
                "0/raw",
                "conntrack",
                "1/mangle",
                "0/mangle",
                "nat(1/nat 0/nat)"
            ]
        );
    }

    #[test]
    fn a_nat_chain_runs_in_the_nat_station_whatever_its_priority() {
        let mut rulesets = both_backends();
        for (table, priority) in [(TableName::Nat, -150), (TableName::Filter, -120)] {
            let chains = rulesets[1]
                .tables
                .iter_mut()
                .filter(|held| held.is(table))
                .flat_map(|held| &mut held.chains);
            for base in chains.filter_map(|chain| chain.base.as_mut()) {
                base.priority = priority;
            }
        }
        let schedule = Schedule::new(&rulesets, vec![1]);
        assert!(!schedule.has_ties);
        let output = order(&rulesets, &schedule, Hook::Output);
        assert_eq!(
            output,
            [
                "1/raw",
                "conntrack",
                "1/mangle",
                "1/filter",
                "nat(1/nat)",
                "1/security"
            ]
        );
    }
}
