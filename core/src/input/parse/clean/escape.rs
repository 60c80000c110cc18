//! Dumps in the strings of a log: JSON lines, `msg="…\n…"`, and text with `\n` as line ends.

use super::super::line_kind::LineKind;
use super::super::source_map::MappedText;
use super::super::words;
use super::prefix;

/// The strings of a line that contain a dump, unfolded and one below the other; `None` if there is
/// none.
pub(super) fn unfold(work: &MappedText) -> Option<MappedText<'static>> {
    let text = &work.text;
    let json = text.trim_start().starts_with('{') && text.contains('"');
    if !json && !text.contains("\\n") || is_whole_rule(text) {
        return None;
    }
    let mut out = MappedText::default();
    let mut at = 0;
    while let Some(open) = memchr::memchr(b'"', &text.as_bytes()[at..]).map(|open| at + open) {
        let close = find_end(text, open + 1);
        take(work, open + 1, close, &mut out);
        at = (close + 1).min(text.len());
    }
    // The text has no quotes: a user copied the part between them.
    if out.text.is_empty() {
        take(work, 0, text.len(), &mut out);
    }
    (!out.text.is_empty()).then_some(out)
}

/// Whether a line is a rule by itself, so that each `\n` belongs to a quoted value.
fn is_whole_rule(line: &str) -> bool {
    let mut words = Vec::new();
    matches!(LineKind::from_line(line), LineKind::Rule(_))
        && words::split(line, 0, &mut words).is_ok()
        && words
            .iter()
            .all(|word| word.quoted || !word.text.contains("\\n"))
}

/// The quote that closes a string which begins at `start`, or the end of the text.
fn find_end(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = start;
    while let Some(next) = memchr::memchr2(b'"', b'\\', &bytes[at..]) {
        at += next;
        if bytes[at] == b'"' {
            return at;
        }
        at = (at + 2).min(bytes.len());
    }
    text.len()
}

/// Adds a string without its escapes, if it contains a line of a dump.
fn take(work: &MappedText, start: usize, end: usize, out: &mut MappedText) {
    let string = decoded(work, start, end);
    if let Some(call) = prefix::announced_call(&string.text) {
        if !out.text.is_empty() {
            out.append("\n", work.origin(start), 0);
        }
        return out.copy(&string, call, string.text.len());
    }
    let mut lines = string.text.split('\n');
    let holds = |line: &str| LineKind::from_line(line).is_sure() || line.contains("\\n");
    if lines.any(holds) && string.text.len() < work.text.len() {
        if !out.text.is_empty() {
            out.append("\n", work.origin(start), 0);
        }
        out.copy(&string, 0, string.text.len());
    }
}

fn decoded(work: &MappedText, start: usize, end: usize) -> MappedText<'static> {
    let mut out = MappedText::default();
    let text = &work.text[..end];
    let mut kept = start;
    while let Some(at) = memchr::memchr(b'\\', &text.as_bytes()[kept..]).map(|at| kept + at) {
        let mut chars = text[at..].chars().skip(1);
        let (char, width) = match chars.next() {
            Some('n') => ('\n', 2),
            Some('t') => ('\t', 2),
            Some('r') => ('\r', 2),
            Some('u') => match text
                .get(at + 2..at + 6)
                .and_then(|hex| u32::from_str_radix(hex, 16).ok())
            {
                Some(code) => (
                    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
                    6,
                ),
                None => ('\\', 1),
            },
            Some(c) => (c, 1 + c.len_utf8()),
            None => ('\\', 1),
        };
        out.copy(work, kept, at);
        out.append(char.encode_utf8(&mut [0; 4]), work.origin(at), width);
        kept = at + width;
    }
    out.copy(work, kept, end);
    out
}
