//! What a target may do to a packet, and how it ends.

use std::net::IpAddr;

use crate::host::Host;
use crate::packet::Packet;
use crate::ruleset::NatRange;
use crate::view::View;

/// What happens after a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The next rule is asked.
    Continue,
    /// The table is done; the packet goes on.
    Accept,
    /// The packet is gone.
    Drop,
    /// The packet is gone, and its sender gets this answer.
    Reject(String),
    /// A program in user space has it.
    Queue,
    /// Back to the calling chain.
    Return,
    /// Nobody can tell, for this reason.
    Unknown(String),
}

/// The packet in a target's hands.
#[derive(Debug)]
pub struct Effects<'a> {
    /// The packet: targets write here.
    pub view: &'a mut View,
    /// What no rule changes.
    pub packet: &'a Packet,
    /// The namespace.
    pub host: &'a Host,
    /// What the walk takes for granted.
    pub assumes: &'a mut Vec<String>,
    /// Whether the target set up a translation, be it one that changes nothing.
    pub translates: bool,
}

impl Effects<'_> {
    /// Takes something for granted, once.
    pub fn assume(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.assumes.contains(&what) {
            self.assumes.push(what);
        }
    }

    /// Changes the destination (nf_nat_core.c, `get_unique_tuple`): the port stays where it lies in the range, else the
    /// first one of the range is taken.
    pub fn translate_destination(&mut self, range: &NatRange) {
        let before = (self.view.dst, self.view.dport);
        if let Some(address) = self.choose(range.addresses) {
            self.view.dst = address;
        }
        self.view.dport = translated_port(self.packet, self.view.dport, range.ports);
        self.view.destination_translated |= before != (self.view.dst, self.view.dport);
        self.translates = true;
    }

    /// Changes the source. The port stays if it may: whether it is taken by another connection, a dump does not say.
    pub fn translate_source(&mut self, range: &NatRange) {
        let before = (self.view.src, self.view.sport);
        if let Some(address) = self.choose(range.addresses) {
            self.view.src = address;
        }
        if range.ports.is_some_and(|(low, high)| low != high) {
            self.assume("a source port outside the range is replaced by the first one of the range");
        }
        self.view.sport = translated_port(self.packet, self.view.sport, range.ports);
        self.view.source_translated |= before != (self.view.src, self.view.sport);
        self.translates = true;
    }

    fn choose(&mut self, addresses: Option<(IpAddr, IpAddr)>) -> Option<IpAddr> {
        let (first, last) = addresses?;
        if first != last {
            self.assume(format!("of the addresses {first} to {last} the first is taken; the kernel picks by a hash"));
        }
        Some(first)
    }

    /// Whether a process listens on that port; assumed where no sockets are known.
    pub fn listens(&mut self, port: Option<u16>) -> bool {
        let Some(port) = port else { return false };
        if self.host.sockets.is_empty() {
            self.assume(format!("a process listens on port {port}"));
            return true;
        }
        let protocol = self.packet.protocol;
        self.host.sockets.iter().any(|socket| socket.protocol == protocol && socket.port == port)
    }
}

fn translated_port(packet: &Packet, port: Option<u16>, range: Option<(u16, u16)>) -> Option<u16> {
    match range {
        Some((low, high)) if packet.protocol.has_ports() => match port {
            Some(port) if (low..=high).contains(&port) => Some(port),
            _ => Some(low),
        },
        _ => port,
    }
}
