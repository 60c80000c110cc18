//! `-m cpu` (xt_cpu.c): the processor that handles the packet.

use super::{Extension, Kind, ListingForm, Opt};
use crate::netfilter::condition::{Field, Phrase, Subject};
use crate::packet::value::FieldValue;

const UNKNOWABLE: &str = "it depends on which processor handles the packet";

static PROCESSOR: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("processor"),
    read: |_| FieldValue::Unknown(UNKNOWABLE.into()),
};

/// `-m cpu`.
pub static CPU: Extension = Extension {
    listed: ListingForm::new("", &[("cpu !%", "--cpu %")]),
    unknowable: Some(UNKNOWABLE),
    ..Extension::matching(
        "cpu",
        "the processor that handles the packet",
        &[Opt::tests("--cpu", Kind::Number(u32::MAX), &PROCESSOR).required()],
    )
};
