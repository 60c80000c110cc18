//! Fields that several transport protocols share.

use crate::netfilter::condition::{Context, Field, LaterFragment, Parameters, Phrase, Subject};
use crate::packet::fields::PacketField;
use crate::packet::value::FieldValue;

/// The reason why a match on the transport header fails, if it does. xt_tcpudp.c, `tcp_mt`, drops a
/// fragment that could overwrite TCP's flags. nftables reads the header of TCP and UDP directly and
/// ignores the offset (nf_tables_core.c, `nft_payload_fast_eval`). Both are measured.
pub(super) fn headless(context: &Context) -> Option<FieldValue<'static>> {
    let offset = context
        .packet
        .fragment
        .map_or(0, |fragment| fragment.offset);
    match (offset, context.parameters) {
        (0, _) => None,
        (_, Parameters::LaterFragment(LaterFragment::ReadsPayload)) => Some(FieldValue::Unknown(
            "iptables-nft takes what a later fragment holds for its transport header".into(),
        )),
        (1, Parameters::LaterFragment(LaterFragment::DropsOverlap)) => Some(FieldValue::Drops(
            "it begins within the TCP header, and -m tcp drops such a fragment",
        )),
        (_, _) => Some(FieldValue::Never(
            "a later fragment has no transport header",
        )),
    }
}

/// Whether the packet has the transport header: the first test of each match on it.
pub(super) static TRANSPORT: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("transport header"),
    read: |context| headless(context).unwrap_or(FieldValue::Number(1)),
};

/// A field of the transport header, if the packet has the header.
pub(super) fn header_field<'a>(context: &Context<'a>, field: PacketField) -> FieldValue<'a> {
    headless(context).unwrap_or_else(|| context.field(field))
}

/// The port it comes from.
pub static SOURCE_PORT: Field = Field {
    subject: Subject::Packet(PacketField::Sport),
    phrase: Phrase::Noun("source port"),
    read: |context| header_field(context, PacketField::Sport),
};

/// The port it goes to.
pub static DESTINATION_PORT: Field = Field {
    subject: Subject::Packet(PacketField::Dport),
    phrase: Phrase::Noun("destination port"),
    read: |context| header_field(context, PacketField::Dport),
};
