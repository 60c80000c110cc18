//! The template that a parsed rule gives for similar rules.

use crate::iptables::print;
use crate::netfilter::ruleset::{Clause, Rule, Ruleset, Target, Value};
use crate::text::diagnostic::Span;

use super::super::command::Verb;
use super::super::open_table::OpenTable;
use super::super::rule_templates::{RuleTemplate, What};
use super::super::source_line::SourceLine;
use super::super::words::{self, Rest};
use super::{RuleLine, RuleReader};

impl RuleReader {
    /// The template of the rule that was just parsed without diagnostics.
    pub(in super::super) fn shape(
        &self,
        text: &str,
        span: Span,
        line: &RuleLine,
        ruleset: &Ruleset,
    ) -> Option<RuleTemplate> {
        let appends = line
            .command
            .is_some_and(|command| command.verb == Verb::Append);
        if !appends || !line.more.is_empty() || line.table.is_some() || line.rule.counters.is_some()
        {
            return None;
        }
        let [first, ..] = &self.taken[..] else {
            return None;
        };
        let mut shape = RuleTemplate {
            line: span.slice(text).into(),
            start: span.start,
            values: self.taken.clone(),
            parts: ruleset.parts[line.rule.first as usize..].to_vec(),
            rule: line.rule.clone(),
            protocol: self.protocol,
            next: [0; 2],
        };
        for value in &self.taken {
            if let What::Value { part, .. } = value.what {
                shape.parts[usize::from(part?)].value = Value::None;
            }
        }
        let plain = matches!(first.what, What::Chain) && first.span.start == span.start + 3;
        (plain && self.taken.len() <= RuleTemplate::MAX_VALUES).then_some(shape)
    }

    /// Whether a rule from a template equals the rule that is parsed word by word.
    pub(in super::super) fn agrees(
        &mut self,
        line: &SourceLine,
        ruleset: &mut Ruleset,
        open: &OpenTable,
        (chain, rule): (usize, &Rule),
    ) -> bool {
        let mut words = Vec::new();
        let split = words::split(line.line, line.start, &mut words);
        let first = usize::from(words.first().is_some_and(|word| word.text.starts_with('[')));
        let (parts, strings, missing) = (
            ruleset.parts.len(),
            ruleset.strings.len(),
            ruleset.missing.len(),
        );
        let mut quiet = split.is_ok();
        let site = open.rule_site(true);
        let read = self.read_rule(
            Rest {
                text: line.text,
                words: &words[first..],
            },
            ruleset,
            site,
            &mut |_, _| quiet = false,
        );
        let table = &ruleset.tables[open.table];
        let printed = |rule| print::rule(ruleset, table, rule);
        // The name of an undefined chain may be stored twice.
        let target = |rule: &Rule| match rule.target {
            Target::Missing { goto, .. } => Target::Missing { name: 0, goto },
            target => target,
        };
        let alike = printed(rule) == printed(&read.rule)
            && (rule.matches, rule.parameters, target(rule))
                == (read.rule.matches, read.rule.parameters, target(&read.rule))
            && ruleset
                .groups(rule)
                .map(<[Clause]>::len)
                .eq(ruleset.groups(&read.rule).map(<[Clause]>::len))
            && read
                .command
                .and_then(|command| command.chain)
                .is_some_and(|word| *word.text == *table.chains[chain].name);
        ruleset.parts.truncate(parts);
        ruleset.strings.truncate(strings);
        ruleset.missing.truncate(missing);
        quiet && alike && read.more.is_empty()
    }
}
