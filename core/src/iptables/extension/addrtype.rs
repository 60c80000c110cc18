//! `-m addrtype` (xt_addrtype.c): the type that routing gives to an address.

use std::net::{IpAddr, Ipv6Addr};

use super::kind::Names;
use super::{Extension, Given, Kind, ListingForm, Opt, Options};
use crate::netfilter::condition::{Context, Field, InterfaceSide, Parameters, Phrase, Subject};
use crate::netfilter::routing::kind_of;
use crate::netfilter::ruleset::Value;
use crate::packet::Family;
use crate::packet::hook::Hook;
use crate::packet::host::RouteKind;
use crate::packet::value::FieldValue;
use crate::text::diagnostic::{Code, Problem};

/// Names and bits of `RTN_*` (rtnetlink.h), in the order in which iptables prints them.
const TYPES: Names = &[
    ("UNSPEC", UNSPEC),
    ("UNICAST", UNICAST),
    ("LOCAL", LOCAL),
    ("BROADCAST", BROADCAST),
    ("ANYCAST", ANYCAST),
    ("MULTICAST", MULTICAST),
    ("BLACKHOLE", BLACKHOLE),
    ("UNREACHABLE", UNREACHABLE),
    ("PROHIBIT", PROHIBIT),
    ("THROW", THROW),
    ("NAT", 1 << 10),
    ("XRESOLVE", 1 << 11),
];

const UNSPEC: u32 = 1 << 0;
const UNICAST: u32 = 1 << 1;
const LOCAL: u32 = 1 << 2;
const BROADCAST: u32 = 1 << 3;
const ANYCAST: u32 = 1 << 4;
const MULTICAST: u32 = 1 << 5;
const BLACKHOLE: u32 = 1 << 6;
const UNREACHABLE: u32 = 1 << 7;
const PROHIBIT: u32 = 1 << 8;
const THROW: u32 = 1 << 9;

/// The type of an address, as one bit.
fn address_type(context: &Context, address: IpAddr) -> FieldValue<'static> {
    let interface = match context.parameters {
        Parameters::AddressType {
            interface: Some(InterfaceSide::In),
        } => context.view.in_interface.as_deref(),
        Parameters::AddressType {
            interface: Some(InterfaceSide::Out),
        } => context.view.out_interface.as_deref(),
        _ => None,
    };
    let found = match kind_of(context.host, address, interface) {
        RouteKind::Unicast => UNICAST,
        RouteKind::Local => LOCAL,
        RouteKind::Broadcast => BROADCAST,
        RouteKind::Multicast => MULTICAST,
        RouteKind::Blackhole => BLACKHOLE,
        RouteKind::Unreachable => UNREACHABLE,
        RouteKind::Prohibit => PROHIBIT,
        RouteKind::Throw => THROW,
    };
    match address {
        IpAddr::V4(_) => FieldValue::Bits(found),
        IpAddr::V6(address) => {
            let &Value::Bits(wanted) = context.wanted else {
                return FieldValue::Bits(found);
            };
            FieldValue::Bits(if holds_v6(wanted, address, found) {
                wanted
            } else {
                found & !wanted
            })
        }
    }
}

/// `match_type6`. Some types of the set are combined with "and" instead of "or". An own address
/// counts as unicast here. Only some types need a route lookup.
fn holds_v6(wanted: u32, address: Ipv6Addr, found: u32) -> bool {
    let wants = |bits: u32| wanted & bits != 0;
    let reject = found & (BLACKHOLE | UNREACHABLE | PROHIBIT) != 0;
    // The lookup of this function knows no other types.
    let routed = if reject { UNREACHABLE } else { found & LOCAL };
    let is_unicast = !address.is_multicast() && !address.is_unspecified();
    if wants(MULTICAST) && !address.is_multicast()
        || wants(UNICAST) && !is_unicast
        || wants(UNSPEC) && !address.is_unspecified()
    {
        return false;
    }
    !wants(LOCAL | ANYCAST | UNREACHABLE) || wants(routed)
}

static SOURCE_TYPE: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("type of the source address"),
    read: |context| address_type(context, context.view.src),
};

static DESTINATION_TYPE: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("type of the destination address"),
    read: |context| address_type(context, context.view.dst),
};

/// The interface that restricts the lookup.
fn limit(options: &Options) -> Option<InterfaceSide> {
    match (
        options.has("--limit-iface-in"),
        options.has("--limit-iface-out"),
    ) {
        (true, _) => Some(InterfaceSide::In),
        (_, true) => Some(InterfaceSide::Out),
        _ => None,
    }
}

/// The hooks at which the kernel accepts a restriction to one interface.
fn hooks(options: &Options) -> &'static [Hook] {
    match limit(options) {
        Some(InterfaceSide::In) => &[Hook::Prerouting, Hook::Input, Hook::Forward],
        Some(InterfaceSide::Out) => &[Hook::Forward, Hook::Output, Hook::Postrouting],
        None => &[],
    }
}

/// `addrtype_mt_checkentry_v1`.
fn check(given: &Given) -> Result<(), Problem> {
    let asked = ["--src-type", "--dst-type"]
        .into_iter()
        .filter_map(|flag| given.options.value(flag));
    let mut types = 0;
    for value in asked {
        if let Value::Bits(bits) = value {
            types |= bits;
        }
    }
    if types == 0 {
        return Err(Problem::new(
            Code::MissingOption,
            "-m addrtype needs --src-type or --dst-type",
        ));
    }
    // The kernel compares numbers here and not bits: any of the last four types.
    let unknown = types & (BROADCAST | BLACKHOLE) != 0 || types >= PROHIBIT;
    if given.family == Family::Ipv6 && unknown {
        return Err(Problem::new(
            Code::OtherFamily,
            "the kernel refuses this type of address in IPv6",
        )
        .hint("use UNSPEC, UNICAST, LOCAL, ANYCAST, MULTICAST or UNREACHABLE"));
    }
    Ok(())
}

/// `-m addrtype`.
pub static ADDRTYPE: Extension = Extension {
    listed: ListingForm::new(
        "ADDRTYPE match",
        &[
            ("src-type !%", "--src-type %"),
            ("dst-type !%", "--dst-type %"),
            ("limit-in", "--limit-iface-in"),
            ("limit-out", "--limit-iface-out"),
        ],
    ),
    check,
    hooks_for: Some(hooks),
    parameters: Some(|options| Parameters::AddressType {
        interface: limit(options),
    }),
    ..Extension::matching(
        "addrtype",
        "the type that routing gives to an address",
        &[
            Opt::tests("--src-type", Kind::Bits(TYPES), &SOURCE_TYPE),
            Opt::tests("--dst-type", Kind::Bits(TYPES), &DESTINATION_TYPE),
            Opt::new("--limit-iface-in", Kind::Flag).excludes(&["--limit-iface-out"]),
            Opt::new("--limit-iface-out", Kind::Flag),
        ],
    )
};
