//! `-m ttl` of IPv4 and `-m hl` of IPv6 (xt_hl.c): the number of routers that a packet may still
//! pass.

use super::{Extension, Kind, ListingForm, Opt};
use crate::netfilter::condition::{Field, Phrase, Subject};
use crate::packet::Family;
use crate::packet::fields::PacketField;

static TTL_FIELD: Field = Field {
    subject: Subject::Packet(PacketField::Ttl),
    phrase: Phrase::Noun("TTL"),
    read: |context| context.field(PacketField::Ttl),
};

static HOP_LIMIT: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Noun("hop limit"),
    read: |context| context.field(PacketField::Ttl),
};

/// `-m ttl`.
pub static TTL: Extension = Extension {
    listed: ListingForm::new(
        "",
        &[
            ("TTL match TTL == %", "--ttl-eq %"),
            ("TTL match TTL != %", "! --ttl-eq %"),
            ("TTL match TTL < %", "--ttl-lt %"),
            ("TTL match TTL > %", "--ttl-gt %"),
        ],
    ),
    family: Some(Family::Ipv4),
    ..Extension::matching(
        "ttl",
        "the time to live",
        &[
            Opt::tests("--ttl-eq", Kind::Number(255), &TTL_FIELD)
                .or(&["--ttl"])
                .excludes(&["--ttl-lt", "--ttl-gt"]),
            Opt::tests("--ttl-lt", Kind::Below(255), &TTL_FIELD)
                .positive()
                .excludes(&["--ttl-gt"]),
            Opt::tests("--ttl-gt", Kind::Above(255), &TTL_FIELD).positive(),
        ],
    )
    .asking()
};

/// `-m hl`.
pub static HL: Extension = Extension {
    listed: ListingForm::new(
        "",
        &[
            ("HL match HL == %", "--hl-eq %"),
            ("HL match HL != %", "! --hl-eq %"),
            ("HL match HL < %", "--hl-lt %"),
            ("HL match HL > %", "--hl-gt %"),
        ],
    ),
    family: Some(Family::Ipv6),
    ..Extension::matching(
        "hl",
        "the hop limit",
        &[
            Opt::tests("--hl-eq", Kind::Number(255), &HOP_LIMIT)
                .or(&["--hl"])
                .excludes(&["--hl-lt", "--hl-gt"]),
            Opt::tests("--hl-lt", Kind::Below(255), &HOP_LIMIT)
                .positive()
                .excludes(&["--hl-gt"]),
            Opt::tests("--hl-gt", Kind::Above(255), &HOP_LIMIT).positive(),
        ],
    )
    .asking()
};
