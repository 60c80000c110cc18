//! `-m iprange` (xt_iprange.c): addresses from one to another. A reversed range contains none.

use super::{Extension, Kind, Opt};
use crate::netfilter::condition::{Field, Phrase, Subject};
use crate::packet::fields::PacketField;

static SOURCE: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("source"),
    read: |context| context.field(PacketField::Src),
};

static DESTINATION: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("destination"),
    read: |context| context.field(PacketField::Dst),
};

/// `-m iprange`.
pub static IPRANGE: Extension = Extension::matching(
    "iprange",
    "addresses from one to another",
    &[
        Opt::tests("--src-range", Kind::AddressSpan, &SOURCE),
        Opt::tests("--dst-range", Kind::AddressSpan, &DESTINATION),
    ],
)
.asking()
.listed(
    "",
    &[
        ("source IP range !%", "--src-range %"),
        ("destination IP range !%", "--dst-range %"),
    ],
);
