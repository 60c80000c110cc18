//! `-m iprange` (xt_iprange.c): addresses from one to another. A range that runs backwards holds none.

use super::{Extension, Kind, Opt};
use crate::condition::{Field, Phrase, Reading};

static SOURCE: Field =
    Field { name: "src_range", phrase: Phrase::Is("source"), read: |context| Reading::Address(context.view.src) };

static DESTINATION: Field =
    Field { name: "dst_range", phrase: Phrase::Is("destination"), read: |context| Reading::Address(context.view.dst) };

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
.listed("", &[("source IP range !%", "--src-range %"), ("destination IP range !%", "--dst-range %")]);
