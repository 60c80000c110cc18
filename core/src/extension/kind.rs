//! How the value of an option is written: reading it with nom, printing it as `iptables-save` does, and saying it.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nom::branch::alt;
use nom::bytes::complete::{take_while, take_while1};
use nom::character::complete::char;
use nom::combinator::{all_consuming, map, map_opt, map_res, opt};
use nom::multi::separated_list1;
use nom::sequence::{preceded, separated_pair};
use nom::{IResult, Parser};

use crate::diagnostic::Problem;
use crate::number;
use crate::packet::{Protocol, TcpFlags};
use crate::ruleset::{NatRange, Ruleset, Value};

/// Names of bits or of numbers.
pub type Names = &'static [(&'static str, u32)];

/// The form of an option's value.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// None: the option stands for itself.
    Flag,
    /// None either: the option always means this value under this mask (`--syn`).
    Always(u32, u32),
    /// `10.0.0.0/8`, `::1`, `10.0.0.1/255.0.255.0`.
    Network,
    /// One address, printed without a mask.
    Address,
    /// An interface, with a trailing `+` for any ending.
    Interface,
    /// A protocol's name or number.
    Protocol,
    /// `80`, `1024:65535`, `:1023`.
    Port,
    /// `80,443,8000:8080`.
    Ports,
    /// `1337` or `1000-1999`.
    Ids,
    /// A mark to compare: `0x539` or `0x539/0xfff`.
    Mark,
    /// A mark to set, mask always printed.
    SetMark(MarkForm),
    /// A mask in hexadecimal.
    Mask,
    /// A comma-separated list of names.
    Bits(Names),
    /// Which TCP flags to look at, and which of them must be set: two words.
    TcpFlags,
    /// An ICMP type, by number or name, with or without code.
    IcmpType(IcmpNames),
    /// One of these names, by any of its spellings; the first one is printed.
    OneOf(Names),
    /// A decimal number up to a limit.
    Number(u32),
    /// A number up to a limit, or one of these names; printed as a number.
    NumberOr(Names, u32),
    /// Addresses, ports or both, to translate to: `10.0.0.1-10.0.0.9:80-90`.
    Nat,
    /// `15001` or `15001-15009`.
    PortSpan,
    /// Free text of at most so many bytes.
    Text(usize),
}

/// How the two numbers of a mark option combine into "clear these bits, flip those".
#[derive(Clone, Copy, Debug)]
pub enum MarkForm {
    /// `--set-xmark`: as it is.
    Xor,
    /// `--set-mark`: clears the mask's bits and the value's.
    Set,
    /// `--and-mark`.
    And,
    /// `--or-mark`.
    Or,
    /// `--xor-mark`.
    Flip,
}

/// Names of ICMP types: name, type, first and last code.
pub type IcmpNames = &'static [(&'static str, u8, u8, u8)];

fn problem(what: &str, text: &str, example: &str) -> Problem {
    Problem::new(format!("`{text}` is no {what}")).hint(format!("write it like {example}"))
}

/// Parses all of a text.
fn whole<'a, T>(
    parser: impl Parser<&'a str, Output = T, Error = nom::error::Error<&'a str>>,
    text: &'a str,
) -> Option<T> {
    all_consuming(parser).parse(text).ok().map(|(_, value)| value)
}

fn number_u32(input: &str) -> IResult<&str, u32> {
    map_opt(take_while1(|c: char| c.is_ascii_alphanumeric()), number::parse_u32).parse(input)
}

fn port(input: &str) -> IResult<&str, u16> {
    map_res(number_u32, u16::try_from).parse(input)
}

/// `80`, `80:90`, `:90`, `80:`.
fn port_range(input: &str) -> IResult<&str, (u32, u32)> {
    let (rest, (low, high)) = (opt(port), opt(preceded(char(':'), opt(port)))).parse(input)?;
    let range = match (low, high) {
        (Some(port), None) => (port, port),
        (low, Some(high)) => (low.unwrap_or(0), high.unwrap_or(u16::MAX)),
        (None, None) => return Err(nom::Err::Error(nom::error::Error::new(input, nom::error::ErrorKind::Digit))),
    };
    Ok((rest, (range.0.into(), range.1.into())))
}

fn number_span(separator: char) -> impl FnMut(&str) -> IResult<&str, (u32, u32)> {
    move |input| {
        alt((separated_pair(number_u32, char(separator), number_u32), map(number_u32, |n| (n, n)))).parse(input)
    }
}

/// `0x539` or `0x539/0xfff`: the mask, where absent, is `None`.
fn mark(input: &str) -> IResult<&str, (u32, Option<u32>)> {
    (number_u32, opt(preceded(char('/'), number_u32))).parse(input)
}

fn address(input: &str) -> IResult<&str, IpAddr> {
    map_res(take_while1(|c: char| c.is_ascii_hexdigit() || c == '.' || c == ':'), str::parse).parse(input)
}

/// An IPv4 address, or an IPv6 one in brackets, as they stand before a port.
fn address_before_port(input: &str) -> IResult<&str, IpAddr> {
    let v4 = map_res(take_while1(|c: char| c.is_ascii_digit() || c == '.'), |text: &str| {
        text.parse::<Ipv4Addr>().map(IpAddr::V4)
    });
    let bracketed = nom::sequence::delimited(char('['), address, char(']'));
    alt((bracketed, v4)).parse(input)
}

/// `a-b` or `a`, of anything.
fn span_of<'a, T: Copy>(
    one: impl Fn(&'a str) -> IResult<&'a str, T> + Copy,
) -> impl FnMut(&'a str) -> IResult<&'a str, (T, T)> {
    move |input| {
        let (rest, first) = one(input)?;
        let (rest, last) = opt(preceded(char('-'), one)).parse(rest)?;
        Ok((rest, (first, last.unwrap_or(first))))
    }
}

fn nat_range(input: &str) -> IResult<&str, NatRange> {
    let ports = || preceded(char(':'), span_of(port));
    let with_ports = map((opt(span_of(address_before_port)), ports()), |(addresses, ports)| NatRange {
        addresses,
        ports: Some(ports),
    });
    // `[a]-[b]` needs its brackets only before a port; `a-b` of IPv6 addresses has none.
    let bracketed = map(span_of(address_before_port), |addresses| NatRange { addresses: Some(addresses), ports: None });
    let bare = map(span_of(address), |addresses| NatRange { addresses: Some(addresses), ports: None });
    alt((all_consuming(with_ports), all_consuming(bracketed), all_consuming(bare))).parse(input)
}

/// The mask behind an address: a prefix length, or an address.
fn mask4(text: &str) -> Option<Ipv4Addr> {
    match text.parse::<u32>() {
        Ok(length) if length <= 32 => Some(u32::MAX.checked_shl(32 - length).unwrap_or(0).into()),
        Ok(_) => None,
        Err(_) => text.parse().ok(),
    }
}

fn mask6(text: &str) -> Option<Ipv6Addr> {
    match text.parse::<u32>() {
        Ok(length) if length <= 128 => Some(u128::MAX.checked_shl(128 - length).unwrap_or(0).into()),
        Ok(_) => None,
        Err(_) => text.parse().ok(),
    }
}

fn network(text: &str) -> Result<Value, Problem> {
    let wrong = || problem("address or network", text, "10.0.0.0/8 or ::1/128; host names are not looked up");
    let (address, mask) = text.split_once('/').map_or((text, None), |(address, mask)| (address, Some(mask)));
    match address.parse::<IpAddr>().map_err(|_| wrong())? {
        IpAddr::V4(v4) => {
            let mask = mask.map_or(Some(Ipv4Addr::BROADCAST), mask4).ok_or_else(wrong)?;
            Ok(Value::Net4((v4.to_bits() & mask.to_bits()).into(), mask))
        }
        IpAddr::V6(v6) => {
            let mask = mask.map_or(Some(u128::MAX.into()), mask6).ok_or_else(wrong)?;
            Ok(Value::Net6(Box::new(((v6.to_bits() & mask.to_bits()).into(), mask))))
        }
    }
}

fn bits(names: Names, text: &str) -> Result<Value, Problem> {
    let name = take_while(|c: char| c != ',');
    let one =
        map_opt(name, |word: &str| names.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, bit)| *bit));
    match whole(separated_list1(char(','), one), text) {
        Some(list) => Ok(Value::Bits(list.into_iter().fold(0, |all, bit| all | bit))),
        None => {
            let known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
            Err(Problem::new(format!("`{text}` is not known here"))
                .hint(format!("use one or more of {}, separated by commas", known.join(","))))
        }
    }
}

fn tcp_flags(mask: &str, set: &str) -> Result<Value, Problem> {
    let one = |text: &str| -> Result<u32, Problem> {
        match text {
            "ALL" => Ok(0x3f),
            "NONE" => Ok(0),
            _ => text.split(',').try_fold(0, |all, name| {
                let bit = TcpFlags::bit(name).filter(|bit| *bit < 0x40);
                bit.map(|bit| all | u32::from(bit))
                    .ok_or_else(|| problem("list of TCP flags", text, "SYN,ACK, ALL or NONE"))
            }),
        }
    };
    Ok(Value::Masked { value: one(set)?, mask: one(mask)? })
}

fn icmp_type(names: IcmpNames, text: &str) -> Result<Value, Problem> {
    let range = |kind: u8, low: u8, high: u8| {
        let kind = u32::from(kind) << 8;
        Value::Range(kind | u32::from(low), kind | u32::from(high))
    };
    if text == "any" {
        return Ok(Value::Range(0, 0xffff));
    }
    if let Some((_, kind, low, high)) = names.iter().find(|(name, ..)| name.eq_ignore_ascii_case(text)) {
        return Ok(range(*kind, *low, *high));
    }
    let byte = |input| map_res(number_u32, u8::try_from).parse(input);
    match whole((byte, opt(preceded(char('/'), byte))), text) {
        Some((kind, Some(code))) => Ok(range(kind, code, code)),
        Some((kind, None)) => Ok(range(kind, 0, 255)),
        None => Err(problem("ICMP type", text, "8, 3/1 or echo-request")),
    }
}

impl Kind {
    /// How many words the value takes.
    pub fn words(&self) -> usize {
        match self {
            Self::Flag | Self::Always(..) => 0,
            Self::TcpFlags => 2,
            _ => 1,
        }
    }

    /// Whether any word may be its value, also one that looks like an option: `--comment -a`.
    pub fn is_free(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Interface)
    }

    /// Reads the value.
    ///
    /// # Errors
    /// What is wrong with it, with a hint on how to write it.
    pub fn parse(&self, words: &[&str], ruleset: &mut Ruleset) -> Result<Value, Problem> {
        let text = words.first().copied().unwrap_or_default();
        let ordered = |(low, high): (u32, u32)| {
            if low <= high {
                Ok(Value::Range(low, high))
            } else {
                Err(Problem::new(format!("the range `{text}` runs backwards")).hint("write the lower number first"))
            }
        };
        match *self {
            Self::Flag => Ok(Value::None),
            Self::Always(value, mask) => Ok(Value::Masked { value, mask }),
            Self::Network => network(text),
            Self::Address => match text.parse() {
                Ok(IpAddr::V4(v4)) => Ok(Value::Net4(v4, Ipv4Addr::BROADCAST)),
                Ok(IpAddr::V6(v6)) => Ok(Value::Net6(Box::new((v6, u128::MAX.into())))),
                Err(_) => Err(problem("address", text, "10.0.0.1 or ::1")),
            },
            // IFNAMSIZ is 16, one of them for the end.
            Self::Interface if text.is_empty() || text.len() > 15 => {
                Err(Problem::new(format!("`{text}` is no interface name")).hint("a name has 1 to 15 characters"))
            }
            Self::Interface => Ok(Value::Text(ruleset.keep(text))),
            Self::Protocol if text.eq_ignore_ascii_case("all") => Ok(Value::Number(0)),
            Self::Protocol => Protocol::from_text(text)
                .map(|protocol| Value::Number(protocol.0.into()))
                .ok_or_else(|| problem("protocol", text, "tcp, udp, or a number from 0 to 255")),
            Self::Port => match whole(port_range, text) {
                Some(range) => ordered(range),
                None => Err(problem("port", text, "443 or 8000:8080, with numbers from 0 to 65535")),
            },
            Self::Ports => match whole(separated_list1(char(','), port_range), text) {
                Some(list) => {
                    list.iter().try_for_each(|range| ordered(*range).map(drop))?;
                    Ok(Value::List(Box::new(list)))
                }
                None => Err(problem("list of ports", text, "80,443,8000:8080")),
            },
            Self::Ids => match whole(number_span('-'), text) {
                Some(range) => ordered(range),
                None => Err(problem("id", text, "1337 or 1000-1999; names are not looked up")),
            },
            Self::Mark => match whole(mark, text) {
                Some((value, mask)) => Ok(Value::Masked { value, mask: mask.unwrap_or(u32::MAX) }),
                None => Err(problem("mark", text, "0x539 or 0x539/0xfff")),
            },
            Self::SetMark(form) => match whole(mark, text) {
                Some((value, mask)) => form.combine(value, mask).ok_or_else(|| problem("mark", text, "0x539")),
                None => Err(problem("mark", text, "0x539 or 0x539/0xfff")),
            },
            Self::Mask => match number::parse_u32(text) {
                Some(mask) => Ok(Value::Number(mask)),
                None => Err(problem("mask", text, "0xffffffff")),
            },
            Self::Bits(names) => bits(names, text),
            Self::TcpFlags => tcp_flags(text, words.get(1).copied().unwrap_or_default()),
            Self::IcmpType(names) => icmp_type(names, text),
            Self::OneOf(names) => match names.iter().find(|(name, _)| *name == text) {
                Some((_, number)) => Ok(Value::Number(*number)),
                None => {
                    let known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
                    Err(Problem::new(format!("`{text}` is not known here"))
                        .hint(format!("use one of {}", known.join(", "))))
                }
            },
            Self::Number(highest) => Self::NumberOr(&[], highest).parse(words, ruleset),
            Self::NumberOr(names, highest) => {
                let named = names.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, number)| *number);
                match named.or_else(|| number::parse_u32(text)).filter(|number| *number <= highest) {
                    Some(number) => Ok(Value::Number(number)),
                    None => Err(problem("number in range", text, &format!("a number from 0 to {highest}"))),
                }
            }
            Self::Nat => match whole(nat_range, text) {
                Some(range) => Ok(Value::Nat(Box::new(range))),
                None => Err(problem("address to translate to", text, "10.0.0.1, 10.0.0.1:80 or [fd00::1]:80")),
            },
            Self::PortSpan => match whole(span_of(port), text) {
                Some((low, high)) => ordered((low.into(), high.into())),
                None => Err(problem("port", text, "15001 or 15001-15009")),
            },
            Self::Text(most) if text.len() > most => {
                Err(Problem::new(format!("this text has {} bytes", text.len())).hint(format!("at most {most} fit")))
            }
            Self::Text(_) => Ok(Value::Text(ruleset.keep(text))),
        }
    }

    /// Prints the value as `iptables-save` does, with a space before it; nothing for a flag.
    pub fn print(&self, value: &Value, ruleset: &Ruleset, out: &mut String) {
        if !matches!(self, Self::Flag | Self::Always(..)) {
            out.push(' ');
        }
        // Writing to a string cannot fail.
        let _ = self.write(value, ruleset, out);
    }

    fn write(&self, value: &Value, ruleset: &Ruleset, out: &mut String) -> std::fmt::Result {
        match (self, value) {
            (Self::Address, Value::Net4(address, _)) => write!(out, "{address}"),
            (Self::Address, Value::Net6(net)) => write_v6(net.0, out),
            (_, Value::Net4(address, mask)) => match prefix_length(mask.to_bits().into(), 32) {
                Some(length) => write!(out, "{address}/{length}"),
                None => write!(out, "{address}/{mask}"),
            },
            (_, Value::Net6(net)) => {
                write_v6(net.0, out)?;
                out.push('/');
                match prefix_length(net.1.to_bits(), 128) {
                    Some(length) => write!(out, "{length}"),
                    None => write_v6(net.1, out),
                }
            }
            (Self::Protocol, Value::Number(number)) => match u8::try_from(*number) {
                Ok(number) => write!(out, "{}", Protocol(number)),
                Err(_) => write!(out, "{number}"),
            },
            (Self::OneOf(names), Value::Number(number)) => {
                out.push_str(names.iter().find(|(_, n)| n == number).map_or("", |(name, _)| name));
                Ok(())
            }
            (Self::Mask, Value::Number(mask)) => write!(out, "{mask:#x}"),
            (_, Value::Number(number)) => write!(out, "{number}"),
            (Self::IcmpType(_), Value::Range(0, 0xffff)) => out.write_str("any"),
            (Self::IcmpType(_), Value::Range(low, high)) if low == high => write!(out, "{}/{}", low >> 8, low & 0xff),
            (Self::IcmpType(_), Value::Range(low, _)) => write!(out, "{}", low >> 8),
            (_, Value::Range(low, high)) if low == high => write!(out, "{low}"),
            (Self::Port, Value::Range(low, high)) => write!(out, "{low}:{high}"),
            (_, Value::Range(low, high)) => write!(out, "{low}-{high}"),
            (Self::TcpFlags, Value::Masked { value, mask }) => {
                write!(out, "{} {}", tcp_flag_names(*mask), tcp_flag_names(*value))
            }
            (Self::Mark, Value::Masked { value, mask: u32::MAX }) => write!(out, "{value:#x}"),
            (_, Value::Masked { value, mask }) => write!(out, "{value:#x}/{mask:#x}"),
            (Self::Bits(names), Value::Bits(bits)) => {
                let mut shown = 0;
                for (name, bit) in names.iter().filter(|(_, bit)| bits & bit != 0) {
                    if shown & bit == 0 {
                        write!(out, "{}{name}", if shown == 0 { "" } else { "," })?;
                    }
                    shown |= bit;
                }
                Ok(())
            }
            (_, Value::List(list)) => {
                for (place, (low, high)) in list.iter().enumerate() {
                    let comma = if place == 0 { "" } else { "," };
                    match low == high {
                        true => write!(out, "{comma}{low}")?,
                        false => write!(out, "{comma}{low}:{high}")?,
                    }
                }
                Ok(())
            }
            (_, Value::Nat(range)) => write_nat(range, out),
            (Self::Interface, Value::Text(text)) => out.write_str(ruleset.text(*text)),
            (_, Value::Text(text)) => {
                quote(ruleset.text(*text), out);
                Ok(())
            }
            (_, Value::None | Value::Bits(_)) => Ok(()),
        }
    }

    /// The value in words: as printed, without what only a program needs.
    pub fn say(&self, value: &Value, ruleset: &Ruleset) -> String {
        match (self, value) {
            (Self::Network, Value::Net4(address, Ipv4Addr::BROADCAST)) => address.to_string(),
            (Self::Network, Value::Net6(net)) if net.1.to_bits() == u128::MAX => net.0.to_string(),
            (Self::Text(_), Value::Text(text)) => format!("“{}”", ruleset.text(*text)),
            (Self::TcpFlags, Value::Masked { value, mask }) => {
                format!("{} among {}", tcp_flag_names(*value), tcp_flag_names(*mask))
            }
            (Self::IcmpType(names), Value::Range(low, high)) => {
                let named = names.iter().find(|(_, kind, first, last)| {
                    let kind = u32::from(*kind) << 8;
                    *low == kind | u32::from(*first) && *high == kind | u32::from(*last)
                });
                named.map_or_else(|| self.printed(value, ruleset), |(name, ..)| (*name).into())
            }
            (Self::Bits(_) | Self::Ports, _) => self.printed(value, ruleset).replace(',', " or "),
            (Self::Port | Self::Ids | Self::PortSpan, Value::Range(low, high)) if low != high => {
                format!("{low} to {high}")
            }
            _ => self.printed(value, ruleset),
        }
    }

    fn printed(&self, value: &Value, ruleset: &Ruleset) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(value, ruleset, &mut out);
        out
    }

    /// A number that the packet carries, in the words of this option's values.
    pub fn say_number(&self, number: u32) -> String {
        match self {
            Self::Protocol => u8::try_from(number).map_or_else(|_| number.to_string(), |n| Protocol(n).to_string()),
            Self::Mark | Self::Mask => format!("{number:#x}"),
            Self::TcpFlags => tcp_flag_names(number),
            Self::IcmpType(_) => format!("{}/{}", number >> 8, number & 0xff),
            Self::Bits(names) => {
                names.iter().find(|(_, bit)| number & bit != 0).map_or("none", |(name, _)| name).into()
            }
            _ => number.to_string(),
        }
    }
}

impl MarkForm {
    /// The `--set-xmark` value and mask that mean the same (libxt_MARK.c of iptables 1.8.9).
    fn combine(self, value: u32, mask: Option<u32>) -> Option<Value> {
        let (value, mask) = match (self, mask) {
            (Self::Xor, mask) => (value, mask.unwrap_or(u32::MAX)),
            (Self::Set, mask) => (value, value | mask.unwrap_or(u32::MAX)),
            (_, Some(_)) => return None,
            (Self::And, None) => (0, !value),
            (Self::Or, None) => (value, value),
            (Self::Flip, None) => (value, 0),
        };
        Some(Value::Masked { value, mask })
    }
}

/// The length of a contiguous mask of `bits` bits.
fn prefix_length(mask: u128, bits: u32) -> Option<u32> {
    let aligned = mask << (128 - bits);
    let length = aligned.leading_ones();
    (aligned.checked_shl(length).unwrap_or(0) == 0).then_some(length)
}

fn tcp_flag_names(bits: u32) -> String {
    TcpFlags(u8::try_from(bits & 0x3f).expect("six bits fit")).to_string()
}

/// As the C library writes it (`inet_ntop`): what has exactly six leading zero groups ends in an IPv4 address.
fn write_v6(address: Ipv6Addr, out: &mut String) -> std::fmt::Result {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, high, _] if high != 0 => {
            write!(out, "::{}", Ipv4Addr::from_bits(u32::try_from(address.to_bits()).expect("its high bits are zero")))
        }
        _ => write!(out, "{address}"),
    }
}

fn write_nat(range: &NatRange, out: &mut String) -> std::fmt::Result {
    if let Some((first, last)) = range.addresses {
        let brackets = range.ports.is_some() && first.is_ipv6();
        let (open, close) = if brackets { ("[", "]") } else { ("", "") };
        write!(out, "{open}{first}")?;
        if first != last {
            // iptables prints the brackets around the whole span.
            write!(out, "-{last}")?;
        }
        out.push_str(close);
    }
    match range.ports {
        Some((first, last)) if first == last => write!(out, ":{first}"),
        Some((first, last)) => write!(out, ":{first}-{last}"),
        None => Ok(()),
    }
}

/// Quotes a text where iptables would (`xtables_save_string`): bare only if it is not empty and made of
/// ASCII letters, digits, `_` and `-`.
pub fn quote(text: &str, out: &mut String) {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '\'') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}
