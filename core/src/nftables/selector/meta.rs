//! `meta`: properties of the packet that no header states (nft(8), "META EXPRESSIONS").

use super::{NamedField, field};
use crate::nftables::data_type::{
    BOOLEAN, CLASSID, DAY, DEVGROUP, DataType, ETHER_TYPE, GID, HOUR, IFACE_INDEX, IFNAME,
    INET_PROTO, INTEGER, MARK, NF_PROTO, PKT_TYPE, REALM, STRING, UID,
};

/// A field that nft prints without `meta` (`meta_key_is_unqualified` in nftables' `src/meta.c`).
const fn short(words: &'static [&'static str], data: &'static DataType) -> NamedField {
    NamedField {
        words,
        data,
        is_short: true,
    }
}

pub(super) static FIELDS: &[NamedField] = &[
    short(&["meta", "iif"], &IFACE_INDEX),
    short(&["meta", "oif"], &IFACE_INDEX),
    short(&["meta", "iifname"], &IFNAME),
    short(&["meta", "oifname"], &IFNAME),
    short(&["meta", "iifgroup"], &DEVGROUP),
    short(&["meta", "oifgroup"], &DEVGROUP),
    field(&["meta", "length"], &INTEGER),
    field(&["meta", "protocol"], &ETHER_TYPE),
    field(&["meta", "nfproto"], &NF_PROTO),
    field(&["meta", "l4proto"], &INET_PROTO),
    field(&["meta", "priority"], &CLASSID),
    field(&["meta", "mark"], &MARK),
    field(&["meta", "iiftype"], &STRING),
    field(&["meta", "oiftype"], &STRING),
    field(&["meta", "skuid"], &UID),
    field(&["meta", "skgid"], &GID),
    field(&["meta", "nftrace"], &INTEGER),
    field(&["meta", "rtclassid"], &REALM),
    field(&["meta", "secmark"], &INTEGER),
    field(&["meta", "ibrname"], &IFNAME),
    field(&["meta", "obrname"], &IFNAME),
    field(&["meta", "pkttype"], &PKT_TYPE),
    field(&["meta", "cpu"], &INTEGER),
    field(&["meta", "cgroup"], &INTEGER),
    field(&["meta", "random"], &INTEGER),
    field(&["meta", "ipsec"], &BOOLEAN),
    field(&["meta", "iifkind"], &IFNAME),
    field(&["meta", "oifkind"], &IFNAME),
    field(&["meta", "sdif"], &IFACE_INDEX),
    field(&["meta", "sdifname"], &IFNAME),
    field(&["meta", "time"], &HOUR),
    field(&["meta", "hour"], &HOUR),
    field(&["meta", "day"], &DAY),
];
