//! The packets of a connection behind its first: later ones get the translation that the first one
//! set up, replies get it undone, and no nat chain is asked (nf_nat_core.c, `nf_nat_packet`).

use std::net::IpAddr;

use crate::packet::view::View;
use crate::packet::{ConnectionState, Direction, Origin, Packet, TcpFlags};

use super::trace::{Trace, VerdictKind};

/// An address, with a port where the protocol has them.
pub type End = (IpAddr, Option<u16>);

/// What nat does to a packet of a connection that it knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Translation {
    /// The destination that PREROUTING and OUTPUT put in.
    pub destination: Option<End>,
    /// The source that INPUT and POSTROUTING put in.
    pub source: Option<End>,
    /// Where nat picked the destination's port at random: the lowest and the highest that it may
    /// be.
    pub destination_span: Option<(u16, u16)>,
    /// The same for the source's port.
    pub source_span: Option<(u16, u16)>,
    /// Whether the first packet's source was translated: `--ctstate SNAT` is true of every packet
    /// of the connection.
    pub snat: bool,
    /// Whether the first packet's destination was: `--ctstate DNAT`.
    pub dnat: bool,
}

impl Translation {
    /// The translation that a first packet has set up, from how it ends.
    pub(super) fn set_up_by(result: &View) -> Self {
        Self {
            destination: result
                .destination_translated
                .then_some((result.dst, result.dport)),
            source: result
                .source_translated
                .then_some((result.src, result.sport)),
            destination_span: result.dport_span,
            source_span: result.sport_span,
            snat: result.source_translated,
            dnat: result.destination_translated,
        }
    }
}

/// The same packet once more, later in its connection: its state is ESTABLISHED, its TCP flags are
/// ACK, and it carries the connection's mark. `None` for a first packet that did not get through.
pub fn later(first: &Trace) -> Option<(Packet, Translation)> {
    let result = arrived(first)?;
    let packet = Packet {
        state: Some(ConnectionState::Established),
        tcp_flags: first.packet.tcp_flags.map(|_| ACK),
        connmark: result.connmark,
        ..first.packet.clone()
    };
    Some((packet, Translation::set_up_by(result)))
}

/// The packet that answers the first one, as its sender makes it: from where the first one ended to
/// where it seemed to come from. Its uid and gid are the answering process's, which nobody states:
/// they are left out. `None` for a first packet that did not get through.
pub fn reply(first: &Trace) -> Option<(Packet, Translation)> {
    let result = arrived(first)?;
    let verdict = first.verdict()?;
    let origin = match verdict.kind {
        VerdictKind::Delivered => Origin::Local,
        _ => Origin::Inbound,
    };
    let packet = Packet {
        origin,
        in_interface: verdict.interface.clone(),
        src: Some(result.dst),
        dst: result.src,
        sport: result.dport,
        dport: result.sport,
        state: Some(ConnectionState::Established),
        direction: Some(Direction::Reply),
        tcp_flags: first.packet.tcp_flags.map(|_| SYN_ACK),
        connmark: result.connmark,
        payload_length: 0,
        ..Packet::to(origin, first.packet.protocol, result.src)
    };
    let asked = &first.packet;
    let translation = Translation {
        destination: result
            .source_translated
            .then_some((asked.src?, asked.sport)),
        source: result
            .destination_translated
            .then_some((asked.dst, asked.dport)),
        snat: result.source_translated,
        dnat: result.destination_translated,
        ..Translation::default()
    };
    Some((packet, translation))
}

const ACK: TcpFlags = TcpFlags(0x10);
const SYN_ACK: TcpFlags = TcpFlags(0x12);

fn arrived(first: &Trace) -> Option<&View> {
    let kind = first.verdict()?.kind;
    matches!(
        kind,
        VerdictKind::Delivered | VerdictKind::Sent | VerdictKind::Forwarded
    )
    .then(|| first.shown().result())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::parse::parse;
    use crate::packet::host::Host;
    use crate::walk::{walk, walk_in_connection};

    const RULES: &str = "*nat\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n\
        -A OUTPUT -p tcp -m tcp --dport 443 -j REDIRECT --to-ports 15001\n\
        -A POSTROUTING -o eth0 -j SNAT --to-source 192.0.2.1\nCOMMIT\n";

    /// Walks a first packet to `dport`, then what `next` makes of it: where that comes from and
    /// goes to at its end.
    fn ends(
        dport: u16,
        next: fn(&Trace) -> Option<(Packet, Translation)>,
    ) -> (String, String, usize) {
        let parsed = parse(RULES);
        let host = Host::pod();
        let packet = Packet::tcp(
            [10, 244, 1, 5].into(),
            40_000,
            [1, 1, 1, 1].into(),
            dport,
            0,
            0,
        );
        let first = walk(&parsed.rulesets, None, &host, &packet);
        let (packet, translation) = next(&first).expect("the first packet got through");
        let trace = walk_in_connection(&parsed.rulesets, None, &host, &packet, translation);
        let view = trace.path.result();
        let end = |address, port: Option<u16>| format!("{address} {}", port.unwrap_or_default());
        (
            end(view.src, view.sport),
            end(view.dst, view.dport),
            trace.path.steps.len(),
        )
    }

    #[test]
    fn later_packets_are_translated_and_replies_back() {
        let own = |text: &str| text.to_owned();
        assert_eq!(
            ends(443, later),
            (own("10.244.1.5 40000"), own("127.0.0.1 15001"), 0)
        );
        assert_eq!(
            ends(443, reply),
            (own("1.1.1.1 443"), own("10.244.1.5 40000"), 0)
        );
        assert_eq!(
            ends(80, later),
            (own("192.0.2.1 40000"), own("1.1.1.1 80"), 0)
        );
        assert_eq!(
            ends(80, reply),
            (own("1.1.1.1 80"), own("10.244.1.5 40000"), 0)
        );
    }
}
