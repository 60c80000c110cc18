//! `-m udp` (xt_tcpudp.c, `udp_mt`).

use super::transport::{DESTINATION_PORT, SOURCE_PORT};
use super::{Extension, Kind, Opt};
use crate::packet::Protocol;

/// `-m udp`.
pub static UDP: Extension = Extension {
    implied_by: Some(Protocol::UDP),
    ..Extension::matching(
        "udp",
        "ports of UDP",
        &[
            Opt::tests("--sport", Kind::Port, &SOURCE_PORT).or(&["--source-port"]),
            Opt::tests("--dport", Kind::Port, &DESTINATION_PORT).or(&["--destination-port"]),
        ],
    )
};
