//! `th`: the first bytes of any transport header (nft(8), "TRANSPORT HEADER EXPRESSION"). It implies
//! no test of the protocol.

use super::{NamedField, field};
use crate::nftables::data_type::INET_SERVICE;

pub(super) static FIELDS: &[NamedField] = &[
    field(&["th", "sport"], &INET_SERVICE),
    field(&["th", "dport"], &INET_SERVICE),
];
