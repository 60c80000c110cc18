//! The words of a line, as `iptables-restore` splits it: at blanks, with `"…"` and backslashes in
//! it.

use std::borrow::Cow;

use crate::iptables::extension::kind;
use crate::text::diagnostic::{Code, Problem, Span};

/// One word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word<'a> {
    /// The text without quotes and backslashes.
    pub(crate) text: Cow<'a, str>,
    /// The span with quotes and backslashes, in the whole text.
    pub(crate) span: Span,
    /// Whether a part of it was quoted. Then it is a value and never an option.
    pub(crate) quoted: bool,
}

impl Word<'_> {
    /// Whether it is this bare word.
    pub(crate) fn is(&self, word: &str) -> bool {
        !self.quoted && self.text == word
    }

    /// Whether it may be an option.
    pub(crate) fn is_option(&self) -> bool {
        !self.quoted && self.text.len() > 1 && self.text.starts_with('-')
    }
}

/// The maximum number of words. The text after them is not split.
const MAX_WORDS: usize = 300;

/// Splits a line that begins at byte `offset` of the text into `words`.
///
/// # Errors
/// A quote that is not closed. The words before it are in the list.
pub(crate) fn split<'a>(
    line: &'a str,
    offset: usize,
    words: &mut Vec<Word<'a>>,
) -> Result<(), (Span, Problem)> {
    words.clear();
    let bytes = line.as_bytes();
    let mut at = 0;
    loop {
        while at < bytes.len() && is_blank(bytes[at]) {
            at += 1;
        }
        if at == bytes.len() || words.len() == MAX_WORDS {
            return Ok(());
        }
        let start = at;
        while at < bytes.len() && !is_blank(bytes[at]) && bytes[at] != b'"' {
            at += 1;
        }
        let span = |end| Span::new(offset + start, offset + end);
        if at == bytes.len() || is_blank(bytes[at]) {
            words.push(Word {
                text: Cow::Borrowed(&line[start..at]),
                span: span(at),
                quoted: false,
            });
            continue;
        }
        let (text, end) = match plainly_quoted(line, start) {
            Some((text, end)) => (Cow::Borrowed(text), end),
            None => {
                let (text, end) = quoted(line, start, at).ok_or_else(|| {
                    let problem = Problem::new(Code::UnclosedQuote, "a quote is not closed")
                        .hint("add the missing \"");
                    (span(line.len()), problem)
                })?;
                (Cow::Owned(text), end)
            }
        };
        at = end;
        words.push(Word {
            text,
            span: span(end),
            quoted: true,
        });
    }
}

/// The word that begins at `start`, if it must be a value without escapes, and its end.
pub(super) fn plain(line: &str, start: usize) -> Option<(&str, usize)> {
    let bytes = &line.as_bytes()[start..];
    match bytes.first()? {
        b'"' => plainly_quoted(line, start),
        b'-' | b'!' => None,
        _ => {
            let length = bytes
                .iter()
                .position(|byte| is_blank(*byte) || *byte == b'"')
                .unwrap_or(bytes.len());
            let ends = length > 0 && bytes.get(length) != Some(&b'"');
            ends.then(|| (&line[start..start + length], start + length))
        }
    }
}

/// The word that begins at `start`, if it is one pair of quotes without a backslash, as nearly
/// every comment is. No part of it has to be copied.
fn plainly_quoted(line: &str, start: usize) -> Option<(&str, usize)> {
    let inner = line[start..].strip_prefix('"')?;
    let length = memchr::memchr2(b'"', b'\\', inner.as_bytes())?;
    let behind = inner.as_bytes().get(length + 1);
    let plain = inner.as_bytes()[length] == b'"' && behind.is_none_or(|byte| is_blank(*byte));
    plain.then(|| (&inner[..length], start + length + 2))
}

/// Splits a line as a shell does. Quotes of both kinds and backslashes are removed from the words,
/// and it does not matter whether a word was quoted.
///
/// # Errors
/// As in [`split`].
pub(super) fn split_shell<'a>(
    line: &'a str,
    offset: usize,
    words: &mut Vec<Word<'a>>,
) -> Result<(), (Span, Problem)> {
    words.clear();
    let mut chars = line.char_indices().peekable();
    while let Some(&(start, first)) = chars.peek() {
        if is_blank_char(first) {
            chars.next();
            continue;
        }
        if words.len() == MAX_WORDS {
            break;
        }
        let (mut text, mut quote, mut end) = (String::new(), None, line.len());
        while let Some(&(at, c)) = chars.peek() {
            match (quote, c) {
                (None, c) if is_blank_char(c) => {
                    end = at;
                    break;
                }
                (None, '"' | '\'') => quote = Some(c),
                (Some(open), c) if c == open => quote = None,
                (None | Some('"'), '\\') => {
                    chars.next();
                    text.extend(chars.peek().map(|(_, next)| *next));
                }
                (_, c) => text.push(c),
            }
            chars.next();
        }
        let span = Span::new(offset + start, offset + end);
        if quote.is_some() {
            return Err((
                span,
                Problem::new(Code::UnclosedQuote, "a quote is not closed")
                    .hint("add the missing quote"),
            ));
        }
        words.push(Word {
            text: Cow::Owned(text),
            span,
            quoted: false,
        });
    }
    Ok(())
}

fn is_blank_char(c: char) -> bool {
    c == ' ' || c == '\t'
}

/// Parses from the first quote at `at` to the one that closes it, which ends the word
/// (`add_param_to_argv` in xshared.c, measured): `a"b c"d` is `ab c` and `d`. `None` if the quote
/// is not closed.
fn quoted(line: &str, start: usize, at: usize) -> Option<(String, usize)> {
    let mut text = line[start..at].to_owned();
    let mut chars = line[at + 1..].char_indices();
    while let Some((place, c)) = chars.next() {
        match c {
            '"' => return Some((text, at + 1 + place + 1)),
            '\\' => text.push(chars.next()?.1),
            _ => text.push(c),
        }
    }
    None
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// The words of a rule that are not parsed yet.
pub(super) struct Rest<'w, 'a> {
    /// The whole text.
    pub(super) text: &'a str,
    pub(super) words: &'w [Word<'a>],
}

impl<'w, 'a> Rest<'w, 'a> {
    /// The next word.
    #[inline]
    pub(super) fn next(&mut self) -> Option<&'w Word<'a>> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    /// The next word, unless it is an option or a `!` (`xs_has_arg` in xshared.c).
    #[inline]
    pub(super) fn argument(&mut self) -> Option<&'w Word<'a>> {
        let first = self.words.first()?;
        if first.text.starts_with(['-', '!']) {
            None
        } else {
            self.next()
        }
    }

    /// Takes the words up to the next one that begins an option or a group, and returns them after
    /// `first` as they are written.
    pub(super) fn verbatim(
        &mut self,
        first: &Word<'a>,
        negated: Option<Span>,
        ends: impl Fn(&Word) -> bool,
    ) -> String {
        let words = self.words;
        while let Some(word) = self.words.first() {
            // A `!` belongs to the word after it.
            let opens = if word.is("!") {
                self.words.get(1)
            } else {
                Some(word)
            };
            if opens.is_some_and(&ends) {
                break;
            }
            self.next();
        }
        as_written(
            self.text,
            first,
            negated,
            &words[..words.len() - self.words.len()],
        )
    }
}

/// The words as written, if `iptables-restore` reads these words there; otherwise each word as it
/// reads it.
pub(super) fn as_written(text: &str, first: &Word, negated: Option<Span>, more: &[Word]) -> String {
    let bang = negated.map(|span| Word {
        text: "!".into(),
        span,
        quoted: false,
    });
    let words: Vec<&Word> = bang.iter().chain([first]).chain(more).collect();
    let (Some(start), Some(end)) = (words.first(), words.last()) else {
        return String::new();
    };
    let raw = Span {
        start: start.span.start,
        end: end.span.end,
    }
    .slice(text);
    let needs_quotes = |word: &Word| kind::needs_quotes(&word.text) && !word.is("!");
    let is_same = |read: &Word, meant: &Word| {
        let is_option = !meant.quoted && meant.text.starts_with(['-', '!']);
        read.text == meant.text
            && if read.quoted {
                !is_option
            } else {
                !needs_quotes(read)
            }
    };
    let mut again = Vec::new();
    let reads = split(raw, 0, &mut again).is_ok() && again.len() == words.len();
    if reads
        && again
            .iter()
            .zip(&words)
            .all(|(read, meant)| is_same(read, meant))
    {
        return raw.into();
    }
    let mut out = String::new();
    for word in words {
        out.push_str(if out.is_empty() { "" } else { " " });
        match word.quoted || needs_quotes(word) {
            true => kind::quote_always(&word.text, &mut out),
            false => out.push_str(&word.text),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, want: &[&str]) {
        let mut words = Vec::new();
        split(line, 0, &mut words).expect("closed quotes");
        let have: Vec<&str> = words.iter().map(|word| &*word.text).collect();
        assert_eq!(have, want, "{line}");
    }

    #[test]
    fn words_are_split_at_blanks_outside_quotes() {
        check("-A  INPUT\t-j DROP ", &["-A", "INPUT", "-j", "DROP"]);
        check(r#"--comment "a b" x"#, &["--comment", "a b", "x"]);
        check(r#""a \"b\" \\ c\'""#, &[r#"a "b" \ c'"#]);
        check(r#""""#, &[""]);
        check(r#""a" "b"c "d\"e""#, &["a", "b", "c", r#"d"e"#]);
        check(r#"a"b c"d"#, &["ab c", "d"]);
        check(r#""a"-M"#, &["a", "-M"]);
        check("", &[]);
        check("é \"ü\"", &["é", "ü"]);
    }

    #[test]
    fn an_open_quote_is_an_error_that_spans_the_rest() {
        let mut words = Vec::new();
        let (span, _) = split("a \"b c", 10, &mut words).expect_err("open");
        assert_eq!((span.start, span.end, words.len()), (12, 16, 1));
        assert!(split("\"a\\", 0, &mut words).is_err());
    }
}
