//! `-m esp` (xt_esp.c): the encrypted payload of IPsec.

use super::spi::SPI;
use super::transport::TRANSPORT;
use super::{Extension, Kind, ListingForm, Opt};
use crate::packet::Protocol;

const ESP_PROTOCOL: Protocol = Protocol(50);

/// `-m esp`.
pub static ESP: Extension = Extension {
    listed: ListingForm::new(
        "esp",
        &[("spi:!%", "--espspi %"), ("spis:!%", "--espspi %")],
    ),
    implied_by: Some(ESP_PROTOCOL),
    protocols: &[ESP_PROTOCOL],
    asks_first: Some(&TRANSPORT),
    ..Extension::matching(
        "esp",
        "the SPI of an encrypted payload",
        &[Opt::tests("--espspi", Kind::NumberRange(u32::MAX), &SPI).unprinted(u32::MAX)],
    )
};
