//! Comparisons of fields with values (nft(8), "EXPRESSION STATEMENT").

use crate::nftables::cursor::Cursor;
use crate::nftables::expression::Expression;
use crate::nftables::token::TokenKind;

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Nothing written: equality, or any of the bits of a list of flags.
    Implicit,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `!`: none of the bits.
    NoneOf,
}

impl Relation {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Equal, "=="),
        (Self::NotEqual, "!="),
        (Self::Less, "<"),
        (Self::LessOrEqual, "<="),
        (Self::Greater, ">"),
        (Self::GreaterOrEqual, ">="),
        (Self::NoneOf, "!"),
    ];

    fn parse(cursor: &mut Cursor) -> Self {
        let symbol = cursor
            .peek()
            .filter(|token| token.kind == TokenKind::Symbol);
        let found = Self::ALL
            .into_iter()
            .find(|(_, text)| symbol.is_some_and(|symbol| symbol.text == *text));
        let Some((relation, _)) = found else {
            return Self::Implicit;
        };
        cursor.next();
        relation
    }
}

/// A comparison. It breaks the rule unless it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relational {
    /// The fields.
    pub key: Expression,
    /// How they are compared.
    pub relation: Relation,
    /// The value.
    pub value: Expression,
}

impl Relational {
    pub(super) fn parse(cursor: &mut Cursor, key: Expression) -> Option<Self> {
        let relation = Relation::parse(cursor);
        let value = Expression::parse_value(cursor, &key.types())?;
        let is_operation = matches!(key, Expression::Operation(_));
        // nft prints `==` only after an operation.
        let relation = match relation {
            Relation::Equal if !is_operation => match &value {
                // `tcp flags == syn` is an exact value, and `tcp flags syn` is a bit.
                Expression::Literal(_, data) if data.is_bitmask => Relation::Equal,
                Expression::Flags(_) => Relation::Equal,
                _ => Relation::Implicit,
            },
            relation => relation,
        };
        Some(Self {
            key,
            relation,
            value,
        })
    }

    pub(super) fn print(&self, out: &mut String) {
        self.key.print(out);
        out.push(' ');
        let written = Relation::ALL
            .into_iter()
            .find(|(relation, _)| *relation == self.relation);
        if let Some((_, text)) = written {
            out.push_str(text);
            out.push(' ');
        }
        self.value.print(out);
    }
}
