//! The format of `iptables -L` with any of `-v -n -x --line-numbers`, for one or more tables.
//!
//! A line is converted to the words of the rule that printed it ([`columns`] and [`phrases`]), and
//! the common parser reads them. A condition that the listing does not show becomes `-m unlisted`,
//! which is always undetermined.

use std::collections::HashSet;
use std::ops::Range;

use crate::input::section::Format;
use crate::iptables::table_name::TableName;

use super::super::assemble::DumpOrigin;
use super::super::call::{self, prompted_call};
use super::super::fragment::{Fragment, HookOrder, Lines};
use super::super::line_kind::LineKind;
use super::super::reading::{FormatReader, Reading};

mod columns;
mod head;
pub(in super::super) mod listing_state;
mod losses;
mod pattern;
mod phrases;
mod rows;
mod table;

use columns::Columns;
use head::{Head, ShownEvidence};
use rows::TableReader;
use table::Told;

pub(super) const READER: FormatReader = FormatReader {
    format: Format::Listing,
    find_end,
    read,
};

/// The last row of a listing of one table that begins at the line.
fn find_end(lines: &Lines, first: usize) -> Option<usize> {
    match LineKind::from_line(lines.get(first)) {
        LineKind::Listed(_) | LineKind::Columns => {}
        // The listing begins with rows, without a head.
        LineKind::Other if Columns::is_sure_row(lines.get(first)) => {}
        _ => return None,
    }
    let mut last = first;
    let mut seen = HashSet::new();
    let mut hooks = HookOrder::default();
    let mut blank = false;
    for at in first..lines.len() {
        let line = lines.get(at);
        match LineKind::from_line(line) {
            LineKind::Blank => blank = true,
            // A chain that is listed twice belongs to another table.
            LineKind::Listed(name) if !seen.insert(name) || !hooks.goes_on(name) => break,
            LineKind::Listed(_) | LineKind::Columns => (last, blank) = (at, false),
            LineKind::Other
                if call::find(line).is_none() && (!blank || Columns::of_row(line).is_some()) =>
            {
                (last, blank) = (at, false)
            }
            // Somebody added a note between chains or rows.
            LineKind::Comment if prompted_call(line).is_none() => {}
            _ => break,
        }
    }
    Some(last)
}

/// Whether a line is a row or a head of a listing.
pub(in super::super) fn is_listing_line(line: &str) -> bool {
    matches!(LineKind::from_line(line), LineKind::Columns) || Columns::of_row(line).is_some()
}

fn read(reading: &mut Reading, fragment: &Fragment) -> String {
    let mut options = String::new();
    let table = fragment.command.as_ref().and_then(|command| command.table);
    for lines in split_tables(reading.lines, fragment.first..fragment.last + 1, table) {
        match read_table(reading, fragment, lines) {
            Some(table_options) => options = table_options,
            None => break,
        }
    }
    options
}

/// The lines of each table. A new table begins at a repeated built-in chain, or at a built-in chain
/// after a user-defined one. Built-in chains of a known table may have been moved and begin no new
/// one.
fn split_tables(lines: &Lines, all: Range<usize>, table: Option<TableName>) -> Vec<Range<usize>> {
    let is_of_table = |name: &str| {
        table.is_some_and(|table| table.hooks().iter().any(|hook| hook.name() == name))
    };
    let (mut tables, mut first) = (Vec::new(), all.start);
    let mut built_in: Vec<&str> = Vec::new();
    let mut has_user_chain = false;
    for at in all.clone() {
        let Some(head) = Head::from_line(lines.get(at)) else {
            continue;
        };
        if !head.is_built_in() {
            has_user_chain = true;
            continue;
        }
        if has_user_chain && !is_of_table(head.name) || built_in.contains(&head.name) {
            tables.push(first..at);
            (first, has_user_chain) = (at, false);
            built_in.clear();
        }
        built_in.push(head.name);
    }
    tables.push(first..all.end);
    tables
}

/// Reads the lines of one table. Returns the options that print it, such as ` -v -n`; `None` if
/// there are too many tables.
fn read_table(reading: &mut Reading, fragment: &Fragment, part: Range<usize>) -> Option<String> {
    let lines = reading.lines;
    let shown = ShownEvidence::from_lines(part.clone().map(|at| lines.get(at)));
    let command = fragment.command.as_ref();
    let told = command
        .and_then(|command| command.table)
        .map_or_else(|| table::tell(&shown.evidence), Told::Surely);
    let (Told::Surely(name) | Told::Only(name) | Told::Likely(name)) = told;
    reading.assembler.begin_origin(DumpOrigin {
        family: command.map(|command| command.family).or(Some(shown.family)),
        backend: command.and_then(|command| command.backend),
        ..DumpOrigin::default()
    });
    let first = reading.line(part.start);
    reading.assembler.begin_table(&first, name);
    let family = reading.assembler.open_ruleset()?.family;
    if let Some(problem) = told.problem() {
        reading.assembler.reports.of_line(&first, problem);
    }
    let phrases = reading.listings.take_phrases(family);
    let mut reader = TableReader {
        reading,
        family,
        phrases: &phrases,
    };
    reader.declare_chains(part.clone());
    reader.read_rules(part);
    reading.listings.keep_phrases(phrases);
    // A listing has no line that ends a table.
    reading.assembler.end_table(true);
    Some(shown.options())
}
