//! The namespace of the rules in two forms: as commands of `ip`, and as the walk's host. Both must
//! be equal.

use chainwalk_core::packet::Protocol;
use chainwalk_core::packet::host::{
    Host, Interface, Prefix, Route, RouteKind, RoutingRule, Socket,
};
use chainwalk_tests::random::JOINED;
use proptest::prelude::*;

/// Routes and routing rules beyond those of a pod, as arguments of `ip`. [`host`] states the same.
pub(crate) const ROUTES: [&str; 33] = [
    "link set eth1 group 0x11",
    "address add 172.16.0.5/24 dev eth1",
    "address add fd00:2::5/64 dev eth1 nodad",
    "neighbour add 172.16.0.1 lladdr 02:00:00:00:00:01 dev eth1 nud permanent",
    "neighbour add 172.16.0.9 lladdr 02:00:00:00:00:01 dev eth1 nud permanent",
    "neighbour add 10.244.1.77 lladdr 02:00:00:00:00:01 dev eth0 nud permanent",
    "neighbour add fd00:2::1 lladdr 02:00:00:00:00:01 dev eth1 nud permanent",
    "neighbour add fd00:2::9 lladdr 02:00:00:00:00:01 dev eth1 nud permanent",
    "neighbour add fd00:1::77 lladdr 02:00:00:00:00:01 dev eth0 nud permanent",
    "route add 10.9.9.0/24 via 172.16.0.1 dev eth1",
    "route add unreachable 10.66.0.0/16",
    "route add blackhole 10.67.0.0/16",
    "route add prohibit 10.68.0.0/16",
    "-6 route add 2001:db8:99::/48 via fd00:2::1 dev eth1",
    "-6 route add unreachable 2001:db8:66::/48",
    "-6 route add blackhole 2001:db8:67::/48",
    "-6 route add prohibit 2001:db8:68::/48",
    "rule add fwmark 0x1 lookup 100 priority 100",
    "-6 rule add fwmark 0x1 lookup 100 priority 100",
    "rule add fwmark 0x539/0xfff lookup 133 priority 101",
    "-6 rule add fwmark 0x539/0xfff lookup 133 priority 101",
    "route add default via 172.16.0.1 dev eth1 table 100",
    "-6 route add default via fd00:2::1 dev eth1 table 100",
    "address add 10.244.1.44/24 dev eth0",
    "address add fd00:1::44/64 dev eth0 nodad",
    "rule add not iif lo lookup 134 priority 102",
    "-6 rule add not iif lo lookup 134 priority 102",
    "rule add from 10.9.9.0/24 iif eth1 lookup 100 priority 103",
    "-6 rule add from 2001:db8:99::/48 iif eth1 lookup 100 priority 103",
    "route add 10.9.0.0/24 via 172.16.0.1 dev eth1 table 134",
    "-6 route add 2001:db8:9::/64 via fd00:2::1 dev eth1 table 134",
    "route add local default dev lo table 133",
    "-6 route add local default dev lo table 133",
];
/// The listening port: TCP and UDP, on any address.
pub(crate) const LISTENS: u16 = 15006;

fn prefix(text: &str) -> Prefix {
    text.parse().expect("a literal prefix")
}

/// The namespace as the walk's host.
pub(crate) fn host(settings: Settings) -> Host {
    let mut host = Host::pod();
    let addresses = ["172.16.0.5/24", "fd00:2::5/64"].map(prefix).into();
    for interface in &mut host.interfaces {
        let joined = JOINED.map(|group| group.parse().expect("a literal address"));
        interface.multicast_groups = Some(if interface.name == "eth0" {
            joined.into()
        } else {
            Vec::new()
        });
        if interface.name == "eth0" {
            // In the order of `ip address`: for IPv6, the last one comes first.
            interface.addresses = [
                "10.244.1.5/24",
                "10.244.1.44/24",
                "fd00:1::44/64",
                "fd00:1::5/64",
            ]
            .map(prefix)
            .into();
        }
    }
    host.interfaces.push(Interface {
        name: "eth1".into(),
        addresses,
        group: Some(0x11),
        master: None,
        multicast_groups: Some(Vec::new()),
    });
    let route = |dst: &str, kind, dev: Option<&str>, table| Route {
        dst: prefix(dst),
        via: None,
        dev: dev.map(str::to_owned),
        kind,
        table,
        src: None,
        metric: None,
    };
    host.routes.extend([
        route("10.9.9.0/24", RouteKind::Unicast, Some("eth1"), None),
        route("10.66.0.0/16", RouteKind::Unreachable, None, None),
        route("10.67.0.0/16", RouteKind::Blackhole, None, None),
        route("10.68.0.0/16", RouteKind::Prohibit, None, None),
        route("2001:db8:99::/48", RouteKind::Unicast, Some("eth1"), None),
        route("2001:db8:66::/48", RouteKind::Unreachable, None, None),
        route("2001:db8:67::/48", RouteKind::Blackhole, None, None),
        route("2001:db8:68::/48", RouteKind::Prohibit, None, None),
        route("0.0.0.0/0", RouteKind::Unicast, Some("eth1"), Some(100)),
        route("::/0", RouteKind::Unicast, Some("eth1"), Some(100)),
        route("10.9.0.0/24", RouteKind::Unicast, Some("eth1"), Some(134)),
        route(
            "2001:db8:9::/64",
            RouteKind::Unicast,
            Some("eth1"),
            Some(134),
        ),
        route("0.0.0.0/0", RouteKind::Local, Some("lo"), Some(133)),
        route("::/0", RouteKind::Local, Some("lo"), Some(133)),
    ]);
    let rule = |fwmark, mask, table, priority| RoutingRule {
        fwmark: Some(fwmark),
        mask,
        table: Some(table),
        priority: Some(priority),
        ..RoutingRule::default()
    };
    let not_sent = RoutingRule {
        iif: Some("lo".into()),
        not: true,
        table: Some(134),
        priority: Some(102),
        ..RoutingRule::default()
    };
    let behind = |from| RoutingRule {
        from: Some(prefix(from)),
        iif: Some("eth1".into()),
        table: Some(100),
        priority: Some(103),
        ..RoutingRule::default()
    };
    host.rules = vec![
        rule(0x1, None, 100, 100),
        rule(0x539, Some(0xfff), 133, 101),
        not_sent,
    ];
    host.rules
        .extend([behind("10.9.9.0/24"), behind("2001:db8:99::/48")]);
    host.sysctls = settings
        .sysctls()
        .map(|(name, value)| (name.replace('/', "."), value.to_owned()))
        .collect();
    let listener = |protocol, address: &str| Socket {
        protocol,
        address: address.parse().expect("a literal address"),
        port: LISTENS,
        pid: None,
        uid: None,
        command: None,
    };
    let both = [Protocol::TCP, Protocol::UDP];
    host.sockets = both
        .iter()
        .flat_map(|of| [listener(*of, "0.0.0.0"), listener(*of, "::")])
        .collect();
    host
}

/// Kernel settings that change the path of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    forwarding: bool,
    route_localnet: bool,
    rp_filter: &'static str,
}

impl Settings {
    /// The settings by their paths under `/proc/sys`.
    pub(crate) fn sysctls(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let value = |on| if on { "1" } else { "0" };
        [
            ("net/ipv4/ip_forward", value(self.forwarding)),
            ("net/ipv6/conf/all/forwarding", value(self.forwarding)),
            (
                "net/ipv4/conf/all/route_localnet",
                value(self.route_localnet),
            ),
            ("net/ipv4/conf/all/rp_filter", self.rp_filter),
        ]
        .into_iter()
    }

    /// The settings of a usual pod.
    pub(crate) fn pod() -> Self {
        Self {
            forwarding: false,
            route_localnet: false,
            rp_filter: "0",
        }
    }

    pub(crate) fn any() -> impl Strategy<Value = Self> {
        let rp_filter = prop_oneof![4 => Just("0"), 1 => Just("1"), 1 => Just("2")];
        (prop::bool::weighted(0.9), any::<bool>(), rp_filter).prop_map(
            |(forwarding, route_localnet, rp_filter)| Self {
                forwarding,
                route_localnet,
                rp_filter,
            },
        )
    }
}
