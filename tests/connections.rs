//! Connections with several packets, made with real sockets: the kernel's counters of a whole
//! exchange must equal the walks of its packets, one walk for each packet.
//!
//! Replies are walked with their translation reversed, and later packets with the translation that
//! the first packet set up. The walk from state and direction alone must agree or be undetermined.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};

use chainwalk_core::input::parse::{Parsed, parse};
use chainwalk_core::iptables::table_name::TableName;
use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::packet::host::{Host, Interface, Route, RouteKind};
use chainwalk_core::packet::{ConnectionState, Family, Origin, Owner, Packet, Protocol, TcpFlags};
use chainwalk_core::walk::connection::{Translation, later, reply};
use chainwalk_core::walk::trace::{Outcome, Path, Trace};
use chainwalk_core::walk::{walk, walk_in_connection};
use chainwalk_tests::namespace::{Namespace, Pod, program, require, try_wait_for};

/// A counter: table, chain, and the rule's number from 1, or 0 for the policy.
type Counter = (Box<str>, String, usize);

/// A pod with rules, and a router that answers.
struct Scene {
    pod: Pod,
    backend: Backend,
    family: Family,
    parsed: Parsed,
    expected: BTreeMap<Counter, u64>,
}

impl Scene {
    fn new(label: &str, backend: Backend, family: Family) -> Self {
        let pod = Pod::new(label);
        let place = place(family);
        let (router, address) = (&pod.router, Pod::ADDRESSES[place]);
        router.ip("link set lo up");
        let length = address.split_once('/').expect("a prefix").1;
        let nodad = if family == Family::Ipv6 { "nodad" } else { "" };
        router.ip(&format!(
            "address add {}/{length} dev eth0 {nodad}",
            Pod::ROUTERS[place]
        ));
        let own = own_address(family);
        router.ip(&format!(
            "neighbour add {own} lladdr {} dev eth0 nud permanent",
            Pod::MAC
        ));
        Self {
            pod,
            backend,
            family,
            parsed: Parsed::default(),
            expected: BTreeMap::new(),
        }
    }

    /// Loads rules. The counters start at 0.
    fn load(&mut self, rules: &str) {
        self.pod.namespace.load(self.backend, self.family, rules);
        self.parsed = parse(self.saved());
        assert_eq!(self.parsed.diagnostics, []);
        self.expected.clear();
    }

    fn saved(&self) -> String {
        self.pod
            .namespace
            .run(&program(self.backend, self.family, "save"), &["-c"])
    }

    /// Walks one packet, and expects the kernel to count its matches.
    fn expect(&mut self, (packet, translation): (Packet, Translation)) -> Trace {
        let trace = walk_in_connection(
            &self.parsed.rulesets,
            None,
            &self.host(),
            &packet,
            translation,
        );
        self.count(trace)
    }

    /// Walks one packet without a known translation, and expects the kernel to count its matches.
    fn expect_alone(&mut self, packet: &Packet) -> Trace {
        let trace = walk(&self.parsed.rulesets, None, &self.host(), packet);
        self.count(trace)
    }

    fn count(&mut self, trace: Trace) -> Trace {
        assert!(trace.certain, "{:?}", trace.path);
        for counter in self.counters_of(&trace.path) {
            *self.expected.entry(counter).or_default() += 1;
        }
        trace
    }

    /// The counters that a path increases, in order.
    fn counters_of(&self, path: &Path) -> Vec<Counter> {
        let counted = path
            .steps
            .iter()
            .filter(|step| matches!(step.outcome, Outcome::Match | Outcome::Policy));
        counted
            .map(|step: chainwalk_core::walk::trace::Step| {
                let (_, table, chain) = step.place.at.find(&self.parsed.rulesets);
                (
                    table.name.clone(),
                    chain.name.to_string(),
                    step.place.rule.map_or(0, |rule| rule as usize + 1),
                )
            })
            .collect()
    }

    /// Walks a packet of a connection without a known translation. If the walk with the right
    /// translation is not the answer, it must be one of the branches, or the walk must stop because
    /// the translation is unknown.
    fn compare_alone(&self, packet: &Packet, known: &Trace) -> Trace {
        let alone = walk(&self.parsed.rulesets, None, &self.host(), packet);
        let ends = |path: &Path| {
            let view = path.result();
            let verdict = path
                .verdict
                .as_ref()
                .map(|verdict| (verdict.kind, verdict.port, verdict.interface.clone()));
            (
                self.counters_of(path),
                verdict,
                view.src,
                view.dst,
                view.sport,
                view.dport,
            )
        };
        let paths: Vec<&Path> = match alone.certain {
            true => vec![&alone.path],
            false => alone.branches.iter().map(|branch| &branch.path).collect(),
        };
        let agrees = paths.iter().any(|path| ends(path) == ends(&known.path));
        let stops = !alone.certain && paths.iter().any(|path| path.stopped.is_some());
        assert!(
            agrees || stops,
            "{packet:?}: alone {:?}, known {:?}",
            alone.branches,
            known.path
        );
        alone
    }

    fn expect_first(&mut self, packet: Packet) -> Trace {
        self.expect((packet, Translation::default()))
    }

    fn expect_reply(&mut self, first: &Trace) {
        let (packet, translation) = reply(first).expect("the first packet gets through");
        // This test answers, or the kernel for it, so the sockets belong to root.
        let owner = (packet.origin == Origin::Local).then_some(0);
        let packet = Packet {
            uid: owner,
            gid: owner,
            ..packet
        };
        let trace = self.expect((packet.clone(), translation));
        self.compare_alone(&packet, &trace);
    }

    fn expect_later(&mut self, first: &Trace) {
        let (packet, translation) = later(first).expect("the first packet gets through");
        let trace = self.expect((packet.clone(), translation));
        assert!(
            self.compare_alone(&packet, &trace).certain,
            "the first packet's way is certain: {packet:?}"
        );
    }

    /// A TCP handshake: SYN, its answer, and the ACK.
    fn expect_handshake(&mut self, first: Packet) -> Trace {
        let trace = self.expect_first(first);
        self.expect_reply(&trace);
        self.expect_later(&trace);
        trace
    }

    /// The kernel's counters since the rules were loaded.
    fn counted(&self) -> BTreeMap<Counter, u64> {
        let parsed = parse(self.saved());
        let mut counted = BTreeMap::new();
        for (set, table) in parsed
            .rulesets
            .iter()
            .flat_map(|set| set.tables.iter().map(move |table| (set, table)))
        {
            for chain in &table.chains {
                let rules = chain.rules.iter().map(|rule| rule.counters);
                // Neighbor discovery and similar packets occur at any time. The first rule takes
                // them.
                let noise = self.family == Family::Ipv6
                    && chain.hook().is_some()
                    && !table.is(TableName::Nat);
                for (number, counters) in (0..).zip([chain.counters].into_iter().chain(rules)) {
                    let packets = counters
                        .counters(set)
                        .map_or(0, |counters| counters.packets);
                    if packets > 0 && !(noise && number == 1) {
                        counted.insert(
                            (table.name.clone(), chain.name.to_string(), number),
                            packets,
                        );
                    }
                }
            }
        }
        counted
    }

    /// Waits until the kernel has counted the expected packets.
    fn judge(&self, what: &str) {
        if try_wait_for(|| self.counted() == self.expected) {
            return;
        }
        let counted = self.counted();
        let counters: BTreeSet<&Counter> = counted.keys().chain(self.expected.keys()).collect();
        let mut differ = String::new();
        for counter in counters {
            let (kernel, walks) = (counted.get(counter), self.expected.get(counter));
            if kernel != walks {
                let [kernel, walks] =
                    [kernel, walks].map(|count| count.copied().unwrap_or_default());
                let (table, chain, rule) = counter;
                differ += &format!(
                    "{table} {chain} {rule}: the kernel counted {kernel}, the walks say {walks}\n"
                );
            }
        }
        panic!(
            "{what}, {:?} {}:\n{}\n{differ}",
            self.backend,
            self.family,
            self.saved()
        );
    }

    fn host(&self) -> Host {
        let interface = |name: &str, addresses: [&str; 2]| Interface {
            name: name.into(),
            addresses: addresses
                .iter()
                .map(|address| address.parse().expect("a prefix"))
                .collect(),
            group: None,
            master: None,
            multicast_groups: None,
        };
        let default = |dst: &str, via: &str| Route {
            dst: dst.parse().expect("a prefix"),
            via: Some(via.parse().expect("an address")),
            dev: Some("eth0".into()),
            kind: RouteKind::Unicast,
            table: None,
            src: None,
            metric: None,
        };
        Host {
            interfaces: vec![
                interface("lo", ["127.0.0.1/8", "::1/128"]),
                interface("eth0", Pod::ADDRESSES),
            ],
            routes: vec![
                default("0.0.0.0/0", Pod::ROUTERS[0]),
                default("::/0", Pod::ROUTERS[1]),
            ],
            ..Host::default()
        }
    }
}

fn place(family: Family) -> usize {
    match family {
        Family::Ipv4 => 0,
        Family::Ipv6 => 1,
    }
}

fn own_address(family: Family) -> IpAddr {
    Pod::ADDRESSES[place(family)]
        .split_once('/')
        .expect("a prefix")
        .0
        .parse()
        .expect("an address")
}

fn router_address(family: Family) -> IpAddr {
    Pod::ROUTERS[place(family)].parse().expect("an address")
}

/// An address that only a rule can translate to.
fn far_address(family: Family) -> IpAddr {
    match family {
        Family::Ipv4 => [198, 51, 100, 7].into(),
        Family::Ipv6 => "2001:db8::7".parse().expect("an address"),
    }
}

fn any_address(family: Family) -> IpAddr {
    match family {
        Family::Ipv4 => std::net::Ipv4Addr::UNSPECIFIED.into(),
        Family::Ipv6 => std::net::Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// Rules that distinguish every state and both ends of a packet at every hook, around the given
/// rules of table nat.
fn rules(family: Family, nat: &str) -> String {
    let noise = if family == Family::Ipv6 {
        "-A CHAIN -p ipv6-icmp -j ACCEPT\n"
    } else {
        ""
    };
    let chains = |hooks: &[&str]| -> String {
        hooks
            .iter()
            .map(|hook| format!(":{hook} ACCEPT [0:0]\n"))
            .collect()
    };
    let own = own_address(family);
    let probes = "-A CHAIN -m conntrack --ctstate NEW\n-A CHAIN -m conntrack --ctstate RELATED\n\
                  -A CHAIN -m conntrack --ctstate ESTABLISHED\n-A CHAIN -m conntrack --ctstate SNAT\n\
                  -A CHAIN -m conntrack --ctstate DNAT\n-A CHAIN -s OWN\n-A CHAIN -d OWN\n-A CHAIN -s FAR\n-A CHAIN -d FAR\n";
    let filled = |hooks: &[&str]| -> String {
        hooks
            .iter()
            .map(|hook: &&str| format!("{noise}{probes}").replace("CHAIN", hook))
            .collect::<String>()
            .replace("OWN", &own.to_string())
            .replace("FAR", &far_address(family).to_string())
    };
    let mangle = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];
    let filter = ["INPUT", "FORWARD", "OUTPUT"];
    let hooks = ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"];
    format!(
        "*mangle\n{}{}COMMIT\n*nat\n{}{nat}COMMIT\n*filter\n{}{}COMMIT\n",
        chains(&mangle),
        filled(&mangle),
        chains(&hooks),
        chains(&filter),
        filled(&filter),
    )
}

fn listen(namespace: &Namespace, address: IpAddr, port: u16) -> TcpListener {
    namespace.inside(|| TcpListener::bind((address, port)).expect("the port is free"))
}

fn connect(namespace: &Namespace, to: SocketAddr) -> TcpStream {
    namespace.inside(|| TcpStream::connect(to).expect("somebody listens"))
}

/// The first packet of a connection of root.
fn first(protocol: Protocol, from: SocketAddr, to: SocketAddr) -> Packet {
    let syn = (protocol == Protocol::TCP).then_some(TcpFlags::SYN);
    Packet {
        protocol,
        tcp_flags: syn,
        ..Packet::tcp(from, to, 0, 0)
    }
}

/// The packet as it arrives.
fn arriving(packet: Packet) -> Packet {
    Packet {
        origin: Origin::Inbound,
        in_interface: Some("eth0".into()),
        uid: None,
        gid: None,
        ..packet
    }
}

/// Runs a case with both backends and both families.
fn everywhere(label: &str, case: impl Fn(Scene)) {
    require(&["ip", "iptables-legacy-restore", "iptables-nft-restore"]);
    for backend in [Backend::Legacy, Backend::Nft] {
        for family in [Family::Ipv4, Family::Ipv6] {
            case(Scene::new(label, backend, family));
        }
    }
}

#[test]
fn a_captured_connection_and_its_replies() {
    everywhere("captured", |mut scene| {
        let (family, far) = (scene.family, far_address(scene.family));
        scene.load(&rules(
            family,
            &format!("-A OUTPUT -d {far} -p tcp -j REDIRECT --to-ports 15001\n"),
        ));
        let listener = listen(&scene.pod.namespace, any_address(family), 15001);
        let stream = connect(&scene.pod.namespace, (far, 443).into());
        let (accepted, _) = listener.accept().expect("it is redirected to us");
        let from = stream.local_addr().expect("it is connected");
        assert_eq!(
            accepted.peer_addr().expect("it is connected"),
            from,
            "the source stays"
        );
        let syn = first(Protocol::TCP, from, (far, 443).into());
        scene.expect_handshake(syn);
        scene.judge("app to proxy");
    });
}

#[test]
fn a_connection_from_outside_that_is_redirected() {
    everywhere("inbound", |mut scene| {
        let (family, own) = (scene.family, own_address(scene.family));
        scene.load(&rules(
            family,
            "-A PREROUTING -p tcp -m tcp --dport 8080 -j REDIRECT --to-ports 15006\n",
        ));
        let listener = listen(&scene.pod.namespace, any_address(family), 15006);
        let stream = connect(&scene.pod.router, (own, 8080).into());
        let _accepted = listener.accept().expect("it is redirected to us");
        let from = stream.local_addr().expect("it is connected");
        let syn = arriving(first(Protocol::TCP, from, (own, 8080).into()));
        scene.expect_handshake(syn);
        scene.judge("from outside");
    });
}

#[test]
fn a_connection_whose_source_and_destination_are_translated() {
    everywhere("translated", |mut scene| {
        let (family, far, router) = (
            scene.family,
            far_address(scene.family),
            router_address(scene.family),
        );
        let to = if family == Family::Ipv6 {
            format!("[{router}]:80")
        } else {
            format!("{router}:80")
        };
        let source = if family == Family::Ipv6 {
            "fd00:1::55"
        } else {
            "10.244.1.55"
        };
        let nat = format!(
            "-A OUTPUT -d {far} -p tcp -j DNAT --to-destination {to}\n-A POSTROUTING -o eth0 -p tcp -j SNAT --to-source {source}\n"
        );
        // The host does not own the translated source, so the router needs a neighbor entry, and
        // the host must accept it.
        scene.pod.router.ip(&format!(
            "neighbour add {source} lladdr {} dev eth0 nud permanent",
            Pod::MAC
        ));
        scene.load(&rules(family, &nat));
        let listener = listen(&scene.pod.router, any_address(family), 80);
        let stream = connect(&scene.pod.namespace, (far, 443).into());
        let (_accepted, seen) = listener.accept().expect("it is sent to us");
        assert_eq!(seen.ip().to_string(), source);
        let from = stream.local_addr().expect("it is connected");
        let syn = first(Protocol::TCP, from, (far, 443).into());
        scene.expect_handshake(syn);
        scene.judge("there and back");
    });
}

#[test]
fn a_datagram_and_its_answer_over_lo() {
    everywhere("datagram", |mut scene| {
        let (family, far) = (scene.family, far_address(scene.family));
        scene.load(&rules(
            family,
            &format!("-A OUTPUT -d {far} -p udp -j REDIRECT --to-ports 15053\n"),
        ));
        let namespace = &scene.pod.namespace;
        // A socket that is bound to any address would answer from another one than the query's
        // destination.
        let resolver = namespace
            .inside(|| UdpSocket::bind((family.loopback(), 15053)).expect("the port is free"));
        let client =
            namespace.inside(|| UdpSocket::bind((own_address(family), 0)).expect("a port is free"));
        client.send_to(b"who?", (far, 53)).expect("it is sent");
        let mut buffer = [0; 8];
        let (_, asker) = resolver.recv_from(&mut buffer).expect("it arrives");
        resolver.send_to(b"you", asker).expect("it is sent");
        let (_, answerer) = client.recv_from(&mut buffer).expect("the answer arrives");
        assert_eq!(
            answerer,
            (far, 53).into(),
            "the answer comes from where the question went"
        );
        let trace = scene.expect_first(first(Protocol::UDP, asker, (far, 53).into()));
        scene.expect_reply(&trace);
        scene.judge("question and answer");
    });
}

#[test]
fn an_error_about_a_datagram_is_related_to_it() {
    require(&["ip", "iptables-legacy-restore", "iptables-nft-restore"]);
    for backend in [Backend::Legacy, Backend::Nft] {
        let mut scene = Scene::new("related", backend, Family::Ipv4);
        let router = router_address(Family::Ipv4);
        scene.load(&rules(Family::Ipv4, ""));
        let namespace = &scene.pod.namespace;
        let client = namespace
            .inside(|| UdpSocket::bind((own_address(Family::Ipv4), 0)).expect("a port is free"));
        client.connect((router, 9)).expect("it is only noted");
        client.send(b"anyone?").expect("it is sent");
        let refused = client.recv(&mut [0; 8]).expect_err("nobody listens");
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        let from = client.local_addr().expect("it is bound");
        scene.expect_first(first(Protocol::UDP, from, (router, 9).into()));
        scene.expect_first(Packet {
            in_interface: Some("eth0".into()),
            src: Some(router),
            icmp_type: Some(3),
            icmp_code: Some(3),
            state: Some(ConnectionState::Related),
            ..Packet::to(Origin::Inbound, Protocol::ICMP, from.ip())
        });
        scene.judge("refused");
    }
}

/// Sends a datagram that the kernel refuses with an error, and expects both. The error carries the
/// translation of the datagram's connection.
fn expect_refusal(
    scene: &mut Scene,
    to: SocketAddr,
    translation: Translation,
    arrives_for: IpAddr,
) -> Trace {
    let client = scene
        .pod
        .namespace
        .inside(|| UdpSocket::bind((own_address(Family::Ipv4), 0)).expect("a port is free"));
    client.connect(to).expect("it is only noted");
    client.send(b"anyone?").expect("it is sent");
    let refused = client.recv(&mut [0; 8]).expect_err("nobody listens");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    let from = client.local_addr().expect("it is bound");
    scene.expect_first(first(Protocol::UDP, from, to));
    let error = Packet {
        in_interface: Some("eth0".into()),
        src: Some(router_address(Family::Ipv4)),
        icmp_type: Some(3),
        icmp_code: Some(3),
        state: Some(ConnectionState::Related),
        ..Packet::to(Origin::Inbound, Protocol::ICMP, arrives_for)
    };
    let trace = scene.expect((error.clone(), translation));
    // The error itself does not state the original destination of its connection. This is an
    // assumption.
    match translation.dnat {
        true => walk(&scene.parsed.rulesets, None, &scene.host(), &error),
        false => scene.compare_alone(&error, &trace),
    }
}

#[test]
fn an_error_carries_the_translation_of_its_connection() {
    require(&["ip", "iptables-legacy-restore", "iptables-nft-restore"]);
    let (own, far, router) = (
        own_address(Family::Ipv4),
        far_address(Family::Ipv4),
        router_address(Family::Ipv4),
    );
    for backend in [Backend::Legacy, Backend::Nft] {
        let mut scene = Scene::new("error", backend, Family::Ipv4);
        scene.load(&rules(
            Family::Ipv4,
            &format!("-A OUTPUT -d {far} -p udp -j DNAT --to-destination {router}:9\n"),
        ));
        let answered = Translation {
            source: Some((far, None)),
            dnat: true,
            ..Translation::default()
        };
        let alone = expect_refusal(&mut scene, (far, 53).into(), answered, own);
        assert!(
            alone
                .assumes
                .iter()
                .any(|assumed| assumed.contains("ICMP error")),
            "{:?}",
            alone.assumes
        );
        scene.judge("a destination is translated");
        let source: IpAddr = [10, 244, 1, 55].into();
        scene.pod.router.ip(&format!(
            "neighbour add {source} lladdr {} dev eth0 nud permanent",
            Pod::MAC
        ));
        scene.load(&rules(
            Family::Ipv4,
            &format!("-A POSTROUTING -o eth0 -p udp -j SNAT --to-source {source}\n"),
        ));
        let answered = Translation {
            destination: Some((own, None)),
            snat: true,
            ..Translation::default()
        };
        let alone = expect_refusal(&mut scene, (router, 9).into(), answered, source);
        assert!(
            !alone.certain,
            "nothing says that the rule translated the connection"
        );
        scene.judge("a source is translated");
    }
}

#[test]
fn the_first_packet_of_an_expected_connection_meets_nat() {
    everywhere("expected", |mut scene| {
        let (family, own, router) = (
            scene.family,
            own_address(scene.family),
            router_address(scene.family),
        );
        scene.load(&rules(
            family,
            "-A PREROUTING -p tcp -m tcp --dport 9876 -j REDIRECT --to-ports 15006\n",
        ));
        let layer = if family == Family::Ipv6 { "ip6" } else { "ip" };
        let expectation = format!(
            "table inet expecting {{
                ct expectation data {{ protocol tcp; dport 9876; timeout 2m; size 12; l3proto {layer}; }}
                chain announce {{
                    type filter hook output priority 0;
                    udp dport 8888 ct expectation set \"data\"
                }}
            }}"
        );
        scene.pod.namespace.run("nft", &[&expectation]);
        let announced = scene
            .pod
            .router
            .inside(|| UdpSocket::bind((router, 8888)).expect("the port is free"));
        let client = scene
            .pod
            .namespace
            .inside(|| UdpSocket::bind((own, 0)).expect("a port is free"));
        client
            .send_to(b"call me", (router, 8888))
            .expect("it is sent");
        let (_, from) = announced.recv_from(&mut [0; 8]).expect("it arrives");
        scene.expect_first(first(Protocol::UDP, from, (router, 8888).into()));
        let listener = listen(&scene.pod.namespace, any_address(family), 15006);
        let stream = connect(&scene.pod.router, (own, 9876).into());
        let _accepted = listener.accept().expect("it is redirected to us");
        let from = stream.local_addr().expect("it is connected");
        let syn = arriving(first(Protocol::TCP, from, (own, 9876).into()));
        let trace = scene.expect_alone(&Packet {
            state: Some(ConnectionState::Related),
            ..syn
        });
        assert_eq!(
            trace.path.result().dport,
            Some(15006),
            "table nat is evaluated as for NEW"
        );
        scene.expect_reply(&trace);
        scene.expect_later(&trace);
        scene.judge("announced by another one");
    });
}

/// Connects to the router, loads rules that would redirect the connection, and sends one byte
/// through it.
fn byte_after_rules(scene: &mut Scene, before: &str) -> (TcpStream, TcpStream, Packet) {
    let (family, router) = (scene.family, router_address(scene.family));
    scene.load(before);
    let listener = listen(&scene.pod.router, any_address(family), 80);
    let mut stream = connect(&scene.pod.namespace, (router, 80).into());
    let (accepted, _) = listener.accept().expect("it is sent to us");
    let from = stream.local_addr().expect("it is connected");
    let lost = "-A OUTPUT -p tcp -j REDIRECT --to-ports 15001\n-A POSTROUTING -p tcp -m tcp --dport 15001 -j ACCEPT\n";
    let after = rules(family, lost);
    // Packets that are redirected end here, so that no socket answers them.
    let probe = "-A INPUT -m conntrack --ctstate NEW\n";
    scene.load(&after.replace(
        probe,
        &format!("-A INPUT -p tcp -m tcp --dport 15001 -j DROP\n{probe}"),
    ));
    stream.write_all(b"x").expect("there is room for one byte");
    let data = Packet {
        payload_length: 1,
        tcp_flags: Some(TcpFlags(0x18)),
        ..first(Protocol::TCP, from, (router, 80).into())
    };
    (stream, accepted, data)
}

#[test]
fn a_tracked_connection_older_than_the_rules_goes_on_as_it_was() {
    everywhere("older", |mut scene| {
        let before = rules(scene.family, "");
        let (_stream, mut accepted, data) = byte_after_rules(&mut scene, &before);
        accepted.read_exact(&mut [0]).expect("it arrives");
        let data = Packet {
            state: Some(ConnectionState::Established),
            ..data
        };
        let trace = scene.expect_first(data);
        // The router acknowledges the byte.
        scene.expect_reply(&trace);
        scene.judge("tracked before");
    });
}

#[test]
fn an_untracked_connection_older_than_the_rules_is_redirected_in_its_middle() {
    everywhere("untracked", |mut scene| {
        let address = Pod::ROUTERS[place(scene.family)];
        // No acknowledgment will come. Nothing must be sent again while the counters are read.
        scene.pod.namespace.ip(&format!(
            "route change default via {address} dev eth0 rto_min 60s"
        ));
        let (_stream, _accepted, data) =
            byte_after_rules(&mut scene, "*filter\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n");
        let trace = scene.expect_first(data);
        assert_eq!(
            trace.path.result().dport,
            Some(15001),
            "connection tracking picks it up as new"
        );
        scene.judge("not tracked before");
    });
}

/// Rules that also distinguish the owner of local packets, in table raw.
fn rules_of_owners(family: Family, nat: &str) -> String {
    let noise = match family {
        Family::Ipv4 => "",
        Family::Ipv6 => "-A PREROUTING -p ipv6-icmp -j ACCEPT\n-A OUTPUT -p ipv6-icmp -j ACCEPT\n",
    };
    let owners = "-A OUTPUT -m owner --socket-exists\n-A OUTPUT -m owner ! --socket-exists\n\
                  -A OUTPUT -m owner --uid-owner 0-4294967294\n-A OUTPUT -m owner ! --uid-owner 0-4294967294\n";
    format!(
        "{}*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n{noise}{owners}COMMIT\n",
        rules(family, nat)
    )
}

/// The kernel's own answer to a first packet.
fn kernel_reply(first: &Trace, change: impl FnOnce(Packet) -> Packet) -> (Packet, Translation) {
    let (packet, translation) = reply(first).expect("the first packet gets through");
    (
        change(Packet {
            owner: Some(Owner::Kernel),
            ..packet
        }),
        translation,
    )
}

const RST_ACK: TcpFlags = TcpFlags(0x14);

#[test]
fn a_reset_is_the_kernels_own() {
    everywhere("reset", |mut scene| {
        let (family, own) = (scene.family, own_address(scene.family));
        scene.load(&rules_of_owners(
            family,
            "-A PREROUTING -p tcp -m tcp --dport 8080 -j REDIRECT --to-ports 9\n",
        ));
        // No socket listens: for a packet from here over lo, from outside, and from outside with a
        // redirect.
        for (here, port) in [(true, 7), (false, 7), (false, 8080)] {
            let namespace = if here {
                &scene.pod.namespace
            } else {
                &scene.pod.router
            };
            let from = match (here, family) {
                (true, _) => own,
                (false, _) => router_address(family),
            };
            let domain = socket2::Domain::for_address((from, 0).into());
            let client =
                namespace.inside(|| socket2::Socket::new(domain, socket2::Type::STREAM, None));
            let client = client.expect("a socket can be opened");
            client
                .bind(&SocketAddr::new(from, 0).into())
                .expect("a port is free");
            let refused = client
                .connect(&SocketAddr::new(own, port).into())
                .expect_err("nobody listens");
            assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
            let from = client
                .local_addr()
                .ok()
                .and_then(|address| address.as_socket())
                .expect("it is bound");
            let syn = first(Protocol::TCP, from, (own, port).into());
            let trace = scene.expect_first(if here { syn } else { arriving(syn) });
            scene.expect(kernel_reply(&trace, |packet| Packet {
                tcp_flags: Some(RST_ACK),
                ..packet
            }));
        }
        scene.judge("refused by the kernel");
    });
}

#[test]
fn an_error_and_an_echo_are_the_kernels_own() {
    require(&["ip", "iptables-legacy-restore", "iptables-nft-restore"]);
    for backend in [Backend::Legacy, Backend::Nft] {
        let mut scene = Scene::new("answers", backend, Family::Ipv4);
        let (own, router) = (own_address(Family::Ipv4), router_address(Family::Ipv4));
        scene.load(&rules_of_owners(Family::Ipv4, ""));
        let client = scene
            .pod
            .router
            .inside(|| UdpSocket::bind((router, 0)).expect("a port is free"));
        client.send_to(b"anyone?", (own, 9)).expect("it is sent");
        let from = client.local_addr().expect("it is bound");
        let asked = scene.expect_first(arriving(first(Protocol::UDP, from, (own, 9).into())));
        scene.expect(kernel_reply(&asked, |packet| Packet {
            protocol: Protocol::ICMP,
            icmp_type: Some(3),
            icmp_code: Some(3),
            state: Some(ConnectionState::Related),
            ..packet
        }));
        let open = || {
            socket2::Socket::new(
                socket2::Domain::IPV4,
                socket2::Type::RAW,
                Some(socket2::Protocol::ICMPV4),
            )
        };
        let pinger = scene
            .pod
            .router
            .inside(|| open().expect("root may open raw sockets"));
        // Type 8, code 0, the checksum, identifier 1 and sequence number 1.
        let echo = [8, 0, 0xf7, 0xfd, 0, 1, 0, 1];
        pinger
            .send_to(&echo, &SocketAddr::new(own, 0).into())
            .expect("it is sent");
        let ping = Packet {
            icmp_type: Some(8),
            icmp_code: Some(0),
            ..first(Protocol::ICMP, (router, 0).into(), (own, 0).into())
        };
        let asked = scene.expect_first(arriving(Packet {
            sport: None,
            dport: None,
            ..ping
        }));
        scene.expect(kernel_reply(&asked, |packet| Packet {
            icmp_type: Some(0),
            icmp_code: Some(0),
            ..packet
        }));
        scene.judge("answered by the kernel");
    }
}
