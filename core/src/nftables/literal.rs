//! Values as nft reads and prints them.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::data_type::{DataForm, DataType, Notation};
use super::token::{Token, TokenKind};
use crate::text::address::write_ipv6;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    /// A number, or the value of a name.
    Number(u64),
    /// A number that prints in hexadecimal with as many digits as written. iptables-nft's rules
    /// print this way.
    ShortHex(u64),
    /// An IPv4 address.
    Ipv4(Ipv4Addr),
    /// An IPv6 address.
    Ipv6(Ipv6Addr),
    /// A hardware address.
    Mac([u8; 6]),
    /// A text, without its quotes.
    Text(Box<str>),
    /// A word that the type does not know, kept as written.
    Word(Box<str>),
}

impl Literal {
    /// Parses a value of a type. `None` if the token cannot be one.
    pub(super) fn parse(token: Token, data: &DataType) -> Option<Self> {
        match token.kind {
            TokenKind::Quoted => Some(Self::Text(token.text.into())),
            TokenKind::Word => Self::parse_word(token.text, data),
            _ => None,
        }
    }

    /// Parses a word as a value of a type.
    pub(super) fn parse_word(word: &str, data: &DataType) -> Option<Self> {
        if let Some(number) = data.number(word) {
            return Some(Self::Number(number.into()));
        }
        match data.form {
            DataForm::Number(notation) => {
                let number = parse_number(word)?;
                let digits = word.strip_prefix("0x").map(str::len);
                let is_short = match (notation, digits) {
                    (Notation::Padded(width), Some(digits)) => digits < width.into(),
                    _ => false,
                };
                Some(if is_short {
                    Self::ShortHex(number)
                } else {
                    Self::Number(number)
                })
            }
            DataForm::Ipv4 => word.parse().ok().map(Self::Ipv4),
            DataForm::Ipv6 => word.parse().ok().map(Self::Ipv6),
            DataForm::Mac => parse_mac(word).map(Self::Mac),
            // `fib saddr . iif oif missing`
            DataForm::Text if matches!(word, "missing" | "exists") => Some(Self::Word(word.into())),
            DataForm::Text => match parse_number(word) {
                Some(number) => Some(Self::Number(number)),
                None => Some(Self::Text(word.into())),
            },
            DataForm::Word => Some(Self::Word(word.into())),
        }
    }

    /// The value as nft prints it in its own rules.
    pub(super) fn with_all_digits(self) -> Self {
        match self {
            Self::ShortHex(number) => Self::Number(number),
            other => other,
        }
    }

    /// Prints the value as `nft list ruleset` does.
    pub(super) fn print(&self, data: &DataType, out: &mut String) {
        // Writing to a string cannot fail.
        let _ = match self {
            Self::Number(number) => match (data.name_of(*number), data.form) {
                (Some(name), _) => write!(out, "{name}"),
                (None, DataForm::Number(Notation::Hexadecimal)) => write!(out, "{number:#x}"),
                (None, DataForm::Number(Notation::Padded(width))) => {
                    write!(out, "0x{number:0width$x}", width = usize::from(width))
                }
                (None, _) => write!(out, "{number}"),
            },
            Self::ShortHex(number) => write!(out, "{number:#x}"),
            Self::Ipv4(address) => write!(out, "{address}"),
            Self::Ipv6(address) => write_ipv6(*address, out),
            Self::Mac([a, b, c, d, e, f]) => {
                write!(out, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
            }
            Self::Text(text) => write!(out, "\"{text}\""),
            Self::Word(word) => write!(out, "{word}"),
        };
    }
}

/// Parses a decimal, hexadecimal (`0x`) or octal (`0`) number, as nft's `strtoull` does.
pub(super) fn parse_number(word: &str) -> Option<u64> {
    if let Some(digits) = word.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok();
    }
    match word.strip_prefix('0') {
        Some(digits) if !digits.is_empty() => u64::from_str_radix(digits, 8).ok(),
        _ => word.parse().ok(),
    }
}

fn parse_mac(word: &str) -> Option<[u8; 6]> {
    let mut bytes = [0; 6];
    let mut parts = word.split(':');
    for byte in &mut bytes {
        *byte = u8::from_str_radix(parts.next()?, 16).ok()?;
    }
    parts.next().is_none().then_some(bytes)
}
