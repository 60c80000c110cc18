//! A reader of tokens that can go back.

use super::token::{Token, TokenKind};

/// The position among the tokens of a text.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a, 't> {
    tokens: &'a [Token<'t>],
    at: usize,
    /// Whether `0x1` and other names of values stay as written. nft prints them this way in rules of
    /// iptables-nft.
    pub(super) keeps_spelling: bool,
    /// The number of brackets around the next token.
    depth: u8,
}

/// The maximum depth of brackets. nft's own grammar needs three.
const MAX_DEPTH: u8 = 8;

impl<'a, 't> Cursor<'a, 't> {
    pub(super) fn new(tokens: &'a [Token<'t>]) -> Self {
        Self {
            tokens,
            at: 0,
            keeps_spelling: false,
            depth: 0,
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
    pub(super) fn peek(&self) -> Option<&'a Token<'t>> {
        self.tokens.get(self.at)
    }

    /// The token after the next one.
    pub(super) fn peek_second(&self) -> Option<&'a Token<'t>> {
        self.tokens.get(self.at + 1)
    }

    /// Takes a token.
    pub(super) fn next(&mut self) -> Option<&'a Token<'t>> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        Some(token)
    }

    /// The token that was taken last.
    pub(super) fn last(&self) -> Option<&'a Token<'t>> {
        self.tokens.get(self.at.checked_sub(1)?)
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
        self.at += 1;
        Some(token.text)
    }

    /// Takes this word. Returns whether it is the next token.
    pub(super) fn eat(&mut self, word: &str) -> bool {
        self.eat_if(|token| token.is_word(word))
    }

    /// Takes these words, or nothing.
    pub(super) fn eat_all(&mut self, words: &[&str]) -> bool {
        let next = self.tokens[self.at..].iter();
        let found = next.zip(words).filter(|(token, word)| token.is_word(word));
        let is_found = found.count() == words.len();
        self.at += if is_found { words.len() } else { 0 };
        is_found
    }

    /// Takes this operator or bracket. Returns whether it is the next token.
    pub(super) fn eat_symbol(&mut self, symbol: &str) -> bool {
        self.eat_if(|token| token.is_symbol(symbol))
    }

    fn eat_if(&mut self, is_wanted: impl Fn(&Token) -> bool) -> bool {
        let is_next = self.peek().is_some_and(is_wanted);
        self.at += usize::from(is_next);
        is_next
    }

    /// Takes a number.
    pub(super) fn number<N: std::str::FromStr>(&mut self) -> Option<N> {
        let number = self.peek()?.text.parse().ok()?;
        self.at += 1;
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
        self.skip(&[TokenKind::End, TokenKind::Comment]);
    }

    /// Takes line ends within the braces of a set.
    pub(super) fn skip_line_ends(&mut self) {
        while self
            .peek()
            .is_some_and(|token| token.kind == TokenKind::Comment || token.text == "\n")
        {
            self.at += 1;
        }
    }

    fn skip(&mut self, kinds: &[TokenKind]) {
        while self.peek().is_some_and(|token| kinds.contains(&token.kind)) {
            self.at += 1;
        }
    }

    /// The handle in a comment at the end of a line, as `nft -a` prints it: `# handle 7`.
    pub(super) fn handle(&mut self) -> Option<u64> {
        let comment = self
            .peek()
            .filter(|token| token.kind == TokenKind::Comment)?;
        let number = comment.text.trim().strip_prefix("handle ")?.parse().ok()?;
        self.at += 1;
        Some(number)
    }

    /// Takes all tokens to the end of the statement, with blocks in braces. Returns them.
    pub(super) fn rest_of_statement(&mut self) -> &'a [Token<'t>] {
        let start = self.at;
        let mut depth = 0_usize;
        while let Some(token) = self.peek() {
            let is_end = matches!(token.kind, TokenKind::End | TokenKind::Comment);
            if depth == 0 && (is_end || token.is_symbol("}")) {
                break;
            }
            depth += usize::from(token.is_symbol("{"));
            depth -= usize::from(token.is_symbol("}"));
            self.at += 1;
        }
        &self.tokens[start..self.at]
    }
}
