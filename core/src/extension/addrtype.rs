//! `-m addrtype` (xt_addrtype.c): what routing makes of an address.

use super::kind::Names;
use super::{Extension, Kind, Opt};
use crate::condition::{Context, Field, Phrase, Reading};
use crate::host::RouteKind;
use crate::walk::route;

/// Names and bits of `RTN_*` (rtnetlink.h), in the order in which iptables prints them.
const TYPES: Names = &[
    ("UNSPEC", 1 << 0),
    ("UNICAST", 1 << 1),
    ("LOCAL", 1 << 2),
    ("BROADCAST", 1 << 3),
    ("ANYCAST", 1 << 4),
    ("MULTICAST", 1 << 5),
    ("BLACKHOLE", 1 << 6),
    ("UNREACHABLE", 1 << 7),
    ("PROHIBIT", 1 << 8),
    ("THROW", 1 << 9),
    ("NAT", 1 << 10),
    ("XRESOLVE", 1 << 11),
];

fn address_type(context: &Context, address: std::net::IpAddr) -> Reading<'static> {
    let interface = match (context.has("--limit-iface-in"), context.has("--limit-iface-out")) {
        (true, _) => context.view.in_interface.as_deref(),
        (_, true) => context.view.out_interface.as_deref(),
        _ => None,
    };
    Reading::Bits(match route::kind_of(context.host, address, interface) {
        RouteKind::Unicast => 1 << 1,
        RouteKind::Local => 1 << 2,
        RouteKind::Broadcast => 1 << 3,
        RouteKind::Multicast => 1 << 5,
        RouteKind::Blackhole => 1 << 6,
        RouteKind::Unreachable => 1 << 7,
        RouteKind::Prohibit => 1 << 8,
        RouteKind::Throw => 1 << 9,
    })
}

static SOURCE_TYPE: Field = Field {
    name: "src_type",
    phrase: Phrase::Is("type of the source address"),
    read: |context| address_type(context, context.view.src),
};

static DESTINATION_TYPE: Field = Field {
    name: "dst_type",
    phrase: Phrase::Is("type of the destination address"),
    read: |context| address_type(context, context.view.dst),
};

/// `-m addrtype`.
pub static ADDRTYPE: Extension = Extension::matching(
    "addrtype",
    "what routing makes of an address",
    &[
        Opt::tests("--src-type", Kind::Bits(TYPES), &SOURCE_TYPE),
        Opt::tests("--dst-type", Kind::Bits(TYPES), &DESTINATION_TYPE),
        Opt::new("--limit-iface-in", Kind::Flag),
        Opt::new("--limit-iface-out", Kind::Flag),
    ],
);
