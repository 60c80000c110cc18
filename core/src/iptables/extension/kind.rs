//! The written form of an option's value: parsing it with nom, printing it as `iptables-save` does,
//! and wording it.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};

use crate::iptables::kernel_names;
use crate::netfilter::ruleset::{CompactBox, Ruleset, Value};
use crate::packet::content::mac;
use crate::packet::{Family, Protocol};
use crate::text::address::write_ipv6;
use crate::text::diagnostic::{Code, Problem};
use crate::text::number;

pub(super) mod host;
pub(super) mod read;
pub(super) mod write;

use read::{problem, whole};
pub use write::{needs_quotes, quote, quote_always, quote_if_needed};
use write::{prefix_length, tcp_flag_names};

/// Names of bits or numbers.
pub type Names = &'static [(&'static str, u32)];

/// The written form of an option's value.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// No value.
    Flag,
    /// No value: the option always means this value under this mask (`--syn`).
    Always(u32, u32),
    /// `10.0.0.0/8`, `::1`, `10.0.0.1/255.0.255.0`.
    Network,
    /// One address, printed without a mask.
    Address,
    /// An interface. A `+` at the end matches any ending.
    Interface,
    /// A protocol's name or number.
    Protocol,
    /// `80`, `1024:65535`, `:1023`.
    Port,
    /// A range of ports that may be reversed. iptables accepts this for some protocols.
    AnyPort,
    /// `80,443,8000:8080`.
    Ports,
    /// `1337` or `1000-1999`.
    Ids,
    /// A mark to compare: `0x539` or `0x539/0xfff`.
    Mark,
    /// A mark to set. The mask is always printed.
    SetMark(MarkForm),
    /// A mask in hexadecimal.
    Mask,
    /// A comma-separated list of names.
    Bits(Names),
    /// The TCP flags to test, and those of them that must be set: two words.
    TcpFlags,
    /// An ICMP type, by number or name, with or without code.
    IcmpType(IcmpNames),
    /// One of these names, in any of its spellings. The first spelling is printed.
    OneOf(Names),
    /// A decimal number up to a limit.
    Number(u32),
    /// A number up to a limit, or one of these names. It is printed as a number.
    NumberOr(Names, u32),
    /// Free text with a maximum length in bytes.
    Text(usize),
    /// Free text that is truncated to this many bytes.
    Cut(usize),
    /// Free text with a maximum length in bytes, on one line and not empty.
    Line(usize),
    /// Free text with a maximum length in bytes, which iptables prints without quotes.
    Word(usize),
    /// A decimal number between two limits. Both are included.
    Between(u32, u32),
    /// `8`, `8:9`, `:9` or `8:`, up to a limit.
    NumberRange(u32),
    /// A decimal number of up to 64 bits.
    Wide,
    /// `10.0.0.1-10.0.0.9`, or one address, which is also printed as a range.
    AddressSpan,
    /// A hardware address.
    Mac,
    /// A number up to a limit. The packet's number must be less.
    Below(u32),
    /// A number up to a limit. The packet's number must be greater.
    Above(u32),
    /// A form that the extension defines.
    Own(&'static ValueForm),
    /// A form that the extension defines. The value is optional.
    Maybe(&'static ValueForm),
}

/// A written form that one extension defines for itself.
pub struct ValueForm {
    /// The number of words.
    pub words: usize,
    /// Parses the words.
    pub read: fn(&[&str], &mut Ruleset) -> Result<Value, Problem>,
    /// Prints the value, without a leading blank.
    pub write: fn(&Value, &Ruleset, &mut String),
    /// Values that iptables accepts. The words of one value are separated by a blank.
    pub examples: &'static [&'static str],
}

impl std::fmt::Debug for ValueForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Form of {} words", self.words)
    }
}

/// How the two numbers of a mark option become "clear these bits, flip those".
#[derive(Clone, Copy, Debug)]
pub enum MarkForm {
    /// `--set-xmark`: unchanged.
    Xor,
    /// `--set-mark`: clears the bits of the mask and of the value.
    Set,
    /// `--and-mark`.
    And,
    /// `--or-mark`.
    Or,
    /// `--xor-mark`.
    Flip,
}

/// Names of ICMP types: name, type, first code and last code.
pub type IcmpNames = &'static [(&'static str, u8, u8, u8)];

impl Kind {
    /// The maximum number of words of a value.
    pub const MAX_WORDS: usize = 2;

    /// The number of words of the value.
    pub fn word_count(&self) -> usize {
        match self {
            Self::Flag | Self::Always(..) => 0,
            Self::TcpFlags => 2,
            Self::Own(form) | Self::Maybe(form) => form.words,
            _ => 1,
        }
    }

    /// The form of the value in a manual: `PORT[:PORT]`.
    pub fn form(&self) -> String {
        let names = |names: Names| {
            let shown: Vec<&str> = names.iter().map(|(name, _)| *name).take(3).collect();
            format!(
                "{}{}",
                shown.join("|"),
                if names.len() > 3 { "|…" } else { "" }
            )
        };
        match self {
            Self::Flag | Self::Always(..) => String::new(),
            Self::Network => "ADDRESS[/MASK]".into(),
            Self::Address => "ADDRESS".into(),
            Self::AddressSpan => "ADDRESS[-ADDRESS]".into(),
            Self::Interface => "INTERFACE[+]".into(),
            Self::Protocol => "PROTOCOL".into(),
            Self::Port | Self::AnyPort => "PORT[:PORT]".into(),
            Self::Ports => "PORT[:PORT],…".into(),
            Self::Ids => "ID[-ID]".into(),
            Self::Mark | Self::SetMark(MarkForm::Xor | MarkForm::Set) => "VALUE[/MASK]".into(),
            Self::SetMark(_) => "VALUE".into(),
            Self::Mask => "MASK".into(),
            Self::Bits(known) => format!("{},…", names(known)),
            Self::TcpFlags => "FLAG,… FLAG,…".into(),
            Self::IcmpType(_) => "TYPE[/CODE]|NAME".into(),
            Self::OneOf(known) => names(known),
            Self::Number(high) | Self::Below(high) | Self::Above(high) => format!("0..{high}"),
            Self::NumberOr(known, high) => format!("0..{high}|{}", names(known)),
            Self::Between(low, high) => format!("{low}..{high}"),
            Self::NumberRange(_) => "NUMBER[:NUMBER]".into(),
            Self::Wide => "NUMBER".into(),
            Self::Text(_) | Self::Cut(_) | Self::Line(_) => "TEXT".into(),
            Self::Word(_) => "NAME".into(),
            Self::Mac => "MAC".into(),
            Self::Own(form) | Self::Maybe(form) => {
                form.examples.first().copied().unwrap_or_default().into()
            }
        }
    }

    /// Whether any word can be its value, even one that looks like an option: `--comment -a`.
    pub fn is_free(&self) -> bool {
        matches!(
            self,
            Self::Text(_) | Self::Cut(_) | Self::Line(_) | Self::Word(_) | Self::Interface
        )
    }

    /// Whether the value is optional.
    pub fn is_optional(&self) -> bool {
        matches!(self, Self::Maybe(_))
    }

    /// Parses the value.
    ///
    /// # Errors
    /// The problem, with a hint about the valid form.
    pub fn parse(&self, words: &[&str], ruleset: &mut Ruleset) -> Result<Value, Problem> {
        let text = words.first().copied().unwrap_or_default();
        let ordered = |(low, high): (u32, u32)| {
            if low <= high {
                Ok(Value::Range(low, high))
            } else {
                Err(
                    Problem::new(Code::ReversedRange, format!("reversed range `{text}`"))
                        .hint("write the lower number first"),
                )
            }
        };
        match *self {
            Self::Flag => Ok(Value::None),
            Self::Always(value, mask) => Ok(Value::Masked { value, mask }),
            Self::Network => of_family(read::network(text)?, text, ruleset.family),
            Self::Address => match text.parse() {
                Ok(address) if Family::of_address(address) != ruleset.family => Err(problem(
                    "address of this family",
                    text,
                    "10.0.0.1 for IPv4, ::1 for IPv6",
                )),
                Ok(IpAddr::V4(v4)) => Ok(Value::Net4(v4, Ipv4Addr::BROADCAST)),
                Ok(IpAddr::V6(v6)) => Ok(Value::Net6(CompactBox::new((v6, u128::MAX.into())))),
                Err(_) => Err(problem("address", text, "10.0.0.1 or ::1")),
            },
            // IFNAMSIZ is 16 and includes the terminating byte.
            Self::Interface if text.is_empty() || text.len() > 15 => Err(Problem::new(
                Code::InvalidValue,
                format!("invalid interface name `{text}`"),
            )
            .hint("use 1 to 15 characters")),
            Self::Interface => Ok(Value::Text(ruleset.keep(text))),
            Self::Protocol if text.eq_ignore_ascii_case("all") => Ok(Value::Number(0)),
            Self::Protocol => Protocol::from_text(text)
                .map(|protocol| Value::Number(protocol.0.into()))
                .ok_or_else(|| problem("protocol", text, "tcp, udp, or a number from 0 to 255")),
            Self::Port => match whole(read::port_range, text) {
                Some(range) => ordered(range),
                None => Err(problem(
                    "port",
                    text,
                    "443 or 8000:8080, with numbers from 0 to 65535",
                )),
            },
            Self::AnyPort => match whole(read::port_range, text) {
                Some((low, high)) => Ok(Value::Range(low, high)),
                None => Self::Port.parse(words, ruleset),
            },
            Self::Ports => read::ports(text),
            Self::Ids => match read::ids(text) {
                Some(range) => ordered(range),
                None => Err(problem(
                    "id",
                    text,
                    "1337 or 1000-1999; names are not looked up",
                )),
            },
            Self::Mark => match whole(read::mark, text) {
                Some((value, mask)) => Ok(Value::Masked {
                    value,
                    mask: mask.unwrap_or(u32::MAX),
                }),
                None => Err(problem("mark", text, "0x539 or 0x539/0xfff")),
            },
            Self::SetMark(form) => match whole(read::mark, text) {
                Some((value, mask)) => form
                    .combine(value, mask)
                    .ok_or_else(|| problem("mark", text, "0x539")),
                None => Err(problem("mark", text, "0x539 or 0x539/0xfff")),
            },
            Self::Mask => match number::parse_u32(text) {
                Some(mask) => Ok(Value::Number(mask)),
                None => Err(problem("mask", text, "0xffffffff")),
            },
            Self::Bits(names) => read::bits(names, text),
            Self::TcpFlags => read::tcp_flags(text, words.get(1).copied().unwrap_or_default()),
            Self::IcmpType(names) => read::icmp_type(names, text),
            Self::OneOf(names) => match names.iter().find(|(name, _)| *name == text) {
                Some((_, number)) => Ok(Value::Number(*number)),
                None => {
                    let known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
                    Err(
                        Problem::new(Code::InvalidValue, format!("unknown value `{text}`"))
                            .hint(format!("use one of {}", known.join(", "))),
                    )
                }
            },
            Self::Number(highest) => Self::NumberOr(&[], highest).parse(words, ruleset),
            Self::NumberOr(names, highest) => {
                let named = names
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case(text))
                    .map(|(_, number)| *number);
                match named
                    .or_else(|| number::parse_u32(text))
                    .filter(|number| *number <= highest)
                {
                    Some(number) => Ok(Value::Number(number)),
                    None => Err(problem(
                        "number in range",
                        text,
                        &format!("a number from 0 to {highest}"),
                    )),
                }
            }
            Self::Text(most) if text.len() > most => Err(Problem::new(
                Code::InvalidValue,
                format!("this text has {} bytes", text.len()),
            )
            .hint(format!("use at most {most}"))),
            Self::Text(_) => Ok(Value::Text(ruleset.keep(text))),
            Self::Line(_) if text.is_empty() || text.contains('\n') => Err(Problem::new(
                Code::InvalidValue,
                "this text must be one line and not empty",
            )),
            Self::Cut(most) | Self::Line(most) => {
                let end = (0..=most.min(text.len()))
                    .rfind(|end| text.is_char_boundary(*end))
                    .unwrap_or(0);
                Ok(Value::Text(ruleset.keep(&text[..end])))
            }
            Self::Word(most) => Self::Text(most).parse(words, ruleset),
            Self::Between(low, high) => {
                match number::parse_u32(text).filter(|number| (low..=high).contains(number)) {
                    Some(number) => Ok(Value::Number(number)),
                    None => Err(problem(
                        "number in range",
                        text,
                        &format!("a number from {low} to {high}"),
                    )),
                }
            }
            Self::NumberRange(high) => match whole(read::open_range(high), text) {
                // A reversed range contains no number (`xtopt_parse_mint` in xtoptions.c accepts
                // it).
                Some((low, high)) => Ok(Value::Range(low, high)),
                None => Err(problem(
                    "number or range",
                    text,
                    &format!("8 or 8:9, with numbers from 0 to {high}"),
                )),
            },
            Self::Wide => match number::parse_u64(text) {
                Some(number) => Ok(Value::Wide(number.into())),
                None => Err(problem("number", text, "1000")),
            },
            Self::AddressSpan => match whole(read::address_span, text) {
                Some((first, last)) if first.is_ipv4() == last.is_ipv4() => of_family(
                    Value::Addresses(CompactBox::new((first, last))),
                    text,
                    ruleset.family,
                ),
                _ => Err(problem("range of addresses", text, "10.0.0.1-10.0.0.9")),
            },
            Self::Mac => match mac(text) {
                Some(mac) => Ok(Value::Mac(mac)),
                None => Err(problem("hardware address", text, "02:00:00:00:00:05")),
            },
            Self::Below(highest) | Self::Above(highest) => {
                let value = Self::Number(highest).parse(words, ruleset)?;
                let Value::Number(limit) = value else {
                    return Ok(value);
                };
                Ok(match (*self, limit.checked_sub(1)) {
                    (Self::Above(_), _) => Value::Range(limit.saturating_add(1), u32::MAX),
                    (_, Some(last)) => Value::Range(0, last),
                    // No number is less than 0.
                    (_, None) => Value::Range(1, 0),
                })
            }
            Self::Maybe(_) if words.is_empty() => Ok(Value::None),
            Self::Own(form) | Self::Maybe(form) => (form.read)(words, ruleset),
        }
    }

    /// The problem of a value that iptables accepts. The value is kept, and the problem is
    /// reported.
    pub fn objection(&self, value: &Value, ruleset: &Ruleset) -> Option<Problem> {
        match (self, value) {
            (Self::Interface, Value::Text(name)) => {
                kernel_names::interface_name_problem(ruleset.text(*name))
            }
            _ => None,
        }
    }

    /// Prints the value as `iptables-save` does, after a blank; nothing for a flag. A value that a
    /// restore would split or change is quoted.
    pub fn print(&self, value: &Value, ruleset: &Ruleset, out: &mut String) {
        let none = self.is_optional() && *value == Value::None;
        if !none && !matches!(self, Self::Flag | Self::Always(..)) {
            out.push(' ');
        }
        // Writing to a string cannot fail.
        let _ = self.write(value, ruleset, out);
    }

    pub(super) fn write(
        &self,
        value: &Value,
        ruleset: &Ruleset,
        out: &mut String,
    ) -> std::fmt::Result {
        match (self, value) {
            (Self::Maybe(_), Value::None) => Ok(()),
            (Self::Own(form) | Self::Maybe(form), value) => {
                (form.write)(value, ruleset, out);
                Ok(())
            }
            (Self::Address, Value::Net4(address, _)) => write!(out, "{address}"),
            (Self::Address, Value::Net6(net)) => write_ipv6(net.0, out),
            (_, Value::Net4(address, mask)) => match prefix_length(mask.to_bits().into(), 32) {
                Some(length) => write!(out, "{address}/{length}"),
                None => write!(out, "{address}/{mask}"),
            },
            (_, Value::Net6(net)) => {
                write_ipv6(net.0, out)?;
                out.push('/');
                match prefix_length(net.1.to_bits(), 128) {
                    Some(length) => write!(out, "{length}"),
                    None => write_ipv6(net.1, out),
                }
            }
            (Self::Protocol, Value::Number(number)) => match u8::try_from(*number) {
                Ok(number) => match Protocol(number).long_name() {
                    Some(name) => out.write_str(name),
                    None => write!(out, "{number}"),
                },
                Err(_) => write!(out, "{number}"),
            },
            (Self::OneOf(names), Value::Number(number)) => {
                out.push_str(
                    names
                        .iter()
                        .find(|(_, n)| n == number)
                        .map_or("", |(name, _)| name),
                );
                Ok(())
            }
            (Self::Mask, Value::Number(mask)) => write!(out, "{mask:#x}"),
            (_, Value::Number(number)) => write!(out, "{number}"),
            (Self::Below(_), Value::Range(1, 0)) => out.write_str("0"),
            (Self::Below(_), Value::Range(_, last)) => write!(out, "{}", last.saturating_add(1)),
            (Self::Above(_), Value::Range(first, _)) => write!(out, "{}", first.saturating_sub(1)),
            (Self::IcmpType(_), Value::Range(0, 0xffff)) => out.write_str("any"),
            (Self::IcmpType(_), Value::Range(low, high))
                if low & 0xff == 0 && high & 0xff == 0xff =>
            {
                write!(out, "{}", low >> 8)
            }
            // If a type has several codes, iptables prints only the first one.
            (Self::IcmpType(_), Value::Range(low, _)) => write!(out, "{}/{}", low >> 8, low & 0xff),
            (_, Value::Range(low, high)) if low == high => write!(out, "{low}"),
            (Self::Port | Self::AnyPort | Self::NumberRange(_), Value::Range(low, high)) => {
                write!(out, "{low}:{high}")
            }
            (_, Value::Range(low, high)) => write!(out, "{low}-{high}"),
            (Self::TcpFlags, Value::Masked { value, mask }) => {
                write!(out, "{} {}", tcp_flag_names(*mask), tcp_flag_names(*value))
            }
            (
                Self::Mark,
                Value::Masked {
                    value,
                    mask: u32::MAX,
                },
            ) => write!(out, "{value:#x}"),
            (_, Value::Masked { value, mask }) => write!(out, "{value:#x}/{mask:#x}"),
            (Self::Bits(names), Value::Bits(bits)) => {
                let mut shown = 0;
                for (name, bit) in names
                    .iter()
                    .filter(|(_, bit)| bits & bit != 0 || bits == bit)
                {
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
            (_, Value::Wide(number)) => write!(out, "{}", number.get()),
            (_, Value::Wides(pair)) if pair.0 == pair.1 => write!(out, "{}", pair.0),
            (_, Value::Wides(pair)) => write!(out, "{}:{}", pair.0, pair.1),
            (_, Value::Addresses(span)) => write!(out, "{}-{}", span.0, span.1),
            (_, Value::Mac([a, b, c, d, e, f])) => {
                write!(out, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
            }
            (Self::Interface | Self::Word(_), Value::Text(text)) => {
                quote_if_needed(ruleset.text(*text), out);
                Ok(())
            }
            (_, Value::Text(text)) => {
                quote(ruleset.text(*text), out);
                Ok(())
            }
            (_, Value::None | Value::Bits(_) | Value::Nat(_)) => Ok(()),
        }
    }

    /// Words the value: as printed, without parts that only a program needs.
    pub fn describe(&self, value: &Value, ruleset: &Ruleset) -> String {
        match (self, value) {
            (Self::Network, Value::Net4(address, Ipv4Addr::BROADCAST)) => address.to_string(),
            (Self::Network, Value::Net6(net)) if net.1.to_bits() == u128::MAX => net.0.to_string(),
            (Self::Text(_) | Self::Cut(_) | Self::Line(_), Value::Text(text)) => {
                format!("“{}”", ruleset.text(*text))
            }
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
            (Self::AddressSpan, Value::Addresses(span)) => format!("{} to {}", span.0, span.1),
            (Self::Bits(_) | Self::Ports, _) => self.printed(value, ruleset).replace(',', " or "),
            (
                Self::Port | Self::AnyPort | Self::Ids | Self::NumberRange(_),
                Value::Range(low, high),
            ) if low != high => {
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

    /// Words a number of the packet in the style of this option's values.
    pub fn say_number(&self, number: u32) -> String {
        match self {
            Self::Protocol => u8::try_from(number)
                .map_or_else(|_| number.to_string(), |n| Protocol(n).to_string()),
            Self::Mark | Self::Mask => format!("{number:#x}"),
            Self::TcpFlags => tcp_flag_names(number),
            Self::IcmpType(_) => format!("{}/{}", number >> 8, number & 0xff),
            Self::Bits(names) => names
                .iter()
                .find(|(_, bit)| number & bit != 0)
                .map_or("none", |(name, _)| name)
                .into(),
            Self::Own(form) => {
                let mut out = String::new();
                (form.write)(
                    &Value::Number(number),
                    &Ruleset::new(Family::Ipv4, None),
                    &mut out,
                );
                if out.is_empty() {
                    number.to_string()
                } else {
                    out
                }
            }
            _ => number.to_string(),
        }
    }
}

/// The address, if it belongs to the family.
fn of_family(value: Value, text: &str, family: Family) -> Result<Value, Problem> {
    let of = match &value {
        Value::Net4(..) => Family::Ipv4,
        Value::Net6(..) => Family::Ipv6,
        Value::Addresses(span) => Family::of_address(span.0),
        _ => family,
    };
    match of == family {
        true => Ok(value),
        false => Err(
            Problem::new(Code::OtherFamily, format!("`{text}` belongs to {of}"))
                .hint(format!("use an address of {family}")),
        ),
    }
}

impl MarkForm {
    /// The `--set-xmark` value and mask with the same meaning (libxt_MARK.c of iptables 1.8.9).
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iptables::extension::Id;

    #[test]
    fn no_option_takes_more_words_than_there_is_room_for() {
        for opt in Id::all().flat_map(|id| id.get().options) {
            assert!(opt.kind.word_count() <= Kind::MAX_WORDS, "{}", opt.flag);
        }
    }
}
