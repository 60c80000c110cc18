//! Later packets: a random first packet that leaves, its reply, and the first packet again. The
//! walk of the later ones knows only their state and direction. If it is certain, it must equal the
//! kernel. If not, one branch must, or the walk stops because the translation is unknown.

use chainwalk_core::netfilter::ruleset::Ruleset;
use chainwalk_core::packet::{ConnectionState, Direction, Origin, Packet, Protocol, TcpFlags};
use chainwalk_core::walk::trace::{Path, Trace};
use chainwalk_core::walk::walk;
use chainwalk_tests::random::packet::MAC;

use super::case::{Case, agree, report};
use super::lab::{Ends, Lab, Observed};

/// The number of compared walks of later packets, and the number of certain ones.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Compared {
    pub(crate) packets: u64,
    pub(crate) certain: u64,
}

impl Case {
    /// Loads the rules, sends the first packets with their later ones, and compares the later ones.
    pub(crate) fn judge_later(&self, lab: &mut Lab, compared: &mut Compared) -> Result<(), String> {
        lab.load(self.settings(), self.rules())
            .map_err(|refused| format!("{refused}\n{}", self.rules().concat()))?;
        // CT and NOTRACK may put a reply into another zone, or exclude it from connection tracking,
        // which does not store the addresses of SNPT and DNPT. For the kernel, the packet is then
        // not a reply.
        if ["-j CT ", "-j NOTRACK", "-j SNPT ", "-j DNPT "]
            .iter()
            .any(|target| lab.saved.contains(target))
        {
            return Ok(());
        }
        for packet in self.first_packets().iter().map(answerable) {
            // `--random` changes the identifier of an echo, which the lab does not observe.
            if packet.icmp_type.is_some() && lab.saved.contains("--random") {
                continue;
            }
            let observed = lab.send(&packet);
            let first = walk(&lab.rulesets, None, &lab.host, &packet);
            let begins = first.shown().result().state == Some(ConnectionState::New);
            // A multicast leaves twice.
            let [(interface, ends)] = &observed.left[..] else {
                continue;
            };
            if !begins || packet.dst.is_multicast() {
                continue;
            }
            for later in [reply(&packet, interface, ends), again(&packet)] {
                let observed = lab.send_later(&later);
                let trace = walk(&lab.rulesets, None, &lab.host, &later);
                let is_assumed = trace
                    .assumes
                    .iter()
                    .any(|assumed| assumed.contains("first packet of the reply's connection"));
                if !is_assumed || is_usual(&packet) {
                    compared.packets += 1;
                    compared.certain += u64::from(trace.certain);
                    compare(&lab.rulesets, &observed, &trace).map_err(|difference| {
                        report(lab, &later, &observed, &trace, &difference)
                    })?;
                }
                // A reply may set another mark on the connection, which the walk of a later packet
                // does not know.
                let mark = first.shown().result().connmark;
                if paths(&trace).any(|path| path.result().connmark != mark) {
                    break;
                }
                // A reply that is dropped before connection tracking does not make the connection
                // ESTABLISHED.
                if !trace.shown().views.iter().any(|view| view.tracked) {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// The packet changed so that it begins a connection and gets a reply: a SYN, an echo request or a
/// datagram.
fn answerable(packet: &Packet) -> Packet {
    let echo = match packet.protocol {
        Protocol::ICMP => Some(8),
        Protocol::ICMPV6 => Some(128),
        _ => None,
    };
    let is_tcp = packet.protocol == Protocol::TCP;
    Packet {
        protocol: if is_tcp || echo.is_some() {
            packet.protocol
        } else {
            Protocol::UDP
        },
        sport: echo.map_or(packet.sport.or(Some(40_000)), |_| None),
        dport: echo.map_or(packet.dport.or(Some(80)), |_| None),
        tcp_flags: is_tcp.then_some(TcpFlags::SYN),
        icmp_type: echo,
        icmp_code: echo.map(|_| 0),
        sctp_chunks: None,
        // The SYN of a program has no data.
        payload_length: if is_tcp { 0 } else { packet.payload_length },
        // After other headers, connection tracking may mistake a packet for one of another
        // protocol.
        ipv6_headers: packet.ipv6_headers.as_ref().map(|_| Vec::new()),
        ..packet.clone()
    }
}

/// Whether the packet is the first packet that the walk of a reply assumes.
fn is_usual(first: &Packet) -> bool {
    (
        first.mark,
        first.dscp,
        first.ecn,
        first.ttl,
        first.payload_length,
        first.mss,
    ) == (0, 0, 0, 64, 0, None)
}

/// The reply to a packet that left with these ends, as it arrives.
fn reply(first: &Packet, interface: &str, ends: &Ends) -> Packet {
    let tcp_flags = first.tcp_flags.map(|_| TcpFlags(0x12));
    Packet {
        in_interface: Some(interface.to_owned()),
        src_mac: Some(MAC.into()),
        packet_type: Some("unicast".into()),
        src: Some(ends.dst),
        sport: ends.ports.map(|(_, to)| to),
        dport: ends.ports.map(|(from, _)| from),
        tcp_flags,
        tcp_options: tcp_flags.map(|_| Vec::new()),
        icmp_type: first
            .icmp_type
            .map(|kind| if kind == 8 { 0 } else { kind + 1 }),
        icmp_code: first.icmp_code,
        ipv6_headers: first.ipv6_headers.clone(),
        state: Some(ConnectionState::Established),
        direction: Some(Direction::Reply),
        ..Packet::to(Origin::Inbound, first.protocol, ends.src)
    }
}

/// The same packet again, after the reply.
fn again(first: &Packet) -> Packet {
    Packet {
        tcp_flags: first.tcp_flags.map(|_| TcpFlags(0x10)),
        state: Some(ConnectionState::Established),
        ..first.clone()
    }
}

fn compare(rulesets: &[Ruleset], observed: &Observed, trace: &Trace) -> Result<(), String> {
    if trace.certain {
        return agree(rulesets, observed, trace, &trace.path);
    }
    let is_open = trace.branches_left_out > 0 || paths(trace).any(|path| path.stopped.is_some());
    match is_open || paths(trace).any(|path| agree(rulesets, observed, trace, path).is_ok()) {
        true => Ok(()),
        false => Err("no branch agrees".into()),
    }
}

/// The paths that the walk may take.
fn paths(trace: &Trace) -> impl Iterator<Item = &Path> {
    let branches = trace.branches.iter().map(|branch| &branch.path);
    branches.chain([&trace.path])
}
