//! `ct count` (nft(8), "CONNTRACK EXPRESSIONS").

use crate::nftables::cursor::Cursor;

/// A limit of the number of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimit {
    /// Whether it holds above the number.
    pub is_over: bool,
    /// The number.
    pub connections: u32,
}

impl ConnectionLimit {
    pub(super) fn parse(cursor: &mut Cursor) -> Option<Self> {
        cursor.eat_all(&["ct", "count"]);
        let is_over = cursor.eat("over");
        let connections = cursor.number()?;
        Some(Self {
            is_over,
            connections,
        })
    }

    pub(super) fn print(self, out: &mut String) {
        let over = if self.is_over { "over " } else { "" };
        out.push_str(&format!("ct count {over}{}", self.connections));
    }
}
