//! `arp`: the ARP header (nft(8), "ARP HEADER EXPRESSION").

use super::{NamedField, field};
use crate::nftables::data_type::{ARP_OP, ETHER_ADDR, ETHER_TYPE, INTEGER, IPV4_ADDR};

pub(super) static FIELDS: &[NamedField] = &[
    field(&["arp", "htype"], &INTEGER),
    field(&["arp", "ptype"], &ETHER_TYPE),
    field(&["arp", "hlen"], &INTEGER),
    field(&["arp", "plen"], &INTEGER),
    field(&["arp", "operation"], &ARP_OP),
    field(&["arp", "saddr", "ether"], &ETHER_ADDR),
    field(&["arp", "saddr", "ip"], &IPV4_ADDR),
    field(&["arp", "daddr", "ether"], &ETHER_ADDR),
    field(&["arp", "daddr", "ip"], &IPV4_ADDR),
];
