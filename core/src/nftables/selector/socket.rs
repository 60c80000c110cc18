//! `socket`: the local socket that receives the packet (nft(8), "SOCKET EXPRESSION").

use super::{NamedField, field};
use crate::nftables::data_type::{INTEGER, MARK};

pub(super) static FIELDS: &[NamedField] = &[
    field(&["socket", "transparent"], &INTEGER),
    field(&["socket", "mark"], &MARK),
    field(&["socket", "wildcard"], &INTEGER),
];
