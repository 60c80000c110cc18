//! `-j SNPT` and `-j DNPT` (ip6t_NPT.c): exchange the prefix of an IPv6 address, without connection tracking and so that
//! checksums stay right (RFC 6296).

use std::net::{IpAddr, Ipv6Addr};

use crate::diagnostic::Problem;
use crate::extension::kind::Form;
use crate::extension::kind::host::HOST;
use crate::extension::{Behaviour, Extension, Given, Kind, Listed, Opt, Options};
use crate::packet::Family;
use crate::ruleset::{Hook, TableName, Value};
use crate::walk::effect::Action;

/// The address of a prefix and its length.
fn prefix(options: &Options, flag: &str) -> Option<(Ipv6Addr, u32)> {
    match options.value(flag)? {
        Value::Net6(net) => Some((net.0, net.1.to_bits().leading_ones())),
        _ => None,
    }
}

/// The sum of the sixteen-bit words in one's complement.
fn sum(address: Ipv6Addr) -> u32 {
    address.segments().into_iter().map(u32::from).sum::<u32>() % 0xffff
}

/// `ip6t_npt_map_pfx`; `None` where no word is left to make up for the change.
fn mapped(address: Ipv6Addr, from: (Ipv6Addr, u32), to: (Ipv6Addr, u32)) -> Option<Ipv6Addr> {
    let length = from.1.max(to.1);
    let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
    let mut words = Ipv6Addr::from_bits(address.to_bits() & !mask | to.0.to_bits() & mask).segments();
    let place = if length <= 48 { 3 } else { (4..8).find(|place| words[*place] != 0xffff)? };
    let adjusted = (u32::from(words[place]) + sum(from.0) + 0xffff - sum(to.0)) % 0xffff;
    words[place] = u16::try_from(adjusted).ok()?;
    Some(words.into())
}

/// The address after it; `None` drops the packet.
fn exchanged(address: IpAddr, options: &Options) -> Option<IpAddr> {
    match (address, prefix(options, "--src-pfx"), prefix(options, "--dst-pfx")) {
        (IpAddr::V6(old), Some(from), Some(to)) => mapped(old, from, to).map(IpAddr::V6),
        _ => Some(address),
    }
}

fn words(options: &Options, what: &str) -> String {
    let printed = |flag| options.printed(flag).unwrap_or_default();
    format!("exchange the prefix {} of its {what} for {}", printed("--src-pfx"), printed("--dst-pfx"))
}

/// `ip6t_npt_checkentry`.
fn check(given: &Given) -> Result<(), Problem> {
    for (address, length) in ["--src-pfx", "--dst-pfx"].iter().filter_map(|flag| prefix(&given.options, flag)) {
        if length > 64 {
            return Err(Problem::new("a prefix to exchange has at most 64 bits"));
        }
        if address.to_bits().checked_shl(length) != Some(0) {
            return Err(Problem::new(format!("{address} has bits behind its {length} bits of prefix"))
                .hint("the kernel wants them to be 0"));
        }
    }
    Ok(())
}

static PREFIX: Form = Form {
    write: |value, ruleset, out| {
        // Writing to a string cannot fail.
        let _ = Kind::Network.write(value, ruleset, out);
    },
    examples: &["fd00:1::/48", "2001:db8::/32", "fd00::/8", "2001:db8:9:9::/64", "fd00::1/64"],
    ..HOST
};

const OPTIONS: &[Opt] =
    &[Opt::new("--src-pfx", Kind::Own(&PREFIX)).required(), Opt::new("--dst-pfx", Kind::Own(&PREFIX)).required()];

/// `-j SNPT`.
pub static SNPT: Extension = Extension {
    listed: Listed::new("SNPT", &[]),
    family: Some(Family::Ipv6),
    tables: &[TableName::Mangle],
    hooks: &[Hook::Input, Hook::Postrouting],
    check,
    ..Extension::acting(
        "SNPT",
        "exchanges the prefix of the source",
        OPTIONS,
        Behaviour::GoesOn,
        |effects, options| {
            let Some(new) = exchanged(effects.view.src, options) else { return Action::Drop };
            effects.view.tracked_src.get_or_insert(effects.view.src);
            effects.view.src = new;
            Action::Continue
        },
        |options| words(options, "source"),
    )
};

/// `-j DNPT`.
pub static DNPT: Extension = Extension {
    listed: Listed::new("DNPT", &[]),
    family: Some(Family::Ipv6),
    tables: &[TableName::Mangle],
    hooks: &[Hook::Prerouting, Hook::Output],
    check,
    ..Extension::acting(
        "DNPT",
        "exchanges the prefix of the destination",
        OPTIONS,
        Behaviour::GoesOn,
        |effects, options| {
            let Some(new) = exchanged(effects.view.dst, options) else { return Action::Drop };
            effects.view.tracked_dst.get_or_insert(effects.view.dst);
            effects.view.dst = new;
            Action::Continue
        },
        |options| words(options, "destination"),
    )
};
