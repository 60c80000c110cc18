//! The effect of br_netfilter on a packet that a bridge port receives (br_netfilter_hooks.c;
//! measured).
//!
//! The hooks see the bridge as the interface, and `-m physdev` sees its ports. A packet that the
//! bridge forwards to another port goes through PREROUTING, FORWARD and POSTROUTING without
//! routing. It needs no IP forwarding, and its time to live does not change. A packet for this
//! host, or one that this host routes, arrives on the bridge as on any interface.

use std::convert::Infallible;

use crate::iptables::extension::Id;
use crate::netfilter::place::{ChainPlace, Place};
use crate::netfilter::routing::{self, Query, Way};
use crate::packet::Family;
use crate::packet::hook::Hook;
use crate::packet::host::RouteKind;
use crate::packet::view::{BridgeInfo, BridgeOutput};

use super::trace::{Assumption, Question, VerdictKind};
use super::{Stop, Walker};

impl Walker<'_> {
    /// The interface that rules see as the input of a packet, if the packet or the host states it.
    /// For a bridge port it is the bridge.
    pub(super) fn stated_interface(&mut self) -> Option<String> {
        let stated = self
            .packet
            .in_interface
            .as_ref()
            .or(self.packet.physdev_in.as_ref())?;
        let Some(master) = self
            .host
            .interface(stated)
            .and_then(|port| port.master.clone())
        else {
            return self.packet.in_interface.clone();
        };
        self.assume(format!("{master}, which {stated} belongs to, is a bridge"));
        Some(master)
    }

    /// Records the bridge port that the packet arrives on.
    pub(super) fn note_port(&mut self, interface: &str) {
        let is_bridge = self.is_bridge(interface);
        let stated = self.packet.physdev_in.clone().or_else(|| {
            let name = self
                .packet
                .in_interface
                .as_ref()
                .filter(|name| *name != interface);
            name.cloned()
        });
        let exists = if is_bridge == Some(false) || !self.calls_iptables(is_bridge) {
            Some(false)
        } else {
            is_bridge
        };
        let input = stated.or_else(|| only(self.ports_of(interface)));
        self.view.bridge = BridgeInfo {
            exists,
            input,
            output: BridgeOutput::None,
        };
    }

    /// Whether the bridge forwards the packet, instead of delivering it to this host.
    pub(super) fn is_bridged(&mut self, interface: &str) -> Result<bool, Stop> {
        if self.packet.bridged.is_some() || self.packet.physdev_out.is_some() {
            return Ok(self.packet.bridged.unwrap_or(true));
        }
        let is_bridge = self.is_bridge(interface);
        if !is_bridge.unwrap_or_else(|| self.physdev_rule().is_some()) {
            return Ok(false);
        }
        let dst = self.view.dst;
        match routing::kind_of(self.host, dst, None) {
            RouteKind::Local => return Ok(false),
            RouteKind::Broadcast | RouteKind::Multicast => {
                self.doubtful |= is_bridge == Some(true);
                self.assume(format!(
                    "if {interface} is a bridge, the copies for its ports are not walked"
                ));
                return Ok(false);
            }
            _ => {}
        }
        let query = Query {
            dst,
            src: Some(self.view.src),
            mark: self.view.mark,
            iif: interface,
        };
        let is_router = self.host.interface(interface).is_some_and(|own| {
            own.addresses
                .iter()
                .any(|prefix| Family::of_address(prefix.address) == Family::of_address(dst))
        });
        let is_for_router = || {
            is_bridge.is_none()
                || routing::lookup(self.host, query)
                    .as_ref()
                    .is_some_and(|way: &Way| {
                        way.kind == RouteKind::Unicast && way.interface != interface
                    })
        };
        if is_router && is_for_router() {
            self.assume(format!(
                "the frame is addressed to this host: {interface} does not bridge the packet"
            ));
            return Ok(false);
        }
        self.ask_bridged(interface)
    }

    /// Forwards the packet to another port.
    pub(super) fn bridge(&mut self, interface: &str) -> Result<Infallible, Stop> {
        let forwarded =
            |walker: &Self| Stop::End(walker.sent(VerdictKind::Forwarded, interface.to_owned()));
        if !self.calls_iptables(Some(true)) {
            return Err(forwarded(self));
        }
        let dst = self.view.dst;
        self.view.bridge.exists = Some(true);
        self.enter(Hook::Prerouting, Some(interface), None);
        self.run_hook()?;
        if self.view.dst != dst && !self.is_routed_back(interface)? {
            return self.route_arrived(interface);
        }
        self.view.bridge.output = self.output(interface);
        self.enter(Hook::Forward, Some(interface), Some(interface));
        self.run_hook()?;
        self.enter(Hook::Postrouting, None, Some(interface));
        self.run_hook()?;
        Err(forwarded(self))
    }

    /// Whether a destination that nat changed leaves through the same bridge. Then the packet is
    /// bridged all the same (`br_nf_pre_routing_finish`).
    fn is_routed_back(&mut self, interface: &str) -> Result<bool, Stop> {
        self.check_martian(interface)?;
        let (src, mark) = (Some(self.view.src), self.view.mark);
        let way = routing::lookup(
            self.host,
            Query {
                dst: self.view.dst,
                src,
                mark,
                iif: interface,
            },
        );
        if !way.is_some_and(|way| way.kind == RouteKind::Unicast && way.interface == interface) {
            return Ok(false);
        }
        if self.packet.family() == Family::Ipv4 {
            if !self.host.forwards(Family::Ipv4) {
                self.assume("a bridge drops an IPv4 packet with a new destination where forwarding is off: older kernels than 6.18 may not");
                return Err(self.lost(
                    "nat gave the bridged packet another destination, and forwarding is off",
                ));
            }
            self.check_source(interface, interface)?;
        }
        Ok(true)
    }

    /// Whether packets between other hosts may cross this host without routing.
    pub(super) fn may_bridge(&self) -> bool {
        let states = self.packet.bridged == Some(true) || self.packet.physdev_out.is_some();
        states || self.has_bridges() || self.physdev_rule().is_some()
    }

    /// Whether an interface is a bridge; `None` if neither packet nor host shows it.
    fn is_bridge(&self, interface: &str) -> Option<bool> {
        let packet = &self.packet;
        let has_port = packet.physdev_in.is_some()
            || packet.physdev_out.is_some()
            || packet.bridged == Some(true);
        if has_port || self.ports_of(interface).next().is_some() {
            return Some(true);
        }
        (interface == "lo" || self.has_bridges()).then_some(false)
    }

    fn has_bridges(&self) -> bool {
        self.host
            .interfaces
            .iter()
            .any(|interface| interface.master.is_some())
    }

    fn ports_of(&self, bridge: &str) -> impl Iterator<Item = &str> {
        let ports = self
            .host
            .interfaces
            .iter()
            .filter(move |port| port.master.as_deref() == Some(bridge));
        ports.map(|port| port.name.as_str())
    }

    /// The port that the packet leaves through.
    fn output(&self, bridge: &str) -> BridgeOutput {
        let input = self.view.bridge.input.as_deref();
        let others = self
            .ports_of(bridge)
            .filter(|port| input.is_some_and(|input| input != *port));
        match self.packet.physdev_out.clone().or_else(|| only(others)) {
            Some(port) => BridgeOutput::Port(port),
            None => BridgeOutput::Unknown,
        }
    }

    /// Whether bridges pass their packets to the rules of the packet's family
    /// (`br_nf_pre_routing`).
    fn calls_iptables(&mut self, is_bridge: Option<bool>) -> bool {
        let name = match self.packet.family() {
            Family::Ipv4 => "net.bridge.bridge-nf-call-iptables",
            Family::Ipv6 => "net.bridge.bridge-nf-call-ip6tables",
        };
        if self.host.sysctls.contains_key(name) {
            return self.host.is_on(name);
        }
        if is_bridge == Some(true) {
            self.assume(format!("{name} is 1, as it is once br_netfilter is loaded"));
        }
        true
    }

    /// The first rule that tests the ports of a bridge.
    fn physdev_rule(&self) -> Option<Place> {
        *self.physdev_rule.get_or_init(|| self.find_physdev_rule())
    }

    fn find_physdev_rule(&self) -> Option<Place> {
        let physdev = Id::all().find(|id| id.get().name == "physdev")?;
        self.schedule.layers.iter().find_map(|&ruleset| {
            let set = &self.rulesets[ruleset as usize];
            // Most rule sets have no such rule.
            set.extensions.contains(&physdev).then_some(())?;
            (0..).zip(&set.tables).find_map(|(table, held)| {
                (0..).zip(&held.chains).find_map(|(chain, held)| {
                    let rule = held.rules.iter().position(|rule| {
                        set.matches(rule)
                            .iter()
                            .any(|part| part.extension == physdev)
                    })?;
                    let at = ChainPlace {
                        ruleset,
                        table,
                        chain,
                    };
                    Some(Place {
                        at,
                        rule: Some(
                            u32::try_from(rule).expect("rules are fewer than bytes of a text"),
                        ),
                    })
                })
            })
        })
    }

    /// Leaves undetermined whether the bridge forwards the packet.
    fn ask_bridged(&mut self, interface: &str) -> Result<bool, Stop> {
        let Some(place) = self.physdev_rule().or_else(|| {
            self.schedule.layers.iter().find_map(|layer: &u32| {
                let tables = (0..).zip(&self.rulesets[*layer as usize].tables);
                let held = tables
                    .filter(|(_, table)| !table.chains.is_empty())
                    .map(|(table, _)| table)
                    .next()?;
                Some(Place {
                    at: ChainPlace {
                        ruleset: *layer,
                        table: held,
                        chain: 0,
                    },
                    rule: None,
                })
            })
        }) else {
            self.assume(format!(
                "the frame is addressed to this host: {interface} does not bridge the packet"
            ));
            return Ok(false);
        };
        let because = format!(
            "the input does not show whether {interface}, as a bridge, passes the packet on to another port"
        );
        let Some(&bridged) = self.script.get(self.assumed.len()) else {
            self.path.missing = Some(because);
            return Err(Stop::Fork);
        };
        let (hook, question) = (Hook::Prerouting, Question::Bridged);
        self.assumed.push(Assumption {
            place,
            hook,
            question,
            matches: bridged,
            because,
            chance: None,
        });
        Ok(bridged)
    }
}

/// The name, if there is exactly one.
fn only<'n>(mut names: impl Iterator<Item = &'n str>) -> Option<String> {
    let first = names.next()?;
    names.next().is_none().then(|| first.to_owned())
}
