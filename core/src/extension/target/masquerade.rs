//! `-j MASQUERADE` (nf_nat_masquerade.c): the source becomes the outgoing interface's own address.

use std::net::IpAddr;

use crate::extension::{Behaviour, Extension, Kind, Opt};
use crate::host::{Host, Interface};
use crate::ruleset::{Hook, NatRange, TableName, Value};
use crate::view::View;
use crate::walk::effect::Action;

/// `-j MASQUERADE`.
pub static MASQUERADE: Extension = Extension {
    tables: &[TableName::Nat],
    tracks: true,
    hooks: &[Hook::Postrouting],
    ..Extension::acting(
        "MASQUERADE",
        "changes the source to the interface's own address",
        &[
            Opt::new("--to-ports", Kind::PortSpan),
            Opt::new("--random", Kind::Flag),
            Opt::new("--random-fully", Kind::Flag),
        ],
        Behaviour::Ends,
        |effects, options| {
            // Without an address the kernel drops the packet.
            let Some(own) = own_address(effects.host, effects.view) else { return Action::Drop };
            let ports = match options.value("--to-ports") {
                Some(&Value::Range(low, high)) => u16::try_from(low).ok().zip(u16::try_from(high).ok()),
                _ => None,
            };
            effects.translate_source(&NatRange { addresses: Some((own, own)), ports });
            Action::Accept
        },
        |_| "change its source to the address of the interface it leaves by".into(),
    )
};

/// The address that a masqueraded packet gets: one of the interface it leaves by, else one of another interface.
fn own_address(host: &Host, view: &View) -> Option<IpAddr> {
    let out = view.out_interface.as_deref()?;
    let on = |interface: &Interface| interface.name == out;
    let prefixes = |wanted: bool| {
        let interfaces = host.interfaces.iter().filter(move |interface| on(interface) == wanted);
        interfaces.flat_map(|interface| &interface.addresses).filter(|prefix| serves(prefix.address, view.dst))
    };
    if view.dst.is_ipv6() && prefixes(true).chain(prefixes(false)).any(|prefix| prefix.address == view.dst) {
        // RFC 6724, rule 1: to itself a host speaks from that very address.
        return Some(view.dst);
    }
    let next_hop = next_hop(host, out, view.dst);
    let near = prefixes(true).find(|prefix| prefix.contains(next_hop));
    near.or_else(|| prefixes(true).next()).or_else(|| prefixes(false).next()).map(|prefix| prefix.address)
}

/// Whether an address may stand as the source of a packet to `dst`: of its family, and of global scope (`RT_SCOPE_UNIVERSE`
/// in `inet_select_addr`).
fn serves(address: IpAddr, dst: IpAddr) -> bool {
    match (address, dst) {
        (IpAddr::V4(own), IpAddr::V4(_)) => !own.is_loopback() && !own.is_link_local(),
        (IpAddr::V6(own), IpAddr::V6(dst)) => {
            own.is_loopback() == dst.is_loopback() && own.is_unicast_link_local() == dst.is_unicast_link_local()
        }
        _ => false,
    }
}

/// The router on the way to `dst`, or `dst` itself.
fn next_hop(host: &Host, out: &str, dst: IpAddr) -> IpAddr {
    let routes = host.routes.iter().filter(|route| route.dev.as_deref() == Some(out) && route.dst.contains(dst));
    routes.max_by_key(|route| route.dst.length).and_then(|route| route.via).unwrap_or(dst)
}
