//! Finds the fragments of a cleaned text: lines in one format, and the command above them.

use std::collections::HashSet;

use super::call::{self, Call, CalledProgram, MAX_LINES_BEFORE_OUTPUT, prompted_call};
use super::format::READERS;
use super::fragment::{Fragment, HookOrder, Lines, PrintCommand};
use super::line_kind::LineKind;
use crate::input::section::Format;

/// The maximum number of fragments of a text.
const MAX_FRAGMENTS: usize = 10_000;

/// The maximum number of lines of prose between two chains of one listing.
const MAX_PROSE_LINES: usize = 3;

/// The maximum length, in lines, of a listing to which chains after prose are added.
const MAX_JOINED_LINES: usize = 2_000;

/// The fragments of a text.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    pub(super) list: Vec<Fragment>,
    /// The commands that print rules, by line.
    commands: Vec<(usize, PrintCommand)>,
    /// Lines that are neither rules nor blank.
    pub(super) other: usize,
    /// The first line that was not examined, after too many fragments.
    pub(super) rest: Option<usize>,
}

impl Fragments {
    /// The command whose output begins at a line. If a line has several commands, each has a
    /// fragment of its own.
    fn command_above(&self, lines: &Lines, at: usize) -> Option<PrintCommand> {
        let (line, _) = self.commands.last()?;
        let on_line = self
            .commands
            .iter()
            .rev()
            .take_while(|(other, _)| other == line)
            .count();
        let answered = self
            .list
            .iter()
            .rev()
            .take_while(|fragment| fragment.first > *line)
            .count();
        let after = self
            .list
            .last()
            .map_or(*line, |fragment| fragment.last.max(*line));
        let others = (after..at)
            .filter(|line| !lines.get(*line).trim().is_empty())
            .count();
        let first = self.commands.len() - on_line;
        let (_, command) = self
            .commands
            .get(first + answered)
            .filter(|_| others <= MAX_LINES_BEFORE_OUTPUT)?;
        Some(command.clone())
    }

    /// Adds a fragment, or its lines to the listing before it.
    fn add(&mut self, lines: &Lines, format: Format, first: usize, last: usize) {
        let command = self.command_above(lines, first);
        match self.list.last_mut() {
            Some(before)
                if command.is_none()
                    && format == Format::Listing
                    && continues(lines, before, first, last) =>
            {
                before.last = last;
            }
            _ => self.list.push(Fragment {
                format,
                first,
                last,
                command,
            }),
        }
    }

    /// Records the commands of a line that begins no fragment.
    fn note_line(&mut self, line: &str, at: usize) {
        match LineKind::from_line(line) {
            LineKind::Comment => {
                self.commands
                    .extend(prompted_call(line).map(|call| (at, PrintCommand::from_call(&call))));
            }
            LineKind::Other
                if call::find(line).is_some_and(|call| call.program != CalledProgram::Change) =>
            {
                self.commands
                    .extend(calls_of(line).map(|call| (at, PrintCommand::from_call(&call))));
            }
            LineKind::Other => self.other += 1,
            _ => {}
        }
    }
}

/// Finds the fragments of a text.
pub(super) fn find(lines: &Lines) -> Fragments {
    let mut found = Fragments::default();
    let mut at = 0;
    while at < lines.len() {
        if found.list.len() == MAX_FRAGMENTS {
            found.rest = Some(at);
            break;
        }
        let begun = READERS
            .iter()
            .find_map(|reader| Some((reader.format, (reader.find_end)(lines, at)?)));
        match begun {
            Some((format, last)) => {
                found.add(lines, format, at, last);
                at = last + 1;
            }
            None => {
                found.note_line(lines.get(at), at);
                at += 1;
            }
        }
    }
    found
}

/// The commands of a line that print rules, separated by `;` and `&&`.
fn calls_of(line: &str) -> impl Iterator<Item = Call<'_>> {
    let first = call::find(line);
    let mut parts = first.map_or("", |call| call.rest).split(['&', ';']);
    let own = parts.next().unwrap_or_default();
    let first = first.map(|call| Call { rest: own, ..call });
    first
        .into_iter()
        .chain(parts.filter_map(call::find))
        .filter(|call| call.program != CalledProgram::Change)
}

/// Whether a listing continues the previous one: it has other chains, in the order of their hooks or
/// of the table that the command names, and there is hardly any text between.
fn continues(lines: &Lines, before: &Fragment, first: usize, last: usize) -> bool {
    let prose = (before.last + 1..first)
        .filter(|at| !lines.get(*at).trim().is_empty())
        .count();
    // Longer listings are not scanned again and again.
    let is_long = before.last - before.first > MAX_JOINED_LINES;
    if before.format != Format::Listing || prose > MAX_PROSE_LINES || is_long {
        return false;
    }
    let chains = |from: usize, to: usize| {
        (from..=to).filter_map(|at| match LineKind::from_line(lines.get(at)) {
            LineKind::Listed(name) => Some(name),
            _ => None,
        })
    };
    // A command prints one table. Somebody may have moved its chains.
    let table = before.command.as_ref().and_then(|command| command.table);
    let is_of_table =
        |name| table.is_some_and(|table| table.hooks().iter().any(|hook| hook.name() == name));
    let mut seen = HashSet::new();
    let mut hooks = HookOrder::default();
    let mut is_next = |name| seen.insert(name) && (hooks.goes_on(name) || is_of_table(name));
    chains(before.first, before.last)
        .chain(chains(first, last))
        .all(&mut is_next)
}
