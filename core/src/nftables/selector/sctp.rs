//! `sctp` and `dccp`: their headers (nft(8), "SCTP HEADER EXPRESSION", "DCCP HEADER EXPRESSION").

use super::{NamedField, field};
use crate::nftables::data_type::{INET_SERVICE, INTEGER, STRING};

pub(super) static FIELDS: &[NamedField] = &[
    field(&["sctp", "sport"], &INET_SERVICE),
    field(&["sctp", "dport"], &INET_SERVICE),
    field(&["sctp", "vtag"], &INTEGER),
    field(&["sctp", "checksum"], &INTEGER),
    field(&["dccp", "sport"], &INET_SERVICE),
    field(&["dccp", "dport"], &INET_SERVICE),
    field(&["dccp", "type"], &STRING),
];
