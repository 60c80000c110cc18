//! The JSON of `chainwalk-capture`, by itself or with other text around it.

use crate::input::capture::{Capture, SCHEMA_VERSION};
use crate::netfilter::ruleset::Ruleset;
use crate::text::diagnostic::{Code, Problem, Severity, Span};

use super::gaps::native_tables;
use super::{Inside, Parsed, Read, gaps, unread_parts, unsupported_input};

/// A capture in a text.
pub(super) struct FoundCapture {
    /// Its bytes.
    start: usize,
    end: usize,
    capture: Result<Box<Capture>, serde_json::Error>,
}

/// Finds a capture in a text: an object at the beginning of a line with a `schema_version`.
pub(super) fn find(text: &str) -> Option<FoundCapture> {
    let lead = memchr::memmem::find(text.as_bytes(), b"\"schema_version\"");
    let whole = text.trim_start().starts_with('{');
    let start = match (lead, whole) {
        (Some(lead), _) => text[..lead].rfind('{')?,
        (None, true) => text.len() - text.trim_start().len(),
        (None, false) => return None,
    };
    let mut objects = serde_json::Deserializer::from_str(&text[start..]).into_iter();
    let capture = match objects.next()? {
        Ok(capture) => Ok(Box::new(capture)),
        // It may be a line of a log.
        Err(_) if lead.is_none() || !text[..start].trim().is_empty() => return None,
        Err(error) => Err(error),
    };
    Some(FoundCapture {
        start,
        end: start + objects.byte_offset(),
        capture,
    })
}

/// Reads a capture and the text around it.
pub(super) fn read_capture(text: String, found: FoundCapture) -> Parsed {
    let mut read = Read::default();
    let mut capture = match found.capture {
        Ok(capture) => capture,
        Err(error) => {
            let line = u32::try_from(error.line()).unwrap_or(u32::MAX);
            let at = offset(&text, error.line(), error.column());
            let problem = match unsupported_input::problem(&text) {
                Some((_, _, problem)) => problem.error(),
                None => Problem::new(
                    Code::InvalidCapture,
                    format!("this JSON is not a valid capture: {error}"),
                )
                .hint("paste the whole output of chainwalk-capture, or the text of a dump"),
            };
            read.diagnostics
                .push(&text, line.max(1), Span::new(at, at), problem);
            return Parsed {
                sources: vec![text],
                ..read.finish()
            };
        }
    };
    if capture.schema_version > SCHEMA_VERSION {
        let problem = Problem::new(
            Code::NewerCapture,
            format!(
                "this capture has the unknown version {}",
                capture.schema_version
            ),
        )
        .hint(format!(
            "this program reads version {SCHEMA_VERSION} and ignores newer fields"
        ));
        read.diagnostics.push(&text, 1, Span::default(), problem);
    }
    for dropped in capture.limit() {
        let problem = Problem::new(
            Code::LimitExceeded,
            format!("this capture contains {dropped}"),
        );
        let problem = Problem {
            severity: Severity::Warning,
            ..problem
        };
        read.diagnostics.push(&text, 1, Span::default(), problem);
    }
    let mut sources: Vec<String> = capture
        .rulesets
        .iter_mut()
        .map(|captured| std::mem::take(&mut captured.text))
        .collect();
    let around = [&text[..found.start], &text[found.end..]];
    if around.iter().any(|part| !part.trim().is_empty()) {
        sources.push(text);
    }
    all(read, capture, sources)
}

/// Reads the texts of a capture, and the surrounding text if it may contain rules.
pub(super) fn all(mut read: Read, mut capture: Box<Capture>, sources: Vec<String>) -> Parsed {
    for (source, text) in (0..).zip(&sources) {
        match capture.rulesets.get(source as usize) {
            Some(captured) => {
                let known = read.sections.len();
                read.text(
                    text,
                    source,
                    Some((captured.family, Some(captured.backend))),
                );
                read.sections[known..]
                    .iter_mut()
                    .for_each(|section| section.inside = Inside::Capture);
            }
            None => read.text(&without_capture(text), source, None),
        }
    }
    if read.rulesets.is_empty() {
        unread_parts::add_for_empty_capture(&mut read, &capture, &sources);
    } else {
        unread_parts::note_unread_parts(&mut read, &capture);
    }
    if let Some(listing) = &capture.nftables {
        native_tables::mark_listed_tables(&mut read.rulesets, &listing.text);
    }
    let mut parsed = Parsed {
        sources,
        host: Some(std::mem::take(&mut capture.host)).filter(|host| !host.interfaces.is_empty()),
        capture: Some(capture),
        ..read.finish()
    };
    gaps::mark(&mut parsed);
    parsed.rulesets.iter_mut().for_each(Ruleset::index);
    parsed
}

/// The pasted text with blanks instead of the capture, so that all other positions stay valid.
fn without_capture(text: &str) -> String {
    let Some(FoundCapture { start, end, .. }) = find(text) else {
        return text.to_owned();
    };
    let blank = |c: char| {
        if c == '\n' {
            "\n".to_owned()
        } else {
            " ".repeat(c.len_utf8())
        }
    };
    let blank: String = text[start..end].chars().map(blank).collect();
    [&text[..start], &blank, &text[end..]].concat()
}

/// The byte at a line and column (both from 1, columns in bytes), moved to the start of a
/// character.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let mut at = (start + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
