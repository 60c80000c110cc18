//! Packets with the constants of the rules, a few for each field.

use std::net::{IpAddr, Ipv4Addr};

use super::{APP_PORT, Actors, Destination, TCP, UDP};
use super::{App, Guest, Internet, Passing, Peer, Pod};
use crate::analysis::constants::Constants;
use crate::analysis::explain::socket;
use crate::netfilter::condition::Subject;
use crate::netfilter::ruleset::{Clause, Rule, Ruleset, Value};
use crate::packet::fields::PacketField;
use crate::packet::{Family, Packet, Protocol};

/// The maximum number of constants of one field, and of addresses with a port, that make packets.
const MAX_NUMBERS: usize = 6;
const MAX_SOCKETS: usize = 4;
const MAX_SOURCES: usize = 4;
const MAX_INTERFACES: usize = 3;

/// A packet with its label and group.
type Suggestion = (String, Destination, Packet);

/// The packets that are changed, and the changed ones.
struct Suggestions {
    sent: Packet,
    arriving: Packet,
    /// `None` in a host that forwards nothing.
    forwarded: Option<Packet>,
    found: Vec<Suggestion>,
}

/// Packets with the ports, owners, marks, addresses and interfaces that the rules name.
pub(super) fn suggest(
    constants: &Constants,
    rulesets: &[Ruleset],
    cast: &Actors,
) -> Vec<Suggestion> {
    let sent = cast.packet(App, TCP, (Pod, Internet), 443);
    let arriving = cast.packet(Peer, TCP, (Internet, Pod), APP_PORT);
    let (Some(sent), Some(arriving)) = (sent, arriving) else {
        return Vec::new();
    };
    let mut suggestions = Suggestions {
        sent,
        arriving,
        forwarded: cast.packet(Passing, TCP, (Guest, Internet), 443),
        found: Vec::new(),
    };
    suggestions.add_ports(constants, cast);
    suggestions.add_owners_and_marks(constants);
    // The rules of a mesh name an address with a port only for DNS, which has its own rows.
    let sockets = match cast.mesh {
        None => sockets(rulesets),
        Some(_) => Vec::new(),
    };
    suggestions.add_sockets(&sockets);
    suggestions.add_destinations(constants, &sockets);
    suggestions.add_sources(constants);
    suggestions.found
}

impl Suggestions {
    /// Adds the packet of a group with a change.
    fn add(&mut self, label: String, group: Destination, change: impl FnOnce(&mut Packet)) {
        let mut packet = match (group, &self.forwarded) {
            (Destination::Into, _) => self.arriving.clone(),
            (Destination::Through, Some(forwarded)) => forwarded.clone(),
            (Destination::Through, None) => return,
            _ => self.sent.clone(),
        };
        change(&mut packet);
        self.found.push((label, group, packet));
    }

    fn add_ports(&mut self, constants: &Constants, cast: &Actors) {
        for port in numbers(constants, PacketField::Dport) {
            let Ok(port) = u16::try_from(port) else {
                continue;
            };
            // The table already contains the proxy's own ports.
            if cast.mesh.is_some_and(|mesh| mesh.own.contains(&port)) {
                continue;
            }
            let label = format!("app → internet, port {port}");
            self.add(label, Destination::Internet, |packet| {
                packet.dport = Some(port)
            });
            let label = format!("from outside to {port}");
            self.add(label, Destination::Into, |packet| packet.dport = Some(port));
        }
    }

    fn add_owners_and_marks(&mut self, constants: &Constants) {
        for uid in numbers(constants, PacketField::Uid) {
            let label = format!("uid {uid} → internet");
            self.add(label, Destination::Internet, |packet| {
                packet.uid = Some(uid)
            });
        }
        for gid in numbers(constants, PacketField::Gid) {
            let label = format!("gid {gid} → internet");
            self.add(label, Destination::Internet, |packet| {
                packet.gid = Some(gid)
            });
        }
        for mark in numbers(constants, PacketField::Mark) {
            let label = format!("app, mark {mark:#x}");
            self.add(label, Destination::Internet, |packet| packet.mark = mark);
        }
    }

    fn add_sockets(&mut self, sockets: &[Socket]) {
        let groups = [
            ("app", Destination::Cluster),
            ("a pod", Destination::Through),
        ];
        for (dst, protocol, port) in sockets.iter().copied() {
            for (who, group) in groups {
                let label = format!("{who} → {}, {protocol}", socket(dst.into(), port));
                self.add(label, group, |packet| {
                    (packet.dst, packet.dport, packet.protocol) =
                        (dst.into(), Some(port), protocol);
                    packet.tcp_flags = packet.tcp_flags.filter(|_| protocol == TCP);
                });
            }
        }
    }

    /// Adds destinations that no socket has.
    fn add_destinations(&mut self, constants: &Constants, sockets: &[Socket]) {
        let is_new = |dst: &IpAddr| {
            !dst.is_loopback()
                && !sockets
                    .iter()
                    .any(|(other, ..)| IpAddr::from(*other) == *dst)
        };
        let networks = constants.networks(Subject::Packet(PacketField::Dst));
        let destinations = networks.into_iter().map(|(dst, _)| dst).filter(is_new);
        for dst in destinations.take(MAX_SOCKETS - sockets.len()) {
            self.add(format!("app → {dst}"), Destination::Cluster, |packet| {
                packet.dst = dst
            });
        }
    }

    fn add_sources(&mut self, constants: &Constants) {
        let networks = constants.networks(Subject::Packet(PacketField::Src));
        let sources = networks.into_iter().map(|(src, _)| src);
        for src in sources.filter(|src| !src.is_loopback()).take(MAX_SOURCES) {
            let label = format!("from {src} to {APP_PORT}");
            self.add(label, Destination::Into, |packet| packet.src = Some(src));
        }
        let names = constants.names(Subject::Packet(PacketField::InInterface));
        for name in names
            .into_iter()
            .filter(|name| name != "lo")
            .take(MAX_INTERFACES)
        {
            let label = format!("from outside by {name}");
            self.add(label, Destination::Into, |packet| {
                packet.in_interface = Some(name)
            });
        }
    }
}

/// The first numbers that rules compare a field with.
fn numbers(constants: &Constants, field: PacketField) -> impl Iterator<Item = u32> {
    let ranges = constants.ranges(Subject::Packet(field));
    ranges.into_iter().map(|(low, _)| low).take(MAX_NUMBERS)
}

/// An address with a protocol and a port.
type Socket = (Ipv4Addr, Protocol, u16);

/// The first addresses and ports that rules match together, as those of services do.
fn sockets(rulesets: &[Ruleset]) -> Vec<Socket> {
    let mut found: Vec<Socket> = Vec::new();
    for ruleset in rulesets {
        if ruleset.family != Family::Ipv4 {
            continue;
        }
        let chains = ruleset.tables.iter().flat_map(|table| &table.chains);
        for rule in chains.flat_map(|chain| &chain.rules) {
            if found.len() == MAX_SOCKETS {
                return found;
            }
            match socket_of(ruleset, rule) {
                Some(socket) if !found.contains(&socket) => found.push(socket),
                _ => {}
            }
        }
    }
    found
}

/// The destination address, protocol and port that a rule compares.
fn socket_of(ruleset: &Ruleset, rule: &Rule) -> Option<Socket> {
    let value = |field| compared_value(ruleset, rule, field);
    let Some(Value::Net4(dst, Ipv4Addr::BROADCAST)) = value(PacketField::Dst) else {
        return None;
    };
    let Some(Value::Range(port, _)) = value(PacketField::Dport) else {
        return None;
    };
    let number = value(PacketField::Protocol)?;
    let protocol = [TCP, UDP]
        .into_iter()
        .find(|one| is_number(number, one.0.into()))?;
    Some((*dst, protocol, u16::try_from(*port).ok()?))
}

/// The value that a rule requires of a field.
fn compared_value<'r>(ruleset: &'r Ruleset, rule: &Rule, field: PacketField) -> Option<&'r Value> {
    let is_of_field =
        |part: &&Clause| !part.negated && part.subject() == Some(Subject::Packet(field));
    let clause = ruleset.matches(rule).iter().find(is_of_field)?;
    Some(&clause.value)
}

fn is_number(value: &Value, number: u32) -> bool {
    matches!(value, Value::Number(own) | Value::Range(own, _) if *own == number)
}
