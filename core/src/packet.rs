//! The packet to evaluate: the user fills it in, and the public JSON calls it `packet`.
//!
//! A packet is plain data. If a field is absent and has no default, every condition on it is
//! unknown.
//!
//! # Layout
//! - `fields`: the table of all fields; `content`, `value`: the content of a field, and the value
//!   that a condition compares
//! - `form`, `line`: a packet as a person types it; `view`: a packet at one hook
//! - `host`: the network namespace that the packet meets; `hook`: the hooks of netfilter

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use thiserror::Error;

use crate::text::{names, number};
use content::Content;
use fields::PacketField;

pub mod content;
pub mod fields;
pub mod form;
pub mod hook;
pub mod host;
pub mod line;
pub mod other_processing;
pub mod value;
pub mod view;

/// IPv4 or IPv6. The two have separate rule sets in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4: `iptables`.
    Ipv4,
    /// IPv6: `ip6tables`.
    Ipv6,
}

impl Family {
    /// The family of an address.
    pub fn of_address(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::Ipv4,
            IpAddr::V6(_) => Self::Ipv6,
        }
    }

    /// The number of bits of an address of the family.
    pub fn bits(self) -> u8 {
        match self {
            Self::Ipv4 => 32,
            Self::Ipv6 => 128,
        }
    }

    /// `127.0.0.1` or `::1`: the destination that REDIRECT sets in OUTPUT.
    pub fn loopback(self) -> IpAddr {
        match self {
            Self::Ipv4 => IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
            Self::Ipv6 => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
        })
    }
}

/// The origin of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// A process in this network namespace sends the packet.
    Local,
    /// The packet arrives on an interface.
    Inbound,
}

/// The socket of a local packet that no process sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    /// The kernel's own reply: a socket without a file, so it has no uid and no gid.
    Kernel,
    /// No socket at all.
    None,
}

/// The state that connection tracking gives to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, IntoStaticStr)]
#[serde(rename_all = "UPPERCASE")]
#[strum(serialize_all = "UPPERCASE")]
pub enum ConnectionState {
    /// The packet belongs to no connection and cannot start one.
    Invalid,
    /// The packet starts a connection.
    New,
    /// The packet starts a connection that another connection announced, or it is an error about a
    /// connection.
    Related,
    /// The packet belongs to a connection with packets in both directions.
    Established,
    /// A rule excludes the packet from connection tracking.
    Untracked,
}

impl ConnectionState {
    /// The name in rules.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// All states, by their bits.
    const ALL: [Self; 5] = [
        Self::Invalid,
        Self::New,
        Self::Related,
        Self::Established,
        Self::Untracked,
    ];

    /// Parses a name, in upper or lower case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|state| state.name().eq_ignore_ascii_case(name))
    }

    /// Its bit in the set of a condition, in the order in which `iptables-save` prints states.
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }

    /// The state of the lowest bit of a set.
    pub fn from_lowest_bit(bits: u32) -> Option<Self> {
        Self::ALL.get(bits.trailing_zeros() as usize).copied()
    }
}

/// The direction of a packet within its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Direction {
    /// The direction of the connection's first packet.
    Original,
    /// The direction of the replies.
    Reply,
}

impl Direction {
    /// The name in the public JSON.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// An IP protocol by number. It is printed by name if `/etc/protocols` and iptables agree on the
/// name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Protocol(pub u8);

impl Protocol {
    /// ICMP for IPv4.
    pub const ICMP: Self = Self(1);
    /// Transmission Control Protocol.
    pub const TCP: Self = Self(6);
    /// User Datagram Protocol.
    pub const UDP: Self = Self(17);
    /// Datagram Congestion Control Protocol.
    pub const DCCP: Self = Self(33);
    /// ICMP for IPv6.
    pub const ICMPV6: Self = Self(58);
    /// Stream Control Transmission Protocol.
    pub const SCTP: Self = Self(132);
    /// UDP with partial checksums.
    pub const UDPLITE: Self = Self(136);

    /// The names that iptables prints without a lookup in `/etc/protocols` (`xtables_chain_protos`
    /// of iptables 1.8.9), then the aliases that it reads. The first name of a number is the
    /// canonical one.
    const NAMES: [(&'static str, u8); 14] = [
        ("tcp", 6),
        ("sctp", 132),
        ("udp", 17),
        ("udplite", 136),
        ("icmp", 1),
        ("ipv6-icmp", 58),
        ("esp", 50),
        ("ah", 51),
        ("mobility-header", 135),
        ("dccp", 33),
        ("icmpv6", 58),
        ("icmp6", 58),
        ("ipv6-mh", 135),
        ("mh", 135),
    ];

    /// The canonical name, as `iptables-save` prints it.
    pub fn name(self) -> Option<&'static str> {
        Self::NAMES
            .iter()
            .find(|(_, number)| *number == self.0)
            .map(|(name, _)| *name)
    }

    /// Parses a name (in any case, as iptables does) or a number from 0 to 255.
    pub fn from_text(text: &str) -> Option<Self> {
        let named = Self::NAMES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(text));
        match named {
            Some((_, number)) => Some(Self(*number)),
            None => {
                let number = number::parse_u32(text).and_then(|n| u8::try_from(n).ok());
                number.or_else(|| names::protocol(text)).map(Self)
            }
        }
    }

    /// The name, including names that iptables looks up in `/etc/protocols`.
    pub fn long_name(self) -> Option<&'static str> {
        self.name().or_else(|| names::protocol_name(self.0))
    }

    /// Whether its header begins with a source and a destination port.
    pub fn has_ports(self) -> bool {
        [Self::TCP, Self::UDP, Self::DCCP, Self::SCTP, Self::UDPLITE].contains(&self)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => self.0.fmt(f),
        }
    }
}

impl Serialize for Protocol {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            // The public JSON uses the short name.
            &Self::ICMPV6 => serializer.serialize_str("icmpv6"),
            _ => match self.name() {
                Some(name) => serializer.serialize_str(name),
                None => serializer.serialize_u8(self.0),
            },
        }
    }
}

impl<'de> Deserialize<'de> for Protocol {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = number::TextOrNumber::deserialize(deserializer)?.to_string();
        Self::from_text(&text).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "unknown protocol `{text}`: give a name such as tcp, or a number from 0 to 255"
            ))
        })
    }
}

/// The control bits of a TCP header, as the low six bits (and ECE, CWR above them) of the flags
/// byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// Starts a connection.
    pub const SYN: Self = Self(0x02);
    /// The number of the option that states the maximum segment size.
    pub const MSS_OPTION: u8 = 2;
    /// Names and bits, in the order `iptables-save` prints them.
    pub const NAMES: [(&'static str, u8); 6] = [
        ("FIN", 0x01),
        ("SYN", 0x02),
        ("RST", 0x04),
        ("PSH", 0x08),
        ("ACK", 0x10),
        ("URG", 0x20),
    ];
    /// The flags that no rule can test.
    const EXTRA: [(&'static str, u8); 2] = [("ECE", 0x40), ("CWR", 0x80)];

    fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES
            .iter()
            .chain(&Self::EXTRA)
            .filter(move |(_, bit)| self.0 & bit != 0)
            .map(|(name, _)| *name)
    }

    /// The names of all flags that are set, separated by commas; `NONE` if no flag is set.
    pub fn join_names(self) -> String {
        let names: Vec<&str> = self.names().collect();
        if names.is_empty() {
            "NONE".into()
        } else {
            names.join(",")
        }
    }

    /// The bit of a flag, by its name in any case.
    pub fn bit(name: &str) -> Option<u8> {
        Self::NAMES
            .iter()
            .chain(&Self::EXTRA)
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, bit)| *bit)
    }

    /// Whether all of `bits` are set.
    pub fn has(self, bits: u8) -> bool {
        self.0 & bits == bits
    }
}

impl fmt::Display for TcpFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = Self::NAMES
            .iter()
            .filter(|(_, bit)| self.0 & bit != 0)
            .map(|(name, _)| *name)
            .collect();
        f.write_str(
            if names.is_empty() {
                "NONE".into()
            } else {
                names.join(",")
            }
            .as_str(),
        )
    }
}

impl Serialize for TcpFlags {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.names())
    }
}

impl<'de> Deserialize<'de> for TcpFlags {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        let mut flags = 0;
        for name in &names {
            flags |= Self::bit(name).ok_or_else(|| {
                serde::de::Error::custom(format!(
                    "`{name}` is no TCP flag: use FIN, SYN, RST, PSH, ACK, URG, ECE, CWR"
                ))
            })?;
        }
        Ok(Self(flags))
    }
}

/// A fragment of a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct IpFragment {
    /// Offset in units of 8 bytes, 0 to 8191. Only offset 0 has the transport header.
    #[serde(default, deserialize_with = "number::up_to::<8191, _, _>")]
    pub offset: u16,
    /// Whether more fragments follow.
    #[serde(default)]
    pub more: bool,
}

/// The ways in which the link layer can deliver a packet that rules see.
const PACKET_TYPES: [&str; 3] = ["unicast", "broadcast", "multicast"];

/// Whether an interface can have this name (`dev_valid_name` in net/core/dev.c).
pub(crate) fn is_interface(name: &str) -> bool {
    let fits = (1..16).contains(&name.len()) && name != "." && name != "..";
    fits && !name
        .contains(|c: char| c == '/' || c == ':' || c.is_ascii_whitespace() || c.is_control())
}

/// The unspecified address `0.0.0.0`.
pub(crate) const NO_ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);

/// Linux's default (`IPDEFTTL`).
const DEFAULT_TTL: u8 = 64;

fn default_ttl() -> u8 {
    DEFAULT_TTL
}

fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The reason why the JSON of a packet is invalid.
#[derive(Debug, Error)]
pub enum PacketError {
    /// The text is not the JSON of a packet.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// A field is not valid.
    #[error("{message}")]
    Field {
        /// The field, as the public JSON names it.
        field: PacketField,
        /// A sentence that names the fields.
        message: String,
    },
}

/// One packet, as the public JSON states it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Packet {
    /// Whether a process here sends it, or it arrives.
    pub origin: Origin,
    /// Inbound only: the interface that it arrives on. If absent: the interface of the default
    /// route, or `eth0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_interface: Option<String>,
    /// Inbound only: the sender's hardware address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src_mac: Option<String>,
    /// The transport protocol.
    pub protocol: Protocol,
    /// Source address. Absent for a local packet: the address that routing would choose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src: Option<IpAddr>,
    /// Destination address.
    pub dst: IpAddr,
    /// Source port.
    #[serde(
        default,
        deserialize_with = "number::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub sport: Option<u16>,
    /// Destination port.
    #[serde(
        default,
        deserialize_with = "number::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub dport: Option<u16>,
    /// ICMP or ICMPv6 type.
    #[serde(
        default,
        deserialize_with = "number::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub icmp_type: Option<u8>,
    /// ICMP or ICMPv6 code.
    #[serde(
        default,
        deserialize_with = "number::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub icmp_code: Option<u8>,
    /// The user id that opened the socket, in the user namespace that owns the network namespace.
    #[serde(
        default,
        deserialize_with = "number::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub uid: Option<u32>,
    /// The primary group id that opened the socket.
    #[serde(
        default,
        deserialize_with = "number::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub gid: Option<u32>,
    /// Supplementary groups of the process that opened the socket.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<u32>,
    /// Replaces uid and gid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// TCP control bits; SYN when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp_flags: Option<TcpFlags>,
    /// Overrides the state that connection tracking would give.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<ConnectionState>,
    /// For an ESTABLISHED packet: its direction in the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// The packet's mark (`SO_MARK` for a local one).
    #[serde(
        default,
        deserialize_with = "number::any",
        skip_serializing_if = "is_zero"
    )]
    pub mark: u32,
    /// The connection's mark.
    #[serde(
        default,
        deserialize_with = "number::any",
        skip_serializing_if = "is_zero"
    )]
    pub connmark: u32,
    /// Differentiated services code point, 0 to 63.
    #[serde(
        default,
        deserialize_with = "number::up_to::<63, _, _>",
        skip_serializing_if = "is_zero"
    )]
    pub dscp: u8,
    /// Explicit congestion notification, 0 to 3.
    #[serde(
        default,
        deserialize_with = "number::up_to::<3, _, _>",
        skip_serializing_if = "is_zero"
    )]
    pub ecn: u8,
    /// Time to live, or hop limit.
    #[serde(default = "default_ttl", deserialize_with = "number::any")]
    pub ttl: u8,
    /// Bytes after the transport header. Length matches compare headers plus payload.
    #[serde(
        default,
        deserialize_with = "number::any",
        skip_serializing_if = "is_zero"
    )]
    pub payload_length: u32,
    /// TCP maximum segment size option.
    #[serde(
        default,
        deserialize_with = "number::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub mss: Option<u16>,
    /// Numbers of the TCP options present.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp_options: Option<Vec<u8>>,
    /// Set when the packet is a fragment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fragment: Option<IpFragment>,
    /// Security parameter index of AH or ESP, or the index of IPComp.
    #[serde(
        default,
        deserialize_with = "number::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub spi: Option<u32>,
    /// IPv6 extension headers present, by name or number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_headers: Option<Vec<String>>,
    /// `unicast`, `broadcast` or `multicast`, as the link layer delivered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packet_type: Option<String>,
    /// SCTP chunks present, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sctp_chunks: Option<Vec<String>>,
    /// Interface that the socket is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound_interface: Option<String>,
    /// Inbound only: the port of a bridge that receives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physdev_in: Option<String>,
    /// Inbound only: the port that the bridge sends it to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physdev_out: Option<String>,
    /// Inbound only: whether the bridge forwards it to another port instead of delivering it to
    /// this host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bridged: Option<bool>,
}

impl Packet {
    /// The direction in its connection, for an ESTABLISHED packet. The answer to an echo or
    /// timestamp request is always a reply, even if the packet states another direction
    /// (nf_conntrack_proto_icmp.c, `invmap`).
    pub fn direction_in_connection(&self) -> Direction {
        match (self.protocol, self.icmp_type) {
            (Protocol::ICMP, Some(0 | 14 | 16 | 18)) | (Protocol::ICMPV6, Some(129 | 140)) => {
                Direction::Reply
            }
            _ => self.direction.unwrap_or(Direction::Original),
        }
    }

    /// Whether it is a fragment after the first one. Such a fragment has no transport header.
    pub fn is_later_fragment(&self) -> bool {
        self.fragment.is_some_and(|fragment| fragment.offset > 0)
    }

    /// A local TCP SYN of a process, with defaults for everything else.
    pub fn tcp(from: impl Into<SocketAddr>, to: impl Into<SocketAddr>, uid: u32, gid: u32) -> Self {
        let (from, to) = (from.into(), to.into());
        Self {
            src: Some(from.ip()),
            sport: Some(from.port()),
            dport: Some(to.port()),
            uid: Some(uid),
            gid: Some(gid),
            ..Self::to(Origin::Local, Protocol::TCP, to.ip())
        }
    }

    /// A packet with origin, protocol and destination only.
    pub fn to(origin: Origin, protocol: Protocol, dst: IpAddr) -> Self {
        Self {
            origin,
            in_interface: None,
            src_mac: None,
            protocol,
            src: None,
            dst,
            sport: None,
            dport: None,
            icmp_type: None,
            icmp_code: None,
            uid: None,
            gid: None,
            groups: Vec::new(),
            owner: None,
            tcp_flags: None,
            state: None,
            direction: None,
            mark: 0,
            connmark: 0,
            dscp: 0,
            ecn: 0,
            ttl: DEFAULT_TTL,
            payload_length: 0,
            mss: None,
            tcp_options: None,
            fragment: None,
            spi: None,
            ipv6_headers: None,
            packet_type: None,
            sctp_chunks: None,
            bound_interface: None,
            physdev_in: None,
            physdev_out: None,
            bridged: None,
        }
    }

    /// Parses one packet of the public JSON and checks whether its fields fit together.
    ///
    /// # Errors
    /// If the text is not the JSON of a packet, or a field is invalid.
    pub fn from_json(text: &str) -> Result<Self, PacketError> {
        let packet: Self = serde_json::from_str(text)?;
        packet.check()?;
        Ok(packet)
    }

    /// Checks the rules that types cannot express: fields that contradict each other, and unknown
    /// names.
    ///
    /// # Errors
    /// The first invalid field.
    pub fn check(&self) -> Result<(), PacketError> {
        self.check_fields()
            .map_err(|(field, message)| PacketError::Field { field, message })
    }

    /// Like [`Self::check`], but the error also names the field.
    pub(crate) fn check_fields(&self) -> Result<(), (PacketField, String)> {
        let inbound = self.origin == Origin::Inbound;
        let wrong = |field, message: String| Err((field, message));
        match self.src {
            Some(src) if Family::of_address(src) != Family::of_address(self.dst) => {
                return wrong(
                    PacketField::Src,
                    format!(
                        "src {src} and dst {} must both be IPv4 or both IPv6",
                        self.dst
                    ),
                );
            }
            None if inbound => {
                return wrong(PacketField::Src, "an inbound packet needs src".into());
            }
            _ => {}
        }
        if self.uid.is_some() != self.gid.is_some() {
            return wrong(
                PacketField::Uid,
                "give uid and gid together: a socket has both".into(),
            );
        }
        if self.owner.is_some() && self.uid.is_some() {
            return wrong(
                PacketField::Owner,
                "owner replaces uid and gid: give one of them".into(),
            );
        }
        if inbound && (self.uid.is_some() || self.owner.is_some()) {
            let field = if self.uid.is_some() {
                PacketField::Uid
            } else {
                PacketField::Owner
            };
            return wrong(
                field,
                "an inbound packet has no owner: remove uid, gid and owner".into(),
            );
        }
        if !inbound && self.in_interface.is_some() {
            let says =
                "in_interface is for inbound packets: a local one leaves, it does not arrive";
            return wrong(PacketField::InInterface, says.into());
        }
        let ports = [
            PacketField::PhysdevIn,
            PacketField::PhysdevOut,
            PacketField::Bridged,
        ];
        if let Some(field) = ports
            .into_iter()
            .find(|field| !inbound && field.get(self) != Content::Absent)
        {
            return wrong(
                field,
                format!(
                    "{} is for inbound packets: only they arrive on a bridge port",
                    field.name()
                ),
            );
        }
        if self.bridged == Some(false) && self.physdev_out.is_some() {
            let says = "physdev_out is the port that a bridge forwards the packet to: remove it, \
            or bridged";
            return wrong(PacketField::PhysdevOut, says.into());
        }
        for (field, name) in [
            (PacketField::InInterface, &self.in_interface),
            (PacketField::BoundInterface, &self.bound_interface),
            (PacketField::PhysdevIn, &self.physdev_in),
            (PacketField::PhysdevOut, &self.physdev_out),
        ] {
            if let Some(name) = name.as_deref().filter(|name| !is_interface(name)) {
                return wrong(
                    field,
                    format!(
                        "invalid interface `{name}`: use 1 to 15 characters without blank, / \
                    or :"
                    ),
                );
            }
        }
        if let Some(name) = self
            .ipv6_headers
            .iter()
            .flatten()
            .find(|name| names::ipv6_header(name).is_none())
        {
            let says = format!(
                "invalid IPv6 header `{name}`: use hop-by-hop, dst, route, frag, ah, or a number"
            );
            return wrong(PacketField::Ipv6Headers, says);
        }
        if let Some(name) = self
            .sctp_chunks
            .iter()
            .flatten()
            .find(|name| names::sctp_chunk(name).is_none())
        {
            return wrong(
                PacketField::SctpChunks,
                format!("invalid SCTP chunk `{name}`: use names such as DATA, INIT or SACK"),
            );
        }
        if let Some(kind) = self
            .packet_type
            .as_deref()
            .filter(|kind| !PACKET_TYPES.contains(kind))
        {
            return wrong(
                PacketField::PacketType,
                format!(
                    "invalid packet_type `{kind}`: use {}",
                    PACKET_TYPES.join(", ")
                ),
            );
        }
        if self.protocol != Protocol::TCP && self.tcp_flags.is_some() {
            return wrong(
                PacketField::TcpFlags,
                format!("tcp_flags are for tcp, not for {}", self.protocol),
            );
        }
        Ok(())
    }

    /// IPv4 or IPv6.
    pub fn family(&self) -> Family {
        Family::of_address(self.dst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::host::{Host, Interface};

    #[test]
    fn errors_of_packets_name_the_field_and_its_place() {
        let packet = r#"{"origin": "local", "protocol": "tcp", "dst": "192.0.2.1""#;
        for (text, want) in [
            (format!("{packet}}}"), ""),
            (format!("{packet}, \"ttl\": \"0x20\"}}"), ""),
            (
                format!("{packet}, \"dst\": \"192.0.2.2\"}}"),
                "duplicate field `dst` at line 1 column 64",
            ),
            (
                format!("{packet}, \"to\": 1}}"),
                "unknown field `to`, expected one of `origin`, `in_interface`",
            ),
            (
                format!("{packet}, \"dscp\": 64}}"),
                "64 is out of range: 0 to 63",
            ),
            (
                format!("{packet}, \"mark\": true}}"),
                "expected a number, or a number as text",
            ),
            (packet.replace("192", "x"), "invalid IP address syntax"),
            (
                r#"{"origin": "local"}"#.into(),
                "missing field `protocol` at line 1 column 19",
            ),
            (
                r#"{"origin": "lokal"}"#.into(),
                "unknown variant `lokal`, expected `local` or `inbound`",
            ),
            (
                r#"{"origin": 1}"#.into(),
                "expected value at line 1 column 12",
            ),
            ("[]".into(), "invalid length 0, expected struct Packet"),
        ] {
            let said = serde_json::from_str::<Packet>(&text)
                .map_or_else(|error| error.to_string(), |_| String::new());
            assert!(
                if want.is_empty() {
                    said.is_empty()
                } else {
                    said.starts_with(want)
                },
                "{text}: {said}"
            );
        }
    }

    #[test]
    fn an_unknown_field_of_a_host_is_ignored() {
        let host = Host::from_json(r#"{"later": [{}], "interfaces": [{"name": "lo", "mtu": 9}]}"#);
        let lo = Interface {
            name: "lo".into(),
            addresses: Vec::new(),
            group: None,
            master: None,
            multicast_groups: None,
        };
        assert_eq!(host.expect("a host").interfaces, [lo]);
    }
}
