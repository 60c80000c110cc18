//! Writing values as `iptables-save` does.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::packet::TcpFlags;

/// The length of a contiguous mask of `bits` bits.
pub(super) fn prefix_length(mask: u128, bits: u32) -> Option<u32> {
    let aligned = mask << (128 - bits);
    let length = aligned.leading_ones();
    (aligned.checked_shl(length).unwrap_or(0) == 0).then_some(length)
}

pub(super) fn tcp_flag_names(bits: u32) -> String {
    TcpFlags(u8::try_from(bits & 0x3f).expect("six bits fit")).to_string()
}

/// As the C library writes it (`inet_ntop`): what has exactly six leading zero groups ends in an IPv4 address.
pub(in crate::extension) fn write_v6(address: Ipv6Addr, out: &mut String) -> std::fmt::Result {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, high, _] if high != 0 => {
            write!(out, "::{}", Ipv4Addr::from_bits(u32::try_from(address.to_bits()).expect("its high bits are zero")))
        }
        _ => write!(out, "{address}"),
    }
}

/// Quotes a text where iptables would (`xtables_save_string`): bare only if it is not empty and made of
/// ASCII letters, digits, `_` and `-`.
pub fn quote(text: &str, out: &mut String) {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '\'') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}
