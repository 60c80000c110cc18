//! `-m multiport` (xt_multiport.c): up to 15 ports, a range counting as two.

use super::transport::{DESTINATION_PORT, SOURCE_PORT};
use super::{Extension, Kind, Opt};
use crate::condition::{Field, Phrase, Reading};

static EITHER_PORT: Field = Field {
    name: "port",
    phrase: Phrase::Is("source or destination port"),
    read: |context| match ((SOURCE_PORT.read)(context), (DESTINATION_PORT.read)(context)) {
        (Reading::Number(source), Reading::Number(destination)) => Reading::Either(source, destination),
        (Reading::Number(_), other) | (other, _) => other,
    },
};

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
