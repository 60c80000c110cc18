//! `-m icmp` (ip_tables.c, `icmp_match`), and the field that `-m icmp6` shares.

use super::transport::{TRANSPORT, header_field};
use super::{Extension, Kind, ListingForm, Opt};
use crate::netfilter::condition::{Field, Phrase, Subject};
use crate::packet::fields::PacketField;
use crate::packet::{Family, Protocol};

/// Type and code of an ICMP message, as one number: type times 256 plus code.
pub static TYPE: Field = Field {
    subject: Subject::Packet(PacketField::IcmpType),
    phrase: Phrase::Noun("ICMP type"),
    read: |context| header_field(context, PacketField::IcmpType),
};

/// `-m icmp`.
pub static ICMP: Extension = Extension {
    listed: ListingForm::new(
        "",
        &[
            ("icmp!type % code %", "--icmp-type %/%"),
            ("icmp!type %", "--icmp-type %"),
            ("icmp!%", "--icmp-type %"),
        ],
    ),
    family: Some(Family::Ipv4),
    implied_by: Some(Protocol::ICMP),
    protocols: &[Protocol::ICMP],
    asks_first: Some(&TRANSPORT),
    ..Extension::matching(
        "icmp",
        "type and code of ICMP",
        &[Opt::tests(
            "--icmp-type",
            Kind::IcmpType(&[
                ("any", 255, 0, 255),
                ("echo-reply", 0, 0, 255),
                ("pong", 0, 0, 255),
                ("destination-unreachable", 3, 0, 255),
                ("network-unreachable", 3, 0, 0),
                ("host-unreachable", 3, 1, 1),
                ("protocol-unreachable", 3, 2, 2),
                ("port-unreachable", 3, 3, 3),
                ("fragmentation-needed", 3, 4, 4),
                ("source-route-failed", 3, 5, 5),
                ("network-unknown", 3, 6, 6),
                ("host-unknown", 3, 7, 7),
                ("network-prohibited", 3, 9, 9),
                ("host-prohibited", 3, 10, 10),
                ("TOS-network-unreachable", 3, 11, 11),
                ("TOS-host-unreachable", 3, 12, 12),
                ("communication-prohibited", 3, 13, 13),
                ("host-precedence-violation", 3, 14, 14),
                ("precedence-cutoff", 3, 15, 15),
                ("source-quench", 4, 0, 255),
                ("redirect", 5, 0, 255),
                ("network-redirect", 5, 0, 0),
                ("host-redirect", 5, 1, 1),
                ("TOS-network-redirect", 5, 2, 2),
                ("TOS-host-redirect", 5, 3, 3),
                ("echo-request", 8, 0, 255),
                ("ping", 8, 0, 255),
                ("router-advertisement", 9, 0, 255),
                ("router-solicitation", 10, 0, 255),
                ("time-exceeded", 11, 0, 255),
                ("ttl-exceeded", 11, 0, 255),
                ("ttl-zero-during-transit", 11, 0, 0),
                ("ttl-zero-during-reassembly", 11, 1, 1),
                ("parameter-problem", 12, 0, 255),
                ("ip-header-bad", 12, 0, 0),
                ("required-option-missing", 12, 1, 1),
                ("timestamp-request", 13, 0, 255),
                ("timestamp-reply", 14, 0, 255),
                ("address-mask-request", 17, 0, 255),
                ("address-mask-reply", 18, 0, 255),
            ]),
            &TYPE,
        )
        .required()],
    )
};
