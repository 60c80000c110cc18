//! `counter` (nft(8), "COUNTER STATEMENT").

use crate::nftables::cursor::Cursor;

/// A counter. It counts each packet that reaches it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counter {
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Counter {
    pub(super) fn parse(cursor: &mut Cursor) -> Option<Self> {
        cursor.next();
        if !cursor.eat("packets") {
            return Some(Self::default());
        }
        let packets = cursor.number()?;
        let bytes = cursor.eat("bytes").then(|| cursor.number()).flatten()?;
        Some(Self { packets, bytes })
    }

    pub(super) fn print(self, out: &mut String) {
        let Self { packets, bytes } = self;
        out.push_str(&format!("counter packets {packets} bytes {bytes}"));
    }
}
