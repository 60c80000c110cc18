//! Neutral addresses that keep what routing and matching ask: which network holds which, the first and the last of a
//! network, the order within a range, and the classes that the kernel treats apart.
//!
//! An address is a way down a binary tree. At each node the two branches change places or do not, as a keyed hash of the way
//! so far says: two addresses share as many leading bits after as before (the idea of Crypto-PAn, Xu and others, 2002).
//! Where that would change an answer, the branches stay.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

use crate::host::{Host, Prefix};
use crate::packet::Family;

/// Networks whose addresses stay as they are: the kernel knows them, or they are a mesh's constants (127.0.0.6, ::6,
/// 169.254.7.127).
const KEPT: [&str; 8] =
    ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "::/96", "fe80::/10", "ff00::/8"];

/// Networks whose addresses change within them: private ones stay private, and IPv6 ones keep the label by which the kernel
/// chooses a source (`net/ipv6/addrlabel.c`).
const CLASSES: [&str; 13] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "::ffff:0:0/96",
    "64:ff9b::/96",
    "2000::/3",
    "2001::/32",
    "2001:10::/28",
    "2002::/16",
    "fc00::/7",
    "fd00::/8",
    "fec0::/10",
];

/// Neutral addresses for real ones.
#[derive(Debug)]
pub struct Addresses {
    secret: [u8; 16],
    fixed: Vec<Fixed>,
    /// Bits of an IPv4 and of an IPv6 address that may change: those before this one.
    changing: [u8; 2],
    known: HashMap<IpAddr, IpAddr>,
}

/// Nodes at which branches stay: on the way to `bits`, from one depth up to another.
#[derive(Clone, Copy, Debug)]
struct Fixed {
    family: Family,
    bits: u128,
    from: u8,
    to: u8,
    /// And all nodes below.
    whole: bool,
}

/// An address's bits, the first one the highest, and how many there are.
fn bits(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    }
}

fn address(family: Family, bits: u128) -> IpAddr {
    match family {
        Family::Ipv4 => IpAddr::V4(u32::try_from(bits >> 96).expect("the upper 32 of 128 bits").into()),
        Family::Ipv6 => IpAddr::V6(bits.into()),
    }
}

/// The first `length` bits.
fn mask(length: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)
}

impl Addresses {
    /// Neutral addresses chosen by this secret.
    pub fn new(secret: [u8; 16]) -> Self {
        let fixed = |text: &&str, whole| {
            let prefix: Prefix = text.parse().expect("a literal prefix");
            let (bits, _) = bits(prefix.address);
            Fixed { family: Family::of(prefix.address), bits, from: 0, to: prefix.length, whole }
        };
        let kept = KEPT.iter().map(|text| fixed(text, true));
        let fixed = kept.chain(CLASSES.iter().map(|text| fixed(text, false))).collect();
        Self { secret, fixed, changing: [32, 128], known: HashMap::new() }
    }

    /// The first and the last address of every network here stay its first and last: they are broadcasts, and anycasts.
    pub(super) fn learn_host(&mut self, host: &Host) {
        let own = host.interfaces.iter().flat_map(|interface| &interface.addresses).copied();
        for prefix in own.chain(host.routes.iter().map(|route| route.dst)) {
            let (bits, width) = bits(prefix.address);
            let network = bits & mask(prefix.length);
            for end in [network, network | (!mask(prefix.length) & mask(width))] {
                let family = Family::of(prefix.address);
                self.fix(Fixed { family, bits: end, from: prefix.length, to: width, whole: false });
            }
        }
    }

    fn fix(&mut self, new: Fixed) {
        let same = |old: &Fixed| (old.family, old.bits, old.from) == (new.family, new.bits, new.from);
        if new.from < new.to && !self.fixed.iter().any(same) {
            self.fixed.push(new);
        }
    }

    /// A range stays one, with the same addresses in it.
    pub(super) fn learn_range(&mut self, first: IpAddr, last: IpAddr) {
        if Family::of(first) == Family::of(last) {
            let ((a, width), (b, _)) = (bits(first), bits(last));
            let from = u8::try_from((a ^ b).leading_zeros()).unwrap_or(width).min(width);
            for end in [a, b] {
                self.fix(Fixed { family: Family::of(first), bits: end, from, to: width, whole: false });
            }
        }
    }

    /// Bits from this one on stay, in every address: a rule copies them into other networks, or asks for them alone.
    pub(super) fn keep_from(&mut self, family: Family, bit: u8) {
        let changing = &mut self.changing[family as usize];
        *changing = (*changing).min(bit);
    }

    /// How many addresses have become others.
    pub(super) fn changed(&self) -> usize {
        self.known.iter().filter(|(real, neutral)| real != neutral).count()
    }

    /// The neutral address for a real one.
    pub fn neutral(&mut self, real: IpAddr) -> IpAddr {
        if let Some(known) = self.known.get(&real) {
            return *known;
        }
        let neutral = match real {
            // The same as without its prefix.
            IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => {
                let v4 = v6.to_ipv4_mapped().expect("it was just asked for");
                match self.neutral(v4.into()) {
                    IpAddr::V4(v4) => v4.to_ipv6_mapped().into(),
                    IpAddr::V6(_) => real,
                }
            }
            _ => self.turn(real),
        };
        self.known.insert(real, neutral);
        neutral
    }

    fn turn(&self, real: IpAddr) -> IpAddr {
        let family = Family::of(real);
        let (bits, _) = bits(real);
        // On which fixed ways it is, and how far.
        let ways: Vec<(Fixed, u8)> = self
            .fixed
            .iter()
            .filter(|fixed| fixed.family == family)
            .map(|fixed| (*fixed, u8::try_from((bits ^ fixed.bits).leading_zeros()).unwrap_or(128)))
            .filter(|(fixed, common)| *common >= fixed.from)
            .collect();
        if ways.iter().any(|(fixed, common)| fixed.whole && *common >= fixed.to) {
            return real;
        }
        let mut turned = bits;
        for depth in 0..self.changing[family as usize] {
            let stays = ways.iter().any(|(fixed, common)| (fixed.from..fixed.to).contains(&depth) && *common >= depth);
            if !stays && self.turns(family, depth, bits & mask(depth)) {
                turned ^= 1 << (127 - u32::from(depth));
            }
        }
        address(family, turned)
    }

    /// Whether the branches at a node change places.
    fn turns(&self, family: Family, depth: u8, way: u128) -> bool {
        let mut hasher = DefaultHasher::new();
        (self.secret, family as u8, depth, way).hash(&mut hasher);
        hasher.finish() & 1 == 1
    }

    /// The neutral network for a real one. Where a prefix's address has bits beyond its network, it keeps such.
    pub fn network(&mut self, real: Prefix) -> Prefix {
        let (width, kept) = (bits(real.address).1, mask(real.length));
        Prefix { address: self.masked(real.address, kept & mask(width)), length: real.length }
    }

    /// As [`Self::network`], with any mask.
    fn masked(&mut self, real: IpAddr, mask: u128) -> IpAddr {
        let neutral = self.neutral(real);
        let has_more = bits(real).0 & !mask != 0;
        if has_more { neutral } else { address(Family::of(real), bits(neutral).0 & mask) }
    }

    /// A text with every address in it made neutral.
    pub fn in_text(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(found) = find(rest) {
            out.push_str(&rest[..found.start]);
            let neutral = match found.mask {
                Some(mask) => self.masked(found.address, mask),
                None => self.neutral(found.address),
            };
            let written = &rest[found.start..found.end];
            out.push_str(&if neutral == found.address { written.to_owned() } else { neutral.to_string() });
            out.push_str(&rest[found.end..found.after]);
            rest = &rest[found.after..];
        }
        out + rest
    }

    /// Learns from ranges and masks that stand in a text.
    pub(super) fn learn_text(&mut self, text: &str) {
        let (mut rest, mut before) = (text, None);
        while let Some(found) = find(rest) {
            if let Some(mask) = found.mask {
                let leading = u8::try_from(mask.leading_ones()).unwrap_or(128);
                if leading < 128 && mask != self::mask(leading) {
                    self.keep_from(Family::of(found.address), leading);
                }
            }
            if let Some(first) = before.filter(|_| &rest[..found.start] == "-") {
                self.learn_range(first, found.address);
            }
            before = Some(found.address);
            rest = &rest[found.after..];
        }
    }
}

/// An address in a text, with its mask where one follows.
struct Found {
    start: usize,
    end: usize,
    after: usize,
    address: IpAddr,
    mask: Option<u128>,
}

fn find(text: &str) -> Option<Found> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !is_part(bytes[at]) {
            at += 1;
            continue;
        }
        let end = at + bytes[at..].iter().take_while(|byte| is_part(**byte)).count();
        let is_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        let alone = !is_word(at.checked_sub(1).and_then(|before| bytes.get(before))) && !is_word(bytes.get(end));
        if let Some((address, length)) = read(&text[at..end]).filter(|_| alone) {
            let end = at + length;
            let (mask, after) = mask_after(text, end, address);
            return Some(Found { start: at, end, after, address, mask });
        }
        at = end;
    }
    None
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || byte == b':' || byte == b'.'
}

/// The address that a run of hexadecimal digits, dots and colons begins with: the whole, or what stands before a port or
/// before the end of a sentence.
fn read(run: &str) -> Option<(IpAddr, usize)> {
    let whole = run.trim_end_matches(['.', ':']);
    let candidates = [run, whole, run.split(':').next().unwrap_or(run)];
    candidates.into_iter().find_map(|text| Some((text.parse().ok()?, text.len())))
}

/// `/24`, `/255.255.255.0` or `/ffff::`.
fn mask_after(text: &str, end: usize, address: IpAddr) -> (Option<u128>, usize) {
    let Some(rest) = text[end..].strip_prefix('/') else { return (None, end) };
    let length = rest.bytes().take_while(|byte| is_part(*byte)).count();
    let (written, width) = (&rest[..length], bits(address).1);
    let mask = match written.parse::<u8>() {
        Ok(bits) if bits <= width => Some(mask(bits)),
        Ok(_) => None,
        Err(_) => written.parse::<IpAddr>().ok().map(|mask| bits(mask).0),
    };
    (mask, if mask.is_some() { end + 1 + length } else { end })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn addresses() -> Addresses {
        Addresses::new(*b"0123456789abcdef")
    }

    #[test]
    fn what_the_kernel_or_a_mesh_knows_stays() {
        let mut addresses = addresses();
        for kept in ["127.0.0.6", "::6", "::1", "0.0.0.0", "169.254.7.127", "224.0.0.1", "255.255.255.255", "fe80::1"] {
            assert_eq!(addresses.neutral(ip(kept)), ip(kept));
        }
        for (real, network) in
            [("10.244.1.5", "10.0.0.0/8"), ("192.168.7.7", "192.168.0.0/16"), ("fd00:1::5", "fd00::/8")]
        {
            let neutral = addresses.neutral(ip(real));
            assert_ne!(neutral, ip(real));
            assert!(network.parse::<Prefix>().expect("valid").contains(neutral), "{real} became {neutral}");
        }
    }

    #[test]
    fn addresses_are_found_where_they_stand() {
        let mut addresses = addresses();
        let text =
            "-s 10.1.2.0/24 --to 10.1.2.3:80-90 [fd00::7]:1, v1.8.9 16:20:21 chain_10.1.2.3 fd00::7/64 10.1.2.3.";
        let (net, host) = (addresses.network("10.1.2.0/24".parse().expect("valid")), addresses.neutral(ip("10.1.2.3")));
        let six = addresses.neutral(ip("fd00::7"));
        let expected = format!("-s {net} --to {host}:80-90 [{six}]:1, v1.8.9 16:20:21 chain_10.1.2.3 {six}/64 {host}.");
        assert_eq!(addresses.in_text(text), expected);
    }

    #[test]
    fn the_ends_of_a_network_and_of_a_range_stay_ends() {
        let mut addresses = addresses();
        addresses.learn_host(&Host::pod());
        let network = addresses.network("10.244.1.0/24".parse().expect("valid"));
        assert_eq!(Some(addresses.neutral(ip("10.244.1.255"))), network.broadcast());
        assert_eq!(addresses.neutral(ip("10.244.1.0")), network.address);
        addresses.learn_text("--src-range 10.9.0.37-10.9.1.200");
        let ends = ["10.9.0.37", "10.9.1.200"].map(|end| addresses.turn(ip(end)));
        for last in 0..=255 {
            for third in 0..2 {
                let real = ip(&format!("10.9.{third}.{last}"));
                let is_in = (ip("10.9.0.37")..=ip("10.9.1.200")).contains(&real);
                assert_eq!((ends[0]..=ends[1]).contains(&addresses.turn(real)), is_in, "{real}");
            }
        }
    }

    #[test]
    fn a_mask_with_holes_asks_for_the_same_bits() {
        let mut addresses = addresses();
        addresses.learn_text("-s 10.0.0.1/255.0.0.255");
        assert_eq!(addresses.neutral(ip("10.7.8.1")), ip("10.7.8.1"));
    }

    proptest! {
        #[test]
        fn as_many_bits_are_shared_after_as_before(a: u32, b: u32, c: u128, d: u128) {
            let mut addresses = addresses();
            addresses.learn_host(&Host::pod());
            for (a, b) in [(IpAddr::V4(a.into()), IpAddr::V4(b.into())), (IpAddr::V6(c.into()), IpAddr::V6(d.into()))] {
                let common = |a: IpAddr, b: IpAddr| (bits(a).0 ^ bits(b).0).leading_zeros();
                prop_assert_eq!(common(addresses.neutral(a), addresses.neutral(b)), common(a, b));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9a-f:./ -]{0,60}|\\PC*") {
            let mut addresses = addresses();
            addresses.learn_text(&text);
            addresses.in_text(&text);
        }
    }
}
