//! Fields of rare headers (IPsec, compression, the extension headers of IPv6), and the operating
//! system of a sender.

use super::{NamedField, field};
use crate::nftables::data_type::{BOOLEAN, INET_PROTO, INTEGER, STRING};

pub(super) static FIELDS: &[NamedField] = &[
    field(&["osf", "name"], &STRING),
    field(&["ah", "nexthdr"], &INET_PROTO),
    field(&["ah", "hdrlength"], &INTEGER),
    field(&["ah", "reserved"], &INTEGER),
    field(&["ah", "spi"], &INTEGER),
    field(&["ah", "sequence"], &INTEGER),
    field(&["esp", "spi"], &INTEGER),
    field(&["esp", "sequence"], &INTEGER),
    field(&["comp", "nexthdr"], &INET_PROTO),
    field(&["comp", "flags"], &INTEGER),
    field(&["comp", "cpi"], &INTEGER),
];

pub(super) static EXTENSION_HEADERS: &[NamedField] = &[
    field(&["exthdr", "hbh"], &BOOLEAN),
    field(&["exthdr", "frag"], &BOOLEAN),
    field(&["exthdr", "rt"], &BOOLEAN),
    field(&["exthdr", "dst"], &BOOLEAN),
    field(&["exthdr", "mh"], &BOOLEAN),
    field(&["frag", "nexthdr"], &INET_PROTO),
    field(&["frag", "frag-off"], &INTEGER),
    field(&["frag", "more-fragments"], &INTEGER),
    field(&["frag", "id"], &INTEGER),
    field(&["hbh", "nexthdr"], &INET_PROTO),
    field(&["dst", "nexthdr"], &INET_PROTO),
    field(&["mh", "type"], &INTEGER),
    field(&["rt", "type"], &INTEGER),
    field(&["rt", "seg-left"], &INTEGER),
];
