//! Changes single rules. Each change is a change of the text, which is then parsed again.
//! Positions, lines and spans therefore stay valid, and the rest of the text stays as it is.
//!
//! A text that is not a list of rules in order, such as a script, is first printed as
//! `iptables-save` does.

use thiserror::Error;

use crate::input::parse::{self, Parsed};
use crate::iptables::print;
use crate::iptables::table_name::TableName;
use crate::netfilter::backend::Backend;
use crate::netfilter::place::{ChainPlace, Place};
use crate::netfilter::ruleset::{Chain, Off, Policy, Rule, Ruleset, Table, Target};
use crate::text::diagnostic::{Diagnostic, Severity, Span};

/// A change.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Replaces the words of a rule. The words are those after `-A CHAIN`.
    Change(Place, String),
    /// Adds a rule with these words at a position of a chain, from 0. A position after the last
    /// rule adds it at the end.
    Add(ChainPlace, u32, String),
    /// Swaps two rules of one chain: a rule, and the position of the other, from 0.
    Swap(Place, u32),
    /// Switches a rule off: it stays in the text after a `#`.
    Off(Place),
    /// Switches a rule on again: the rule set, and the position in [`Ruleset::off`].
    On(u32, u32),
    /// Deletes a rule.
    Delete(Place),
    /// Sets the policy of a built-in chain.
    Policy(ChainPlace, Policy),
}

/// The reason why a change is refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("column {column}: {message}")]
pub struct Refused {
    /// The position in the given words, in characters from 1. It is 1 if the reason concerns no
    /// word.
    pub column: usize,
    /// The problem and the advice.
    pub message: String,
}

fn refused<T>(column: usize, message: impl Into<String>) -> Result<T, Refused> {
    Err(Refused {
        column,
        message: message.into(),
    })
}

/// Makes one change.
///
/// # Errors
/// If the words are not a rule, or these rule sets do not have the position.
pub fn edit(parsed: &Parsed, edit: &Edit) -> Result<Parsed, Refused> {
    let at = match edit {
        Edit::Change(place, _) | Edit::Swap(place, _) | Edit::Off(place) | Edit::Delete(place) => {
            place.at
        }
        Edit::Add(at, ..) | Edit::Policy(at, _) => *at,
        Edit::On(ruleset, place) => {
            let set = parsed.rulesets.get(*ruleset as usize);
            let found = set.and_then(|set| set.off.get(*place as usize));
            let Some(&Off { table, chain, .. }) = found else {
                return refused(1, "this rule no longer exists");
            };
            ChainPlace {
                ruleset: *ruleset,
                table,
                chain,
            }
        }
    };
    let Some(site) = EditSite::find(parsed, at) else {
        return refused(1, "this chain no longer exists");
    };
    let words = match edit {
        Edit::Change(_, words) | Edit::Add(_, _, words) => Some(site.words(words)?),
        Edit::On(_, place) => {
            let off = &site.ruleset.off[*place as usize];
            let rule = parse::disabled_rule(off.span.slice(site.text)).unwrap_or_default();
            site.words(rule)?;
            None
        }
        Edit::Policy(..) if site.chain.hook().is_none() => {
            return refused(1, "only a built-in chain has a policy");
        }
        Edit::Policy(_, Policy::Drop) if site.table.is(TableName::Nat) => {
            return refused(1, "table nat does not allow DROP: use it in table filter");
        }
        _ => None,
    };
    if site.is_plain()
        && let Some(done) = site.text(edit, words.as_deref())
    {
        let again = parse::again(parsed, site.ruleset.source, done);
        if fits(&parsed.rulesets, &again.rulesets, at, edit) {
            return Ok(again);
        }
    }
    // A second attempt, in the text that iptables-save would print. Rules that are switched off
    // have no position in it.
    let source = site.ruleset.source;
    let printed = print::dump(parsed.rulesets.iter().filter(|set| set.source == source));
    let printed = parse::again(parsed, source, printed);
    let done = EditSite::find(&printed, at).and_then(|site| site.text(edit, words.as_deref()));
    let again = done.map(|text| parse::again(&printed, source, text));
    match again.filter(|again| fits(&parsed.rulesets, &again.rulesets, at, edit)) {
        Some(again) => Ok(again),
        None => refused(
            1,
            "this text has parts in several formats: change the text itself",
        ),
    }
}

/// The reason why a rule cannot be written for a chain with this name.
fn invalid_chain_name(name: &str, backend: Option<Backend>) -> Option<String> {
    let problem = parse::printed_name_problem(name, backend);
    problem
        .filter(|problem| problem.severity == Severity::Error)
        .map(|problem| problem.message)
}

/// Whether a change has the intended result: the same number of rule sets, and the expected number
/// of rules in the chain.
fn fits(before: &[Ruleset], after: &[Ruleset], at: ChainPlace, edit: &Edit) -> bool {
    let length = |rulesets: &[Ruleset]| {
        let table = rulesets
            .get(at.ruleset as usize)?
            .tables
            .get(at.table as usize)?;
        Some(table.chains.get(at.chain as usize)?.rules.len())
    };
    let more = match edit {
        Edit::Add(..) | Edit::On(..) => 1,
        Edit::Off(_) | Edit::Delete(_) => -1,
        Edit::Change(..) | Edit::Swap(..) | Edit::Policy(..) => 0,
    };
    let wanted = length(before).and_then(|length| length.checked_add_signed(more));
    before.len() == after.len() && wanted == length(after)
}

/// The chain to change, with its surroundings.
struct EditSite<'a> {
    text: &'a str,
    ruleset: &'a Ruleset,
    table: &'a Table,
    chain: &'a Chain,
}

impl<'a> EditSite<'a> {
    fn find(parsed: &'a Parsed, at: ChainPlace) -> Option<Self> {
        let ruleset = parsed.rulesets.get(at.ruleset as usize)?;
        let table = ruleset.tables.get(at.table as usize)?;
        let chain = table.chains.get(at.chain as usize)?;
        Some(Self {
            text: parsed.sources.get(ruleset.source as usize)?,
            ruleset,
            table,
            chain,
        })
    }

    /// Parses words as one rule without an error, and returns them as iptables-save prints them
    /// after `-A CHAIN`.
    fn words(&self, words: &str) -> Result<String, Refused> {
        let lead = format!("-A {} ", self.chain.name);
        let skipped = words.len() - words.trim_start().len();
        let given = words.trim_start();
        let (skipped, given) = match given.strip_prefix(&lead) {
            Some(rest) => (skipped + lead.len(), rest),
            None => (skipped, given),
        };
        if let Some(at) = words.find(['\n', '\r']) {
            return refused(words[..at].chars().count() + 1, "a rule is one line");
        }
        // The backend decides which chain names are errors.
        let mut text = print::header(self.ruleset);
        text.push_str(&format!("*{}\n", self.table.name));
        for chain in &self.table.chains {
            let policy = if chain.hook().is_some() {
                "ACCEPT"
            } else {
                "-"
            };
            text.push_str(&format!(":{} {policy} [0:0]\n", chain.name));
        }
        let start = text.len() + lead.len();
        text.push_str(&format!("{lead}{given}\nCOMMIT\n"));
        let line = text[..start].matches('\n').count() + 1;
        let read = parse::strictly(text);
        let columns = words[..skipped].chars().count();
        // The lines before it declare chains, which may have invalid names.
        let is_of_rule = |remark: &&Diagnostic| {
            remark.severity == Severity::Error && remark.line as usize >= line
        };
        if let Some(wrong) = read.diagnostics.iter().find(is_of_rule) {
            let hint = wrong
                .hint
                .as_ref()
                .map(|hint| format!(": {hint}"))
                .unwrap_or_default();
            let column = (wrong.column as usize + columns)
                .saturating_sub(lead.chars().count())
                .max(1);
            return refused(column, format!("{}{hint}", wrong.message));
        }
        let set = read
            .rulesets
            .first()
            .and_then(|set| Some((set, set.tables.first()?)));
        let found =
            set.and_then(|(set, table)| Some((set, table, table.chain(&self.chain.name)?.1)));
        match found.map(|(set, table, chain)| (set, table, &chain.rules[..])) {
            Some((set, table, [rule])) => {
                let target = match rule.target {
                    Target::Jump(chain) | Target::Goto(chain) => {
                        Some(&*table.chains[chain as usize].name)
                    }
                    _ => None,
                };
                let problems = [Some(&*self.chain.name), target].into_iter().flatten();
                match problems
                    .into_iter()
                    .find_map(|name| invalid_chain_name(name, set.backend))
                {
                    Some(problem) => refused(1, problem),
                    None => Ok(print::rule(set, table, rule)),
                }
            }
            Some((_, _, [_, ..])) => refused(1, "these words make several rules: use one address"),
            _ => refused(
                1,
                "these words are not a rule: write the words after -A and the name of the chain",
            ),
        }
    }

    /// Whether every rule of the rule set has its own line that appends it, in order.
    fn is_plain(&self) -> bool {
        let mut chains = self.ruleset.tables.iter().flat_map(|table| &table.chains);
        chains.all(|chain| {
            chain.rules.iter().all(|rule: &Rule| {
                let line = rule.span.slice(self.text);
                line.starts_with("-A ") || (line.starts_with('[') && line.contains("] -A "))
            }) && chain.rules.is_sorted_by(|one, next| one.line < next.line)
        })
    }

    /// The whole text after the change.
    fn text(&self, edit: &Edit, words: Option<&str>) -> Option<String> {
        let rule = |place: u32| self.chain.rules.get(place as usize).map(|rule| rule.span);
        let line = words.map(|words| format!("-A {} {words}", self.chain.name));
        match edit {
            Edit::Change(place, _) => Some(self.with(rule(place.rule?)?, &line?)),
            Edit::Add(_, place, _) => {
                let gap = self.gap(*place);
                let breaks = if self.text[..gap.start as usize].ends_with('\n') {
                    ""
                } else {
                    "\n"
                };
                Some(self.with(gap, &format!("{breaks}{}\n", line?)))
            }
            Edit::Swap(place, other) => {
                let (one, other) = (rule(place.rule?)?, rule(*other)?);
                let (first, second) = if one.start < other.start {
                    (one, other)
                } else {
                    (other, one)
                };
                let text = |from: u32, to: u32| {
                    Span {
                        start: from,
                        end: to,
                    }
                    .slice(self.text)
                };
                let end = u32::try_from(self.text.len()).ok()?;
                Some(
                    [
                        text(0, first.start),
                        second.slice(self.text),
                        text(first.end, second.start),
                        first.slice(self.text),
                        text(second.end, end),
                    ]
                    .concat(),
                )
            }
            Edit::Off(place) => {
                let start = rule(place.rule?)?.start;
                Some(self.with(Span { start, end: start }, "#"))
            }
            Edit::On(_, place) => {
                let Off { span, .. } = *self.ruleset.off.get(*place as usize)?;
                let rule = span.slice(self.text).trim_start_matches('#').trim_start();
                Some(self.with(span, rule))
            }
            Edit::Delete(place) => {
                let span = rule(place.rule?)?;
                Some(self.with(
                    Span::new(self.line_start(span.start), self.line_end(span.end)),
                    "",
                ))
            }
            Edit::Policy(_, policy) => {
                let line = self.chain.line? as usize;
                let start: usize = self
                    .text
                    .split_inclusive('\n')
                    .take(line - 1)
                    .map(str::len)
                    .sum();
                let counters = self
                    .chain
                    .counters
                    .counters(self.ruleset)
                    .unwrap_or_default();
                let end = start + self.text[start..].lines().next().map_or(0, str::len);
                Some(self.with(
                    Span::new(start, end),
                    &format!(":{} {} {counters}", self.chain.name, policy.name()),
                ))
            }
        }
    }

    fn with(&self, span: Span, new: &str) -> String {
        let (before, behind) = (
            &self.text[..span.start as usize],
            &self.text[span.end as usize..],
        );
        [before, new, behind].concat()
    }

    /// The empty span at which a line begins or must begin.
    fn gap(&self, place: u32) -> Span {
        let rules = &self.chain.rules;
        let at = match (rules.get(place as usize), rules.last()) {
            (Some(rule), _) => self.line_start(rule.span.start),
            (None, Some(last)) => self.line_end(last.span.end),
            // For an empty chain: before the end of its table.
            (None, None) => {
                let mut at = 0;
                for (number, line) in (1..).zip(self.text.split_inclusive('\n')) {
                    let ends = line.trim() == "COMMIT" || line.starts_with('*');
                    if number > self.table.line && ends {
                        break;
                    }
                    at += line.len();
                }
                at
            }
        };
        Span::new(at, at)
    }

    fn line_start(&self, at: u32) -> usize {
        self.text[..at as usize]
            .rfind('\n')
            .map_or(0, |end| end + 1)
    }

    /// The position after the line end.
    fn line_end(&self, at: u32) -> usize {
        self.text[at as usize..]
            .find('\n')
            .map_or(self.text.len(), |end| at as usize + end + 1)
    }
}
