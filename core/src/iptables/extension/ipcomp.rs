//! `-m ipcomp` (xt_ipcomp.c): a compressed payload. Without options it matches the index 0
//! (measured).

use super::spi::SPI;
use super::transport::TRANSPORT;
use super::{Extension, Implied, Kind, ListingForm, Opt};
use crate::packet::Protocol;

const IPCOMP_PROTOCOL: Protocol = Protocol(108);

/// `-m ipcomp`. The kernel ignores `--compres`.
pub static IPCOMP: Extension = Extension {
    listed: ListingForm::new(
        "comp",
        &[
            ("spi:!%", "--ipcompspi %"),
            ("spis:!%", "--ipcompspi %"),
            ("reserved", "--compres"),
        ],
    ),
    implied_by: Some(IPCOMP_PROTOCOL),
    protocols: &[IPCOMP_PROTOCOL],
    asks_first: Some(&TRANSPORT),
    implied: &[Implied::new("--ipcompspi", "0")],
    ..Extension::matching(
        "ipcomp",
        "the index of a compressed payload",
        &[
            Opt::tests("--ipcompspi", Kind::NumberRange(u32::MAX), &SPI).unprinted(u32::MAX),
            Opt::new("--compres", Kind::Flag),
        ],
    )
};
