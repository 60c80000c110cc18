//! Translation of addresses and ports.

use std::net::{IpAddr, Ipv6Addr};

use crate::netfilter::effect::{NatChoice, NatRange, Side};
use crate::packet::Family;
use crate::packet::hook::Hook;
use crate::packet::host::{Host, Prefix};
use crate::packet::view::View;

use super::{EffectAction, EffectContext, choice};

impl EffectContext<'_> {
    /// Translates the destination. Without a random choice, a port outside the range becomes the
    /// first port of the range. The kernel compares the addresses that connection tracking stores,
    /// not those of the packet.
    pub(super) fn translate_destination(&mut self, range: &NatRange, choice: NatChoice) {
        let before = (
            self.view.tracked_dst.unwrap_or(self.view.dst),
            self.view.dport,
            self.view.dport_span,
        );
        let mut after = before;
        if let Some(address) = self.choose_address(range, Side::Destination, choice) {
            after.0 = address;
        }
        if let Some((low, high)) = range.ports.filter(|_| self.packet.protocol.has_ports()) {
            let known = choice::destination_port(before.1, (low, high), range.base, choice);
            (after.1, after.2) = known.map_or((None, Some((low, high))), |port| (Some(port), None));
        }
        if before != after {
            (self.view.dst, self.view.dport, self.view.dport_span) = after;
            self.view.tracked_dst = None;
            self.view.destination_translated = true;
        }
        self.translates = true;
    }

    /// Translates the source. The port stays if it may. The input does not show whether another
    /// connection uses it.
    pub(super) fn translate_source(&mut self, range: &NatRange, choice: NatChoice) {
        let before = (
            self.view.tracked_src.unwrap_or(self.view.src),
            self.view.sport,
            self.view.sport_span,
        );
        let mut after = before;
        if let Some(address) = self.choose_address(range, Side::Source, choice) {
            after.0 = address;
        }
        if self.packet.protocol.has_ports()
            && let Some(sport) = before.1
        {
            (after.1, after.2) = match choice::source_port(sport, range, choice) {
                (low, high) if low == high => (Some(low), None),
                span => (None, Some(span)),
            };
        }
        if before != after {
            (self.view.src, self.view.sport, self.view.sport_span) = after;
            self.view.tracked_src = None;
            self.view.source_translated = true;
        }
        self.translates = true;
    }

    fn choose_address(
        &mut self,
        range: &NatRange,
        side: Side,
        choice: NatChoice,
    ) -> Option<IpAddr> {
        let (first, last) = range.addresses?;
        if first == last {
            return Some(first);
        }
        // Connection tracking does not store the addresses that SNPT and DNPT wrote to the packet.
        let known = View {
            src: self.view.tracked_src.unwrap_or(self.view.src),
            dst: self.view.tracked_dst.unwrap_or(self.view.dst),
            ..self.view.clone()
        };
        if side == Side::Source && choice::keeps_source(&known, range, choice) {
            return None;
        }
        self.assume(format!(
            "which of the addresses {first} to {last} is taken: as on a little-endian machine"
        ));
        Some(choice::hashed(&known, (first, last), side, choice))
    }

    /// In OUTPUT, the destination becomes 127.0.0.1 or ::1. In PREROUTING, it becomes an address of
    /// the incoming interface. If there is none, the packet is dropped (nf_nat_redirect.c).
    pub(super) fn redirect(
        &mut self,
        ports: Option<(u16, u16)>,
        choice: NatChoice,
    ) -> EffectAction {
        let address = match self.view.hook {
            Hook::Output => Some(Family::of_address(self.view.dst).loopback()),
            _ => incoming_address(self.host, self.view),
        };
        let Some(address) = address else {
            return EffectAction::Drop;
        };
        self.translate_destination(
            &NatRange {
                addresses: Some((address, address)),
                ports,
                base: None,
            },
            choice,
        );
        EffectAction::Accept
    }

    /// The source becomes an address of the outgoing interface. If there is none, the packet is
    /// dropped (nf_nat_masquerade.c).
    pub(super) fn masquerade(
        &mut self,
        ports: Option<(u16, u16)>,
        base: Option<u16>,
        choice: NatChoice,
    ) -> EffectAction {
        let Some(own) = own_address(self.host, self.view) else {
            return EffectAction::Drop;
        };
        self.translate_source(
            &NatRange {
                addresses: Some((own, own)),
                ports,
                base,
            },
            choice,
        );
        EffectAction::Accept
    }

    /// Replaces the network part of the destination in PREROUTING and OUTPUT, otherwise of the
    /// source (xt_NETMAP.c).
    pub(super) fn netmap(&mut self, network: IpAddr, mask: IpAddr) -> EffectAction {
        let inward = matches!(self.view.hook, Hook::Prerouting | Hook::Output);
        let old = if inward { self.view.dst } else { self.view.src };
        let Some(new) = replace_network(old, network, mask) else {
            return EffectAction::Accept;
        };
        let range = NatRange {
            addresses: Some((new, new)),
            ports: None,
            base: None,
        };
        match inward {
            true => self.translate_destination(&range, NatChoice::default()),
            false => self.translate_source(&range, NatChoice::default()),
        }
        EffectAction::Accept
    }
}

/// The host part of `old` in the new network; `None` for an address of the other family.
fn replace_network(old: IpAddr, network: IpAddr, mask: IpAddr) -> Option<IpAddr> {
    match (old, network, mask) {
        (IpAddr::V4(old), IpAddr::V4(network), IpAddr::V4(mask)) => Some(IpAddr::V4(
            (old.to_bits() & !mask.to_bits() | network.to_bits()).into(),
        )),
        (IpAddr::V6(old), IpAddr::V6(network), IpAddr::V6(mask)) => Some(IpAddr::V6(
            (old.to_bits() & !mask.to_bits() | network.to_bits()).into(),
        )),
        _ => None,
    }
}

/// The address of the incoming interface that REDIRECT chooses.
fn incoming_address(host: &Host, view: &View) -> Option<IpAddr> {
    let interface = host.interface(view.in_interface.as_deref()?)?;
    let mut addresses = interface.addresses.iter().map(|prefix| prefix.address);
    match view.dst {
        IpAddr::V4(_) => addresses.find(IpAddr::is_ipv4),
        IpAddr::V6(dst) => addresses.find(|address| match address {
            IpAddr::V6(own) => {
                redirect_scope(dst) == RedirectScope::Global
                    || redirect_scope(*own) == redirect_scope(dst)
            }
            IpAddr::V4(_) => false,
        }),
    }
}

/// The scope of an IPv6 address, as `nf_nat_redirect_ipv6_usable` classifies it.
#[derive(PartialEq, Eq)]
enum RedirectScope {
    Host,
    Link,
    Site,
    /// Also every multicast scope that shares no bit with the others.
    Global,
}

fn redirect_scope(address: Ipv6Addr) -> RedirectScope {
    match address.octets() {
        [0xff, flags, ..] => match flags & 0x0f {
            1 => RedirectScope::Host,
            2 => RedirectScope::Link,
            5 => RedirectScope::Site,
            _ => RedirectScope::Global,
        },
        [0xfe, second, ..] if second & 0xc0 == 0x80 => RedirectScope::Link,
        [0xfe, second, ..] if second & 0xc0 == 0xc0 => RedirectScope::Site,
        _ if address.is_loopback() => RedirectScope::Host,
        _ => RedirectScope::Global,
    }
}

/// The address that MASQUERADE chooses: one of the outgoing interface, otherwise one of another
/// interface.
fn own_address(host: &Host, view: &View) -> Option<IpAddr> {
    let out = view.out_interface.as_deref()?;
    let candidates = || {
        let held = host.interfaces.iter().flat_map(|interface| {
            interface
                .addresses
                .iter()
                .map(move |prefix| (interface.name == out, prefix))
        });
        held.filter(|(_, prefix)| serves(prefix.address, view.dst))
    };
    let best = match view.dst {
        IpAddr::V4(_) => {
            let next_hop = next_hop(host, out, view.dst);
            first_best(candidates(), |on_way, prefix| {
                (on_way, on_way && prefix.contains(next_hop), 0)
            })
        }
        // RFC 6724 as `ipv6_get_saddr_eval` implements it: the destination itself, the scope, the
        // interface, the label, the common prefix. For a destination on the link, only the
        // addresses of the interface itself are candidates.
        IpAddr::V6(dst) => {
            let near = dst.is_multicast() || scope(dst) <= LINK_LOCAL;
            let candidates = candidates().filter(|(on_way, _)| *on_way || !near);
            first_best(candidates, |on_way, prefix| {
                let IpAddr::V6(own) = prefix.address else {
                    return Default::default();
                };
                let reach = i16::from(scope(own));
                let reach = if reach >= i16::from(scope(dst)) {
                    -reach
                } else {
                    reach - 128
                };
                let common = prefix.common_bits(view.dst).min(prefix.length);
                (own == dst, reach, on_way, label(own) == label(dst), common)
            })
        }
    };
    best.map(|prefix| prefix.address)
}

/// The first candidate of the highest rank.
fn first_best<'a, K: Ord>(
    candidates: impl Iterator<Item = (bool, &'a Prefix)>,
    rank: impl Fn(bool, &Prefix) -> K,
) -> Option<&'a Prefix> {
    let ranked = candidates.map(|(on_way, prefix)| (rank(on_way, prefix), prefix));
    let best = ranked.reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.map(|(_, prefix)| prefix)
}

/// The label of an IPv6 address (`ip6addrlabel_init_table` in addrlabel.c). Addresses with equal
/// labels are preferred.
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

/// The scope of an IPv6 address (`__ipv6_addr_type` in addrconf_core.c, which gives ::1 the scope
/// of a link).
fn scope(address: Ipv6Addr) -> u8 {
    match address.octets() {
        [0xff, flags, ..] => flags & 0x0f,
        [0xfe, second, ..] if second & 0xc0 == 0x80 => LINK_LOCAL,
        [0xfe, second, ..] if second & 0xc0 == 0xc0 => 5,
        _ if address.is_loopback() => LINK_LOCAL,
        _ => 14,
    }
}

/// Whether an address can be the source of a packet to `dst`: it must have the same family, and for
/// IPv4 global scope (`RT_SCOPE_UNIVERSE` in `inet_select_addr`).
fn serves(address: IpAddr, dst: IpAddr) -> bool {
    match (address, dst) {
        (IpAddr::V4(own), IpAddr::V4(_)) => !own.is_loopback() && !own.is_link_local(),
        (own, dst) => own.is_ipv6() && dst.is_ipv6(),
    }
}

/// The next router on the route to `dst`, or `dst` itself.
fn next_hop(host: &Host, out: &str, dst: IpAddr) -> IpAddr {
    let routes = host
        .routes
        .iter()
        .filter(|route| route.dev.as_deref() == Some(out) && route.dst.contains(dst));
    routes
        .max_by_key(|route| route.dst.length)
        .and_then(|route| route.via)
        .unwrap_or(dst)
}
