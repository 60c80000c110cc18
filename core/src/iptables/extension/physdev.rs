//! `-m physdev` (xt_physdev.c): the ports of a bridge that a packet comes and goes by.

use super::{Extension, Kind, Listed, Opt, Options};
use crate::netfilter::condition::{Context, Field, Phrase, Subject};
use crate::packet::Origin;
use crate::packet::hook::Hook;
use crate::packet::value::FieldValue;

/// What is not bridged has no such port: it fails what is asked, and passes what is negated.
fn port(context: &Context) -> FieldValue<'static> {
    match (context.packet.origin, context.view.in_interface.as_deref()) {
        (Origin::Local, _) => FieldValue::Absent("no port of a bridge: it is sent from here"),
        (_, Some("lo")) => FieldValue::Absent("no port of a bridge: it comes by lo"),
        _ => FieldValue::Unknown("a dump does not say which interfaces are bridges".into()),
    }
}

static IS_IN: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Says("it came in by a port of a bridge", "it did not come in by a port of a bridge"),
    read: port,
};

static IN: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Does("comes in by bridge port", "does not come in by bridge port"),
    read: port,
};

static IS_OUT: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Says("it goes out by a port of a bridge", "it does not go out by a port of a bridge"),
    read: port,
};

static OUT: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Does("goes out by bridge port", "does not go out by bridge port"),
    read: port,
};

static IS_BRIDGED: Field =
    Field { subject: Subject::Other, phrase: Phrase::Says("it is bridged", "it is not bridged"), read: port };

/// A packet that is sent from here has no outgoing port yet (`physdev_mt_check`).
fn hooks(options: &Options) -> &'static [Hook] {
    let bridged = options
        .parts
        .iter()
        .any(|part| !part.negated && part.opt().is_some_and(|opt| opt.flag == "--physdev-is-bridged"));
    let goes_out = options.has("--physdev-out") || options.has("--physdev-is-out");
    match goes_out && !bridged {
        true => &[Hook::Prerouting, Hook::Input, Hook::Forward, Hook::Postrouting],
        false => &[],
    }
}

/// `-m physdev`.
pub static PHYSDEV: Extension = Extension {
    listed: Listed::new("PHYSDEV match", &[]),
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
