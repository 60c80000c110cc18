//! `snat`, `dnat`, `masquerade`, `redirect` (nft(8), "NAT STATEMENTS").

use super::address_and_port::AddressAndPort;
use crate::nftables::cursor::Cursor;

/// The kind of a translation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NatKind {
    /// A new source.
    Snat,
    /// A new destination.
    Dnat,
    /// The address of the outgoing interface as the source.
    Masquerade,
    /// This host as the destination.
    Redirect,
}

impl NatKind {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Snat, "snat"),
        (Self::Dnat, "dnat"),
        (Self::Masquerade, "masquerade"),
        (Self::Redirect, "redirect"),
    ];
}

/// The flags, in the order in which nft prints them.
const FLAGS: [&str; 3] = ["random", "fully-random", "persistent"];

/// A translation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nat {
    /// Its kind.
    pub kind: NatKind,
    /// The family of the address in a table of both families: `ip` or `ip6`.
    pub family: Option<&'static str>,
    /// Whether only the first bits of the address change: `dnat ip prefix to`.
    pub is_prefix: bool,
    /// The new address and port.
    pub to: Option<AddressAndPort>,
    /// `random`, `fully-random`, `persistent`.
    pub flags: Vec<&'static str>,
}

impl Nat {
    pub(super) fn parse(cursor: &mut Cursor) -> Option<Self> {
        let word = cursor.word()?;
        let (kind, _) = NatKind::ALL.into_iter().find(|(_, name)| *name == word)?;
        let family = ["ip", "ip6"].into_iter().find(|family| cursor.eat(family));
        let is_prefix = cursor.eat("prefix");
        let to = match cursor.eat("to") {
            true => Some(AddressAndPort::parse(cursor)?),
            false => None,
        };
        let mut flags = Vec::new();
        while let Some(flag) = FLAGS.into_iter().find(|flag| cursor.eat(flag)) {
            flags.push(flag);
            cursor.eat_symbol(",");
        }
        Some(Self {
            kind,
            family,
            is_prefix,
            to,
            flags,
        })
    }

    pub(super) fn print(&self, out: &mut String) {
        let row = NatKind::ALL.iter().find(|(kind, _)| *kind == self.kind);
        out.push_str(row.expect("the table has all kinds").1);
        if let Some(family) = self.family {
            out.push_str(&format!(" {family}"));
        }
        if self.is_prefix {
            out.push_str(" prefix");
        }
        if let Some(to) = &self.to {
            out.push_str(" to ");
            to.print(out);
        }
        if !self.flags.is_empty() {
            out.push_str(&format!(" {}", self.flags.join(",")));
        }
    }
}
