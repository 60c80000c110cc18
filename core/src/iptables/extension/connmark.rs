//! `-m connmark` (xt_connmark.c): a number that rules set on a connection. The match fails for a
//! packet without a connection.

use super::{Extension, Kind, ListingForm, Opt};
use crate::netfilter::condition::{Field, Phrase, Subject};
use crate::netfilter::conntrack;
use crate::packet::fields::PacketField;
use crate::packet::value::FieldValue;

static CONNECTION_MARK: Field = Field {
    subject: Subject::Packet(PacketField::Connmark),
    phrase: Phrase::Noun("connection mark"),
    read: |context| match conntrack::has_connection(context.view.state) {
        true => context.field(PacketField::Connmark),
        false => FieldValue::Never("the packet belongs to no connection"),
    },
};

/// `-m connmark`.
pub static CONNMARK: Extension = Extension {
    listed: ListingForm::new("connmark match", &[("!%", "--mark %")]),
    tracks: true,
    ..Extension::matching(
        "connmark",
        "the connection's mark",
        &[Opt::tests("--mark", Kind::Mark, &CONNECTION_MARK)
            .required()
            .alone()],
    )
};
