//! The families of tables.

use strum::{Display, EnumString};

use crate::packet::Family;

/// The packets that a table sees. The names are those of nft (nft(8), "ADDRESS FAMILIES").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, EnumString)]
#[strum(serialize_all = "lowercase")]
pub enum TableFamily {
    /// IPv4 packets.
    Ip,
    /// IPv6 packets.
    Ip6,
    /// IPv4 and IPv6 packets.
    Inet,
    /// ARP packets.
    Arp,
    /// Packets that a bridge forwards.
    Bridge,
    /// All packets of one interface.
    Netdev,
}

impl From<Family> for TableFamily {
    fn from(family: Family) -> Self {
        match family {
            Family::Ipv4 => Self::Ip,
            Family::Ipv6 => Self::Ip6,
        }
    }
}
