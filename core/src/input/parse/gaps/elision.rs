//! Lines that people write in place of rules: `...`, `[snip]`.

use crate::input::section::Section;
use crate::netfilter::gap::GapReason;

use super::LostLine;

/// The most lines after a section that may report rules omitted at its end.
const MAX_LINES_AFTER: usize = 2;

/// The lines of a section, and those right after it, that report omitted rules.
pub(super) fn elided_lines(text: &str, section: &Section) -> Vec<LostLine> {
    let section_end = section.span.end as usize;
    let mut elided = Vec::new();
    let mut lines_after = 0;
    let mut start = section.span.start as usize;
    // memchr is several times faster than `str::lines`, and a dump has a hundred thousand lines.
    for number in section.line.. {
        let Some(rest) = text.get(start..).filter(|rest| !rest.is_empty()) else {
            break;
        };
        let length = memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        let line = &rest[..length];
        if start >= section_end {
            lines_after += 1;
            if lines_after > MAX_LINES_AFTER || line.trim().is_empty() {
                break;
            }
        }
        if !is_dump_line(line) && is_elision(line) {
            elided.push(LostLine {
                line: number,
                reason: GapReason::Elided,
                is_outside_chain: false,
            });
        }
        start += length + 1;
    }
    elided
}

/// Whether a line begins as the lines of a dump do. Such a line is not an elision, and this test is
/// much faster than [`is_elision`].
fn is_dump_line(line: &str) -> bool {
    matches!(
        line.as_bytes(),
        [b'-', b'A', b' ', ..] | [b':' | b'*', ..] | [b'[', b'0'..=b'9', ..]
    )
}

/// Words with which people mark omitted rules.
const ELISION_WORDS: [&str; 12] = [
    "snip",
    "snipped",
    "more",
    "omitted",
    "elided",
    "truncated",
    "skipped",
    "removed",
    "cut",
    "left",
    "others",
    "etc",
];

/// Whether a line replaces other lines: `...`, `[snip]`, `(more ACCEPT lines, cut for length)`.
fn is_elision(line: &str) -> bool {
    let line = line.trim().trim_start_matches(['#', '>', '|', '│']).trim();
    // `2    ... (some more here)`: the number of a rule.
    let line = line
        .trim_start_matches(|character: char| character.is_ascii_digit())
        .trim_start();
    if line.len() > 120 || line.contains(" -j ") {
        return false;
    }
    let has_dots = |text: &str| text.contains("...") || text.contains('…');
    if line.starts_with("...")
        || line.starts_with('…')
        || has_dots(line) && !line.contains(char::is_alphanumeric)
    {
        return true;
    }
    let in_brackets = [('(', ')'), ('[', ']'), ('<', '>'), ('{', '}')]
        .iter()
        .any(|(open, close)| line.starts_with(*open) && line.ends_with(*close));
    let mut words = line.split(|character: char| !character.is_alphabetic());
    let names_elision = words.any(|word| ELISION_WORDS.contains(&&*word.to_lowercase()));
    let only_words = line.trim_matches(|character: char| !character.is_alphabetic());
    in_brackets && (has_dots(line) || names_elision)
        || ["snip", "snipped", "omitted", "truncated", "cut"].contains(&&*only_words.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elisions_differ_from_prose() {
        for line in [
            "...",
            "…",
            "[...]",
            "[snip]",
            "<snip>",
            "(more rules)",
            "2    ... (some more here)",
            "-- cut --",
            "# ...",
        ] {
            assert!(is_elision(line), "{line}");
        }
        for line in [
            "(empty)",
            "this is more than I need",
            "so it works...",
            "-A INPUT -j DROP",
            "",
            "Chain X (1 references)",
        ] {
            assert!(!is_elision(line), "{line}");
        }
    }
}
