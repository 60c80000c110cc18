//! The lines of a text, and the blocks of lines that belong together.

use std::cell::Cell;

use super::call::{self, Call, Program};
use crate::iptables::table_name::TableName;
use crate::netfilter::backend::Backend;
use crate::packet::Family;

/// Here-documents without an end, after which no other is looked for.
const MOST_OPEN: u32 = 8;

/// The lines of a text, by number from 0.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<u32>,
    /// Ends of here-documents that were looked for in vain.
    unclosed: Cell<u32>,
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|end| end + 1);
        let starts = std::iter::once(0).chain(ends).filter(|start| *start < text.len());
        let starts = starts.map(|start| u32::try_from(start).unwrap_or(u32::MAX)).collect();
        Self { text, starts, unclosed: Cell::new(0) }
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Where each begins.
    pub(super) fn starts(&self) -> impl Iterator<Item = usize> {
        self.starts.iter().map(|start| *start as usize)
    }

    /// Where a line begins, and where its text ends.
    #[inline]
    pub(super) fn range(&self, line: usize) -> (usize, usize) {
        let start = self.starts[line] as usize;
        let next = self.starts.get(line + 1).map_or(self.text.len(), |next| *next as usize);
        (start, start + self.text[start..next].trim_end_matches(['\n', '\r']).len())
    }

    #[inline]
    pub(super) fn get(&self, line: usize) -> &'a str {
        let (start, end) = self.range(line);
        &self.text[start..end]
    }

    /// The line that ends a here-document with this word.
    pub(super) fn closing(&self, at: usize, word: &str) -> Option<usize> {
        if self.unclosed.get() == MOST_OPEN {
            return None;
        }
        let found = (at + 1..self.len()).find(|at| self.get(*at).trim() == word);
        if found.is_none() {
            self.unclosed.set(self.unclosed.get() + 1);
        }
        found
    }

    /// The line that holds a byte.
    pub(super) fn holding(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start as usize <= at).saturating_sub(1)
    }
}

/// A command whose output follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) family: Family,
    pub(super) backend: Option<Backend>,
    pub(super) program: Program,
    pub(super) table: Option<TableName>,
    /// Whether it asked for a part of the table only: one chain, or lines that another program picks.
    pub(super) in_part: bool,
}

impl Asked {
    /// The command that a call states.
    pub(super) fn of(call: &Call) -> Self {
        // Without `-t`, all but iptables-save show table filter.
        let stated = call::table(call.rest).and_then(TableName::from_text);
        let usual = (call.program != Program::Save).then_some(TableName::Filter);
        Self {
            family: call.family,
            backend: call.backend,
            program: call.program,
            table: stated.or(usual),
            in_part: call::names_chain(call.rest) || call.rest.contains('|'),
        }
    }
}

/// In which form a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Of `iptables-save`.
    Dump,
    /// Of `iptables -S`.
    Rules,
    /// For `iptables-restore`.
    Restore,
    /// Calls of iptables.
    Script,
    /// Of `iptables -L`.
    Listing,
}

/// Lines that belong together.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) what: What,
    /// First and last line.
    pub(super) first: usize,
    pub(super) last: usize,
    /// The command above it.
    pub(super) asked: Option<Asked>,
}
