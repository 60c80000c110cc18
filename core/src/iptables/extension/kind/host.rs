//! An address under a mask. Its host bits stay as written: `10.0.0.1/8`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Kind, ValueForm};
use crate::iptables::extension::kind::read::problem;
use crate::netfilter::ruleset::{CompactBox, Value};
use crate::packet::Family;

/// A single address, or an address under the mask of a network.
pub(in crate::iptables::extension) static HOST: ValueForm = ValueForm {
    words: 1,
    read: |words, ruleset| {
        let text = words[0];
        let wrong = || problem("address or network", text, "10.0.0.1 or 10.0.0.0/8");
        let (address, mask) = text
            .split_once('/')
            .map_or((text, None), |(address, mask)| (address, Some(mask)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        if Family::of_address(address) != ruleset.family {
            return Err(wrong());
        }
        match address {
            IpAddr::V4(address) => {
                let length = length(mask, 32).ok_or_else(wrong)?;
                let bits = u32::MAX.checked_shl(32 - length).unwrap_or(0);
                Ok(Value::Net4(address, Ipv4Addr::from_bits(bits)))
            }
            IpAddr::V6(address) => {
                let length = length(mask, 128).ok_or_else(wrong)?;
                let bits = u128::MAX.checked_shl(128 - length).unwrap_or(0);
                Ok(Value::Net6(CompactBox::new((
                    address,
                    Ipv6Addr::from_bits(bits),
                ))))
            }
        }
    },
    write: |value, ruleset, out| {
        let full = match value {
            Value::Net4(_, mask) => *mask == Ipv4Addr::BROADCAST,
            Value::Net6(net) => net.1.to_bits() == u128::MAX,
            _ => false,
        };
        let kind = if full { Kind::Address } else { Kind::Network };
        // Writing to a string cannot fail.
        let _ = kind.write(value, ruleset, out);
    },
    examples: &[
        "10.0.0.1",
        "10.0.0.1/8",
        "192.0.2.0/255.255.255.0",
        "fd00::1",
        "fd00::1/8",
        "2001:db8::/32",
    ],
};

/// The length of a mask. A mask with holes, or one that is too long, counts as the full length
/// (measured: `xtopt_parse_plenmask` of iptables 1.8.9).
pub(in crate::iptables::extension) fn length(mask: Option<&str>, most: u32) -> Option<u32> {
    let Some(mask) = mask else { return Some(most) };
    if let Some(length) = crate::text::number::parse_u32(mask) {
        return Some(length.min(most));
    }
    let (bits, unused) = match mask.parse().ok()? {
        IpAddr::V4(mask) if most == 32 => (u128::from(mask.to_bits()) << 96, 96),
        IpAddr::V6(mask) if most == 128 => (mask.to_bits(), 0),
        _ => return None,
    };
    let length = bits.leading_ones();
    Some(if bits.count_ones() == length && length + unused <= 128 {
        length
    } else {
        most
    })
}
