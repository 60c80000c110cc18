//! `-m physdev` (xt_physdev.c; measured): the bridge ports that a packet arrives on and leaves
//! through.
//!
//! br_netfilter records the port that received a packet. Only a packet that the bridge forwards has
//! an outgoing port, and only from FORWARD on.

use super::{Extension, Kind, ListingForm, Opt, Options};
use crate::netfilter::condition::{Context, Field, Phrase, Subject};
use crate::packet::fields::{PacketField, UNKNOWN_BRIDGES};
use crate::packet::hook::Hook;
use crate::packet::value::FieldValue;
use crate::packet::view::BridgeOutput;

static IS_IN: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Sentence(
        "it came in by a port of a bridge",
        "it did not come in by a port of a bridge",
    ),
    read: |context| match context.view.bridge.exists {
        Some(received) => FieldValue::Number(received.into()),
        None => FieldValue::Unknown(UNKNOWN_BRIDGES.into()),
    },
};

static IN: Field = Field {
    subject: Subject::Packet(PacketField::PhysdevIn),
    phrase: Phrase::Verb("comes in by bridge port", "does not come in by bridge port"),
    read: |context| context.field(PacketField::PhysdevIn),
};

static IS_OUT: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Sentence(
        "it goes out by a port of a bridge",
        "it does not go out by a port of a bridge",
    ),
    read: |context| context.field(PacketField::Bridged),
};

static OUT: Field = Field {
    subject: Subject::Packet(PacketField::PhysdevOut),
    phrase: Phrase::Verb("goes out by bridge port", "does not go out by bridge port"),
    read: output,
};

static IS_BRIDGED: Field = Field {
    subject: Subject::Packet(PacketField::Bridged),
    phrase: Phrase::Sentence("it is bridged", "it is not bridged"),
    read: |context| context.field(PacketField::Bridged),
};

/// For a packet that a port received, the match fails without an outgoing port, negated or not
/// (`physdev_mt`).
fn output<'a>(context: &Context<'a>) -> FieldValue<'a> {
    match (&context.view.bridge.output, context.view.bridge.exists) {
        (BridgeOutput::None, Some(true)) => {
            FieldValue::Never("the bridge does not pass the packet on at this hook")
        }
        (BridgeOutput::None, None) if context.negated => {
            FieldValue::Unknown(UNKNOWN_BRIDGES.into())
        }
        _ => context.field(PacketField::PhysdevOut),
    }
}

/// A packet that this host sends has no outgoing port yet (`physdev_mt_check`).
fn hooks(options: &Options) -> &'static [Hook] {
    let bridged = options.parts.iter().any(|part| {
        !part.negated
            && part
                .opt()
                .is_some_and(|opt| opt.flag == "--physdev-is-bridged")
    });
    let goes_out = options.has("--physdev-out") || options.has("--physdev-is-out");
    match goes_out && !bridged {
        true => &[
            Hook::Prerouting,
            Hook::Input,
            Hook::Forward,
            Hook::Postrouting,
        ],
        false => &[],
    }
}

/// `-m physdev`.
pub static PHYSDEV: Extension = Extension {
    listed: ListingForm::new("PHYSDEV match", &[]),
    hooks_for: Some(hooks),
    ..Extension::matching(
        "physdev",
        "the ports of a bridge",
        &[
            Opt::tests("--physdev-is-in", Kind::Flag, &IS_IN),
            Opt::tests("--physdev-in", Kind::Interface, &IN),
            Opt::tests("--physdev-is-out", Kind::Flag, &IS_OUT),
            Opt::tests("--physdev-out", Kind::Interface, &OUT),
            Opt::tests("--physdev-is-bridged", Kind::Flag, &IS_BRIDGED),
        ],
    )
    .asking()
};
