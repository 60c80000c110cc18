//! Two dumps of one namespace in a text, such as one before and one after a change. The newer one is
//! walked; without dates, the more complete one.

use std::cmp::Ordering;

use super::duplicate_tables::{absorb, renumber};
use crate::input::parsed::Parsed;
use crate::input::section::{Format, Section};
use crate::iptables::print;
use crate::netfilter::ruleset::{Ruleset, Table};
use crate::text::diagnostic::{Code, Diagnostic, Severity, Span};

/// Why a dump is walked and the other is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Preference {
    Newer,
    MoreComplete,
    /// Nothing shows which one is better.
    First,
}

/// Joins dumps of different tables into one rule set. If two dumps have a table in common, the one
/// to walk is moved before the other, and the other is reported.
pub(super) fn settle(parsed: &mut Parsed) {
    let mut at = 0;
    while at < parsed.rulesets.len() {
        let first = (0..at).find(|first| is_other_dump(parsed, *first, at));
        match first {
            Some(first) if !share_tables(&parsed.rulesets[first], &parsed.rulesets[at]) => {
                absorb(parsed, narrow(first), narrow(at));
            }
            Some(first) if settle_two(parsed, first, at) => {}
            _ => at += 1,
        }
    }
}

/// Whether two rule sets come from dumps of one backend and family in the same text.
fn is_other_dump(parsed: &Parsed, one: usize, other: usize) -> bool {
    let is_dump = |place: usize| {
        let mut own = sections_of(parsed, place).peekable();
        own.peek().is_some() && own.all(|section| section.format == Format::Save)
    };
    let (set, held) = (&parsed.rulesets[one], &parsed.rulesets[other]);
    set.family == held.family
        && set.backend == held.backend
        && set.source == held.source
        && set.is_populated()
        && held.is_populated()
        && is_dump(one)
        && is_dump(other)
}

fn sections_of(parsed: &Parsed, place: usize) -> impl Iterator<Item = &Section> {
    let place = u32::try_from(place).ok();
    parsed
        .sections
        .iter()
        .filter(move |section| section.ruleset == place)
}

fn share_tables(set: &Ruleset, held: &Ruleset) -> bool {
    let is_in_set = |table: &Table| set.table_like(table).is_some();
    held.tables.iter().any(is_in_set)
}

/// Chooses between two dumps with a table in common. Returns whether the second one is gone, because
/// it has the same rules.
fn settle_two(parsed: &mut Parsed, first: usize, second: usize) -> bool {
    let (order, preference) = compare(parsed, first, second);
    if order == Ordering::Less {
        parsed.rulesets.swap(first, second);
        let (one, other) = (narrow(first), narrow(second));
        renumber(parsed, |place| match place {
            place if place == one => other,
            place if place == other => one,
            place => place,
        });
    }
    let is_same = same(&parsed.rulesets[first], &parsed.rulesets[second]);
    report(parsed, (first, second), preference, is_same);
    if is_same {
        remove(parsed, second);
    }
    is_same
}

/// Compares two dumps. `Greater`: the first one is walked.
fn compare(parsed: &Parsed, first: usize, second: usize) -> (Ordering, Preference) {
    let (set, held) = (&parsed.rulesets[first], &parsed.rulesets[second]);
    if let (Some(one), Some(other)) = (set.printed_at, held.printed_at)
        && one != other
    {
        return (one.cmp(&other), Preference::Newer);
    }
    let faults = |place| errors_in(parsed, place);
    let by_faults = faults(second).cmp(&faults(first));
    match by_faults.then(set.tables.len().cmp(&held.tables.len())) {
        Ordering::Equal => (Ordering::Greater, Preference::First),
        order => (order, Preference::MoreComplete),
    }
}

/// The number of errors and warnings in the text of a dump.
fn errors_in(parsed: &Parsed, place: usize) -> usize {
    let is_inside = |section: &Section, one: &Diagnostic| {
        section.source == one.source
            && (section.span.start..section.span.end).contains(&one.span.start)
    };
    let is_fault = |one: &&Diagnostic| {
        one.severity != Severity::Note
            && sections_of(parsed, place).any(|section| is_inside(section, one))
    };
    parsed.diagnostics.iter().filter(is_fault).count()
}

/// Whether two dumps have the same tables and rules. Counters may differ.
fn same(set: &Ruleset, held: &Ruleset) -> bool {
    set.tables.len() == held.tables.len()
        && set.rules() == held.rules()
        && tables_of(set) == tables_of(held)
}

/// The printed tables in the order of their names, because programs print tables in any order.
fn tables_of(set: &Ruleset) -> Vec<String> {
    let printed = print::save(set, false);
    let mut tables: Vec<String> = printed
        .split_inclusive("COMMIT\n")
        .map(without_comments)
        .collect();
    tables.sort_unstable();
    tables
}

fn without_comments(table: &str) -> String {
    let lines = table.split_inclusive('\n');
    lines.filter(|line| !line.starts_with('#')).collect()
}

fn report(
    parsed: &mut Parsed,
    (walked, left): (usize, usize),
    preference: Preference,
    is_same: bool,
) {
    let line_of = |place: usize| {
        sections_of(parsed, place)
            .next()
            .map(|section| section.line)
    };
    let Some(line) = line_of(walked) else { return };
    let Some(section) = sections_of(parsed, left).next() else {
        return;
    };
    let dump = match preference {
        _ if is_same => "a dump with the same rules",
        Preference::Newer => "a newer dump of these tables",
        Preference::MoreComplete => "a more complete dump of these tables",
        Preference::First => "another dump of these tables",
    };
    let code = if is_same {
        Code::DuplicateTable
    } else {
        Code::ConflictingTable
    };
    let diagnostic = Diagnostic {
        code,
        severity: code.severity(),
        source: section.source,
        line: section.line,
        column: 1,
        span: Span {
            start: section.span.start,
            end: section.span.start,
        },
        message: format!("line {line} begins {dump}: it is walked, and this one is not"),
        hint: Some("paste only one of them to walk it".into()),
        fixes: Vec::new(),
    };
    parsed.diagnostics.push(diagnostic);
    parsed
        .diagnostics
        .sort_by_key(|one| (one.source, one.line, one.column));
}

/// Removes a rule set. Its sections stay, without a rule set.
fn remove(parsed: &mut Parsed, place: usize) {
    parsed.rulesets.remove(place);
    let gone = narrow(place);
    for section in &mut parsed.sections {
        section.ruleset = section
            .ruleset
            .filter(|own| *own != gone)
            .map(|own| own - u32::from(own > gone));
    }
}

fn narrow(place: usize) -> u32 {
    u32::try_from(place).expect("a text has at most 64 rule sets")
}
