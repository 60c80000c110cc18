//! `-m udp` (xt_tcpudp.c, `udp_mt`).

use super::transport::{DESTINATION_PORT, SOURCE_PORT, TRANSPORT};
use super::{Extension, Kind, ListingForm, Opt};
use crate::netfilter::backend::Backend;
use crate::netfilter::condition::{LaterFragment, Parameters};
use crate::packet::Protocol;

/// `-m udp`.
pub static UDP: Extension = Extension {
    listed: ListingForm::new(
        "udp",
        &[
            ("spt:!%", "--sport %"),
            ("spts:!%", "--sport %"),
            ("dpt:!%", "--dport %"),
            ("dpts:!%", "--dport %"),
        ],
    ),
    implied_by: Some(Protocol::UDP),
    protocols: &[Protocol::UDP],
    asks_first: Some(&TRANSPORT),
    parameters: Some(|options| match options.ruleset.backend {
        Some(Backend::Nft) => Parameters::LaterFragment(LaterFragment::ReadsPayload),
        _ => Parameters::None,
    }),
    ..Extension::matching(
        "udp",
        "ports of UDP",
        &[
            Opt::tests("--sport", Kind::AnyPort, &SOURCE_PORT)
                .alone()
                .or(&["--source-port"])
                .unprinted(65535),
            Opt::tests("--dport", Kind::AnyPort, &DESTINATION_PORT)
                .alone()
                .or(&["--destination-port"])
                .unprinted(65535),
        ],
    )
};
