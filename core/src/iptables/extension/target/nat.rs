//! The common part of DNAT, SNAT, REDIRECT and MASQUERADE: the written form of the new addresses
//! and ports (libxt_NAT.c of iptables 1.8.9).

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nom::character::complete::char;
use nom::combinator::opt;
use nom::sequence::preceded;

use crate::iptables::extension::kind::ValueForm;
use crate::iptables::extension::kind::read::{number_u32, port, problem, whole};
use crate::iptables::extension::{Given, Options};
use crate::netfilter::effect::{NatChoice, NatRange};
use crate::netfilter::ruleset::{CompactBox, Ruleset, Value};
use crate::packet::{Family, Protocol};
use crate::text::address::write_ipv6;
use crate::text::diagnostic::{Code, Problem};

/// First and last port, and the base of a shifted range.
type Ports = ((u16, u16), Option<u16>);

/// Parses `80`, `http`, `8080-8090` or `8080-8090/80`. The ends of a range have no names.
fn ports(text: &str) -> Result<Ports, Problem> {
    let wrong = || problem("port", text, "15001 or 15001-15009");
    if let Some(port) = whole(port, text) {
        return Ok(((port, port), None));
    }
    let number = || nom::combinator::map_opt(number_u32, |number| u16::try_from(number).ok());
    let span = (
        number(),
        preceded(char('-'), number()),
        opt(preceded(char('/'), port)),
    );
    match whole(span, text) {
        Some((low, high, base)) if low <= high && base != Some(0) => Ok(((low, high), base)),
        Some((low, high, _)) if low > high => Err(Problem::new(
            Code::ReversedRange,
            format!("reversed range `{text}`"),
        )
        .hint("write the lower number first")),
        _ => Err(wrong()),
    }
}

/// The range of an option.
pub(super) fn range(options: &Options, flag: &str) -> NatRange {
    match options.value(flag) {
        Some(Value::Nat(range)) => **range,
        _ => NatRange::default(),
    }
}

/// How the kernel chooses from a range.
pub(super) fn choice(options: &Options) -> NatChoice {
    NatChoice {
        random: options.has("--random") || options.has("--random-fully"),
        persistent: options.has("--persistent"),
    }
}

fn address(text: &str, family: Family) -> Option<IpAddr> {
    match family {
        Family::Ipv4 => text.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        Family::Ipv6 => text.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
    }
}

/// Parses addresses and ports as `parse_to` does. For IPv6, only an address in brackets can have
/// ports after it.
fn parse_range(text: &str, family: Family) -> Result<NatRange, Problem> {
    let example = match family {
        Family::Ipv4 => "10.0.0.1, 10.0.0.1-10.0.0.9 or 10.0.0.1:80",
        Family::Ipv6 => "fd00::1, fd00::1-fd00::9 or [fd00::1]:80",
    };
    let wrong = || problem("new address", text, example);
    let (addresses, behind) = match text.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((inner, rest))) if family == Family::Ipv6 => (inner, rest.strip_prefix(':')),
        Some(_) => return Err(wrong()),
        None => match text.split_once(':') {
            Some((before, behind)) if !behind.contains(':') => (before, Some(behind)),
            _ => (text, None),
        },
    };
    let (ports, base) = match behind.map(ports).transpose()? {
        Some((ports, base)) => (Some(ports), base),
        None => (None, None),
    };
    if addresses.is_empty() && ports.is_some() {
        return Ok(NatRange {
            addresses: None,
            ports,
            base,
        });
    }
    let (first, last) = addresses
        .split_once('-')
        .map_or((addresses, None), |(first, last)| (first, Some(last)));
    let first = address(first, family);
    let last = last.map_or(first, |last| address(last, family));
    let addresses = first.zip(last).ok_or_else(wrong)?;
    Ok(NatRange {
        addresses: Some(addresses),
        ports,
        base,
    })
}

/// SNAT and MASQUERADE accept a base and ignore it (measured).
fn without_base(range: NatRange) -> Value {
    Value::Nat(CompactBox::new(NatRange {
        base: range.base.and(Some(0)),
        ..range
    }))
}

fn only_ports(text: &str) -> Result<NatRange, Problem> {
    let (span, base) = ports(text)?;
    Ok(NatRange {
        addresses: None,
        ports: Some(span),
        base,
    })
}

fn write(value: &Value, _: &Ruleset, out: &mut String) {
    if let Value::Nat(range) = value {
        // Writing to a string cannot fail.
        let _ = write_range(range, out);
    }
}

fn write_range(range: &NatRange, out: &mut String) -> std::fmt::Result {
    if let Some((first, last)) = range.addresses {
        // iptables prints the brackets around the whole range.
        let brackets = range.ports.is_some() && first.is_ipv6();
        out.push_str(if brackets { "[" } else { "" });
        write_address(first, out)?;
        if first != last {
            out.push('-');
            write_address(last, out)?;
        }
        out.push_str(if brackets { "]" } else { "" });
    }
    if range.ports.is_some() {
        out.push(':');
    }
    write_ports(range, out)
}

fn write_address(address: IpAddr, out: &mut String) -> std::fmt::Result {
    match address {
        IpAddr::V4(address) => write!(out, "{address}"),
        IpAddr::V6(address) => write_ipv6(address, out),
    }
}

fn write_ports(range: &NatRange, out: &mut String) -> std::fmt::Result {
    let Some((low, high)) = range.ports else {
        return Ok(());
    };
    write!(out, "{low}")?;
    if low != high {
        write!(out, "-{high}")?;
    }
    match range.base {
        Some(base) => write!(out, "/{base}"),
        None => Ok(()),
    }
}

fn write_only_ports(value: &Value, _: &Ruleset, out: &mut String) {
    if let Value::Nat(range) = value {
        // Writing to a string cannot fail.
        let _ = write_ports(range, out);
    }
}

/// `--to-destination`.
pub(super) static DESTINATION: ValueForm = ValueForm {
    words: 1,
    read: |words, ruleset| {
        parse_range(words[0], ruleset.family).map(|range| Value::Nat(CompactBox::new(range)))
    },
    write,
    examples: &[":80", ":8080-8090", ":8080-8090/80"],
};

/// `--to-source`.
pub(super) static SOURCE: ValueForm = ValueForm {
    words: 1,
    read: |words, ruleset| parse_range(words[0], ruleset.family).map(without_base),
    write,
    examples: &[":80", ":1024-65535"],
};

/// `--to-ports` of REDIRECT, which has no base.
pub(super) static TO_PORTS: ValueForm = ValueForm {
    words: 1,
    read: |words, _| match ports(words[0])? {
        (_, Some(_)) => Err(Problem::new(
            Code::InvalidValue,
            "REDIRECT allows no shifted range of ports",
        )),
        ((low, high), None) => Ok(Value::Range(low.into(), high.into())),
    },
    write: |value, _, out| {
        // Writing to a string cannot fail.
        let _ = match value {
            Value::Range(low, high) if low != high => write!(out, "{low}-{high}"),
            Value::Range(port, _) => write!(out, "{port}"),
            _ => Ok(()),
        };
    },
    examples: &["15001", "15001-15009", "http"],
};

/// `--to-ports` of MASQUERADE.
pub(super) static FROM_PORTS: ValueForm = ValueForm {
    words: 1,
    read: |words, _| only_ports(words[0]).map(without_base),
    write: write_only_ports,
    examples: &["1024", "1024-65535"],
};

/// A single port, or the name of its service.
pub(super) static PORT: ValueForm = ValueForm {
    words: 1,
    read: |words, _| match whole(port, words[0]) {
        Some(port) => Ok(Value::Number(port.into())),
        None => Err(problem("port", words[0], "15001")),
    },
    write: |value, _, out| {
        if let Value::Number(port) = value {
            // Writing to a string cannot fail.
            let _ = write!(out, "{port}");
        }
    },
    examples: &["15001", "http", "0"],
};

/// Translating ports requires a protocol that has ports (or ICMP of IPv4, which has an id).
pub(super) fn check(given: &Given) -> Result<(), Problem> {
    const PORTED: [Protocol; 5] = [
        Protocol::TCP,
        Protocol::UDP,
        Protocol::SCTP,
        Protocol::DCCP,
        Protocol::ICMP,
    ];
    let ports = given.options.parts.iter().any(|part| match &part.value {
        Value::Nat(range) => range.ports.is_some(),
        Value::Range(..) => true,
        _ => false,
    });
    if ports
        && !given
            .protocol
            .is_some_and(|protocol| PORTED.contains(&protocol))
    {
        return Err(Problem::new(
            Code::MissingProtocol,
            "a new port needs -p tcp, udp, sctp or dccp",
        ));
    }
    Ok(())
}
