//! The packet as it stands at one point of its way: what rules have rewritten, and where it is.

use std::net::IpAddr;

use crate::packet::hook::Hook;
use crate::packet::{ConnectionState, Packet, TcpFlags};

/// What a bridge notes of a packet that one of its ports receives (`struct nf_bridge_info`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BridgeInfo {
    /// Whether a port of a bridge received the packet; `None`: unknown.
    pub exists: Option<bool>,
    /// That port, if it is known.
    pub input: Option<String>,
    /// The port that it leaves by.
    pub output: BridgeOutput,
}

/// The port of a bridge that a packet leaves by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BridgeOutput {
    /// None: the bridge does not pass the packet on, or has not yet chosen.
    None,
    /// This one.
    Port(String),
    /// One that the input does not show.
    Unknown,
}

/// A packet at one hook. Everything that no rule and no routing changes stays in [`Packet`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Where it is.
    pub hook: Hook,
    /// The interface it came in by; none for a packet that a process here sends.
    pub in_interface: Option<String>,
    /// The interface it will leave by, as routing last said before this hook.
    pub out_interface: Option<String>,
    /// Source address.
    pub src: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// Source port.
    pub sport: Option<u16>,
    /// Destination port.
    pub dport: Option<u16>,
    /// Where nat picked the source port at random: from which span, both ends included. `sport` is
    /// then absent.
    pub sport_span: Option<(u16, u16)>,
    /// The same for the destination port.
    pub dport_span: Option<(u16, u16)>,
    /// The zone of connection tracking that a CT rule put its connection in.
    pub zone: u16,
    /// The source that connection tracking knows, where SNPT has put another into the packet.
    pub tracked_src: Option<IpAddr>,
    /// The destination that connection tracking knows, where DNPT has put another into the packet.
    pub tracked_dst: Option<IpAddr>,
    /// The packet's mark.
    pub mark: u32,
    /// Differentiated services code point, 0 to 63.
    pub dscp: u8,
    /// Explicit congestion notification, 0 to 3.
    pub ecn: u8,
    /// Time to live, or hop limit.
    pub ttl: u8,
    /// TCP's maximum segment size, where the packet states one.
    pub mss: Option<u16>,
    /// TCP's flags, where the packet states them.
    pub tcp_flags: Option<TcpFlags>,
    /// The kinds of TCP's options, where the packet states them.
    pub tcp_options: Option<Vec<u8>>,
    /// The connection's mark.
    pub connmark: u32,
    /// What connection tracking says; `None` before it has seen the packet.
    pub state: Option<ConnectionState>,
    /// Whether connection tracking has seen it; before, a state of NEW is that of a template which
    /// CT attached.
    pub tracked: bool,
    /// Whether its connection is confirmed, as it is behind the last table of POSTROUTING
    /// (nf_conntrack_proto.c).
    pub confirmed: bool,
    /// Whether nat changed the source of its connection's first packet.
    pub source_translated: bool,
    /// Whether nat changed the destination of its connection's first packet.
    pub destination_translated: bool,
    /// Whether it is the copy of a broadcast or multicast: that has no socket, whoever sent the
    /// packet itself.
    pub copied: bool,
    /// Where TPROXY steers it: the socket that gets it whatever its destination says.
    pub steered: Option<(IpAddr, Option<u16>)>,
    /// Which ports of a bridge it comes and goes by.
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
