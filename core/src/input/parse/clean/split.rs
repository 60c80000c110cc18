//! Several statements on one line, and notes after a rule.

use super::super::assemble::parse_counters;
use super::super::line_kind::LineKind;
use crate::iptables::table_name::TableName;

/// The beginning of the next statement within a line, outside quotes.
pub(super) fn next(line: &str) -> Option<usize> {
    // The fast path: nearly every line is one statement.
    if !may_hold_another(line.as_bytes()) {
        return None;
    }
    let mut counted = false;
    let mut chain = line.trim_start().starts_with(':');
    for (at, word) in words(line) {
        let rest = &line[at..];
        let mut behind = rest[word.len()..].split_whitespace();
        let name = behind.next().unwrap_or_default();
        let starts = match word {
            // A command after counters belongs to them.
            "-A" | "--append" | "-I" if counted => false,
            "-A" | "--append" | "-N" | "-I" => LineKind::from_line(&format!("-A {name}")).is_sure(),
            "-P" => matches!(behind.next(), Some("ACCEPT" | "DROP")),
            "COMMIT" => true,
            "#" => matches!(name, "Generated" | "Completed"),
            _ if word.starts_with('*') => TableName::from_text(&word[1..]).is_some(),
            _ if word.starts_with(':') => {
                let counters = behind.next().and_then(parse_counters).is_some();
                counters && LineKind::from_line(&format!("{word} {name} [0:0]")).is_sure()
            }
            // The first counters after a chain are its own.
            _ if word.starts_with('[') && std::mem::take(&mut chain) => false,
            _ if word.starts_with('[') => {
                parse_counters(word).is_some() && matches!(name, "-A" | "--append" | "-I")
            }
            _ => false,
        };
        if starts && at > 0 {
            return Some(at);
        }
        counted = at == 0 && parse_counters(word).is_some();
        // A lost line end without a blank in its place.
        let glued = match word.strip_suffix("-A") {
            Some(first)
                if !first.is_empty() && LineKind::from_line(&format!("-A {name}")).is_sure() =>
            {
                Some(first.len())
            }
            _ => word
                .strip_suffix("COMMIT")
                .filter(|first| !first.is_empty() && name.is_empty())
                .map(str::len),
        };
        if let Some(first) = glued {
            return Some(at + first);
        }
    }
    None
}

/// Whether any part after the first byte looks like the beginning of a line.
fn may_hold_another(line: &[u8]) -> bool {
    line.windows(3).skip(1).any(|three: &[u8]| {
        matches!(
            three,
            [b'-', b'A' | b'N' | b'P' | b'I', b' ']
                | [b' ', b':' | b'*' | b'[', _]
                | [b' ', b'#', b' ']
                | [b'C', b'O', b'M']
        )
    })
}

/// The beginning of a note after a rule: `# …`, `// …`, `<- …`.
pub(super) fn note(line: &str) -> Option<usize> {
    if !matches!(
        LineKind::from_line(line),
        LineKind::Rule(_) | LineKind::Change(_) | LineKind::Chain(_) | LineKind::Table(_)
    ) && !line.trim_start().starts_with([':', '*', 'C', '-'])
    {
        return None;
    }
    let is_note = |word: &str| {
        word.starts_with('#')
            || word.starts_with("//")
            || word.starts_with("<-")
            || word.starts_with("<=")
            || word.starts_with(['←', '⟵', '⇐', '⬅'])
    };
    words(line)
        .find(|(at, word)| *at > 0 && is_note(word))
        .map(|(at, _)| at)
}

/// The words of a line with their positions, without quoted words.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = &line[at..];
            let start = at + (rest.len() - rest.trim_start().len());
            let bytes = &line.as_bytes()[start..];
            if bytes.is_empty() {
                return None;
            }
            let mut end = 0;
            let mut quoted = false;
            let mut open = false;
            while end < bytes.len() && (open || !bytes[end].is_ascii_whitespace()) {
                match bytes[end] {
                    b'"' => (open, quoted) = (!open, true),
                    b'\\' if open => end += 1,
                    _ => {}
                }
                end += 1;
            }
            let end = end.min(bytes.len());
            at = start + end;
            while !line.is_char_boundary(at) {
                at += 1;
            }
            if !quoted {
                return Some((start, &line[start..at]));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, want: &[&str]) {
        let (mut rest, mut have) = (line, Vec::new());
        while let Some(at) = next(rest) {
            have.push(rest[..at].trim());
            rest = &rest[at..];
        }
        have.push(rest.trim());
        assert_eq!(have, want);
    }

    #[test]
    fn a_line_of_several_is_split_where_each_begins() {
        check(
            "*nat :A ACCEPT [0:0] :b - [0:0] -A b -j RETURN",
            &["*nat", ":A ACCEPT [0:0]", ":b - [0:0]", "-A b -j RETURN"],
        );
        check(
            ":b - [0:0] [1:2] -A b -j c",
            &[":b - [0:0]", "[1:2] -A b -j c"],
        );
        check(":b - [0:0] -A b -j c", &[":b - [0:0]", "-A b -j c"]);
        check(
            "[1:2] -A b -j RETURN [3:4] -A b COMMIT",
            &["[1:2] -A b -j RETURN", "[3:4] -A b", "COMMIT"],
        );
        check(
            "-A b -j RETURN-A c -j dCOMMIT",
            &["-A b -j RETURN", "-A c -j d", "COMMIT"],
        );
        check(
            "-A b -m comment --comment \" -A c \" -j d",
            &["-A b -m comment --comment \" -A c \" -j d"],
        );
        check(
            "-A b -m comment --comment \"x -A",
            &["-A b -m comment --comment \"x -A"],
        );
    }

    #[test]
    fn notes_are_found_outside_quotes() {
        assert_eq!(note("-A b -j c # why"), Some(10));
        assert_eq!(note("-A b -j c <-- this"), Some(10));
        assert_eq!(note("-A b -m comment --comment \"a # b\" -j c"), None);
    }
}
