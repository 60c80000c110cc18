//! `ether` and `vlan`: the link header (nft(8), "ETHERNET HEADER EXPRESSION").

use super::{NamedField, field};
use crate::nftables::data_type::{ETHER_ADDR, ETHER_TYPE, INTEGER};

pub(super) static FIELDS: &[NamedField] = &[
    field(&["ether", "daddr"], &ETHER_ADDR),
    field(&["ether", "saddr"], &ETHER_ADDR),
    field(&["ether", "type"], &ETHER_TYPE),
    field(&["vlan", "id"], &INTEGER),
    field(&["vlan", "dei"], &INTEGER),
    field(&["vlan", "pcp"], &INTEGER),
    field(&["vlan", "type"], &ETHER_TYPE),
];
