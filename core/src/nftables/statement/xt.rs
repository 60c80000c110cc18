//! `xt match "owner"`: a match or target of iptables that nft cannot translate. Its parameters are
//! not in the listing.

use crate::nftables::cursor::Cursor;

/// A match or target of iptables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Xt {
    /// `match`, `target` or `watcher`.
    pub kind: Box<str>,
    /// Its name.
    pub name: Box<str>,
}

impl Xt {
    pub(super) fn parse(cursor: &mut Cursor) -> Option<Self> {
        cursor.next();
        let kind = cursor.word()?.into();
        let name = cursor.quoted()?.into();
        Some(Self { kind, name })
    }

    pub(super) fn print(&self, out: &mut String) {
        out.push_str(&format!("xt {} \"{}\"", self.kind, self.name));
    }
}
