//! The packet as typed: every field a text, and what is wrong with it.

use std::net::IpAddr;
use std::str::FromStr;

use chainwalk_core::number::parse_u32;
use chainwalk_core::packet::{ConnectionState, Family, Origin, Owner, Packet, Protocol, TcpFlags};

/// A field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// Sent here or arriving.
    Origin,
    /// The interface it arrives by.
    Interface,
    /// A process's socket, the kernel's, or none.
    Owner,
    /// The socket's user id.
    Uid,
    /// The socket's group id.
    Gid,
    /// Supplementary groups.
    Groups,
    /// The transport protocol.
    Protocol,
    /// TCP control bits.
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
    /// Time to live.
    Ttl,
    /// Bytes behind the transport header.
    Length,
}

impl Field {
    /// All, in the order of the form.
    pub(crate) const ALL: [Self; 20] = [
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
        Self::Ttl,
        Self::Length,
    ];

    /// Its key, as the public JSON names it.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Origin => "origin",
            Self::Interface => "in_interface",
            Self::Owner => "owner",
            Self::Uid => "uid",
            Self::Gid => "gid",
            Self::Groups => "groups",
            Self::Protocol => "protocol",
            Self::Flags => "tcp_flags",
            Self::IcmpType => "icmp_type",
            Self::IcmpCode => "icmp_code",
            Self::Src => "src",
            Self::Sport => "sport",
            Self::Dst => "dst",
            Self::Dport => "dport",
            Self::State => "state",
            Self::Mark => "mark",
            Self::Connmark => "connmark",
            Self::Dscp => "dscp",
            Self::Ttl => "ttl",
            Self::Length => "payload_length",
        }
    }

    /// What the form calls it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Origin => "sent from",
            Self::Interface => "arrives by",
            Self::Owner => "socket of",
            Self::Flags => "flags",
            Self::IcmpType => "type",
            Self::IcmpCode => "code",
            Self::Src => "from",
            Self::Sport => "from port",
            Self::Dst => "to",
            Self::Dport => "to port",
            Self::Connmark => "conn. mark",
            Self::Ttl => "ttl",
            Self::Length => "payload",
            Self::Uid | Self::Gid | Self::Groups | Self::Protocol | Self::State | Self::Mark | Self::Dscp => self.key(),
        }
    }

    /// What it says in a sentence: "uid 1337", "to 10.0.0.1".
    pub(crate) fn phrase(self, value: &str) -> String {
        match (self, value) {
            (Self::Origin, "inbound") => "from outside".into(),
            (Self::Origin, _) => "sent from here".into(),
            (Self::Protocol, _) => value.into(),
            (Self::Dport | Self::Sport, _) => format!("{} {value}", self.label()),
            (_, "") => format!("no {}", self.label()),
            _ => format!("{} {value}", self.label()),
        }
    }

    /// The values to choose from, with what they are called; empty for a field that is typed.
    pub(crate) fn choices(self) -> &'static [(&'static str, &'static str)] {
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
            _ => &[],
        }
    }
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// The field.
    pub(crate) field: Field,
    /// What is wrong, and what would be right.
    pub(crate) message: String,
}

/// A packet as typed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Draft {
    values: [String; Field::ALL.len()],
    /// Everything that the form has no field for.
    rest: Packet,
}

impl Draft {
    /// The form filled in with a packet.
    pub(crate) fn of(packet: &Packet) -> Self {
        let mut draft = Self { values: Default::default(), rest: packet.clone() };
        fn text<T: ToString>(value: Option<T>) -> String {
            value.map(|value| value.to_string()).unwrap_or_default()
        }
        let hexadecimal = |mark: u32| if mark == 0 { "0".into() } else { format!("{mark:#x}") };
        for field in Field::ALL {
            let value = match field {
                Field::Origin => if packet.origin == Origin::Local { "local" } else { "inbound" }.into(),
                Field::Interface => packet.in_interface.clone().unwrap_or_default(),
                Field::Owner => match packet.owner {
                    None => "",
                    Some(Owner::Kernel) => "kernel",
                    Some(Owner::None) => "none",
                }
                .into(),
                Field::Uid => text(packet.uid),
                Field::Gid => text(packet.gid),
                Field::Groups => packet.groups.iter().map(u32::to_string).collect::<Vec<_>>().join(" "),
                Field::Protocol if packet.protocol == Protocol::ICMPV6 => "icmpv6".into(),
                Field::Protocol => packet.protocol.to_string(),
                Field::Flags => packet.tcp_flags.unwrap_or(TcpFlags::SYN).to_string(),
                Field::IcmpType => text(packet.icmp_type),
                Field::IcmpCode => text(packet.icmp_code),
                Field::Src => text(packet.src),
                Field::Sport => text(packet.sport),
                Field::Dst => packet.dst.to_string(),
                Field::Dport => text(packet.dport),
                Field::State => text(packet.state.map(ConnectionState::name)),
                Field::Mark => hexadecimal(packet.mark),
                Field::Connmark => hexadecimal(packet.connmark),
                Field::Dscp => packet.dscp.to_string(),
                Field::Ttl => packet.ttl.to_string(),
                Field::Length => packet.payload_length.to_string(),
            };
            draft.values[field as usize] = value;
        }
        draft
    }

    /// What stands in a field.
    pub(crate) fn get(&self, field: Field) -> &str {
        &self.values[field as usize]
    }

    /// Writes a field.
    pub(crate) fn set(&mut self, field: Field, value: String) {
        self.values[field as usize] = value;
    }

    /// Whether a packet of this kind has the field.
    pub(crate) fn applies(&self, field: Field) -> bool {
        let local = self.get(Field::Origin) != "inbound";
        let protocol = Protocol::from_text(self.get(Field::Protocol).trim());
        let icmp = matches!(protocol, Some(Protocol::ICMP | Protocol::ICMPV6));
        match field {
            Field::Interface => !local,
            Field::Owner => local,
            Field::Uid | Field::Gid | Field::Groups => local && self.get(Field::Owner).is_empty(),
            Field::Flags => protocol == Some(Protocol::TCP),
            Field::IcmpType | Field::IcmpCode => icmp,
            // A protocol that is only half typed keeps its ports.
            Field::Sport | Field::Dport => protocol.is_none_or(Protocol::has_ports),
            _ => true,
        }
    }

    /// The packet, or all that is wrong.
    ///
    /// # Errors
    /// One entry a field.
    pub(crate) fn packet(&self) -> Result<Packet, Vec<Wrong>> {
        let mut read = Reader { draft: self, wrong: Vec::new() };
        let dst = read.address(Field::Dst);
        let origin = if self.get(Field::Origin) == "inbound" { Origin::Inbound } else { Origin::Local };
        let protocol = read.value(Field::Protocol, Protocol::from_text, "a protocol: tcp, udp, icmp, or 0 to 255");
        let flags = read.value(Field::Flags, flags, "flags such as SYN or SYN,ACK; NONE for none");
        let packet = Packet {
            origin,
            in_interface: read.text(Field::Interface),
            protocol: protocol.unwrap_or(Protocol::TCP),
            src: read.address(Field::Src),
            dst: dst.unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED)),
            sport: read.number(Field::Sport),
            dport: read.number(Field::Dport),
            icmp_type: read.number(Field::IcmpType),
            icmp_code: read.number(Field::IcmpCode),
            uid: read.number(Field::Uid),
            gid: read.number(Field::Gid),
            groups: read.value(Field::Groups, numbers, "numbers with blanks between them").unwrap_or_default(),
            owner: match self.get(Field::Owner) {
                "kernel" if self.applies(Field::Owner) => Some(Owner::Kernel),
                "none" if self.applies(Field::Owner) => Some(Owner::None),
                _ => None,
            },
            tcp_flags: flags.filter(|flags| *flags != TcpFlags::SYN),
            state: state(self.get(Field::State)),
            mark: read.number(Field::Mark).unwrap_or(0),
            connmark: read.number(Field::Connmark).unwrap_or(0),
            dscp: read.below(Field::Dscp, 63).unwrap_or(0),
            ttl: read.number(Field::Ttl).unwrap_or(64),
            payload_length: read.number(Field::Length).unwrap_or(0),
            ..self.rest.clone()
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
        if read.wrong.is_empty() {
            return Ok(packet);
        }
        Err(read.wrong)
    }
}

fn flags(text: &str) -> Option<TcpFlags> {
    if text.eq_ignore_ascii_case("none") {
        return Some(TcpFlags(0));
    }
    let names = text.split([',', ' ', '+']).filter(|name| !name.is_empty());
    names.map(TcpFlags::bit).try_fold(0, |bits, bit| Some(bits | bit?)).map(TcpFlags)
}

fn numbers(text: &str) -> Option<Vec<u32>> {
    text.split([',', ' ']).filter(|word| !word.is_empty()).map(parse_u32).collect()
}

fn state(text: &str) -> Option<ConnectionState> {
    use ConnectionState::{Established, Invalid, New, Related, Untracked};
    [Invalid, New, Related, Established, Untracked].into_iter().find(|state| state.name() == text)
}

/// Reads the fields that apply, and remembers what is wrong.
struct Reader<'a> {
    draft: &'a Draft,
    wrong: Vec<Wrong>,
}

impl Reader<'_> {
    /// One remark a field is enough.
    fn say(&mut self, field: Field, message: impl Into<String>) {
        if self.wrong.iter().all(|wrong| wrong.field != field) {
            self.wrong.push(Wrong { field, message: message.into() });
        }
    }

    fn text(&self, field: Field) -> Option<String> {
        let text = self.draft.get(field).trim();
        (self.draft.applies(field) && !text.is_empty()).then(|| text.to_owned())
    }

    fn value<T>(&mut self, field: Field, read: impl Fn(&str) -> Option<T>, wanted: &str) -> Option<T> {
        let text = self.text(field)?;
        let value = read(&text);
        if value.is_none() {
            self.say(field, format!("\u{201c}{text}\u{201d} is not {wanted}"));
        }
        value
    }

    fn address(&mut self, field: Field) -> Option<IpAddr> {
        self.value(field, |text| IpAddr::from_str(text).ok(), "an address such as 10.244.1.5 or fd00:1::5")
    }

    fn number<T: TryFrom<u32>>(&mut self, field: Field) -> Option<T> {
        let most = u32::MAX >> (32 - 8 * size_of::<T>());
        self.below(field, most)
    }

    fn below<T: TryFrom<u32>>(&mut self, field: Field, most: u32) -> Option<T> {
        let fits = |text: &str| parse_u32(text).filter(|number| *number <= most)?.try_into().ok();
        self.value(field, fits, &format!("a number from 0 to {most}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chainwalk_core::{host::Host, scenario};

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
    fn what_the_form_has_no_field_for_survives() {
        let mut packet = scenario::list(&Host::pod(), None)[0].packet.clone();
        packet.mss = Some(1400);
        let mut draft = Draft::of(&packet);
        draft.set(Field::Mark, "0x539".into());
        assert_eq!(draft.packet(), Ok(Packet { mark: 1337, ..packet }));
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
