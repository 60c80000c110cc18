//! Filters of the traffic control of interfaces that see all packets which arrive or leave, from
//! the kernel's `linux/rtnetlink.h`, `linux/pkt_sched.h` and `linux/pkt_cls.h`.

use std::io;

use chainwalk_core::packet::other_processing::{InterfaceProgram, Mechanism, TrafficDirection};

use crate::interface::InterfaceLink;
use crate::netlink::{Netlink, attributes, text, u32_at};

const RTM_NEWQDISC: u16 = 36;
const RTM_GETQDISC: u16 = 38;
const RTM_NEWTFILTER: u16 = 44;
const RTM_GETTFILTER: u16 = 46;
/// `struct tcmsg`: family, pad, index, handle, parent, info.
const HEADER: usize = 20;
const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;
const TCA_BPF_NAME: u16 = 7;
const TCA_BPF_ID: u16 = 11;
/// The parents of the filters of `clsact` and, for arriving packets, of `ingress`.
const PARENTS: [(u32, TrafficDirection); 2] = [
    (0xffff_fff2, TrafficDirection::Ingress),
    (0xffff_fff3, TrafficDirection::Egress),
];
/// The interfaces that are asked for filters, and the filters that are kept.
const MAX_INTERFACES: usize = 2_000;
const MAX_FILTERS: usize = 5_000;

/// The filters of all interfaces, and whether there are more.
pub(crate) fn filters(
    netlink: &mut Netlink,
    links: &[InterfaceLink],
) -> io::Result<(Vec<InterfaceProgram>, bool)> {
    let messages = netlink.dump(RTM_GETQDISC, &[0; HEADER])?;
    let mut asked: Vec<u32> = messages
        .iter()
        .filter(|message| message.kind == RTM_NEWQDISC)
        .filter_map(|message| read_ingress(&message.body))
        .collect();
    asked.sort_unstable();
    asked.dedup();
    let mut is_cut = asked.len() > MAX_INTERFACES;
    let mut found = Vec::new();
    let asked = links.iter().filter(|link| asked.contains(&link.index));
    for link in asked.take(MAX_INTERFACES) {
        for (parent, direction) in PARENTS {
            let mut header = [0; HEADER];
            header[4..8].copy_from_slice(&link.index.to_ne_bytes());
            header[12..16].copy_from_slice(&parent.to_ne_bytes());
            // `ingress` has no filters for packets that leave.
            let Ok(messages) = netlink.dump(RTM_GETTFILTER, &header) else {
                continue;
            };
            for message in messages.iter().filter(|one| one.kind == RTM_NEWTFILTER) {
                if let Some(filter) = read_filter(&message.body, &link.name, direction) {
                    is_cut |= found.len() == MAX_FILTERS;
                    if found.len() < MAX_FILTERS && !found.contains(&filter) {
                        found.push(filter);
                    }
                }
            }
        }
    }
    Ok((found, is_cut))
}

/// The interface of a `clsact` or `ingress` queue.
fn read_ingress(body: &[u8]) -> Option<u32> {
    let index = u32_at(body, 4)?;
    let mut kinds = attributes(body, HEADER).filter(|(kind, _)| *kind == TCA_KIND);
    kinds
        .any(|(_, value)| matches!(&*text(value), "clsact" | "ingress"))
        .then_some(index)
}

/// A filter; the kernel first lists a list of filters without its options, which is none itself.
fn read_filter(
    body: &[u8],
    interface: &str,
    direction: TrafficDirection,
) -> Option<InterfaceProgram> {
    let (mut filter, mut options) = (None, None);
    for (kind, value) in attributes(body, HEADER) {
        match kind {
            TCA_KIND => filter = Some(text(value)),
            TCA_OPTIONS => options = Some(value),
            _ => {}
        }
    }
    let (filter, options) = (filter?, options?);
    let of_bpf = |wanted| {
        let mut options = attributes(options, 0);
        options
            .find(|(kind, _)| filter == "bpf" && *kind == wanted)
            .map(|(_, value)| value)
    };
    Some(InterfaceProgram {
        mechanism: Mechanism::Tc,
        interface: interface.to_owned(),
        direction,
        name: of_bpf(TCA_BPF_NAME).map(text),
        id: of_bpf(TCA_BPF_ID).and_then(|value| u32_at(value, 0)),
        filter: Some(filter),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(4 + value.len()).expect("a few bytes");
        let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn a_filter_has_the_name_and_the_number_of_its_program() {
        let options = [
            attribute(TCA_BPF_NAME, b"cil_from_container\0"),
            attribute(TCA_BPF_ID, &7_u32.to_ne_bytes()),
        ]
        .concat();
        let mut body = vec![0; HEADER];
        body.extend(attribute(TCA_KIND, b"bpf\0"));
        // A list of filters.
        assert_eq!(read_filter(&body, "eth0", TrafficDirection::Ingress), None);
        body.extend(attribute(TCA_OPTIONS, &options));
        let filter = read_filter(&body, "eth0", TrafficDirection::Ingress).expect("a filter");
        assert_eq!(filter.name.as_deref(), Some("cil_from_container"));
        assert_eq!(
            (filter.id, filter.filter.as_deref()),
            (Some(7), Some("bpf"))
        );
    }

    #[test]
    fn a_queue_for_sending_alone_has_no_such_filters() {
        let mut body = vec![0; HEADER];
        body[4] = 2;
        body.extend(attribute(TCA_KIND, b"clsact\0"));
        assert_eq!(read_ingress(&body), Some(2));
        let mut body = vec![0; HEADER];
        body.extend(attribute(TCA_KIND, b"fq_codel\0"));
        assert_eq!(read_ingress(&body), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_readers_panic(bytes: Vec<u8>) {
            read_ingress(&bytes);
            read_filter(&bytes, "eth0", TrafficDirection::Egress);
        }
    }
}
