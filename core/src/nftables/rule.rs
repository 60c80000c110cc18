//! The rules of nft.

use super::cursor::Cursor;
use super::statement::NativeStatement;
use crate::text::diagnostic::Span;

/// A rule: statements that run from left to right until one breaks the rule or gives a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativeRule {
    /// Its statements.
    pub statements: Vec<NativeStatement>,
    /// Its comment.
    pub comment: Option<Comment>,
    /// Its number, as `nft -a` prints it.
    pub handle: Option<u64>,
    /// Line in the text, from 1.
    pub line: u32,
    /// Its bytes in the text.
    pub span: Span,
}

/// A comment, and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// The text.
    pub text: Box<str>,
    /// The number of statements before it. nft prints the comment of a rule of iptables-nft among
    /// its statements.
    pub before: usize,
}

impl NativeRule {
    /// Parses a rule to the end of its line. Words that are not understood become one statement.
    pub(super) fn parse(cursor: &mut Cursor) -> Option<Self> {
        let first = cursor.peek()?;
        let mut statements = Vec::new();
        let mut comment = None;
        while !cursor.is_at_end() {
            if let Some(text) = parse_comment(cursor) {
                let before = statements.len();
                comment = Some(Comment { text, before });
                continue;
            }
            let start = cursor.clone();
            if let Some(statement) = NativeStatement::parse(cursor) {
                statements.push(statement);
                continue;
            }
            *cursor = start;
            match cursor.rest_of_statement() {
                Some(words) => statements.push(NativeStatement::Opaque(words)),
                None => break,
            }
        }
        statements.shrink_to_fit();
        let end = cursor.last().map_or(first.span.end, |last| last.span.end);
        Some(Self {
            statements,
            comment,
            handle: cursor.handle(),
            line: first.line,
            span: Span {
                start: first.span.start,
                end,
            },
        })
    }

    /// Prints the rule as `nft list ruleset` does.
    pub(super) fn print(&self, out: &mut String) {
        let comment = |place: usize| self.comment.as_ref().filter(|own| own.before == place);
        for place in 0..=self.statements.len() {
            let separator = if place == 0 { "" } else { " " };
            if let Some(comment) = comment(place) {
                out.push_str(separator);
                out.push_str(&format!("comment \"{}\"", comment.text));
            }
            if let Some(statement) = self.statements.get(place) {
                let is_first = place == 0 && comment(0).is_none();
                out.push_str(if is_first { "" } else { " " });
                statement.print(out);
            }
        }
    }

    /// Whether it has words that are not understood.
    pub fn is_opaque(&self) -> bool {
        let is_opaque =
            |statement: &NativeStatement| matches!(statement, NativeStatement::Opaque(_));
        self.statements.iter().any(is_opaque)
    }
}

/// Parses `comment "…"`.
pub(super) fn parse_comment(cursor: &mut Cursor) -> Option<Box<str>> {
    let mut ahead = cursor.clone();
    let text = ahead.eat("comment").then(|| ahead.quoted()).flatten()?;
    *cursor = ahead;
    Some(text.into())
}
