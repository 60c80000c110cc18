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

    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text == word
    }
}

/// Operators of two characters.
const PAIRS: [&str; 6] = ["==", "!=", "<=", ">=", "<<", ">>"];

/// The characters that end a word.
const SEPARATORS: &str = "{}(),;=!<>&|^@$[]\"#\n";

/// Splits a text. A `"` without its partner quotes the rest of its line.
pub(super) fn split(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, length, content) = match first {
            '\n' => (TokenKind::End, 1, 0..1),
            ';' => (TokenKind::End, 1, 0..1),
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
            _ if SEPARATORS.contains(first) => (TokenKind::Symbol, 1, 0..1),
            _ => {
                let is_end = |c: char| c.is_whitespace() || SEPARATORS.contains(c);
                let end = rest.find(is_end).unwrap_or(rest.len());
                (TokenKind::Word, end, 0..end)
            }
        };
        tokens.push(Token {
            kind,
            text: &rest[content],
            span: Span::new(at, at + length),
            line,
        });
        line += u32::from(first == '\n');
        at += length;
    }
    tokens
}

fn quoted(rest: &str) -> (TokenKind, usize, std::ops::Range<usize>) {
    let inner = &rest[1..];
    let line = inner.find('\n').unwrap_or(inner.len());
    match inner[..line].find('"') {
        Some(end) => (TokenKind::Quoted, end + 2, 1..end + 1),
        None => (TokenKind::Quoted, line + 1, 1..line + 1),
    }
}

/// The words as written, with one blank in place of several.
pub(super) fn join(tokens: &[Token]) -> Box<str> {
    let mut out = String::new();
    let mut end = tokens.first().map_or(0, |first| first.span.start);
    for token in tokens {
        if token.span.start > end {
            out.push(' ');
        }
        match token.kind {
            TokenKind::Quoted => out.push_str(&format!("\"{}\"", token.text)),
            _ => out.push_str(token.text),
        }
        end = token.span.end;
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

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
