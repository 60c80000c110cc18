//! Packets worth trying with a rule set: the ones people ask about.

use std::net::IpAddr;

use crate::host::Host;
use crate::mesh::Mesh;
use crate::packet::{Family, Origin, Packet, Protocol};

/// A packet with a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// A short key, unique and stable.
    pub key: &'static str,
    /// What it is, in a few words.
    pub label: String,
    /// What it belongs to.
    pub group: Group,
    /// The packet.
    pub packet: Packet,
}

/// Where a scenario's packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// To a host far away.
    Internet,
    /// To a host nearby.
    Cluster,
    /// From this pod to itself.
    Inside,
    /// From another host to this one.
    Into,
}

impl Group {
    /// All, in the order to show them.
    pub const ALL: [Self; 4] = [Self::Internet, Self::Cluster, Self::Inside, Self::Into];

    /// As a heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Internet => "To the internet",
            Self::Cluster => "To the cluster",
            Self::Inside => "Inside the pod",
            Self::Into => "Into the pod",
        }
    }
}

/// An address of the internet that every reader knows to be an example (example.com had it for years).
const INTERNET: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(93, 184, 216, 34));
const INTERNET6: IpAddr = IpAddr::V6(std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x34));
const SERVICE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 96, 7, 7));
const RESOLVER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 96, 0, 10));
const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
/// Istio's passthrough source (`InboundPassthroughBindIpv4`).
const PASSTHROUGH: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 6));
const SPORT: u16 = 40_000;
const APP_PORT: u16 = 8080;

/// The packets to try, made from the host's own addresses and the mesh's proxy identity.
///
/// Without a recognised mesh uid 1337 still stands for the proxy: it is what most readers come to ask about.
pub fn list(host: &Host, mesh: Option<&Mesh>) -> Vec<Scenario> {
    let proxy = mesh.map_or("the proxy", |mesh| mesh.proxy);
    let uid = mesh.and_then(Mesh::uid).unwrap_or(1337);
    let app = if uid == 1000 { 1001 } else { 1000 };
    let pod = own_address(host, Family::Ipv4).unwrap_or(LOOPBACK);
    let pod6 = own_address(host, Family::Ipv6);
    let peer = neighbour(host, pod);
    let tcp = |src, dst, dport, uid, gid| Packet::tcp(src, SPORT, dst, dport, uid, gid);
    let inbound = |src: IpAddr, dport| Packet {
        src: Some(src),
        sport: Some(SPORT),
        dport: Some(dport),
        in_interface: interface_of(host, pod),
        ..Packet::to(Origin::Inbound, Protocol::TCP, pod)
    };
    let udp = |packet: Packet| Packet { protocol: Protocol::UDP, ..packet };
    let mut list = Vec::new();
    let mut add = |key, label: String, group, packet| list.push(Scenario { key, label, group, packet });

    let to_internet = tcp(pod, INTERNET, 443, app, app);
    add("internet", "app → internet".into(), Group::Internet, to_internet.clone());
    add("as-proxy", format!("same, as uid {uid}"), Group::Internet, Packet { uid: Some(uid), ..to_internet.clone() });
    add("as-proxy-gid", format!("same, as gid {uid}"), Group::Internet, Packet { gid: Some(uid), ..to_internet });
    if let Some(pod6) = pod6 {
        add("internet-v6", "same, over IPv6".into(), Group::Internet, tcp(pod6, INTERNET6, 443, app, app));
    }
    add("service", "app → own service".into(), Group::Cluster, tcp(pod, SERVICE, APP_PORT, app, app));
    add("dns-tcp", "app → DNS over TCP".into(), Group::Cluster, tcp(pod, RESOLVER, 53, app, app));
    add("dns-udp", "app → DNS over UDP".into(), Group::Cluster, udp(tcp(pod, RESOLVER, 53, app, app)));
    let ping = Packet {
        src: Some(pod),
        icmp_type: Some(8),
        icmp_code: Some(0),
        uid: Some(app),
        gid: Some(app),
        ..Packet::to(Origin::Local, Protocol::ICMP, INTERNET)
    };
    add("ping", "app → ping".into(), Group::Cluster, ping);
    add("localhost", format!("app → 127.0.0.1:{APP_PORT}"), Group::Inside, tcp(LOOPBACK, LOOPBACK, APP_PORT, app, app));
    add("own-pod", "app → own pod".into(), Group::Inside, tcp(pod, pod, APP_PORT, app, app));
    add("proxy-own-pod", format!("uid {uid} → own pod"), Group::Inside, tcp(pod, pod, APP_PORT, uid, uid));
    add("proxy-app", format!("{proxy} → app from 127.0.0.6"), Group::Inside, tcp(PASSTHROUGH, pod, APP_PORT, uid, uid));
    add("inbound", format!("from outside to {APP_PORT}"), Group::Into, inbound(peer, APP_PORT));
    add("inbound-tunnel", "from outside to 15008".into(), Group::Into, inbound(peer, 15008));
    add("inbound-health", "from outside to 15021".into(), Group::Into, inbound(peer, 15021));
    add("inbound-udp", format!("from outside, UDP to {APP_PORT}"), Group::Into, udp(inbound(peer, APP_PORT)));
    list
}

/// The first address of that family that is not on `lo`.
fn own_address(host: &Host, family: Family) -> Option<IpAddr> {
    let addresses = host.interfaces.iter().filter(|i| i.name != "lo").flat_map(|i| &i.addresses);
    let mut addresses = addresses.map(|prefix| prefix.address);
    addresses.find(|address| {
        let link_local = matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local());
        Family::of(*address) == family && !link_local
    })
}

/// The router, or else an address that is not this pod's.
fn neighbour(host: &Host, pod: IpAddr) -> IpAddr {
    let router = host.routes.iter().filter_map(|route| route.via).find(|via| Family::of(*via) == Family::of(pod));
    router.unwrap_or(SERVICE)
}

fn interface_of(host: &Host, address: IpAddr) -> Option<String> {
    let holds = |interface: &&crate::host::Interface| interface.addresses.iter().any(|p| p.address == address);
    host.interfaces.iter().find(holds).map(|interface| interface.name.clone())
}
