//! `tproxy` (nft(8), "TPROXY STATEMENT").

use super::address_and_port::AddressAndPort;
use crate::nftables::cursor::Cursor;

/// Assigns the packet to a local socket without a change of its addresses. Without a listening
/// socket, it breaks the rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tproxy {
    /// The family of the address in a table of both families: `ip` or `ip6`.
    pub family: Option<&'static str>,
    /// The address and port of the socket.
    pub to: AddressAndPort,
}

impl Tproxy {
    pub(super) fn parse(cursor: &mut Cursor) -> Option<Self> {
        cursor.next();
        let family = ["ip", "ip6"].into_iter().find(|family| cursor.eat(family));
        if !cursor.eat("to") {
            return None;
        }
        let to = AddressAndPort::parse(cursor)?;
        Some(Self { family, to })
    }

    pub(super) fn print(&self, out: &mut String) {
        out.push_str("tproxy ");
        if let Some(family) = self.family {
            out.push_str(&format!("{family} "));
        }
        out.push_str("to ");
        self.to.print(out);
    }
}
