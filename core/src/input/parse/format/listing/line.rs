//! A line of a listing, and the places of its words.

use crate::text::diagnostic::Span;

use super::columns::At;

/// A line of a listing.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) number: u32,
    /// Where it begins in the text.
    pub(super) start: usize,
    pub(super) text: &'a str,
}

impl Line<'_> {
    /// Its place, without the blanks around it.
    pub(super) fn span(&self) -> Span {
        let start = self.start + (self.text.len() - self.text.trim_start().len());
        Span::new(start, start + self.text.trim().len())
    }

    /// The place of a word of it.
    pub(super) fn word(&self, (at, word): At) -> Span {
        Span::new(self.start + at, self.start + at + word.len())
    }
}
