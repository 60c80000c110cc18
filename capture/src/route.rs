//! Routes of every table, from the kernel's `linux/rtnetlink.h`.

use std::fmt;
use std::io;
use std::net::IpAddr;

use chainwalk_core::packet::Family;
use chainwalk_core::packet::host::{Prefix, Route, RouteKind};

use crate::interface::InterfaceLink;
use crate::netlink::{Netlink, address, attributes, rest, u16_at, u32_at};

const RTM_NEWROUTE: u16 = 24;
const RTM_GETROUTE: u16 = 26;
/// `struct rtmsg`: family, length of destination and source, TOS, table, protocol, scope, type;
/// flags.
const HEADER: usize = 12;
/// `struct rtnexthop`: length, flags, weight, interface.
const HOP_HEADER: usize = 8;
/// A copy that the kernel stores for one destination. It is not a configured route.
const RTM_F_CLONED: u32 = 0x200;
/// The next router is unreachable, so the kernel does not use it.
const RTNH_F_DEAD: u32 = 0x1;
const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
const RTA_PREFSRC: u16 = 7;
const RTA_MULTIPATH: u16 = 9;
const RTA_TABLE: u16 = 15;
const RTA_VIA: u16 = 18;
const RTA_NH_ID: u16 = 30;
/// The table that a capture omits.
const RT_TABLE_MAIN: u32 = 254;

pub(crate) const AF_INET: u8 = 2;
pub(crate) const AF_INET6: u8 = 10;

/// The address family of a routing message; `None` for others, such as multicast forwarding.
pub(crate) fn family(number: u8) -> Option<Family> {
    match number {
        AF_INET => Some(Family::Ipv4),
        AF_INET6 => Some(Family::Ipv6),
        _ => None,
    }
}

/// The maximum number of routes. A single message may name thousands of next hops, each of which is
/// a route.
const MAX_ROUTES: usize = 100_000;

/// Lists the routes of a family in the kernel's order.
pub(crate) fn routes(
    netlink: &mut Netlink,
    family: u8,
    links: &[InterfaceLink],
    warnings: &mut Vec<String>,
) -> io::Result<Vec<Route>> {
    let mut header = [0; HEADER];
    header[0] = family;
    let mut routes = Vec::new();
    for message in netlink.dump(RTM_GETROUTE, &header)? {
        // A kernel without IPv6 answers with the routes that it has.
        if message.kind != RTM_NEWROUTE || message.body.first() != Some(&family) {
            continue;
        }
        if routes.len() >= MAX_ROUTES {
            warnings.push(format!(
                "only the first {MAX_ROUTES} routes of a family are in this capture"
            ));
            break;
        }
        match parse_routes(&message.body, links) {
            Ok(mut read) => {
                if let [first, _, ..] = read.as_slice() {
                    let (dst, count) = (first.dst, read.len());
                    warnings.push(format!(
                        "the route to {dst} has {count} next hops: a packet takes any one of them"
                    ));
                }
                routes.append(&mut read);
            }
            Err(reason) => warnings.push(reason),
        }
    }
    Ok(routes)
}

/// One next hop: an interface, with or without a router.
#[derive(Clone, Copy, Default)]
struct NextHop {
    flags: u32,
    interface: Option<u32>,
    via: Option<IpAddr>,
}

/// The routes of one message. Several next hops give several routes.
fn parse_routes(body: &[u8], links: &[InterfaceLink]) -> Result<Vec<Route>, String> {
    let Some((
        [
            family_number,
            dst_length,
            src_length,
            tos,
            table,
            _,
            _,
            kind,
        ],
        flags,
    )) = body.first_chunk::<8>().copied().zip(u32_at(body, 8))
    else {
        return Ok(Vec::new());
    };
    let Some(family) = family(family_number) else {
        return Ok(Vec::new());
    };
    let mut dst = unspecified(family);
    let mut table = u32::from(table);
    let (mut src, mut metric, mut hops, mut nexthop_object) = (None, None, Vec::new(), false);
    let mut only = NextHop {
        flags,
        ..NextHop::default()
    };
    for (attribute, value) in attributes(body, HEADER) {
        match attribute {
            RTA_DST => dst = address(value).unwrap_or(dst),
            RTA_PREFSRC => src = address(value),
            RTA_PRIORITY => metric = u32_at(value, 0),
            RTA_TABLE => table = u32_at(value, 0).unwrap_or(table),
            RTA_MULTIPATH => hops = read_hops(value),
            RTA_NH_ID => nexthop_object = true,
            _ => read_hop_attribute(&mut only, attribute, value),
        }
    }
    // Packets use neither of these: a copy, and the end marker of the table in older kernels.
    if flags & RTM_F_CLONED != 0 || table == 0 {
        return Ok(Vec::new());
    }
    let named = Named {
        dst: Prefix {
            address: dst,
            length: dst_length.min(family.bits()),
        },
        table,
    };
    let kind = match kind {
        1 => RouteKind::Unicast,
        // Packets to an anycast address are delivered to this host as packets to an own address
        // are.
        2 | 4 => RouteKind::Local,
        3 => RouteKind::Broadcast,
        5 => RouteKind::Multicast,
        6 => RouteKind::Blackhole,
        7 => RouteKind::Unreachable,
        8 => RouteKind::Prohibit,
        9 => RouteKind::Throw,
        other => {
            return Err(format!(
                "{named} is left out: its type {other} is not known here"
            ));
        }
    };
    if tos != 0 {
        return Err(format!(
            "{named} is left out: it is only for packets with TOS {tos:#x}"
        ));
    }
    if src_length != 0 {
        return Err(format!(
            "{named} is left out: it is only for some source addresses"
        ));
    }
    if hops.is_empty() {
        hops.push(only);
    }
    hops.retain(|hop| hop.flags & RTNH_F_DEAD == 0);
    if hops.is_empty() {
        return Err(format!("{named} is left out: its next hop is dead"));
    }
    if nexthop_object && hops.iter().any(|hop| hop.interface.is_none()) {
        return Err(format!(
            "{named} is left out: it refers to a nexthop object"
        ));
    }
    Ok(hops
        .iter()
        .map(|hop: &NextHop| Route {
            dst: named.dst,
            via: hop.via,
            dev: hop.interface.and_then(|index| name(index, links)),
            kind,
            table: (named.table != RT_TABLE_MAIN).then_some(named.table),
            src,
            metric,
        })
        .collect())
}

fn read_hop_attribute(hop: &mut NextHop, attribute: u16, value: &[u8]) {
    match attribute {
        RTA_OIF => hop.interface = u32_at(value, 0),
        RTA_GATEWAY => hop.via = address(value),
        // `struct rtvia`: the family, then the address of a router of the other family.
        RTA_VIA => hop.via = value.get(2..).and_then(address),
        _ => {}
    }
}

fn read_hops(mut bytes: &[u8]) -> Vec<NextHop> {
    let mut hops = Vec::new();
    while let (Some(length), Some(interface)) = (u16_at(bytes, 0), u32_at(bytes, 4)) {
        let length = usize::from(length);
        let Some(body) = bytes.get(..length).filter(|body| body.len() >= HOP_HEADER) else {
            break;
        };
        let mut hop = NextHop {
            flags: u32::from(body[2]),
            interface: Some(interface),
            via: None,
        };
        for (attribute, value) in attributes(body, HOP_HEADER) {
            read_hop_attribute(&mut hop, attribute, value);
        }
        hops.push(hop);
        bytes = rest(bytes, length);
    }
    hops
}

fn name(index: u32, links: &[InterfaceLink]) -> Option<String> {
    links
        .iter()
        .find(|link| link.index == index)
        .map(|link| link.name.clone())
}

/// `0.0.0.0` or `::`.
pub(crate) fn unspecified(family: Family) -> IpAddr {
    match family {
        Family::Ipv4 => IpAddr::from([0; 4]),
        Family::Ipv6 => IpAddr::from([0; 16]),
    }
}

/// A route as text for a warning.
struct Named {
    dst: Prefix,
    table: u32,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the route to {} in table {}", self.dst, self.table)
    }
}

#[cfg(test)]
#[cfg(target_endian = "little")] // the recorded messages are
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::netlink::recorded;

    fn links() -> Vec<InterfaceLink> {
        [(1, "lo"), (2, "eth0")]
            .map(|(index, name)| InterfaceLink::up(index, name))
            .into()
    }

    /// `expected` is in the words of `ip route`, with a comma after each route.
    fn check(hex: &str, expected: &str) {
        let text = match parse_routes(&recorded(hex), &links()) {
            Ok(routes) => routes
                .iter()
                .map(|route| format!("{}, ", words(route)))
                .collect(),
            Err(reason) => reason,
        };
        assert_eq!(text.trim_end_matches(", "), expected);
    }

    fn words(route: &Route) -> String {
        let mut words = format!("{:?} {}", route.kind, route.dst).to_lowercase();
        let optional = [
            ("via", route.via.map(|via| via.to_string())),
            ("dev", route.dev.clone()),
            ("table", route.table.map(|table| table.to_string())),
            ("src", route.src.map(|src| src.to_string())),
            ("metric", route.metric.map(|metric| metric.to_string())),
        ];
        for (word, value) in optional {
            words += &value
                .map(|value| format!(" {word} {value}"))
                .unwrap_or_default();
        }
        words
    }

    #[test]
    fn plain_routes() {
        check(
            "02000000fe0300010000000008000f00fe000000080005000af401010800040002000000",
            "unicast 0.0.0.0/0 via 10.244.1.1 dev eth0",
        );
        check(
            "02180000fe02fd010000000008000f00fe000000080001000af40100080007000af401050800040002000000",
            "unicast 10.244.1.0/24 dev eth0 src 10.244.1.5",
        );
        check(
            "0a000000fe0300010000000008000f00fe000000080006000004000014000500fd0000010000000000000000000000010800040002\
             000000",
            "unicast ::/0 via fd00:1::1 dev eth0 metric 1024",
        );
    }

    #[test]
    fn other_tables_and_types() {
        check(
            "020000008503fe020000000008000f00850000000800040001000000",
            "local 0.0.0.0/0 dev lo table 133",
        );
        check(
            "02100000fc0300070000000008000f0070110100080001000a3c00000800060005000000",
            "unreachable 10.60.0.0/16 table 70000 metric 5",
        );
        check(
            "02200000ff02fd030000000008000f00ff000000080001000af401ff080007000af401050800040002000000",
            "broadcast 10.244.1.255/32 dev eth0 table 255 src 10.244.1.5",
        );
    }

    #[test]
    fn several_next_hops_are_several_routes() {
        let hops =
            "02100000fe0300010000000008000f00fe000000080001000a3200002400090010000000020000000800\
                    05000af401071000FL000200000008000500 0af40108"
                .replace(' ', "");
        let (one, other) = (
            "unicast 10.50.0.0/16 via 10.244.1.7 dev eth0",
            "unicast 10.50.0.0/16 via 10.244.1.8 dev eth0",
        );
        check(&hops.replace("FL", "00"), &format!("{one}, {other}"));
        // The kernel ignores a dead next hop.
        check(&hops.replace("FL", "01"), one);
    }

    #[test]
    fn a_router_of_the_other_family() {
        check(
            "02100000fe0300010000000008000f00fe000000080001000a460000080007000af40106160012000a00fd0000010000000000000000\
             0000000900000800040002000000",
            "unicast 10.70.0.0/16 via fd00:1::9 dev eth0 src 10.244.1.6",
        );
    }

    #[test]
    fn what_the_format_cannot_state_is_left_out_and_said() {
        check(
            "02100010fe0300010000000008000f00fe000000080001000a500000080005000af401010800040002000000",
            "the route to 10.80.0.0/16 in table 254 is left out: it is only for packets with TOS 0x10",
        );
        check(
            "02100000fe03000b0000000008000f00fe000000080001000a500000",
            "the route to 10.80.0.0/16 in table 254 is left out: its type 11 is not known here",
        );
        // A nexthop object that the kernel does not resolve for older readers.
        check(
            "02100000fe0300010000000008000f00fe000000080001000a50000008001e0001000000",
            "the route to 10.80.0.0/16 in table 254 is left out: it refers to a nexthop object",
        );
    }

    #[test]
    fn a_copy_kept_for_one_destination_is_no_route() {
        check(
            "02000000fe0300010002000008000f00fe000000080005000af401010800040002000000",
            "",
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(mut bytes: Vec<u8>, six: bool, hops: bool) {
            if let [family, _, _, tos, ..] = bytes.as_mut_slice() {
                (*family, *tos) = (if six { AF_INET6 } else { AF_INET }, 0);
            }
            if let Some(kind) = bytes.get_mut(HEADER + 2).filter(|_| hops) {
                *kind = 9;
            }
            let _ = parse_routes(&bytes, &links());
            read_hops(&bytes);
        }
    }
}
