//! `ip`: the IPv4 header (nft(8), "IPV4 HEADER EXPRESSION").

use super::{NamedField, field};
use crate::nftables::data_type::{DSCP, ECN, INET_PROTO, INTEGER, IPV4_ADDR};

pub(super) static FIELDS: &[NamedField] = &[
    field(&["ip", "version"], &INTEGER),
    field(&["ip", "hdrlength"], &INTEGER),
    field(&["ip", "dscp"], &DSCP),
    field(&["ip", "ecn"], &ECN),
    field(&["ip", "length"], &INTEGER),
    field(&["ip", "id"], &INTEGER),
    field(&["ip", "frag-off"], &INTEGER),
    field(&["ip", "ttl"], &INTEGER),
    field(&["ip", "protocol"], &INET_PROTO),
    field(&["ip", "checksum"], &INTEGER),
    field(&["ip", "saddr"], &IPV4_ADDR),
    field(&["ip", "daddr"], &IPV4_ADDR),
];
