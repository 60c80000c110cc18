//! The table of a packet's fields. Each row holds everything that the program knows about one
//! field.
//!
//! The public JSON, the form, a packet's line, the walk, counterfactuals, the constants of rules,
//! search and the regions of findings use this table. A new field takes a row here and a member of
//! [`Packet`].

use std::net::IpAddr;

use strum::{EnumCount, EnumString, IntoStaticStr, VariantArray};

use super::content::{Content, FieldKind, mac};
use super::value::FieldValue;
use super::{ConnectionState, Family, IpFragment, Origin, Owner, Packet, Protocol, TcpFlags};
use crate::packet::view::{BridgeOutput, View};

/// A field of a packet, in the order of the form. In snake case, a variant's name is the field's
/// name in the public JSON.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    EnumCount,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum PacketField {
    /// Whether a process here sends it, or it arrives.
    Origin,
    /// The interface that it arrives on.
    InInterface,
    /// The socket that sent it, if no process did.
    Owner,
    /// User id.
    Uid,
    /// Group id.
    Gid,
    /// Supplementary groups.
    Groups,
    /// Transport protocol.
    Protocol,
    /// TCP flags.
    TcpFlags,
    /// ICMP type.
    IcmpType,
    /// ICMP code.
    IcmpCode,
    /// Source address.
    Src,
    /// Source port.
    Sport,
    /// Destination address.
    Dst,
    /// Destination port.
    Dport,
    /// The state that connection tracking gives it.
    State,
    /// Its direction in its connection.
    Direction,
    /// The packet's mark.
    Mark,
    /// The connection's mark.
    Connmark,
    /// Differentiated services code point.
    Dscp,
    /// Explicit congestion notification.
    Ecn,
    /// Time to live, or hop limit.
    Ttl,
    /// Bytes after the transport header.
    PayloadLength,
    /// The TCP option of the maximum segment size.
    Mss,
    /// Numbers of the TCP options.
    TcpOptions,
    /// Its place among the fragments of a datagram.
    Fragment,
    /// The index of AH, ESP or IPComp.
    Spi,
    /// IPv6 extension headers.
    Ipv6Headers,
    /// SCTP chunks.
    SctpChunks,
    /// How the link layer delivered it.
    PacketType,
    /// The sender's hardware address.
    SrcMac,
    /// The interface that the socket is bound to.
    BoundInterface,
    /// The port of a bridge that receives it.
    PhysdevIn,
    /// The port that the bridge passes it on to.
    PhysdevOut,
    /// Whether the bridge passes it on.
    Bridged,
}

/// The packets that have a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// All.
    Always,
    /// Packets that arrive.
    Inbound,
    /// Packets that this host sends.
    Local,
    /// Packets that a process on this host sends.
    Process,
    /// Packets of a protocol with ports.
    Ports,
    /// Packets of one of these protocols.
    Protocols(&'static [Protocol]),
    /// IPv6 packets.
    Ipv6,
}

/// The properties that determine which fields a packet has.
#[derive(Clone, Copy, Debug)]
pub struct PacketShape {
    /// Whether this host sends it.
    pub local: bool,
    /// Whether a process sends it, if this host does.
    pub process: bool,
    /// Its protocol; `None` while the user is still typing it.
    pub protocol: Option<Protocol>,
    /// Whether its addresses are IPv6.
    pub ipv6: bool,
}

impl PacketShape {
    /// The shape of a complete packet.
    pub fn from_packet(packet: &Packet) -> Self {
        Self {
            local: packet.origin == Origin::Local,
            process: packet.owner.is_none(),
            protocol: Some(packet.protocol),
            ipv6: packet.family() == Family::Ipv6,
        }
    }
}

/// The position of a field in the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormPlace {
    /// In a row of its own.
    Row,
    /// In the row of the field before it.
    Beside,
    /// Among the details, in a row of its own.
    Details,
}

/// A search word that gives a meaning to the number after it: `port 443`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString)]
#[strum(serialize_all = "lowercase", ascii_case_insensitive)]
pub enum SearchWord {
    /// The source or the destination port.
    Port,
    /// User id.
    Uid,
    /// Group id.
    Gid,
    /// The mark of the packet or of its connection.
    Mark,
}

/// How findings compare the packets that two rules match, in this field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Whether a rule may change the field and let the packet continue in the same table.
    pub rewritten: bool,
    /// Whether every packet that a condition on the field tests has a value from 0 to the highest
    /// number of the kind.
    pub bounded: bool,
    /// Whether the field belongs to the transport header. Later fragments lack this header, so a
    /// condition on the field fails for them, negated or not.
    pub transport: bool,
}

impl Region {
    /// A field that does not change within a table. The packet may lack it.
    pub const STEADY: Self = Self {
        rewritten: false,
        bounded: false,
        transport: false,
    };
    /// A field that rules may rewrite. The packet may lack it.
    const REWRITTEN: Self = Self {
        rewritten: true,
        ..Self::STEADY
    };
}

/// How counterfactuals change a field. They try the constants that rules compare it with, since
/// outcomes change at these values.
pub struct Trial {
    /// The noun in "Had the … been 1338 and not 1337".
    pub noun: &'static str,
    /// Well-known values. They are tried first.
    pub usual: &'static [u32],
    /// Whether the numbers next to a constant are tried as well.
    pub neighbors: bool,
    /// The number that conditions compare, if it differs from the content.
    number: Option<fn(&Packet) -> Option<u32>>,
    /// Changes the packet so that conditions find this number, if setting the content is not
    /// enough.
    set_number: Option<fn(&mut Packet, u32) -> Option<()>>,
    /// The words for the content in a sentence, if they differ from the typed text.
    words: Option<fn(&Packet) -> String>,
}

impl Trial {
    const fn new(noun: &'static str) -> Self {
        Self {
            noun,
            usual: &[],
            neighbors: true,
            number: None,
            set_number: None,
            words: None,
        }
    }
}

/// A row of the table.
pub struct FieldRow {
    /// The field's name in the form and in messages.
    pub label: &'static str,
    /// The field's name in a packet's line; `None` if the line writes the field without a name.
    pub in_line: Option<&'static str>,
    /// The position in the form.
    pub place: FormPlace,
    /// An example for the form, for a field that few people know.
    pub example: &'static str,
    /// The packets that have the field.
    pub presence: Presence,
    /// How the content is written.
    pub kind: FieldKind,
    /// Reads it from a packet.
    get: fn(&Packet) -> Content,
    /// Writes it to a packet.
    set: fn(&mut Packet, Content),
    /// The value during a walk. Lists are unknown, because conditions compare them as a whole.
    value: for<'a> fn(&'a Packet, &'a View) -> FieldValue<'a>,
    /// How findings compare the field. If `None`, findings compare a rule that tests the field with
    /// no other rule.
    pub region: Option<Region>,
    /// How counterfactuals change the field. If `None`, they do not.
    pub trial: Option<Trial>,
    /// The search word that finds rules by the field.
    pub search: Option<SearchWord>,
}

/// A field among the details. No rule, finding or search uses it.
const DETAIL: FieldRow = FieldRow {
    label: "",
    in_line: None,
    place: FormPlace::Details,
    example: "",
    presence: Presence::Always,
    kind: FieldKind::Number(0),
    get: |_| Content::Absent,
    set: |_, _| {},
    value: |_, _| FieldValue::Unknown("it is a list".into()),
    region: None,
    trial: None,
    search: None,
};

const TCP: Presence = Presence::Protocols(&[Protocol::TCP]);
const ICMP: Presence = Presence::Protocols(&[Protocol::ICMP, Protocol::ICMPV6]);
/// ESP, AH and IPComp.
const IPSEC: Presence = Presence::Protocols(&[Protocol(50), Protocol(51), Protocol(108)]);

/// The rows, by [`PacketField`].
static ROWS: [FieldRow; PacketField::COUNT] = [
    // Origin
    FieldRow {
        label: "sent from",
        place: FormPlace::Row,
        kind: FieldKind::Origin,
        get: |packet| Content::Origin(packet.origin),
        set: |packet, content| {
            if let Content::Origin(origin) = content {
                packet.origin = origin;
            }
        },
        value: |packet, _| {
            FieldValue::Name(if packet.origin == Origin::Local {
                "local"
            } else {
                "inbound"
            })
        },
        ..DETAIL
    },
    // InInterface
    FieldRow {
        label: "arrives by",
        place: FormPlace::Row,
        presence: Presence::Inbound,
        kind: FieldKind::Interface,
        get: |packet| Content::of_text(packet.in_interface.as_ref()),
        set: |packet, content| packet.in_interface = content.text(),
        value: |_, view| match &view.in_interface {
            Some(name) => FieldValue::Name(name),
            None => FieldValue::Absent("no interface: it is sent from here"),
        },
        region: Some(Region::STEADY),
        trial: Some(Trial::new("incoming interface")),
        ..DETAIL
    },
    // Owner
    FieldRow {
        label: "socket of",
        in_line: Some("owner"),
        presence: Presence::Local,
        kind: FieldKind::Owner,
        get: |packet| packet.owner.map_or(Content::Absent, Content::Owner),
        set: |packet, content| {
            packet.owner = match content {
                Content::Owner(owner) => Some(owner),
                _ => None,
            }
        },
        value: socket,
        region: Some(Region::STEADY),
        trial: Some(Trial {
            number: Some(|_| None),
            set_number: Some(|packet, _| {
                (packet.uid, packet.gid, packet.owner) = (None, None, Some(Owner::None));
                Some(())
            }),
            words: Some(|packet| {
                (if packet.owner.is_some() {
                    "none"
                } else {
                    "a process's"
                })
                .into()
            }),
            ..Trial::new("socket")
        }),
        ..DETAIL
    },
    // Uid
    FieldRow {
        label: "uid",
        in_line: Some("uid"),
        place: FormPlace::Row,
        presence: Presence::Process,
        kind: FieldKind::Number(u32::MAX),
        get: |packet| Content::of_number(packet.uid),
        set: |packet, content| packet.uid = content.number(),
        value: |packet, view| credential(packet, view, packet.uid),
        region: Some(Region::STEADY),
        trial: Some(Trial {
            usual: &[1000],
            ..Trial::new("uid")
        }),
        search: Some(SearchWord::Uid),
        ..DETAIL
    },
    // Gid
    FieldRow {
        label: "gid",
        in_line: Some("gid"),
        place: FormPlace::Row,
        presence: Presence::Process,
        kind: FieldKind::Number(u32::MAX),
        get: |packet| Content::of_number(packet.gid),
        set: |packet, content| packet.gid = content.number(),
        value: |packet, view| credential(packet, view, packet.gid),
        region: Some(Region::STEADY),
        trial: Some(Trial {
            usual: &[1000],
            ..Trial::new("gid")
        }),
        search: Some(SearchWord::Gid),
        ..DETAIL
    },
    // Groups
    FieldRow {
        label: "groups",
        in_line: Some("groups"),
        example: "27 1000",
        presence: Presence::Process,
        kind: FieldKind::Ids,
        get: |packet| match packet.groups.is_empty() {
            true => Content::Absent,
            false => Content::Numbers(packet.groups.clone()),
        },
        set: |packet, content| packet.groups = content.numbers().unwrap_or_default(),
        ..DETAIL
    },
    // Protocol
    FieldRow {
        label: "protocol",
        place: FormPlace::Row,
        kind: FieldKind::Protocol,
        get: |packet| Content::Number(packet.protocol.0.into()),
        set: |packet, content| packet.protocol = content.number().map_or(Protocol::TCP, Protocol),
        value: |packet, _| FieldValue::Number(packet.protocol.0.into()),
        region: Some(Region {
            bounded: true,
            ..Region::STEADY
        }),
        trial: Some(Trial {
            neighbors: false,
            set_number: Some(|packet, number| {
                packet.protocol = Protocol(u8::try_from(number).ok()?);
                packet.tcp_flags = packet
                    .tcp_flags
                    .filter(|_| packet.protocol == Protocol::TCP);
                Some(())
            }),
            words: Some(|packet| packet.protocol.to_string()),
            ..Trial::new("protocol")
        }),
        ..DETAIL
    },
    // TcpFlags
    FieldRow {
        label: "flags",
        in_line: Some("flags"),
        place: FormPlace::Beside,
        presence: TCP,
        kind: FieldKind::TcpFlags,
        get: |packet| Content::Number(packet.tcp_flags.unwrap_or(TcpFlags::SYN).0.into()),
        // SYN is the default.
        set: |packet, content| {
            packet.tcp_flags = content
                .number()
                .map(TcpFlags)
                .filter(|flags| *flags != TcpFlags::SYN)
        },
        value: |_, view| FieldValue::Number(view.tcp_flags.unwrap_or(TcpFlags::SYN).0.into()),
        region: Some(Region {
            transport: true,
            ..Region::REWRITTEN
        }),
        trial: Some(Trial {
            words: Some(|packet| packet.tcp_flags.unwrap_or(TcpFlags::SYN).to_string()),
            ..Trial::new("set of TCP flags")
        }),
        ..DETAIL
    },
    // IcmpType
    FieldRow {
        label: "type",
        in_line: Some("type"),
        place: FormPlace::Row,
        presence: ICMP,
        kind: FieldKind::Number(255),
        get: |packet| Content::of_number(packet.icmp_type),
        set: |packet, content| packet.icmp_type = content.number(),
        value: |packet, _| match icmp_message(packet) {
            Some(message) => FieldValue::Number(message),
            None => FieldValue::Unknown("the packet states no ICMP type".into()),
        },
        region: Some(Region {
            transport: true,
            ..Region::REWRITTEN
        }),
        trial: Some(Trial {
            number: Some(icmp_message),
            set_number: Some(|packet, number| {
                packet.icmp_type = Some(u8::try_from(number >> 8).ok()?);
                packet.icmp_code = u8::try_from(number & 0xff).ok();
                Some(())
            }),
            words: Some(|packet| {
                format!(
                    "{}/{}",
                    packet.icmp_type.unwrap_or(0),
                    packet.icmp_code.unwrap_or(0)
                )
            }),
            ..Trial::new("ICMP type")
        }),
        ..DETAIL
    },
    // IcmpCode
    FieldRow {
        label: "code",
        in_line: Some("code"),
        place: FormPlace::Beside,
        presence: ICMP,
        kind: FieldKind::Number(255),
        get: |packet| Content::of_number(packet.icmp_code),
        set: |packet, content| packet.icmp_code = content.number(),
        value: |packet, _| match packet.icmp_code {
            Some(code) => FieldValue::Number(code.into()),
            None => FieldValue::Unknown("the packet states no ICMP code".into()),
        },
        ..DETAIL
    },
    // Src
    FieldRow {
        label: "from",
        place: FormPlace::Row,
        example: "as routing chooses",
        kind: FieldKind::Address,
        get: |packet| packet.src.map_or(Content::Absent, Content::Address),
        set: |packet, content| packet.src = content.address(),
        value: |_, view| FieldValue::Address(view.src),
        region: Some(Region {
            bounded: true,
            ..Region::STEADY
        }),
        trial: Some(Trial::new("source")),
        ..DETAIL
    },
    // Sport
    FieldRow {
        label: "from port",
        place: FormPlace::Beside,
        presence: Presence::Ports,
        kind: FieldKind::Number(65535),
        get: |packet| Content::of_number(packet.sport),
        set: |packet, content| packet.sport = content.number(),
        value: |_, view| {
            port(
                view.sport,
                view.sport_span,
                "the packet states no source port",
            )
        },
        region: Some(Region {
            bounded: true,
            transport: true,
            ..Region::STEADY
        }),
        trial: Some(Trial::new("source port")),
        search: Some(SearchWord::Port),
        ..DETAIL
    },
    // Dst
    FieldRow {
        label: "to",
        place: FormPlace::Row,
        kind: FieldKind::Address,
        get: |packet| Content::Address(packet.dst),
        set: |packet, content| packet.dst = content.address().unwrap_or(packet.dst),
        value: |_, view| FieldValue::Address(view.dst),
        region: Some(Region {
            bounded: true,
            ..Region::STEADY
        }),
        trial: Some(Trial::new("destination")),
        ..DETAIL
    },
    // Dport
    FieldRow {
        label: "to port",
        place: FormPlace::Beside,
        presence: Presence::Ports,
        kind: FieldKind::Number(65535),
        get: |packet| Content::of_number(packet.dport),
        set: |packet, content| packet.dport = content.number(),
        value: |_, view| {
            port(
                view.dport,
                view.dport_span,
                "the packet states no destination port",
            )
        },
        region: Some(Region {
            bounded: true,
            transport: true,
            ..Region::STEADY
        }),
        trial: Some(Trial {
            usual: &[443, 8080],
            ..Trial::new("destination port")
        }),
        search: Some(SearchWord::Port),
        ..DETAIL
    },
    // State
    FieldRow {
        label: "state",
        in_line: Some("state"),
        kind: FieldKind::State,
        get: |packet| packet.state.map_or(Content::Absent, Content::State),
        set: |packet, content| {
            packet.state = match content {
                Content::State(state) => Some(state),
                _ => None,
            }
        },
        value: |_, view| FieldValue::Bits(view.state_bit()),
        region: Some(Region::REWRITTEN),
        trial: Some(Trial {
            number: Some(|_| None),
            set_number: Some(|packet, bits| {
                packet.state = Some(ConnectionState::from_lowest_bit(bits)?);
                Some(())
            }),
            words: Some(|packet| {
                packet
                    .state
                    .map_or("a first packet's", ConnectionState::name)
                    .into()
            }),
            ..Trial::new("connection state")
        }),
        ..DETAIL
    },
    // Direction
    FieldRow {
        label: "direction",
        in_line: Some("direction"),
        kind: FieldKind::Direction,
        get: |packet| packet.direction.map_or(Content::Absent, Content::Direction),
        set: |packet, content| {
            packet.direction = match content {
                Content::Direction(direction) => Some(direction),
                _ => None,
            }
        },
        value: |packet, _| FieldValue::Name(packet.direction_in_connection().name()),
        ..DETAIL
    },
    // Mark
    FieldRow {
        label: "mark",
        in_line: Some("mark"),
        kind: FieldKind::Mark,
        get: |packet| Content::Number(packet.mark),
        set: |packet, content| packet.mark = content.number().unwrap_or(0),
        value: |_, view| FieldValue::Number(view.mark),
        region: Some(Region::REWRITTEN),
        trial: Some(Trial {
            words: Some(|packet| format!("{:#x}", packet.mark)),
            ..Trial::new("mark")
        }),
        search: Some(SearchWord::Mark),
        ..DETAIL
    },
    // Connmark
    FieldRow {
        label: "conn. mark",
        in_line: Some("connmark"),
        kind: FieldKind::Mark,
        get: |packet| Content::Number(packet.connmark),
        set: |packet, content| packet.connmark = content.number().unwrap_or(0),
        value: |_, view| FieldValue::Number(view.connmark),
        region: Some(Region::REWRITTEN),
        trial: Some(Trial {
            words: Some(|packet| format!("{:#x}", packet.connmark)),
            ..Trial::new("connection's mark")
        }),
        search: Some(SearchWord::Mark),
        ..DETAIL
    },
    // Dscp
    FieldRow {
        label: "dscp",
        in_line: Some("dscp"),
        kind: FieldKind::Number(63),
        get: |packet| Content::Number(packet.dscp.into()),
        set: |packet, content| packet.dscp = content.number().unwrap_or(0),
        value: |_, view| FieldValue::Number(view.dscp.into()),
        region: Some(Region::REWRITTEN),
        trial: Some(Trial::new("dscp")),
        ..DETAIL
    },
    // Ecn
    FieldRow {
        label: "ecn",
        in_line: Some("ecn"),
        kind: FieldKind::Number(3),
        get: |packet| Content::Number(packet.ecn.into()),
        set: |packet, content| packet.ecn = content.number().unwrap_or(0),
        value: |_, view| FieldValue::Number(view.ecn.into()),
        ..DETAIL
    },
    // Ttl
    FieldRow {
        label: "ttl",
        in_line: Some("ttl"),
        kind: FieldKind::Number(255),
        get: |packet| Content::Number(packet.ttl.into()),
        set: |packet, content| packet.ttl = content.number().unwrap_or(super::DEFAULT_TTL),
        value: |_, view| FieldValue::Number(view.ttl.into()),
        trial: Some(Trial::new("ttl")),
        ..DETAIL
    },
    // PayloadLength
    FieldRow {
        label: "payload",
        in_line: Some("payload"),
        kind: FieldKind::Number(u32::MAX),
        get: |packet| Content::Number(packet.payload_length),
        set: |packet, content| packet.payload_length = content.number().unwrap_or(0),
        value: |packet, _| FieldValue::Number(packet.payload_length),
        ..DETAIL
    },
    // Mss
    FieldRow {
        label: "mss",
        in_line: Some("mss"),
        presence: TCP,
        kind: FieldKind::Number(65535),
        get: |packet| Content::of_number(packet.mss),
        set: |packet, content| packet.mss = content.number(),
        value: |_, view| match (view.mss, &view.tcp_options) {
            (Some(mss), _) => FieldValue::Number(mss.into()),
            (None, Some(options)) if !options.contains(&TcpFlags::MSS_OPTION) => {
                FieldValue::Absent("no maximum segment size")
            }
            (None, _) => FieldValue::Unknown("the packet states no maximum segment size".into()),
        },
        ..DETAIL
    },
    // TcpOptions
    FieldRow {
        label: "TCP options",
        in_line: Some("options"),
        example: "2 4 8, or none",
        presence: TCP,
        kind: FieldKind::Bytes,
        get: |packet| match &packet.tcp_options {
            Some(options) => Content::Numbers(options.iter().copied().map(u32::from).collect()),
            None => Content::Absent,
        },
        set: |packet, content| packet.tcp_options = content.numbers(),
        ..DETAIL
    },
    // Fragment
    FieldRow {
        label: "fragment",
        in_line: Some("fragment"),
        example: "0+, or 185",
        kind: FieldKind::Fragment,
        get: |packet| packet.fragment.map_or(Content::Absent, Content::Fragment),
        set: |packet, content| {
            packet.fragment = match content {
                Content::Fragment(fragment) => Some(fragment),
                _ => None,
            }
        },
        value: |packet, _| FieldValue::Number(packet.is_later_fragment().into()),
        trial: Some(Trial {
            number: Some(|_| None),
            set_number: Some(|packet, _| {
                packet.fragment = Some(IpFragment {
                    offset: 1,
                    more: false,
                });
                Some(())
            }),
            words: Some(|packet| {
                (if packet.fragment.is_some() {
                    "a later one"
                } else {
                    "none"
                })
                .into()
            }),
            ..Trial::new("fragment")
        }),
        ..DETAIL
    },
    // Spi
    FieldRow {
        label: "spi",
        in_line: Some("spi"),
        presence: IPSEC,
        kind: FieldKind::Number(u32::MAX),
        get: |packet| Content::of_number(packet.spi),
        set: |packet, content| packet.spi = content.number(),
        value: |packet, _| match packet.spi {
            Some(spi) => FieldValue::Number(spi),
            None => FieldValue::Unknown("the packet states no SPI".into()),
        },
        ..DETAIL
    },
    // Ipv6Headers
    FieldRow {
        label: "headers",
        in_line: Some("headers"),
        example: "hop-by-hop frag",
        presence: Presence::Ipv6,
        kind: FieldKind::Names("headers"),
        get: |packet| Content::of_names(packet.ipv6_headers.as_ref()),
        set: |packet, content| packet.ipv6_headers = content.names(),
        ..DETAIL
    },
    // SctpChunks
    FieldRow {
        label: "chunks",
        in_line: Some("chunks"),
        example: "DATA INIT",
        presence: Presence::Protocols(&[Protocol::SCTP]),
        kind: FieldKind::Names("chunks"),
        get: |packet| Content::of_names(packet.sctp_chunks.as_ref()),
        set: |packet, content| packet.sctp_chunks = content.names(),
        ..DETAIL
    },
    // PacketType
    FieldRow {
        label: "link layer",
        in_line: Some("cast"),
        presence: Presence::Inbound,
        kind: FieldKind::PacketType,
        get: |packet| Content::of_text(packet.packet_type.as_ref()),
        set: |packet, content| packet.packet_type = content.text(),
        value: |packet, _| match &packet.packet_type {
            Some(stated) => FieldValue::Name(stated),
            None => FieldValue::Unknown("the packet states no packet_type".into()),
        },
        ..DETAIL
    },
    // SrcMac
    FieldRow {
        label: "sender's MAC",
        in_line: Some("mac"),
        example: "02:42:0a:f4:01:05",
        presence: Presence::Inbound,
        kind: FieldKind::Mac,
        get: |packet| Content::of_text(packet.src_mac.as_ref()),
        set: |packet, content| packet.src_mac = content.text(),
        value: |packet, _| match packet.src_mac.as_deref().map(mac) {
            Some(Some(mac)) => FieldValue::Mac(mac),
            Some(None) => {
                FieldValue::Unknown("the packet's src_mac is not a hardware address".into())
            }
            None => {
                FieldValue::Unknown("the packet states no hardware address of its sender".into())
            }
        },
        ..DETAIL
    },
    // BoundInterface
    FieldRow {
        label: "bound to",
        in_line: Some("bound"),
        presence: Presence::Local,
        kind: FieldKind::Interface,
        get: |packet| Content::of_text(packet.bound_interface.as_ref()),
        set: |packet, content| packet.bound_interface = content.text(),
        value: |packet, _| match &packet.bound_interface {
            Some(name) => FieldValue::Name(name),
            None => FieldValue::Absent("no interface that its socket is bound to"),
        },
        ..DETAIL
    },
    // PhysdevIn
    FieldRow {
        label: "bridge port",
        in_line: Some("physdev-in"),
        presence: Presence::Inbound,
        kind: FieldKind::Interface,
        get: |packet| Content::of_text(packet.physdev_in.as_ref()),
        set: |packet, content| packet.physdev_in = content.text(),
        value: |_, view| match (view.bridge.exists, &view.bridge.input) {
            (Some(false), _) => FieldValue::Absent("no port of a bridge that it came in by"),
            (Some(true), Some(port)) => FieldValue::Name(port),
            (Some(true), None) => {
                FieldValue::Unknown("the packet does not state the port that it came in by".into())
            }
            (None, _) => FieldValue::Unknown(UNKNOWN_BRIDGES.into()),
        },
        ..DETAIL
    },
    // PhysdevOut
    FieldRow {
        label: "to bridge port",
        in_line: Some("physdev-out"),
        presence: Presence::Inbound,
        kind: FieldKind::Interface,
        get: |packet| Content::of_text(packet.physdev_out.as_ref()),
        set: |packet, content| packet.physdev_out = content.text(),
        value: |_, view| match &view.bridge.output {
            BridgeOutput::None => FieldValue::Absent("no port of a bridge that it goes out by"),
            BridgeOutput::Port(port) => FieldValue::Name(port),
            BridgeOutput::Unknown => {
                FieldValue::Unknown("the packet does not state the port that it goes out by".into())
            }
        },
        ..DETAIL
    },
    // Bridged
    FieldRow {
        label: "bridged",
        in_line: Some("bridged"),
        presence: Presence::Inbound,
        kind: FieldKind::Flag,
        get: |packet| packet.bridged.map_or(Content::Absent, Content::Flag),
        set: |packet, content| {
            packet.bridged = match content {
                Content::Flag(flag) => Some(flag),
                _ => None,
            }
        },
        value: |_, view| FieldValue::Number((view.bridge.output != BridgeOutput::None).into()),
        ..DETAIL
    },
];

/// The reason why it is unknown whether a bridge port received a packet.
pub(crate) const UNKNOWN_BRIDGES: &str = "the input does not show which interfaces are bridges";

const UNSTATED_OWNER: &str = "the packet states no owner: give it a uid and a gid";

/// An id of the credential that opened the packet's socket. The kernel's own reply has a socket
/// without a file, so it has no id.
fn credential(packet: &Packet, view: &View, id: Option<u32>) -> FieldValue<'static> {
    if packet.origin == Origin::Inbound {
        return FieldValue::Absent("no owner: it is not sent from here");
    }
    if view.copied {
        return FieldValue::Absent("no owner: a copy has no socket");
    }
    match (packet.owner, id) {
        (Some(Owner::Kernel), _) => FieldValue::Absent("no owner: the kernel itself sends it"),
        (Some(Owner::None), _) => FieldValue::Absent("no owner: it has no socket"),
        (None, Some(id)) => FieldValue::Number(id),
        (None, None) => FieldValue::Unknown(UNSTATED_OWNER.into()),
    }
}

/// Whether a socket sent the packet.
fn socket<'a>(packet: &'a Packet, view: &'a View) -> FieldValue<'a> {
    match (packet.owner, packet.uid) {
        _ if packet.origin == Origin::Inbound => {
            FieldValue::Absent("no socket: it is not sent from here")
        }
        _ if view.copied => FieldValue::Absent("no socket: it is a copy"),
        (Some(Owner::None), _) => FieldValue::Absent("no socket"),
        // `tcp_v6_send_response` in tcp_ipv6.c gives its packets no socket. IPv4 does (measured).
        (Some(Owner::Kernel), _)
            if (packet.family(), packet.protocol) == (Family::Ipv6, Protocol::TCP) =>
        {
            FieldValue::Absent("no socket: the kernel itself sends it")
        }
        (Some(Owner::Kernel), _) | (None, Some(_)) => FieldValue::Number(1),
        (None, None) => FieldValue::Unknown(UNSTATED_OWNER.into()),
    }
}

fn port(port: Option<u16>, span: Option<(u16, u16)>, missing: &'static str) -> FieldValue<'static> {
    match (port, span) {
        (Some(port), _) => FieldValue::Number(port.into()),
        (None, Some((low, high))) => FieldValue::Span(low.into(), high.into()),
        (None, None) => FieldValue::Unknown(missing.into()),
    }
}

/// ICMP type and code as one number, as conditions compare them: 256 times the type, plus the code.
fn icmp_message(packet: &Packet) -> Option<u32> {
    Some(u32::from(packet.icmp_type?) << 8 | u32::from(packet.icmp_code.unwrap_or(0)))
}

impl PacketField {
    /// All fields, in the order of the form.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::VARIANTS.iter().copied()
    }

    /// Its name in the public JSON.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The row of the field.
    pub fn row(self) -> &'static FieldRow {
        &ROWS[self as usize]
    }

    /// Its name in the form.
    pub fn label(self) -> &'static str {
        self.row().label
    }

    /// Its content in a packet.
    pub fn get(self, packet: &Packet) -> Content {
        (self.row().get)(packet)
    }

    /// Writes it to a packet.
    pub fn set(self, packet: &mut Packet, content: Content) {
        (self.row().set)(packet, content);
    }

    /// The text of the field, as a user would type it.
    pub fn text(self, packet: &Packet) -> String {
        self.row().kind.print(&self.get(packet))
    }

    /// Its value at one point of a walk.
    pub fn value<'a>(self, packet: &'a Packet, view: &'a View) -> FieldValue<'a> {
        (self.row().value)(packet, view)
    }

    /// Whether a packet of this shape has the field. While the protocol is incomplete, the form
    /// keeps the ports.
    pub fn applies(self, shape: &PacketShape) -> bool {
        match self.row().presence {
            Presence::Always => true,
            Presence::Inbound => !shape.local,
            Presence::Local => shape.local,
            Presence::Process => shape.local && shape.process,
            Presence::Ports => shape.protocol.is_none_or(Protocol::has_ports),
            Presence::Protocols(protocols) => shape
                .protocol
                .is_some_and(|protocol| protocols.contains(&protocol)),
            Presence::Ipv6 => shape.ipv6,
        }
    }

    /// Words a content in a sentence: "uid 1337", "to 10.0.0.1".
    pub fn phrase(self, text: &str) -> String {
        match (self.row().kind, text) {
            (FieldKind::Origin, "inbound") => "from outside".into(),
            (FieldKind::Origin, _) => "sent from here".into(),
            (FieldKind::Protocol, _) => text.into(),
            (_, "") => format!("no {}", self.label()),
            _ => format!("{} {text}", self.label()),
        }
    }

    /// The packet's number in the field, as conditions compare it.
    pub fn number(self, packet: &Packet) -> Option<u32> {
        match self.row().trial.as_ref()?.number {
            Some(number) => number(packet),
            None => self.get(packet).number(),
        }
    }

    /// The packet with another number in the field; `None` if no packet can have that number.
    pub fn with_number(self, packet: &Packet, number: u32) -> Option<Packet> {
        let mut packet = packet.clone();
        match self.row().trial.as_ref()?.set_number {
            Some(set) => set(&mut packet, number)?,
            None if number <= self.row().kind.highest()? => {
                self.set(&mut packet, Content::Number(number))
            }
            None => return None,
        }
        Some(packet)
    }

    /// The packet with another address in it.
    pub fn with_address(self, packet: &Packet, address: IpAddr) -> Packet {
        let mut packet = packet.clone();
        self.set(&mut packet, Content::Address(address));
        packet
    }

    /// Words a packet's content in a sentence about a change.
    pub fn describe(self, packet: &Packet) -> String {
        match self.row().trial.as_ref().and_then(|trial| trial.words) {
            Some(words) => words(packet),
            None => Some(self.text(packet))
                .filter(|text| !text.is_empty())
                .unwrap_or_else(|| "unstated".into()),
        }
    }
}
