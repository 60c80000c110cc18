//! A reader of tokens that can go back. It finds each token when it comes to it, because the tokens
//! of a large set would take several times the memory of their text.

use super::token::{self, Token, TokenKind};

/// The maximum depth of brackets. nft's own grammar needs three.
const MAX_DEPTH: u8 = 8;

/// A position in a text.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'t> {
    text: &'t str,
    next: Option<Token<'t>>,
    last: Option<Token<'t>>,
    /// Whether `0x1` and other names of values stay as written. nft prints them this way in rules of
    /// iptables-nft.
    pub(super) keeps_spelling: bool,
    /// The number of brackets around the next token.
    depth: u8,
    /// The number of tokens that searches for the ends of blocks may still pass. It makes the work
    /// linear in the text, even if many lines open a brace that nothing closes.
    lookahead: usize,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            next: token::at(text, 0, 1),
            last: None,
            keeps_spelling: false,
            depth: 0,
            lookahead: text.len(),
        }
    }

    /// Parses the content of brackets. `None` beyond the maximum depth.
    pub(super) fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        if self.depth == MAX_DEPTH {
            return None;
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    /// Whether the next token is within brackets.
    pub(super) fn is_nested(&self) -> bool {
        self.depth > 0
    }

    /// The next token, without taking it.
    pub(super) fn peek(&self) -> Option<Token<'t>> {
        self.next
    }

    /// The next token, if it is a word.
    pub(super) fn peek_word(&self) -> Option<&'t str> {
        let token = self.peek()?;
        (token.kind == TokenKind::Word).then_some(token.text)
    }

    /// The token after the next one.
    pub(super) fn peek_second(&self) -> Option<Token<'t>> {
        self.after(self.peek()?)
    }

    fn after(&self, token: Token) -> Option<Token<'t>> {
        token::at(self.text, token.span.end as usize, token.next_line())
    }

    /// Takes a token.
    pub(super) fn next(&mut self) -> Option<Token<'t>> {
        let token = self.peek()?;
        self.take(token);
        Some(token)
    }

    fn take(&mut self, token: Token<'t>) {
        self.next = self.after(token);
        self.last = Some(token);
    }

    /// The token that was taken last.
    pub(super) fn last(&self) -> Option<Token<'t>> {
        self.last
    }

    /// Takes a word, such as a keyword or a number.
    pub(super) fn word(&mut self) -> Option<&'t str> {
        self.take_kind(TokenKind::Word)
    }

    /// Takes a text in quotes.
    pub(super) fn quoted(&mut self) -> Option<&'t str> {
        self.take_kind(TokenKind::Quoted)
    }

    fn take_kind(&mut self, kind: TokenKind) -> Option<&'t str> {
        let token = self.peek().filter(|token| token.kind == kind)?;
        self.take(token);
        Some(token.text)
    }

    /// Takes this word. Returns whether it is the next token.
    pub(super) fn eat(&mut self, word: &str) -> bool {
        self.eat_if(|token| token.is_word(word))
    }

    /// Takes these words, or nothing.
    pub(super) fn eat_all(&mut self, words: &[&str]) -> bool {
        if self.peek_word() != words.first().copied() {
            return false;
        }
        let mut ahead = self.clone();
        let is_next = words.iter().all(|word| ahead.eat(word));
        if is_next {
            *self = ahead;
        }
        is_next
    }

    /// Takes this operator or bracket. Returns whether it is the next token.
    pub(super) fn eat_symbol(&mut self, symbol: &str) -> bool {
        self.eat_if(|token| token.is_symbol(symbol))
    }

    fn eat_if(&mut self, is_wanted: impl Fn(&Token) -> bool) -> bool {
        let token = self.peek().filter(is_wanted);
        if let Some(token) = token {
            self.take(token);
        }
        token.is_some()
    }

    /// Takes a number.
    pub(super) fn number<N: std::str::FromStr>(&mut self) -> Option<N> {
        let token = self.peek()?;
        let number = token.text.parse().ok()?;
        self.take(token);
        Some(number)
    }

    /// Whether the statement ends here: at a line end, a `;`, a `}` or a comment.
    pub(super) fn is_at_end(&self) -> bool {
        self.peek().is_none_or(|token| {
            matches!(token.kind, TokenKind::End | TokenKind::Comment) || token.is_symbol("}")
        })
    }

    /// Takes line ends. Comments before them are taken, too.
    pub(super) fn skip_ends(&mut self) {
        self.skip_while(|token| matches!(token.kind, TokenKind::End | TokenKind::Comment));
    }

    /// Takes line ends within the braces of a set.
    pub(super) fn skip_line_ends(&mut self) {
        self.skip_while(|token| token.kind == TokenKind::Comment || token.text == "\n");
    }

    /// Takes the rest of a line.
    pub(super) fn skip_line(&mut self) {
        self.skip_while(|token| token.kind != TokenKind::End);
    }

    fn skip_while(&mut self, is_skipped: impl Fn(&Token) -> bool) {
        while self.eat_if(&is_skipped) {}
    }

    /// The handle in a comment at the end of a line, as `nft -a` prints it: `# handle 7`.
    pub(super) fn handle(&mut self) -> Option<u64> {
        let comment = self
            .peek()
            .filter(|token| token.kind == TokenKind::Comment)?;
        let number = comment.text.trim().strip_prefix("handle ")?.parse().ok()?;
        self.take(comment);
        Some(number)
    }

    /// Takes all words to the end of the statement, with blocks in braces, and returns them with one
    /// blank in place of several. A brace that nothing closes is a word. `None` without a word.
    pub(super) fn rest_of_statement(&mut self) -> Option<Box<str>> {
        let end = self.end_of_statement();
        let mut out = String::new();
        let mut last = self.peek()?.span.start;
        while let Some(token) = self.peek().filter(|token| token.span.start < end) {
            self.take(token);
            if token.kind == TokenKind::Comment || token.text == "\n" {
                continue;
            }
            if token.span.start > last {
                out.push(' ');
            }
            match token.kind {
                TokenKind::Quoted => out.push_str(&format!("\"{}\"", token.text)),
                _ => out.push_str(token.text),
            }
            last = token.span.end;
        }
        (!out.is_empty()).then(|| out.into())
    }

    /// The position at which the statement ends; the end of the line if a brace is not closed.
    fn end_of_statement(&mut self) -> u32 {
        let mut ahead = self.clone();
        let (mut depth, mut line_end) = (0_usize, None);
        while let Some(token) = ahead
            .next()
            .filter(|_| self.lookahead > 0 || line_end.is_none())
        {
            self.lookahead = self.lookahead.saturating_sub(1);
            let is_end = matches!(token.kind, TokenKind::End | TokenKind::Comment);
            if depth == 0 && (is_end || token.is_symbol("}")) {
                return token.span.start;
            }
            if is_end {
                line_end.get_or_insert(token.span.start);
            }
            depth += usize::from(token.is_symbol("{"));
            depth -= usize::from(token.is_symbol("}"));
        }
        line_end.filter(|_| depth > 0).unwrap_or(u32::MAX)
    }
}
