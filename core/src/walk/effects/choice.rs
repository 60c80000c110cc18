//! The address and port that nat chooses from a range (nf_nat_core.c, `get_unique_tuple`).
//! Measured, under the condition that no other connection uses them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::netfilter::effect::{NatChoice, NatRange, Side};
use crate::packet::view::View;

/// The new destination port; `None` if the kernel chooses it at random.
pub(super) fn destination_port(
    port: Option<u16>,
    (low, high): (u16, u16),
    base: Option<u16>,
    choice: NatChoice,
) -> Option<u16> {
    match port {
        _ if low == high => Some(low),
        Some(port) if base.is_some() => Some(shifted(port, (low, high), base?)),
        _ if choice.random => None,
        Some(port) if (low..=high).contains(&port) => Some(port),
        _ => Some(low),
    }
}

/// The new source port, as a range. The port stays if it may. Otherwise the kernel chooses it at
/// random; without a given range, from the ports with the same privilege as the old one
/// (`nf_nat_l4proto_unique_tuple`).
pub(super) fn source_port(port: u16, range: &NatRange, choice: NatChoice) -> (u16, u16) {
    if let (Some(ports), Some(base)) = (range.ports, range.base) {
        let port = shifted(port, ports, base);
        return (port, port);
    }
    match range.ports {
        Some((low, high)) if (low..=high).contains(&port) && !choice.random => (port, port),
        Some(range) => range,
        None if !choice.random => (port, port),
        None => match port {
            ..512 => (1, 511),
            512..1024 => (600, 1023),
            1024.. => (1024, u16::MAX),
        },
    }
}

/// A port of a shifted range. It is counted from the base and wraps around.
fn shifted(port: u16, (low, high): (u16, u16), base: u16) -> u16 {
    let size = u32::from(high - low) + 1;
    let offset = u32::from(port.wrapping_sub(base)) % size;
    u16::try_from(u32::from(low) + offset).expect("it is below the span's end")
}

/// Whether a source within the range stays unchanged. If the range has ports, the port must be
/// within it as well.
pub(super) fn keeps_source(view: &View, range: &NatRange, choice: NatChoice) -> bool {
    let stays = range
        .addresses
        .is_none_or(|(first, last)| (first..=last).contains(&view.src));
    let port_stays = range
        .ports
        .is_none_or(|(low, high)| view.sport.is_none_or(|port| (low..=high).contains(&port)));
    stays && port_stays && !choice.random
}

/// The address that the kernel chooses by a hash of both ends of the connection
/// (`find_best_ips_proto`): word by word, each scaled to the rest of the range. With
/// `--persistent`, the destination does not count.
pub(super) fn hashed(
    view: &View,
    (first, last): (IpAddr, IpAddr),
    side: Side,
    choice: NatChoice,
) -> IpAddr {
    let (first, last) = (address_words(first), address_words(last));
    let mut destination = address_words(view.dst);
    let count = if view.dst.is_ipv4() { 1 } else { 4 };
    let persistent = choice.persistent;
    // The kernel hashes words in network byte order, read as numbers of this machine.
    let raw = u32::swap_bytes;
    let start = if persistent {
        0
    } else {
        raw(destination[count - 1]) ^ u32::from(view.zone)
    };
    let mut hash = jhash(address_words(view.src).map(raw), start);
    let mut chosen = [0; 4];
    let mut free = false;
    for word in 0..count {
        let (least, distance) = match free {
            true => (0, u32::MAX),
            false => (
                first[word],
                last[word].wrapping_sub(first[word]).wrapping_add(1),
            ),
        };
        let scaled = (u64::from(hash) * u64::from(distance)) >> 32;
        chosen[word] = least.wrapping_add(
            u32::try_from(scaled).expect("a product of 32 bits each, without its low half"),
        );
        free |= chosen[word] != last[word];
        // The kernel writes to the tuple that it reads from.
        if side == Side::Destination {
            destination[word] = chosen[word];
        }
        if !persistent {
            hash ^= raw(destination[word]);
        }
    }
    match view.dst {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(chosen[0])),
        IpAddr::V6(_) => {
            let bits = chosen
                .iter()
                .fold(0_u128, |bits, word| bits << 32 | u128::from(*word));
            IpAddr::V6(Ipv6Addr::from_bits(bits))
        }
    }
}

/// An address as four words, as connection tracking stores it.
fn address_words(address: IpAddr) -> [u32; 4] {
    match address {
        IpAddr::V4(address) => [address.to_bits(), 0, 0, 0],
        IpAddr::V6(address) => {
            let octets = address.octets();
            std::array::from_fn(|word| {
                u32::from_be_bytes(std::array::from_fn(|byte| octets[word * 4 + byte]))
            })
        }
    }
}

/// Bob Jenkins's lookup3 over four words (linux/jhash.h, `jhash2`).
fn jhash(key: [u32; 4], start: u32) -> u32 {
    let mut state = [0xdead_beef_u32.wrapping_add(16).wrapping_add(start); 3];
    for (part, word) in state.iter_mut().zip(key) {
        *part = part.wrapping_add(word);
    }
    let [mut a, mut b, mut c] = state;
    let step = |x: &mut u32, y: &mut u32, z: &mut u32, by: u32| {
        *x = x.wrapping_sub(*z) ^ z.rotate_left(by);
        *z = z.wrapping_add(*y);
    };
    step(&mut a, &mut b, &mut c, 4);
    step(&mut b, &mut c, &mut a, 6);
    step(&mut c, &mut a, &mut b, 8);
    step(&mut a, &mut b, &mut c, 16);
    step(&mut b, &mut c, &mut a, 19);
    step(&mut c, &mut a, &mut b, 4);
    a = a.wrapping_add(key[3]);
    let last = |x: &mut u32, y: u32, by: u32| *x = (*x ^ y).wrapping_sub(y.rotate_left(by));
    last(&mut c, b, 14);
    last(&mut a, c, 11);
    last(&mut b, a, 25);
    last(&mut c, b, 16);
    last(&mut a, c, 4);
    last(&mut b, a, 14);
    last(&mut c, b, 24);
    c
}
