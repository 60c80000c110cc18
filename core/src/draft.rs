//! A packet as typed: every field as text, checked as it is typed, whether in a form or in one line.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::extension::mac::mac;
use crate::number::parse_u32;
use crate::packet::{ConnectionState, Family, Fragment, Origin, Owner, Packet, Protocol, TcpFlags};

pub mod line;

/// A field of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Sent here, or arriving.
    Origin,
    /// The interface it arrives by.
    Interface,
    /// Whose socket it is.
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
    Flags,
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
    /// What connection tracking is to say.
    State,
    /// The packet's mark.
    Mark,
    /// The connection's mark.
    Connmark,
    /// Differentiated services code point.
    Dscp,
    /// Explicit congestion notification.
    Ecn,
    /// Time to live.
    Ttl,
    /// Bytes behind the transport header.
    Length,
    /// The TCP option of the segment size.
    Mss,
    /// Numbers of the TCP options.
    Options,
    /// Which piece of a cut packet it is.
    Fragment,
    /// The index of AH, ESP or IPComp.
    Spi,
    /// IPv6 extension headers.
    Headers,
    /// SCTP chunks.
    Chunks,
    /// How the link layer delivered it.
    Cast,
    /// The sender's hardware address.
    Mac,
    /// The interface that the socket is bound to.
    Bound,
}

/// Key in the public JSON, name in the form, name in a packet's line; by [`Field`]. What the line writes otherwise has none.
const NAMES: [(&str, &str, &str); 30] = [
    ("origin", "sent from", ""),
    ("in_interface", "arrives by", ""),
    ("owner", "socket of", "owner"),
    ("uid", "uid", "uid"),
    ("gid", "gid", "gid"),
    ("groups", "groups", "groups"),
    ("protocol", "protocol", ""),
    ("tcp_flags", "flags", "flags"),
    ("icmp_type", "type", "type"),
    ("icmp_code", "code", "code"),
    ("src", "from", ""),
    ("sport", "from port", ""),
    ("dst", "to", ""),
    ("dport", "to port", ""),
    ("state", "state", "state"),
    ("mark", "mark", "mark"),
    ("connmark", "conn. mark", "connmark"),
    ("dscp", "dscp", "dscp"),
    ("ecn", "ecn", "ecn"),
    ("ttl", "ttl", "ttl"),
    ("payload_length", "payload", "payload"),
    ("mss", "mss", "mss"),
    ("tcp_options", "TCP options", "options"),
    ("fragment", "fragment", "fragment"),
    ("spi", "spi", "spi"),
    ("ipv6_headers", "headers", "headers"),
    ("sctp_chunks", "chunks", "chunks"),
    ("packet_type", "link layer", "cast"),
    ("src_mac", "sender's MAC", "mac"),
    ("bound_interface", "bound to", "bound"),
];

impl Field {
    /// All, in the order of the form.
    pub const ALL: [Self; 30] = [
        Self::Origin,
        Self::Interface,
        Self::Owner,
        Self::Uid,
        Self::Gid,
        Self::Groups,
        Self::Protocol,
        Self::Flags,
        Self::IcmpType,
        Self::IcmpCode,
        Self::Src,
        Self::Sport,
        Self::Dst,
        Self::Dport,
        Self::State,
        Self::Mark,
        Self::Connmark,
        Self::Dscp,
        Self::Ecn,
        Self::Ttl,
        Self::Length,
        Self::Mss,
        Self::Options,
        Self::Fragment,
        Self::Spi,
        Self::Headers,
        Self::Chunks,
        Self::Cast,
        Self::Mac,
        Self::Bound,
    ];

    /// Its key, as the public JSON names it.
    pub fn key(self) -> &'static str {
        NAMES[self as usize].0
    }

    /// What a form calls it.
    pub fn label(self) -> &'static str {
        NAMES[self as usize].1
    }

    /// What a packet's line calls it; empty for what the line writes in another way.
    fn word(self) -> &'static str {
        NAMES[self as usize].2
    }

    /// What it says in a sentence: "uid 1337", "to 10.0.0.1".
    pub fn phrase(self, value: &str) -> String {
        match (self, value) {
            (Self::Origin, "inbound") => "from outside".into(),
            (Self::Origin, _) => "sent from here".into(),
            (Self::Protocol, _) => value.into(),
            (_, "") => format!("no {}", self.label()),
            _ => format!("{} {value}", self.label()),
        }
    }

    /// The values to choose from, with what they are called; empty for a field that is typed.
    pub fn choices(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Origin => &[("local", "here"), ("inbound", "outside")],
            Self::Owner => &[("", "a process"), ("kernel", "the kernel"), ("none", "nobody")],
            Self::State => &[
                ("", "as the first packet"),
                ("NEW", "NEW"),
                ("ESTABLISHED", "ESTABLISHED"),
                ("RELATED", "RELATED"),
                ("INVALID", "INVALID"),
                ("UNTRACKED", "UNTRACKED"),
            ],
            Self::Cast => {
                &[("", "not said"), ("unicast", "unicast"), ("broadcast", "broadcast"), ("multicast", "multicast")]
            }
            _ => &[],
        }
    }

    /// What may be typed into a field that few people know.
    pub fn example(self) -> &'static str {
        match self {
            Self::Groups => "27 1000",
            Self::Options => "2 4 8, or none",
            Self::Fragment => "0+, or 185",
            Self::Headers => "hop-by-hop frag",
            Self::Chunks => "DATA INIT",
            Self::Mac => "02:42:0a:f4:01:05",
            Self::Src => "as routing chooses",
            _ => "",
        }
    }

    /// What it says where nothing else is said.
    fn default(self) -> &'static str {
        match self {
            Self::Mark | Self::Connmark | Self::Dscp | Self::Ecn | Self::Length => "0",
            Self::Ttl => "64",
            Self::Flags => "SYN",
            _ => "",
        }
    }
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The field.
    pub field: Field,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// A packet as typed.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    values: [String; Field::ALL.len()],
}

impl Draft {
    /// The form filled in with a packet.
    pub fn of(packet: &Packet) -> Self {
        let mut draft = Self::empty();
        for field in Field::ALL {
            draft.set(field, written(packet, field));
        }
        draft
    }

    /// Nothing typed yet.
    fn empty() -> Self {
        Self { values: Default::default() }
    }

    /// What stands in a field.
    pub fn get(&self, field: Field) -> &str {
        &self.values[field as usize]
    }

    /// Writes a field.
    pub fn set(&mut self, field: Field, value: String) {
        self.values[field as usize] = value;
    }

    /// Whether a packet of this kind has the field.
    pub fn applies(&self, field: Field) -> bool {
        let local = self.get(Field::Origin) != "inbound";
        let protocol = Protocol::from_text(self.get(Field::Protocol).trim());
        let is = |wanted: &[u8]| protocol.is_some_and(|protocol| wanted.contains(&protocol.0));
        match field {
            Field::Interface | Field::Mac | Field::Cast => !local,
            Field::Owner | Field::Bound => local,
            Field::Uid | Field::Gid | Field::Groups => local && self.get(Field::Owner).is_empty(),
            Field::Flags | Field::Mss | Field::Options => is(&[6]),
            Field::IcmpType | Field::IcmpCode => is(&[1, 58]),
            // A protocol that is only half typed keeps its ports.
            Field::Sport | Field::Dport => protocol.is_none_or(Protocol::has_ports),
            // ESP, AH, IPComp.
            Field::Spi => is(&[50, 51, 108]),
            Field::Chunks => is(&[132]),
            Field::Headers => self.get(Field::Dst).contains(':'),
            _ => true,
        }
    }

    /// The packet, or all that is wrong.
    ///
    /// # Errors
    /// One entry a field.
    pub fn packet(&self) -> Result<Packet, Vec<Wrong>> {
        self.read(|field| self.applies(field))
    }

    /// Reads the fields that are asked for.
    fn read(&self, reads: impl Fn(Field) -> bool) -> Result<Packet, Vec<Wrong>> {
        let asked = Field::ALL.map(reads);
        let mut read = Reader { draft: self, asked, wrong: Vec::new() };
        let dst = read.address(Field::Dst);
        let origin = if self.get(Field::Origin) == "inbound" { Origin::Inbound } else { Origin::Local };
        let protocol = read.value(Field::Protocol, Protocol::from_text, "a protocol: tcp, udp, icmp, or 0 to 255");
        let flags = read.value(Field::Flags, flags, "flags such as SYN or SYN,ACK; NONE for none");
        let packet = Packet {
            origin,
            in_interface: read.text(Field::Interface).map(str::to_owned),
            src_mac: read.value(
                Field::Mac,
                |text| mac(text).map(|_| text.to_owned()),
                "a hardware address such as 02:42:0a:f4:01:05",
            ),
            protocol: protocol.unwrap_or(Protocol::TCP),
            src: read.address(Field::Src),
            dst: dst.unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED)),
            sport: read.below(Field::Sport, u16::MAX),
            dport: read.below(Field::Dport, u16::MAX),
            icmp_type: read.below(Field::IcmpType, u8::MAX),
            icmp_code: read.below(Field::IcmpCode, u8::MAX),
            uid: read.below(Field::Uid, u32::MAX),
            gid: read.below(Field::Gid, u32::MAX),
            groups: read.list(Field::Groups, "numbers with blanks between them", parse_u32).unwrap_or_default(),
            owner: match read.text(Field::Owner) {
                Some("kernel") => Some(Owner::Kernel),
                Some("none") => Some(Owner::None),
                other => {
                    if let Some(other) = other {
                        read.say(Field::Owner, format!("\u{201c}{other}\u{201d} is no owner: kernel or none"));
                    }
                    None
                }
            },
            tcp_flags: flags.filter(|flags| *flags != TcpFlags::SYN),
            state: read.value(Field::State, state, "a state: NEW, ESTABLISHED, RELATED, INVALID, UNTRACKED"),
            mark: read.below(Field::Mark, u32::MAX).unwrap_or(0),
            connmark: read.below(Field::Connmark, u32::MAX).unwrap_or(0),
            dscp: read.below(Field::Dscp, 63).unwrap_or(0),
            ecn: read.below(Field::Ecn, 3).unwrap_or(0),
            ttl: read.below(Field::Ttl, u8::MAX).unwrap_or(64),
            payload_length: read.below(Field::Length, u32::MAX).unwrap_or(0),
            mss: read.below(Field::Mss, u16::MAX),
            tcp_options: read.list(Field::Options, "numbers from 0 to 255, or none", |word| {
                parse_u32(word).and_then(|number| number.try_into().ok())
            }),
            fragment: read.value(Field::Fragment, fragment, "an offset from 0 to 8191, with + where more follows"),
            spi: read.below(Field::Spi, u32::MAX),
            ipv6_headers: read.list(Field::Headers, "names of headers, or none", |word| Some(word.to_owned())),
            packet_type: read.text(Field::Cast).map(str::to_owned),
            sctp_chunks: read.list(Field::Chunks, "names of chunks, or none", |word| Some(word.to_owned())),
            bound_interface: read.text(Field::Bound).map(str::to_owned),
        };
        if dst.is_none() {
            read.say(Field::Dst, "a packet needs a destination address");
        }
        if protocol.is_none() {
            read.say(Field::Protocol, "a packet needs a protocol");
        }
        match packet.src {
            Some(src) if dst.is_some_and(|dst| Family::of(dst) != Family::of(src)) => {
                read.say(Field::Src, "both addresses must be IPv4, or both IPv6");
            }
            None if origin == Origin::Inbound => read.say(Field::Src, "a packet from outside needs a source address"),
            _ => {}
        }
        match (packet.uid, packet.gid) {
            (Some(_), None) => read.say(Field::Gid, "a socket has a gid, too"),
            (None, Some(_)) => read.say(Field::Uid, "a socket has a uid, too"),
            _ => {}
        }
        // What is left are names.
        if let (true, Err((key, message))) = (read.wrong.is_empty(), packet.check_fields()) {
            let field = Field::ALL.into_iter().find(|field| field.key() == key).unwrap_or(Field::Dst);
            read.say(field, message);
        }
        if read.wrong.is_empty() {
            return Ok(packet);
        }
        Err(read.wrong)
    }
}

/// A field of a packet as one would type it.
fn written(packet: &Packet, field: Field) -> String {
    fn number<T: Into<u32>>(value: Option<T>) -> String {
        value.map(|value| value.into().to_string()).unwrap_or_default()
    }
    fn list<T: fmt::Display>(list: &[T]) -> String {
        if list.is_empty() { "none".into() } else { list.iter().map(T::to_string).collect::<Vec<_>>().join(",") }
    }
    let name = |name: &Option<String>| name.clone().unwrap_or_default();
    let address = |address: Option<IpAddr>| address.map(|address| address.to_string()).unwrap_or_default();
    let hexadecimal = |mark: u32| if mark == 0 { "0".into() } else { format!("{mark:#x}") };
    match field {
        Field::Origin => if packet.origin == Origin::Local { "local" } else { "inbound" }.into(),
        Field::Interface => name(&packet.in_interface),
        Field::Owner => match packet.owner {
            None => "",
            Some(Owner::Kernel) => "kernel",
            Some(Owner::None) => "none",
        }
        .into(),
        Field::Uid => number(packet.uid),
        Field::Gid => number(packet.gid),
        Field::Groups if packet.groups.is_empty() => String::new(),
        Field::Groups => list(&packet.groups),
        Field::Protocol if packet.protocol == Protocol::ICMPV6 => "icmpv6".into(),
        Field::Protocol => packet.protocol.to_string(),
        Field::Flags => packet.tcp_flags.unwrap_or(TcpFlags::SYN).words(),
        Field::IcmpType => number(packet.icmp_type),
        Field::IcmpCode => number(packet.icmp_code),
        Field::Src => address(packet.src),
        Field::Sport => number(packet.sport),
        Field::Dst => address(Some(packet.dst)),
        Field::Dport => number(packet.dport),
        Field::State => packet.state.map(ConnectionState::name).unwrap_or_default().into(),
        Field::Mark => hexadecimal(packet.mark),
        Field::Connmark => hexadecimal(packet.connmark),
        Field::Dscp => number(Some(packet.dscp)),
        Field::Ecn => number(Some(packet.ecn)),
        Field::Ttl => number(Some(packet.ttl)),
        Field::Length => number(Some(packet.payload_length)),
        Field::Mss => number(packet.mss),
        Field::Options => packet.tcp_options.as_deref().map(list).unwrap_or_default(),
        Field::Fragment => {
            let piece = |piece: Fragment| format!("{}{}", piece.offset, if piece.more { "+" } else { "" });
            packet.fragment.map(piece).unwrap_or_default()
        }
        Field::Spi => number(packet.spi),
        Field::Headers => packet.ipv6_headers.as_deref().map(list).unwrap_or_default(),
        Field::Chunks => packet.sctp_chunks.as_deref().map(list).unwrap_or_default(),
        Field::Cast => name(&packet.packet_type),
        Field::Mac => name(&packet.src_mac),
        Field::Bound => name(&packet.bound_interface),
    }
}

/// Words with blanks, commas or plus signs between them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ' ', '+']).filter(|word| !word.is_empty())
}

fn flags(text: &str) -> Option<TcpFlags> {
    if text.eq_ignore_ascii_case("none") {
        return Some(TcpFlags(0));
    }
    words(text).map(TcpFlags::bit).try_fold(0, |bits, bit| Some(bits | bit?)).map(TcpFlags)
}

fn fragment(text: &str) -> Option<Fragment> {
    let (offset, more) = text.strip_suffix('+').map_or((text, false), |offset| (offset, true));
    let offset = parse_u32(offset).filter(|offset| *offset <= 8191)?;
    Some(Fragment { offset: offset.try_into().ok()?, more })
}

fn state(text: &str) -> Option<ConnectionState> {
    use ConnectionState::{Established, Invalid, New, Related, Untracked};
    let all = [Invalid, New, Related, Established, Untracked];
    all.into_iter().find(|state| state.name().eq_ignore_ascii_case(text))
}

/// Reads the fields that are asked for, and remembers what is wrong.
struct Reader<'a> {
    draft: &'a Draft,
    asked: [bool; Field::ALL.len()],
    wrong: Vec<Wrong>,
}

impl<'a> Reader<'a> {
    /// One remark a field is enough.
    fn say(&mut self, field: Field, message: impl Into<String>) {
        if self.wrong.iter().all(|wrong| wrong.field != field) {
            self.wrong.push(Wrong { field, message: message.into() });
        }
    }

    fn text(&self, field: Field) -> Option<&'a str> {
        let text = self.draft.get(field).trim();
        (self.asked[field as usize] && !text.is_empty()).then_some(text)
    }

    fn value<T>(&mut self, field: Field, read: impl Fn(&str) -> Option<T>, wanted: &str) -> Option<T> {
        let text = self.text(field)?;
        let value = read(text);
        if value.is_none() {
            self.say(field, format!("\u{201c}{text}\u{201d} is not {wanted}"));
        }
        value
    }

    fn list<T>(&mut self, field: Field, wanted: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
        let all = |text: &str| match text {
            "none" => Some(Vec::new()),
            _ => words(text).map(&read).collect(),
        };
        self.value(field, all, wanted)
    }

    fn address(&mut self, field: Field) -> Option<IpAddr> {
        self.value(field, |text| IpAddr::from_str(text).ok(), "an address such as 10.244.1.5 or fd00:1::5")
    }

    fn below<T: TryFrom<u32> + Into<u32>>(&mut self, field: Field, most: T) -> Option<T> {
        let most = most.into();
        let number = self.value(
            field,
            |text| parse_u32(text).filter(|number| *number <= most),
            &format!("a number from 0 to {most}"),
        )?;
        number.try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{host::Host, scenario};

    fn draft() -> Draft {
        Draft::of(&scenario::list(&Host::pod(), None)[0].packet)
    }

    #[test]
    fn a_packet_comes_back_as_it_went_in() {
        for scenario in scenario::list(&Host::pod(), None) {
            assert_eq!(Draft::of(&scenario.packet).packet(), Ok(scenario.packet), "{}", scenario.key);
        }
    }

    #[test]
    fn every_field_of_the_contract_has_one_in_the_form() {
        let mut packet = draft().packet().expect("a scenario's packet");
        packet.mss = Some(1400);
        packet.tcp_options = Some(Vec::new());
        packet.fragment = Some(Fragment { offset: 0, more: true });
        packet.tcp_flags = Some(TcpFlags(0x42));
        let json = serde_json::to_value(&packet).expect("plain data");
        for key in json.as_object().expect("an object").keys() {
            assert!(Field::ALL.iter().any(|field| field.key() == key), "{key}");
        }
        assert_eq!(Draft::of(&packet).packet(), Ok(packet));
    }

    fn wrong(field: Field, text: &str) -> Vec<(Field, String)> {
        let mut draft = draft();
        draft.set(field, text.into());
        let wrong = draft.packet().expect_err("something is wrong");
        wrong.into_iter().map(|wrong| (wrong.field, wrong.message)).collect()
    }

    #[test]
    fn every_field_says_what_is_wrong_with_it() {
        let cases = [
            (Field::Uid, "-1", "a number from 0 to 4294967295"),
            (Field::Dport, "65536", "a number from 0 to 65535"),
            (Field::Dst, "1.2.3", "an address"),
            (Field::Protocol, "tpc", "a protocol"),
            (Field::Dscp, "64", "a number from 0 to 63"),
            (Field::Flags, "SIN", "flags such as SYN"),
            (Field::Groups, "1 x", "numbers"),
            (Field::Ecn, "4", "a number from 0 to 3"),
            (Field::Options, "2 256", "numbers from 0 to 255"),
            (Field::Fragment, "8192", "an offset from 0 to 8191"),
            (Field::Bound, "eth 0", "is no interface"),
            (Field::State, "OLD", "a state"),
        ];
        for (field, text, part) in cases {
            let wrong = wrong(field, text);
            assert!(wrong.iter().any(|(at, message)| *at == field && message.contains(part)), "{field:?}: {wrong:?}");
        }
        assert_eq!(wrong(Field::Dst, ""), [(Field::Dst, "a packet needs a destination address".into())]);
        assert_eq!(wrong(Field::Gid, ""), [(Field::Gid, "a socket has a gid, too".into())]);
        assert_eq!(wrong(Field::Src, "fd00::1"), [(Field::Src, "both addresses must be IPv4, or both IPv6".into())]);
    }

    #[test]
    fn a_field_that_does_not_apply_is_not_read() {
        let mut draft = draft();
        draft.set(Field::Dport, "nonsense".into());
        draft.set(Field::Protocol, "icmp".into());
        assert_eq!(draft.packet().map(|packet| packet.dport), Ok(None));
        draft.set(Field::Origin, "inbound".into());
        assert_eq!(draft.packet().map(|packet| packet.uid), Ok(None));
    }
}
