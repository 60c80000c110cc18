//! `flow add @f`: moves the connection to a flowtable (nft(8), "FLOW STATEMENT").

use crate::nftables::cursor::Cursor;

/// The connection is moved to a flowtable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowOffload {
    /// The name of the flowtable.
    pub flowtable: Box<str>,
}

impl FlowOffload {
    pub(super) fn parse(cursor: &mut Cursor) -> Option<Self> {
        cursor.next();
        cursor.next();
        if !cursor.eat_symbol("@") {
            return None;
        }
        let flowtable = cursor.word()?.into();
        Some(Self { flowtable })
    }

    pub(super) fn print(&self, out: &mut String) {
        out.push_str(&format!("flow add @{}", self.flowtable));
    }
}
