//! Journeys in a real kernel. Listeners in a namespace take the roles of the proxy and the app.
//! Each leg is opened as the journey states, and its receiver, its source and its original
//! destination must be those of the journey. The reply must arrive.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use chainwalk_core::analysis::journey::{Choices, Hop, journey};
use chainwalk_core::input::parse::parse;
use chainwalk_core::mesh::{self, Mode};
use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::packet::host::Host;
use chainwalk_core::packet::{Family, Origin, Packet, Protocol};
use chainwalk_core::walk::trace::VerdictKind;
use chainwalk_tests::namespace::{Namespace, Pod, require, wait_for};
use nix::unistd::{Gid, Uid, setfsgid, setfsuid};
use socket2::{Domain, Socket, Type};

/// A distant host. The router holds the address.
const FAR: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
const SERVICE: Ipv4Addr = Ipv4Addr::new(10, 96, 7, 7);
const POD: Ipv4Addr = Ipv4Addr::new(10, 244, 1, 5);
const APP: u16 = 8080;

/// A mesh of the page's samples.
struct Mesh {
    rules: &'static str,
    host: Option<&'static str>,
    /// The routing that the rules require, as arguments of `ip`.
    routing: &'static [&'static str],
}

const MESHES: [Mesh; 3] = [
    Mesh {
        rules: include_str!("../static/samples/istio-sidecar.txt"),
        host: None,
        routing: &[],
    },
    Mesh {
        rules: include_str!("../static/samples/istio-sidecar-tproxy.txt"),
        host: Some(include_str!(
            "../static/samples/istio-sidecar-tproxy.host.json"
        )),
        routing: &[
            "rule add fwmark 0x539 lookup 133",
            "route add local default dev lo table 133",
        ],
    },
    Mesh {
        rules: include_str!("../static/samples/istio-ambient.txt"),
        host: Some(include_str!("../static/samples/istio-ambient.host.json")),
        routing: &[
            "rule add fwmark 0x111/0xfff lookup 100",
            "route add local default dev lo table 100",
        ],
    },
];

/// Runs `job` as a user and group. They own the sockets that it opens.
fn as_user<T>(uid: u32, gid: u32, job: impl FnOnce() -> T) -> T {
    setfsgid(Gid::from_raw(gid));
    setfsuid(Uid::from_raw(uid));
    let done = job();
    setfsuid(Uid::effective());
    setfsgid(Gid::effective());
    done
}

struct Listener {
    port: u16,
    owner: (u32, u32),
    socket: Socket,
}

impl Listener {
    fn open(namespace: &Namespace, port: u16, owner: (u32, u32)) -> Self {
        let socket = namespace.inside(|| {
            as_user(owner.0, owner.1, || {
                let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
                socket.set_ip_transparent_v4(true).expect("root may");
                socket.set_reuse_address(true).expect("a socket may");
                socket
                    .bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into())
                    .expect("the port is free");
                socket.listen(8).expect("it is bound");
                socket.set_nonblocking(true).expect("a socket may");
                socket
            })
        });
        Self {
            port,
            owner,
            socket,
        }
    }

    /// Waits for a connection.
    fn accept(&self, what: &str) -> (Socket, SocketAddr) {
        let mut accepted = None;
        wait_for(what, || {
            accepted = match as_user(self.owner.0, self.owner.1, || self.socket.accept()) {
                Ok(found) => Some(found),
                Err(error) if error.kind() == ErrorKind::WouldBlock => None,
                Err(error) => panic!("{what}: {error}"),
            };
            accepted.is_some()
        });
        let (socket, peer) = accepted.expect("waited for");
        socket.set_nonblocking(false).expect("a socket may");
        (socket, peer.as_socket().expect("an IP address"))
    }
}

/// Opens a leg as its packet states, with a timeout.
fn connect(namespace: &Namespace, packet: &Packet) -> Result<Socket, String> {
    let to = SocketAddr::new(packet.dst, packet.dport.expect("TCP has ports"));
    namespace.inside(|| {
        as_user(packet.uid.unwrap_or(0), packet.gid.unwrap_or(0), || {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
            if packet.mark != 0 {
                socket.set_mark(packet.mark).expect("root may");
            }
            if packet.origin == Origin::Local {
                // Foreign addresses must be possible: TPROXY and ambient use the caller's address
                // for the next connection.
                socket.set_ip_transparent_v4(true).expect("root may");
                let src = SocketAddr::new(packet.src.expect("a journey states it"), 0);
                socket
                    .bind(&src.into())
                    .map_err(|error| format!("bind {src}: {error}"))?;
            }
            socket
                .connect_timeout(&to.into(), Duration::from_secs(5))
                .map_err(|error| format!("connect {to}: {error}"))?;
            Ok(socket)
        })
    })
}

/// Checks that the kernel treats one leg as the walk states.
fn check(pod: &Pod, listeners: &[Listener], far: &Listener, leg: &Hop) {
    let packet = &leg.trace.packet;
    let verdict = leg.trace.verdict().expect("it can be told");
    let result = leg.trace.shown().result();
    let what = format!(
        "{} to {} ({} to {})",
        leg.from,
        leg.to,
        packet.src.expect("stated"),
        packet.dst
    );
    let listener = match verdict.kind {
        VerdictKind::Delivered => listeners.iter().find(|one| Some(one.port) == verdict.port),
        _ => Some(far),
    };
    let listener = listener.unwrap_or_else(|| panic!("{what}: nobody plays {verdict:?}"));
    let namespace = if packet.origin == Origin::Inbound {
        &pod.router
    } else {
        &pod.namespace
    };
    let stream = connect(namespace, packet).unwrap_or_else(|error| panic!("{what}: {error}"));
    let (mut accepted, peer) = listener.accept(&what);
    assert_eq!(peer.ip(), result.src, "{what}: the source it is seen with");
    let local = accepted
        .local_addr()
        .expect("connected")
        .as_socket()
        .expect("an IP address");
    assert_eq!(
        (local.ip(), local.port()),
        (result.dst, result.dport.expect("a port")),
        "{what}: where it ended"
    );
    if let Some((address, port)) = leg.original {
        let original = match result.steered {
            Some(_) => local,
            None => accepted
                .original_dst_v4()
                .expect("it was translated")
                .as_socket()
                .expect("an IP address"),
        };
        assert_eq!(
            original,
            SocketAddr::new(address, port),
            "{what}: what it was for"
        );
    }
    // The reply arrives, from the address that the client sent to.
    let reply = leg.reply.as_ref().expect("it is answered");
    let seen = reply.shown().result();
    let mut stream = stream;
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .expect("a socket may");
    accepted.write_all(b"answer").expect("it is connected");
    let mut answer = [0; 6];
    stream
        .read_exact(&mut answer)
        .unwrap_or_else(|error| panic!("{what}: no answer: {error}"));
    assert_eq!(&answer, b"answer");
    let answerer = stream
        .peer_addr()
        .expect("connected")
        .as_socket()
        .expect("an IP address");
    assert_eq!(
        (answerer.ip(), Some(answerer.port())),
        (seen.src, seen.sport),
        "{what}: who answered"
    );
    assert_eq!(
        reply.verdict().map(|verdict| verdict.kind),
        Some(come_back(packet)),
        "{what}: where the answer ends"
    );
}

fn come_back(packet: &Packet) -> VerdictKind {
    if packet.origin == Origin::Inbound {
        VerdictKind::Sent
    } else {
        VerdictKind::Delivered
    }
}

/// The legs of a journey in every mesh and with both backends, one after the other. Returns the
/// number of each.
fn everywhere(label: &str, packet: &Packet, endpoint: Option<(IpAddr, u16)>) -> Vec<Vec<String>> {
    require(&["ip", "iptables-legacy-restore", "iptables-nft-restore"]);
    let mut all = Vec::new();
    for set in &MESHES {
        for backend in [Backend::Legacy, Backend::Nft] {
            let pod = Pod::new(label);
            pod.router.ip("link set lo up");
            pod.router
                .ip(&format!("address add {}/24 dev eth0", Pod::ROUTERS[0]));
            pod.router.ip(&format!("address add {FAR}/32 dev lo"));
            pod.router.ip(&format!(
                "neighbour add {POD} lladdr {} dev eth0 nud permanent",
                Pod::MAC
            ));
            for route in set.routing {
                pod.namespace.ip(route);
            }
            let host = set
                .host
                .map_or_else(Host::pod, |json| Host::from_json(json).expect("a host"));
            for (setting, value) in &host.sysctls {
                pod.namespace.set(&setting.replace('.', "/"), value);
            }
            pod.namespace.load(backend, Family::Ipv4, set.rules);
            let parsed = parse(set.rules);
            let mesh = mesh::recognise(&parsed.rulesets[0]).expect("a mesh");
            let proxy = match mesh.mode {
                Mode::Redirect => (1337, 1337),
                Mode::Tproxy => (0, 1337),
                Mode::Ambient => (0, 0),
            };
            let listeners = [(15001, proxy), (15006, proxy), (APP, (1000, 1000))];
            let listeners =
                listeners.map(|(port, owner)| Listener::open(&pod.namespace, port, owner));
            let far = Listener::open(&pod.router, 443, (0, 0));
            let journey = journey(
                &parsed.rulesets,
                &host,
                Some(&mesh),
                packet,
                &Choices { endpoint },
            );
            for leg in &journey.legs {
                check(&pod, &listeners, &far, leg);
            }
            all.push(
                journey
                    .legs
                    .iter()
                    .map(|leg| format!("{} to {}", leg.from, leg.to))
                    .collect(),
            );
        }
    }
    all
}

fn app_to(dst: Ipv4Addr, port: u16) -> Packet {
    Packet::tcp((POD, 40_000), (dst, port), 1000, 1000)
}

/// Each mesh twice: once for each backend.
fn twice(legs: [&[&str]; 3]) -> Vec<Vec<String>> {
    let own = |legs: &[&str]| legs.iter().map(|leg| (*leg).to_owned()).collect::<Vec<_>>();
    legs.iter()
        .flat_map(|legs| [own(legs), own(legs)])
        .collect()
}

#[test]
fn an_app_calls_its_own_service() {
    let legs = everywhere("own", &app_to(SERVICE, APP), Some((POD.into(), APP)));
    let sidecar: &[&str] = &["the app to Envoy", "Envoy to Envoy", "Envoy to the app"];
    assert_eq!(
        legs,
        twice([
            sidecar,
            sidecar,
            &["the app to ztunnel", "ztunnel to the app"]
        ])
    );
}

#[test]
fn a_caller_from_outside() {
    let caller: IpAddr = Pod::ROUTERS[0].parse().expect("an address");
    let packet = Packet {
        in_interface: Some("eth0".into()),
        src: Some(caller),
        sport: Some(40_000),
        dport: Some(APP),
        ..Packet::to(Origin::Inbound, Protocol::TCP, POD.into())
    };
    let legs = everywhere("in", &packet, None);
    let sidecar: &[&str] = &["the caller to Envoy", "Envoy to the app"];
    assert_eq!(
        legs,
        twice([
            sidecar,
            sidecar,
            &["the caller to ztunnel", "ztunnel to the app"]
        ])
    );
}

#[test]
fn an_app_calls_somebody_far_away() {
    let legs = everywhere("out", &app_to(FAR, 443), None);
    let sidecar: &[&str] = &["the app to Envoy", "Envoy to the network"];
    assert_eq!(
        legs,
        twice([
            sidecar,
            sidecar,
            &["the app to ztunnel", "ztunnel to the network"]
        ])
    );
}

#[test]
fn the_proxys_user_gets_past() {
    let packet = Packet {
        uid: Some(1337),
        ..app_to(FAR, 443)
    };
    let legs = everywhere("past", &packet, None);
    let sidecar: &[&str] = &["the app to the network"];
    assert_eq!(
        legs,
        twice([
            sidecar,
            sidecar,
            &["the app to ztunnel", "ztunnel to the network"]
        ])
    );
}
