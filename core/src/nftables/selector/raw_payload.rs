//! `@nh,128,32`: bits at a position of a header (nft(8), "RAW PAYLOAD EXPRESSION").

use crate::nftables::cursor::Cursor;

/// Bits of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawPayload {
    /// The header: `ll`, `nh`, `th` or `ih`.
    pub base: &'static str,
    /// The first bit, from the beginning of the header.
    pub offset: u32,
    /// The number of bits.
    pub length: u32,
}

impl RawPayload {
    /// Parses the position. Takes nothing if the next tokens are none: `@name` is a set.
    pub(super) fn parse(cursor: &mut Cursor) -> Option<Self> {
        let mut ahead = cursor.clone();
        if !ahead.eat_symbol("@") {
            return None;
        }
        let base = ["ll", "nh", "th", "ih"]
            .into_iter()
            .find(|base| ahead.eat(base))?;
        let offset = ahead.eat_symbol(",").then(|| ahead.number()).flatten()?;
        let length = ahead.eat_symbol(",").then(|| ahead.number()).flatten()?;
        *cursor = ahead;
        Some(Self {
            base,
            offset,
            length,
        })
    }
}
