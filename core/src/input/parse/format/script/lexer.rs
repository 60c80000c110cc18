//! The tokens of a shell script: words with their quotes, and the operators between commands.

/// A longer line does not belong to a script.
pub(super) const MAX_LINE_LENGTH: usize = 64 * 1024;
/// The longest quoted text over several lines.
const MAX_QUOTED_LENGTH: usize = 4096;
/// After this many unclosed quotes, no quote may span several lines.
const MAX_OPEN_QUOTES: u32 = 64;
/// The deepest nesting of quotes and substitutions.
const MAX_QUOTE_DEPTH: usize = 32;

/// A kind of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Word,
    Newline,
    /// `;` or `&`
    Separator,
    /// `;;`, `;&`, `;;&`
    EndOfArm,
    And,
    Or,
    Pipe,
    Open,
    Close,
    /// `>`, `2>>`, `<`: a word follows.
    Redirection,
    /// `<<`: the word that ends the document follows.
    HereDocument,
    /// The rest of a line in which a quote stays open.
    Broken,
    End,
}

/// A token and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Reads tokens from a part of a text.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    pub(super) end: usize,
    open_quotes: u32,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str, start: usize, end: usize) -> Self {
        Self {
            text,
            at: start,
            end,
            open_quotes: 0,
        }
    }

    /// The end of the line that contains a byte.
    pub(super) fn line_end(&self, at: usize) -> usize {
        memchr::memchr(b'\n', &self.text.as_bytes()[at..self.end])
            .map_or(self.end, |length| at + length)
    }

    pub(super) fn peek(&mut self) -> Token {
        let at = self.at;
        let token = self.next();
        self.at = at;
        token
    }

    pub(super) fn next(&mut self) -> Token {
        let bytes = &self.text.as_bytes()[..self.end];
        self.skip_blanks();
        let start = self.at;
        let token = |kind, length: usize| Token {
            kind,
            start,
            end: start + length,
        };
        let Some(first) = bytes.get(start) else {
            return token(TokenKind::End, 0);
        };
        let rest = &bytes[start..];
        let found = match first {
            b'\n' => token(TokenKind::Newline, 1),
            b';' if rest.starts_with(b";;&") => token(TokenKind::EndOfArm, 3),
            b';' if matches!(rest.get(1), Some(b';' | b'&')) => token(TokenKind::EndOfArm, 2),
            b';' => token(TokenKind::Separator, 1),
            b'&' if rest.starts_with(b"&&") => token(TokenKind::And, 2),
            b'&' if rest.starts_with(b"&>>") => token(TokenKind::Redirection, 3),
            b'&' if rest.starts_with(b"&>") => token(TokenKind::Redirection, 2),
            b'&' => token(TokenKind::Separator, 1),
            b'|' if rest.starts_with(b"||") => token(TokenKind::Or, 2),
            b'|' if rest.starts_with(b"|&") => token(TokenKind::Pipe, 2),
            b'|' => token(TokenKind::Pipe, 1),
            b'(' => token(TokenKind::Open, 1),
            b')' => token(TokenKind::Close, 1),
            _ => self
                .redirection(rest)
                .map_or_else(|| self.word(), |(kind, length)| token(kind, length)),
        };
        self.at = found.end;
        found
    }

    /// Skips blanks, comments, and line ends after a backslash.
    fn skip_blanks(&mut self) {
        let bytes = &self.text.as_bytes()[..self.end];
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\t' | b'\r') => self.at += 1,
                Some(b'\\') if bytes[self.at + 1..].starts_with(b"\n") => self.at += 2,
                Some(b'\\') if bytes[self.at + 1..].starts_with(b"\r\n") => self.at += 3,
                Some(b'\\') if self.at + 1 == self.end => self.at += 1,
                Some(b'#') => self.at = self.line_end(self.at),
                _ => return,
            }
        }
    }

    /// `2>`, `>>`, `<`, `<<`; `2>&1` needs no word after it.
    fn redirection(&self, rest: &[u8]) -> Option<(TokenKind, usize)> {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let sign = rest
            .get(digits)
            .filter(|byte| matches!(byte, b'<' | b'>'))?;
        let after = &rest[digits + 1..];
        Some(match (sign, after) {
            (b'<', [b'<', b'<', ..]) => (TokenKind::Redirection, digits + 3),
            (b'<', [b'<', b'-', ..]) => (TokenKind::HereDocument, digits + 3),
            (b'<', [b'<', ..]) => (TokenKind::HereDocument, digits + 2),
            (_, [b'&' | b'>' | b'|', ..]) => (TokenKind::Redirection, digits + 2),
            _ => (TokenKind::Redirection, digits + 1),
        })
    }

    fn word(&mut self) -> Token {
        let start = self.at;
        let bytes = &self.text.as_bytes()[..self.end];
        let mut at = start;
        while at < self.end {
            let opens_list = bytes[at] == b'(' && at > start && bytes[at - 1] == b'=';
            match bytes[at] {
                b'\\' => at += 2,
                b'\'' | b'"' | b'`' => match self.skip_quoted(at) {
                    Some(end) => at = end,
                    None => return self.broken(start),
                },
                b'$' if matches!(bytes.get(at + 1), Some(b'(' | b'{')) => {
                    match self.skip_quoted(at + 1) {
                        Some(end) => at = end,
                        None => return self.broken(start),
                    }
                }
                _ if opens_list => match self.skip_quoted(at) {
                    Some(end) => at = end,
                    None => return self.broken(start),
                },
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>' => {
                    break;
                }
                _ => at += 1,
            }
        }
        Token {
            kind: TokenKind::Word,
            start,
            end: at.min(self.end).max(start + 1),
        }
    }

    fn broken(&mut self, start: usize) -> Token {
        self.open_quotes += 1;
        Token {
            kind: TokenKind::Broken,
            start,
            end: self.line_end(start),
        }
    }

    /// The end of a quoted or bracketed text, on its first line or a few lines later.
    fn skip_quoted(&self, at: usize) -> Option<usize> {
        let line_end = self.line_end(at);
        if let Some(end) = closing(&self.text.as_bytes()[..line_end], at) {
            return Some(end);
        }
        let most = self.end.min(at + MAX_QUOTED_LENGTH);
        let found = closing(&self.text.as_bytes()[..most], at)
            .filter(|_| self.open_quotes < MAX_OPEN_QUOTES)?;
        // An apostrophe in a sentence must not quote the commands after it.
        let inner = self.text.as_bytes().get(line_end..found)?;
        memchr::memmem::find(inner, b"tables")
            .is_none()
            .then_some(found)
    }
}

/// The end of the quoted or bracketed text that begins at a place.
pub(super) fn closing(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut closers: Vec<u8> = Vec::new();
    while let Some(&byte) = bytes.get(at) {
        let innermost = closers.last().copied();
        at += 1;
        match (innermost, byte) {
            (Some(b'\''), _) if byte != b'\'' => {}
            (Some(closer), _) if byte == closer => {
                closers.pop();
            }
            (_, b'\\') => at += 1,
            (Some(b'"'), b'\'') => {}
            (_, b'\'' | b'"' | b'`') => closers.push(byte),
            (Some(b'"'), b'(' | b'{') if bytes.get(at.wrapping_sub(2)) != Some(&b'$') => {}
            (_, b'(') => closers.push(b')'),
            (_, b'{') => closers.push(b'}'),
            _ => {}
        }
        if closers.is_empty() {
            return Some(at.min(bytes.len()));
        }
        if closers.len() > MAX_QUOTE_DEPTH {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<(TokenKind, &str)> {
        let mut lexer = Lexer::new(text, 0, text.len());
        std::iter::from_fn(|| Some(lexer.next()).filter(|token| token.kind != TokenKind::End))
            .map(|token| (token.kind, &text[token.start..token.end]))
            .collect()
    }

    #[test]
    fn words_and_operators_are_parted() {
        use TokenKind::{
            And, Broken, EndOfArm, HereDocument, Newline, Or, Redirection, Separator, Word,
        };
        let words: Vec<&str> = tokens("a 'x;y' \"$(b \"c d\")\" e\\ f \\\n g # h")
            .into_iter()
            .map(|(_, text)| text)
            .collect();
        assert_eq!(words, ["a", "'x;y'", "\"$(b \"c d\")\"", "e\\ f", "g"]);
        let kinds: Vec<TokenKind> = tokens("a >/dev/null 2>&1 && b || c; d ;;\n<<E")
            .into_iter()
            .map(|(kind, _)| kind)
            .collect();
        assert_eq!(
            kinds,
            [
                Word,
                Redirection,
                Word,
                Redirection,
                Word,
                And,
                Word,
                Or,
                Word,
                Separator,
                Word,
                EndOfArm,
                Newline,
                HereDocument,
                Word
            ]
        );
        assert_eq!(tokens("a don't\nb")[1], (Broken, "don't"));
        assert_eq!(tokens("A=(1 2\n3) b")[0], (Word, "A=(1 2\n3)"));
    }
}
