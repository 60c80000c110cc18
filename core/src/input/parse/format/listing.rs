//! The format of `iptables -L`, with any of `-v -n -x --line-numbers`, of one table or of several
//! in a row.
//!
//! A line becomes the words of the rule that it was printed from ([`columns`] and [`phrases`]),
//! which are then read as those of any other rule. A condition that a listing does not show is `-m
//! unlisted`, which is always undetermined.

use std::collections::HashSet;

use crate::input::section::Format;
use crate::text::diagnostic::{Diagnostics, Span};

use super::super::call::{self, prompted_call};
use super::super::fragment::{Fragment, HookOrder, Lines};
use super::super::line_kind::LineKind;
use super::super::reading::{FormatReader, Reading};

mod columns;
mod head;
mod line;
pub(in super::super) mod listed_tables;
mod losses;
mod pattern;
mod phrases;
mod rows;
mod table;

use columns::Columns;
use listed_tables::{Around, Listed};

pub(super) const READER: FormatReader = FormatReader {
    format: Format::Listing,
    find_end,
    read,
};

/// The last row of a listing of one table that begins at a line.
fn find_end(lines: &Lines, first: usize) -> Option<usize> {
    match LineKind::of(lines.get(first)) {
        LineKind::Listed(_) | LineKind::Columns => {}
        // Rows whose head is not shown.
        LineKind::Other if Columns::is_sure_row(lines.get(first)) => {}
        _ => return None,
    }
    let mut last = first;
    let mut seen = HashSet::new();
    let mut hooks = HookOrder::default();
    let mut blank = false;
    for at in first..lines.len() {
        let line = lines.get(at);
        match LineKind::of(line) {
            LineKind::Blank => blank = true,
            // A chain that is listed again belongs to another table.
            LineKind::Listed(name) if !seen.insert(name) || !hooks.goes_on(name) => break,
            LineKind::Listed(_) | LineKind::Columns => (last, blank) = (at, false),
            LineKind::Other
                if call::find(line).is_none() && (!blank || Columns::of_row(line).is_some()) =>
            {
                (last, blank) = (at, false)
            }
            // A note between chains or rows.
            LineKind::Comment if prompted_call(line).is_none() => {}
            _ => break,
        }
    }
    Some(last)
}

/// Whether a line is a row or a head of a listing.
pub(in super::super) fn is_listing_line(line: &str) -> bool {
    matches!(LineKind::of(line), LineKind::Columns) || Columns::of_row(line).is_some()
}

fn read(reading: &mut Reading, fragment: &Fragment) -> String {
    let (cleaned, lines) = (reading.cleaned, reading.lines);
    let at = Span::new(lines.range(fragment.first).0, lines.range(fragment.last).1);
    let (stated, command) = (reading.assembler.stated(), fragment.command.as_ref());
    let source = reading.assembler.source();
    let around = Around {
        family: stated.family.or(command.map(|command| command.family)),
        backend: stated
            .backend
            .or(command.and_then(|command| command.backend)),
        table: command.and_then(|command| command.table),
        source,
        line: u32::try_from(fragment.first + 1).unwrap_or(u32::MAX),
    };
    let mut diagnostics = Diagnostics::of(source);
    let mut report = |line, span, problem| diagnostics.push(&cleaned.text, line, span, problem);
    let listed = reading.listings.read(
        &cleaned.text,
        at,
        around,
        reading.assembler.rulesets,
        &mut report,
    );
    reading.take_listed(&listed, diagnostics);
    listed
        .last()
        .map(|table| table.options.clone())
        .unwrap_or_default()
}

impl Reading<'_, '_> {
    /// Takes the tables of a listing: their places become places of the input.
    fn take_listed(&mut self, listed: &[Listed], diagnostics: Diagnostics) {
        let (cleaned, lines, input) = (self.cleaned, self.lines, self.assembler.reports.input);
        let line_of = |line: u32| {
            let start = lines.range((line as usize).saturating_sub(1)).0;
            input.line_number(cleaned.origin(start))
        };
        self.assembler
            .reports
            .diagnostics
            .append_from(diagnostics, input.text, |_, span| {
                let span = cleaned.span(span, input.text);
                (input.line_number(span.start as usize), span)
            });
        for one in listed {
            let set = &mut self.assembler.rulesets[one.ruleset];
            for table in set.tables.iter_mut().filter(|table| table.is(one.table)) {
                table.line = line_of(table.line);
                for chain in &mut table.chains {
                    chain.line = chain.line.map(line_of);
                    for rule in &mut chain.rules {
                        (rule.line, rule.span) =
                            (line_of(rule.line), cleaned.span(rule.span, input.text));
                    }
                }
            }
            self.assembler.touch(one.ruleset, one.table);
        }
    }
}
