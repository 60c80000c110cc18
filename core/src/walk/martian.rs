//! Packets that the kernel refuses because of their addresses, independent of the rules.

use std::net::IpAddr;

use crate::packet::host::RouteKind;

use super::copy::{self, Copy};
use super::{Stop, Walker};
use crate::netfilter::routing::{self as route, Query, Way};

impl Walker<'_> {
    /// Checks an IPv6 packet as the kernel does before any hook (ip6_input.c, `ip6_rcv_core`).
    pub(super) fn check_header(&self, interface: &str, copy: Copy) -> Result<(), Stop> {
        let (IpAddr::V6(src), IpAddr::V6(dst)) = (self.view.src, self.view.dst) else {
            return Ok(());
        };
        if interface != "lo" && (src.is_loopback() || dst.is_loopback()) {
            return Err(self.lost("::1 must not arrive from outside"));
        }
        if src.is_multicast() {
            return Err(self.lost("its source is not the address of a single host"));
        }
        match copy::scope(dst) {
            Some(0) => Err(self.lost("its group has the reserved scope 0")),
            Some(copy::INTERFACE_LOCAL) if interface != "lo" && copy == Copy::No => {
                Err(self.lost("a group of scope interface-local must not arrive from outside"))
            }
            _ => Ok(()),
        }
    }

    /// Checks an arriving IPv4 packet as routing does (route.c, `ip_route_input_slow`).
    pub(super) fn check_martian(&self, interface: &str) -> Result<(), Stop> {
        let (IpAddr::V4(src), IpAddr::V4(dst)) = (self.view.src, self.view.dst) else {
            return Ok(());
        };
        let on = |name: &str| self.is_on_ipv4(interface, name);
        if (src.is_loopback() || dst.is_loopback()) && !on("route_localnet") {
            return Err(self.lost(
                "an address of 127.0.0.0/8 must not come from outside (route_localnet is off)",
            ));
        }
        if src.is_multicast() || src.is_broadcast() {
            return Err(self.lost("its source is not the address of a single host"));
        }
        Ok(())
    }

    /// Checks the route back to the source of an arriving IPv4 packet (fib_frontend.c,
    /// `__fib_validate_source`). `leaving` is the interface that the packet itself will leave
    /// through, or `lo` for a packet to this host.
    pub(super) fn check_source(&self, interface: &str, leaving: &str) -> Result<(), Stop> {
        if self.view.src.is_ipv6() {
            return Ok(());
        }
        let setting = |scope| {
            self.host
                .sysctls
                .get(&format!("net.ipv4.conf.{scope}.rp_filter"))
        };
        let values = ["all", interface]
            .map(|scope| setting(scope).and_then(|value| value.trim().parse::<u8>().ok()));
        let strictness = values.into_iter().flatten().max().unwrap_or(0);
        let mark = if self.is_on_ipv4(interface, "src_valid_mark") {
            self.view.mark
        } else {
            0
        };
        let query = Query {
            dst: self.view.src,
            src: Some(self.view.dst),
            mark,
            iif: leaving,
        };
        let refused = match route::lookup(self.host, query).map(|way| (way.kind, way.interface)) {
            Some((RouteKind::Local, _)) if self.is_on_ipv4(interface, "accept_local") => {
                return Ok(());
            }
            Some((RouteKind::Local, _)) => {
                "its source is an address of this host (accept_local is off)"
            }
            Some((RouteKind::Broadcast | RouteKind::Multicast, _)) => {
                "its source is not the address of a single host"
            }
            Some((RouteKind::Unicast, back)) if back == interface || strictness != 1 => {
                return Ok(());
            }
            Some((RouteKind::Unicast, _)) => {
                "its answer would leave by another interface (rp_filter is 1)"
            }
            _ if strictness == 0 => return Ok(()),
            _ => "no route leads back to its source (rp_filter is on)",
        };
        Err(self.lost(refused))
    }

    pub(super) fn is_loopback_leaking(&self, way: &Way) -> bool {
        let loopback = matches!(self.view.src, IpAddr::V4(src) if src.is_loopback());
        loopback && way.interface != "lo" && !self.is_on_ipv4(&way.interface, "route_localnet")
    }

    /// Whether a setting of IPv4 is on for all interfaces or for this one.
    pub(super) fn is_on_ipv4(&self, interface: &str, name: &str) -> bool {
        ["all", interface]
            .iter()
            .any(|scope| self.host.is_on(&format!("net.ipv4.conf.{scope}.{name}")))
    }
}
