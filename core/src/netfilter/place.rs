//! Places of chains and rules, as positions that stay valid as long as the text.

use crate::netfilter::ruleset::{Chain, Rule, Ruleset, Table};

/// A chain in a table of one of the rule sets of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChainPlace {
    /// Which rule set of the text, from 0.
    pub ruleset: u32,
    /// The table's place in the rule set, from 0.
    pub table: u32,
    /// The chain's place in the table, from 0.
    pub chain: u32,
}

/// A rule, or the policy, of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The chain.
    pub at: ChainPlace,
    /// The rule's place in the chain, from 0; `None` for the policy.
    pub rule: Option<u32>,
}

impl ChainPlace {
    /// The table and the chain.
    ///
    /// # Panics
    /// If the place is not one of these rule sets.
    pub fn find(self, rulesets: &[Ruleset]) -> (&Ruleset, &Table, &Chain) {
        let ruleset = &rulesets[self.ruleset as usize];
        let table = &ruleset.tables[self.table as usize];
        (ruleset, table, &table.chains[self.chain as usize])
    }

    /// The table.
    ///
    /// # Panics
    /// If the place is not one of these rule sets.
    pub fn table(self, rulesets: &[Ruleset]) -> &Table {
        &rulesets[self.ruleset as usize].tables[self.table as usize]
    }
}

impl Place {
    /// Whether these rule sets have the place: a place of other rules may be none of theirs.
    pub fn is_in(self, rulesets: &[Ruleset]) -> bool {
        let table = rulesets
            .get(self.at.ruleset as usize)
            .and_then(|ruleset| ruleset.tables.get(self.at.table as usize));
        let chain = table.and_then(|table| table.chains.get(self.at.chain as usize));
        chain.is_some_and(|chain| {
            self.rule
                .is_none_or(|rule| (rule as usize) < chain.rules.len())
        })
    }

    /// The rule; `None` for a policy.
    ///
    /// # Panics
    /// If the place is not one of these rule sets.
    pub fn rule(self, rulesets: &[Ruleset]) -> Option<&Rule> {
        let (_, _, chain) = self.at.find(rulesets);
        self.rule.map(|rule| &chain.rules[rule as usize])
    }
}
