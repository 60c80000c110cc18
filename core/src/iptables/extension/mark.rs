//! `-m mark` (xt_mark.c): a number that rules and sockets set on a packet within this host.

use super::{Extension, Kind, Opt};
use crate::netfilter::condition::{Field, Phrase, Subject};
use crate::packet::fields::PacketField;

static PACKET_MARK: Field = Field {
    subject: Subject::Packet(PacketField::Mark),
    phrase: Phrase::Noun("mark"),
    read: |context| context.field(PacketField::Mark),
};

/// `-m mark`.
pub static MARK: Extension = Extension::matching(
    "mark",
    "the packet's mark",
    &[Opt::tests("--mark", Kind::Mark, &PACKET_MARK)
        .required()
        .alone()],
)
.listed("mark match", &[("!%", "--mark %")]);
