//! `-m conntrack` (xt_conntrack.c): what connection tracking knows of the packet's connection.

use super::{Extension, Kind, Opt};
use crate::condition::{Context, Field, Phrase, Reading};
use crate::packet::ConnectionState;

/// Bits of the states, in the order in which `iptables-save` prints them.
pub(super) const INVALID: u32 = 1;
pub(super) const NEW: u32 = 2;
pub(super) const RELATED: u32 = 4;
pub(super) const ESTABLISHED: u32 = 8;
pub(super) const UNTRACKED: u32 = 16;
const SNAT: u32 = 32;
const DNAT: u32 = 64;

/// A packet that connection tracking has not seen counts as INVALID (as in table raw).
pub(super) fn state_bit(context: &Context) -> u32 {
    match context.view.state {
        None | Some(ConnectionState::Invalid) => INVALID,
        Some(ConnectionState::New) => NEW,
        Some(ConnectionState::Related) => RELATED,
        Some(ConnectionState::Established) => ESTABLISHED,
        Some(ConnectionState::Untracked) => UNTRACKED,
    }
}

static STATE: Field = Field {
    name: "ctstate",
    phrase: Phrase::Is("connection state"),
    read: |context| {
        let view = context.view;
        let source = if view.source_translated { SNAT } else { 0 };
        let destination = if view.destination_translated { DNAT } else { 0 };
        Reading::Bits(state_bit(context) | source | destination)
    },
};

/// `-m conntrack`.
pub static CONNTRACK: Extension = Extension {
    tracks: true,
    ..Extension::matching(
        "conntrack",
        "the state of the packet's connection",
        &[Opt::tests(
            "--ctstate",
            Kind::Bits(&[
                ("INVALID", INVALID),
                ("NEW", NEW),
                ("RELATED", RELATED),
                ("ESTABLISHED", ESTABLISHED),
                ("UNTRACKED", UNTRACKED),
                ("SNAT", SNAT),
                ("DNAT", DNAT),
            ]),
            &STATE,
        )],
    )
};
