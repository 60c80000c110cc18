//! The statements of listings. A rule consists of the words of a row, without the command.

use crate::iptables::extension::Id;
use crate::netfilter::ruleset::{Clause, Counters, Policy, Rule, Ruleset, Target, Value};

use super::super::open_table;
use super::super::source_line::SourceLine;
use super::super::words::{Rest, Word};
use super::{Assembler, CurrentTable};

/// A rule that a row of a listing shows.
pub(in super::super) struct ListedRule<'t> {
    /// The words of its conditions and of its target.
    pub(in super::super) words: Vec<Word<'t>>,
    /// The name and the words of a target that is not understood.
    pub(in super::super) unread_target: Option<String>,
    pub(in super::super) counters: Option<Counters>,
}

impl Assembler<'_, '_> {
    /// Declares a chain of the open table: `Chain OUTPUT (policy ACCEPT 12 packets, 720 bytes)`.
    pub(in super::super) fn declare_listed_chain(
        &mut self,
        line: &SourceLine,
        name: &str,
        policy: Option<Policy>,
        counters: Option<Counters>,
    ) {
        let Some(chain) = self.add_chain(line, name, "listed", counters) else {
            return;
        };
        chain.set_policy(policy.unwrap_or(Policy::Accept));
        if let Some(problem) = open_table::printed_name_problem(name, self.header.backend) {
            self.reports.of_line(line, problem);
        }
    }

    /// The position of a chain in the open table.
    pub(in super::super) fn find_chain(&self, name: &str) -> Option<usize> {
        let CurrentTable::Open(open) = &self.current else {
            return None;
        };
        let chains = &self.rulesets[open.ruleset].tables[open.table].chains;
        open.chains.find(chains, name).map(|place| place as usize)
    }

    /// The number of rules in a chain of the open table.
    pub(in super::super) fn count_rules(&self, chain: usize) -> usize {
        let CurrentTable::Open(open) = &self.current else {
            return 0;
        };
        self.rulesets[open.ruleset].tables[open.table].chains[chain]
            .rules
            .len()
    }

    /// The rule set of the open table, which stores the texts of values.
    pub(in super::super) fn open_ruleset(&mut self) -> Option<&mut Ruleset> {
        let CurrentTable::Open(open) = &self.current else {
            return None;
        };
        self.rulesets.get_mut(open.ruleset)
    }

    /// Appends a rule to a chain of the open table.
    pub(in super::super) fn append_listed_rule<'t>(
        &mut self,
        line: &SourceLine<'t>,
        chain: usize,
        listed: ListedRule<'t>,
    ) {
        let CurrentTable::Open(open) = &self.current else {
            return;
        };
        let ruleset = &mut self.rulesets[open.ruleset];
        let reports = &mut self.reports;
        let site = open.rule_site(false);
        let mut report = |span, problem| reports.in_line(line, span, problem);
        let words = &listed.words;
        let read = self.rule.read_rule(
            Rest {
                text: line.text,
                words,
            },
            ruleset,
            site,
            &mut report,
        );
        let mut rule = read.rule;
        if let Some(words) = listed.unread_target {
            let value = Value::Text(ruleset.keep(&words));
            ruleset
                .parts
                .push(part(Id::OPAQUE_TARGET, Clause::BARE, value));
            rule.parameters = 1;
            rule.target = Target::Extension(Id::OPAQUE_TARGET);
        }
        let counters = ruleset.count(listed.counters);
        self.push_rule(line, chain, Rule { counters, ..rule });
    }

    /// Appends a rule that may have any effect on any packet. `words` name it.
    pub(in super::super) fn append_unknown_rule(
        &mut self,
        line: &SourceLine,
        chain: usize,
        words: &str,
    ) {
        let Some(ruleset) = self.open_ruleset() else {
            return;
        };
        let text = ruleset.keep(words);
        let first = u32::try_from(ruleset.parts.len())
            .expect("parts are fewer than bytes of a text below 4 GiB");
        let (option, _) = Id::UNLISTED
            .get()
            .option("--words")
            .expect("it is in the table");
        ruleset.parts.extend([
            part(Id::UNLISTED, option, Value::Text(text)),
            part(Id::OPAQUE_TARGET, Clause::BARE, Value::Text(text)),
        ]);
        let rule = Rule {
            first,
            matches: 1,
            parameters: 1,
            target: Target::Extension(Id::OPAQUE_TARGET),
            ..Rule::default()
        };
        self.push_rule(line, chain, rule);
    }

    fn push_rule(&mut self, line: &SourceLine, chain: usize, rule: Rule) {
        let CurrentTable::Open(open) = &self.current else {
            return;
        };
        let rule = Rule {
            line: line.number,
            span: line.to_input(line.own_span(), self.reports.input),
            ..rule
        };
        let table = &mut self.rulesets[open.ruleset].tables[open.table];
        open_table::append(&mut table.chains[chain], rule);
    }
}

/// A part that opens its group.
fn part(extension: Id, option: u8, value: Value) -> Clause {
    Clause {
        extension,
        option,
        negated: false,
        opens: true,
        value,
    }
}
