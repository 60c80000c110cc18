//! `-m mac` (xt_mac.c): the hardware address of the sender on the wire.

use super::{Extension, Kind, ListingForm, Opt};
use crate::netfilter::condition::{Context, Field, Phrase, Subject};
use crate::packet::fields::PacketField;
use crate::packet::hook::Hook;
use crate::packet::value::FieldValue;

/// Only Ethernet has a hardware address. A packet that arrived on `lo` is not an Ethernet frame, so
/// even a negated condition fails.
pub(super) fn source<'a>(context: &Context<'a>) -> FieldValue<'a> {
    match context.view.in_interface.as_deref() {
        _ if context.view.copied => {
            FieldValue::Never("the copy of a broadcast or multicast was on no wire")
        }
        None => FieldValue::Never("it comes by no wire"),
        Some("lo") => FieldValue::Never("lo is no Ethernet: it knows no hardware addresses"),
        Some(_) => context.field(PacketField::SrcMac),
    }
}

static SOURCE: Field = Field {
    subject: Subject::Packet(PacketField::SrcMac),
    phrase: Phrase::Noun("sender's hardware address"),
    read: source,
};

/// `-m mac`.
pub static MAC: Extension = Extension {
    listed: ListingForm::new("", &[("MAC !%", "--mac-source %")]),
    hooks: &[Hook::Prerouting, Hook::Input, Hook::Forward],
    ..Extension::matching(
        "mac",
        "the sender's hardware address",
        &[Opt::tests("--mac-source", Kind::Mac, &SOURCE).required()],
    )
};
