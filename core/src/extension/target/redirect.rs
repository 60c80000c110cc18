//! `-j REDIRECT` (xt_REDIRECT.c, nf_nat_redirect.c): to this very host.
//!
//! In OUTPUT the destination becomes 127.0.0.1 or ::1; in PREROUTING the first address of the incoming interface
//! (IPv6: for a destination of less than global scope, the first one of that scope), and without one the packet is dropped. The source stays.

use std::net::{IpAddr, Ipv6Addr};

use super::nat;
use crate::extension::{Behaviour, Extension, Kind, Listed, Opt};
use crate::host::Host;
use crate::packet::Family;
use crate::ruleset::{Hook, NatRange, TableName, Value};
use crate::view::View;
use crate::walk::effect::Action;

/// `-j REDIRECT`.
pub static REDIRECT: Extension = Extension {
    listed: Listed::new("", &[("redir ports %", "--to-ports %")]),
    tables: &[TableName::Nat],
    tracks: true,
    hooks: &[Hook::Prerouting, Hook::Output],
    check: nat::check,
    ..Extension::acting(
        "REDIRECT",
        "redirects the packet to this host",
        &[Opt::new("--to-ports", Kind::Own(&nat::TO_PORTS)).or(&["--to-port"]), Opt::new("--random", Kind::Flag)],
        Behaviour::Redirects,
        |effects, options| {
            let address = match effects.view.hook {
                Hook::Output => Some(Family::of(effects.view.dst).loopback()),
                _ => incoming_address(effects.host, effects.view),
            };
            let Some(address) = address else { return Action::Drop };
            let ports = match options.value("--to-ports") {
                Some(&Value::Range(low, high)) => u16::try_from(low).ok().zip(u16::try_from(high).ok()),
                _ => None,
            };
            effects
                .translate_destination(&NatRange { addresses: Some((address, address)), ports, base: None }, options);
            Action::Accept
        },
        |options| match options.printed("--to-ports") {
            Some(port) => format!("redirect it to port {port} of this host"),
            None => "redirect it to the same port of this host".into(),
        },
    )
};

/// The address of the incoming interface that a redirected packet goes to.
fn incoming_address(host: &Host, view: &View) -> Option<IpAddr> {
    let interface = host.interface(view.in_interface.as_deref()?)?;
    let mut addresses = interface.addresses.iter().map(|prefix| prefix.address);
    match view.dst {
        IpAddr::V4(_) => addresses.find(IpAddr::is_ipv4),
        IpAddr::V6(dst) => addresses.find(|address| match address {
            IpAddr::V6(own) => scope(dst) == Scope::Global || scope(*own) == scope(dst),
            IpAddr::V4(_) => false,
        }),
    }
}

/// How far an IPv6 address reaches, as `nf_nat_redirect_ipv6_usable` tells it.
#[derive(PartialEq, Eq)]
enum Scope {
    Host,
    Link,
    Site,
    /// Also every multicast scope that has none of the others' bits.
    Global,
}

fn scope(address: Ipv6Addr) -> Scope {
    match address.octets() {
        [0xff, flags, ..] => match flags & 0x0f {
            1 => Scope::Host,
            2 => Scope::Link,
            5 => Scope::Site,
            _ => Scope::Global,
        },
        [0xfe, second, ..] if second & 0xc0 == 0x80 => Scope::Link,
        [0xfe, second, ..] if second & 0xc0 == 0xc0 => Scope::Site,
        _ if address.is_loopback() => Scope::Host,
        _ => Scope::Global,
    }
}
