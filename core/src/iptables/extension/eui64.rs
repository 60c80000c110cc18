//! `-m eui64` (ip6t_eui64.c): whether the interface part of an IPv6 source is derived from the
//! sender's hardware address.

use std::net::IpAddr;

use super::Extension;
use super::mac::source;
use crate::netfilter::condition::{Field, Phrase, Subject};
use crate::packet::Family;
use crate::packet::hook::Hook;
use crate::packet::value::FieldValue;

static MADE: Field = Field {
    subject: Subject::Other,
    phrase: Phrase::Sentence(
        "its source is made of its hardware address",
        "its source is not made of its hardware address",
    ),
    read: |context| {
        // A packet that this host sends to itself through lo is an Ethernet frame with zero
        // addresses. The copy of a multicast is not a frame (ip6t_eui64.c, `eui64_mt6`; measured).
        if context.view.copied {
            return FieldValue::Drops("it never was on a wire, and -m eui64 drops such a packet");
        }
        let mac = match (context.view.in_interface.as_deref(), source(context)) {
            (Some("lo"), _) => [0; 6],
            (_, FieldValue::Mac(mac)) => mac,
            (_, other) => return other,
        };
        let [a, b, c, d, e, f] = mac;
        let made = u64::from_be_bytes([a ^ 2, b, c, 0xff, 0xfe, d, e, f]);
        match context.view.src {
            IpAddr::V6(src) => FieldValue::Number(
                (src.to_bits() & u128::from(u64::MAX) == u128::from(made)).into(),
            ),
            IpAddr::V4(_) => FieldValue::Number(0),
        }
    },
};

/// `-m eui64`.
pub static EUI64: Extension = Extension {
    family: Some(Family::Ipv6),
    hooks: &[Hook::Prerouting, Hook::Input, Hook::Forward],
    asks_first: Some(&MADE),
    ..Extension::matching(
        "eui64",
        "whether a source is made of a hardware address",
        &[],
    )
};
