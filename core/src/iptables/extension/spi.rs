//! The index of AH, ESP and IPComp headers, for the matches that compare it.

use super::transport::header_field;
use crate::netfilter::condition::{Field, Phrase, Subject};
use crate::packet::fields::PacketField;

/// The security parameter index, or the index of IPComp.
pub(super) static SPI: Field = Field {
    subject: Subject::Packet(PacketField::Spi),
    phrase: Phrase::Noun("SPI"),
    read: |context| header_field(context, PacketField::Spi),
};
