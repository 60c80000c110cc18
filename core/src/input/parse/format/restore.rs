//! The input of `iptables-restore` in logs and scripts. It changes existing tables, so it is
//! carried out.

use crate::input::section::Format;
use crate::iptables::table_name::TableName;
use crate::packet::Family;
use crate::packet::hook::Hook;
use crate::text::diagnostic::Span;

use super::super::assemble::{Program, find_family};
use super::super::fragment::{Fragment, Lines};
use super::super::line_kind::LineKind;
use super::super::reading::{FormatReader, Reading};
use super::super::source_line::SourceLine;
use super::super::source_map::MappedText;
use super::super::words::{self, Word};
use super::dump_extent;

pub(super) const READER: FormatReader = FormatReader {
    format: Format::Restore,
    find_end: dump_extent::restore_end,
    read,
};

fn read(reading: &mut Reading, fragment: &Fragment) -> String {
    let lines = reading.lines;
    let family = named_family(lines, fragment).unwrap_or_else(|| {
        let (start, end) = (lines.range(fragment.first).0, lines.range(fragment.last).1);
        find_family(&reading.cleaned.text[start..end]).unwrap_or(Family::Ipv4)
    });
    let program = Program {
        family,
        backend: None,
        may_fail: false,
        is_sure: true,
    };
    restore(
        reading,
        program,
        (fragment.first, fragment.last),
        true,
        None,
    );
    String::new()
}

/// The family of the `iptables-restore` that a log names before or after its input.
fn named_family(lines: &Lines, fragment: &Fragment) -> Option<Family> {
    let named = |line: &str| {
        let is_call = line.contains("tables") && line.contains("-restore");
        is_call.then(|| {
            if line.contains("ip6tables") {
                Family::Ipv6
            } else {
                Family::Ipv4
            }
        })
    };
    let before = (fragment.first.saturating_sub(3)..fragment.first)
        .rev()
        .find_map(|at: usize| named(lines.get(at)).filter(|_| lines.get(at).contains("input")));
    before.or_else(|| {
        (fragment.last + 1..lines.len())
            .take(3)
            .find_map(|at| named(lines.get(at)))
    })
}

/// A line of the input, after a shell has read it.
pub(super) enum InputLine {
    /// As it is in the text.
    Text,
    /// With the values of variables.
    Expanded(MappedText<'static>),
    /// With values that only a run determines.
    Unknown,
}

/// Carries out the lines from `first` to `last` that iptables-restore is given; `keeps` is its
/// `--noflush`. In a script `expand` states what a shell makes of a line, and iptables-restore
/// refuses the whole of a table for one line that it cannot read.
pub(super) fn restore(
    reading: &mut Reading,
    program: Program,
    (first, last): (usize, usize),
    keeps: bool,
    expand: Option<&dyn Fn(usize) -> InputLine>,
) {
    let mut table = None;
    let mut may_be_refused = false;
    for at in first..=last {
        let given = expand.map_or(InputLine::Text, |expand| expand(at));
        may_be_refused |= matches!(given, InputLine::Unknown);
        let line = match &given {
            InputLine::Expanded(text) => reading.assembler.reports.input_line(text),
            InputLine::Text | InputLine::Unknown => reading.line(at),
        };
        let kind = LineKind::from_line(line.line);
        let may_be_others = match &given {
            InputLine::Text => false,
            InputLine::Expanded(text) => text.text.contains('\n'),
            InputLine::Unknown => !matches!(kind, LineKind::Rule(_) | LineKind::Comment),
        };
        if may_be_others {
            // `$RULES` may be any lines, and `*$TABLE` the name of any table.
            reading
                .assembler
                .mark_unknown_command(program, None, line.number);
            continue;
        }
        if let LineKind::Table(name) = kind {
            mark_refused(reading, program, table, line.number, may_be_refused);
            table = TableName::from_text(name);
            if let (Some(table), false) = (table, keeps) {
                run(reading, &line, program, table, &["-F"]);
                run(reading, &line, program, table, &["-X"]);
                reading.restored_chains.retain(|(family, backend, of, _)| {
                    (*family, *backend, *of) != (program.family, program.backend, table)
                });
            }
            continue;
        }
        let Some(table) = table else { continue };
        let key = |name: &str| (program.family, program.backend, table, name.to_owned());
        match kind {
            LineKind::Chain(name) if Hook::ALL.iter().any(|hook| hook.name() == name) => {
                let policy = line.line.split_whitespace().nth(1).unwrap_or_default();
                run(reading, &line, program, table, &["-P", name, policy]);
            }
            LineKind::Chain(name) => {
                let is_new = reading.restored_chains.insert(key(name));
                run(
                    reading,
                    &line,
                    program,
                    table,
                    &[if is_new { "-N" } else { "-F" }, name],
                );
            }
            LineKind::Policy(_)
            | LineKind::NewChain(_)
            | LineKind::Rule(_)
            | LineKind::Change(_) => {
                if let LineKind::NewChain(name) = kind {
                    reading.restored_chains.insert(key(name));
                }
                let status = run_line(reading, &line, program, table);
                may_be_refused |= expand.is_some() && status != Some(true);
            }
            _ => {}
        }
    }
    let number = reading.line(first).number;
    mark_refused(reading, program, table, number, may_be_refused);
}

/// Marks a table whose input iptables-restore may have refused.
fn mark_refused(
    reading: &mut Reading,
    program: Program,
    table: Option<TableName>,
    line: u32,
    may_be_refused: bool,
) {
    if may_be_refused && table.is_some() {
        reading.assembler.mark_unknown_command(program, table, line);
    }
}

/// Carries out the command of a line.
fn run(
    reading: &mut Reading,
    line: &SourceLine,
    program: Program,
    table: TableName,
    words: &[&str],
) {
    let span = line.own_span();
    let table = ["-t", table.name()];
    let words: Vec<Word> = table
        .iter()
        .chain(words)
        .copied()
        .map(|text| Word {
            text: std::borrow::Cow::Borrowed(text),
            span,
            quoted: false,
        })
        .collect();
    reading.assembler.run_command(line, program, &words);
}

/// Carries out a line that is a command without its program: `-A OUTPUT …`, with or without
/// counters at the beginning. Returns whether it succeeds.
fn run_line(
    reading: &mut Reading,
    line: &SourceLine,
    program: Program,
    table: TableName,
) -> Option<bool> {
    let mut words = Vec::new();
    if let Err((span, problem)) = words::split(line.line, line.start, &mut words) {
        reading.assembler.reports.in_line(line, span, problem);
        return None;
    }
    if words.first().is_some_and(|word| word.text.starts_with('[')) {
        words.remove(0);
    }
    let Span { start, .. } = line.own_span();
    let at = Span { start, end: start };
    let word = |text: &'static str| Word {
        text: text.into(),
        span: at,
        quoted: false,
    };
    words.splice(0..0, [word("-t"), word(table.name())]);
    reading.assembler.run_command(line, program, &words)
}
