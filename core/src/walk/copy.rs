//! The copy that this host itself gets of a broadcast or multicast that it sends: a second packet,
//! which raises counters of its own (ip_output.c, `ip_mc_output`; ip6_output.c,
//! `ip6_finish_output2`; order and interfaces measured).

use std::net::{IpAddr, Ipv6Addr};

use crate::packet::host::RouteKind;
use crate::packet::view::View;

use super::trace::{Copied, RouteReason};
use super::{Stop, Walker};
use crate::netfilter::routing::{self as route, Way};

/// The scope of IPv6 groups that never leave an interface, `ff01::/16` (RFC 4291).
pub(super) const INTERFACE_LOCAL: u8 = 1;

/// Whether a packet that comes in is one that this host has just sent.
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
    /// POSTROUTING for what leaves by a wire, and all of the way of its copy, if it has one. The
    /// copy comes back in by the interface that it leaves by, and is not routed again.
    pub(super) fn leave_with_copy(&mut self, way: &Way) -> Result<(), Stop> {
        if !self.is_copied(way) {
            return self.leave_by(None, way);
        }
        match self.view.dst {
            IpAddr::V4(_) => self.leave_behind_copy(way),
            IpAddr::V6(dst) => self.leave_before_copy(way, dst),
        }
    }

    /// IPv6: the copy is made of what has passed POSTROUTING, and passes it once more.
    fn leave_before_copy(&mut self, way: &Way, dst: Ipv6Addr) -> Result<(), Stop> {
        self.leave_by(None, way)?;
        let original = self.view.clone();
        self.send_copy(way)?;
        self.show(original);
        let stays_here =
            scope(dst).is_some_and(|scope| scope <= INTERFACE_LOCAL) || self.view.ttl == 0;
        if stays_here {
            Err(self.lost(HERE_ONLY))
        } else {
            Ok(())
        }
    }

    /// IPv4: the copy goes all of its way before the packet itself passes POSTROUTING. Both belong
    /// to one connection.
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

    /// A socket's own wish to get no copy (`IP_MULTICAST_LOOP`) is rare, and not asked for.
    fn is_copied(&mut self, way: &Way) -> bool {
        match way.kind {
            RouteKind::Broadcast => true,
            RouteKind::Multicast => self.has_joined(&way.interface),
            _ => false,
        }
    }

    /// Whether a packet to this multicast group is taken in on that interface. What is not known is
    /// assumed and said.
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

    /// The copy's way, from its own POSTROUTING on. Its end is not the packet's: only a walk that
    /// cannot go on ends here.
    fn send_copy(&mut self, way: &Way) -> Result<(), Stop> {
        // `skb_clone` leaves the socket behind (measured with `-m owner`).
        // In IPv6 the packet itself has passed POSTROUTING before.
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
                self.lost("DNPT has made of the copy's group an address that is no group here")
            );
        }
        self.deliver(&way.interface)
    }
}
