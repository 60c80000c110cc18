//! `dup` and `fwd`: send a copy, or the packet itself, somewhere else (nft(8), "DUP STATEMENT", "FWD
//! STATEMENT").

use crate::nftables::cursor::Cursor;
use crate::nftables::data_type::{IFACE_INDEX, UNKNOWN};
use crate::nftables::expression::Expression;

/// A copy, or a forwarded packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// Whether the packet itself goes: `fwd`.
    pub is_forward: bool,
    /// The family of the address: `ip` or `ip6`.
    pub family: Option<Box<str>>,
    /// The address or the interface.
    pub to: Expression,
    /// The interface.
    pub device: Option<Expression>,
}

impl Duplicate {
    pub(super) fn parse(cursor: &mut Cursor) -> Option<Self> {
        let is_forward = cursor.word()? == "fwd";
        let family = ["ip", "ip6"].into_iter().find(|family| cursor.eat(family));
        if !cursor.eat("to") {
            return None;
        }
        let to = Expression::parse_computed(cursor, &UNKNOWN)?;
        let device = match cursor.eat("device") {
            true => Some(Expression::parse_computed(cursor, &IFACE_INDEX)?),
            false => None,
        };
        Some(Self {
            is_forward,
            family: family.map(Into::into),
            to,
            device,
        })
    }

    pub(super) fn print(&self, out: &mut String) {
        out.push_str(if self.is_forward { "fwd" } else { "dup" });
        if let Some(family) = &self.family {
            out.push_str(&format!(" {family}"));
        }
        out.push_str(" to ");
        self.to.print(out);
        if let Some(device) = &self.device {
            out.push_str(" device ");
            device.print(out);
        }
    }
}
