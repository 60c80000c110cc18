//! The marks of a text: the lines of diagnostics, the shown line, and its marked range.

use std::ops::Range;

use chainwalk_core::text::diagnostic::{Diagnostic, Severity, Span};

use crate::state::{Evaluation, Line, View};

/// The most severe diagnostic of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineMark<'a> {
    /// Which line, from 1.
    pub line: u32,
    /// Its severity.
    pub severity: Severity,
    /// Its message.
    pub message: &'a str,
}

/// The marks of the lines of a text.
pub fn line_marks(diagnostics: &[Diagnostic], source: u32) -> Vec<LineMark<'_>> {
    let mut marks: Vec<LineMark> = Vec::new();
    for diagnostic in diagnostics.iter().filter(|one| one.source == source) {
        let new = LineMark {
            line: diagnostic.line,
            severity: diagnostic.severity,
            message: &diagnostic.message,
        };
        match marks.iter_mut().find(|mark| mark.line == new.line) {
            Some(mark) if mark.severity < new.severity => *mark = new,
            Some(_) => {}
            None => marks.push(new),
        }
    }
    marks
}

/// The line to show: a requested line, or the line of the current rule.
pub fn shown_line(evaluation: &Evaluation, view: &View) -> Option<Line> {
    view.line.or_else(|| {
        let rulesets = evaluation.workspace.paste.rulesets();
        let (_, place) = *evaluation.current(view.cursor).first()?;
        let (ruleset, _, chain) = place.at.find(rulesets);
        let line = place.rule(rulesets).map(|rule| rule.line).or(chain.line)?;
        Some(Line {
            source: ruleset.source,
            line,
        })
    })
}

/// The part of a span that lies in a line, as a range of the line. `line` must be a part of `text`.
pub fn range_in_line(text: &str, line: &str, span: Span) -> Range<usize> {
    let start = line.as_ptr() as usize - text.as_ptr() as usize;
    let [from, to] =
        [span.start, span.end].map(|at| (at as usize).saturating_sub(start).min(line.len()));
    from..to
}

/// A place in the units of a text field: UTF-16, with one unit for each line end.
pub fn field_offset(text: &str, at: u32) -> u32 {
    let before = text.get(..at as usize).unwrap_or(text);
    let units = before.encode_utf16().count() - before.matches("\r\n").count();
    u32::try_from(units).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chainwalk_core::text::diagnostic::Code;

    #[test]
    fn a_line_has_its_most_severe_diagnostic() {
        let of = |line, severity, message: &str| Diagnostic {
            line,
            severity,
            ..Diagnostic::of_input(Code::LimitExceeded, message)
        };
        let all = [
            of(1, Severity::Note, "a"),
            of(2, Severity::Warning, "b"),
            of(1, Severity::Error, "c"),
            of(2, Severity::Note, "d"),
        ];
        let marks: Vec<_> = line_marks(&all, 0)
            .iter()
            .map(|mark| (mark.line, mark.message))
            .collect();
        assert_eq!(marks, [(1, "c"), (2, "b")]);
        assert_eq!(line_marks(&all, 1), []);
    }

    #[test]
    fn places_are_in_the_units_of_the_field() {
        let text = "a\r\n😀b";
        assert_eq!(field_offset(text, 3), 2);
        assert_eq!(field_offset(text, 7), 4);
        assert_eq!(field_offset(text, 99), 5);
        let line = &text[3..];
        let span = Span { start: 0, end: 7 };
        assert_eq!(range_in_line(text, line, span), 0..4);
    }
}
