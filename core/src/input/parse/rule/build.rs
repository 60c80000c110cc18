//! Makes a rule from the parsed clauses: adds implied options, sorts and validates the clauses, and
//! expands lists of addresses.

use crate::iptables::extension::header::is_any;
use crate::iptables::extension::{Given, Id, Options};
use crate::iptables::table_name::TableName;
use crate::netfilter::ruleset::{Clause, Rule, Ruleset, Value};
use crate::packet::Protocol;
use crate::text::diagnostic::{Code, Problem, ProblemSink, Span};

use super::super::rule_templates::What;
use super::super::validate_rule;
use super::{MAX_RULES_PER_LINE, RuleInput, RuleLine, RuleReader, TARGET, group};

/// If a text has this many clauses, lists of addresses are not expanded.
const MAX_CLAUSES: usize = 1 << 21;

impl RuleReader {
    /// Adds an option under its canonical name. Options without effect are omitted.
    pub(super) fn add(
        &mut self,
        (group, id, place): (u16, Id, u8),
        negated: bool,
        value: Value,
        ruleset: &Ruleset,
    ) {
        let opt = &id.get().options[usize::from(place)];
        let option = canonical(id, place);
        if let (Id::HEADER, "-p", Value::Number(number) | Value::Range(number, _)) =
            (id, opt.flag, &value)
        {
            self.named = u8::try_from(*number).ok().map(Protocol);
            self.protocol = self.named.filter(|_| !negated);
        }
        let list = id == Id::HEADER && self.lists.iter().any(|(listed, _)| *listed == option);
        if !negated && !list && is_any(id, &value, opt, ruleset) {
            return;
        }
        let bare = |(g, part): &(u16, Clause)| {
            *g == group && part.option == Clause::BARE && part.extension == id
        };
        if let Some(bare) = self.parts.iter().position(bare) {
            self.parts.remove(bare);
        }
        self.parts.push((
            group,
            Clause {
                extension: id,
                option,
                negated,
                opens: false,
                value,
            },
        ));
    }

    /// Adds the implied options.
    pub(super) fn imply(&mut self, ruleset: &mut Ruleset) {
        for place in 0..=self.matches.len() {
            let opened = self
                .matches
                .get(place)
                .map(|(id, _)| (group(place + 1), *id));
            let Some((group, id)) = opened.or(self.target.map(|(id, _)| (TARGET, id))) else {
                continue;
            };
            for implied in id.get().implied {
                let wanted = implied.with.is_none_or(|with| self.gives(group, with));
                let Some((place, opt)) = id.get().option(implied.flag).filter(|_| wanted) else {
                    continue;
                };
                if self.gives(group, implied.flag)
                    || implied.without.iter().any(|flag| self.gives(group, flag))
                {
                    continue;
                }
                if let Ok(value) = opt.kind.parse(&[implied.value], ruleset) {
                    self.add((group, id, place), false, value, ruleset);
                }
            }
        }
    }

    /// Whether a group has an option so far.
    pub(super) fn gives(&self, group: u16, flag: &str) -> bool {
        self.parts
            .iter()
            .any(|(g, part)| *g == group && part.opt().is_some_and(|opt| opt.flag == flag))
    }

    /// Moves the clauses to the rule set: matches in their order, and the options of each in the
    /// order of its table.
    pub(super) fn finish(&mut self, line: &mut RuleLine, input: &mut RuleInput) {
        let ruleset = &mut *input.ruleset;
        sort(&mut self.parts);
        for value in &mut self.taken {
            if let What::Value {
                group,
                id,
                option,
                part,
            } = &mut value.what
            {
                let kept_as = canonical(*id, *option);
                let of_it = |(own, part): &(u16, Clause)| own == group && part.option == kept_as;
                let place = self.parts.iter().position(of_it);
                let alone = place.filter(|place| !self.parts[place + 1..].iter().any(of_it));
                *part = alone.and_then(|place| u16::try_from(place).ok());
            }
        }
        let narrow =
            |n: usize| u32::try_from(n).expect("parts are fewer than bytes of a text below 4 GiB");
        let first = narrow(ruleset.parts.len());
        let matches = self
            .parts
            .iter()
            .filter(|(group, _)| *group != TARGET)
            .count();
        let parameters = self.parts.len() - matches;
        let mut last = None;
        self.groups.clear();
        ruleset
            .parts
            .extend(self.parts.drain(..).map(|(group, part)| {
                let opens = last.replace(group) != Some(group);
                if opens {
                    self.groups.push(group);
                }
                Clause { opens, ..part }
            }));
        let count = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        line.rule.first = first;
        line.rule.matches = count(matches);
        line.rule.parameters = count(parameters);
        let table = line.table.unwrap_or(input.site.name);
        self.check(&line.rule, table, ruleset, input.say);
        self.multiply(line, ruleset, input.say);
    }

    /// Reports the errors of a rule as a whole that iptables or the kernel would report.
    pub(super) fn check(
        &self,
        rule: &Rule,
        table: TableName,
        ruleset: &Ruleset,
        say: &mut ProblemSink,
    ) {
        // An unreadable part may be the one that seems to be missing.
        if ruleset
            .matches(rule)
            .iter()
            .any(|part| part.extension == Id::STRAY)
        {
            return;
        }
        let given = |parts| Given {
            options: Options { parts, ruleset },
            family: ruleset.family,
            table,
            protocol: self.protocol,
            matches: ruleset.matches(rule),
        };
        for (group, parts) in self.groups.iter().zip(ruleset.groups(rule)) {
            let span = match usize::from(*group)
                .checked_sub(1)
                .and_then(|place| self.matches.get(place))
            {
                Some((_, span)) => *span,
                None => Span::default(),
            };
            validate_rule::group(parts[0].extension, given(parts), span, say);
        }
        if let Some((id, span)) = self.target {
            validate_rule::group(id, given(ruleset.parameters(rule)), span, say);
        }
    }

    /// Makes a rule of every combination of the addresses in the lists.
    pub(super) fn multiply(
        &mut self,
        line: &mut RuleLine,
        ruleset: &mut Ruleset,
        say: &mut ProblemSink,
    ) {
        if self.lists.is_empty() {
            return;
        }
        if ruleset.parts.len() > MAX_CLAUSES {
            let problem = Problem::new(
                Code::LimitExceeded,
                "the lists of addresses make too many rules; only the first address is used",
            );
            say(Span::default(), problem.hint("paste fewer of them at once"));
            self.lists.clear();
        }
        // Sources vary slower than destinations, as in iptables' nested loops.
        self.lists.sort_by_key(|(option, _)| *option);
        for (option, values) in self.lists.drain(..) {
            let before: Vec<Rule> = std::iter::once(&line.rule)
                .chain(&line.more)
                .cloned()
                .collect();
            let mut all = Vec::new();
            for rule in before {
                all.push(rule.clone());
                all.extend(values.iter().map(|value: &Value| {
                    let start = ruleset.parts.len();
                    let end = rule.first as usize
                        + usize::from(rule.matches)
                        + usize::from(rule.parameters);
                    ruleset.parts.extend_from_within(rule.first as usize..end);
                    let parts = &mut ruleset.parts[start..];
                    let mut parts = parts.iter_mut().filter(|part| part.extension == Id::HEADER);
                    if let Some(part) = parts.find(|part| part.option == option) {
                        part.value = value.clone();
                    }
                    Rule {
                        first: u32::try_from(start).unwrap_or(u32::MAX),
                        ..rule.clone()
                    }
                }));
            }
            all.truncate(MAX_RULES_PER_LINE);
            line.more = all.split_off(1);
        }
    }
}

/// Sorts clauses into print order. They are few and nearly sorted: a rule of 20 words has a
/// handful.
fn sort(parts: &mut [(u16, Clause)]) {
    let place = |part: &Clause| {
        if part.extension().ordered {
            0
        } else {
            part.option
        }
    };
    let key = |(group, part): &(u16, Clause)| (*group, place(part));
    for end in 1..parts.len() {
        let mut at = end;
        while at > 0 && key(&parts[at - 1]) > key(&parts[at]) {
            parts.swap(at - 1, at);
            at -= 1;
        }
    }
}

/// The option that stores this one.
pub(super) fn canonical(id: Id, place: u8) -> u8 {
    let extension = id.get();
    let stored_as = extension.options[usize::from(place)].stored_as;
    stored_as
        .and_then(|flag| extension.option(flag))
        .map_or(place, |(canonical, _)| canonical)
}
