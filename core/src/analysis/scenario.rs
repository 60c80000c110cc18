//! Suggested packets for a rule set: packets that people ask about, and packets that the constants
//! of the rules suggest.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::analysis::constants::Constants;
use crate::mesh::Mesh;
use crate::netfilter::ruleset::Ruleset;
use crate::packet::host::Host;
use crate::packet::{Family, Origin, Packet, Protocol};

mod constant_packets;

/// A packet with a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// A short key, unique and stable.
    pub key: &'static str,
    /// A description in a few words.
    pub label: String,
    /// The group that it belongs to.
    pub group: Destination,
    /// The packet.
    pub packet: Packet,
}

/// The destination of a scenario's packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To a distant host.
    Internet,
    /// To a host nearby.
    Cluster,
    /// From this pod to itself.
    Inside,
    /// From another host to this one.
    Into,
    /// From one host to another, through this host.
    Through,
}

impl Destination {
    /// All groups, in the order in which they are shown.
    pub const ALL: [Self; 5] = [
        Self::Internet,
        Self::Cluster,
        Self::Inside,
        Self::Into,
        Self::Through,
    ];

    /// The heading of the group, for a node, which has pods, or for a pod.
    pub fn title(self, node: bool) -> &'static str {
        match self {
            Self::Internet => "To the internet",
            Self::Cluster => "To the cluster",
            Self::Inside if node => "Inside the node",
            Self::Inside => "Inside the pod",
            Self::Into if node => "Into the node",
            Self::Into => "Into the pod",
            Self::Through => "Passed on",
        }
    }
}

/// The sender of a scenario's packet.
#[derive(Clone, Copy)]
enum Sender {
    App,
    Root,
    /// The proxy, by user and group.
    Proxy,
    /// A process with the proxy's user id only, or with its group id only.
    Uid,
    Gid,
    /// A socket of root with a mark: the proxy's mark, the mark of replies, or another one.
    Mark(u8),
    /// Another host.
    Peer,
    /// Another host. This host forwards the packet.
    Passing,
}

/// The source or destination of a scenario's packet.
#[derive(Clone, Copy)]
enum End {
    Pod,
    Internet,
    Service,
    Resolver,
    /// 127.0.0.N.
    Loopback(u8),
    Pod6,
    Internet6,
    /// A pod of a node.
    Guest,
}

/// A port of a scenario's packet.
#[derive(Clone, Copy)]
enum Port {
    Is(u16),
    /// The proxy's outbound port, or its inbound port.
    Outbound,
    Inbound,
}

use End::{Guest, Internet, Internet6, Loopback, Pod, Pod6, Resolver, Service};
use Port::{Inbound, Is, Outbound};
use Sender::{App, Gid, Mark, Passing, Peer, Proxy, Root, Uid};

/// Key, label, group, sender, protocol, source, destination, port, and whether it is suggested
/// without a mesh. In labels, `$` is the proxy's user id, `%` its name, `#` the port.
type Row = (
    &'static str,
    &'static str,
    Destination,
    Sender,
    Protocol,
    End,
    End,
    Port,
    bool,
);

const TCP: Protocol = Protocol::TCP;
const UDP: Protocol = Protocol::UDP;
const PING: Protocol = Protocol::ICMP;
const APP_PORT: u16 = 8080;

#[rustfmt::skip]
const ROWS: [Row; 46] = [
    ("internet", "app → internet", Destination::Internet, App, TCP, Pod, Internet, Is(443), true),
    ("as-proxy", "uid $ → internet", Destination::Internet, Uid, TCP, Pod, Internet, Is(443), true),
    ("as-proxy-gid", "gid $ → internet", Destination::Internet, Gid, TCP, Pod, Internet, Is(443), true),
    ("internet-v6", "app → internet, IPv6", Destination::Internet, App, TCP, Pod6, Internet6, Is(443), true),
    ("root", "root → internet, port #", Destination::Internet, Root, TCP, Pod, Internet, Is(80), true),
    ("proxy", "% → internet", Destination::Internet, Proxy, TCP, Pod, Internet, Is(443), false),
    ("became-app", "opened as uid $, then setuid to the app", Destination::Internet, Proxy, TCP, Pod, Internet, Is(8443), false),
    ("became-proxy", "opened by the app, then setuid to $", Destination::Internet, App, TCP, Pod, Internet, Is(8443), false),
    ("udp", "app → internet, UDP", Destination::Internet, App, UDP, Pod, Internet, Is(9999), true),
    ("ping", "app → ping", Destination::Internet, Root, PING, Pod, Internet, Is(0), true),
    ("mark-proxy", "root, mark of %", Destination::Internet, Mark(0), TCP, Pod, Internet, Is(443), false),
    ("mark-answer", "root, mark of its answers", Destination::Internet, Mark(1), TCP, Pod, Internet, Is(443), false),
    ("mark-client", "root, another mark", Destination::Internet, Mark(2), TCP, Pod, Internet, Is(443), false),
    ("service", "app → own service", Destination::Cluster, App, TCP, Pod, Service, Is(APP_PORT), true),
    ("dns-tcp", "app → DNS over TCP", Destination::Cluster, App, TCP, Pod, Resolver, Is(53), true),
    ("dns-udp", "app → DNS over UDP", Destination::Cluster, App, UDP, Pod, Resolver, Is(53), true),
    ("proxy-dns", "% → DNS over UDP", Destination::Cluster, Proxy, UDP, Pod, Resolver, Is(53), false),
    ("localhost", "app → 127.0.0.1:#", Destination::Inside, App, TCP, Loopback(1), Loopback(1), Is(APP_PORT), true),
    ("localhost-2", "app → 127.0.0.2:#", Destination::Inside, App, TCP, Loopback(1), Loopback(2), Is(APP_PORT), true),
    ("own-pod", "app → own pod", Destination::Inside, App, TCP, Pod, Pod, Is(APP_PORT), true),
    ("own-pod-v6", "app → own pod, IPv6", Destination::Inside, App, TCP, Pod6, Pod6, Is(APP_PORT), true),
    ("proxy-own-pod", "uid $ → own pod", Destination::Inside, Proxy, TCP, Pod, Pod, Is(APP_PORT), true),
    ("uid-own-pod", "uid $, another gid → own pod", Destination::Inside, Uid, TCP, Pod, Pod, Is(APP_PORT), false),
    ("gid-own-pod", "gid $ → own pod", Destination::Inside, Gid, TCP, Pod, Pod, Is(APP_PORT), false),
    ("gid-localhost", "gid $ → 127.0.0.1:#", Destination::Inside, Gid, TCP, Loopback(1), Loopback(1), Is(APP_PORT), false),
    ("proxy-localhost", "% → 127.0.0.1:#", Destination::Inside, Proxy, TCP, Loopback(1), Loopback(1), Is(APP_PORT), false),
    ("proxy-app", "% → app from 127.0.0.6", Destination::Inside, Proxy, TCP, Loopback(6), Pod, Is(APP_PORT), true),
    ("proxy-tunnel", "% → own tunnel, #", Destination::Inside, Proxy, TCP, Pod, Pod, Is(15_008), false),
    ("passthrough", "app from 127.0.0.6 → own pod", Destination::Inside, App, TCP, Loopback(6), Pod, Is(APP_PORT), false),
    ("dns-localhost", "app → 127.0.0.1:#", Destination::Inside, App, TCP, Loopback(1), Loopback(1), Is(53), true),
    ("dns-own-pod", "app → own pod:#", Destination::Inside, App, TCP, Pod, Pod, Is(53), true),
    ("inbound", "from outside to #", Destination::Into, Peer, TCP, Internet, Pod, Is(APP_PORT), true),
    ("inbound-ssh", "from outside to #", Destination::Into, Peer, TCP, Internet, Pod, Is(22), true),
    ("inbound-closed", "from outside to #", Destination::Into, Peer, TCP, Internet, Pod, Is(9999), true),
    ("inbound-out", "from outside to #", Destination::Into, Peer, TCP, Internet, Pod, Outbound, false),
    ("inbound-in", "from outside to #", Destination::Into, Peer, TCP, Internet, Pod, Inbound, false),
    ("inbound-tunnel", "from outside to #", Destination::Into, Peer, TCP, Internet, Pod, Is(15_008), true),
    ("inbound-agent", "from outside to #", Destination::Into, Peer, TCP, Internet, Pod, Is(15_020), false),
    ("inbound-health", "from outside to #", Destination::Into, Peer, TCP, Internet, Pod, Is(15_021), true),
    ("inbound-stats", "from outside to #", Destination::Into, Peer, TCP, Internet, Pod, Is(15_090), false),
    ("inbound-udp", "from outside, UDP to #", Destination::Into, Peer, UDP, Internet, Pod, Is(APP_PORT), true),
    ("inbound-v6", "from outside to #, IPv6", Destination::Into, Peer, TCP, Internet6, Pod6, Is(APP_PORT), true),
    ("inbound-ping", "from outside, ping", Destination::Into, Peer, PING, Internet, Pod, Is(0), true),
    ("pod-internet", "a pod → internet", Destination::Through, Passing, TCP, Guest, Internet, Is(443), true),
    ("pod-dns", "a pod → DNS over UDP", Destination::Through, Passing, UDP, Guest, Resolver, Is(53), true),
    ("to-pod", "from outside to a pod, #", Destination::Through, Passing, TCP, Internet, Guest, Is(APP_PORT), true),
];

/// The keys of the packets that a dump's own constants suggest.
const OWN: [&str; 24] = [
    "own-1", "own-2", "own-3", "own-4", "own-5", "own-6", "own-7", "own-8", "own-9", "own-10",
    "own-11", "own-12", "own-13", "own-14", "own-15", "own-16", "own-17", "own-18", "own-19",
    "own-20", "own-21", "own-22", "own-23", "own-24",
];

/// An address of the internet that readers know as an example (example.com had it for years).
const INTERNET: Ipv4Addr = Ipv4Addr::new(93, 184, 216, 34);
const INTERNET6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x34);
const SERVICE: Ipv4Addr = Ipv4Addr::new(10, 96, 7, 7);
const RESOLVER: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 10);
const SPORT: u16 = 40_000;

/// The suggested packets, made from the host's own addresses and the identity of the mesh's proxy.
///
/// Without a recognized mesh, uid 1337 represents the proxy, because most readers ask about it. A
/// node has no such packet.
pub fn list(host: &Host, mesh: Option<&Mesh>) -> Vec<Scenario> {
    let cast = Actors::new(host, mesh);
    let proxies = |row: &Row| matches!(row.3, Proxy | Uid | Gid);
    let rows = ROWS
        .iter()
        .filter(|row| mesh.is_some() || (row.8 && !(cast.is_node() && proxies(row))));
    rows.filter_map(|row| cast.scenario(row)).collect()
}

/// Like [`list`], with further packets that the ports, addresses, owners and marks of the rules
/// suggest.
pub fn of_rules(rulesets: &[Ruleset], host: &Host, mesh: Option<&Mesh>) -> Vec<Scenario> {
    of_constants(
        &Constants::collect(rulesets, Family::Ipv4),
        rulesets,
        host,
        mesh,
    )
}

/// Like [`of_rules`], with constants that the caller already has.
pub fn of_constants(
    constants: &Constants,
    rulesets: &[Ruleset],
    host: &Host,
    mesh: Option<&Mesh>,
) -> Vec<Scenario> {
    let mut list = list(host, mesh);
    let cast = Actors::new(host, mesh);
    let mut keys = OWN.into_iter();
    for (label, group, packet) in constant_packets::suggest(constants, rulesets, &cast) {
        let known = list.iter().any(|one| one.packet == packet) || packet.check().is_err();
        let Some(key) = (!known).then(|| keys.next()).flatten() else {
            continue;
        };
        list.push(Scenario {
            key,
            label,
            group,
            packet,
        });
    }
    list
}

/// The hosts and processes that the names of scenarios refer to.
struct Actors<'a> {
    host: &'a Host,
    mesh: Option<&'a Mesh>,
    uid: u32,
    gid: u32,
    app: u32,
    pod: IpAddr,
    pod6: Option<IpAddr>,
    /// For a node: one of its pods, and the interface to it.
    guest: Option<(Ipv4Addr, String)>,
}

impl<'a> Actors<'a> {
    fn new(host: &'a Host, mesh: Option<&'a Mesh>) -> Self {
        let uid = mesh
            .and_then(|mesh| mesh.uid().or(mesh.gid()))
            .unwrap_or(1337);
        let gid = mesh.and_then(Mesh::gid).unwrap_or(uid);
        let app = if [uid, gid].contains(&1000) {
            1001
        } else {
            1000
        };
        let pod = own_address(host, Family::Ipv4).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        Self {
            host,
            mesh,
            uid,
            gid,
            app,
            pod,
            pod6: own_address(host, Family::Ipv6),
            guest: guest(host),
        }
    }

    fn is_node(&self) -> bool {
        self.mesh.is_none() && self.guest.is_some()
    }

    fn scenario(
        &self,
        (key, label, group, who, protocol, from, to, port, _): &Row,
    ) -> Option<Scenario> {
        let listener = |ports: fn(&Mesh) -> &Vec<u16>| ports(self.mesh?).first().copied();
        let port = match port {
            Is(port) => *port,
            Outbound => listener(|mesh| &mesh.outbound)?,
            Inbound => listener(|mesh| &mesh.inbound)?,
        };
        let packet = self.packet(*who, *protocol, (*from, *to), port)?;
        let id = if matches!(who, Gid) {
            self.gid
        } else {
            self.uid
        };
        let label = label
            .replace('$', &id.to_string())
            .replace('#', &port.to_string());
        let label = label.replace('%', self.mesh.map_or("the proxy", Mesh::proxy));
        let label = if self.is_node() {
            label.replace("own pod", "own address")
        } else {
            label
        };
        Some(Scenario {
            key,
            label,
            group: *group,
            packet,
        })
    }

    fn packet(
        &self,
        who: Sender,
        protocol: Protocol,
        (from, to): (End, End),
        port: u16,
    ) -> Option<Packet> {
        let (uid, gid) = match who {
            App => (self.app, self.app),
            Root | Mark(_) => (0, 0),
            Proxy => (self.uid, self.gid),
            Uid => (self.uid, self.app),
            Gid => (self.app, self.gid),
            Peer | Passing => (0, 0),
        };
        let src = match (who, from) {
            (Peer, Internet6) => neighbour(self.host, self.pod6?, INTERNET6.into()),
            (Peer, _) => neighbour(self.host, self.pod, SERVICE.into()),
            _ => self.address(from)?,
        };
        let dst = self.address(to)?;
        let mut packet = Packet {
            protocol,
            ..Packet::tcp((src, SPORT), (dst, port), uid, gid)
        };
        if let Mark(which) = who {
            let mark = self
                .mesh
                .and_then(|mesh| mesh.mark.or(mesh.route))
                .map_or(0x539, |(mark, _)| mark);
            let answers = self
                .mesh
                .filter(|mesh| mesh.mark.is_some())
                .and_then(|mesh| mesh.route)
                .map_or(0x111, |(mark, _)| mark);
            packet.mark = [mark, answers, mark.wrapping_add(1)][usize::from(which)];
        }
        if !protocol.has_ports() {
            (packet.sport, packet.dport) = (None, None);
            (packet.icmp_type, packet.icmp_code) = (Some(8), Some(0));
        }
        if let Peer | Passing = who {
            packet.origin = Origin::Inbound;
            packet.in_interface = match (who, from) {
                (Passing, Guest) => self.guest.as_ref().map(|(_, interface)| interface.clone()),
                (Passing, _) => default_device(self.host).map(str::to_owned),
                _ => interface_of(self.host, dst),
            };
            (packet.uid, packet.gid) = (None, None);
        }
        Some(packet)
    }

    fn address(&self, end: End) -> Option<IpAddr> {
        Some(match end {
            Pod => self.pod,
            Internet => INTERNET.into(),
            Service => SERVICE.into(),
            Resolver => RESOLVER.into(),
            Loopback(last) => Ipv4Addr::new(127, 0, 0, last).into(),
            Pod6 => self.pod6?,
            Internet6 => self.pod6.map(|_| INTERNET6.into())?,
            Guest => self.guest.as_ref()?.0.into(),
        })
    }
}

/// The first address of a family that is not on `lo`.
pub(crate) fn own_address(host: &Host, family: Family) -> Option<IpAddr> {
    let addresses = host
        .interfaces
        .iter()
        .filter(|i| i.name != "lo")
        .flat_map(|i| &i.addresses);
    let mut addresses = addresses.map(|prefix| prefix.address);
    addresses.find(|address| {
        let link_local = matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local());
        Family::of_address(*address) == family && !link_local
    })
}

/// The router, otherwise an address that is not this pod's.
fn neighbour(host: &Host, pod: IpAddr, other: IpAddr) -> IpAddr {
    let router = host
        .routes
        .iter()
        .filter_map(|route| route.via)
        .find(|via| Family::of_address(*via) == Family::of_address(pod));
    router.unwrap_or(other)
}

/// Whether the host is a node: it forwards packets to other hosts.
pub fn is_node(host: &Host) -> bool {
    guest(host).is_some()
}

/// The device that leads to the internet.
fn default_device(host: &Host) -> Option<&str> {
    let mut defaults = host
        .routes
        .iter()
        .filter(|route| route.dst.length == 0 && route.dst.address.is_ipv4());
    defaults.find_map(|route| route.dev.as_deref())
}

/// A host in the first network that this host forwards to, and the interface to it; `None` if it
/// forwards nothing.
fn guest(host: &Host) -> Option<(Ipv4Addr, String)> {
    if !host.forwards(Family::Ipv4) {
        return None;
    }
    let outer = default_device(host);
    let inner = host
        .interfaces
        .iter()
        .filter(|one| one.name != "lo" && Some(&*one.name) != outer);
    let mut networks = inner.flat_map(|one| one.addresses.iter().map(move |prefix| (one, prefix)));
    networks.find_map(|(interface, prefix)| match prefix.address {
        // The network must have room for a host other than the node itself.
        IpAddr::V4(own) if prefix.length <= 28 => {
            let network = own.to_bits() & (u32::MAX << (32 - prefix.length).min(31));
            let guest = [7, 9].map(|host| Ipv4Addr::from_bits(network | host));
            Some((
                guest.into_iter().find(|guest| *guest != own)?,
                interface.name.clone(),
            ))
        }
        _ => None,
    })
}

fn interface_of(host: &Host, address: IpAddr) -> Option<String> {
    host.interfaces
        .iter()
        .find(|interface: &&crate::packet::host::Interface| {
            interface.addresses.iter().any(|p| p.address == address)
        })
        .map(|interface| interface.name.clone())
}
