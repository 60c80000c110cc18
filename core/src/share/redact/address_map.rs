//! Neutral addresses that keep the properties which routing and matching need: which network
//! contains which, the first and the last address of a network, the order within a range, and the
//! classes that the kernel treats differently.
//!
//! Trees ([`BitTree`]) permute the parts of an address: an IPv4 address, the network of an IPv6
//! address, and the two halves of an interface identifier. An IPv4 address or a hardware address
//! within an IPv6 address is replaced as it would be by itself, and so is the network within a
//! multicast group.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::packet::Family;
use crate::packet::host::{Host, Prefix};

use super::bit_tree::{BitTree, FixedPrefix, leading};

/// The reason why an address option cannot be made neutral.
pub(super) const KEEPS_OTHERS: &str = "would keep bits of addresses that it does not name";

/// IPv4 networks that are kept. Private addresses stay private. The kernel treats the other
/// networks differently.
const NETWORKS4: [FixedPrefix; 10] = [
    (10 << 56, 8),
    (0xac10 << 48, 12),
    (0xc0a8 << 48, 16),
    (0x6440 << 48, 10),
    (0, 8),
    (127 << 56, 8),
    (0xa9fe << 48, 16),
    (0xe0 << 56, 4),
    (GLOP << 56, 8),
    (UNICAST_PREFIX4 << 56, 8),
];

/// Multicast groups of an autonomous system (RFC 3180).
const GLOP: u64 = 233;
/// Multicast groups of an IPv4 network of 24 bits (RFC 6034).
const UNICAST_PREFIX4: u64 = 234;

/// IPv6 networks that are kept: the kernel gives them labels for the choice of a source
/// (`net/ipv6/addrlabel.c`), or their addresses contain others.
const NETWORKS6: [FixedPrefix; 13] = [
    (0x2000 << 48, 3),
    (0x2001 << 48, 32),
    (0x2001_0010 << 32, 28),
    (SIX_TO_FOUR << 48, 16),
    (0x3ffe << 48, 16),
    (0xfc00 << 48, 7),
    (0xfd00 << 48, 8),
    (0xfe80 << 48, 64),
    (0xfec0 << 48, 10),
    (0xff00 << 48, 8),
    (0, 64),
    (0x0064_ff9b << 32, 64),
    (PROBES, 64),
];

/// 6to4 (RFC 3056): an IPv4 address follows.
const SIX_TO_FOUR: u64 = 0x2002;
/// Teredo (RFC 4380): the first 32 bits.
const TEREDO: u64 = 0x2001_0000;
/// Istio's address of the kubelet's probes, `fd16:9254:7127:1337:ffff:ffff:ffff:ffff`.
const PROBES: u64 = 0xfd16_9254_7127_1337;
/// The first 96 bits of addresses that end in an IPv4 address: IPv4-compatible, IPv4-mapped, NAT64
/// (RFC 6052).
const ENDS_IN_IPV4: [u128; 3] = [0, 0xffff, 0x0064_ff9b << 64];
/// The first halves of interface identifiers that end in an IPv4 address (ISATAP, RFC 5214).
const ISATAP: [u64; 2] = [0x5efe, 0x0200_5efe];
/// `ff02::1:ff00:0/104`: the end of a unicast address follows (RFC 4291, 2.7.1).
const SOLICITED_NODE: u128 = 0xff02 << 112 | 0x1_ff00_0000;

/// Prefixes of interface identifiers that are kept: 0, those before an IPv4 address, and that of
/// the hardware address 0, which `-m eui64` compares on `lo`.
const VENDORS: [FixedPrefix; 5] = [
    (0, 40),
    (0xffff << 32, 32),
    (ISATAP[0] << 32, 32),
    (ISATAP[1] << 32, 32),
    (0x0200_00ff_fe00_0000, 40),
];
/// The bits of a hardware address that mark a group and an address that an administrator chose.
const KINDS_OF_MAC: u64 = 0x03 << 56;
/// The third part of an interface identifier, after the vendor, if it comes from a hardware address
/// (RFC 4291, appendix A).
const EUI64: u64 = 0xfffe << 24;

/// The first bit that may be kept within the networks that a rule names, for IPv4 and for IPv6.
const KEPT_FROM: [u8; 2] = [16, 64];

/// Neutral addresses for real ones.
#[derive(Debug)]
pub struct AddressMap {
    v4: BitTree,
    network: BitTree,
    /// The first 40 bits of an interface identifier.
    vendor: BitTree,
    /// The other 24 bits, which a hardware address and a solicited-node group share with it.
    device: BitTree,
    ties: [Ties; 2],
    known: HashMap<IpAddr, IpAddr>,
}

/// Bits that a rule compares or copies by themselves. They are swapped in the same way in all
/// addresses of the networks.
#[derive(Debug, Default)]
struct Ties {
    /// The tied bits, by the first bits of the network and their number.
    networks: HashMap<(u8, u128), u128>,
    /// One bit for each of these numbers.
    lengths: u128,
    /// The bits that the secret selects for swapping.
    chosen: u128,
    /// The bits that are swapped, without those that the ends of networks and ranges need.
    swapped: u128,
}

/// The bits of an address from the highest on, and their number.
fn bits(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    }
}

fn address(family: Family, bits: u128) -> IpAddr {
    match family {
        Family::Ipv4 => Ipv4Addr::from_bits(u32::try_from(bits >> 96).unwrap_or(0)).into(),
        Family::Ipv6 => Ipv6Addr::from_bits(bits).into(),
    }
}

/// The first `length` bits of 128.
fn mask(length: u8) -> u128 {
    u128::MAX
        .checked_shl(128 - u32::from(length.min(128)))
        .unwrap_or(0)
}

fn upper_half(bits: u128) -> u64 {
    u64::try_from(bits >> 64).unwrap_or(0)
}

fn lower_half(bits: u128) -> u64 {
    u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0)
}

/// Whether an IPv4 address is kept: 0.0.0.0/8, loopback, link-local, reserved addresses, and
/// multicast except for the groups of somebody's network.
fn stays4(bits: u32) -> bool {
    match bits >> 24 {
        0 | 127 => true,
        first if u64::from(first) == GLOP || u64::from(first) == UNICAST_PREFIX4 => false,
        first => first >= 224 || bits >> 16 == 0xa9fe,
    }
}

/// Whether an IPv6 multicast group contains the prefix of a network (RFC 3306, RFC 3956).
fn has_prefix(group: u128) -> bool {
    group >> 120 == 0xff && group >> 112 & 0x20 != 0
}

/// A network by its first bits, their number, and its family.
#[derive(Clone, Copy, Debug)]
struct MappedNetwork {
    family: Family,
    bits: u128,
    length: u8,
}

impl MappedNetwork {
    fn containing(address: IpAddr, length: u8) -> Self {
        Self {
            family: Family::of_address(address),
            bits: bits(address).0 & mask(length),
            length,
        }
    }

    /// Whether one network contains the other.
    fn overlaps(self, bits: u128, length: u8) -> bool {
        (self.bits ^ bits) & mask(self.length.min(length)) == 0
    }

    /// Whether all addresses in it are kept.
    fn stays(self) -> bool {
        match self.family {
            Family::Ipv4 => {
                let bits = u32::try_from(self.bits >> 96).unwrap_or(0);
                stays4(bits) && self.length >= if bits >> 16 == 0xa9fe { 16 } else { 8 }
            }
            Family::Ipv6 => {
                let multicast = self.bits >> 120 == 0xff && self.length >= 16;
                let probes = upper_half(self.bits) == PROBES && self.length >= 64;
                probes
                    || multicast
                        && !has_prefix(self.bits)
                        && self.bits >> 24 != SOLICITED_NODE >> 24
            }
        }
    }

    /// Whether it contains, or is contained in, a network whose addresses are kept or contain
    /// others.
    fn is_special(self) -> bool {
        let overlaps = |(bits, length): &(u128, u8)| self.overlaps(*bits, *length);
        match self.family {
            Family::Ipv4 => [
                (0, 8),
                (127 << 120, 8),
                (0xa9fe << 112, 16),
                (0xe0 << 120, 3),
            ]
            .iter()
            .any(overlaps),
            Family::Ipv6 => {
                let ends = ENDS_IN_IPV4.map(|start| (start << 32, 96));
                let others = [
                    (u128::from(SIX_TO_FOUR) << 112, 16),
                    (u128::from(TEREDO) << 96, 32),
                    (u128::from(PROBES) << 64, 64),
                    (0xff << 120, 8),
                ];
                ends.iter().chain(&others).any(overlaps)
            }
        }
    }
}

impl AddressMap {
    /// An empty map for a secret.
    pub(super) fn new(secret: [u8; 16]) -> Self {
        let constant = |part: u8| {
            let mut hasher = DefaultHasher::new();
            (secret, "ties", part).hash(&mut hasher);
            hasher.finish()
        };
        // Interface identifiers are replaced in the same way in every network, and 0 is one of
        // them. Such bits are kept.
        let ties = [0, 1].map(|family| Ties {
            chosen: u128::from(constant(family)) << 64,
            ..Ties::default()
        });
        Self {
            v4: BitTree::new(secret, "IPv4", 32, &NETWORKS4),
            network: BitTree::new(secret, "network", 64, &NETWORKS6),
            vendor: BitTree::new(secret, "vendor", 40, &VENDORS),
            device: BitTree::new(secret, "device", 24, &[(0, 24)]),
            ties,
            known: HashMap::new(),
        }
    }

    /// The last address of every own IPv4 network stays the last one, a broadcast address. The
    /// first address of every own IPv6 network stays the first one, an anycast address (RFC 4291,
    /// 2.6.1).
    pub(super) fn learn_host(&mut self, host: &Host) {
        for prefix in host
            .interfaces
            .iter()
            .flat_map(|interface| &interface.addresses)
        {
            let Prefix { address, length } = *prefix;
            if MappedNetwork::containing(address, length).stays() {
                continue;
            }
            match prefix.broadcast() {
                Some(last) => self.fix_path(Family::Ipv4, bits(last).0, length),
                None if address.is_ipv6() => {
                    self.fix_path(Family::Ipv6, bits(address).0 & mask(length), length)
                }
                None => {}
            }
        }
    }

    /// Excludes swaps on the path to `end`, from this depth on.
    fn fix_path(&mut self, family: Family, end: u128, from: u8) {
        if family == Family::Ipv4 {
            return self.v4.fix_path(upper_half(end), from);
        }
        if from < 64 {
            self.network.fix_path(upper_half(end), from);
        }
        self.vendor
            .fix_path(lower_half(end), from.saturating_sub(64));
        self.device
            .fix_path(lower_half(end) << 40, from.saturating_sub(104));
    }

    /// A range of addresses stays a range with the same addresses in it.
    ///
    /// # Errors
    /// If that would keep more bits of its ends than a rule may keep.
    pub(super) fn learn_range(&mut self, first: IpAddr, last: IpAddr) -> Result<(), &'static str> {
        let family = Family::of_address(first);
        let ((a, width), (b, _)) = (bits(first), bits(last));
        if family != Family::of_address(last) || a >= b {
            return Ok(());
        }
        let from = u8::try_from((a ^ b).leading_zeros()).unwrap_or(128);
        let common = MappedNetwork::containing(first, from);
        if common.stays() {
            return Ok(());
        }
        if let (IpAddr::V6(v6), Some(_)) =
            (first, ends_in_ipv4(a).filter(|_| ends_in_ipv4(b).is_some()))
            && from >= 96
        {
            let [first, last] =
                [v6.to_bits(), b].map(|bits| u32::try_from(bits & 0xffff_ffff).unwrap_or(0));
            return self.learn_range(
                Ipv4Addr::from_bits(first).into(),
                Ipv4Addr::from_bits(last).into(),
            );
        }
        let inner = mask(width) & !mask(from + 1);
        // A range that is a whole network stays one in any case.
        let (is_first, is_last) = (a & inner == 0, b & inner == inner);
        if is_first && is_last {
            return Ok(());
        }
        // The bits to keep must be all zeros, all ones, or the last ones of an address.
        let shown = mask(KEPT_FROM[family as usize]) & inner;
        let uniform = [a, b]
            .iter()
            .all(|end| end & shown == 0 || end & shown == shown);
        let contains_others = match family {
            Family::Ipv4 => [a, b]
                .iter()
                .any(|end| upper_half(*end) >> 56 == UNICAST_PREFIX4),
            Family::Ipv6 => {
                common.is_special()
                    || [a, b]
                        .iter()
                        .any(|end| ISATAP.contains(&(lower_half(*end) >> 32)))
            }
        };
        if !uniform || contains_others {
            return Err(KEEPS_OTHERS);
        }
        for end in [a, b] {
            self.fix_path(family, end, from);
        }
        Ok(())
    }

    /// Call it after all hosts and ranges are learned.
    pub(super) fn settle(&mut self) {
        for tree in [
            &mut self.v4,
            &mut self.network,
            &mut self.vendor,
            &mut self.device,
        ] {
            tree.settle();
        }
    }

    /// An address under a mask with holes: the rule compares bits without those before them. All
    /// hosts and ranges must have been learned.
    ///
    /// # Errors
    /// If that would keep bits of other addresses.
    pub(super) fn learn_mask(
        &mut self,
        address: IpAddr,
        mask_bits: IpAddr,
    ) -> Result<(), &'static str> {
        if Family::of_address(address) != Family::of_address(mask_bits) {
            return Ok(());
        }
        let compared = bits(mask_bits).0;
        let length = u8::try_from(compared.leading_ones()).unwrap_or(128);
        let network = MappedNetwork::containing(address, length);
        match compared & !mask(length) {
            0 => Ok(()),
            _ if network.stays() => Ok(()),
            beyond => self.tie(network, beyond),
        }
    }

    /// The host part of addresses in `from` is copied to the network `to`. Call it after
    /// [`Self::settle`].
    ///
    /// # Errors
    /// If that would keep bits of other addresses.
    pub(super) fn learn_copy(
        &mut self,
        from: Option<Prefix>,
        to: Prefix,
    ) -> Result<(), &'static str> {
        let (own, width) = bits(to.address);
        // An interface identifier is replaced in the same way in every network.
        let end = if width == 128 && to.length <= 64 {
            64
        } else {
            width
        };
        let copied = mask(end) & !mask(to.length);
        let target = MappedNetwork {
            family: Family::of_address(to.address),
            bits: own & mask(to.length),
            length: to.length,
        };
        let Some(from) = from.filter(|from| Family::of_address(from.address) == target.family)
        else {
            return if to.length == width || copied == 0 && !target.is_special() {
                Ok(())
            } else {
                Err(KEEPS_OTHERS)
            };
        };
        let source = MappedNetwork::containing(from.address, from.length);
        if to.length == width || source.stays() && target.stays() {
            return Ok(());
        }
        if source.is_special() || target.is_special() {
            return Err(KEEPS_OTHERS);
        }
        self.tie(target, copied)?;
        self.tie(source, copied & !mask(source.length))?;
        // The source network itself fixes some of the copied bits.
        for depth in to.length..from.length.min(end) {
            self.tie(
                MappedNetwork::containing(from.address, depth),
                mask(depth + 1) & !mask(depth),
            )?;
        }
        Ok(())
    }

    /// Swaps these bits in the same way in all addresses of a network.
    fn tie(&mut self, network: MappedNetwork, tied: u128) -> Result<(), &'static str> {
        let MappedNetwork {
            family,
            bits,
            length,
        } = network;
        if tied == 0 {
            return Ok(());
        }
        let tree = if family == Family::Ipv4 {
            &self.v4
        } else {
            &self.network
        };
        let fixed = tree.prefixes_in(upper_half(bits), length.min(64));
        let fixed = fixed.fold(0, |fixed, (_, end)| fixed | mask(end) & !mask(length));
        let paths = u128::from(tree.path_depths()) << 64;
        let fixed = fixed | paths & mask(KEPT_FROM[family as usize]);
        if network.is_special() || fixed & tied != 0 {
            return Err(KEEPS_OTHERS);
        }
        let ties = &mut self.ties[family as usize];
        ties.swapped = ties.chosen & !paths;
        *ties.networks.entry((length, bits)).or_default() |= tied;
        ties.lengths |= 1 << length;
        Ok(())
    }

    /// Whether bits of interface identifiers are tied, so that identifiers no longer match hardware
    /// addresses.
    pub(super) fn ties_identifiers(&self) -> bool {
        self.ties[Family::Ipv6 as usize]
            .networks
            .values()
            .any(|tied| tied & u128::from(u64::MAX) != 0)
    }

    /// The number of replaced addresses.
    pub(super) fn changed(&self) -> usize {
        self.known
            .iter()
            .filter(|(real, neutral)| real != neutral)
            .count()
    }

    /// The neutral address for a real one.
    pub fn neutral(&mut self, real: IpAddr) -> IpAddr {
        if let Some(known) = self.known.get(&real) {
            return *known;
        }
        let neutral = match real {
            IpAddr::V4(v4) => Ipv4Addr::from_bits(self.v4(v4.to_bits())).into(),
            IpAddr::V6(v6) => Ipv6Addr::from_bits(self.v6(v6.to_bits())).into(),
        };
        self.known.insert(real, neutral);
        neutral
    }

    fn v4(&self, real: u32) -> u32 {
        if stays4(real) {
            return real;
        }
        if u64::from(real >> 24) == UNICAST_PREFIX4 {
            return real & 0xff00_0000 | self.v4(real << 8) >> 8;
        }
        let aligned = u64::from(real) << 32;
        let turned = self.tied(
            Family::Ipv4,
            u128::from(aligned) << 64,
            u128::from(self.v4.turn(aligned)) << 64,
        );
        u32::try_from(turned >> 96).unwrap_or(0)
    }

    fn v6(&self, real: u128) -> u128 {
        if let Some(v4) = ends_in_ipv4(real) {
            return real & !0xffff_ffff | u128::from(self.v4(v4));
        }
        if real >> 120 == 0xff {
            return self.group(real);
        }
        let (network, identifier) = (upper_half(real), lower_half(real));
        if network == PROBES {
            return real;
        }
        let neutral = self.network(network);
        let identifier = match network >> 32 {
            TEREDO => {
                let client = self.v4(!u32::try_from(identifier & 0xffff_ffff).unwrap_or(0));
                self.identifier(identifier) & !0xffff_ffff | u64::from(!client)
            }
            _ => self.identifier(identifier),
        };
        self.tied(
            Family::Ipv6,
            real,
            u128::from(neutral) << 64 | u128::from(identifier),
        )
    }

    /// The first half of an IPv6 address.
    fn network(&self, real: u64) -> u64 {
        let v4 = |bits: u64| u64::from(self.v4(u32::try_from(bits & 0xffff_ffff).unwrap_or(0)));
        match real {
            _ if real >> 48 == SIX_TO_FOUR => {
                SIX_TO_FOUR << 48 | v4(real >> 16) << 16 | self.network.turn(real) & 0xffff
            }
            _ if real >> 32 == TEREDO => TEREDO << 32 | v4(real),
            _ => self.network.turn(real),
        }
    }

    /// The second half.
    fn identifier(&self, real: u64) -> u64 {
        if ISATAP.contains(&(real >> 32)) {
            return real & !0xffff_ffff
                | u64::from(self.v4(u32::try_from(real & 0xffff_ffff).unwrap_or(0)));
        }
        self.vendor(real) | self.device.turn(real << 40) >> 40
    }

    /// The first 40 bits of an interface identifier. An identifier that comes from a hardware
    /// address stays one.
    fn vendor(&self, real: u64) -> u64 {
        let pattern = real & !leading(24) ^ EUI64;
        let shared = u8::try_from(pattern.leading_zeros()).unwrap_or(64);
        let fixed = KINDS_OF_MAC | leading((shared + 1).min(40)) & !leading(24);
        let turned = self.vendor.turn(real);
        (turned & !fixed | real & fixed) & leading(40)
    }

    /// A multicast group. The network or address that it contains is replaced.
    fn group(&self, real: u128) -> u128 {
        if real >> 24 == SOLICITED_NODE >> 24 {
            return real & !0xff_ffff | u128::from(self.device.turn(lower_half(real) << 40) >> 40);
        }
        if !has_prefix(real) {
            return real;
        }
        let length = u8::try_from(real >> 96 & 0xff).unwrap_or(0).min(64);
        let prefix = real << 32 & mask(64);
        if prefix >> 120 == 0xff {
            return real;
        }
        let neutral = self.v6(prefix) & mask(length) | prefix & !mask(length);
        real & !(mask(64) >> 32) | neutral >> 32
    }

    /// The neutral hardware address. An interface identifier made from it gets the same bits.
    pub(super) fn mac(&self, [a, b, c, d, e, f]: [u8; 6]) -> [u8; 6] {
        let identifier = u64::from_be_bytes([a ^ 2, b, c, 0xff, 0xfe, d, e, f]);
        let [a, b, c, _, _, d, e, f] = self.identifier(identifier).to_be_bytes();
        [a ^ 2, b, c, d, e, f]
    }

    /// Swaps the tied bits in the networks of an address.
    fn tied(&self, family: Family, real: u128, turned: u128) -> u128 {
        let ties = &self.ties[family as usize];
        let (mut tied, mut lengths) = (0, ties.lengths);
        while let Some(length) = u8::try_from(lengths.trailing_zeros())
            .ok()
            .filter(|_| lengths != 0)
        {
            tied |= ties
                .networks
                .get(&(length, real & mask(length)))
                .copied()
                .unwrap_or(0);
            lengths &= lengths - 1;
        }
        turned & !tied | (real ^ ties.swapped) & tied
    }

    /// The neutral network for a real one. If the address of the prefix has bits outside its
    /// network, so has the neutral one.
    pub(super) fn network_of(&mut self, real: Prefix) -> Prefix {
        Prefix {
            address: self.masked(real.address, mask(real.length)),
            length: real.length,
        }
    }

    /// Like [`Self::network_of`], with any mask.
    pub(super) fn masked(&mut self, real: IpAddr, mask: u128) -> IpAddr {
        let neutral = self.neutral(real);
        let has_more = bits(real).0 & !mask != 0;
        if has_more {
            neutral
        } else {
            address(Family::of_address(real), bits(neutral).0 & mask)
        }
    }
}

/// The bits of a mask written as an address or as a length.
pub(super) fn mask_of(text: &str, family: Family) -> Option<(IpAddr, u128)> {
    let mask = match text.parse::<u8>() {
        Ok(length) => address(
            family,
            mask(Some(length).filter(|length| *length <= family.bits())?),
        ),
        Err(_) => text
            .parse()
            .ok()
            .filter(|mask| Family::of_address(*mask) == family)?,
    };
    Some((mask, bits(mask).0))
}

/// The IPv4 address at the end of an IPv6 address, if the first 96 bits identify it as such.
fn ends_in_ipv4(real: u128) -> Option<u32> {
    ENDS_IN_IPV4
        .contains(&(real >> 32))
        .then(|| u32::try_from(real & 0xffff_ffff).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn map() -> AddressMap {
        AddressMap::new(*b"0123456789abcdef")
    }

    #[test]
    fn addresses_that_no_one_owns_stay() {
        let mut map = map();
        for kept in [
            "127.0.0.6",
            "::6",
            "::1",
            "::",
            "0.0.0.0",
            "169.254.7.127",
            "224.0.0.1",
            "255.255.255.255",
            "fe80::1",
            "240.240.0.7",
            "ff02::fb",
            "fd16:9254:7127:1337:ffff:ffff:ffff:ffff",
        ] {
            assert_eq!(map.neutral(ip(kept)), ip(kept));
        }
        for (real, network) in [
            ("10.244.1.5", "10.0.0.0/8"),
            ("192.168.7.7", "192.168.0.0/16"),
            ("fd00:1::5", "fd00::/8"),
            ("fe80::a:5", "fe80::/64"),
        ] {
            let neutral = map.neutral(ip(real));
            assert_ne!(neutral, ip(real));
            assert!(
                network.parse::<Prefix>().expect("valid").contains(neutral),
                "{real} became {neutral}"
            );
        }
    }

    #[test]
    fn the_ends_of_a_network_and_of_a_range_stay_ends() {
        let mut map = map();
        map.learn_host(&Host::pod());
        map.learn_range(ip("10.9.0.37"), ip("10.9.1.200"))
            .expect("it keeps few bits");
        map.settle();
        let network = map.network_of("10.244.1.0/24".parse().expect("valid"));
        assert_eq!(Some(map.neutral(ip("10.244.1.255"))), network.broadcast());
        let ends = ["10.9.0.37", "10.9.1.200"].map(|end| map.neutral(ip(end)));
        for last in 0..=255 {
            for third in 0..2 {
                let real = ip(&format!("10.9.{third}.{last}"));
                let is_in = (ip("10.9.0.37")..=ip("10.9.1.200")).contains(&real);
                assert_eq!(
                    (ends[0]..=ends[1]).contains(&map.neutral(real)),
                    is_in,
                    "{real}"
                );
            }
        }
    }

    #[test]
    fn a_range_shows_no_more_of_its_ends_than_their_last_bits() {
        for (first, last, is_fine) in [
            ("172.16.0.1", "172.31.255.254", true),
            ("10.0.0.0", "10.255.255.255", true),
            ("0.0.0.0", "255.255.255.255", true),
            ("10.1.2.3", "10.200.9.8", false),
            ("0.0.0.0", "203.0.113.5", false),
            ("2001:db8::5", "2001:db8::9:7", true),
            ("2001:db8:5::", "2001:db8:9000::7", false),
        ] {
            assert_eq!(
                map().learn_range(ip(first), ip(last)).is_ok(),
                is_fine,
                "{first}-{last}"
            );
        }
    }

    proptest! {
        #[test]
        fn as_many_bits_are_shared_after_as_before(a: u32, b: u32, c: u128, d: u128, near in 0_u8..128, special in 0_usize..8) {
            let mut map = map();
            map.learn_host(&Host::pod());
            map.learn_range(ip("100.64.7.5"), ip("100.64.9.1")).expect("it keeps few bits");
            map.settle();
            map.learn_mask(ip("10.3.0.0"), ip("255.0.0.255")).expect("it names its network");
            map.learn_copy("10.7.0.0/16".parse().ok(), "20.0.0.0/14".parse().expect("valid")).expect("it names both");
            // Some are in networks whose addresses contain others.
            let starts = ["::", "::ffff:0:0", "64:ff9b::", "2002::", "2001::", "ff3e:40:2001::", "fe80::5efe:0:0", "fe80::200:0:0:0"];
            let start = bits(ip(starts[special])).0;
            let c = if near > 64 { start | c & !mask(96) } else { c };
            let d = c & mask(near) | d & !mask(near);
            let b = if near > 96 { a & u32::MAX << (near % 32) | b >> (near % 32) } else { b };
            for (a, b) in [(IpAddr::V4(a.into()), IpAddr::V4(b.into())), (IpAddr::V6(c.into()), IpAddr::V6(d.into()))] {
                let common = |a: IpAddr, b: IpAddr| (bits(a).0 ^ bits(b).0).leading_zeros();
                prop_assert_eq!(common(map.neutral(a), map.neutral(b)), common(a, b), "{} {}", a, b);
            }
        }
    }
}
