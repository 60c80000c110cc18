//! The number that AH, ESP and IPComp headers carry, for the matches that ask for it.

use super::transport::headless;
use crate::condition::{Field, Phrase, Reading};

/// The security parameter index, or the index of IPComp.
pub(super) static SPI: Field = Field {
    name: "spi",
    phrase: Phrase::Is("SPI"),
    read: |context| match (headless(context), context.packet.spi) {
        (Some(never), _) => never,
        (None, Some(spi)) => Reading::Number(spi),
        (None, None) => Reading::Unknown("the packet states no SPI".into()),
    },
};
