//! The callers and counters of rules, collected once for the rule list.

use std::collections::HashMap;

use chainwalk_core::netfilter::place::{ChainPlace, Place};
use chainwalk_core::netfilter::ruleset::{Counters, Ruleset, Target};

/// The callers of chains, and the counters of rules.
#[derive(Clone, Debug, Default)]
pub struct Index {
    callers: HashMap<ChainPlace, Vec<Place>>,
    /// The highest packet counter of any rule; `None` without counters.
    most: Option<u64>,
}

impl Index {
    /// Collects them in one pass over all rules.
    pub(crate) fn new(rulesets: &[Ruleset]) -> Self {
        let mut index = Self::default();
        for (ruleset, set) in (0..).zip(rulesets) {
            for (place, table) in (0..).zip(&set.tables) {
                for (chain, rules) in (0..).zip(&table.chains) {
                    let at = ChainPlace {
                        ruleset,
                        table: place,
                        chain,
                    };
                    for (rule, own) in (0..).zip(&rules.rules) {
                        if let Target::Jump(to) | Target::Goto(to) = own.target {
                            let to = ChainPlace { chain: to, ..at };
                            index.callers.entry(to).or_default().push(Place {
                                at,
                                rule: Some(rule),
                            });
                        }
                        index.most = index
                            .most
                            .max(own.counters.counters(set).map(|counters| counters.packets));
                    }
                }
            }
        }
        index
    }

    /// The rules that call a chain.
    pub fn callers(&self, at: ChainPlace) -> &[Place] {
        self.callers.get(&at).map_or(&[], |callers| callers)
    }

    /// Whether any rule states counters.
    pub fn counts(&self) -> bool {
        self.most.is_some()
    }

    /// The level of a counter relative to the highest one: 0 for zero, up to 4. Each level is a
    /// multiple of the one before.
    pub fn heat(&self, counters: Counters) -> u32 {
        let most = bit_length(self.most.unwrap_or(0).max(counters.packets)).max(1);
        (bit_length(counters.packets) * 4).div_ceil(most)
    }
}

fn bit_length(number: u64) -> u32 {
    u64::BITS - number.leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_leads_where_and_how_hot_it_is() {
        let dump = "*filter\n:OUTPUT ACCEPT [0:0]\n:A - [0:0]\n[1000:9] -A OUTPUT -j A\n[31:9] -A OUTPUT -g A\n[0:0] -A A -j DROP\nCOMMIT\n";
        let rulesets = chainwalk_core::input::parse::parse(dump).rulesets;
        let index = Index::new(&rulesets);
        let chain = |chain| ChainPlace {
            ruleset: 0,
            table: 0,
            chain,
        };
        assert_eq!(index.callers(chain(1)).len(), 2);
        assert_eq!(index.callers(chain(0)).len(), 0);
        assert_eq!(
            [0, 1, 31, 1000, 5000].map(|packets| index.heat(Counters { packets, bytes: 0 })),
            [0, 1, 2, 4, 4]
        );
        assert!(index.counts() && !Index::default().counts());
    }
}
