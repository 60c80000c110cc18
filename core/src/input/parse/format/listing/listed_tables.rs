//! Reads the tables of a listing, one after the other.

use crate::iptables::table_name::TableName;
use crate::netfilter::backend::Backend;
use crate::netfilter::ruleset::Ruleset;
use crate::packet::Family;
use crate::text::diagnostic::{Code, DiagnosticSink, Problem, Span};

use super::super::super::assemble::MAX_RULESETS;
use super::super::super::open_table::OpenTable;
use super::super::super::rule::RuleReader;
use super::super::super::validate_table;
use super::head::{Head, Shown};
use super::line::Line;
use super::losses::Losses;
use super::phrases::Phrases;
use super::rows::TableReader;
use super::table::{self, Told};

/// What is known of a listing from around it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Around {
    pub(super) family: Option<Family>,
    pub(super) backend: Option<Backend>,
    /// The table of the command that printed it.
    pub(super) table: Option<TableName>,
    /// Which of the texts, from 0.
    pub(super) source: u32,
    /// The number of its first line, from 1.
    pub(super) line: u32,
}

/// A table that a listing showed.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    /// The place of its rule set.
    pub(super) ruleset: usize,
    pub(super) table: TableName,
    /// The options that print it so: ` -v -n`.
    pub(super) options: String,
}

/// Reads the listings of one paste: each loss is said once.
#[derive(Default)]
pub(in super::super::super) struct Listings {
    phrases: Option<Phrases>,
    pub(super) rules: RuleReader,
    pub(super) losses: Losses,
    /// The rule set that the last listing went into.
    last: Option<usize>,
}

impl Listings {
    /// Reads the listing that stands at a place of the text, from its first `Chain …` or head of
    /// columns to its end.
    pub(super) fn read(
        &mut self,
        text: &str,
        at: Span,
        around: Around,
        rulesets: &mut Vec<Ruleset>,
        say: &mut DiagnosticSink,
    ) -> Vec<Listed> {
        let mut start = at.start as usize;
        let lines = at
            .slice(text)
            .split('\n')
            .zip(around.line..)
            .map(|(text, number)| {
                let line = Line {
                    number,
                    start,
                    text: text.trim_end_matches('\r'),
                };
                start += text.len() + 1;
                line
            });
        let lines: Vec<Line> = lines.collect();
        let mut listed = Vec::new();
        for lines in tables(&lines) {
            match self.table(text, lines, around, rulesets, say) {
                Some(one) => listed.push(one),
                None => break,
            }
        }
        listed
    }

    /// Reads the lines of one table.
    fn table(
        &mut self,
        text: &str,
        lines: &[Line],
        around: Around,
        rulesets: &mut Vec<Ruleset>,
        say: &mut DiagnosticSink,
    ) -> Option<Listed> {
        let first = lines.first()?;
        let shown = Shown::of(lines);
        let family = around.family.unwrap_or(shown.family);
        let told = around
            .table
            .map_or_else(|| table::tell(&shown.evidence), Told::Surely);
        let (Told::Surely(name) | Told::Only(name) | Told::Likely(name)) = told;
        let continues = |set: &Ruleset| {
            let same = set.source == around.source
                && set.family == family
                && set.backend == around.backend;
            same && set.table(name).is_none()
        };
        let last = self
            .last
            .filter(|last| rulesets.get(*last).is_some_and(continues));
        let place = match last {
            Some(last) => last,
            None if rulesets.len() >= MAX_RULESETS => {
                let problem = Problem::new(
                    Code::LimitExceeded,
                    format!(
                        "this text holds more than {MAX_RULESETS} rule sets; the rest is left out"
                    ),
                );
                say(
                    first.number,
                    first.span(),
                    problem.hint("paste fewer of them at once"),
                );
                return None;
            }
            None => {
                rulesets.push(Ruleset {
                    source: around.source,
                    ..Ruleset::new(family, around.backend)
                });
                rulesets.len() - 1
            }
        };
        self.last = Some(place);
        if let Some(problem) = told.problem() {
            say(first.number, first.span(), problem);
        }
        let ruleset = &mut rulesets[place];
        ruleset.tables.push(name.empty_table(family, first.number));
        let open = OpenTable::new(ruleset.backend, place, ruleset.tables.len() - 1, name);
        let phrases = self
            .phrases
            .take()
            .filter(|phrases| phrases.family() == family);
        let phrases = phrases.unwrap_or_else(|| Phrases::new(family));
        let mut reader = TableReader {
            text,
            ruleset,
            open,
            phrases: &phrases,
            listings: self,
            say,
        };
        reader.chains(lines);
        reader.rules(lines);
        let TableReader {
            ruleset, open, say, ..
        } = reader;
        validate_table::table(ruleset, open.table, &open.chains, say);
        self.phrases = Some(phrases);
        Some(Listed {
            ruleset: place,
            table: name,
            options: shown.options(),
        })
    }
}

/// The lines of each table: the next one begins where a built-in chain comes again, or behind
/// another chain.
fn tables<'l, 'a>(lines: &'l [Line<'a>]) -> Vec<&'l [Line<'a>]> {
    let (mut tables, mut first) = (Vec::new(), 0);
    let mut built_in: Vec<&str> = Vec::new();
    let mut others = false;
    for (place, line) in lines.iter().enumerate() {
        let Some(head) = Head::of(line.text) else {
            continue;
        };
        if !head.is_built_in() {
            others = true;
            continue;
        }
        if others || built_in.contains(&head.name) {
            tables.push(&lines[first..place]);
            (first, others) = (place, false);
            built_in.clear();
        }
        built_in.push(head.name);
    }
    tables.push(&lines[first..]);
    tables
}
