//! The namespace that packets are sent through, and the kernel's results.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::process::{Command, Stdio};

use chainwalk_core::input::parse;
use chainwalk_core::iptables::table_name::TableName;
use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::netfilter::ruleset::Ruleset;
use chainwalk_core::packet::host::Host;
use chainwalk_core::packet::{Family, Packet};
use chainwalk_tests::namespace::{Pod, program};
use chainwalk_tests::random::JOINED;
use etherparse::{Ipv4HeaderSlice, Ipv6HeaderSlice};
use nix::net::if_::if_nametoindex;
use socket2::{Domain, InterfaceIndexOrAddress, Protocol as Transport, Socket, Type};

use super::host::{LISTENS, ROUTES, Settings, host};
use super::made::{self, MadeChain};
use super::netlink::{Connections, Event, EventKind, Tracer};
use super::sender::{Sender, stay_on_one_processor};

const WIRES: [(&str, [u8; 6]); 2] = [("eth0", [2, 0, 0, 0, 0, 5]), ("eth1", [2, 0, 0, 0, 0, 6])];
/// Tables that do not belong to iptables.
const OTHERS: [&str; 2] = ["judge", "made"];

/// A rule of a chain of a rule set, or with `None` its policy.
pub(crate) type Spot = (u32, TableName, u32, Option<u32>);

/// The final packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) src: IpAddr,
    pub(crate) dst: IpAddr,
    pub(crate) ports: Option<(u16, u16)>,
    pub(crate) mark: u32,
    /// DSCP and ECN in one byte.
    pub(crate) tos: u8,
    pub(crate) ttl: u8,
}

/// The kernel's results for a packet.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    /// The increase of each counter.
    pub(crate) counts: BTreeMap<Spot, u64>,
    /// The order, if the backend shows it.
    pub(crate) order: Option<Vec<Spot>>,
    /// The packet at the end of INPUT, if it got there.
    pub(crate) delivered: Option<Ends>,
    /// The packets at the end of POSTROUTING, with the interface that they leave through. A
    /// broadcast or multicast gets there twice.
    pub(crate) left: Vec<(String, Ends)>,
    /// Policies that the kernel does not count.
    pub(crate) uncounted: BTreeSet<Spot>,
    /// The error that the sender of a local packet got.
    pub(crate) told: Option<String>,
}

/// A namespace with rule sets of one family, for one backend or both.
pub(crate) struct Lab {
    /// The backends in the order in which they are loaded.
    pub(crate) backends: Vec<Backend>,
    pub(crate) family: Family,
    pub(crate) host: Host,
    /// The rules as the backend printed them after loading, and as parsed.
    pub(crate) saved: String,
    pub(crate) rulesets: Vec<Ruleset>,
    /// Base chains other than those of iptables.
    made: Vec<MadeChain>,
    settings: Option<Settings>,
    sender: Sender,
    connections: Connections,
    tracer: Tracer,
    /// Names of interfaces by index.
    interfaces: BTreeMap<u32, &'static str>,
    /// The rules of nftables by table and handle.
    handles: BTreeMap<(String, u64), Spot>,
    counters: BTreeMap<Spot, u64>,
    /// The sockets that TPROXY looks up.
    _listeners: Vec<Socket>,
    /// The namespace is in the groups as long as these sockets are open.
    _joined: [Socket; 2],
}

impl Lab {
    /// Creates the namespace and runs `job` in it, on one processor.
    pub(crate) fn run<T: Send>(
        backends: &[Backend],
        family: Family,
        place: usize,
        job: impl FnOnce(Self) -> T + Send,
    ) -> T {
        let pod = Pod::new("kernel");
        pod.router.set("net/ipv6/conf/all/disable_ipv6", "1");
        let router = pod.router.name();
        pod.namespace.ip(&format!(
            "link add eth1 address 02:00:00:00:00:06 type veth peer name eth1 address 02:00:00:00:00:02 netns {router}"
        ));
        for end in [&pod.router, &pod.namespace] {
            end.ip("link set eth1 addrgenmode none");
            end.ip("link set eth1 up");
        }
        for route in ROUTES {
            pod.namespace.ip(route);
        }
        // All test segments of TCP have the same sequence numbers.
        pod.namespace
            .set("net/netfilter/nf_conntrack_tcp_be_liberal", "1");
        pod.namespace.inside(|| {
            stay_on_one_processor(place);
            pipe(
                Command::new("nft").args(["-f", "-"]),
                include_str!("judge.nft"),
            )
            .expect("nft takes the judge's table");
            let index = |name| if_nametoindex(name).expect("the interface exists");
            let interfaces = ["lo", "eth0", "eth1"]
                .map(|name| (index(name), name))
                .into();
            job(Self {
                backends: backends.to_vec(),
                family,
                host: Host::default(),
                saved: String::new(),
                rulesets: Vec::new(),
                made: Vec::new(),
                settings: None,
                sender: Sender::new(&pod.router, &WIRES),
                connections: Connections::open(),
                tracer: Tracer::open(),
                interfaces,
                handles: BTreeMap::new(),
                counters: BTreeMap::new(),
                _listeners: listeners(),
                _joined: joined(index("eth0")),
            })
        })
    }

    /// Loads a rule set for each backend and reads it back. The error is the refusal of a backend.
    pub(crate) fn load(&mut self, settings: Settings, rules: &[String]) -> Result<(), String> {
        if self.settings != Some(settings) {
            for (name, value) in settings.sysctls() {
                fs::write(format!("/proc/sys/{name}"), value).expect("root may change settings");
            }
            self.settings = Some(settings);
            self.host = host(settings);
        }
        for (backend, rules) in self.backends.iter().zip(rules) {
            pipe(
                Command::new(program(*backend, self.family, "restore")).arg("--wait"),
                rules,
            )?;
        }
        self.saved = self.save();
        self.rulesets = self.read();
        self.counters = counters(&self.rulesets);
        if self.tells_order() {
            self.handles = self.handles();
        }
        Ok(())
    }

    /// Loads a rule set for each backend, and then other base chains.
    pub(crate) fn load_with(
        &mut self,
        settings: Settings,
        rules: &[String],
        made: &[MadeChain],
    ) -> Result<(), String> {
        self.made.clear();
        self.load(settings, rules)?;
        pipe(
            Command::new("nft").args(["-f", "-"]),
            &made::nft(made, self.family),
        )?;
        self.made = made.to_vec();
        self.rulesets = self.read();
        self.counters = counters(&self.rulesets);
        Ok(())
    }

    /// The current rules with their counters.
    fn read(&self) -> Vec<Ruleset> {
        if self.made.is_empty() {
            return parse::parse(self.save()).rulesets;
        }
        let counters = made::counters(self.family);
        let mut rulesets = parse::parse(made::insert(&self.save(), &self.made, &counters)).rulesets;
        made::attach(&mut rulesets, &self.made);
        rulesets
    }

    /// Whether the trace of nftables shows all rules.
    fn tells_order(&self) -> bool {
        self.backends == [Backend::Nft]
    }

    fn save(&self) -> String {
        self.backends
            .iter()
            .map(|backend: &Backend| {
                pipe(
                    Command::new(program(*backend, self.family, "save")).arg("-c"),
                    "",
                )
                .expect("the rules can be saved")
            })
            .collect()
    }

    /// The rules of nftables by handle, in order.
    fn handles(&self) -> BTreeMap<(String, u64), Spot> {
        let list = pipe(
            Command::new("nft").args(["--json", "--handle", "list", "ruleset"]),
            "",
        )
        .expect("nft lists");
        let list: serde_json::Value = serde_json::from_str(&list).expect("nft prints JSON");
        let family = if self.family == Family::Ipv4 {
            "ip"
        } else {
            "ip6"
        };
        let mut next = BTreeMap::new();
        let mut handles = BTreeMap::new();
        let objects = list["nftables"].as_array().expect("nft prints a list");
        for rule in objects
            .iter()
            .filter_map(|object| object.get("rule"))
            .filter(|rule| rule["family"] == family)
        {
            let word = |key: &str| rule[key].as_str().expect("a name").to_owned();
            let (table, chain) = (word("table"), word("chain"));
            let spot = self
                .spot(&table, &chain, None)
                .expect("only iptables' tables are of this family");
            let (ruleset, name, place, _) = spot;
            let rule_place = next.entry(spot).or_insert(0);
            let handle = rule["handle"].as_u64().expect("a number");
            handles.insert((table, handle), (ruleset, name, place, Some(*rule_place)));
            *rule_place += 1;
        }
        handles
    }

    fn spot(&self, table: &str, chain: &str, rule: Option<u32>) -> Option<Spot> {
        let name = TableName::from_text(table)?;
        let (place, _) = self.rulesets[0].table(name)?.chain(chain)?;
        Some((0, name, place, rule))
    }

    /// The backend that is evaluated first: the one whose tables were registered last, which is the
    /// one loaded last.
    pub(crate) fn first_asked(&self, walked: &[u32]) -> Option<Backend> {
        (walked.len() > 1)
            .then(|| self.backends.last().copied())
            .flatten()
    }

    /// Sends a packet as the first of its connection.
    pub(crate) fn send(&mut self, packet: &Packet) -> Observed {
        self.connections.forget();
        self.send_later(packet)
    }

    /// Sends a packet of a connection that may have begun before.
    pub(crate) fn send_later(&mut self, packet: &Packet) -> Observed {
        self.tracer.take();
        let told = self
            .sender
            .send(packet)
            .err()
            .map(|error| error.to_string());
        let events = self.tracer.take();
        let after = counters(&self.read());
        let rose = after
            .iter()
            .map(|(spot, count)| (*spot, count - self.counters[spot]));
        let counts: BTreeMap<Spot, u64> = rose.filter(|(_, count)| *count > 0).collect();
        // A rule whose match drops is in the trace, but does not count.
        let order = || {
            self.order(&events)
                .into_iter()
                .filter(|spot| counts.contains_key(spot))
                .collect()
        };
        let order = self.tells_order().then(order);
        self.counters = after;
        let of_judge = |chain: &str| {
            events
                .iter()
                .filter(|event| event.table == "judge")
                .filter(move |event: &&Event| event.chain == chain && !event.packet.is_empty())
                .collect::<Vec<_>>()
        };
        let name = |event: &&Event| {
            event
                .out_interface
                .and_then(|index| self.interfaces.get(&index).copied())
        };
        let leaving = of_judge("postrouting-last")
            .into_iter()
            .filter_map(|event| Some((name(&event)?, event)));
        let left = leaving.filter(|(name, _)| *name != "lo");
        Observed {
            counts,
            order,
            delivered: of_judge("input-last")
                .last()
                .map(|event| ends(event, packet)),
            left: left
                .map(|(name, event)| (name.to_owned(), ends(event, packet)))
                .collect(),
            uncounted: self.uncounted(),
            told,
        }
    }

    fn uncounted(&self) -> BTreeSet<Spot> {
        let tables = (0..)
            .zip(&self.rulesets)
            .flat_map(|(number, set)| set.tables.iter().map(move |table| (number, table)));
        let chains = tables.flat_map(|(number, table)| {
            (0..).zip(&table.chains).map(move |(place, chain)| {
                (
                    number,
                    table.iptables().expect("a table of iptables"),
                    place,
                    chain,
                )
            })
        });
        let made = chains.filter(|(.., chain)| made::is_made(&chain.name));
        made.map(|(number, table, place, _)| (number, table, place, None))
            .collect()
    }

    fn order(&self, events: &[Event]) -> Vec<Spot> {
        events
            .iter()
            .filter(|event| !OTHERS.contains(&&*event.table))
            .filter_map(|event: &Event| match event.kind {
                EventKind::Rule(handle) => {
                    self.handles.get(&(event.table.clone(), handle)).copied()
                }
                EventKind::Policy => self.spot(&event.table, &event.chain, None),
            })
            .collect()
    }
}

/// Runs a program with a text as its input.
fn pipe(command: &mut Command, input: &str) -> Result<String, String> {
    let stdio = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = stdio
        .spawn()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin
        .write_all(input.as_bytes())
        .map_err(|error| format!("{command:?}: {error}"))?;
    drop(stdin);
    let output = child
        .wait_with_output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!(
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

/// Every counter of the rule sets.
fn counters(rulesets: &[Ruleset]) -> BTreeMap<Spot, u64> {
    let mut all = BTreeMap::new();
    let tables = (0..).zip(rulesets).flat_map(|(number, ruleset)| {
        ruleset
            .tables
            .iter()
            .map(move |table| (number, ruleset, table))
    });
    for (number, ruleset, table) in tables {
        for (place, chain) in (0..).zip(&table.chains) {
            if chain.hook().is_some() {
                all.insert(
                    (
                        number,
                        table.iptables().expect("a table of iptables"),
                        place,
                        None,
                    ),
                    chain
                        .counters
                        .counters(ruleset)
                        .expect("a policy has counters")
                        .packets,
                );
            }
            for (rule_place, rule) in (0..).zip(&chain.rules) {
                let counters = rule
                    .counters
                    .counters(ruleset)
                    .expect("save -c prints counters");
                all.insert(
                    (
                        number,
                        table.iptables().expect("a table of iptables"),
                        place,
                        Some(rule_place),
                    ),
                    counters.packets,
                );
            }
        }
    }
    all
}

/// The trace shows the IP header and the first bytes of the transport header, without the IPv6
/// extension headers in between.
fn ends(event: &Event, packet: &Packet) -> Ends {
    let bytes = &event.packet;
    let (src, dst, length, tos, ttl): (IpAddr, IpAddr, _, _, _) =
        match Ipv4HeaderSlice::from_slice(bytes) {
            Ok(ip) => {
                let tos = ip.dcp().value() << 2 | ip.ecn().value();
                (
                    ip.source_addr().into(),
                    ip.destination_addr().into(),
                    ip.slice().len(),
                    tos,
                    ip.ttl(),
                )
            }
            Err(_) => {
                let ip = Ipv6HeaderSlice::from_slice(bytes).expect("the trace shows IPv4 or IPv6");
                (
                    ip.source_addr().into(),
                    ip.destination_addr().into(),
                    ip.slice().len(),
                    ip.traffic_class(),
                    ip.hop_limit(),
                )
            }
        };
    let port = |at: usize| u16::from_be_bytes([bytes[length + at], bytes[length + at + 1]]);
    // The trace treats an authentication header as the transport header, and shows no more.
    let hidden = packet
        .ipv6_headers
        .iter()
        .flatten()
        .any(|name| name == "ah");
    let ports = (packet.protocol.has_ports() && !hidden).then(|| (port(0), port(2)));
    Ends {
        src,
        dst,
        ports,
        mark: event.mark,
        tos,
        ttl,
    }
}

/// Sockets that have joined [`JOINED`] on an interface.
fn joined(interface: u32) -> [Socket; 2] {
    JOINED.map(|group| {
        let group: IpAddr = group.parse().expect("a literal address");
        let domain = if group.is_ipv4() {
            Domain::IPV4
        } else {
            Domain::IPV6
        };
        let socket = Socket::new(domain, Type::DGRAM, None).expect("a socket can be opened");
        let joining = match group {
            IpAddr::V4(group) => {
                socket.join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(interface))
            }
            IpAddr::V6(group) => socket.join_multicast_v6(&group, interface),
        };
        joining.expect("a group can be joined");
        socket
    })
}

/// The sockets that TPROXY may deliver packets to. Nothing reaches them, because the judge's table
/// drops it first.
fn listeners() -> Vec<Socket> {
    [(Domain::IPV4, "0.0.0.0"), (Domain::IPV6, "::")]
        .into_iter()
        .flat_map(|(domain, address): (Domain, &str)| {
            [
                (Type::STREAM, Transport::TCP),
                (Type::DGRAM, Transport::UDP),
            ]
            .map(|(kind, transport)| {
                let socket =
                    Socket::new(domain, kind, Some(transport)).expect("a socket can be opened");
                if domain == Domain::IPV6 {
                    socket.set_only_v6(true).expect("IPv6 can be alone");
                }
                // The socket has one flag for both families.
                socket
                    .set_ip_transparent_v4(true)
                    .expect("root may be transparent");
                let address = SocketAddr::new(address.parse().expect("a literal address"), LISTENS);
                socket.bind(&address.into()).expect("the port is free");
                if kind == Type::STREAM {
                    socket.listen(1).expect("a bound socket can listen");
                }
                socket
            })
        })
        .collect()
}
