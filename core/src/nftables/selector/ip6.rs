//! `ip6`: the IPv6 header (nft(8), "IPV6 HEADER EXPRESSION").

use super::{NamedField, field};
use crate::nftables::data_type::{DSCP, ECN, INET_PROTO, INTEGER, IPV6_ADDR};

pub(super) static FIELDS: &[NamedField] = &[
    field(&["ip6", "version"], &INTEGER),
    field(&["ip6", "dscp"], &DSCP),
    field(&["ip6", "ecn"], &ECN),
    field(&["ip6", "flowlabel"], &INTEGER),
    field(&["ip6", "length"], &INTEGER),
    field(&["ip6", "nexthdr"], &INET_PROTO),
    field(&["ip6", "hoplimit"], &INTEGER),
    field(&["ip6", "saddr"], &IPV6_ADDR),
    field(&["ip6", "daddr"], &IPV6_ADDR),
];
