//! A packet as bytes on the wire, with correct checksums.

use std::net::IpAddr;

use chainwalk_core::packet::{Packet, Protocol, TcpFlags};
use etherparse::{
    IpDscp, IpEcn, IpHeaders, IpNumber, Ipv4Header, Ipv6Header, PacketBuilder, PacketBuilderStep, TcpHeader,
};

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
    match (packet.src.expect("random packets state their source"), packet.dst) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let header = Ipv4Header {
                dscp: IpDscp::try_new(packet.dscp).expect("a DSCP has six bits"),
                ecn: IpEcn::try_new(packet.ecn).expect("ECN has two bits"),
                // A raw socket puts a number in where it is 0.
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
            IpHeaders::Ipv6(header, Default::default())
        }
        (source, destination) => panic!("{source} and {destination} are not of one family"),
    }
}

fn write(packet: &Packet, builder: PacketBuilderStep<IpHeaders>, payload: &[u8], out: &mut Vec<u8>) {
    let (sport, dport) = (packet.sport.unwrap_or(0), packet.dport.unwrap_or(0));
    let (kind, code) = (packet.icmp_type.unwrap_or(0), packet.icmp_code.unwrap_or(0));
    let written = match packet.protocol {
        Protocol::TCP => builder.tcp_header(tcp(packet, sport, dport)).write(out, payload),
        Protocol::UDP => builder.udp(sport, dport).write(out, payload),
        Protocol::ICMP => builder.icmpv4_raw(kind, code, [0, 7, 0, 1]).write(out, payload),
        Protocol::ICMPV6 => builder.icmpv6_raw(kind, code, [0, 7, 0, 1]).write(out, payload),
        other => builder.write(out, IpNumber(other.0), payload),
    };
    written.expect("a vector takes all, and random packets are short");
}

fn tcp(packet: &Packet, sport: u16, dport: u16) -> TcpHeader {
    let flags = packet.tcp_flags.unwrap_or(TcpFlags::SYN);
    TcpHeader {
        fin: flags.has(0x01),
        syn: flags.has(0x02),
        rst: flags.has(0x04),
        psh: flags.has(0x08),
        ack: flags.has(0x10),
        urg: flags.has(0x20),
        acknowledgment_number: 1,
        ..TcpHeader::new(sport, dport, 1, 1024)
    }
}
