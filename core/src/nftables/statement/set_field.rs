//! `meta mark set …`, `ct zone set …`, `ip dscp set …` (nft(8), "META STATEMENT", "CONNTRACK
//! STATEMENT", "PAYLOAD STATEMENT").

use crate::nftables::cursor::Cursor;
use crate::nftables::data_type;
use crate::nftables::expression::Expression;

/// A change of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetField {
    /// The field.
    pub field: Expression,
    /// Its new value.
    pub value: Expression,
}

impl SetField {
    pub(super) fn parse(cursor: &mut Cursor, field: Expression) -> Option<Self> {
        let data = field.types().first().copied();
        let data = data.unwrap_or(&data_type::UNKNOWN);
        let value = Expression::parse_computed(cursor, data)?;
        Some(Self { field, value })
    }

    pub(super) fn print(&self, out: &mut String) {
        self.field.print(out);
        out.push_str(" set ");
        self.value.print(out);
    }
}
