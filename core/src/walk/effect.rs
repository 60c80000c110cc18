//! What a target may do to a packet, and how it ends.

use std::net::IpAddr;

use crate::extension::Options;
use crate::host::Host;
use crate::packet::Packet;
use crate::ruleset::NatRange;
use crate::view::View;

use super::nat;

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
    /// One of two, and no dump can tell which.
    Depends {
        /// The question, and why it has no answer.
        because: String,
        /// What happens if the answer is yes.
        yes: Box<Action>,
        /// What happens if it is no.
        no: Box<Action>,
    },
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
    /// Whether the walk cannot follow all that the target did.
    pub doubtful: bool,
}

impl Effects<'_> {
    /// Takes something for granted, once.
    pub fn assume(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.assumes.contains(&what) {
            self.assumes.push(what);
        }
    }

    /// Takes something for granted that may well be otherwise: the walk is not certain any more.
    pub fn doubt(&mut self, what: impl Into<String>) {
        self.doubtful = true;
        self.assume(what);
    }

    /// Changes the destination. Without `--random` a port outside the range becomes its first one. What connection tracking
    /// knows is compared, not what stands in the packet.
    pub fn translate_destination(&mut self, range: &NatRange, options: &Options) {
        let before = (self.view.tracked_dst.unwrap_or(self.view.dst), self.view.dport, self.view.dport_span);
        let mut after = before;
        if let Some(address) = self.choose(range, nat::Side::Destination, options) {
            after.0 = address;
        }
        if let Some((low, high)) = range.ports.filter(|_| self.packet.protocol.has_ports()) {
            let known = nat::destination_port(before.1, (low, high), range.base, options);
            (after.1, after.2) = known.map_or((None, Some((low, high))), |port| (Some(port), None));
        }
        if before != after {
            (self.view.dst, self.view.dport, self.view.dport_span) = after;
            self.view.tracked_dst = None;
            self.view.destination_translated = true;
        }
        self.translates = true;
    }

    /// Changes the source. The port stays if it may: whether it is taken by another connection, a dump does not say.
    pub fn translate_source(&mut self, range: &NatRange, options: &Options) {
        let before = (self.view.tracked_src.unwrap_or(self.view.src), self.view.sport, self.view.sport_span);
        let mut after = before;
        if let Some(address) = self.choose(range, nat::Side::Source, options) {
            after.0 = address;
        }
        if self.packet.protocol.has_ports()
            && let Some(sport) = before.1
        {
            (after.1, after.2) = match nat::source_port(sport, range, options) {
                (low, high) if low == high => (Some(low), None),
                span => (None, Some(span)),
            };
        }
        if before != after {
            (self.view.src, self.view.sport, self.view.sport_span) = after;
            self.view.tracked_src = None;
            self.view.source_translated = true;
        }
        self.translates = true;
    }

    fn choose(&mut self, range: &NatRange, side: nat::Side, options: &Options) -> Option<IpAddr> {
        let (first, last) = range.addresses?;
        if first == last {
            return Some(first);
        }
        // Of what SNPT and DNPT wrote into the packet, nat knows nothing.
        let known = View {
            src: self.view.tracked_src.unwrap_or(self.view.src),
            dst: self.view.tracked_dst.unwrap_or(self.view.dst),
            ..self.view.clone()
        };
        if side == nat::Side::Source && nat::keeps_source(&known, range, options) {
            return None;
        }
        self.assume(format!("which of the addresses {first} to {last} is taken: as on a little-endian machine"));
        Some(nat::hashed(&known, (first, last), side, options))
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
