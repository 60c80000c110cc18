//! Rules with errors. It is unknown which rules the kernel holds instead of them.

use crate::iptables::extension::Id;
use crate::netfilter::gap::{Gap, GapReason};
use crate::netfilter::ruleset::{Rule, Ruleset, Target};
use crate::text::diagnostic::{Code, Diagnostic, Severity, Span};

use super::super::Parsed;
use super::to_u32;

/// An error of a text.
#[derive(Clone, Copy, Debug)]
struct TextError {
    source: u32,
    start: u32,
    line: u32,
    /// Whether it concerns only one option or the target, so that the rest of the rule is valid.
    /// Another error, such as a lost `!`, may change the meaning of the whole rule.
    is_confined: bool,
}

/// The errors of a text, by source and position.
pub(super) struct TextErrors(Vec<TextError>);

impl TextErrors {
    pub(super) fn from_parsed(parsed: &Parsed) -> Self {
        // A walk that reaches a loop stops there by itself. A part of a rule that iptables itself
        // could not print is reported as a warning: `[unsupported revision]`.
        let errors = parsed
            .diagnostics
            .iter()
            .filter(|diagnostic: &&Diagnostic| {
                let is_error = diagnostic.severity == Severity::Error
                    || diagnostic.code == Code::UnexpectedWord;
                is_error && diagnostic.code != Code::ChainLoop
            })
            .map(|diagnostic| TextError {
                source: diagnostic.source,
                start: diagnostic.span.start,
                line: diagnostic.line,
                is_confined: match diagnostic.code {
                    // The rule keeps the part that iptables could not print.
                    Code::UnexpectedWord => diagnostic.severity == Severity::Warning,
                    Code::InvalidValue
                    | Code::MissingValue
                    | Code::LostAddress
                    | Code::UnknownOption
                    | Code::UnknownTarget => true,
                    _ => false,
                },
            });
        let mut errors: Vec<TextError> = errors.collect();
        errors.sort_unstable_by_key(|error| (error.source, error.start));
        Self(errors)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The errors within a span. A rule may extend over several lines, and a line may contain
    /// several rules.
    fn within(&self, source: u32, span: Span) -> &[TextError] {
        let first = self
            .0
            .partition_point(|error| (error.source, error.start) < (source, span.start));
        let end = self
            .0
            .partition_point(|error| (error.source, error.start) <= (source, span.end));
        &self.0[first..end.max(first)]
    }

    /// Whether a rule may have more faults than the parts that it keeps as undetermined.
    fn may_change(&self, ruleset: &Ruleset, rule: &Rule) -> bool {
        let errors = self.within(ruleset.source, rule.span);
        // A word that is not understood may have been the rule's `-j`.
        let may_lack_target = matches!(rule.target, Target::None);
        let is_open = errors.iter().any(|error| !error.is_confined);
        !errors.is_empty()
            && (is_open || may_lack_target || errors.len() > errors_kept_in(ruleset, rule))
    }

    fn is_on_line(&self, source: u32, line: u32) -> bool {
        self.0
            .iter()
            .any(|error| (error.source, error.line) == (source, line))
    }
}

/// Marks rules with errors that none of their conditions and targets represents. iptables refuses
/// the whole rule.
pub(super) fn mark_damaged_rules(ruleset: &mut Ruleset, errors: &TextErrors) {
    let source = ruleset.source;
    let mut damaged: Vec<(usize, usize, Gap)> = Vec::new();
    for (table_at, table) in ruleset.tables.iter().enumerate() {
        for (chain_at, chain) in table.chains.iter().enumerate() {
            let gap = |before: usize, line| Gap::new(to_u32(before), GapReason::Damaged, line);
            let rules = chain.rules.iter().enumerate();
            let wrong = rules.filter(|(_, rule)| errors.may_change(ruleset, rule));
            damaged.extend(wrong.map(|(at, rule)| (table_at, chain_at, gap(at, Some(rule.line)))));
            if chain.base.is_some()
                && chain
                    .line
                    .is_some_and(|line| errors.is_on_line(source, line))
            {
                damaged.push((table_at, chain_at, gap(chain.rules.len(), chain.line)));
            }
        }
    }
    for (table, chain, gap) in damaged {
        ruleset.tables[table].chains[chain].add_gap(gap);
    }
}

/// The number of errors of a rule that the rule itself represents, as an undetermined condition or
/// an unknown target.
fn errors_kept_in(ruleset: &Ruleset, rule: &Rule) -> usize {
    let conditions = ruleset
        .matches(rule)
        .iter()
        .filter(|part| part.extension == Id::STRAY)
        .count();
    let is_unknown = matches!(
        rule.target,
        Target::Missing { .. } | Target::Extension(Id::OPAQUE_TARGET)
    );
    conditions + usize::from(is_unknown)
}
