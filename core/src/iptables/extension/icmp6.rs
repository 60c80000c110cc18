//! `-m icmp6` (ip6_tables.c, `icmp6_match`).

use super::icmp::TYPE;
use super::transport::TRANSPORT;
use super::{Extension, Kind, ListingForm, Opt};
use crate::packet::{Family, Protocol};

/// `-m icmp6`.
pub static ICMP6: Extension = Extension {
    listed: ListingForm::new(
        "",
        &[
            ("ipv6-icmp!type % code %", "--icmpv6-type %/%"),
            ("ipv6-icmp!type %", "--icmpv6-type %"),
            ("ipv6-icmp!%", "--icmpv6-type %"),
        ],
    ),
    aliases: &["icmpv6", "ipv6-icmp"],
    family: Some(Family::Ipv6),
    implied_by: Some(Protocol::ICMPV6),
    protocols: &[Protocol::ICMPV6],
    asks_first: Some(&TRANSPORT),
    ..Extension::matching(
        "icmp6",
        "type and code of ICMPv6",
        &[Opt::tests(
            "--icmpv6-type",
            Kind::IcmpType(&[
                ("destination-unreachable", 1, 0, 255),
                ("no-route", 1, 0, 0),
                ("communication-prohibited", 1, 1, 1),
                ("beyond-scope", 1, 2, 2),
                ("address-unreachable", 1, 3, 3),
                ("port-unreachable", 1, 4, 4),
                ("failed-policy", 1, 5, 5),
                ("reject-route", 1, 6, 6),
                ("packet-too-big", 2, 0, 255),
                ("time-exceeded", 3, 0, 255),
                ("ttl-exceeded", 3, 0, 255),
                ("ttl-zero-during-transit", 3, 0, 0),
                ("ttl-zero-during-reassembly", 3, 1, 1),
                ("parameter-problem", 4, 0, 255),
                ("bad-header", 4, 0, 0),
                ("unknown-header-type", 4, 1, 1),
                ("unknown-option", 4, 2, 2),
                ("echo-request", 128, 0, 255),
                ("ping", 128, 0, 255),
                ("echo-reply", 129, 0, 255),
                ("pong", 129, 0, 255),
                ("router-solicitation", 133, 0, 255),
                ("router-advertisement", 134, 0, 255),
                ("neighbour-solicitation", 135, 0, 255),
                ("neighbor-solicitation", 135, 0, 255),
                ("neighbour-advertisement", 136, 0, 255),
                ("neighbor-advertisement", 136, 0, 255),
                ("redirect", 137, 0, 255),
            ]),
            &TYPE,
        )
        .required()],
    )
};
