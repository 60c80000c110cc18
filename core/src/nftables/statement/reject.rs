//! `reject` (nft(8), "REJECT STATEMENT").

use crate::nftables::cursor::Cursor;
use crate::nftables::data_type::{DataType, ICMP_CODE, ICMPV6_CODE, ICMPX_CODE};
use crate::nftables::literal::Literal;
use crate::nftables::token::TokenKind;

/// The answer to the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reject {
    /// Nothing written: an unreachable port, in the family of the packet.
    Default,
    /// A TCP reset.
    TcpReset,
    /// An ICMP message with this code.
    Icmp(Literal),
    /// An ICMPv6 message with this code.
    Icmpv6(Literal),
    /// A message in the family of the packet, with this code.
    Icmpx(Literal),
}

impl Reject {
    pub(super) fn parse(cursor: &mut Cursor) -> Option<Self> {
        cursor.next();
        if !cursor.eat("with") {
            return Some(Self::Default);
        }
        let (make, data): (fn(Literal) -> Self, &DataType) = match cursor.word()? {
            "tcp" => return cursor.eat("reset").then_some(Self::TcpReset),
            "icmp" => (Self::Icmp, &ICMP_CODE),
            "icmpv6" => (Self::Icmpv6, &ICMPV6_CODE),
            "icmpx" => (Self::Icmpx, &ICMPX_CODE),
            _ => return None,
        };
        // Versions before 1.0 write `type` here.
        let _ = cursor.eat("type");
        let code = cursor.next().filter(|code| code.kind == TokenKind::Word)?;
        Some(make(Literal::parse(code, data)?))
    }

    pub(super) fn print(&self, out: &mut String) {
        out.push_str("reject");
        let (kind, code, data) = match self {
            Self::Default => return,
            Self::TcpReset => return out.push_str(" with tcp reset"),
            Self::Icmp(code) => ("icmp", code, &ICMP_CODE),
            Self::Icmpv6(code) => ("icmpv6", code, &ICMPV6_CODE),
            Self::Icmpx(code) => ("icmpx", code, &ICMPX_CODE),
        };
        out.push_str(&format!(" with {kind} "));
        code.print(data, out);
    }
}
