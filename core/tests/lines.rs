//! Packets as lines: every packet survives its line, and no text causes a panic.

use std::net::IpAddr;

use chainwalk_core::packet::form::PacketForm;
use chainwalk_core::packet::line;
use chainwalk_core::packet::{
    ConnectionState, Direction, IpFragment, Origin, Owner, Packet, Protocol, TcpFlags,
};
use proptest::prelude::*;

fn ends() -> impl Strategy<Value = (Option<IpAddr>, IpAddr)> {
    let four = any::<(Option<[u8; 4]>, [u8; 4])>()
        .prop_map(|(src, dst)| (src.map(IpAddr::from), IpAddr::from(dst)));
    let six = any::<(Option<[u16; 8]>, [u16; 8])>()
        .prop_map(|(src, dst)| (src.map(IpAddr::from), IpAddr::from(dst)));
    four.boxed().prop_union(six.boxed())
}

fn interface() -> impl Strategy<Value = Option<String>> {
    prop::option::of(
        "[a-z0-9@.=>-]{1,15}|uid|in|out|ttl=3|é"
            .prop_filter("names of the kernel", |name| name != "." && name != ".."),
    )
}

fn names(known: &'static [&'static str]) -> impl Strategy<Value = Option<Vec<String>>> {
    let name = prop::sample::select(known).prop_map(str::to_owned);
    prop::option::of(prop::collection::vec(name, 0..3))
}

prop_compose! {
    fn header()(
        (src, dst) in ends(), protocol in any::<u8>(), tcp in any::<bool>(), inbound in any::<bool>(),
        ports in any::<(Option<u16>, Option<u16>)>(), icmp in any::<(Option<u8>, Option<u8>)>(),
        flags in any::<Option<u8>>(), fragment in prop::option::of((0_u16..8192, any::<bool>())), spi in any::<Option<u32>>(),
        mss in any::<Option<u16>>(), options in any::<Option<Vec<u8>>>(),
        headers in names(&["hop-by-hop", "frag", "43", "AH"]), chunks in names(&["DATA", "init"]),
    ) -> Packet {
        let protocol = if tcp { Protocol::TCP } else { Protocol(protocol) };
        Packet {
            src: src.or(inbound.then_some(dst)),
            sport: ports.0,
            dport: ports.1,
            icmp_type: icmp.0,
            icmp_code: icmp.1,
            // SYN is the default of the TCP flags.
            tcp_flags: flags.map(TcpFlags).filter(|flags| protocol == Protocol::TCP && *flags != TcpFlags::SYN),
            fragment: fragment.map(|(offset, more)| IpFragment { offset, more }),
            spi,
            mss,
            tcp_options: options,
            ipv6_headers: headers,
            sctp_chunks: chunks,
            ..Packet::to(if inbound { Origin::Inbound } else { Origin::Local }, protocol, dst)
        }
    }
}

prop_compose! {
    fn packet()(
        header in header(), owner in prop::sample::select(vec![None, Some(Owner::Kernel), Some(Owner::None)]),
        ids in any::<Option<(u32, u32)>>(), groups in any::<Vec<u32>>(), marks in any::<(u32, u32)>(),
        state in prop::sample::select(vec![None, Some(ConnectionState::New), Some(ConnectionState::Invalid)]),
        direction in prop::sample::select(vec![None, Some(Direction::Original), Some(Direction::Reply)]),
        (dscp, ecn, ttl, length) in (0_u8..64, 0_u8..4, any::<u8>(), any::<u32>()),
        (interface, bound) in (interface(), interface()), mac in any::<Option<[u8; 6]>>(),
        (port_in, port_out, bridged) in (interface(), interface(), any::<Option<bool>>()),
        cast in prop::sample::select(vec![None, Some("unicast"), Some("multicast")]),
    ) -> Packet {
        let local = header.origin == Origin::Local;
        let ids = ids.filter(|_| local && owner.is_none());
        Packet {
            in_interface: interface.filter(|_| !local),
            src_mac: mac.map(|mac| mac.map(|byte| format!("{byte:02x}")).join(":")),
            uid: ids.map(|(uid, _)| uid),
            gid: ids.map(|(_, gid)| gid),
            groups,
            owner: owner.filter(|_| local),
            mark: marks.0,
            connmark: marks.1,
            state,
            direction,
            dscp,
            ecn,
            ttl,
            payload_length: length,
            bound_interface: bound,
            physdev_in: port_in.filter(|_| !local),
            physdev_out: port_out.filter(|_| !local && bridged != Some(false)),
            bridged: bridged.filter(|_| !local),
            packet_type: cast.map(str::to_owned),
            ..header
        }
    }
}

proptest! {
    #[test]
    fn every_packet_comes_back_from_its_line(packet in packet()) {
        prop_assert_eq!(packet.check().map_err(|error| error.to_string()), Ok(()));
        let text = line::print(&packet);
        prop_assert_eq!(line::parse_packet_line(&text), Ok(packet), "{}", text);
    }

    #[test]
    fn a_line_that_is_read_can_be_edited_in_a_form(text in "(tcp|udp|icmp|50) ([0-9a-f:.\\[\\]]{1,12} )?> [0-9a-f:.]{1,12}( (uid|mark|ttl|in|out|flags)[ =]?[0-9a-z]{0,4}){0,3}") {
        if let Ok(packet) = line::parse_packet_line(&text) {
            prop_assert!(PacketForm::from_packet(&packet).packet().is_ok(), "{}", text);
        }
    }

    #[test]
    fn every_mistake_has_a_place(text in "\\PC{0,60}") {
        if let Err(mistake) = line::parse_packet_line(&text) {
            prop_assert!((1..=text.chars().count() + 1).contains(&mistake.column), "{:?}", mistake);
        }
    }
}
