//! `-m state`: the older, smaller `-m conntrack` (libxt_conntrack.c of iptables 1.8.9).

use super::conntrack::{ESTABLISHED, INVALID, NEW, RELATED, UNTRACKED, state_bit};
use super::{Extension, Kind, Opt};
use crate::condition::{Field, Phrase, Reading};

static CONNECTION_STATE: Field =
    Field { name: "state", phrase: Phrase::Is("connection state"), read: |context| Reading::Bits(state_bit(context)) };

/// `-m state`.
pub static STATE: Extension = Extension {
    tracks: true,
    ..Extension::matching(
        "state",
        "the state of the packet's connection",
        &[Opt::tests(
            "--state",
            Kind::Bits(&[
                ("INVALID", INVALID),
                ("NEW", NEW),
                ("RELATED", RELATED),
                ("ESTABLISHED", ESTABLISHED),
                ("UNTRACKED", UNTRACKED),
            ]),
            &CONNECTION_STATE,
        )
        .required()
        .alone()],
    )
};
