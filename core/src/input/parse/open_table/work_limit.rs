//! The limit of the work that the commands of a text may cause. A hostile text repeats commands
//! that each visit a whole table.

use crate::netfilter::ruleset::{Chain, Ruleset, Table};
use crate::text::diagnostic::{Code, Problem, ProblemSink};

use super::super::command::{RuleCommand, Verb};
use super::OpenTable;

/// The maximum number of rules that the commands of a table may compare, which takes about half a
/// second.
const MAX_COMPARED_RULES: usize = 500_000;

/// The number of rules or chains that can be visited or moved in the time of one comparison, which
/// prints a rule.
const VISITS: usize = 64;

/// The number of chains that a deletion can move in the time of one comparison.
const MOVES: usize = 8;

impl OpenTable {
    /// Counts the work of a command for `rules` rules. Beyond the limit, the command is reported,
    /// and all that it may change is marked. Returns whether to carry it out.
    pub(in super::super) fn admits(
        &mut self,
        ruleset: &mut Ruleset,
        command: RuleCommand,
        (line, rules): (u32, usize),
        say: &mut ProblemSink,
    ) -> bool {
        let table = &ruleset.tables[self.table];
        let chain = command
            .chain
            .and_then(|word| self.find(table, &word.text))
            .map(|chain| chain as usize);
        let work = match chain {
            // The size of the table alone takes a visit.
            _ if self.is_exhausted && visits_table(command) => usize::MAX,
            Some(chain) => work_on_chain(table, &table.chains[chain], command, rules),
            None if visits_table(command) => table_size(table) / VISITS,
            None => 0,
        };
        if self.spend(work) {
            return true;
        }
        self.is_exhausted |= visits_table(command);
        let problem = Problem::new(
            Code::LimitExceeded,
            "these commands take too long to carry out; this one is skipped",
        );
        say(
            command.word.span,
            problem.hint("paste the output of `iptables-save` after these commands"),
        );
        match chain {
            _ if command.verb == Verb::Check => {}
            Some(chain) => self.mark_chain(ruleset, chain, None, line),
            None => self.skipped_at = Some(line),
        }
        false
    }

    /// Adds to the work of this table. Returns `false` if that exceeds the limit.
    pub(super) fn spend(&mut self, work: usize) -> bool {
        let is_within_limit = self.work.saturating_add(work) <= MAX_COMPARED_RULES;
        self.work += if is_within_limit { work } else { 0 };
        is_within_limit
    }

    /// Counts a visit of all chains. Returns `false` if that exceeds the limit.
    pub(super) fn spend_visit(&mut self, table: &Table) -> bool {
        self.spend(table.chains.len() / VISITS)
    }
}

/// Whether a command visits all chains of its table, or all rules.
fn visits_table(command: RuleCommand) -> bool {
    match command.verb {
        // Any rule may refer to the chain.
        Verb::DeleteChain => true,
        Verb::List => false,
        _ => command.chain.is_none(),
    }
}

/// The work of a command for one chain, in comparisons of rules.
fn work_on_chain(table: &Table, chain: &Chain, command: RuleCommand, rules: usize) -> usize {
    match (command.verb, command.number) {
        (Verb::Check | Verb::Delete, None) => chain_size(chain),
        // The rules after it move.
        (Verb::Insert | Verb::Delete | Verb::Replace, _) => chain_size(chain) * rules / VISITS,
        // Each rule may become a possible one.
        (Verb::Flush, _) => chain_size(chain) / VISITS,
        // The other chains move.
        (Verb::DeleteChain, _) => table_size(table) / MOVES,
        _ => 0,
    }
}

fn table_size(table: &Table) -> usize {
    table.chains.iter().map(chain_size).sum()
}

/// The number of rules that a chain holds or may hold, and one for the chain.
fn chain_size(chain: &Chain) -> usize {
    let possible: usize = chain.gaps.iter().map(|gap| 1 + gap.possible.len()).sum();
    1 + chain.rules.len() + possible
}
