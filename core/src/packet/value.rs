//! The value that a condition finds in one field of a packet.

use std::borrow::Cow;
use std::net::IpAddr;

/// The value of one field at one point of a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue<'a> {
    /// A number. A flag is 0 or 1.
    Number(u32),
    /// An unknown number from a range; both ends are included.
    Span(u32, u32),
    /// Two unknown numbers, each from a range. The condition holds if the set contains one of them.
    Either((u32, u32), (u32, u32)),
    /// An address.
    Address(IpAddr),
    /// A name.
    Name(&'a str),
    /// One or more named bits. The condition holds if the set contains one of them.
    Bits(u32),
    /// A hardware address.
    Mac([u8; 6]),
    /// The result of a comparison that only the extension can make: whether the set contains the
    /// value, and the value in words.
    Holds(bool, String),
    /// The packet does not have the field. No set contains it, so a negated condition holds.
    Absent(&'static str),
    /// The match does not apply to such packets: the condition fails, negated or not.
    Never(&'static str),
    /// The match drops such a packet, negated or not (`hotdrop` in x_tables.h), for this reason.
    Drops(&'static str),
    /// The match does not compare the field in this case: the condition holds, negated or not.
    Ignored(&'static str),
    /// Undetermined, for this reason.
    Unknown(Cow<'static, str>),
}
