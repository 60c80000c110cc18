//! `icmp`: the ICMP header (nft(8), "ICMP HEADER EXPRESSION").

use super::{NamedField, field};
use crate::nftables::data_type::{ICMP_CODE_NUMBER, ICMP_TYPE, INTEGER, IPV4_ADDR};

pub(super) static FIELDS: &[NamedField] = &[
    field(&["icmp", "type"], &ICMP_TYPE),
    field(&["icmp", "code"], &ICMP_CODE_NUMBER),
    field(&["icmp", "checksum"], &INTEGER),
    field(&["icmp", "id"], &INTEGER),
    field(&["icmp", "sequence"], &INTEGER),
    field(&["icmp", "mtu"], &INTEGER),
    field(&["icmp", "gateway"], &IPV4_ADDR),
    field(&["igmp", "type"], &INTEGER),
    field(&["igmp", "group"], &IPV4_ADDR),
];
