//! `-m owner` (xt_owner.c): the credential that opened the socket a packet comes from.
//!
//! A kernel's own reply has a socket without a file: it exists, and has no uid or gid. A packet without a socket, such as
//! one that is forwarded, fails every option, and passes every negated one.

use super::{Extension, Kind, Listed, Opt};
use crate::condition::{Context, Field, Phrase, Reading};
use crate::packet::{Family, Origin, Owner, Protocol};
use crate::ruleset::{Hook, Value};

const KERNEL_TCP6: (Family, Protocol) = (Family::Ipv6, Protocol::TCP);
const UNSTATED: &str = "the packet states no owner: give it a uid and a gid";

fn credential(context: &Context, id: Option<u32>) -> Reading<'static> {
    if context.packet.origin == Origin::Inbound {
        return Reading::Absent("no owner: it is not sent from here");
    }
    if context.view.copied {
        return Reading::Absent("no owner: a copy has no socket");
    }
    match (context.packet.owner, id) {
        (Some(Owner::Kernel), _) => Reading::Absent("no owner: the kernel itself sends it"),
        (Some(Owner::None), _) => Reading::Absent("no owner: it has no socket"),
        (None, Some(id)) => Reading::Number(id),
        (None, None) => Reading::Unknown(UNSTATED.into()),
    }
}

static UID: Field =
    Field { name: "uid", phrase: Phrase::Is("uid"), read: |context| credential(context, context.packet.uid) };

/// The primary group; with `--suppl-groups` any group of the process.
static GID: Field = Field {
    name: "gid",
    phrase: Phrase::Is("gid"),
    read: |context| {
        let primary = credential(context, context.packet.gid);
        let wanted = context.group.iter().find(|part| part.opt().is_some_and(|opt| opt.flag == "--gid-owner"));
        match (wanted.map(|part| &part.value), &primary) {
            (Some(Value::Range(low, high)), Reading::Number(_)) if context.has("--suppl-groups") => {
                let groups = &context.packet.groups;
                groups
                    .iter()
                    .find(|group| (low..=high).contains(group))
                    .map_or(primary, |group| Reading::Number(*group))
            }
            _ => primary,
        }
    },
};

static SOCKET: Field = Field {
    name: "socket",
    phrase: Phrase::Says("it comes from a socket", "it comes from no socket"),
    read: |context| match (context.packet.owner, context.packet.uid) {
        _ if context.packet.origin == Origin::Inbound => Reading::Absent("no socket: it is not sent from here"),
        _ if context.view.copied => Reading::Absent("no socket: it is a copy"),
        (Some(Owner::None), _) => Reading::Absent("no socket"),
        // tcp_ipv6.c, `tcp_v6_send_response` gives its packets no socket; IPv4 does (measured).
        (Some(Owner::Kernel), _) if (context.packet.family(), context.packet.protocol) == KERNEL_TCP6 => {
            Reading::Absent("no socket: the kernel itself sends it")
        }
        (Some(Owner::Kernel), _) | (None, Some(_)) => Reading::Number(1),
        (None, None) => Reading::Unknown(UNSTATED.into()),
    },
};

/// `-m owner`.
pub static OWNER: Extension = Extension {
    listed: Listed::new(
        "",
        &[
            ("!owner UID match %", "--uid-owner %"),
            ("!owner GID match %", "--gid-owner %"),
            ("!owner socket exists", "--socket-exists"),
            ("incl. suppl. groups", "--suppl-groups"),
        ],
    ),
    hooks: &[Hook::Output, Hook::Postrouting],
    ..Extension::matching(
        "owner",
        "who opened the socket",
        &[
            Opt::tests("--socket-exists", Kind::Flag, &SOCKET),
            Opt::tests("--uid-owner", Kind::Ids, &UID).alone(),
            Opt::tests("--gid-owner", Kind::Ids, &GID),
            Opt::new("--suppl-groups", Kind::Flag).behind("--gid-owner"),
        ],
    )
    .asking()
};
