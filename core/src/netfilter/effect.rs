//! The effects of rules: typed values that do not depend on the rule language.
//!
//! A rule language lowers its targets or statements to an [`Effect`], and the engine performs the
//! effect. An effect holds parameters only. The engine reads no option and no text of a rule.

use std::net::{IpAddr, Ipv6Addr};

/// A change of a packet, or a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Ends the base chain. The packet continues with the next base chain.
    Accept,
    /// Drops the packet.
    Drop,
    /// Returns to the calling chain; in a base chain, applies its policy.
    Return,
    /// Drops the packet and sends an answer to its sender.
    Reject {
        /// The answer, by the name that iptables prints.
        with: &'static str,
    },
    /// Passes the packet to a user-space program.
    Queue {
        /// First and last queue number.
        queues: (u16, u16),
        /// Whether the packet is accepted if no program listens.
        bypass: bool,
    },
    /// Changes nothing that a later rule, a route or the outcome reads.
    Passive,
    /// Sends a copy of the packet to another host.
    Duplicate {
        /// The host that receives the copy.
        gateway: Option<IpAddr>,
    },
    /// Translates the destination of a connection.
    Dnat {
        /// The new addresses and ports.
        range: NatRange,
        /// How the kernel chooses from the range.
        choice: NatChoice,
    },
    /// Translates the source of a connection.
    Snat {
        /// The new addresses and ports.
        range: NatRange,
        /// How the kernel chooses from the range.
        choice: NatChoice,
    },
    /// Translates the destination to this host.
    Redirect {
        /// First and last port; `None` keeps the port.
        ports: Option<(u16, u16)>,
        /// How the kernel chooses from the range.
        choice: NatChoice,
    },
    /// Translates the source to an address of the outgoing interface.
    Masquerade {
        /// First and last port; `None` keeps the port where it can.
        ports: Option<(u16, u16)>,
        /// The base of a shifted range of ports.
        base: Option<u16>,
        /// How the kernel chooses from the range.
        choice: NatChoice,
    },
    /// Replaces the network part of an address: of the destination in PREROUTING and OUTPUT,
    /// otherwise of the source.
    Netmap {
        /// The new network.
        network: IpAddr,
        /// The bits that the network replaces.
        mask: IpAddr,
    },
    /// Delivers the packet to a local socket without changing its addresses.
    TransparentProxy {
        /// The address of the socket; `None` is the packet's destination.
        address: Option<IpAddr>,
        /// The port of the socket; `None` is the packet's destination port.
        port: Option<u16>,
        /// The change of the packet's mark.
        mark: Option<MaskedBits>,
    },
    /// Answers the first packets of a TCP connection for the server.
    Synproxy,
    /// Accepts the packet only on the cluster node that a hash of the sender selects.
    ClusterShare,
    /// Changes the packet's mark.
    SetMark(MaskedBits),
    /// Sets the packet's mark to a value that the input does not determine.
    SetUnknownMark {
        /// The source of the mark, as a noun phrase for a sentence.
        source: &'static str,
    },
    /// Changes the mark of the connection, then shifts it.
    SetConnectionMark {
        /// The change before the shift.
        change: MaskedBits,
        /// The shift of the result.
        shift: Shift,
    },
    /// Copies the packet's mark to its connection.
    SaveMark(MarkTransfer),
    /// Copies the connection's mark to the packet.
    RestoreMark(MarkTransfer),
    /// Adds the packet's addresses to a set, or deletes them. The input does not contain the
    /// elements of sets, so a lookup in the set is undetermined before and after.
    UpdateSet,
    /// Decides how connection tracking treats the packet. A packet that has a connection or an
    /// earlier decision keeps it.
    Track {
        /// Whether connection tracking sees the packet.
        tracked: bool,
        /// The zone of the connection; `None` leaves it.
        zone: Option<ConnectionZone>,
    },
    /// Changes the byte that holds DSCP and ECN.
    SetTos(MaskedBits),
    /// Changes explicit congestion notification.
    SetEcn {
        /// The new value in the IP header.
        ip: Option<u8>,
        /// The new value of TCP's ECE flag.
        ece: Option<bool>,
        /// The new value of TCP's CWR flag.
        cwr: Option<bool>,
    },
    /// Changes the time to live or the hop limit.
    SetTtl(TtlChange),
    /// Lowers TCP's maximum segment size; `None` lowers it to what the path's MTU permits.
    LowerMss(Option<u16>),
    /// Overwrites these TCP options with no-operations.
    StripTcpOptions(Vec<u8>),
    /// Replaces the prefix of an IPv6 address without connection tracking (RFC 6296).
    TranslatePrefix {
        /// Which address.
        side: Side,
        /// The old prefix and its length.
        from: (Ipv6Addr, u32),
        /// The new prefix and its length.
        to: (Ipv6Addr, u32),
    },
    /// Does something that the engine does not simulate, for this reason.
    Unsupported(String),
}

/// The zone in which connection tracking keeps a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionZone {
    /// This number.
    Number(u16),
    /// The lower half of the packet's mark (`nf_ct_zone_tmpl` in
    /// include/net/netfilter/nf_conntrack_zones.h).
    Mark,
}

/// How a packet continues after an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behavior {
    /// The packet continues with the next rule, unchanged.
    Passive,
    /// The packet continues with the next rule, perhaps changed, or the engine does not simulate
    /// what happens.
    Continue,
    /// The packet continues in the calling chain.
    Return,
    /// The packet leaves the base chain.
    Terminal,
    /// The packet leaves the base chain, and the effect sets its destination.
    Redirect,
}

impl Behavior {
    /// Whether no later rule of the chain sees the packet.
    pub fn ends_chain(self) -> bool {
        matches!(self, Self::Return | Self::Terminal | Self::Redirect)
    }
}

impl Effect {
    /// How a packet continues after the effect, as one answer for all packets. SYNPROXY drops some
    /// packets and continues with others.
    pub fn behavior(&self) -> Behavior {
        match self {
            Self::Passive | Self::Duplicate { .. } => Behavior::Passive,
            Self::Return => Behavior::Return,
            Self::Accept
            | Self::Drop
            | Self::Reject { .. }
            | Self::Queue { .. }
            | Self::Snat { .. }
            | Self::Masquerade { .. } => Behavior::Terminal,
            Self::Dnat { .. }
            | Self::Redirect { .. }
            | Self::Netmap { .. }
            | Self::TransparentProxy { .. } => Behavior::Redirect,
            Self::Synproxy
            | Self::ClusterShare
            | Self::SetMark(_)
            | Self::SetUnknownMark { .. }
            | Self::SetConnectionMark { .. }
            | Self::SaveMark(_)
            | Self::RestoreMark(_)
            | Self::UpdateSet
            | Self::Track { .. }
            | Self::SetTos(_)
            | Self::SetEcn { .. }
            | Self::SetTtl(_)
            | Self::LowerMss(_)
            | Self::StripTcpOptions(_)
            | Self::TranslatePrefix { .. }
            | Self::Unsupported(_) => Behavior::Continue,
        }
    }
}

/// A change of some bits: the bits of `mask` are cleared, then the result is exclusive-ored with
/// `value`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MaskedBits {
    /// The bits to flip after clearing.
    pub value: u32,
    /// The bits to clear.
    pub mask: u32,
}

impl MaskedBits {
    /// Applies the change.
    pub fn apply(self, old: u32) -> u32 {
        old & !self.mask ^ self.value
    }
}

impl From<(u32, u32)> for MaskedBits {
    fn from((value, mask): (u32, u32)) -> Self {
        Self { value, mask }
    }
}

/// A shift by 0 to 31 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// Toward the high bits.
    Left(u32),
    /// Toward the low bits.
    Right(u32),
}

impl Shift {
    /// Shifts a mark.
    pub fn apply(self, mark: u32) -> u32 {
        match self {
            Self::Left(bits) => mark.checked_shl(bits).unwrap_or(0),
            Self::Right(bits) => mark.checked_shr(bits).unwrap_or(0),
        }
    }
}

/// How a mark is copied between a packet and its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarkTransfer {
    /// The bits of the packet's mark that take part.
    pub packet_mask: u32,
    /// The bits of the connection's mark that take part.
    pub connection_mask: u32,
    /// The shift of the source's bits.
    pub shift: Shift,
}

/// A change of the time to live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TtlChange {
    /// To this value.
    Set(u8),
    /// By this value, down to 0.
    Decrease(u8),
    /// By this value, up to 255.
    Increase(u8),
}

/// The addresses and ports that a translation chooses from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NatRange {
    /// First and last address; `None` keeps the address.
    pub addresses: Option<(IpAddr, IpAddr)>,
    /// First and last port; `None` keeps the port.
    pub ports: Option<(u16, u16)>,
    /// For a shifted range of ports: the original port that becomes the first port of the range.
    pub base: Option<u16>,
}

/// How the kernel chooses from a [`NatRange`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NatChoice {
    /// Ports are chosen at random.
    pub random: bool,
    /// A client keeps its address for every destination.
    pub persistent: bool,
}

/// One side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The sender.
    Source,
    /// The receiver.
    Destination,
}
