//! Addresses as the C library prints them.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Prints an address as the C library does (`inet_ntop`): an address with exactly six leading zero
/// groups ends in an IPv4 address.
///
/// # Errors
///
/// Those of `out`.
pub fn write_ipv6(address: Ipv6Addr, out: &mut impl Write) -> std::fmt::Result {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, high, _] if high != 0 => {
            write!(
                out,
                "::{}",
                Ipv4Addr::from_bits(
                    u32::try_from(address.to_bits()).expect("its high bits are zero")
                )
            )
        }
        _ => write!(out, "{address}"),
    }
}
