//! `-m helper` (xt_helper.c): a connection that the helper of another connection announced, such as
//! the data connection of FTP.

use super::{Extension, Kind, ListingForm, Opt};
use crate::netfilter::condition::{Field, Phrase, Subject};
use crate::packet::ConnectionState;
use crate::packet::value::FieldValue;

static HELPER: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("helper of the connection that announced it"),
    read: |context| match context.view.state {
        Some(ConnectionState::Related | ConnectionState::Established) => FieldValue::Unknown(
            "-m helper: it depends on the connection that announced this one".into(),
        ),
        _ => FieldValue::Absent("no other connection that announced it"),
    },
};

/// `-m helper`.
pub static HELPER_MATCH: Extension = Extension {
    listed: ListingForm::new("", &[("helper match !\"%\"", "--helper %")]),
    tracks: true,
    ..Extension::matching(
        "helper",
        "the helper of the connection that announced the packet's connection",
        &[Opt::tests("--helper", Kind::Cut(29), &HELPER).required()],
    )
};
