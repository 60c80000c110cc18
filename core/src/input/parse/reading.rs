//! Reading the fragments of one text: the interface of a format, and the state that all formats
//! share.

use std::collections::HashSet;

use crate::input::section::Format;
use crate::iptables::table_name::TableName;
use crate::netfilter::backend::Backend;
use crate::packet::Family;
use crate::text::diagnostic::{Problem, Span};

use super::assemble::Assembler;
use super::format::listing::listing_state::ListingState;
use super::format::script::script_state::Script;
use super::fragment::{Fragment, Lines};
use super::source_line::SourceLine;
use super::source_map::MappedText;

/// The functions that find and read one format.
pub(super) struct FormatReader {
    pub(super) format: Format,
    /// The last line of a fragment in this format that begins at a line; `None` if none begins
    /// there.
    pub(super) find_end: fn(&Lines, usize) -> Option<usize>,
    /// Passes the statements of a fragment to the assembler. Returns the options of the command
    /// that prints this form: ` -v -n`.
    pub(super) read: fn(&mut Reading, &Fragment) -> String,
}

/// The state that the readers of one text's fragments share.
pub(super) struct Reading<'a, 'r> {
    /// The text without prefixes, colors and the like.
    pub(super) cleaned: &'a MappedText<'a>,
    pub(super) lines: &'a Lines<'a>,
    pub(super) assembler: Assembler<'a, 'r>,
    pub(super) listings: ListingState,
    pub(super) script: Script,
    /// The chains that the inputs of iptables-restore created.
    pub(super) restored_chains: HashSet<(Family, Option<Backend>, TableName, String)>,
    /// The line after the last fragment.
    pub(super) next_line: usize,
    /// Whether the text is a log. A log also shows commands that failed, such as the clean-up
    /// before the first start.
    pub(super) is_log: bool,
}

impl<'a, 'r> Reading<'a, 'r> {
    pub(super) fn new(
        cleaned: &'a MappedText<'a>,
        lines: &'a Lines<'a>,
        assembler: Assembler<'a, 'r>,
        is_log: bool,
    ) -> Self {
        Self {
            cleaned,
            lines,
            assembler,
            listings: ListingState::default(),
            script: Script::default(),
            restored_chains: HashSet::new(),
            next_line: 0,
            is_log,
        }
    }

    /// A line of the cleaned text, by number from 0.
    pub(super) fn line(&self, at: usize) -> SourceLine<'a> {
        SourceLine::of_mapped(
            self.cleaned,
            self.lines.range(at),
            self.assembler.reports.input,
        )
    }

    /// Reports a problem of a line at a span of the cleaned text.
    pub(super) fn report(&mut self, at: usize, span: Span, problem: Problem) {
        let line = self.line(at);
        self.assembler.reports.in_line(&line, span, problem);
    }
}
