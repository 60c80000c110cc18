//! `-m owner` (xt_owner.c): the credential that opened the packet's socket.
//!
//! The kernel's own reply has a socket without a file: the socket exists, but it has no uid and no
//! gid. A packet without a socket, such as a forwarded packet, fails every option and meets every
//! negated option.

use super::{Extension, Kind, ListingForm, Opt};
use crate::netfilter::condition::{Field, Parameters, Phrase, Subject};
use crate::netfilter::ruleset::Value;
use crate::packet::fields::PacketField;
use crate::packet::hook::Hook;
use crate::packet::value::FieldValue;

static UID: Field = Field {
    subject: Subject::Packet(PacketField::Uid),
    phrase: Phrase::Noun("uid"),
    read: |context| context.field(PacketField::Uid),
};

/// The primary group. With `--suppl-groups`: any group of the process.
static GID: Field = Field {
    subject: Subject::Packet(PacketField::Gid),
    phrase: Phrase::Noun("gid"),
    read: |context| {
        let primary = context.field(PacketField::Gid);
        let supplementary = context.parameters
            == Parameters::Owner {
                supplementary_groups: true,
            };
        match (context.wanted, &primary) {
            (Value::Range(low, high), FieldValue::Number(_)) if supplementary => {
                let groups = &context.packet.groups;
                groups
                    .iter()
                    .find(|group| (low..=high).contains(group))
                    .map_or(primary, |group| FieldValue::Number(*group))
            }
            _ => primary,
        }
    },
};

static SOCKET: Field = Field {
    subject: Subject::Packet(PacketField::Owner),
    phrase: Phrase::Sentence("it comes from a socket", "it comes from no socket"),
    read: |context| context.field(PacketField::Owner),
};

/// `-m owner`.
pub static OWNER: Extension = Extension {
    listed: ListingForm::new(
        "",
        &[
            ("!owner UID match %", "--uid-owner %"),
            ("!owner GID match %", "--gid-owner %"),
            ("!owner socket exists", "--socket-exists"),
            ("incl. suppl. groups", "--suppl-groups"),
        ],
    ),
    hooks: &[Hook::Output, Hook::Postrouting],
    parameters: Some(|options| Parameters::Owner {
        supplementary_groups: options.has("--suppl-groups"),
    }),
    ..Extension::matching(
        "owner",
        "the user and group that opened the socket",
        &[
            Opt::tests("--socket-exists", Kind::Flag, &SOCKET),
            Opt::tests("--uid-owner", Kind::Ids, &UID).alone(),
            Opt::tests("--gid-owner", Kind::Ids, &GID),
            Opt::new("--suppl-groups", Kind::Flag).behind("--gid-owner"),
        ],
    )
    .asking()
};
