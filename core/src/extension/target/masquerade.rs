//! `-j MASQUERADE` (nf_nat_masquerade.c): the source becomes the outgoing interface's own address.

use std::net::{IpAddr, Ipv6Addr};

use super::nat;
use crate::extension::{Behaviour, Extension, Kind, Listed, Opt};
use crate::host::{Host, Prefix};
use crate::ruleset::{Hook, NatRange, TableName, Value};
use crate::view::View;
use crate::walk::effect::Action;

/// `-j MASQUERADE`.
pub static MASQUERADE: Extension = Extension {
    listed: Listed::new("", &[("masq ports: %", "--to-ports %")]),
    tables: &[TableName::Nat],
    tracks: true,
    hooks: &[Hook::Postrouting],
    check: nat::check,
    ..Extension::acting(
        "MASQUERADE",
        "changes the source to the interface's own address",
        &[
            Opt::new("--to-ports", Kind::Own(&nat::FROM_PORTS)),
            Opt::new("--random", Kind::Flag),
            Opt::new("--random-fully", Kind::Flag),
        ],
        Behaviour::Ends,
        |effects, options| {
            // Without an address the kernel drops the packet.
            let Some(own) = own_address(effects.host, effects.view) else { return Action::Drop };
            let (ports, base) = match options.value("--to-ports") {
                Some(Value::Nat(range)) => (range.ports, range.base),
                _ => (None, None),
            };
            effects.translate_source(&NatRange { addresses: Some((own, own)), ports, base }, options);
            Action::Accept
        },
        |_| "change its source to the address of the interface it leaves by".into(),
    )
};

/// The address that a masqueraded packet gets: one of the interface it leaves by, else one of another interface.
fn own_address(host: &Host, view: &View) -> Option<IpAddr> {
    let out = view.out_interface.as_deref()?;
    let candidates = || {
        let held = host
            .interfaces
            .iter()
            .flat_map(|interface| interface.addresses.iter().map(move |prefix| (interface.name == out, prefix)));
        held.filter(|(_, prefix)| serves(prefix.address, view.dst))
    };
    let best = match view.dst {
        IpAddr::V4(_) => {
            let next_hop = next_hop(host, out, view.dst);
            first_best(candidates(), |on_way, prefix| (on_way, on_way && prefix.contains(next_hop), 0))
        }
        // RFC 6724 as `ipv6_get_saddr_eval` has it: the destination itself, the scope, the interface, the label, the common
        // prefix. A destination that is near leaves only the interface's own addresses.
        IpAddr::V6(dst) => {
            let near = dst.is_multicast() || scope(dst) <= LINK_LOCAL;
            let candidates = candidates().filter(|(on_way, _)| *on_way || !near);
            first_best(candidates, |on_way, prefix| {
                let IpAddr::V6(own) = prefix.address else { return Default::default() };
                let reach = i16::from(scope(own));
                let reach = if reach >= i16::from(scope(dst)) { -reach } else { reach - 128 };
                let common = prefix.common_bits(view.dst).min(prefix.length);
                (own == dst, reach, on_way, label(own) == label(dst), common)
            })
        }
    };
    best.map(|prefix| prefix.address)
}

/// The first of those that rank highest.
fn first_best<'a, K: Ord>(
    candidates: impl Iterator<Item = (bool, &'a Prefix)>,
    rank: impl Fn(bool, &Prefix) -> K,
) -> Option<&'a Prefix> {
    let ranked = candidates.map(|(on_way, prefix)| (rank(on_way, prefix), prefix));
    let best = ranked.reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.map(|(_, prefix)| prefix)
}

/// The label of an IPv6 address (`ip6addrlabel_init_table` in addrlabel.c): like speaks to like.
fn label(address: Ipv6Addr) -> u8 {
    match address.segments() {
        _ if address.is_loopback() => 0,
        [0, 0, 0, 0, 0, 0xffff, ..] => 4,
        [0, 0, 0, 0, 0, 0, ..] => 3,
        [0x2001, 0, ..] => 6,
        [0x2001, second, ..] if second & 0xfff0 == 0x10 => 7,
        [0x2002, ..] => 2,
        [first, ..] if first & 0xfe00 == 0xfc00 => 5,
        _ => 1,
    }
}

const LINK_LOCAL: u8 = 2;

/// How far an IPv6 address reaches (`__ipv6_addr_type` in addrconf_core.c, which has ::1 reach as far as its link).
fn scope(address: Ipv6Addr) -> u8 {
    match address.octets() {
        [0xff, flags, ..] => flags & 0x0f,
        [0xfe, second, ..] if second & 0xc0 == 0x80 => LINK_LOCAL,
        [0xfe, second, ..] if second & 0xc0 == 0xc0 => 5,
        _ if address.is_loopback() => LINK_LOCAL,
        _ => 14,
    }
}

/// Whether an address may stand as the source of a packet to `dst`: of its family, and in IPv4 of global scope
/// (`RT_SCOPE_UNIVERSE` in `inet_select_addr`).
fn serves(address: IpAddr, dst: IpAddr) -> bool {
    match (address, dst) {
        (IpAddr::V4(own), IpAddr::V4(_)) => !own.is_loopback() && !own.is_link_local(),
        (own, dst) => own.is_ipv6() && dst.is_ipv6(),
    }
}

/// The router on the way to `dst`, or `dst` itself.
fn next_hop(host: &Host, out: &str, dst: IpAddr) -> IpAddr {
    let routes = host.routes.iter().filter(|route| route.dev.as_deref() == Some(out) && route.dst.contains(dst));
    routes.max_by_key(|route| route.dst.length).and_then(|route| route.via).unwrap_or(dst)
}
