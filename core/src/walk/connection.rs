//! The packets of a connection after its first one. The kernel applies the stored translation of
//! the first packet to later packets and reverses it for replies. No nat chain is evaluated
//! (nf_nat_core.c, `nf_nat_packet`).

use std::net::IpAddr;

use crate::packet::view::View;
use crate::packet::{ConnectionState, Direction, Origin, Packet, TcpFlags};

use super::trace::{Trace, VerdictKind};

/// An address, with a port if the protocol has ports.
pub type End = (IpAddr, Option<u16>);

/// The translation of a known connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Translation {
    /// The destination that PREROUTING and OUTPUT set.
    pub destination: Option<End>,
    /// The source that INPUT and POSTROUTING set.
    pub source: Option<End>,
    /// The range of the destination port, if nat chose it at random.
    pub destination_span: Option<(u16, u16)>,
    /// The range of the source port, if nat chose it at random.
    pub source_span: Option<(u16, u16)>,
    /// Whether the source of the first packet was translated. `--ctstate SNAT` holds for every
    /// packet of the connection.
    pub snat: bool,
    /// Whether the destination of the first packet was translated: `--ctstate DNAT`.
    pub dnat: bool,
}

impl Translation {
    /// The translation that a first packet set up, from its final view.
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

/// A later packet of the connection of `first`: ESTABLISHED, with the TCP flag ACK and the mark of
/// the connection. `None` if the first packet did not reach its destination.
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

/// The reply to the first packet, as its sender makes it: from the final destination of the first
/// packet to its final source. It has no uid and no gid, because the input does not state which
/// process replies. `None` if the first packet did not reach its destination.
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

    /// Walks a first packet to `dport`, then the packet that `next` makes from it. Returns the
    /// final source and destination of the latter.
    fn ends(
        dport: u16,
        next: fn(&Trace) -> Option<(Packet, Translation)>,
    ) -> (String, String, usize) {
        let parsed = parse(RULES);
        let host = Host::pod();
        let packet = Packet::tcp(([10, 244, 1, 5], 40_000), ([1, 1, 1, 1], dport), 0, 0);
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
