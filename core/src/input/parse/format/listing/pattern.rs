//! The patterns in which extensions say how `iptables -L` prints them: see
//! [`Listed`](crate::iptables::extension::Listed).

use std::ops::Range;

/// The signs between words. A wrapped row has line ends among its words.
pub(super) const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// What a pattern has found at the beginning of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Caught {
    /// Whether a `!` stood where one may.
    pub(super) negated: bool,
    /// Where the values stand, in order, and whether a backslash in one escapes.
    pub(super) values: Vec<(Range<usize>, bool)>,
    /// How long it is in all.
    pub(super) end: usize,
}

/// Finds a pattern at the beginning of a text; what follows must be a blank or the end.
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
            // Patterns are ASCII, but a text need not be.
            _ => caught.end += here.as_bytes().starts_with(&[sign]).then_some(1)?,
        }
        before = sign;
        rest = &rest[1..];
    }
    ends_word(&text[caught.end..]).then_some(caught)
}

/// The first sign that a text must have for a pattern to be there.
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

/// More bytes than any text in quotes has: what is opened and never closed is not looked for
/// through all of a line.
const LONGEST: usize = 600;

/// The beginning of a text, as far as one in quotes may go.
fn near(text: &str) -> &str {
    let end = (0..=LONGEST.min(text.len()))
        .rfind(|end| text.is_char_boundary(*end))
        .unwrap_or(0);
    &text[..end]
}

/// How long a value is that stands at the beginning of a text, before what a pattern has next.
fn value(next: &str, text: &str, in_quotes: bool) -> Option<usize> {
    let end = next.find([' ', '^', '!', '%']).unwrap_or(next.len());
    let stop = &next[..end];
    // Between quotes there may be blanks and quotes: the last one is followed by a blank.
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

/// Where a text in quotes ends, as `xtables_save_string` prints one.
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

/// A text in quotes without its backslashes.
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
