//! Routing: where a packet goes, from the host's addresses, routes and policy rules.

use std::net::{IpAddr, Ipv4Addr};

use crate::packet::Family;
use crate::packet::host::{Host, Interface, Prefix, Route, RouteKind, RoutingRule};

const LOCAL: u32 = 255;
const MAIN: u32 = 254;
const DEFAULT: u32 = 253;

/// The result of a route lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Whether the packet is delivered, sent on, or dropped.
    pub kind: RouteKind,
    /// The interface that the packet leaves through; `lo` for a packet that is delivered to this
    /// host.
    pub interface: String,
    /// The source address that the route prefers.
    pub source: Option<IpAddr>,
}

/// The parameters of a route lookup.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The destination of the packet.
    pub dst: IpAddr,
    /// The source of the packet, if it is known.
    pub src: Option<IpAddr>,
    /// The mark of the packet.
    pub mark: u32,
    /// The interface that the packet arrived on; `lo` for a packet that this host sends.
    pub iif: &'a str,
}

/// Looks up the route of a packet (`fib_rules_lookup`). The policy rules apply in order. In each
/// table, the longest prefix wins; among equal prefixes, the lowest metric wins. `None` if there is
/// no route.
pub fn lookup(host: &Host, query: Query) -> Option<Way> {
    let family = Family::of_address(query.dst);
    let mut tables: Vec<(u32, u32)> = vec![(0, LOCAL), (32_766, MAIN), (32_767, DEFAULT)];
    for rule in &host.rules {
        if rule.family.is_none_or(|own| own == family) && selects(rule, query) {
            tables.push((rule.priority.unwrap_or(32_765), rule.table.unwrap_or(MAIN)));
        }
    }
    tables.sort_by_key(|(priority, _)| *priority);
    let bound = bound_interface(query);
    let mut ways = tables
        .into_iter()
        .filter_map(|(_, table)| lookup_in(host, table, query.dst, bound));
    ways.find(|way| way.kind != RouteKind::Throw)
}

/// Looks up the route of a packet that a process sends. Multicast groups and 255.255.255.255 leave
/// through the interface of the route, of whatever type the route is (route.c, `__mkroute_output`).
pub fn lookup_sent(host: &Host, query: Query) -> Option<Way> {
    let way = lookup(host, query)?;
    match (broad(query.dst), way.kind) {
        (Some(kind), RouteKind::Unicast | RouteKind::Local) => Some(Way { kind, ..way }),
        _ => Some(way),
    }
}

/// Looks up the route again after a rule changed the packet in OUTPUT. A multicast or broadcast
/// destination then leaves through the interface that holds the packet's source address
/// (`ip_route_output_key_hash_rcu`; measured). For IPv6 the lookup is the same as before.
pub fn lookup_again(host: &Host, query: Query) -> Option<Way> {
    let (Some(kind), Some(src)) = (broad(query.dst), query.src) else {
        return lookup(host, query);
    };
    match kind_of(host, src, None) {
        RouteKind::Local => holder(host, src).map(|interface| Way {
            kind,
            interface,
            source: None,
        }),
        RouteKind::Unicast => None,
        _ => lookup_sent(host, query),
    }
}

/// The type of an IPv4 destination that means several hosts. It does not depend on the routes.
fn broad(dst: IpAddr) -> Option<RouteKind> {
    match dst {
        IpAddr::V4(v4) if v4.is_multicast() => Some(RouteKind::Multicast),
        IpAddr::V4(v4) if v4.is_broadcast() => Some(RouteKind::Broadcast),
        _ => None,
    }
}

/// The interface that holds an address of this host. `lo` holds all of 127.0.0.0/8.
fn holder(host: &Host, address: IpAddr) -> Option<String> {
    let own = addresses(host, None).find(|(interface, prefix)| {
        prefix.address == address || interface.name == "lo" && prefix.contains(address)
    });
    own.map(|(interface, _)| interface.name.clone())
}

/// Whether the kernel itself joins a multicast group on an interface. It joins the group of all
/// hosts, the groups of neighbor solicitations for its own addresses, and, if it forwards, the
/// group of all routers (igmp.c, `ip_mc_up`; mcast.c, `ipv6_mc_up`; addrconf.c,
/// `dev_forward_change`).
pub fn joins_by_itself(host: &Host, interface: &str, group: IpAddr) -> bool {
    let IpAddr::V6(group) = group else {
        return group == IpAddr::V4(Ipv4Addr::new(224, 0, 0, 1));
    };
    let solicits = |own: IpAddr| {
        let IpAddr::V6(own) = own else { return false };
        let [.., high, low] = own.segments();
        group.segments() == [0xff02, 0, 0, 0, 0, 1, 0xff00 | high & 0xff, low]
    };
    let forwards = || {
        let scopes = ["all", interface];
        scopes
            .iter()
            .any(|scope| host.is_on(&format!("net.ipv6.conf.{scope}.forwarding")))
    };
    match group.segments() {
        [0xff01 | 0xff02, 0, 0, 0, 0, 0, 0, 1] => true,
        [0xff01 | 0xff02 | 0xff05, 0, 0, 0, 0, 0, 0, 2] => forwards(),
        _ => addresses(host, Some(interface)).any(|(_, prefix)| solicits(prefix.address)),
    }
}

fn selects(rule: &RoutingRule, query: Query) -> bool {
    let mask = rule.mask.unwrap_or(u32::MAX);
    let holds = rule
        .fwmark
        .is_none_or(|mark| query.mark & mask == mark & mask)
        && rule
            .from
            .is_none_or(|from| from.length == 0 || query.src.is_some_and(|src| from.contains(src)))
        && rule.to.is_none_or(|to| to.contains(query.dst))
        && rule.iif.as_ref().is_none_or(|iif| iif == query.iif);
    holds != rule.not
}

/// The interface that restricts the lookup. For some IPv6 destinations, the kernel uses only routes
/// through the interface that the packet arrived on (ip6_route.c, `rt6_need_strict`). Measured: a
/// packet that arrives on eth0 for ::1 leaves through eth0's default route.
fn bound_interface(query: Query<'_>) -> Option<&str> {
    let IpAddr::V6(dst) = query.dst else {
        return None;
    };
    let strict = dst.is_loopback() || dst.is_unicast_link_local() || dst.is_multicast();
    (strict && query.iif != "lo").then_some(query.iif)
}

fn lookup_in(host: &Host, table: u32, dst: IpAddr, bound: Option<&str>) -> Option<Way> {
    let stated = host
        .routes
        .iter()
        .filter(|route| route.table.unwrap_or(MAIN) == table && route.dst.contains(dst));
    let stated = stated.filter(|route| bound.is_none_or(|name| way_of(route).interface == name));
    // Among equal routes, the first one wins.
    let best = stated.rev().max_by_key(|route| {
        (
            route.dst.length,
            std::cmp::Reverse(route.metric.unwrap_or(0)),
        )
    });
    let implied = match table {
        LOCAL => local(host, dst, bound),
        MAIN => connected(host, dst, bound),
        _ => None,
    };
    match (best, implied) {
        (Some(route), Some((length, way))) => Some(if route.dst.length >= length {
            way_of(route)
        } else {
            way
        }),
        (Some(route), None) => Some(way_of(route)),
        (None, implied) => implied.map(|(_, way)| way),
    }
}

fn way_of(route: &Route) -> Way {
    let interface = match route.kind {
        RouteKind::Local => "lo".into(),
        _ => route.dev.clone().unwrap_or_default(),
    };
    Way {
        kind: route.kind,
        interface,
        source: route.src,
    }
}

/// The local table, which the kernel fills itself: own addresses, all of 127.0.0.0/8 on `lo`,
/// broadcasts, multicast.
fn local(host: &Host, dst: IpAddr, bound: Option<&str>) -> Option<(u8, Way)> {
    let bits = Family::of_address(dst).bits();
    if dst.is_ipv6() && dst.is_multicast() {
        // `ff00::/8` on every interface but `lo`.
        let mut wires = addresses(host, bound)
            .filter(|(wire, prefix)| wire.name != "lo" && prefix.address.is_ipv6());
        let wire = wires.next()?.0.name.clone();
        return Some((
            8,
            Way {
                kind: RouteKind::Multicast,
                interface: wire,
                source: None,
            },
        ));
    }
    for (interface, prefix) in addresses(host, bound) {
        // 127.255.255.255, the broadcast address of `lo`, counts too (measured).
        if prefix.broadcast() == Some(dst) {
            let way = Way {
                kind: RouteKind::Broadcast,
                interface: interface.name.clone(),
                source: Some(prefix.address),
            };
            return Some((bits, way));
        }
        let whole = interface.name == "lo" && dst.is_ipv4() && prefix.contains(dst);
        if whole || prefix.address == dst {
            return Some((
                bits,
                Way {
                    kind: RouteKind::Local,
                    interface: "lo".into(),
                    source: Some(prefix.address),
                },
            ));
        }
    }
    None
}

/// The routes to the networks of the interfaces' own addresses.
fn connected(host: &Host, dst: IpAddr, bound: Option<&str>) -> Option<(u8, Way)> {
    let own = addresses(host, bound)
        .filter(|(interface, prefix)| interface.name != "lo" && prefix.contains(dst));
    own.max_by_key(|(_, prefix)| prefix.length)
        .map(|(interface, prefix)| {
            let way = Way {
                kind: RouteKind::Unicast,
                interface: interface.name.clone(),
                source: Some(prefix.address),
            };
            (prefix.length, way)
        })
}

/// The addresses of all interfaces, or of one.
fn addresses<'a>(
    host: &'a Host,
    of: Option<&str>,
) -> impl Iterator<Item = (&'a Interface, &'a Prefix)> {
    let interfaces = host
        .interfaces
        .iter()
        .filter(move |interface| of.is_none_or(|name| interface.name == name));
    interfaces.flat_map(|interface| {
        interface
            .addresses
            .iter()
            .map(move |prefix| (interface, prefix))
    })
}

/// The type that routing gives to an address (`inet_addr_type`, which `-m addrtype` calls). Only
/// the local table counts. With an interface, a local address counts only if that interface holds
/// it. `lo` holds all of 127.0.0.0/8.
pub fn kind_of(host: &Host, address: IpAddr, interface: Option<&str>) -> RouteKind {
    if address.is_multicast() {
        return RouteKind::Multicast;
    }
    if let IpAddr::V4(v4) = address
        && (v4.is_broadcast() || v4.octets()[0] == 0)
    {
        return RouteKind::Broadcast;
    }
    match lookup_in(host, LOCAL, address, interface) {
        Some(way) => way.kind,
        None if address.is_ipv6() => {
            let query = Query {
                dst: address,
                src: None,
                mark: 0,
                iif: "lo",
            };
            match lookup(host, query).map(|way| way.kind) {
                // An address of this host, on another interface.
                Some(RouteKind::Local) => RouteKind::Unicast,
                Some(kind) => kind,
                None => RouteKind::Unreachable,
            }
        }
        None => RouteKind::Unicast,
    }
}

/// The source address of a local packet whose sender chose none.
pub fn source_for(host: &Host, way: &Way, dst: IpAddr) -> Option<IpAddr> {
    let family = Family::of_address(dst);
    way.source.or_else(|| {
        let interface = host.interface(&way.interface)?;
        interface
            .addresses
            .iter()
            .map(|prefix| prefix.address)
            .find(|address| Family::of_address(*address) == family)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(host: &Host, dst: &str, mark: u32) -> Option<(RouteKind, String)> {
        let dst = dst.parse().expect("a literal address");
        lookup(
            host,
            Query {
                dst,
                src: None,
                mark,
                iif: "lo",
            },
        )
        .map(|way| (way.kind, way.interface))
    }

    #[test]
    fn a_pod_reaches_itself_by_lo_and_all_else_by_eth0() {
        let pod = Host::pod();
        let local = Some((RouteKind::Local, "lo".to_owned()));
        let out = Some((RouteKind::Unicast, "eth0".to_owned()));
        for dst in ["127.0.0.1", "127.9.9.9", "10.244.1.5", "::1", "fd00:1::5"] {
            assert_eq!(way(&pod, dst, 0), local, "{dst}");
        }
        for dst in ["10.244.1.77", "1.1.1.1", "fd00:1::1", "2001:db8::1", "::2"] {
            assert_eq!(way(&pod, dst, 0), out, "{dst}");
        }
        assert_eq!(
            way(&pod, "10.244.1.255", 0),
            Some((RouteKind::Broadcast, "eth0".to_owned()))
        );
        assert_eq!(
            way(&pod, "127.255.255.255", 0),
            Some((RouteKind::Broadcast, "lo".to_owned()))
        );
    }

    #[test]
    fn a_mark_selects_another_table() {
        let mut pod = Host::pod();
        pod.rules.push(RoutingRule {
            fwmark: Some(1337),
            table: Some(133),
            ..RoutingRule::default()
        });
        let out = way(&pod, "1.1.1.1", 1337);
        assert_eq!(
            out,
            way(&pod, "1.1.1.1", 0),
            "an empty table is passed over"
        );
        pod.routes.push(Route {
            dst: "0.0.0.0/0".parse().expect("valid"),
            via: None,
            dev: Some("lo".into()),
            kind: RouteKind::Local,
            table: Some(133),
            src: None,
            metric: None,
        });
        assert_eq!(
            way(&pod, "1.1.1.1", 1337),
            Some((RouteKind::Local, "lo".to_owned()))
        );
        assert_eq!(way(&pod, "1.1.1.1", 0), out);
    }

    #[test]
    fn without_a_route_there_is_no_way() {
        assert_eq!(way(&Host::default(), "1.1.1.1", 0), None);
    }
}
