//! `rt`: the route of the packet (nft(8), "ROUTING EXPRESSIONS").

use super::{NamedField, field};
use crate::nftables::data_type::{BOOLEAN, INTEGER, IPV4_ADDR, IPV6_ADDR, REALM};

pub(super) static FIELDS: &[NamedField] = &[
    field(&["rt", "classid"], &REALM),
    field(&["rt", "ip", "nexthop"], &IPV4_ADDR),
    field(&["rt", "ip6", "nexthop"], &IPV6_ADDR),
    field(&["rt", "nexthop"], &IPV4_ADDR),
    field(&["rt", "mtu"], &INTEGER),
    field(&["rt", "ipsec"], &BOOLEAN),
];
