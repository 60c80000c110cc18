//! `-j SNPT` and `-j DNPT` (ip6t_NPT.c): replace the prefix of an IPv6 address without connection
//! tracking, so that checksums stay valid (RFC 6296).

use std::net::Ipv6Addr;

use crate::iptables::extension::kind::ValueForm;
use crate::iptables::extension::kind::host::HOST;
use crate::iptables::extension::{Extension, Given, Kind, ListingForm, Opt, Options};
use crate::iptables::table_name::TableName;
use crate::netfilter::effect::{Effect, Side};
use crate::netfilter::ruleset::Value;
use crate::packet::Family;
use crate::packet::hook::Hook;
use crate::text::diagnostic::{Code, Problem};

/// The address and the length of a prefix.
fn prefix(options: &Options, flag: &str) -> Option<(Ipv6Addr, u32)> {
    match options.value(flag)? {
        Value::Net6(net) => Some((net.0, net.1.to_bits().leading_ones())),
        _ => None,
    }
}

fn lower(options: &Options, side: Side) -> Effect {
    let [from, to] = ["--src-pfx", "--dst-pfx"]
        .map(|flag| prefix(options, flag).unwrap_or((Ipv6Addr::UNSPECIFIED, 0)));
    Effect::TranslatePrefix { side, from, to }
}

fn describe(options: &Options, what: &str) -> String {
    let printed = |flag| options.printed(flag).unwrap_or_default();
    format!(
        "exchange the prefix {} of its {what} for {}",
        printed("--src-pfx"),
        printed("--dst-pfx")
    )
}

/// `ip6t_npt_checkentry`.
fn check(given: &Given) -> Result<(), Problem> {
    for (address, length) in ["--src-pfx", "--dst-pfx"]
        .iter()
        .filter_map(|flag| prefix(&given.options, flag))
    {
        if length > 64 {
            return Err(Problem::new(
                Code::InvalidValue,
                "a prefix to replace has at most 64 bits",
            ));
        }
        if address.to_bits().checked_shl(length) != Some(0) {
            return Err(Problem::new(
                Code::InvalidValue,
                format!("`{address}` has bits outside its prefix of {length} bits"),
            )
            .hint("set them to 0"));
        }
    }
    Ok(())
}

static PREFIX: ValueForm = ValueForm {
    write: |value, ruleset, out| {
        // Writing to a string cannot fail.
        let _ = Kind::Network.write(value, ruleset, out);
    },
    examples: &[
        "fd00:1::/48",
        "2001:db8::/32",
        "fd00::/8",
        "2001:db8:9:9::/64",
        "fd00::1/64",
    ],
    ..HOST
};

const OPTIONS: &[Opt] = &[
    Opt::new("--src-pfx", Kind::Own(&PREFIX)).required(),
    Opt::new("--dst-pfx", Kind::Own(&PREFIX)).required(),
];

/// `-j SNPT`.
pub static SNPT: Extension = Extension {
    listed: ListingForm::new("SNPT", &[]),
    family: Some(Family::Ipv6),
    tables: &[TableName::Mangle],
    hooks: &[Hook::Input, Hook::Postrouting],
    check,
    ..Extension::acting(
        "SNPT",
        "replaces the prefix of the source",
        OPTIONS,
        |options| lower(options, Side::Source),
        |options| describe(options, "source"),
    )
};

/// `-j DNPT`.
pub static DNPT: Extension = Extension {
    listed: ListingForm::new("DNPT", &[]),
    family: Some(Family::Ipv6),
    tables: &[TableName::Mangle],
    hooks: &[Hook::Prerouting, Hook::Output],
    check,
    ..Extension::acting(
        "DNPT",
        "replaces the prefix of the destination",
        OPTIONS,
        |options| lower(options, Side::Destination),
        |options| describe(options, "destination"),
    )
};
