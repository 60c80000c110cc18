//! A line of the input after cleaning, with the mapping of its positions to the input.

use std::cell::OnceCell;

use crate::text::diagnostic::{Diagnostics, Problem, Span};

use super::fragment::Lines;
use super::source_map::MappedText;

/// The text that the program got.
pub(super) struct Input<'a> {
    pub(super) text: &'a str,
    /// Computed only if a line of the input differs from a line of the text that is read.
    lines: OnceCell<Lines<'a>>,
}

impl<'a> Input<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            lines: OnceCell::new(),
        }
    }

    pub(super) fn lines(&self) -> &Lines<'a> {
        self.lines.get_or_init(|| Lines::from_text(self.text))
    }

    /// The number of the line that contains a byte, from 1.
    pub(super) fn line_number(&self, at: usize) -> u32 {
        u32::try_from(self.lines().holding(at) + 1).unwrap_or(u32::MAX)
    }
}

/// A line of the input, without the blanks around it.
#[derive(Clone, Copy)]
pub(super) struct SourceLine<'t> {
    /// The text that the spans of the line's words refer to: the input, or a text made from it.
    pub(super) text: &'t str,
    /// The start of the line in that text.
    pub(super) start: usize,
    pub(super) line: &'t str,
    /// The number of the line in the input, from 1.
    pub(super) number: u32,
    /// The mapping from that text to the input; `None` if the text is the input.
    origin: Option<&'t MappedText<'t>>,
}

impl<'t> SourceLine<'t> {
    /// A line of the input that is read unchanged.
    pub(super) fn of_input(text: &'t str, start: usize, line: &'t str, number: u32) -> Self {
        let trimmed = line.trim_start();
        let start = start + (line.len() - trimmed.len());
        Self {
            text,
            start,
            line: trimmed.trim_end(),
            number,
            origin: None,
        }
    }

    /// A range of a text that is made from the input.
    pub(super) fn of_mapped(text: &'t MappedText, range: (usize, usize), input: &Input) -> Self {
        let line = &text.text[range.0..range.1];
        let trimmed = line.trim_start();
        let start = range.0 + (line.len() - trimmed.len());
        let number = input.line_number(text.origin(start));
        Self {
            text: &text.text,
            start,
            line: trimmed.trim_end(),
            number,
            origin: Some(text),
        }
    }

    /// Its span in its own text.
    pub(super) fn own_span(&self) -> Span {
        Span::new(self.start, self.start + self.line.len())
    }

    /// A span of its text as a span of the input.
    pub(super) fn to_input(self, span: Span, input: &Input) -> Span {
        self.origin
            .map_or(span, |origin| origin.span(span, input.text))
    }
}

/// Receives the problems of lines. All positions are in the input.
pub(super) struct Reports<'a, 'r> {
    pub(super) input: &'a Input<'a>,
    pub(super) diagnostics: &'r mut Diagnostics,
}

impl Reports<'_, '_> {
    /// Reports a problem at a span of a line's text.
    pub(super) fn in_line(&mut self, line: &SourceLine, span: Span, problem: Problem) {
        let (line, span, problem) = self.place(line, span, problem);
        self.at(line, span, problem);
    }

    /// A problem at a span of a line's text, with its line and its span in the input.
    pub(super) fn place(
        &self,
        line: &SourceLine,
        span: Span,
        mut problem: Problem,
    ) -> (u32, Span, Problem) {
        if line.origin.is_none() {
            return (line.number, span, problem);
        }
        for fix in &mut problem.fixes {
            fix.span = line.to_input(fix.span, self.input);
        }
        let span = line.to_input(span, self.input);
        let number = self.input.line_number(span.start as usize);
        (number, span, problem)
    }

    /// Reports a problem of a whole line.
    pub(super) fn of_line(&mut self, line: &SourceLine, problem: Problem) {
        self.in_line(line, line.own_span(), problem);
    }

    /// A line of a text that is made from one or more lines of the input.
    pub(super) fn input_line<'t>(&self, text: &'t MappedText) -> SourceLine<'t> {
        SourceLine::of_mapped(text, (0, text.text.len()), self.input)
    }

    /// Reports a problem at a position of the input.
    pub(super) fn at(&mut self, line: u32, span: Span, problem: Problem) {
        self.diagnostics.push(self.input.text, line, span, problem);
    }
}
