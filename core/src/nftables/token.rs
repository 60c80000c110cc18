//! The tokens of nft's language (nft(8), "LEXICAL CONVENTIONS").

use crate::text::diagnostic::Span;

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A name, a number, an address, or several of them joined by `-`, `/` or `:`.
    Word,
    /// A text between double quotes; the token contains the text without them.
    Quoted,
    /// An operator or a bracket.
    Symbol,
    /// The end of a statement: a line end, or `;`.
    End,
    /// A comment; the token contains the text after `#`.
    Comment,
}

/// A token with its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub(super) kind: TokenKind,
    pub(super) text: &'t str,
    pub(super) span: Span,
    /// From 1.
    pub(super) line: u32,
}

impl Token<'_> {
    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == TokenKind::Symbol && self.text == symbol
    }

    /// The line of what follows it.
    pub(super) fn next_line(&self) -> u32 {
        self.line + u32::from(self.text == "\n")
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text == word
    }
}

/// Operators of two characters.
const PAIRS: [&str; 6] = ["==", "!=", "<=", ">=", "<<", ">>"];

/// Whether a character ends a word.
fn is_separator(c: char) -> bool {
    matches!(
        c,
        '{' | '}'
            | '('
            | ')'
            | ','
            | ';'
            | '='
            | '!'
            | '<'
            | '>'
            | '&'
            | '|'
            | '^'
            | '@'
            | '$'
            | '['
            | ']'
            | '"'
            | '#'
            | '\n'
    )
}

/// The token at a byte of a text, which is in this line. A `"` without its partner quotes the rest of
/// its line.
pub(super) fn at(text: &str, mut at: usize, mut line: u32) -> Option<Token<'_>> {
    loop {
        let rest = &text[at..];
        let first = rest.chars().next()?;
        let (kind, length, content) = match first {
            '\n' | ';' => (TokenKind::End, 1, 0..1),
            '\\' if rest[1..].trim_start_matches('\r').starts_with('\n') => {
                at += rest.find('\n').unwrap_or(0) + 1;
                line += 1;
                continue;
            }
            _ if first.is_whitespace() => {
                at += first.len_utf8();
                continue;
            }
            '#' => {
                let end = rest.find('\n').unwrap_or(rest.len());
                (TokenKind::Comment, end, 1..end)
            }
            '"' => quoted(rest),
            _ if PAIRS.iter().any(|pair| rest.starts_with(pair)) => (TokenKind::Symbol, 2, 0..2),
            _ if is_separator(first) => (TokenKind::Symbol, 1, 0..1),
            _ => {
                let is_end = |c: char| c.is_whitespace() || is_separator(c);
                let end = rest.find(is_end).unwrap_or(rest.len());
                // A backslash at the end of a word continues the line, or means nothing.
                let end = rest[..end].trim_end_matches('\\').len();
                if end == 0 {
                    at += 1;
                    continue;
                }
                (TokenKind::Word, end, 0..end)
            }
        };
        return Some(Token {
            kind,
            text: &rest[content],
            span: Span::new(at, at + length),
            line,
        });
    }
}

fn quoted(rest: &str) -> (TokenKind, usize, std::ops::Range<usize>) {
    let inner = &rest[1..];
    let line = inner.find('\n').unwrap_or(inner.len());
    match inner[..line].find('"') {
        Some(end) => (TokenKind::Quoted, end + 2, 1..end + 1),
        None => (TokenKind::Quoted, line + 1, 1..line + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<Token<'_>> {
        let mut tokens: Vec<Token> = Vec::new();
        let (mut end, mut line) = (0, 1);
        while let Some(token) = at(text, end, line) {
            (end, line) = (token.span.end as usize, token.next_line());
            tokens.push(token);
        }
        tokens
    }

    #[test]
    fn a_rule_is_split_into_words_and_symbols() {
        let texts: Vec<&str> = split("tcp dport != { 53, 80-90 } # handle 7\n")
            .iter()
            .map(|token| token.text)
            .collect();
        assert_eq!(
            texts,
            [
                "tcp",
                "dport",
                "!=",
                "{",
                "53",
                ",",
                "80-90",
                "}",
                " handle 7",
                "\n"
            ]
        );
    }

    #[test]
    fn quotes_and_continued_lines() {
        let tokens = split("log prefix \"a # b;\" \\\n level info; drop");
        let kinds: Vec<TokenKind> = tokens.iter().map(|token| token.kind).collect();
        assert_eq!(tokens[2].text, "a # b;");
        assert_eq!(kinds[2], TokenKind::Quoted);
        assert_eq!((tokens[3].text, tokens[3].line), ("level", 2));
        assert_eq!(kinds[5], TokenKind::End);
        assert_eq!(split("\"open\nnext")[0].text, "open");
    }
}
