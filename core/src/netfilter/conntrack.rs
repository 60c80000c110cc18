//! The state that connection tracking gives to the first packet of a connection.

use crate::packet::{ConnectionState, Packet, Protocol, TcpFlags};
use crate::text::names::sctp_chunk;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;
const URG: u8 = 0x20;

/// Whether a packet in this state belongs to a connection that can carry a mark or be translated.
pub fn has_connection(state: Option<ConnectionState>) -> bool {
    use ConnectionState::{Established, New, Related};
    matches!(state, Some(New | Related | Established))
}

/// The state of a packet whose 5-tuple has not been seen before.
pub fn first_state(packet: &Packet) -> ConnectionState {
    match packet.protocol {
        Protocol::TCP => tcp(packet.tcp_flags.unwrap_or(TcpFlags::SYN)),
        Protocol::ICMP => icmp(packet.icmp_type.unwrap_or(8)),
        Protocol::ICMPV6 => icmpv6(packet.icmp_type.unwrap_or(128)),
        Protocol::SCTP => match &packet.sctp_chunks {
            None => ConnectionState::New,
            Some(names) => sctp(
                &names
                    .iter()
                    .filter_map(|name| sctp_chunk(name))
                    .map(|(_, number, _)| *number)
                    .collect::<Vec<_>>(),
            ),
        },
        _ => ConnectionState::New,
    }
}

/// nf_conntrack_proto_tcp.c: `tcp_valid_flags`, then the first column of `tcp_conntracks`. A
/// connection may be picked up in its middle, by an ACK (`nf_conntrack_tcp_loose`).
fn tcp(flags: TcpFlags) -> ConnectionState {
    const VALID: [u8; 9] = [
        SYN,
        SYN | URG,
        SYN | ACK,
        RST,
        RST | ACK,
        FIN | ACK,
        FIN | ACK | URG,
        ACK,
        ACK | URG,
    ];
    let known = flags.0 & (FIN | SYN | RST | ACK | URG);
    let starts = known & (SYN | ACK) == SYN || known & (ACK | SYN) == ACK;
    let ends = known & (FIN | RST) != 0;
    if VALID.contains(&known) && starts && !ends {
        ConnectionState::New
    } else {
        ConnectionState::Invalid
    }
}

/// nf_conntrack_proto_icmp.c, `valid_new`. An error about an unknown connection is invalid.
fn icmp(kind: u8) -> ConnectionState {
    const ECHO: u8 = 8;
    const TIMESTAMP: u8 = 13;
    const INFORMATION: u8 = 15;
    const ADDRESS_MASK: u8 = 17;
    match kind {
        ECHO | TIMESTAMP | INFORMATION | ADDRESS_MASK => ConnectionState::New,
        _ => ConnectionState::Invalid,
    }
}

/// nf_conntrack_proto_icmpv6.c, `valid_new` and `noct_valid_new` (multicast listeners and neighbor
/// discovery).
fn icmpv6(kind: u8) -> ConnectionState {
    const ECHO: u8 = 128;
    const NODE_INFORMATION: u8 = 139;
    match kind {
        ECHO | NODE_INFORMATION => ConnectionState::New,
        130..=136 | 143 => ConnectionState::Untracked,
        _ => ConnectionState::Invalid,
    }
}

// Chunks of SCTP (RFC 9260).
const INIT: u8 = 1;
const INIT_ACK: u8 = 2;
const HEARTBEAT: u8 = 4;
const HEARTBEAT_ACK: u8 = 5;
const SHUTDOWN: u8 = 7;
const SHUTDOWN_ACK: u8 = 8;
const ERROR: u8 = 9;
const COOKIE_ECHO: u8 = 10;
const COOKIE_ACK: u8 = 11;
const SHUTDOWN_COMPLETE: u8 = 14;

/// nf_conntrack_proto_sctp.c: `do_basic_checks`, `sctp_new`, and the verification tag, which is 0
/// in an INIT only. Measured for every chunk type by itself, and for pairs.
fn sctp(chunks: &[u8]) -> ConnectionState {
    const ALONE: [u8; 3] = [INIT, INIT_ACK, SHUTDOWN_COMPLETE];
    const FIRST: [u8; 2] = [COOKIE_ECHO, COOKIE_ACK];
    const STARTS: [u8; 3] = [INIT, HEARTBEAT, HEARTBEAT_ACK];
    let alone = chunks.len() == 1 || !chunks.iter().any(|chunk| ALONE.contains(chunk));
    let ordered = !chunks.iter().skip(1).any(|chunk| FIRST.contains(chunk));
    let known =
        |chunk: &u8| STARTS.contains(chunk) || [SHUTDOWN, SHUTDOWN_ACK, ERROR].contains(chunk);
    let starts = chunks
        .iter()
        .any(|chunk| STARTS.contains(chunk) || *chunk == SHUTDOWN_ACK);
    if alone && ordered && starts && chunks.iter().all(known) {
        ConnectionState::New
    } else {
        ConnectionState::Invalid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_packet_is_not_always_new() {
        use ConnectionState::{Invalid, New};
        // Measured on Linux 6.18.
        let cases = [
            (SYN, New),
            (ACK, New),
            (0x08 | ACK, New),
            (FIN, Invalid),
            (FIN | ACK, Invalid),
            (SYN | FIN, Invalid),
            (0, Invalid),
            (URG, Invalid),
            (FIN | 0x08 | URG, Invalid),
        ];
        for (flags, want) in cases {
            assert_eq!(tcp(TcpFlags(flags)), want, "{}", TcpFlags(flags));
        }
        for (kind, want) in [
            (8, New),
            (13, New),
            (5, Invalid),
            (9, Invalid),
            (10, Invalid),
        ] {
            assert_eq!(icmp(kind), want, "ICMP type {kind}");
        }
        let chunks = [
            ("INIT", New),
            ("HEARTBEAT", New),
            ("SHUTDOWN_ACK", New),
            ("DATA", Invalid),
            ("COOKIE_ECHO", Invalid),
        ];
        for (name, want) in chunks {
            assert_eq!(
                sctp(&sctp_chunk(name).map_or(vec![], |(_, number, _)| vec![*number])),
                want,
                "{name}"
            );
        }
        assert_eq!(
            sctp(&[INIT, INIT]),
            Invalid,
            "an INIT must be the only chunk"
        );
        assert_eq!(sctp(&[]), Invalid, "no chunk at all");
        use ConnectionState::Untracked;
        for (kind, want) in [
            (128, New),
            (131, Untracked),
            (132, Untracked),
            (135, Untracked),
            (137, Invalid),
        ] {
            assert_eq!(icmpv6(kind), want, "ICMPv6 type {kind}");
        }
    }
}
