//! The packet at one point of its path: the fields that rules rewrote, and its interfaces.

use std::net::IpAddr;

use crate::packet::hook::Hook;
use crate::packet::{ConnectionState, Packet, TcpFlags};

/// The data that a bridge attaches to a packet which one of its ports receives
/// (`struct nf_bridge_info`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BridgeInfo {
    /// Whether a bridge port received the packet; `None` if unknown.
    pub exists: Option<bool>,
    /// That port, if it is known.
    pub input: Option<String>,
    /// The port that it leaves through.
    pub output: BridgeOutput,
}

/// The bridge port that a packet leaves through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BridgeOutput {
    /// No port: the bridge does not forward the packet, or has not chosen a port yet.
    None,
    /// A known port.
    Port(String),
    /// A port that the input does not show.
    Unknown,
}

/// A packet at one hook. Fields that neither rules nor routing change are in [`Packet`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The hook.
    pub hook: Hook,
    /// The interface that it arrived on; `None` for a packet that a process here sends.
    pub in_interface: Option<String>,
    /// The interface that it will leave through, from the last routing decision before this hook.
    pub out_interface: Option<String>,
    /// Source address.
    pub src: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// Source port.
    pub sport: Option<u16>,
    /// Destination port.
    pub dport: Option<u16>,
    /// The range of a source port that nat chose at random, both ends included. `sport` is then
    /// absent.
    pub sport_span: Option<(u16, u16)>,
    /// The range of a destination port that nat chose at random. `dport` is then absent.
    pub dport_span: Option<(u16, u16)>,
    /// The connection tracking zone that a CT rule set.
    pub zone: u16,
    /// The source address in connection tracking, if SNPT set another one in the packet.
    pub tracked_src: Option<IpAddr>,
    /// The destination address in connection tracking, if DNPT set another one in the packet.
    pub tracked_dst: Option<IpAddr>,
    /// The packet's mark.
    pub mark: u32,
    /// Differentiated services code point, 0 to 63.
    pub dscp: u8,
    /// Explicit congestion notification, 0 to 3.
    pub ecn: u8,
    /// TCP's maximum segment size, if the packet states one.
    pub ttl: u8,
    /// TCP's flags, if the packet states them.
    pub mss: Option<u16>,
    /// The kinds of TCP options, if the packet states them.
    pub tcp_flags: Option<TcpFlags>,
    /// The kinds of TCP's options, where the packet states them.
    pub tcp_options: Option<Vec<u8>>,
    /// The connection's mark.
    pub connmark: u32,
    /// The state from connection tracking; `None` before connection tracking sees the packet.
    pub state: Option<ConnectionState>,
    /// Whether connection tracking has seen it. If not, a state of NEW is that of a template that
    /// CT attached.
    pub tracked: bool,
    /// Whether its connection is confirmed, which happens after the last table of POSTROUTING
    /// (nf_conntrack_proto.c).
    pub confirmed: bool,
    /// Whether nat changed the source of its connection's first packet.
    pub source_translated: bool,
    /// Whether nat changed the destination of its connection's first packet.
    pub destination_translated: bool,
    /// Whether it is the copy of a broadcast or multicast packet. A copy has no socket, even if the
    /// packet itself has one.
    pub copied: bool,
    /// Whether SNPT or DNPT exchanged a prefix that the address did not have. That breaks the
    /// checksum of the transport protocol.
    pub checksum_broken: bool,
    /// The socket that TPROXY selected. It receives the packet independent of the destination.
    pub steered: Option<(IpAddr, Option<u16>)>,
    /// The bridge ports that it arrives on and leaves through.
    pub bridge: BridgeInfo,
}

impl View {
    /// The packet before its first hook.
    pub fn new(packet: &Packet, src: IpAddr, hook: Hook) -> Self {
        Self {
            hook,
            in_interface: None,
            out_interface: None,
            src,
            dst: packet.dst,
            sport: packet.sport,
            dport: packet.dport,
            sport_span: None,
            dport_span: None,
            zone: 0,
            tracked_src: None,
            tracked_dst: None,
            mark: packet.mark,
            dscp: packet.dscp,
            ecn: packet.ecn,
            ttl: packet.ttl,
            mss: packet.mss,
            tcp_flags: packet.tcp_flags,
            tcp_options: packet.tcp_options.clone(),
            connmark: packet.connmark,
            state: None,
            tracked: false,
            confirmed: false,
            source_translated: false,
            destination_translated: false,
            copied: false,
            checksum_broken: false,
            steered: None,
            bridge: BridgeInfo {
                exists: Some(false),
                input: None,
                output: BridgeOutput::None,
            },
        }
    }

    /// The bit of its connection's state. A packet that connection tracking has not seen counts as
    /// INVALID (as in table raw).
    pub fn state_bit(&self) -> u32 {
        self.state.unwrap_or(ConnectionState::Invalid).bit()
    }
}
