//! The patterns in which extensions describe the output of `iptables -L`: see
//! [`ListingForm`](crate::iptables::extension::ListingForm).

use std::ops::Range;

/// The separators of words. A wrapped row has line ends between its words.
pub(super) const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// The match of a pattern at the beginning of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Caught {
    /// Whether the text has a `!` where the pattern allows one.
    pub(super) negated: bool,
    /// The ranges of the values, in order, and whether a backslash in the value escapes.
    pub(super) values: Vec<(Range<usize>, bool)>,
    /// The length of the match.
    pub(super) end: usize,
}

/// Matches a pattern at the beginning of a text; a blank or the end of the text must follow.
pub(super) fn catch(pattern: &str, text: &str) -> Option<Caught> {
    let mut caught = Caught {
        negated: false,
        values: Vec::new(),
        end: 0,
    };
    let mut rest = pattern;
    let mut before = 0;
    while let Some(&sign) = rest.as_bytes().first() {
        let here = &text[caught.end..];
        match sign {
            b' ' => caught.end += blanks(here).filter(|blanks| *blanks > 0)?,
            b'^' => caught.end += here.starts_with(' ').then_some(1)?,
            b'!' if !rest.starts_with("!=") => {
                caught.end += blanks(here)?;
                if text[caught.end..].starts_with('!') {
                    caught.negated = true;
                    caught.end += 1;
                    caught.end += blanks(&text[caught.end..])?;
                }
            }
            b'%' => {
                let length = value(&rest[1..], here, matches!(before, b'"' | b'`' | b'^'))?;
                let quoted = closing(here) == Some(length);
                let inner = if quoted { 1..length - 1 } else { 0..length };
                caught
                    .values
                    .push((caught.end + inner.start..caught.end + inner.end, quoted));
                caught.end += length;
            }
            // Patterns are ASCII, but the text may not be.
            _ => caught.end += here.as_bytes().starts_with(&[sign]).then_some(1)?,
        }
        before = sign;
        rest = &rest[1..];
    }
    ends_word(&text[caught.end..]).then_some(caught)
}

/// The first character that a text must have to match the pattern.
pub(super) fn first(pattern: &str) -> Option<u8> {
    pattern
        .bytes()
        .find(|sign| !matches!(sign, b'!' | b'?'))
        .filter(|sign| *sign != b'%')
}

fn blanks(text: &str) -> Option<usize> {
    Some(text.len() - text.trim_start_matches(BLANKS).len())
}

fn ends_word(text: &str) -> bool {
    text.is_empty() || text.starts_with(BLANKS)
}

/// Longer than any quoted text. The limit keeps an unclosed quote from scanning the whole line.
const LONGEST: usize = 600;

/// The beginning of a text, up to the longest length of a quoted text.
fn near(text: &str) -> &str {
    let end = (0..=LONGEST.min(text.len()))
        .rfind(|end| text.is_char_boundary(*end))
        .unwrap_or(0);
    &text[..end]
}

/// The length of the value at the beginning of a text, before the next part of the pattern.
fn value(next: &str, text: &str, in_quotes: bool) -> Option<usize> {
    let end = next.find([' ', '^', '!', '%']).unwrap_or(next.len());
    let stop = &next[..end];
    // A quoted text may contain blanks and quotes: a blank follows the closing quote.
    if in_quotes {
        let (blank, stop) = if let Some(rest) = next.strip_prefix('^') {
            (" ", rest)
        } else {
            ("", stop)
        };
        let stop = format!("{blank}{stop}");
        return near(text)
            .match_indices(&stop)
            .find(|(at, _)| ends_word(&text[at + stop.len()..]))
            .map(|(at, _)| at);
    }
    if let (true, Some(end)) = (stop.is_empty(), closing(text)) {
        return Some(end);
    }
    let word = text.find(BLANKS).unwrap_or(text.len());
    let length = if stop.is_empty() {
        word
    } else {
        text[..word].rfind(stop)?
    };
    (length > 0).then_some(length)
}

/// The end of a quoted text, as `xtables_save_string` prints it.
fn closing(text: &str) -> Option<usize> {
    let mut chars = near(text).strip_prefix('"')?.char_indices();
    while let Some((at, sign)) = chars.next() {
        match sign {
            '\\' => drop(chars.next()),
            '"' => return Some(at + 2),
            _ => {}
        }
    }
    None
}

/// A quoted text without its backslashes.
pub(super) fn unescaped(text: &str) -> String {
    let mut chars = text.chars();
    std::iter::from_fn(|| {
        chars.next().and_then(|sign| {
            if sign == '\\' {
                chars.next()
            } else {
                Some(sign)
            }
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, text: &str, want: Option<(bool, &[&str], &str)>) {
        let have = catch(pattern, text);
        let have = have.as_ref().map(|caught| {
            let values: Vec<&str> = caught
                .values
                .iter()
                .map(|(range, _)| &text[range.clone()])
                .collect();
            (caught.negated, values, &text[caught.end..])
        });
        let want = want.map(|(negated, values, rest)| (negated, values.to_vec(), rest));
        assert_eq!(have, want, "{pattern} in {text}");
    }

    #[test]
    fn values_stand_where_the_pattern_has_them() {
        check(
            "!owner UID match %",
            "! owner UID match 7 x",
            Some((true, &["7"], " x")),
        );
        check(
            "!owner UID match %",
            "owner  UID match 7-9",
            Some((false, &["7-9"], "")),
        );
        check("dpt:!%", "dpt:!80", Some((true, &["80"], "")));
        check("dpt:!%", "dpts:80", None);
        check(
            "flags:!%/%",
            "flags:0x17/0x02 b",
            Some((false, &["0x17", "0x02"], " b")),
        );
        check(
            "%:% mark %",
            "::1:80 mark 0x1/0x2",
            Some((false, &["::1", "80", "0x1/0x2"], "")),
        );
        check(
            "/*^%^*/",
            "/* a  */b */ tcp",
            Some((false, &["a  */b"], " tcp")),
        );
        check("/*^%^*/", "/*  */", Some((false, &[""], "")));
        check(
            "prefix \"%\"",
            "prefix \"it \"s\"",
            Some((false, &["it \"s"], "")),
        );
        check(
            "!\"|%|\"",
            "! \"|0a|\" ALGO",
            Some((true, &["0a"], " ALGO")),
        );
        check(
            "PKTTYPE != %",
            "PKTTYPE != unicast",
            Some((false, &["unicast"], "")),
        );
        check("tcp", "tcpmss match 5", None);
        check("label %", "label \"a b\" c", Some((false, &["a b"], " c")));
        check(
            "label %",
            "label \"a\\\"b\" c",
            Some((false, &["a\\\"b"], " c")),
        );
        check("label %", "label", None);
        check("x", "é", None);
        assert_eq!(unescaped("a\\\"b\\\\c"), "a\"b\\c");
    }
}
