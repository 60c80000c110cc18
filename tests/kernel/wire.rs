//! Encodes a packet as bytes, with valid checksums.

use std::net::IpAddr;

use chainwalk_core::packet::{Packet, Protocol, TcpFlags};
use chainwalk_core::text::names::sctp_chunk;
use etherparse::{
    IpAuthHeader, IpDscp, IpEcn, IpHeaders, IpNumber, Ipv4Header, Ipv6Extensions, Ipv6Header,
    Ipv6RawExtHeader, Ipv6RoutingExtensions, PacketBuilder, PacketBuilderStep, TcpHeader,
    TcpOptionElement,
};

const GRE: Protocol = Protocol(47);
const AH: Protocol = Protocol(51);
const IPCOMP: Protocol = Protocol(108);
const MOBILITY: Protocol = Protocol(135);

/// The IP packet, headers first.
pub(crate) fn bytes(packet: &Packet) -> Vec<u8> {
    let payload = vec![0x5a; packet.payload_length as usize];
    let builder = PacketBuilder::ip(ip_headers(packet));
    let mut out = Vec::new();
    write(packet, builder, &payload, &mut out);
    out
}

fn ip_headers(packet: &Packet) -> IpHeaders {
    let protocol = IpNumber(packet.protocol.0);
    match (
        packet.src.expect("random packets state their source"),
        packet.dst,
    ) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let header = Ipv4Header {
                dscp: IpDscp::try_new(packet.dscp).expect("a DSCP has six bits"),
                ecn: IpEcn::try_new(packet.ecn).expect("ECN has two bits"),
                // A raw socket replaces 0 with a number.
                identification: 1,
                time_to_live: packet.ttl,
                protocol,
                source: source.octets(),
                destination: destination.octets(),
                ..Ipv4Header::default()
            };
            IpHeaders::Ipv4(header, Default::default())
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let header = Ipv6Header {
                traffic_class: packet.dscp << 2 | packet.ecn,
                hop_limit: packet.ttl,
                next_header: protocol,
                source: source.octets(),
                destination: destination.octets(),
                ..Ipv6Header::default()
            };
            IpHeaders::Ipv6(header, extensions(packet))
        }
        (source, destination) => panic!("{source} and {destination} are not of one family"),
    }
}

/// Each header with options is as short as possible and contains only padding. A routing header has
/// an unknown type and no segments left.
fn extensions(packet: &Packet) -> Ipv6Extensions {
    let has = |wanted: &str| {
        packet
            .ipv6_headers
            .iter()
            .flatten()
            .any(|name| name == wanted)
    };
    // RFC 4727: a type for experiments.
    let routing = || {
        Ipv6RawExtHeader::new_raw(IpNumber(0), &[253, 0, 0, 0, 0, 0]).expect("it fills eight bytes")
    };
    let padding = || {
        Ipv6RawExtHeader::new_raw(IpNumber(0), &[1, 4, 0, 0, 0, 0]).expect("it fills eight bytes")
    };
    Ipv6Extensions {
        hop_by_hop_options: has("hop-by-hop").then(padding),
        destination_options: has("dst").then(padding),
        routing: has("route").then(|| Ipv6RoutingExtensions {
            routing: routing(),
            final_destination_options: None,
        }),
        auth: has("ah").then(|| {
            IpAuthHeader::new(IpNumber(0), packet.spi.unwrap_or(0), 1, &[0; 12])
                .expect("it fills 24 bytes")
        }),
        ..Ipv6Extensions::default()
    }
}

fn write(
    packet: &Packet,
    builder: PacketBuilderStep<IpHeaders>,
    payload: &[u8],
    out: &mut Vec<u8>,
) {
    let (sport, dport) = (packet.sport.unwrap_or(0), packet.dport.unwrap_or(0));
    let (kind, code) = (packet.icmp_type.unwrap_or(0), packet.icmp_code.unwrap_or(0));
    let written = match packet.protocol {
        Protocol::TCP => builder
            .tcp_header(tcp(packet, sport, dport))
            .write(out, payload),
        Protocol::UDP => builder.udp(sport, dport).write(out, payload),
        Protocol::ICMP => builder
            .icmpv4_raw(kind, code, [0, 7, 0, 1])
            .write(out, payload),
        Protocol::ICMPV6 => builder
            .icmpv6_raw(kind, code, [0, 7, 0, 1])
            .write(out, payload),
        Protocol::SCTP => builder.write(
            out,
            IpNumber(packet.protocol.0),
            &sctp(packet, sport, dport),
        ),
        Protocol::UDPLITE => builder.write(
            out,
            IpNumber(packet.protocol.0),
            &udplite(packet, sport, dport, payload),
        ),
        Protocol::DCCP => {
            let start = [sport.to_be_bytes(), dport.to_be_bytes()].concat();
            // Four words of header, including the ports, and a REQUEST.
            let header = [start.as_slice(), &[4, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]].concat();
            builder.write(
                out,
                IpNumber(packet.protocol.0),
                &[header.as_slice(), payload].concat(),
            )
        }
        // The header is empty: version 0. nat drops a shorter one.
        GRE => builder.write(
            out,
            IpNumber(packet.protocol.0),
            &[[0; 8].as_slice(), payload].concat(),
        ),
        Protocol(50) => {
            let spi = packet.spi.unwrap_or(0).to_be_bytes();
            builder.write(
                out,
                IpNumber(50),
                &[&spi, &[0, 0, 0, 1][..], payload].concat(),
            )
        }
        AH => {
            let spi = packet.spi.unwrap_or(0).to_be_bytes();
            // No next header, and 24 bytes in units of four, minus two.
            let header = [&[59, 4, 0, 0], &spi[..], &[0, 0, 0, 1], &[0; 12]].concat();
            builder.write(out, IpNumber(AH.0), &[header.as_slice(), payload].concat())
        }
        IPCOMP => {
            let [_, _, high, low] = packet.spi.unwrap_or(0).to_be_bytes();
            builder.write(
                out,
                IpNumber(IPCOMP.0),
                &[&[59, 0, high, low], payload].concat(),
            )
        }
        // No next header, eight bytes, a binding update.
        MOBILITY => builder.write(
            out,
            IpNumber(MOBILITY.0),
            &[&[59, 0, 5, 0, 0, 0, 0, 0], payload].concat(),
        ),
        other => builder.write(out, IpNumber(other.0), payload),
    };
    written.expect("a vector takes all, and random packets are short");
}

fn tcp(packet: &Packet, sport: u16, dport: u16) -> TcpHeader {
    let flags = packet.tcp_flags.unwrap_or(TcpFlags::SYN);
    let mut header = TcpHeader {
        ece: flags.has(0x40),
        cwr: flags.has(0x80),
        fin: flags.has(0x01),
        syn: flags.has(0x02),
        rst: flags.has(0x04),
        psh: flags.has(0x08),
        ack: flags.has(0x10),
        urg: flags.has(0x20),
        acknowledgment_number: 1,
        ..TcpHeader::new(sport, dport, 1, 1024)
    };
    if let Some(mss) = packet.mss {
        header
            .set_options(&[TcpOptionElement::MaximumSegmentSize(mss)])
            .expect("one option fits");
    }
    header
}

/// The length of an SCTP chunk. The last chunk takes the rest of the payload, and is at least this
/// long.
const CHUNK: usize = 20;

/// An SCTP packet (RFC 9260): ports, verification tag, checksum, chunks.
fn sctp(packet: &Packet, sport: u16, dport: u16) -> Vec<u8> {
    let chunks: Vec<u8> = packet
        .sctp_chunks
        .clone()
        .unwrap_or_else(|| vec!["INIT".to_owned()])
        .iter()
        .filter_map(|name| sctp_chunk(name))
        .map(|(_, number, _)| *number)
        .collect();
    // Only an INIT has the tag 0.
    let tag = if chunks.contains(&1) {
        0
    } else {
        0x5a5a_5a5a_u32
    };
    let mut out = [sport.to_be_bytes(), dport.to_be_bytes()].concat();
    out.extend(tag.to_be_bytes());
    out.extend([0; 4]);
    let rest = (packet.payload_length as usize).saturating_sub(CHUNK * chunks.len());
    for (place, kind) in chunks.iter().enumerate() {
        let length = if place + 1 == chunks.len() {
            CHUNK + rest
        } else {
            CHUNK
        };
        let start = out.len();
        out.extend([*kind, 0]);
        out.extend(
            u16::try_from(length)
                .expect("chunks are short")
                .to_be_bytes(),
        );
        out.resize(start + length, 0x5a);
    }
    let checksum = crc32c(&out);
    out[8..12].copy_from_slice(&checksum.to_le_bytes());
    out
}

/// The checksum of SCTP, bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                crc >> 1 ^ 0x82f6_3b78
            } else {
                crc >> 1
            };
        }
    }
    !crc
}

/// A UDP-Lite packet (RFC 3828) whose checksum covers everything. Connection tracking expects this
/// checksum, because it treats the protocol as UDP by mistake (nf_conntrack_proto_udp.c,
/// `udplite_error`; measured).
fn udplite(packet: &Packet, sport: u16, dport: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = [sport.to_be_bytes(), dport.to_be_bytes(), [0; 2], [0; 2]].concat();
    out.extend(payload);
    let length = u32::try_from(out.len()).expect("it is short");
    let source = packet.src.expect("random packets state their source");
    let octets = |address: IpAddr| match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let covered = [
        octets(source),
        octets(packet.dst),
        length.to_be_bytes().to_vec(),
        out.clone(),
    ]
    .concat();
    let words = covered
        .chunks(2)
        .map(|word| u32::from(word[0]) << 8 | word.get(1).map_or(0, |low| u32::from(*low)));
    let mut sum: u32 = words.sum::<u32>() + u32::from(Protocol::UDP.0);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let checksum = match !u16::try_from(sum).expect("it was folded") {
        0 => u16::MAX,
        other => other,
    };
    out[6..8].copy_from_slice(&checksum.to_be_bytes());
    out
}
