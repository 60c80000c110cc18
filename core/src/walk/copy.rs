//! The copy of a broadcast or multicast that the sending host itself gets. It is a second packet,
//! which increases counters of its own (ip_output.c, `ip_mc_output`; ip6_output.c,
//! `ip6_finish_output2`; order and interfaces measured).

use std::net::{IpAddr, Ipv6Addr};

use crate::packet::host::RouteKind;
use crate::packet::view::View;

use super::trace::{Copied, RouteReason};
use super::{Stop, Walker};
use crate::netfilter::routing::{self as route, Way};

/// The scope of IPv6 groups that never leave an interface, `ff01::/16` (RFC 4291).
pub(super) const INTERFACE_LOCAL: u8 = 1;

/// Whether an arriving packet is a copy of one that this host sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Copy {
    Yes,
    No,
}

/// The scope of an IPv6 group.
pub(super) fn scope(group: Ipv6Addr) -> Option<u8> {
    group.is_multicast().then(|| group.octets()[1] & 0x0f)
}

const HERE_ONLY: &str = "it must not leave this host: only its copy is delivered here";

impl Walker<'_> {
    /// Evaluates POSTROUTING for a packet that leaves through a device, and the whole path of its
    /// copy, if it has one. The copy arrives on the interface that the packet leaves through, and
    /// is not routed again.
    pub(super) fn leave_with_copy(&mut self, way: &Way) -> Result<(), Stop> {
        let dst = self.view.dst;
        match dst {
            IpAddr::V4(_) if self.is_copied(way) => self.leave_behind_copy(way),
            IpAddr::V6(group) if group.is_multicast() => self.leave_as_multicast(way, group),
            _ => self.leave_by(None, way),
        }
    }

    /// IPv6: the destination in the packet decides whether the kernel copies it, not the route
    /// (`ip6_finish_output2`). nat can write a group into a packet that has a unicast route. The
    /// kernel copies the packet after POSTROUTING. The copy goes through POSTROUTING again.
    fn leave_as_multicast(&mut self, way: &Way, group: Ipv6Addr) -> Result<(), Stop> {
        let is_copied = self.has_joined(&way.interface);
        self.leave_by(None, way)?;
        if is_copied {
            let original = self.view.clone();
            self.send_copy(way)?;
            self.show(original);
        }
        let stays_here = scope(group).is_some_and(|scope| scope <= INTERFACE_LOCAL)
            || is_copied && self.view.ttl == 0;
        if stays_here {
            Err(self.lost(HERE_ONLY))
        } else {
            Ok(())
        }
    }

    /// IPv4: the copy completes its path before the packet itself goes through POSTROUTING. Both
    /// belong to one connection.
    fn leave_behind_copy(&mut self, way: &Way) -> Result<(), Stop> {
        let before = self.view.clone();
        self.send_copy(way)?;
        if way.kind == RouteKind::Multicast && before.ttl == 0 {
            return Err(self.lost(HERE_ONLY));
        }
        let &View {
            connmark,
            source_translated,
            confirmed,
            ..
        } = &self.view;
        self.show(View {
            connmark,
            source_translated,
            confirmed,
            ..before
        });
        self.leave_by(None, way)
    }

    /// Whether IPv4 copies a packet on this route (`ip_mc_output`). A socket can switch copies off
    /// (`IP_MULTICAST_LOOP`). This is rare, so it is assumed not to.
    fn is_copied(&mut self, way: &Way) -> bool {
        match way.kind {
            RouteKind::Broadcast => true,
            RouteKind::Multicast => self.has_joined(&way.interface),
            _ => false,
        }
    }

    /// Whether the host accepts packets to this multicast group on the interface. Unknown
    /// membership is listed as an assumption.
    pub(super) fn has_joined(&mut self, interface: &str) -> bool {
        let group = self.view.dst;
        if route::joins_by_itself(self.host, interface, group) {
            return true;
        }
        match self
            .host
            .interface(interface)
            .and_then(|known| known.multicast_groups.as_ref())
        {
            Some(joined) => joined.contains(&group),
            None => {
                self.assume(format!(
                    "a process here has joined the multicast group {group} on {interface}"
                ));
                true
            }
        }
    }

    /// Evaluates the path of the copy, from its own POSTROUTING on. Its outcome is not the outcome
    /// of the packet. Only a walk that must stop ends here.
    fn send_copy(&mut self, way: &Way) -> Result<(), Stop> {
        // `skb_clone` does not copy the socket (measured with `-m owner`). In IPv6 the packet
        // itself has already passed POSTROUTING.
        self.show(View {
            copied: true,
            confirmed: self.view.dst.is_ipv6(),
            ..self.view.clone()
        });
        match self
            .copy_way(way)
            .map_or_else(|stop| stop, |never| match never {})
        {
            Stop::End(verdict) => {
                self.path.copy = Some(Copied {
                    verdict,
                    view: self.current,
                })
            }
            other => return Err(other),
        }
        Ok(())
    }

    fn copy_way(&mut self, way: &Way) -> Result<std::convert::Infallible, Stop> {
        self.leave_by(None, way)?;
        self.note_route(RouteReason::Copied, None);
        let group = self.view.dst;
        self.come_back(&way.interface)?;
        if self.view.dst != group {
            // ip6_input.c, `ip6_mc_input`.
            return Err(
                self.lost("DNPT has made of the copy's group an address that is not a group here")
            );
        }
        self.deliver(&way.interface)
    }
}
