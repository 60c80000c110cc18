//! `-m frag` (ip6t_frag.c): the fragment header of IPv6.

use super::ipv6header::{has_header, unstated};
use super::{Extension, Kind, ListingForm, Opt};
use crate::netfilter::condition::{Context, Field, Phrase, Subject};
use crate::packet::value::FieldValue;
use crate::packet::{Family, IpFragment};

fn of_fragment(context: &Context, holds: fn(IpFragment) -> bool) -> FieldValue<'static> {
    match context.packet.fragment {
        Some(fragment) => FieldValue::Number(holds(fragment).into()),
        None => FieldValue::Unknown("the packet does not state its fragment".into()),
    }
}

static PRESENT: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Sentence("it is a fragment", "it is not a fragment"),
    read: |context| has_header(context, 44),
};

static ID: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("id of its fragments"),
    read: unstated,
};

static RESERVED: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Sentence(
        "the reserved bits of its fragment header are 0",
        "a reserved bit of its fragment header is set",
    ),
    read: unstated,
};

static FIRST: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Sentence("it is the first fragment", "it is not the first fragment"),
    read: |context| of_fragment(context, |fragment| fragment.offset == 0),
};

static MORE: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Sentence("more fragments follow", "it is the last fragment"),
    read: |context| of_fragment(context, |fragment| fragment.more),
};

static LAST: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Sentence("it is the last fragment", "more fragments follow"),
    read: |context| of_fragment(context, |fragment| !fragment.more),
};

/// `-m frag`. The kernel ignores the value of `--fraglen` (`frag_mt6`).
pub static FRAG: Extension = Extension {
    listed: ListingForm::new(
        "frag",
        &[
            ("id:!%", "--fragid %"),
            ("ids:!%", "--fragid %"),
            ("length:!%", "--fraglen %"),
            ("reserved", "--fragres"),
            ("first", "--fragfirst"),
            ("more", "--fragmore"),
            ("last", "--fraglast"),
        ],
    ),
    family: Some(Family::Ipv6),
    asks_first: Some(&PRESENT),
    ..Extension::matching(
        "frag",
        "the fragment header of IPv6",
        &[
            Opt::tests("--fragid", Kind::NumberRange(u32::MAX), &ID).unprinted(u32::MAX),
            Opt::new("--fraglen", Kind::Number(u32::MAX)).negatable(),
            Opt::tests("--fragres", Kind::Flag, &RESERVED).positive(),
            Opt::tests("--fragfirst", Kind::Flag, &FIRST).positive(),
            Opt::tests("--fragmore", Kind::Flag, &MORE)
                .positive()
                .excludes(&["--fraglast"]),
            Opt::tests("--fraglast", Kind::Flag, &LAST).positive(),
        ],
    )
};
