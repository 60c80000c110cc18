//! The value that a condition finds in one field of a packet.

use std::borrow::Cow;
use std::net::IpAddr;

/// The value of one field at one point of a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue<'a> {
    /// A number, also for flags (0 or 1).
    Number(u32),
    /// An unknown number between two others, both included.
    Span(u32, u32),
    /// Two numbers, each between two others, of which either may be in the set.
    Either((u32, u32), (u32, u32)),
    /// An address.
    Address(IpAddr),
    /// A name.
    Name(&'a str),
    /// One or more named bits, any of which may be in the set.
    Bits(u32),
    /// A hardware address.
    Mac([u8; 6]),
    /// For a set that only the condition itself can compare: whether the set holds the value, and
    /// the value in words.
    Holds(bool, String),
    /// The packet does not have the field: it is in no set, so a negated condition holds.
    Absent(&'static str),
    /// The match does not look at such packets: the condition fails, negated or not.
    Never(&'static str),
    /// The match drops such a packet, negated or not (`hotdrop` in x_tables.h), for this reason.
    Drops(&'static str),
    /// The match does not look at the field after all: the condition holds, negated or not.
    Ignored(&'static str),
    /// Undetermined, for this reason.
    Unknown(Cow<'static, str>),
}
