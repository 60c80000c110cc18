//! Brace expansion, which a shell does first: `{1..3}`, `eth{0,1}`; and file patterns.

use super::arithmetic::signed_number;
use super::lexer::closing;

/// The most words that one range expands to.
const MAX_WORDS: i64 = 4096;

/// Bytes that make a word a file pattern.
pub(super) const PATTERN_SIGNS: [char; 3] = ['*', '?', '['];

/// The brace expansion of a word.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Braces {
    /// The word has no braces.
    None,
    Words(Vec<String>),
    /// The expansion is too large or too complex.
    Unknown,
}

/// Expands the braces of a word.
pub(super) fn expand_braces(word: &str) -> Braces {
    let Some(open) = find_unquoted(word, |byte| byte == b'{') else {
        return Braces::None;
    };
    let Some(end) = closing(word.as_bytes(), open) else {
        return Braces::None;
    };
    let (before, inner, after) = (&word[..open], &word[open + 1..end - 1], &word[end..]);
    let is_list = inner.contains(',');
    if !is_list && !inner.contains("..") {
        return Braces::None;
    }
    let is_plain =
        !word.contains(['$', '`', '"', '\'', '\\']) && !inner.contains('{') && !after.contains('{');
    let items = match is_list {
        _ if !is_plain => None,
        true => Some(inner.split(',').map(str::to_owned).collect()),
        false => count(inner),
    };
    items.map_or(Braces::Unknown, |items: Vec<String>| {
        let words = items.iter().map(|item| format!("{before}{item}{after}"));
        Braces::Words(words.filter(|word| !word.is_empty()).collect())
    })
}

/// The numbers of `1..3` or `1..9..2`.
fn count(range: &str) -> Option<Vec<String>> {
    let parts: Vec<&str> = range.split("..").collect();
    let has_zeros = |part: &&str| {
        part.trim_start_matches('-').len() > 1 && part.trim_start_matches('-').starts_with('0')
    };
    if parts.iter().any(has_zeros) {
        return None;
    }
    let numbers: Vec<i64> = parts
        .into_iter()
        .map(signed_number)
        .collect::<Option<_>>()?;
    match numbers[..] {
        [first, last] => sequence(first, if first <= last { 1 } else { -1 }, last),
        [first, last, step] if step != 0 => {
            let step = step.checked_abs()?;
            sequence(first, if first <= last { step } else { -step }, last)
        }
        _ => None,
    }
}

/// The numbers from `first` to `last` as text; `None` if there are too many.
pub(super) fn sequence(first: i64, step: i64, last: i64) -> Option<Vec<String>> {
    if step == 0 || last.checked_sub(first)?.checked_div(step)? > MAX_WORDS {
        return None;
    }
    let numbers = std::iter::successors(Some(first), |number| number.checked_add(step));
    Some(
        numbers
            .take_while(|number: &i64| {
                if step > 0 {
                    *number <= last
                } else {
                    *number >= last
                }
            })
            .map(|number| number.to_string())
            .collect(),
    )
}

/// The first of the given bytes outside quotes and substitutions.
pub(super) fn find_unquoted(word: &str, is_wanted: impl Fn(u8) -> bool) -> Option<usize> {
    let bytes = word.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let opens = match bytes[at] {
            byte if is_wanted(byte) => return Some(at),
            b'\\' => {
                at += 2;
                continue;
            }
            b'\'' | b'"' | b'`' => Some(at),
            b'$' if matches!(bytes.get(at + 1), Some(b'{' | b'(')) => Some(at + 1),
            _ => None,
        };
        at = match opens {
            Some(place) => closing(bytes, place).unwrap_or(bytes.len()),
            None => at + 1,
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_make_the_words_that_a_shell_makes() {
        let words = |word: &str| match expand_braces(word) {
            Braces::Words(words) => words.join(" "),
            other => format!("{other:?}"),
        };
        for (word, want) in [
            ("{1..3}", "1 2 3"),
            ("a{3..1}b", "a3b a2b a1b"),
            ("{1..9..4}", "1 5 9"),
            ("eth{0,1}", "eth0 eth1"),
            ("{a}", "None"),
            ("${A}", "None"),
            ("\"{1..3}\"", "None"),
            ("{1..$N}", "Unknown"),
            ("{01..10}", "Unknown"),
            ("{a..c}", "Unknown"),
            ("{1..999999999}", "Unknown"),
            ("{a,{b,c}}", "Unknown"),
        ] {
            assert_eq!(words(word), want, "{word}");
        }
    }
}
