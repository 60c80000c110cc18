//! The policies of IPsec, from the kernel's `linux/xfrm.h`.

use std::fs;
use std::io;
use std::net::IpAddr;

use chainwalk_core::packet::Protocol;
use chainwalk_core::packet::host::Prefix;
use chainwalk_core::packet::other_processing::{PolicyDirection, XfrmPolicy};
use nix::sys::socket::SockProtocol;

use crate::netlink::{Netlink, address};

const XFRM_MSG_NEWPOLICY: u16 = 0x13;
const XFRM_MSG_GETPOLICY: u16 = 0x15;
/// `struct xfrm_userpolicy_id`.
const HEADER: usize = 64;
/// Offsets in `struct xfrm_userpolicy_info`, which begins with a `struct xfrm_selector`:
/// destination, source, family, lengths of both prefixes, protocol; later direction and action.
const SOURCE: usize = 16;
const FAMILY: usize = 40;
const DESTINATION_LENGTH: usize = 42;
const SOURCE_LENGTH: usize = 43;
const PROTOCOL: usize = 44;
const DIRECTION: usize = 160;
const ACTION: usize = 161;
const XFRM_POLICY_BLOCK: u8 = 1;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
/// nix has no name for the number 6 among netlink's protocols; as a number it is TCP's.
const NETLINK_XFRM: SockProtocol = SockProtocol::Tcp;
/// More than a gateway of a few thousand tunnels has.
const MAX_POLICIES: usize = 5_000;

/// The policies of the network namespace of the calling thread, and whether there are more.
pub(crate) fn policies() -> io::Result<(Vec<XfrmPolicy>, bool)> {
    // A socket of a protocol that no module serves makes the kernel load one. Where one serves it,
    // the kernel's own socket is in the list.
    if !is_served(&fs::read_to_string("/proc/thread-self/net/netlink")?) {
        return Ok((Vec::new(), false));
    }
    let mut netlink = Netlink::open(NETLINK_XFRM)?;
    let messages = netlink.dump(XFRM_MSG_GETPOLICY, &[0; HEADER])?;
    let mut policies: Vec<XfrmPolicy> = messages
        .iter()
        .filter(|message| message.kind == XFRM_MSG_NEWPOLICY)
        .filter_map(|message| read_policy(&message.body))
        .take(MAX_POLICIES + 1)
        .collect();
    let is_cut = netlink.is_cut || policies.len() > MAX_POLICIES;
    policies.truncate(MAX_POLICIES);
    Ok((policies, is_cut))
}

/// Whether the list of netlink sockets has one of IPsec: `sk Eth Pid …`.
fn is_served(sockets: &str) -> bool {
    sockets
        .lines()
        .any(|line| line.split_ascii_whitespace().nth(1) == Some("6"))
}

/// A policy for all sockets; those of single sockets have other directions.
fn read_policy(body: &[u8]) -> Option<XfrmPolicy> {
    let direction = match body.get(DIRECTION)? {
        0 => PolicyDirection::In,
        1 => PolicyDirection::Out,
        2 => PolicyDirection::Fwd,
        _ => return None,
    };
    let width = match *body.get(FAMILY)? {
        AF_INET => Some(4),
        AF_INET6 => Some(16),
        _ => None,
    };
    let prefix = |start: usize, length: u8| {
        let address: IpAddr = address(body.get(start..start + width?)?)?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        Some(Prefix {
            address,
            length: length.min(bits),
        })
    };
    let protocol = *body.get(PROTOCOL)?;
    Some(XfrmPolicy {
        direction,
        src: prefix(SOURCE, *body.get(SOURCE_LENGTH)?),
        dst: prefix(0, *body.get(DESTINATION_LENGTH)?),
        protocol: (protocol != 0).then_some(Protocol(protocol)),
        blocks: *body.get(ACTION)? == XFRM_POLICY_BLOCK,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_policy_has_the_prefixes_of_its_selector() {
        let mut body = vec![0; 168];
        body[..4].copy_from_slice(&[10, 2, 0, 0]);
        body[SOURCE..SOURCE + 4].copy_from_slice(&[10, 1, 0, 0]);
        body[FAMILY] = AF_INET;
        (body[DESTINATION_LENGTH], body[SOURCE_LENGTH]) = (16, 24);
        (body[PROTOCOL], body[DIRECTION], body[ACTION]) = (6, 1, 1);
        let policy = read_policy(&body).expect("a policy");
        let text = |prefix: Option<Prefix>| prefix.map(|own| own.to_string()).unwrap_or_default();
        assert_eq!(text(policy.src), "10.1.0.0/24");
        assert_eq!(text(policy.dst), "10.2.0.0/16");
        assert_eq!(policy.protocol, Some(Protocol::TCP));
        assert_eq!(
            (policy.direction, policy.blocks),
            (PolicyDirection::Out, true)
        );
        // One of a socket.
        body[DIRECTION] = 4;
        assert_eq!(read_policy(&body), None);
    }

    #[test]
    fn the_list_of_sockets_shows_whether_a_module_serves_the_protocol() {
        let head = "sk               Eth Pid        Groups   Rmem\n";
        let line = |protocol: u8| format!("0000000000000000 {protocol}   0          00000000 0\n");
        assert!(is_served(&[head, &line(0), &line(6)].concat()));
        assert!(!is_served(&[head, &line(0), &line(16)].concat()));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            read_policy(&bytes);
        }
    }
}
