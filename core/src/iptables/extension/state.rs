//! `-m state`: the older match with a part of the options of `-m conntrack` (libxt_conntrack.c of
//! iptables 1.8.9).

use super::{Extension, Kind, Opt};
use crate::netfilter::condition::{Field, Phrase, Subject};
use crate::packet::ConnectionState;
use crate::packet::fields::PacketField;

static CONNECTION_STATE: Field = Field {
    subject: Subject::Packet(PacketField::State),
    phrase: Phrase::Noun("connection state"),
    read: |context| context.field(PacketField::State),
};

/// `-m state`.
pub static STATE: Extension = Extension {
    tracks: true,
    ..Extension::matching(
        "state",
        "the state of the packet's connection",
        &[Opt::tests(
            "--state",
            Kind::Bits(&[
                ("INVALID", ConnectionState::Invalid.bit()),
                ("NEW", ConnectionState::New.bit()),
                ("RELATED", ConnectionState::Related.bit()),
                ("ESTABLISHED", ConnectionState::Established.bit()),
                ("UNTRACKED", ConnectionState::Untracked.bit()),
            ]),
            &CONNECTION_STATE,
        )
        .required()
        .alone()],
    )
};
