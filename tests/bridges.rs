//! Bridges in a real kernel. The counters of `-m physdev` rules and of the hooks for a packet that
//! a bridge port receives must equal the walk, for a packet that the bridge forwards, a packet for
//! this host, and a packet that this host routes. Requires root, iproute2 and iptables, and a
//! kernel with br_netfilter.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::{IpAddr, UdpSocket};

use chainwalk_core::input::parse::parse;
use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::packet::host::{Host, Interface};
use chainwalk_core::packet::{Family, Origin, Packet, Protocol};
use chainwalk_core::walk::trace::{Outcome, VerdictKind};
use chainwalk_core::walk::walk;
use chainwalk_tests::namespace::{Namespace, program, require, try_wait_for};

/// The destination port of the test datagrams. No rule counts anything else.
const PORT: u16 = 9999;
/// By family: the address of the bridge, the hosts at its two ports, an unused address, and the
/// second network.
const BRIDGE: [&str; 2] = ["10.9.0.1", "fd00:9::1"];
const ONE: [&str; 2] = ["10.9.0.2", "fd00:9::2"];
const TWO: [&str; 2] = ["10.9.0.3", "fd00:9::3"];
const NOBODY: [&str; 2] = ["10.9.0.77", "fd00:9::77"];
const BRIDGE_BEYOND: [&str; 2] = ["10.19.0.1", "fd00:19::1"];
const TWO_BEYOND: [&str; 2] = ["10.19.0.3", "fd00:19::3"];
const BRIDGE_MAC: &str = "02:00:00:00:00:90";
const TWO_MAC: &str = "02:00:00:00:00:92";

/// A namespace with a bridge, and a host at each of two ports.
struct Scene {
    node: Namespace,
    one: Namespace,
    _two: Namespace,
    backend: Backend,
    family: Family,
    forwards: bool,
    calls_iptables: bool,
    /// The source port of the next datagram. Each datagram is the first of its connection.
    next_port: Cell<u16>,
}

fn of(family: Family) -> usize {
    usize::from(family == Family::Ipv6)
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("a literal address")
}

impl Scene {
    fn new(backend: Backend, family: Family) -> Self {
        let [node, one, two] = ["node", "one", "two"].map(Namespace::new);
        node.ip(&format!("link add br0 address {BRIDGE_MAC} type bridge"));
        for (port, end, mac) in [("p1", &one, "02:00:00:00:00:91"), ("p2", &two, TWO_MAC)] {
            let name = end.name();
            node.ip(&format!(
                "link add {port} type veth peer name eth0 address {mac} netns {name}"
            ));
            node.ip(&format!("link set {port} master br0"));
            node.ip(&format!("link set {port} up"));
            end.ip("link set lo up");
            end.ip("link set eth0 up");
        }
        node.ip("link set br0 up");
        let length = if family == Family::Ipv6 { "64" } else { "24" };
        let nodad = if family == Family::Ipv6 { "nodad" } else { "" };
        let at = of(family);
        for (own, addresses, device) in [
            (&node, [BRIDGE[at], BRIDGE_BEYOND[at]], "br0"),
            (&one, [ONE[at], ONE[at]], "eth0"),
            (&two, [TWO[at], TWO_BEYOND[at]], "eth0"),
        ] {
            for address in addresses {
                own.ip(&format!(
                    "address replace {address}/{length} dev {device} {nodad}"
                ));
            }
        }
        one.ip(&format!(
            "neighbour add {} lladdr {TWO_MAC} dev eth0 nud permanent",
            NOBODY[at]
        ));
        one.ip(&format!("route add default via {}", BRIDGE[at]));
        Self {
            node,
            one,
            _two: two,
            backend,
            family,
            forwards: false,
            calls_iptables: true,
            next_port: Cell::new(40_000),
        }
    }

    fn set(&mut self, forwards: bool, calls_iptables: bool) {
        (self.forwards, self.calls_iptables) = (forwards, calls_iptables);
        for (name, value) in self.sysctls() {
            self.node.set(&name.replace('.', "/"), &value);
        }
    }

    fn sysctls(&self) -> BTreeMap<String, String> {
        let value = |on: bool| String::from(if on { "1" } else { "0" });
        let forwarding = ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"]
            .map(|name| (name, self.forwards));
        let calls = [
            "net.bridge.bridge-nf-call-iptables",
            "net.bridge.bridge-nf-call-ip6tables",
        ];
        let all = forwarding
            .into_iter()
            .chain(calls.map(|name| (name, self.calls_iptables)));
        all.map(|(name, on)| (name.to_owned(), value(on))).collect()
    }

    fn host(&self) -> Host {
        let interface = |name: &str, addresses: Vec<String>, master: Option<&str>| Interface {
            name: name.into(),
            addresses: addresses
                .iter()
                .map(|address| address.parse().expect("a prefix"))
                .collect(),
            group: None,
            master: master.map(str::to_owned),
            multicast_groups: None,
        };
        let (at, length) = (
            of(self.family),
            if self.family == Family::Ipv6 { 64 } else { 24 },
        );
        let own = [BRIDGE[at], BRIDGE_BEYOND[at]].map(|address| format!("{address}/{length}"));
        Host {
            interfaces: vec![
                interface("lo", Vec::new(), None),
                interface("br0", own.into(), None),
                interface("p1", Vec::new(), Some("br0")),
                interface("p2", Vec::new(), Some("br0")),
            ],
            sysctls: self.sysctls(),
            ..Host::default()
        }
    }

    fn saved(&self) -> String {
        self.node
            .run(&program(self.backend, self.family, "save"), &["-c"])
    }

    /// Loads the probes and these rules of table nat, sends a datagram, and compares the kernel's
    /// counters with the walk.
    fn judge(
        &self,
        what: &str,
        nat: &str,
        (from, to): (&Namespace, &str),
        packet: &Packet,
    ) -> VerdictKind {
        let port = self.next_port.replace(self.next_port.get() + 1);
        let packet = &Packet {
            sport: Some(port),
            ..packet.clone()
        };
        self.node.load(self.backend, self.family, &rules(nat));
        let parsed = parse(self.saved());
        assert_eq!(parsed.diagnostics, []);
        let trace = walk(&parsed.rulesets, None, &self.host(), packet);
        assert!(
            trace.certain,
            "{what}: {:?} {:?}",
            trace.assumes, trace.branches
        );
        let matched = trace
            .path
            .steps
            .iter()
            .filter(|step| step.outcome == Outcome::Match);
        let expected: Vec<_> = matched
            .map(|step| {
                let (_, table, chain) = step.place.at.find(&parsed.rulesets);
                (
                    table.name.to_string(),
                    chain.name.to_string(),
                    step.place.rule.unwrap_or_default() + 1,
                )
            })
            .collect();
        let any = any(self.family);
        let socket = from.inside(move || UdpSocket::bind((any, port)).expect("the port is free"));
        socket
            .send_to(b"x", (address(to), PORT))
            .expect("it is sent");
        let count = || {
            let parsed = parse(self.saved());
            let mut counted = Vec::new();
            for (set, table) in parsed
                .rulesets
                .iter()
                .flat_map(|set| set.tables.iter().map(move |table| (set, table)))
            {
                for chain in &table.chains {
                    for (number, rule) in (1..).zip(&chain.rules) {
                        let packets = rule
                            .counters
                            .counters(set)
                            .map_or(0, |counters| counters.packets);
                        let spot = (table.name.to_string(), chain.name.to_string(), number);
                        counted.extend((0..packets).map(|_| spot.clone()));
                    }
                }
            }
            counted
        };
        let sorted = |mut spots: Vec<(String, String, u32)>| {
            spots.sort();
            spots
        };
        let expected = sorted(expected);
        let is_counted = try_wait_for(|| sorted(count()) == expected);
        assert!(
            is_counted,
            "{what}, {:?} {}:\n{}\nthe walk: {expected:?}",
            self.backend,
            self.family,
            self.saved()
        );
        trace.verdict().expect("it is certain").kind
    }

    /// A datagram from the host at the first port.
    fn datagram(&self, to: &str) -> Packet {
        Packet {
            in_interface: Some("br0".into()),
            physdev_in: Some("p1".into()),
            src: Some(address(ONE[of(self.family)])),
            dport: Some(PORT),
            payload_length: 1,
            packet_type: Some("unicast".into()),
            ..Packet::to(Origin::Inbound, Protocol::UDP, address(to))
        }
    }
}

fn any(family: Family) -> IpAddr {
    match family {
        Family::Ipv4 => std::net::Ipv4Addr::UNSPECIFIED.into(),
        Family::Ipv6 => std::net::Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// Rules that distinguish the interfaces and ports of a datagram at every hook, and its hop limit.
fn rules(nat: &str) -> String {
    let conditions = |hook: &str| {
        let mut all = vec![
            "-m physdev --physdev-is-in",
            "-m physdev ! --physdev-is-in",
            "-m physdev --physdev-in p1",
            "-m physdev ! --physdev-in p1",
            "-m physdev --physdev-in p+",
            "-m physdev ! --physdev-is-bridged",
            "-m conntrack --ctstate NEW",
        ];
        if hook != "OUTPUT" {
            all.extend([
                "-m physdev --physdev-is-bridged",
                "-m physdev --physdev-is-out",
                "-m physdev ! --physdev-is-out",
                "-m physdev --physdev-out p2",
                "-m physdev ! --physdev-out p2",
                "-m physdev ! --physdev-out p1",
                "-m physdev --physdev-in p1 --physdev-out p2 --physdev-is-bridged",
            ]);
        }
        match hook {
            "PREROUTING" | "INPUT" => all.extend(["-i br0", "-i p1"]),
            "FORWARD" => all.extend(["-i br0", "-i p1", "-o br0", "-o p2"]),
            _ => all.extend(["-o br0", "-o p2"]),
        }
        all
    };
    let hooks = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];
    let chains: String = hooks
        .iter()
        .map(|hook| format!(":{hook} ACCEPT [0:0]\n"))
        .collect();
    let mut mangle = String::new();
    for hook in hooks {
        for condition in conditions(hook) {
            mangle += &format!("-A {hook} -p udp -m udp --dport {PORT} {condition}\n");
        }
    }
    // A chain that POSTROUTING calls may test the input interface.
    let late = format!(
        ":late - [0:0]\n-A POSTROUTING -p udp -m udp --dport {PORT} -j late\n-A late -i br0\n"
    );
    let (declared, late) = late.split_once('\n').expect("two parts");
    format!(
        "*mangle\n{chains}{declared}\n{mangle}{late}COMMIT\n*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n\
         :OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n{nat}COMMIT\n"
    )
}

fn judge(backend: Backend, family: Family) {
    let mut scene = Scene::new(backend, family);
    let at = of(family);
    let bridged = |packet: Packet| Packet {
        physdev_out: Some("p2".into()),
        bridged: Some(true),
        ..packet
    };
    scene.set(false, true);
    let to_two = scene.datagram(TWO[at]);
    let one = &scene.one;
    let judge = |what, nat: &str, to, packet: &Packet| scene.judge(what, nat, (one, to), packet);
    assert_eq!(
        judge("bridged", "", TWO[at], &bridged(to_two.clone())),
        VerdictKind::Forwarded
    );
    // The host shows the bridge of the port, and its only other port.
    let by_port = Packet {
        in_interface: Some("p1".into()),
        physdev_in: None,
        bridged: Some(true),
        ..to_two.clone()
    };
    assert_eq!(
        judge("bridged, by its port", "", TWO[at], &by_port),
        VerdictKind::Forwarded
    );
    let masquerade = "-A POSTROUTING -p udp -m physdev --physdev-is-bridged -j MASQUERADE\n";
    judge(
        "bridged and masqueraded",
        masquerade,
        TWO[at],
        &bridged(to_two.clone()),
    );
    let target = |address: &str| {
        if family == Family::Ipv6 {
            format!("[{address}]")
        } else {
            address.to_owned()
        }
    };
    let dnat = |to: &str| {
        format!(
            "-A PREROUTING -d {} -p udp -j DNAT --to-destination {}\n",
            NOBODY[at],
            target(to)
        )
    };
    let to_nobody = bridged(scene.datagram(NOBODY[at]));
    // Linux 6.18 requires forwarding here only for IPv4.
    let end = if family == Family::Ipv4 {
        VerdictKind::Dropped
    } else {
        VerdictKind::Forwarded
    };
    assert_eq!(
        judge("to the other port", &dnat(TWO[at]), NOBODY[at], &to_nobody),
        end
    );
    let listener = scene
        .node
        .inside(|| UdpSocket::bind((any(family), PORT)).expect("the port is free"));
    assert_eq!(
        judge("to this host", &dnat(BRIDGE[at]), NOBODY[at], &to_nobody),
        VerdictKind::Delivered
    );
    let to_bridge = scene.datagram(BRIDGE[at]);
    assert_eq!(
        judge("for this host", "", BRIDGE[at], &to_bridge),
        VerdictKind::Delivered
    );
    let local = Packet {
        src: Some(address(BRIDGE[at])),
        uid: Some(0),
        gid: Some(0),
        dport: Some(PORT),
        payload_length: 1,
        ..Packet::to(Origin::Local, Protocol::UDP, address(TWO[at]))
    };
    assert_eq!(
        scene.judge("sent", "", (&scene.node, TWO[at]), &local),
        VerdictKind::Sent
    );
    scene.set(true, true);
    let routed = Packet {
        bridged: Some(false),
        ..scene.datagram(TWO_BEYOND[at])
    };
    let judge =
        |what, nat: &str, to, packet: &Packet| scene.judge(what, nat, (&scene.one, to), packet);
    assert_eq!(
        judge("routed", "", TWO_BEYOND[at], &routed),
        VerdictKind::Forwarded
    );
    let end = judge(
        "to the other port, with forwarding",
        &dnat(TWO[at]),
        NOBODY[at],
        &to_nobody,
    );
    assert_eq!(end, VerdictKind::Forwarded);
    scene.set(false, false);
    let unseen = bridged(to_two);
    assert_eq!(
        scene.judge("bridged unseen", "", (&scene.one, TWO[at]), &unseen),
        VerdictKind::Forwarded
    );
    assert_eq!(
        scene.judge(
            "for this host, unseen",
            "",
            (&scene.one, BRIDGE[at]),
            &to_bridge
        ),
        VerdictKind::Delivered
    );
    drop(listener);
}

#[test]
fn bridged_packets_are_the_kernels() {
    require(&["ip", "iptables-legacy-restore", "iptables-nft-restore"]);
    for backend in [Backend::Legacy, Backend::Nft] {
        for family in [Family::Ipv4, Family::Ipv6] {
            judge(backend, family);
        }
    }
}
