//! `-m multiport` (xt_multiport.c): up to 15 ports. A range counts as two. Its options exclude each
//! other.

use super::transport::{DESTINATION_PORT, SOURCE_PORT, TRANSPORT};
use super::{Extension, Kind, ListingForm, Opt};
use crate::netfilter::condition::{Field, Phrase, Subject};
use crate::packet::Protocol;
use crate::packet::value::FieldValue;

static EITHER_PORT: Field = Field {
    subject: Subject::EitherPort,
    phrase: Phrase::Noun("source or destination port"),
    read: |context| {
        let (source, destination) = (
            (SOURCE_PORT.read)(context),
            (DESTINATION_PORT.read)(context),
        );
        match (span(&source), span(&destination)) {
            (Some(source), Some(destination)) => FieldValue::Either(source, destination),
            (Some(_), None) => destination,
            (None, _) => source,
        }
    },
};

fn span(reading: &FieldValue) -> Option<(u32, u32)> {
    match *reading {
        FieldValue::Number(port) => Some((port, port)),
        FieldValue::Span(low, high) => Some((low, high)),
        _ => None,
    }
}

/// `-m multiport`.
pub static MULTIPORT: Extension = Extension {
    listed: ListingForm::new(
        "multiport",
        &[
            ("sports !%", "--sports %"),
            ("dports !%", "--dports %"),
            ("ports !%", "--ports %"),
        ],
    ),
    protocols: &[
        Protocol::TCP,
        Protocol::UDP,
        Protocol::UDPLITE,
        Protocol::SCTP,
        Protocol::DCCP,
    ],
    asks_first: Some(&TRANSPORT),
    ..Extension::matching(
        "multiport",
        "several ports at once",
        &[
            Opt::tests("--sports", Kind::Ports, &SOURCE_PORT)
                .alone()
                .or(&["--source-ports"])
                .excludes(&["--dports", "--ports"]),
            Opt::tests("--dports", Kind::Ports, &DESTINATION_PORT)
                .alone()
                .or(&["--destination-ports"])
                .excludes(&["--ports"]),
            Opt::tests("--ports", Kind::Ports, &EITHER_PORT),
        ],
    )
    .asking()
};
