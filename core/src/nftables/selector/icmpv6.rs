//! `icmpv6`: the ICMPv6 header (nft(8), "ICMPV6 HEADER EXPRESSION").

use super::{NamedField, field};
use crate::nftables::data_type::{ICMPV6_CODE_NUMBER, ICMPV6_TYPE, INTEGER, IPV6_ADDR};

pub(super) static FIELDS: &[NamedField] = &[
    field(&["icmpv6", "type"], &ICMPV6_TYPE),
    field(&["icmpv6", "code"], &ICMPV6_CODE_NUMBER),
    field(&["icmpv6", "checksum"], &INTEGER),
    field(&["icmpv6", "parameter-problem"], &INTEGER),
    field(&["icmpv6", "packet-too-big"], &INTEGER),
    field(&["icmpv6", "id"], &INTEGER),
    field(&["icmpv6", "sequence"], &INTEGER),
    field(&["icmpv6", "max-delay"], &INTEGER),
    field(&["icmpv6", "taddr"], &IPV6_ADDR),
    field(&["icmpv6", "daddr"], &IPV6_ADDR),
];
