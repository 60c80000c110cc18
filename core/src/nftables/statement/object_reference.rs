//! References to named objects: `counter name "x"`, `ct helper set "ftp"` (nft(8), "STATEFUL
//! OBJECTS").

use crate::nftables::cursor::Cursor;
use crate::nftables::data_type::STRING;
use crate::nftables::expression::Expression;
use crate::nftables::token::TokenKind;

/// The kind of a named object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// `counter`
    Counter,
    /// `quota`
    Quota,
    /// `limit`
    Limit,
    /// `ct helper`
    Helper,
    /// `ct timeout`
    Timeout,
    /// `ct expectation`
    Expectation,
}

impl ObjectKind {
    const ALL: [(Self, &'static [&'static str], &'static str); 6] = [
        (Self::Counter, &["counter", "name"], "counter name"),
        (Self::Quota, &["quota", "name"], "quota name"),
        (Self::Limit, &["limit", "name"], "limit name"),
        (Self::Helper, &["ct", "helper", "set"], "ct helper set"),
        (Self::Timeout, &["ct", "timeout", "set"], "ct timeout set"),
        (
            Self::Expectation,
            &["ct", "expectation", "set"],
            "ct expectation set",
        ),
    ];
}

/// The use of a named object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectReference {
    /// Its kind.
    pub kind: ObjectKind,
    /// Its name, or a map that chooses one.
    pub name: Expression,
}

/// Whether the next words use an object. `ct helper "ftp"` is a comparison.
pub(super) fn is_next(cursor: &Cursor) -> bool {
    ObjectKind::ALL
        .iter()
        .any(|(_, words, _)| cursor.clone().eat_all(words))
}

impl ObjectReference {
    pub(super) fn parse(cursor: &mut Cursor) -> Option<Self> {
        let (kind, ..) = ObjectKind::ALL
            .into_iter()
            .find(|(_, words, _)| cursor.eat_all(words))?;
        let is_name = cursor
            .peek()
            .is_some_and(|token| token.kind == TokenKind::Quoted);
        let name = match is_name {
            true => Expression::parse_value(cursor, &[&STRING])?,
            false => Expression::parse_computed(cursor, &STRING)?,
        };
        Some(Self { kind, name })
    }

    pub(super) fn print(&self, out: &mut String) {
        let row = ObjectKind::ALL.iter().find(|(kind, ..)| *kind == self.kind);
        let (_, _, text) = row.expect("the table has all kinds");
        out.push_str(text);
        out.push(' ');
        self.name.print(out);
    }
}
