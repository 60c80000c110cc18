//! Sends packets to the namespace, and detects when the kernel has processed them.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::time::Duration;

use chainwalk_core::packet::{Family, Origin, Packet};
use chainwalk_tests::namespace::Namespace;
use nix::ifaddrs::getifaddrs;
use nix::libc;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::socket::bind;
use nix::unistd::{Gid, Pid, Uid, setfsgid, setfsuid};
use socket2::{Domain, Protocol, Socket, Type};

use super::wire;

/// The source hardware address of test packets. The namespace refuses all others.
pub(crate) const MAC: [u8; 6] = [2, 0, 0, 0, 0, 0x99];
/// An Ethernet type for local experiments (IEEE 802). No netfilter hook sees it.
const EXPERIMENTAL: u16 = 0x88b5;

/// Pins this thread to one processor, so that the kernel handles its packets in order.
pub(crate) fn stay_on_one_processor(which: usize) {
    let this = Pid::from_raw(0);
    let allowed = sched_getaffinity(this).expect("a thread may ask where it runs");
    let allowed: Vec<usize> = (0..CpuSet::count())
        .filter(|cpu| allowed.is_set(*cpu).unwrap_or(false))
        .collect();
    let mut one = CpuSet::new();
    one.set(allowed[which % allowed.len()])
        .expect("it was allowed");
    sched_setaffinity(this, &one).expect("it was allowed");
}

/// A socket for complete Ethernet frames on an interface of the thread's namespace.
fn frames(interface: &str) -> Socket {
    let protocol = Protocol::from(i32::from(EXPERIMENTAL.to_be()));
    let socket = Socket::new(Domain::PACKET, Type::RAW, Some(protocol))
        .expect("root may open packet sockets");
    let addresses = getifaddrs().expect("interfaces can be listed");
    let link = addresses
        .filter(|entry| entry.interface_name == interface)
        .find_map(|entry| {
            entry
                .address
                .and_then(|address| address.as_link_addr().copied())
        });
    bind(socket.as_raw_fd(), &link.expect("the interface exists")).expect("it can be bound to");
    socket
}

fn frame(to: [u8; 6], kind: u16, body: &[u8]) -> Vec<u8> {
    [&to[..], &MAC, &kind.to_be_bytes(), body].concat()
}

/// Sends packets as a process of the namespace, or from the other end of its links.
#[derive(Debug)]
pub(crate) struct Sender {
    /// Raw sockets by family and owner.
    raw: HashMap<(Family, u32, u32), Socket>,
    /// For each interface, the other end of its link, and the interface's hardware address.
    wires: HashMap<String, (Socket, [u8; 6])>,
    last: Last,
}

impl Sender {
    /// Call it on a thread in the namespace. `wires`: interfaces with the same name at both ends,
    /// with their hardware addresses.
    pub(crate) fn new(router: &Namespace, wires: &[(&str, [u8; 6])]) -> Self {
        let wires = wires
            .iter()
            .map(|(name, mac)| ((*name).to_owned(), (router.inside(|| frames(name)), *mac)));
        Self {
            raw: HashMap::new(),
            wires: wires.collect(),
            last: Last::new(),
        }
    }

    /// Sends a packet, and returns when the kernel has finished with it. The error is the one that
    /// the sender of a local packet gets.
    pub(crate) fn send(&mut self, packet: &Packet) -> io::Result<()> {
        let bytes = wire::bytes(packet);
        let sent = match packet.origin {
            Origin::Local => self.send_local(packet, &bytes),
            Origin::Inbound => {
                let interface = packet
                    .in_interface
                    .as_deref()
                    .expect("random packets state their interface");
                let kind = if packet.dst.is_ipv4() {
                    libc::ETH_P_IP
                } else {
                    libc::ETH_P_IPV6
                };
                let (socket, mac) = &mut self.wires.get_mut(interface).expect("there is a wire");
                socket.write_all(&frame(
                    *mac,
                    u16::try_from(kind).expect("a type has 16 bits"),
                    &bytes,
                ))
            }
        };
        self.last.settle();
        sent
    }

    fn send_local(&mut self, packet: &Packet, bytes: &[u8]) -> io::Result<()> {
        let owner = (
            packet.family(),
            packet.uid.unwrap_or(0),
            packet.gid.unwrap_or(0),
        );
        let socket = self.raw.entry(owner).or_insert_with(|| raw(owner));
        socket.set_mark(packet.mark).expect("root may set marks");
        // A raw socket interprets the port as a protocol; 0 means its own protocol.
        let address = SocketAddr::new(packet.dst, 0);
        socket.send_to(bytes, &address.into()).map(drop)
    }
}

/// A socket that sends complete IP packets, opened as this user and group. The thread keeps its
/// privileges. Only its file-system ids change, and the socket stores those.
fn raw((family, uid, gid): (Family, u32, u32)) -> Socket {
    let domain = match family {
        Family::Ipv4 => Domain::IPV4,
        Family::Ipv6 => Domain::IPV6,
    };
    let (own_uid, own_gid) = (Uid::effective(), Gid::effective());
    setfsgid(Gid::from_raw(gid));
    setfsuid(Uid::from_raw(uid));
    let socket = Socket::new(domain, Type::RAW, Some(Protocol::from(libc::IPPROTO_RAW)));
    setfsuid(own_uid);
    setfsgid(own_gid);
    let socket = socket.expect("root may open raw sockets");
    socket
        .set_broadcast(true)
        .expect("a socket may be allowed to broadcast");
    socket
}

/// Detects when all earlier packets have been handled.
///
/// Packets to `lo` or a veth pair wait in the backlog of their processor and are handled in order.
/// A frame of this test, sent last on the same processor, is therefore handled last. No netfilter
/// hook sees it.
#[derive(Debug)]
struct Last {
    socket: Socket,
    number: u32,
}

impl Last {
    fn new() -> Self {
        let socket = frames("lo");
        socket
            .set_read_timeout(Some(Duration::from_secs(10)))
            .expect("a socket may have a timeout");
        Self { socket, number: 0 }
    }

    fn settle(&mut self) {
        self.number += 1;
        let body = self.number.to_be_bytes();
        self.socket
            .write_all(&frame([0; 6], EXPERIMENTAL, &body))
            .expect("lo is up");
        let mut buffer = [0; 64];
        loop {
            let length = self
                .socket
                .read(&mut buffer)
                .expect("the frame comes back within ten seconds");
            if buffer[..length].get(14..18) == Some(&body[..]) {
                return;
            }
        }
    }
}
