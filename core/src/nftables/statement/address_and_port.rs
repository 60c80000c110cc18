//! The address and port of `dnat to`, `redirect to` and `tproxy to`.

use crate::nftables::cursor::Cursor;
use crate::nftables::data_type::{DataType, INET_SERVICE, IPV4_ADDR, IPV6_ADDR, UNKNOWN};
use crate::nftables::expression::Expression;
use crate::nftables::literal::Literal;
use crate::nftables::selector::Selector;
use crate::nftables::token::TokenKind;

/// An address, a port, or both. Each may be a range or computed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressAndPort {
    /// The address.
    pub address: Option<Expression>,
    /// The port.
    pub port: Option<Expression>,
}

impl AddressAndPort {
    /// Parses what follows `to`.
    pub(super) fn parse(cursor: &mut Cursor) -> Option<Self> {
        if cursor.peek()?.is_symbol("[") {
            return Self::parse_ipv6(cursor);
        }
        if Selector::parse(&mut cursor.clone()).is_some() {
            let address = Expression::parse_computed(cursor, &UNKNOWN)?;
            return Some(Self {
                address: Some(address),
                port: None,
            });
        }
        let word = cursor.word()?;
        if let Some(address) = parse_range(word, &IPV6_ADDR) {
            return Some(Self {
                address: Some(address),
                port: None,
            });
        }
        let (address, port) = match word.split_once(':') {
            Some((address, port)) => (address, Some(port)),
            None => (word, None),
        };
        let address = match address {
            "" => None,
            address => Some(parse_range(address, &IPV4_ADDR)?),
        };
        let port = match port {
            Some(port) => Some(parse_range(port, &INET_SERVICE)?),
            None => None,
        };
        Some(Self { address, port })
    }

    /// Parses `[fd00::1]:80` or `[fd00::1]-[fd00::9]`.
    fn parse_ipv6(cursor: &mut Cursor) -> Option<Self> {
        let first = parse_bracketed(cursor)?;
        let address = match cursor.eat("-") {
            true => Expression::Range(first, parse_bracketed(cursor)?, &IPV6_ADDR),
            false => Expression::Literal(first, &IPV6_ADDR),
        };
        let is_port = |text: &str| text.starts_with(':');
        let port = cursor
            .peek()
            .filter(|token| token.kind == TokenKind::Word && is_port(token.text));
        let port = match port {
            Some(port) => {
                cursor.next();
                Some(parse_range(&port.text[1..], &INET_SERVICE)?)
            }
            None => None,
        };
        Some(Self {
            address: Some(address),
            port,
        })
    }

    /// Prints it as `nft list ruleset` does.
    pub(super) fn print(&self, out: &mut String) {
        match &self.address {
            None => {}
            Some(Expression::Literal(value @ Literal::Ipv6(_), data)) if self.port.is_some() => {
                print_bracketed(value, data, out);
            }
            Some(Expression::Range(first, last, data))
                if self.port.is_some() && matches!(first, Literal::Ipv6(_)) =>
            {
                print_bracketed(first, data, out);
                out.push('-');
                print_bracketed(last, data, out);
            }
            Some(address) => address.print(out),
        }
        if let Some(port) = &self.port {
            out.push(':');
            port.print(out);
        }
    }
}

fn parse_bracketed(cursor: &mut Cursor) -> Option<Literal> {
    if !cursor.eat_symbol("[") {
        return None;
    }
    let address = Literal::parse_word(cursor.word()?, &IPV6_ADDR)?;
    cursor.eat_symbol("]").then_some(address)
}

fn print_bracketed(address: &Literal, data: &DataType, out: &mut String) {
    out.push('[');
    address.print(data, out);
    out.push(']');
}

/// Parses `a`, `a-b` or `a/24`.
fn parse_range(word: &str, data: &'static DataType) -> Option<Expression> {
    if let Some(value) = Literal::parse_word(word, data) {
        return Some(Expression::Literal(value, data));
    }
    if let Some((address, length)) = word.split_once('/') {
        let address = Literal::parse_word(address, data)?;
        return Some(Expression::Prefix(address, data, length.parse().ok()?));
    }
    let (first, last) = word.split_once('-')?;
    let first = Literal::parse_word(first, data)?;
    Some(Expression::Range(
        first,
        Literal::parse_word(last, data)?,
        data,
    ))
}
