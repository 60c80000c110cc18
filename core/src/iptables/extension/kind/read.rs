//! Parsers of values, made with nom. An extension with its own form builds its parser from these.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nom::branch::alt;
use nom::bytes::complete::take_while1;
use nom::character::complete::{char, one_of};
use nom::combinator::{all_consuming, map_opt, map_res, opt};
use nom::multi::separated_list1;
use nom::sequence::preceded;
use nom::{IResult, Parser};

use super::{IcmpNames, Names};
use crate::netfilter::ruleset::{CompactBox, Value};
use crate::packet::{Family, TcpFlags};
use crate::text::diagnostic::{Code, Problem};
use crate::text::{names, number};

pub(in crate::iptables::extension) fn problem(what: &str, text: &str, example: &str) -> Problem {
    Problem::new(Code::InvalidValue, format!("invalid {what} `{text}`"))
        .hint(format!("write a value such as {example}"))
}

/// Parses a whole text.
pub(in crate::iptables::extension) fn whole<'a, T>(
    parser: impl Parser<&'a str, Output = T, Error = nom::error::Error<&'a str>>,
    text: &'a str,
) -> Option<T> {
    all_consuming(parser)
        .parse(text)
        .ok()
        .map(|(_, value)| value)
}

pub(in crate::iptables::extension) fn number_u32(input: &str) -> IResult<&str, u32> {
    map_opt(
        take_while1(|c: char| c.is_ascii_alphanumeric()),
        number::parse_u32,
    )
    .parse(input)
}

/// The number of a port, or the name of its service.
pub(in crate::iptables::extension) fn port(input: &str) -> IResult<&str, u16> {
    let number = map_res(number_u32, u16::try_from);
    let name = take_while1(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.');
    alt((number, map_opt(name, names::service))).parse(input)
}

/// Parses `8`, `8:9`, `:9`, `8:` and `:` with numbers up to a limit (`xtopt_parse_mint` in
/// xtoptions.c).
pub(super) fn open_range(high: u32) -> impl FnMut(&str) -> IResult<&str, (u32, u32)> {
    move |input| {
        let one =
            |input| map_opt(number_u32, |number| (number <= high).then_some(number)).parse(input);
        let (rest, (first, second)) =
            (opt(one), opt(preceded(char(':'), opt(one)))).parse(input)?;
        let first_or = first.unwrap_or(0);
        Ok((
            rest,
            (
                first_or,
                second.map_or(first_or, |second| second.unwrap_or(high)),
            ),
        ))
    }
}

/// `10.0.0.1-10.0.0.9`, or one address.
pub(super) fn address_span(input: &str) -> IResult<&str, (IpAddr, IpAddr)> {
    span_of(address)(input)
}

/// `80`, `80:90`, `:90`, `80:`.
pub(in crate::iptables::extension) fn port_range(input: &str) -> IResult<&str, (u32, u32)> {
    let (rest, (low, high)) = (opt(port), opt(preceded(char(':'), opt(port)))).parse(input)?;
    let range = match (low, high) {
        (Some(port), None) => (port, port),
        (low, Some(high)) => (low.unwrap_or(0), high.unwrap_or(u16::MAX)),
        (None, None) => {
            return Err(nom::Err::Error(nom::error::Error::new(
                input,
                nom::error::ErrorKind::Digit,
            )));
        }
    };
    Ok((rest, (range.0.into(), range.1.into())))
}

/// Parses ports and ranges of ports, at most 15 numbers (`parse_multi_ports_v1` in
/// libxt_multiport.c).
pub(super) fn ports(text: &str) -> Result<Value, Problem> {
    let one = (port, opt(preceded(char(':'), port)));
    let Some(list) = whole(separated_list1(char(','), one), text) else {
        return Err(problem("list of ports", text, "80,443,8000:8080"));
    };
    if let Some((low, Some(high))) = list
        .iter()
        .find(|(low, high)| high.is_some_and(|high| high <= *low))
    {
        return Err(
            Problem::new(Code::ReversedRange, format!("empty range `{low}:{high}`"))
                .hint("write the lower number first"),
        );
    }
    if list
        .iter()
        .map(|(_, high)| if high.is_some() { 2 } else { 1 })
        .sum::<usize>()
        > 15
    {
        return Err(Problem::new(Code::InvalidValue, "too many ports")
            .hint("use at most 15; a range counts as two"));
    }
    Ok(Value::List(CompactBox::new(
        list.into_iter()
            .map(|(low, high): (u16, Option<u16>)| (low.into(), high.unwrap_or(low).into()))
            .collect(),
    )))
}

/// Parses an id or a range of ids. The highest number means "none" (`owner_parse_range` in
/// libxt_owner.c). Every Linux names the id 0 `root`. Other names depend on the machine.
pub(super) fn ids(text: &str) -> Option<(u32, u32)> {
    if text == "root" {
        return Some((0, 0));
    }
    let (first, last) = whole((number_u32, opt(preceded(one_of("-:"), number_u32))), text)?;
    Some((first, last.unwrap_or(first)))
        .filter(|(first, last)| *first < u32::MAX && *last < u32::MAX)
}

/// Parses `0x539` or `0x539/0xfff`. An absent mask is `None`.
pub(super) fn mark(input: &str) -> IResult<&str, (u32, Option<u32>)> {
    (number_u32, opt(preceded(char('/'), number_u32))).parse(input)
}

pub(in crate::iptables::extension) fn address(input: &str) -> IResult<&str, IpAddr> {
    map_res(
        take_while1(|c: char| c.is_ascii_hexdigit() || c == '.' || c == ':'),
        str::parse,
    )
    .parse(input)
}

/// Parses `a-b` or `a`, with any parser for the ends.
pub(super) fn span_of<'a, T: Copy>(
    one: impl Fn(&'a str) -> IResult<&'a str, T> + Copy,
) -> impl FnMut(&'a str) -> IResult<&'a str, (T, T)> {
    move |input| {
        let (rest, first) = one(input)?;
        let (rest, last) = opt(preceded(char('-'), one)).parse(rest)?;
        Ok((rest, (first, last.unwrap_or(first))))
    }
}

/// The mask after an address: a prefix length, or an address.
fn mask4(text: &str) -> Option<Ipv4Addr> {
    match number::parse_u32(text) {
        Some(length) if length <= 32 => Some(u32::MAX.checked_shl(32 - length).unwrap_or(0).into()),
        Some(_) => None,
        None => text.parse().ok(),
    }
}

fn mask6(text: &str) -> Option<Ipv6Addr> {
    match number::parse_u32(text) {
        Some(length) if length <= 128 => {
            Some(u128::MAX.checked_shl(128 - length).unwrap_or(0).into())
        }
        Some(_) => None,
        None => text.parse().ok(),
    }
}

/// The length of a mask that is given as a length or as an address. A mask with holes counts as all
/// ones.
pub(in crate::iptables::extension) fn mask_length(text: &str, family: Family) -> Option<u32> {
    let (bits, width) = match family {
        Family::Ipv4 => (u128::from(mask4(text)?.to_bits()) << 96, 32),
        Family::Ipv6 => (mask6(text)?.to_bits(), 128),
    };
    let length = bits.leading_ones();
    Some(if bits.count_ones() == length {
        length
    } else {
        width
    })
}

/// Parses an address as `-s` and `-d` do. An IPv4 address may lack its last bytes, and each byte
/// may be octal or hexadecimal (`__numeric_to_ipaddr` in xtables.c): `10` is 10.0.0.0.
fn whole_address(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        return text.parse().ok().map(IpAddr::V6);
    }
    let mut bytes = [0; 4];
    let mut words = text.split('.');
    for byte in &mut bytes {
        let Some(word) = words.next() else { break };
        *byte = number::parse_u32(word).and_then(|number| u8::try_from(number).ok())?;
    }
    words.next().is_none().then_some(IpAddr::V4(bytes.into()))
}

/// Parses `10.0.0.0/8` and `10.0.0.1` as `iptables-save` prints them. This is the fast path for
/// nearly every address of a dump.
fn plain_network(text: &str) -> Option<Value> {
    let mut numbers = [0_u32; 4];
    let mut bytes = text.bytes();
    let mut byte = bytes.next();
    // Parses the number that begins here: at most three digits, and no leading zero, which would
    // make it octal.
    let mut number = |separator: Option<u8>| {
        if let Some(separator) = separator {
            byte.filter(|byte| *byte == separator)?;
            byte = bytes.next();
        }
        let (mut number, mut digits) = (0, 0);
        while let Some(digit @ b'0'..=b'9') = byte {
            number = number * 10 + u32::from(digit - b'0');
            digits += 1;
            if digits > 3 || digits > 1 && number < 10 {
                return None;
            }
            byte = bytes.next();
        }
        (digits > 0).then_some((number, byte.is_none()))
    };
    let mut ends = false;
    for (place, part) in numbers.iter_mut().enumerate() {
        (*part, ends) = number((place > 0).then_some(b'.'))?;
    }
    let length = if ends {
        32
    } else {
        number(Some(b'/')).filter(|(_, ends)| *ends)?.0
    };
    if length > 32 || numbers.iter().any(|number| *number > 255) {
        return None;
    }
    let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
    let address = numbers
        .iter()
        .fold(0, |address, number| address << 8 | number);
    Some(Value::Net4((address & mask).into(), mask.into()))
}

pub(in crate::iptables::extension) fn network(text: &str) -> Result<Value, Problem> {
    if let Some(plain) = plain_network(text) {
        return Ok(plain);
    }
    let wrong = || {
        problem(
            "address or network",
            text,
            "10.0.0.0/8 or ::1/128; host names are not looked up",
        )
    };
    let (address, mask) = text
        .split_once('/')
        .map_or((text, None), |(address, mask)| (address, Some(mask)));
    match whole_address(address).ok_or_else(wrong)? {
        IpAddr::V4(v4) => {
            let mask = mask
                .map_or(Some(Ipv4Addr::BROADCAST), mask4)
                .ok_or_else(wrong)?;
            Ok(Value::Net4((v4.to_bits() & mask.to_bits()).into(), mask))
        }
        IpAddr::V6(v6) => {
            let mask = mask
                .map_or(Some(u128::MAX.into()), mask6)
                .ok_or_else(wrong)?;
            Ok(Value::Net6(CompactBox::new((
                (v6.to_bits() & mask.to_bits()).into(),
                mask,
            ))))
        }
    }
}

/// Parses names in any case. A name may be abbreviated; the first match counts (`parse_type` in
/// libxt_addrtype.c, `conntrack_parse_state` in libxt_conntrack.c).
pub(super) fn bits(names: Names, text: &str) -> Result<Value, Problem> {
    let bit = |word: &str| {
        let begins = |name: &str| {
            name.get(..word.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        names
            .iter()
            .find(|(name, _)| !word.is_empty() && begins(name))
            .map(|(_, bit)| *bit)
    };
    match text
        .split(',')
        .map(bit)
        .try_fold(0, |all, bit| Some(all | bit?))
    {
        Some(bits) => Ok(Value::Bits(bits)),
        None => {
            let known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
            Err(
                Problem::new(Code::InvalidValue, format!("unknown value `{text}`")).hint(format!(
                    "use one or more of {}, separated by commas",
                    known.join(",")
                )),
            )
        }
    }
}

pub(super) fn tcp_flags(mask: &str, set: &str) -> Result<Value, Problem> {
    let one = |text: &str| -> Result<u32, Problem> {
        let names = text.split(',').filter(|name| !name.is_empty());
        names.into_iter().try_fold(0, |all, name| {
            let bit = match name {
                _ if name.eq_ignore_ascii_case("ALL") => Some(0x3f),
                _ if name.eq_ignore_ascii_case("NONE") => Some(0),
                _ => TcpFlags::bit(name).filter(|bit| *bit < 0x40),
            };
            bit.map(|bit| all | u32::from(bit))
                .ok_or_else(|| problem("list of TCP flags", text, "SYN,ACK, ALL or NONE"))
        })
    };
    Ok(Value::Masked {
        value: one(set)?,
        mask: one(mask)?,
    })
}

/// Parses the name of a type, which may be abbreviated if the abbreviation is unique, or a type
/// with or without a code (`__parse_icmp` in libxt_icmp.h). If there is a name for any type, its
/// number means all types, independent of the code.
pub(super) fn icmp_type(names: IcmpNames, text: &str) -> Result<Value, Problem> {
    let has_any = names.first().is_some_and(|(name, ..)| *name == "any");
    let range = |kind: u8, low: u8, high: u8| match u32::from(kind) << 8 {
        _ if has_any && kind == 255 => Value::Range(0, 0xffff),
        kind => Value::Range(kind | u32::from(low), kind | u32::from(high)),
    };
    let begins = |name: &str| {
        name.get(..text.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(text))
    };
    let mut named = names.iter().filter(|(name, ..)| begins(name));
    match (named.next(), named.next()) {
        (Some((one, ..)), Some((other, ..))) => {
            let problem =
                Problem::new(Code::AmbiguousName, format!("ambiguous ICMP type `{text}`"));
            return Err(problem.hint(format!("write {one} or {other}")));
        }
        (Some((_, kind, low, high)), None) => return Ok(range(*kind, *low, *high)),
        _ => {}
    }
    let byte = |input| map_res(number_u32, u8::try_from).parse(input);
    let codes = (byte, opt(preceded(char(':'), byte)));
    match whole((byte, opt(preceded(char('/'), codes))), text) {
        Some((kind, Some((low, high)))) => Ok(range(kind, low, high.unwrap_or(low))),
        Some((kind, None)) => Ok(range(kind, 0, 255)),
        None => Err(problem("ICMP type", text, "8, 3/1 or echo-request")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_addresses_are_what_the_longer_way_makes_of_them() {
        for text in [
            "10.0.0.1",
            "10.1.2.3/8",
            "0.0.0.0/0",
            "255.255.255.255/32",
            "1.2.3.4/31",
        ] {
            // A mask that is written as an address takes the slow path.
            let (address, length) = text.split_once('/').unwrap_or((text, "32"));
            let mask = Ipv4Addr::from_bits(
                u32::MAX
                    .checked_shl(32 - length.parse::<u32>().unwrap())
                    .unwrap_or(0),
            );
            let longer = network(&format!("{address}/{mask}")).expect("a network");
            assert_eq!(plain_network(text), Some(longer), "{text}");
        }
        for text in [
            "",
            "10",
            "10.0.0",
            "10.0.0.1/",
            "10.0.0.1/33",
            "256.0.0.1",
            "010.0.0.1",
            "10.0.0.1.2",
            "1..2.3",
            "1.2.3.4/8/",
            "::1",
            "1.2.3.4/255.0.0.0",
            "1.2.3.4 ",
        ] {
            assert_eq!(plain_network(text), None, "{text}");
        }
    }
}
