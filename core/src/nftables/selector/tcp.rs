//! `tcp`: the TCP header (nft(8), "TCP HEADER EXPRESSION").

use super::{NamedField, field};
use crate::nftables::data_type::{INET_SERVICE, INTEGER, TCP_FLAG};

pub(super) static FIELDS: &[NamedField] = &[
    field(&["tcp", "sport"], &INET_SERVICE),
    field(&["tcp", "dport"], &INET_SERVICE),
    field(&["tcp", "sequence"], &INTEGER),
    field(&["tcp", "ackseq"], &INTEGER),
    field(&["tcp", "doff"], &INTEGER),
    field(&["tcp", "reserved"], &INTEGER),
    field(&["tcp", "flags"], &TCP_FLAG),
    field(&["tcp", "window"], &INTEGER),
    field(&["tcp", "checksum"], &INTEGER),
    field(&["tcp", "urgptr"], &INTEGER),
];
