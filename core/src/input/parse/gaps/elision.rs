//! Lines that people write in place of rules: `...`, `[snip]`.

use crate::input::section::Section;
use crate::netfilter::gap::GapReason;

use super::LostLine;

/// The lines of a section, and those right after it, that report omitted rules.
pub(super) fn elided_lines(text: &str, section: &Section) -> Vec<LostLine> {
    let start = section.span.start as usize;
    let inside = section.span.of(text).lines().count();
    let lines = text.get(start..).unwrap_or_default().lines();
    let numbered = (section.line..).zip(lines);
    let near = numbered
        .enumerate()
        .take_while(|(at, (_, line))| *at < inside || !line.trim().is_empty() && *at < inside + 2);
    let elided = near.filter(|(_, (_, line))| is_elision(line));
    elided
        .map(|(_, (line, _))| LostLine {
            line,
            reason: GapReason::Elided,
            is_outside_chain: false,
        })
        .collect()
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
    fn elisions_are_told_from_prose() {
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
