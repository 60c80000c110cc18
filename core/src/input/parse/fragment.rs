//! The lines of a text, and fragments of lines.

use std::cell::Cell;

use super::call::{self, Call, CalledProgram};
use crate::input::section::Format;
use crate::iptables::table_name::TableName;
use crate::netfilter::backend::Backend;
use crate::packet::Family;
use crate::packet::hook::Hook;

/// The maximum number of here-documents without an end. After it, no other is searched for.
const MAX_OPEN_DOCUMENTS: u32 = 8;

/// The lines of a text, by number from 0.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<u32>,
    /// The number of unsuccessful searches for the end of a here-document.
    unclosed: Cell<u32>,
    /// The first line, format and last line of the dump that was found last.
    dump_extent: Cell<Option<(usize, Format, usize)>>,
}

impl<'a> Lines<'a> {
    pub(super) fn from_text(text: &'a str) -> Self {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|end| end + 1);
        let starts = std::iter::once(0)
            .chain(ends)
            .filter(|start| *start < text.len());
        let starts = starts
            .map(|start| u32::try_from(start).unwrap_or(u32::MAX))
            .collect();
        Self {
            text,
            starts,
            unclosed: Cell::new(0),
            dump_extent: Cell::new(None),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// The beginning of a line, and the end of its text.
    #[inline]
    pub(super) fn range(&self, line: usize) -> (usize, usize) {
        let start = self.starts[line] as usize;
        let next = self
            .starts
            .get(line + 1)
            .map_or(self.text.len(), |next| *next as usize);
        (
            start,
            start + self.text[start..next].trim_end_matches(['\n', '\r']).len(),
        )
    }

    #[inline]
    pub(super) fn get(&self, line: usize) -> &'a str {
        let (start, end) = self.range(line);
        &self.text[start..end]
    }

    /// The line that ends a here-document with this word.
    pub(super) fn closing(&self, at: usize, word: &str) -> Option<usize> {
        if self.unclosed.get() == MAX_OPEN_DOCUMENTS {
            return None;
        }
        let found = (at + 1..self.len()).find(|at| self.get(*at).trim() == word);
        if found.is_none() {
            self.unclosed.set(self.unclosed.get() + 1);
        }
        found
    }

    /// The format and last line of a dump that begins at a line. Several formats need them.
    pub(super) fn dump_extent(
        &self,
        first: usize,
        find: fn(&Self, usize) -> (Format, usize),
    ) -> (Format, usize) {
        if let Some((_, format, last)) = self.dump_extent.get().filter(|(at, ..)| *at == first) {
            return (format, last);
        }
        let (format, last) = find(self, first);
        self.dump_extent.set(Some((first, format, last)));
        (format, last)
    }

    /// The line that contains a byte.
    pub(super) fn holding(&self, at: usize) -> usize {
        self.starts
            .partition_point(|start| *start as usize <= at)
            .saturating_sub(1)
    }
}

/// A command that prints rules before its output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PrintCommand {
    pub(super) family: Family,
    pub(super) backend: Option<Backend>,
    pub(super) program: CalledProgram,
    pub(super) table: Option<TableName>,
    /// Whether it prints only a part of the table: one chain, or lines that another program
    /// selects.
    pub(super) in_part: bool,
}

impl PrintCommand {
    /// The command of a call.
    pub(super) fn from_call(call: &Call) -> Self {
        // Without `-t`, all programs except iptables-save show table filter.
        let stated = call::table(call.rest).and_then(TableName::from_text);
        let usual = (call.program != CalledProgram::Save).then_some(TableName::Filter);
        Self {
            family: call.family,
            backend: call.backend,
            program: call.program,
            table: stated.or(usual),
            in_part: call::names_chain(call.rest) || call.rest.contains('|'),
        }
    }
}

/// Consecutive lines in one format.
#[derive(Clone, Debug)]
pub(super) struct Fragment {
    pub(super) format: Format,
    /// First and last line, from 0.
    pub(super) first: usize,
    pub(super) last: usize,
    /// The command above it.
    pub(super) command: Option<PrintCommand>,
}

/// The built-in chains of a table so far. iptables prints them in the order of their hooks, so a
/// chain out of order begins another table.
#[derive(Default)]
pub(super) struct HookOrder {
    last: Option<Hook>,
}

impl HookOrder {
    /// Whether a chain can follow the previous ones in one table.
    pub(super) fn goes_on(&mut self, chain: &str) -> bool {
        let Some(hook) = Hook::ALL.into_iter().find(|hook| hook.name() == chain) else {
            return true;
        };
        let is_behind = self.last.is_none_or(|last| last < hook);
        self.last = Some(hook);
        is_behind
    }
}
