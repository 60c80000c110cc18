//! Interfaces and their addresses, from the kernel's `linux/if_link.h` and `linux/if_addr.h`.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;

use chainwalk_core::packet::Family;
use chainwalk_core::packet::host::{Interface, Prefix};
use chainwalk_core::packet::other_processing::{InterfaceProgram, Mechanism, TrafficDirection};

use crate::netlink::{Netlink, address, attributes, text, u32_at};

const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const RTM_NEWADDR: u16 = 20;
const RTM_GETADDR: u16 = 22;
/// `struct ifinfomsg`: family, pad, type, index, flags, change.
const LINK_HEADER: usize = 16;
/// `struct ifaddrmsg`: family, prefix length, flags, scope, index.
const ADDRESS_HEADER: usize = 8;
const IFF_UP: u32 = 0x1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MASTER: u16 = 10;
const IFLA_GROUP: u16 = 27;
const IFLA_LINKINFO: u16 = 18;
const IFLA_INFO_SLAVE_KIND: u16 = 4;
const IFLA_XDP: u16 = 43;
/// How a program is attached; 0: there is none.
const IFLA_XDP_ATTACHED: u16 = 2;
const IFLA_XDP_PROG_ID: u16 = 4;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;

/// An interface of the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InterfaceLink {
    /// Its index, which addresses and routes refer to.
    pub(crate) index: u32,
    /// Its name.
    pub(crate) name: String,
    /// Whether [`Self::name`] is the exact name. JSON cannot represent a name that is not UTF-8.
    is_text: bool,
    up: bool,
    group: u32,
    /// The index of its bridge, if it is a port of one.
    bridge: Option<u32>,
    /// Whether it has an XDP program, and the program's number.
    xdp: Option<Option<u32>>,
}

#[cfg(test)]
impl InterfaceLink {
    /// An interface for tests.
    pub(crate) fn up(index: u32, name: &str) -> Self {
        Self {
            index,
            name: name.into(),
            is_text: true,
            up: true,
            group: 0,
            bridge: None,
            xdp: None,
        }
    }
}

/// An address and its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Address {
    index: u32,
    prefix: Prefix,
}

/// Lists the interfaces in the kernel's order.
pub(crate) fn links(netlink: &mut Netlink) -> io::Result<Vec<InterfaceLink>> {
    let messages = netlink.dump(RTM_GETLINK, &[0; LINK_HEADER])?;
    Ok(messages
        .iter()
        .filter(|message| message.kind == RTM_NEWLINK)
        .filter_map(|m| read_link(&m.body))
        .collect())
}

/// Adds the addresses of each interface, in the kernel's order: the primary one first.
pub(crate) fn interfaces(
    netlink: &mut Netlink,
    links: &[InterfaceLink],
    warnings: &mut Vec<String>,
) -> io::Result<Vec<Interface>> {
    let messages = netlink.dump(RTM_GETADDR, &[0; ADDRESS_HEADER])?;
    let addresses: Vec<Address> = messages
        .iter()
        .filter(|message| message.kind == RTM_NEWADDR)
        .filter_map(|m| read_address(&m.body))
        .collect();
    Ok(join(links, &addresses, warnings))
}

fn join(
    links: &[InterfaceLink],
    addresses: &[Address],
    warnings: &mut Vec<String>,
) -> Vec<Interface> {
    let mut interfaces = Vec::with_capacity(links.len());
    let mut prefixes: HashMap<u32, Vec<Prefix>> = HashMap::new();
    for address in addresses {
        prefixes
            .entry(address.index)
            .or_default()
            .push(address.prefix);
    }
    for link in links {
        if !link.is_text {
            warnings.push(format!(
                "the name of interface {} is not UTF-8: its settings are missing, and rules that name it do not match `{}`",
                link.index, link.name
            ));
        }
        let mut own = prefixes.remove(&link.index).unwrap_or_default();
        // The kernel removes the routes of an interface that goes down, so nothing is delivered to
        // its addresses.
        if !link.up && !own.is_empty() {
            let list: Vec<String> = own.iter().map(Prefix::to_string).collect();
            warnings.push(format!(
                "{} is down: its addresses are left out ({})",
                link.name,
                list.join(", ")
            ));
            own.clear();
        }
        let group = (link.group != 0).then_some(link.group);
        let bridge = link
            .bridge
            .and_then(|index| links.iter().find(|other| other.index == index));
        let master = bridge.map(|bridge| bridge.name.clone());
        interfaces.push(Interface {
            name: link.name.clone(),
            addresses: own,
            group,
            master,
            multicast_groups: None,
        });
    }
    interfaces
}

fn read_link(body: &[u8]) -> Option<InterfaceLink> {
    let index = u32_at(body, 4)?;
    let up = u32_at(body, 8)? & IFF_UP != 0;
    let (mut name, mut is_text, mut group, mut master, mut is_port) = (None, true, 0, None, false);
    let mut xdp = None;
    for (kind, value) in attributes(body, LINK_HEADER) {
        match kind {
            IFLA_IFNAME => {
                (name, is_text) = (Some(text(value)), std::str::from_utf8(value).is_ok())
            }
            IFLA_GROUP => group = u32_at(value, 0)?,
            IFLA_MASTER => master = u32_at(value, 0),
            // Bonds and VRFs have members, too.
            IFLA_LINKINFO => {
                is_port = attributes(value, 0)
                    .any(|(kind, value)| kind == IFLA_INFO_SLAVE_KIND && text(value) == "bridge");
            }
            IFLA_XDP => xdp = read_xdp(value),
            _ => {}
        }
    }
    Some(InterfaceLink {
        index,
        name: name?,
        is_text,
        up,
        group,
        bridge: master.filter(|_| is_port),
        xdp,
    })
}

/// The number of the program, where there is one; several programs have none in common.
fn read_xdp(attribute: &[u8]) -> Option<Option<u32>> {
    let (mut is_attached, mut id) = (false, None);
    for (kind, value) in attributes(attribute, 0) {
        match kind {
            IFLA_XDP_ATTACHED => is_attached = value.first().is_some_and(|mode| *mode != 0),
            IFLA_XDP_PROG_ID => id = u32_at(value, 0),
            _ => {}
        }
    }
    is_attached.then_some(id)
}

/// The XDP programs of interfaces.
pub(crate) fn xdp_programs(links: &[InterfaceLink]) -> Vec<InterfaceProgram> {
    links
        .iter()
        .filter_map(|link: &InterfaceLink| {
            Some(InterfaceProgram {
                mechanism: Mechanism::Xdp,
                interface: link.name.clone(),
                direction: TrafficDirection::Ingress,
                filter: None,
                name: None,
                id: link.xdp?,
            })
        })
        .collect()
}

fn read_address(body: &[u8]) -> Option<Address> {
    let length = *body.get(1)?;
    let index = u32_at(body, 4)?;
    let (mut local, mut other) = (None, None);
    for (kind, value) in attributes(body, ADDRESS_HEADER) {
        match kind {
            IFA_LOCAL => local = address(value),
            IFA_ADDRESS => other = address(value),
            _ => {}
        }
    }
    let own: IpAddr = local.or(other)?;
    let bits = Family::of_address(own).bits();
    // On a point-to-point link, IFA_ADDRESS is the address of the peer, and the prefix length
    // belongs to it. The kernel lists its route to the peer with the other routes.
    let is_peers = local.is_some() && other.is_some() && local != other;
    let length = if is_peers { bits } else { length };
    (length <= bits).then_some(Address {
        index,
        prefix: Prefix {
            address: own,
            length,
        },
    })
}

#[cfg(test)]
#[cfg(target_endian = "little")] // the recorded messages are
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::netlink::recorded;

    /// `lo`, group 0, up, and `eth0`, group 7, down. The recording omits the attributes in between.
    const LINKS: [&str; 2] = [
        "0000040301000000490001000000000007000300_6c6f000008001b0000000000",
        "0000010002000000421001000000000009000300_657468300000000008001b0007000000",
    ];
    const LOOPBACK: &str = "020880fe01000000080001007f000001080002007f000001070003006c6f0000080008008000000014000600\
                            ffffffffffffffff1a2403001a240300";
    const PEER: &str = "0220800002000000080001000a090002080002000a0900010900030065746830000000000800080080000000\
                        14000600ffffffffffffffff1e2403001e240300";
    const SIX: &str = "0a4082000200000014000100fd00000100000000000000000000000514000600ffffffffffffffff1e240300\
                       1e2403000800080082000000";

    fn link(hex: &str) -> InterfaceLink {
        read_link(&recorded(&hex.replace('_', ""))).expect("recorded from a kernel")
    }

    fn addresses() -> Vec<Address> {
        [LOOPBACK, PEER, SIX]
            .map(|hex| read_address(&recorded(hex)).expect("recorded from a kernel"))
            .into()
    }

    #[test]
    fn links_are_read() {
        let expected = InterfaceLink {
            index: 1,
            name: "lo".into(),
            is_text: true,
            up: true,
            group: 0,
            bridge: None,
            xdp: None,
        };
        assert_eq!(link(LINKS[0]), expected);
        let expected = InterfaceLink {
            index: 2,
            name: "eth0".into(),
            is_text: true,
            up: false,
            group: 7,
            bridge: None,
            xdp: None,
        };
        assert_eq!(link(LINKS[1]), expected);
    }

    #[test]
    fn an_xdp_program_is_one_that_is_attached() {
        let with = |xdp: &str| link(&format!("{}_{xdp}", LINKS[1]));
        let programs = |xdp: &str| xdp_programs(&[with(xdp)]);
        // IFLA_XDP with IFLA_XDP_ATTACHED, as the kernel lists it for every interface.
        assert_eq!(programs("0c002b00_0500020000000000"), []);
        let attached = programs("14002b00_0500020002000000_0800040007000000");
        assert_eq!((&*attached[0].interface, attached[0].id), ("eth0", Some(7)));
    }

    #[test]
    fn a_port_names_its_bridge_and_a_member_of_a_bond_none() {
        // The attributes of a member: its master, 2, and the kind of the master.
        let member = |kind: &str| format!("{}_08000a0002000000_10001200_{kind}", LINKS[0]);
        let port = link(&member("0b0004006272696467650000"));
        assert_eq!(port.bridge, Some(2));
        assert_eq!(link(&member("09000400626f6e6400000000")).bridge, None);
        let interfaces = join(&[port, link(LINKS[1])], &[], &mut Vec::new());
        assert_eq!(interfaces[0].master.as_deref(), Some("eth0"));
    }

    #[test]
    fn addresses_are_read_and_a_peer_is_no_own_network() {
        let read: Vec<(u32, String)> = addresses()
            .iter()
            .map(|address| (address.index, address.prefix.to_string()))
            .collect();
        let expected = [(1, "127.0.0.1/8"), (2, "10.9.0.1/32"), (2, "fd00:1::5/64")];
        assert_eq!(
            read,
            expected.map(|(index, prefix)| (index, prefix.to_owned()))
        );
    }

    #[test]
    fn an_interface_that_is_down_has_no_addresses_and_that_is_said() {
        let mut warnings = Vec::new();
        let interfaces = join(&LINKS.map(link), &addresses(), &mut warnings);
        let read: Vec<(&str, usize, Option<u32>)> = interfaces
            .iter()
            .map(|interface| {
                (
                    interface.name.as_str(),
                    interface.addresses.len(),
                    interface.group,
                )
            })
            .collect();
        assert_eq!(read, [("lo", 1, None), ("eth0", 0, Some(7))]);
        assert_eq!(
            warnings,
            ["eth0 is down: its addresses are left out (10.9.0.1/32, fd00:1::5/64)"]
        );
    }

    #[test]
    fn a_name_that_is_no_text_is_reported() {
        let link = link(&LINKS[1].replace("65746830", "65ff6830"));
        let mut warnings = Vec::new();
        let interfaces = join(&[link], &[], &mut warnings);
        assert_eq!(interfaces[0].name, "e\u{fffd}h0");
        assert!(
            warnings[0].contains("interface 2 is not UTF-8: its settings are missing"),
            "{warnings:?}"
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_readers_panic(bytes: Vec<u8>) {
            read_link(&bytes);
            read_address(&bytes);
        }
    }
}
