//! `-m realm` (xt_realm.c): the realm of the packet's route.

use super::devgroup::{named_or_masked, write_named};
use super::kind::ValueForm;
use super::{Extension, Kind, Opt};
use crate::netfilter::condition::{Field, Phrase, Subject};
use crate::packet::Family;
use crate::packet::hook::Hook;
use crate::packet::value::FieldValue;

/// The only realm that Debian's iproute2 names, in `/etc/iproute2/rt_realms`.
const COSMOS: &str = "cosmos";

static REALM_FORM: ValueForm = ValueForm {
    words: 1,
    read: |words, _| named_or_masked(words[0], COSMOS),
    write: |value, _, out| write_named(value, COSMOS, out),
    examples: &["0x1", "0x1/0x2a", "cosmos"],
};

const UNKNOWABLE: &str = "a dump does not hold the realms of routes";

static REALM_FIELD: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("realm of its route"),
    read: |_| FieldValue::Unknown(UNKNOWABLE.into()),
};

/// `-m realm`.
pub static REALM: Extension = Extension {
    family: Some(Family::Ipv4),
    hooks: &[Hook::Input, Hook::Forward, Hook::Output, Hook::Postrouting],
    unknowable: Some(UNKNOWABLE),
    ..Extension::matching(
        "realm",
        "the realm of the packet's route",
        &[Opt::tests("--realm", Kind::Own(&REALM_FORM), &REALM_FIELD).required()],
    )
};
