//! The content of a packet field, and its text in the form and in a packet's line.

use std::fmt;
use std::net::IpAddr;

use super::{ConnectionState, Direction, Family, IpFragment, Origin, Owner, Protocol, TcpFlags};
use crate::text::number::parse_u32;

/// The content of one field of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The field is absent.
    Absent,
    /// A number, also for a protocol and for TCP flags.
    Number(u32),
    /// An address.
    Address(IpAddr),
    /// A name, or a hardware address as typed.
    Text(String),
    /// Numbers in order.
    Numbers(Vec<u32>),
    /// Names in order.
    Names(Vec<String>),
    /// The origin of the packet.
    Origin(Origin),
    /// The socket that sent the packet.
    Owner(Owner),
    /// The state that connection tracking gives it.
    State(ConnectionState),
    /// Its direction in its connection.
    Direction(Direction),
    /// Its place among the fragments of a datagram.
    Fragment(IpFragment),
    /// Yes or no.
    Flag(bool),
}

impl Content {
    /// An optional number.
    pub(super) fn of_number<T: Into<u32>>(number: Option<T>) -> Self {
        number.map_or(Self::Absent, |number| Self::Number(number.into()))
    }

    /// An optional name.
    pub(super) fn of_text(text: Option<&String>) -> Self {
        text.map_or(Self::Absent, |text| Self::Text(text.clone()))
    }

    /// Optional names.
    pub(super) fn of_names(names: Option<&Vec<String>>) -> Self {
        names.map_or(Self::Absent, |names| Self::Names(names.clone()))
    }

    /// The number, if it fits the type.
    pub(super) fn number<T: TryFrom<u32>>(&self) -> Option<T> {
        match self {
            Self::Number(number) => T::try_from(*number).ok(),
            _ => None,
        }
    }

    /// The address.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(*address),
            _ => None,
        }
    }

    pub(super) fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn numbers<T: TryFrom<u32>>(self) -> Option<Vec<T>> {
        match self {
            Self::Numbers(numbers) => numbers
                .into_iter()
                .map(|number| T::try_from(number).ok())
                .collect(),
            _ => None,
        }
    }

    pub(super) fn names(self) -> Option<Vec<String>> {
        match self {
            Self::Names(names) => Some(names),
            _ => None,
        }
    }
}

/// How the content of a field is written, and which contents are valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// `local` or `inbound`.
    Origin,
    /// `kernel` or `none`.
    Owner,
    /// The name of a connection state.
    State,
    /// `original` or `reply`.
    Direction,
    /// `unicast`, `broadcast` or `multicast`.
    PacketType,
    /// The name of an interface.
    Interface,
    /// A hardware address.
    Mac,
    /// An IPv4 or IPv6 address.
    Address,
    /// A protocol, by name or number.
    Protocol,
    /// A number from 0 to this one.
    Number(u32),
    /// A number of 32 bits, printed in hexadecimal.
    Mark,
    /// A set of TCP flags.
    TcpFlags,
    /// A list of user or group ids.
    Ids,
    /// A list of numbers from 0 to 255. It may be empty.
    Bytes,
    /// A list of names of this kind of thing. It may be empty.
    Names(&'static str),
    /// `185+`: an offset, and whether more fragments follow.
    Fragment,
    /// `yes` or `no`.
    Flag,
}

impl FieldKind {
    /// The contents to choose from, each with its label. Empty for a text field.
    pub fn choices(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Origin => &[("local", "here"), ("inbound", "outside")],
            Self::Owner => &[
                ("", "a process"),
                ("kernel", "the kernel"),
                ("none", "nobody"),
            ],
            Self::State => &[
                ("", "as the first packet"),
                ("NEW", "NEW"),
                ("ESTABLISHED", "ESTABLISHED"),
                ("RELATED", "RELATED"),
                ("INVALID", "INVALID"),
                ("UNTRACKED", "UNTRACKED"),
            ],
            Self::Direction => &[
                ("", "not said"),
                ("original", "original"),
                ("reply", "reply"),
            ],
            Self::Flag => &[("", "not said"), ("yes", "yes"), ("no", "no")],
            Self::PacketType => &[
                ("", "not said"),
                ("unicast", "unicast"),
                ("broadcast", "broadcast"),
                ("multicast", "multicast"),
            ],
            _ => &[],
        }
    }

    /// The highest number of this kind, if its contents are numbers from 0.
    pub fn highest(self) -> Option<u32> {
        match self {
            Self::Mark => Some(u32::MAX),
            Self::Protocol | Self::TcpFlags => Some(u8::MAX.into()),
            Self::Number(highest) => Some(highest),
            _ => None,
        }
    }

    /// The number of bits that hold every content of this kind, if its contents are numbers, or
    /// addresses of this family.
    pub fn bits(self, family: Family) -> Option<u32> {
        match self {
            Self::Address => Some(family.bits().into()),
            _ => self
                .highest()
                .map(|highest| u32::BITS - highest.leading_zeros()),
        }
    }

    /// Parses a text without surrounding blanks.
    ///
    /// # Errors
    /// A sentence that quotes the text.
    pub fn parse(self, text: &str) -> Result<Content, String> {
        let number = |highest: u32| {
            parse_u32(text)
                .filter(|number| *number <= highest)
                .map(Content::Number)
        };
        let content = match self {
            Self::Origin if text == "inbound" => Some(Content::Origin(Origin::Inbound)),
            Self::Origin => Some(Content::Origin(Origin::Local)),
            Self::Owner => match text {
                "kernel" => Some(Content::Owner(Owner::Kernel)),
                "none" => Some(Content::Owner(Owner::None)),
                _ => {
                    return Err(format!("invalid owner `{text}`: use kernel or none"));
                }
            },
            Self::State => ConnectionState::from_name(text).map(Content::State),
            Self::Direction => match text {
                "original" => Some(Content::Direction(Direction::Original)),
                "reply" => Some(Content::Direction(Direction::Reply)),
                _ => {
                    return Err(format!("invalid direction `{text}`: use original or reply"));
                }
            },
            // `Packet::check` reports unknown names.
            Self::PacketType | Self::Interface => Some(Content::Text(text.to_owned())),
            Self::Names(_) => list(text, |name| Some(name.to_owned())).map(Content::Names),
            Self::Mac => mac(text).map(|_| Content::Text(text.to_owned())),
            Self::Address => text.parse().ok().map(Content::Address),
            Self::Protocol => {
                Protocol::from_text(text).map(|protocol| Content::Number(protocol.0.into()))
            }
            Self::Number(highest) => number(highest),
            Self::Mark => number(u32::MAX),
            Self::TcpFlags => flags(text).map(Content::Number),
            Self::Ids => list(text, parse_u32).map(Content::Numbers),
            Self::Bytes => {
                list(text, |word| parse_u32(word).filter(|byte| *byte <= 255)).map(Content::Numbers)
            }
            Self::Fragment => fragment(text).map(Content::Fragment),
            Self::Flag => match text {
                "yes" => Some(Content::Flag(true)),
                "no" => Some(Content::Flag(false)),
                _ => None,
            },
        };
        content.ok_or_else(|| format!("`{text}` is not {}", self.wanted()))
    }

    /// Describes the valid texts.
    fn wanted(self) -> String {
        let highest = match self {
            Self::Number(highest) => highest,
            Self::Mark => u32::MAX,
            Self::Origin | Self::Owner | Self::PacketType | Self::Direction | Self::Flag => {
                return "one of the choices".into();
            }
            Self::State => return "a state: NEW, ESTABLISHED, RELATED, INVALID, UNTRACKED".into(),
            Self::Interface => return "the name of an interface".into(),
            Self::Mac => return "a hardware address such as 02:42:0a:f4:01:05".into(),
            Self::Address => return "an address such as 10.244.1.5 or fd00:1::5".into(),
            Self::Protocol => return "a protocol: tcp, udp, icmp, or 0 to 255".into(),
            Self::TcpFlags => return "flags such as SYN or SYN,ACK; NONE for none".into(),
            Self::Ids => return "numbers with blanks between them".into(),
            Self::Bytes => return "numbers from 0 to 255, or none".into(),
            Self::Names(what) => return format!("names of {what}, or none"),
            Self::Fragment => return "an offset from 0 to 8191, with + where more follows".into(),
        };
        format!("a number from 0 to {highest}")
    }

    /// Prints a content as a user would type it; an empty text for an absent content.
    pub fn print(self, content: &Content) -> String {
        match (self, content) {
            (_, Content::Absent) => String::new(),
            (Self::Protocol, Content::Number(58)) => "icmpv6".into(),
            (Self::Protocol, _) => content
                .number()
                .map(|number| Protocol(number).to_string())
                .unwrap_or_default(),
            (Self::TcpFlags, _) => content
                .number()
                .map(|bits| TcpFlags(bits).join_names())
                .unwrap_or_default(),
            (Self::Mark, Content::Number(mark)) if *mark > 0 => format!("{mark:#x}"),
            (_, Content::Number(number)) => number.to_string(),
            (_, Content::Address(address)) => address.to_string(),
            (_, Content::Text(text)) => text.clone(),
            (_, Content::Numbers(numbers)) => joined(numbers),
            // The single word `none` means an empty list, so a comma is added.
            (_, Content::Names(names)) if names[..] == ["none"] => "none,".into(),
            (_, Content::Names(names)) => joined(names),
            (_, Content::Origin(Origin::Local)) => "local".into(),
            (_, Content::Origin(Origin::Inbound)) => "inbound".into(),
            (_, Content::Owner(Owner::Kernel)) => "kernel".into(),
            (_, Content::Owner(Owner::None)) => "none".into(),
            (_, Content::State(state)) => state.name().into(),
            (_, Content::Direction(direction)) => direction.name().into(),
            (_, Content::Flag(flag)) => (if *flag { "yes" } else { "no" }).into(),
            (_, Content::Fragment(piece)) => {
                format!("{}{}", piece.offset, if piece.more { "+" } else { "" })
            }
        }
    }
}

fn joined<T: fmt::Display>(list: &[T]) -> String {
    if list.is_empty() {
        "none".into()
    } else {
        list.iter().map(T::to_string).collect::<Vec<_>>().join(",")
    }
}

/// Words separated by blanks, commas or plus signs.
fn split_words(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ' ', '+']).filter(|word| !word.is_empty())
}

fn list<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    match text {
        "none" => Some(Vec::new()),
        _ => split_words(text).map(parse).collect(),
    }
}

fn flags(text: &str) -> Option<u32> {
    if text.eq_ignore_ascii_case("none") {
        return Some(0);
    }
    split_words(text)
        .map(TcpFlags::bit)
        .try_fold(0, |bits, bit| Some(bits | u32::from(bit?)))
}

fn fragment(text: &str) -> Option<IpFragment> {
    let (offset, more) = text
        .strip_suffix('+')
        .map_or((text, false), |offset| (offset, true));
    let offset = parse_u32(offset).filter(|offset| *offset <= 8191)?;
    Some(IpFragment {
        offset: offset.try_into().ok()?,
        more,
    })
}

/// `02:00:00:00:00:05`: six numbers of one or two hexadecimal digits.
pub(crate) fn mac(text: &str) -> Option<[u8; 6]> {
    let mut bytes = [0; 6];
    let mut words = text.split(':');
    for byte in &mut bytes {
        let word = words.next().filter(|word| (1..=2).contains(&word.len()))?;
        *byte = u8::from_str_radix(word, 16).ok()?;
    }
    words.next().is_none().then_some(bytes)
}
