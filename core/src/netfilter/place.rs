//! Positions of chains and rules. They stay valid until the text changes.

use crate::netfilter::ruleset::{Chain, Rule, Ruleset, Table};

/// The position of a chain: rule set, table and chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChainPlace {
    /// The position of the rule set in the text, from 0.
    pub ruleset: u32,
    /// The position of the table in the rule set, from 0.
    pub table: u32,
    /// The position of the chain in the table, from 0.
    pub chain: u32,
}

/// The position of a rule, or of the policy of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The chain.
    pub at: ChainPlace,
    /// The position of the rule in the chain, from 0; `None` for the policy.
    pub rule: Option<u32>,
}

impl ChainPlace {
    /// The rule set, the table and the chain.
    ///
    /// # Panics
    /// If these rule sets do not have the position.
    pub fn find(self, rulesets: &[Ruleset]) -> (&Ruleset, &Table, &Chain) {
        let ruleset = &rulesets[self.ruleset as usize];
        let table = &ruleset.tables[self.table as usize];
        (ruleset, table, &table.chains[self.chain as usize])
    }

    /// The table.
    ///
    /// # Panics
    /// If these rule sets do not have the position.
    pub fn table(self, rulesets: &[Ruleset]) -> &Table {
        &rulesets[self.ruleset as usize].tables[self.table as usize]
    }
}

impl Place {
    /// Whether these rule sets have the position. A position in other rule sets may be outside of
    /// these.
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
    /// If these rule sets do not have the position.
    pub fn rule(self, rulesets: &[Ruleset]) -> Option<&Rule> {
        let (_, _, chain) = self.at.find(rulesets);
        self.rule.map(|rule| &chain.rules[rule as usize])
    }
}
