//! Random packets: sent, arriving, and forwarded.

use std::net::IpAddr;

use chainwalk_core::packet::{Family, Origin, Packet, Protocol, TcpFlags};
use chainwalk_core::text::names::SCTP_CHUNKS;
use proptest::prelude::*;
use proptest::sample::select;

use super::{ELSEWHERE, IDS, JOINED, MARKS, OWN, PORTS, of};

/// ICMP and ICMPv6 types: requests, replies, errors, and unnamed types.
const ICMP: [[u8; 12]; 2] = [
    [8, 8, 8, 0, 3, 5, 9, 10, 11, 13, 14, 17],
    [128, 128, 128, 129, 1, 2, 3, 130, 135, 137, 139, 200],
];

const ESP: Protocol = Protocol(50);
const AH: Protocol = Protocol(51);

/// The properties of a packet that its path does not depend on.
type Contents = (Protocol, Option<TcpFlags>, Option<(u8, u8)>);

fn contents(family: Family) -> impl Strategy<Value = Contents> {
    let icmp = match family {
        Family::Ipv4 => Protocol::ICMP,
        Family::Ipv6 => Protocol::ICMPV6,
    };
    let flags = prop_oneof![3 => Just(0x02), 1 => select(vec![0x10, 0x12, 0x18]), 2 => any::<u8>()];
    prop_oneof![
        4 => flags.prop_map(|flags| (Protocol::TCP, Some(TcpFlags(flags)), None)),
        2 => Just((Protocol::UDP, None, None)),
        1 => (select(ICMP[of(family)].to_vec()), prop_oneof![3 => Just(0), 1 => 0u8..5])
            .prop_map(move |kind| (icmp, None, Some(kind))),
        2 => (select(others(family)), Just(None), Just(None)),
    ]
}

fn address(pools: Vec<&'static str>) -> impl Strategy<Value = IpAddr> {
    select(pools).prop_map(|text| text.parse().expect("the pools hold addresses"))
}

fn port() -> impl Strategy<Value = u16> {
    prop_oneof![3 => select(PORTS.to_vec()), 1 => any::<u16>().prop_map(|port| port.max(1))]
}

/// The path of a packet: source, destination, and sender or input interface.
fn way(family: Family) -> impl Strategy<Value = Packet> {
    let own = || OWN[of(family)].to_vec();
    let elsewhere = || ELSEWHERE[of(family)].to_vec();
    let anywhere = || [own(), elsewhere()].concat();
    let base = |origin, src, dst| Packet {
        src: Some(src),
        ..Packet::to(origin, Protocol::TCP, dst)
    };
    let src = prop_oneof![8 => address(own()), 1 => address(elsewhere())];
    let dst = prop_oneof![7 => address(anywhere()), 1 => address(broad(family))];
    let local = (
        src,
        dst,
        select(IDS.to_vec()),
        select(IDS.to_vec()),
        select(MARKS.to_vec()),
    );
    let local = local.prop_map(move |(src, dst, uid, gid, mark)| Packet {
        uid: Some(uid),
        gid: Some(gid),
        mark,
        ..base(Origin::Local, src, dst)
    });
    let src = prop_oneof![24 => address(elsewhere()), 2 => address(own()), 1 => address(broad(family)), 6 => address(made(family))];
    let dst =
        prop_oneof![3 => address(own()), 6 => address(elsewhere()), 1 => address(broad(family))];
    let inbound = (src, dst, select(vec!["eth0", "eth0", "eth1"]));
    let inbound = inbound.prop_map(move |(src, dst, interface)| Packet {
        in_interface: Some(interface.into()),
        src_mac: Some(MAC.into()),
        packet_type: Some("unicast".into()),
        ..base(Origin::Inbound, src, dst)
    });
    prop_oneof![local, inbound]
}

/// The source hardware address of all packets, and another one that rules test.
pub const MAC: &str = "02:00:00:00:00:99";

/// IPv6 addresses that are derived from that hardware address, and similar ones.
fn made(family: Family) -> Vec<&'static str> {
    match family {
        Family::Ipv4 => vec!["10.244.1.77"],
        Family::Ipv6 => vec![
            "fd00:1::ff:fe00:99",
            "2001:db8::ff:fe00:99",
            "fd00:1::ff:fe00:98",
        ],
    }
}

/// IPv6 headers before the payload, in their order.
fn ipv6_headers(family: Family) -> BoxedStrategy<Option<Vec<String>>> {
    let names = |names: Vec<&str>| Some(names.into_iter().map(str::to_owned).collect());
    match family {
        Family::Ipv4 => Just(None).boxed(),
        Family::Ipv6 => prop_oneof![
            6 => Just(Some(Vec::new())),
            2 => prop::sample::subsequence(vec!["hop-by-hop", "dst", "route", "ah"], 1..=2).prop_map(names),
        ]
        .boxed(),
    }
}

/// Addresses of several hosts: broadcasts, groups that every host joins, [`JOINED`], and groups
/// that no host joins.
fn broad(family: Family) -> Vec<&'static str> {
    let rest = match family {
        Family::Ipv4 => [
            "10.244.1.255",
            "255.255.255.255",
            "224.0.0.1",
            "224.0.0.251",
            "239.9.9.9",
        ],
        Family::Ipv6 => [
            "ff02::1",
            "ff02::1:ff00:5",
            "ff01::1",
            "ff02::fb",
            "ff05::2",
        ],
    };
    [[JOINED[of(family)]].as_slice(), &rest].concat()
}

/// Protocols that iptables knows little about: with ports, tunnels, and an unused one. In IPv6, AH
/// is an extension header.
fn others(family: Family) -> Vec<Protocol> {
    const GRE: Protocol = Protocol(47);
    const IPCOMP: Protocol = Protocol(108);
    const MOBILITY: Protocol = Protocol(135);
    let all = [
        Protocol(253),
        Protocol::SCTP,
        Protocol::SCTP,
        Protocol::UDPLITE,
        Protocol::DCCP,
        GRE,
        ESP,
        IPCOMP,
    ];
    let own = match family {
        Family::Ipv4 => AH,
        Family::Ipv6 => MOBILITY,
    };
    [all.as_slice(), &[own]].concat()
}

/// One chunk in most cases.
fn chunks() -> impl Strategy<Value = Vec<String>> {
    let chunk =
        || prop_oneof![1 => Just("INIT"), 2 => select(SCTP_CHUNKS.map(|(name, ..)| name).to_vec())];
    prop_oneof![3 => prop::collection::vec(chunk(), 1), 1 => prop::collection::vec(chunk(), 0..4)]
        .prop_map(|names| names.into_iter().map(str::to_owned).collect())
}

/// A packet of one family.
pub fn packet(family: Family) -> impl Strategy<Value = Packet> {
    let rest = (
        select(vec![0, 0, 10, 46]),
        0u8..4,
        select(vec![64, 64, 64, 64, 64, 1, 2, 255]),
        prop_oneof![9 => 0u32..64, 1 => 64u32..1300],
    );
    let stated = (
        ipv6_headers(family),
        prop::option::of(select(vec![536, 1400, 1460])),
        select(vec![1, 7, 300]),
    );
    (
        way(family),
        contents(family),
        (port(), port(), chunks()),
        rest,
        stated,
    )
        .prop_map(
            |(
                way,
                (protocol, tcp_flags, icmp),
                (sport, dport, chunks),
                (dscp, ecn, ttl, payload_length),
                (headers, mss, spi),
            )| {
                let chunk_bytes = u32::try_from(20 * chunks.len()).expect("chunks are few");
                Packet {
                    protocol,
                    sctp_chunks: (protocol == Protocol::SCTP).then_some(chunks),
                    mss: mss.filter(|_| protocol == Protocol::TCP),
                    tcp_options: (protocol == Protocol::TCP)
                        .then(|| mss.map(|_| 2).into_iter().collect()),
                    // ESP, AH and IPComp have one, and so has an AH among the headers of IPv6.
                    spi: Some(spi),
                    ipv6_headers: headers,
                    tcp_flags,
                    icmp_type: icmp.map(|(kind, _)| kind),
                    icmp_code: icmp.map(|(_, code)| code),
                    sport: protocol.has_ports().then_some(sport),
                    dport: protocol.has_ports().then_some(dport),
                    dscp,
                    ecn,
                    ttl,
                    payload_length: match protocol {
                        // Longer packets arrive as INVALID with the checksum of short ones.
                        Protocol::UDPLITE => payload_length % 64,
                        // The payload consists of chunks, with at least 20 bytes.
                        Protocol::SCTP if chunk_bytes == 0 => 0,
                        Protocol::SCTP => payload_length.max(chunk_bytes),
                        _ => payload_length,
                    },
                    ..way
                }
            },
        )
}
