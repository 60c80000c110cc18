//! `vmap`: the verdict that a key finds (nft(8), "VERDICT MAP STATEMENT").

use crate::nftables::cursor::Cursor;
use crate::nftables::expression::Expression;

/// A verdict map. A key that it does not contain breaks the rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerdictMap {
    /// The fields that are looked up.
    pub key: Expression,
    /// The name of a map, or elements.
    pub map: Expression,
}

impl VerdictMap {
    pub(super) fn parse(cursor: &mut Cursor, key: Expression) -> Option<Self> {
        let map = Expression::parse_mapping(cursor, &key.types(), None)?;
        Some(Self { key, map })
    }

    pub(super) fn print(&self, out: &mut String) {
        self.key.print(out);
        out.push_str(" vmap ");
        self.map.print(out);
    }
}
