//! `udp` and `udplite`: the headers of UDP and UDP-Lite (nft(8), "UDP HEADER EXPRESSION").

use super::{NamedField, field};
use crate::nftables::data_type::{INET_SERVICE, INTEGER};

pub(super) static FIELDS: &[NamedField] = &[
    field(&["udp", "sport"], &INET_SERVICE),
    field(&["udp", "dport"], &INET_SERVICE),
    field(&["udp", "length"], &INTEGER),
    field(&["udp", "checksum"], &INTEGER),
    field(&["udplite", "sport"], &INET_SERVICE),
    field(&["udplite", "dport"], &INET_SERVICE),
    field(&["udplite", "checksum"], &INTEGER),
];
