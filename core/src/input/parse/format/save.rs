//! The format of `iptables-save`: `*table`, `:CHAIN POLICY [packets:bytes]`, `-A CHAIN …`,
//! `COMMIT`, line by line.

use crate::input::section::{Format, Inside, Section};
use crate::netfilter::backend::Backend;
use crate::netfilter::ruleset::{Ruleset, Table};
use crate::packet::Family;
use crate::text::diagnostic::{Diagnostics, Span};

use super::super::assemble::Assembler;
use super::super::fragment::Fragment;
use super::super::reading::{FormatReader, Reading};
use super::super::source_line::{Input, SourceLine};
use super::super::unsupported_input;
use super::dump_extent;
use super::dump_lines::{self, read_save_line};

pub(super) const READER: FormatReader = FormatReader {
    format: Format::Save,
    find_end: dump_extent::save_end,
    read,
};

fn read(reading: &mut Reading, fragment: &Fragment) -> String {
    dump_lines::read(reading, fragment);
    if dump_lines::has_counters(reading.lines, fragment) {
        " -c".into()
    } else {
        String::new()
    }
}

/// A text that is one dump from its first to its last line.
pub(in super::super) struct PlainDump {
    /// The rule sets that commands made.
    made: Vec<usize>,
    has_counters: bool,
}

/// Reads a text that is one dump, or one list of commands, from its first to its last line. No line
/// is copied, which matters at a hundred thousand rules. `None` for any other text, and for one
/// with an error.
pub(in super::super) fn read_plain(
    text: &str,
    source: u32,
    stated: Option<(Family, Option<Backend>)>,
    rulesets: &mut Vec<Ruleset>,
    diagnostics: &mut Diagnostics,
) -> Option<PlainDump> {
    if ends_within_table(text) {
        return None;
    }
    let first = rulesets.len();
    let input = Input::new(text);
    let mut assembler = Assembler::new(&input, source, stated, rulesets, diagnostics);
    let mut has_message = false;
    for line in lines(text) {
        let is_dump_line = read_save_line(&mut assembler, &line);
        has_message |= unsupported_input::is_message(line.line);
        if !is_dump_line || assembler.needs_cleaning || assembler.reports.diagnostics.errors {
            return None;
        }
    }
    assembler.end_table(false);
    let (needs_cleaning, has_counters) = (assembler.needs_cleaning, assembler.has_counters);
    let made = assembler.finish();
    if needs_cleaning || diagnostics.errors || rulesets.len() == first {
        return None;
    }
    if let (true, Some((line, span, problem))) = (has_message, unsupported_input::message(text)) {
        diagnostics.push(text, line, span, problem);
    }
    Some(PlainDump { made, has_counters })
}

/// Reads any text as a dump, line by line, without repairs.
pub(in super::super) fn read_as_is(
    text: &str,
    stated: Option<(Family, Option<Backend>)>,
    rulesets: &mut Vec<Ruleset>,
    diagnostics: &mut Diagnostics,
) {
    let input = Input::new(text);
    let mut assembler = Assembler::new(&input, 0, stated, rulesets, diagnostics);
    for line in lines(text) {
        read_save_line(&mut assembler, &line);
    }
    assembler.finish();
}

/// The lines of a text. memchr is several times faster here than `str::lines`.
fn lines(text: &str) -> impl Iterator<Item = SourceLine<'_>> {
    let mut start = 0;
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).chain(std::iter::once(text.len()));
    (1..).zip(ends).map(move |(number, end)| {
        let line = SourceLine::of_input(text, start, &text[start..end], number);
        start = end + 1;
        line
    })
}

/// Whether the last line of a text, ignoring comments, belongs to a table, so that the table's
/// COMMIT is missing.
fn ends_within_table(text: &str) -> bool {
    let mut lines = text.rsplit('\n').map(str::trim_start);
    let last = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    last.is_some_and(|line| line.starts_with(['*', ':', '-', '[']))
}

impl PlainDump {
    /// The sections: one for each rule set. The first one has the position `first`.
    pub(in super::super) fn sections<'r>(
        &'r self,
        text: &'r str,
        source: u32,
        rulesets: &'r [Ruleset],
        first: usize,
    ) -> impl Iterator<Item = Section> + 'r {
        let line_of = |ruleset: &Ruleset| {
            ruleset
                .tables
                .iter()
                .map(|table| table.line)
                .min()
                .unwrap_or(1)
        };
        let begins = move |place: usize| match rulesets.get(place) {
            None => text.len(),
            Some(_) if place == 0 => 0,
            Some(ruleset) => line_start(text, line_of(ruleset)),
        };
        (first..).zip(rulesets).map(move |(place, ruleset)| {
            let is_made = self.made.contains(&place);
            let start = begins(place - first);
            Section {
                source,
                span: Span::new(start, begins(place - first + 1).max(start)),
                line: line_of(ruleset),
                format: if is_made {
                    Format::Commands
                } else {
                    Format::Save
                },
                inside: Inside::Text,
                family: ruleset.family,
                backend: ruleset.backend,
                options: if self.has_counters && !is_made {
                    " -c".into()
                } else {
                    String::new()
                },
                whole_tables: true,
                tables: ruleset.tables.iter().filter_map(Table::iptables).collect(),
                listed_chains: Vec::new(),
                ruleset: u32::try_from(place).ok(),
            }
        })
    }
}

fn line_start(text: &str, line: u32) -> usize {
    let before = (line as usize).saturating_sub(2);
    match line {
        0 | 1 => 0,
        _ => memchr::memchr_iter(b'\n', text.as_bytes())
            .nth(before)
            .map_or(0, |end| end + 1),
    }
}
