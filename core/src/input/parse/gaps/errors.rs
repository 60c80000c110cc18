//! Rules with errors: what the kernel holds in their place is unknown.

use std::collections::HashMap;

use crate::iptables::extension::Id;
use crate::netfilter::gap::{Gap, GapReason};
use crate::netfilter::ruleset::{Rule, Ruleset, Target};
use crate::text::diagnostic::{Code, Diagnostic, Severity};

use super::super::Parsed;
use super::to_u32;

/// The errors of each line, by source and line.
pub(super) type ErrorCounts = HashMap<(u32, u32), LineErrors>;

/// The errors of one line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LineErrors {
    /// How many concern one option or the target alone, so that the rest of the rule is as it was.
    confined: usize,
    /// Whether another may have changed what the whole rule means: a lost `!`, say.
    is_open: bool,
}

impl LineErrors {
    /// Whether more may be wrong with a rule than what it keeps as undetermined.
    fn may_concern_more(self, ruleset: &Ruleset, rule: &Rule) -> bool {
        // A word that is not understood may have been the rule's `-j`.
        let may_lack_target = matches!(rule.target, Target::None);
        self.is_open || may_lack_target || self.confined > errors_kept_in(ruleset, rule)
    }
}

/// The errors of a text by their lines.
pub(super) fn by_line(parsed: &Parsed) -> ErrorCounts {
    let mut counts = ErrorCounts::new();
    // A walk that comes to a loop stops there by itself.
    let matters = |code: Code| code != Code::ChainLoop;
    // A part of a rule that iptables itself could not print is reported as a warning: `[unsupported revision]`.
    let is_error =
        |diagnostic: &&Diagnostic| diagnostic.severity == Severity::Error || diagnostic.code == Code::UnexpectedWord;
    let errors = parsed.diagnostics.iter().filter(is_error);
    for diagnostic in errors.filter(|diagnostic| matters(diagnostic.code)) {
        let errors = counts.entry((diagnostic.source, diagnostic.line)).or_default();
        match diagnostic.code {
            // The rule keeps what iptables could not print.
            Code::UnexpectedWord if diagnostic.severity == Severity::Warning => errors.confined += 1,
            Code::InvalidValue | Code::MissingValue | Code::LostAddress | Code::UnknownOption | Code::UnknownTarget => {
                errors.confined += 1;
            }
            _ => errors.is_open = true,
        }
    }
    counts
}

/// Marks rules with errors that no condition and no target of theirs represents: iptables refuses the whole rule.
pub(super) fn mark_damaged_rules(ruleset: &mut Ruleset, errors: &ErrorCounts) {
    let source = ruleset.source;
    let mut damaged: Vec<(usize, usize, Gap)> = Vec::new();
    for (table_at, table) in ruleset.tables.iter().enumerate() {
        for (chain_at, chain) in table.chains.iter().enumerate() {
            let gap = |before: usize, line| Gap::new(to_u32(before), GapReason::Damaged, line);
            let rules = chain.rules.iter().enumerate();
            let wrong = rules.filter(|(_, rule)| {
                errors.get(&(source, rule.line)).is_some_and(|errors| errors.may_concern_more(ruleset, rule))
            });
            damaged.extend(wrong.map(|(at, rule)| (table_at, chain_at, gap(at, Some(rule.line)))));
            if chain.base.is_some() && chain.line.is_some_and(|line| errors.contains_key(&(source, line))) {
                damaged.push((table_at, chain_at, gap(chain.rules.len(), chain.line)));
            }
        }
    }
    for (table, chain, gap) in damaged {
        ruleset.tables[table].chains[chain].add_gap(gap);
    }
}

/// How many errors of a rule it represents itself, as an undetermined condition or an unknown target.
fn errors_kept_in(ruleset: &Ruleset, rule: &Rule) -> usize {
    let conditions = ruleset.matches(rule).iter().filter(|part| part.extension == Id::STRAY).count();
    let is_unknown = matches!(rule.target, Target::Missing { .. } | Target::Extension(Id::OPAQUE_TARGET));
    conditions + usize::from(is_unknown)
}
