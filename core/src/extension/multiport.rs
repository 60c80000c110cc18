//! `-m multiport` (xt_multiport.c): up to 15 ports, a range counting as two.

use super::transport::{DESTINATION_PORT, SOURCE_PORT};
use super::{Extension, Kind, Opt};
use crate::condition::{Field, Phrase, Reading};

static EITHER_PORT: Field = Field {
    name: "port",
    phrase: Phrase::Is("source or destination port"),
    read: |context| {
        let (source, destination) = ((SOURCE_PORT.read)(context), (DESTINATION_PORT.read)(context));
        match (span(&source), span(&destination)) {
            (Some(source), Some(destination)) => Reading::Either(source, destination),
            (Some(_), None) => destination,
            (None, _) => source,
        }
    },
};

fn span(reading: &Reading) -> Option<(u32, u32)> {
    match *reading {
        Reading::Number(port) => Some((port, port)),
        Reading::Span(low, high) => Some((low, high)),
        _ => None,
    }
}

/// `-m multiport`.
pub static MULTIPORT: Extension = Extension::matching(
    "multiport",
    "several ports at once",
    &[
        Opt::tests("--sports", Kind::Ports, &SOURCE_PORT).or(&["--source-ports"]),
        Opt::tests("--dports", Kind::Ports, &DESTINATION_PORT).or(&["--destination-ports"]),
        Opt::tests("--ports", Kind::Ports, &EITHER_PORT),
    ],
);
