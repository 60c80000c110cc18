//! `-m tcpmss` (xt_tcpmss.c): the maximum segment size that a TCP header announces.

use super::{Extension, Given, Kind, ListingForm, Opt};
use crate::netfilter::condition::{Context, Field, Phrase, Subject};
use crate::netfilter::ruleset::Value;
use crate::packet::Protocol;
use crate::packet::fields::PacketField;
use crate::packet::value::FieldValue;
use crate::text::diagnostic::{Code, Problem};

fn announced<'a>(context: &Context<'a>) -> FieldValue<'a> {
    if context.packet.is_later_fragment() {
        return FieldValue::Unknown(
            "it is a later fragment: its payload is taken for a TCP header".into(),
        );
    }
    context.field(PacketField::Mss)
}

static SIZE: Field = Field {
    subject: Subject::Packet(PacketField::Mss),
    phrase: Phrase::Noun("maximum segment size"),
    read: announced,
};

fn check(given: &Given) -> Result<(), Problem> {
    match given.options.value("--mss") {
        Some(Value::Range(low, high)) if low > high => Err(Problem::new(
            Code::ReversedRange,
            format!("reversed range `{low}:{high}`"),
        )
        .hint("write the lower number first")),
        _ => Ok(()),
    }
}

/// `-m tcpmss`.
pub static TCPMSS: Extension = Extension {
    listed: ListingForm::new("", &[("tcpmss match !%", "--mss %")]),
    protocols: &[Protocol::TCP],
    check,
    ..Extension::matching(
        "tcpmss",
        "TCP's maximum segment size",
        &[Opt::tests("--mss", Kind::NumberRange(65535), &SIZE).required()],
    )
};
