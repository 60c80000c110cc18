//! A secret permutation of bit strings of one width. Two strings share the same number of leading
//! bits before and after it.
//!
//! A bit string is a path through a binary tree. At each node, a keyed hash of the path so far
//! decides whether the two branches are swapped (the idea of Crypto-PAn, Xu and others, 2002). Some
//! nodes are never swapped: those that separate ranges of addresses which the kernel or a rule
//! treats differently.

use std::hash::{DefaultHasher, Hash, Hasher};

/// The first `length` bits of 64.
pub(super) fn leading(length: u8) -> u64 {
    u64::MAX.checked_shl(64 - u32::from(length)).unwrap_or(0)
}

/// The number of leading bits that two bit strings share.
fn shared_bits(a: u64, b: u64) -> u8 {
    u8::try_from((a ^ b).leading_zeros()).unwrap_or(64)
}

/// A prefix that is kept: its first bits from the highest on, and their number.
pub(super) type FixedPrefix = (u64, u8);

/// The tree. A bit string is in the upper `width` bits of a `u64`.
#[derive(Debug)]
pub(super) struct BitTree {
    secret: [u8; 16],
    /// The name of the bits. It makes two trees of one secret different.
    name: &'static str,
    width: u8,
    prefixes: &'static [FixedPrefix],
    /// Further paths without swaps: the first depth of each, and its end. They are sorted after
    /// [`Self::settle`].
    paths: Vec<(u8, u64)>,
}

impl BitTree {
    pub(super) fn new(
        secret: [u8; 16],
        name: &'static str,
        width: u8,
        prefixes: &'static [FixedPrefix],
    ) -> Self {
        Self {
            secret,
            name,
            width,
            prefixes,
            paths: Vec::new(),
        }
    }

    /// Never swaps the branches on the path to `end`, from this depth on.
    pub(super) fn fix_path(&mut self, end: u64, from: u8) {
        if from < self.width {
            self.paths.push((from, end & leading(self.width)));
        }
    }

    /// Call it after all paths are fixed.
    pub(super) fn settle(&mut self) {
        self.paths.sort_unstable();
        self.paths.dedup();
    }

    /// The depths at which any path of [`Self::fix_path`] has a node.
    pub(super) fn path_depths(&self) -> u64 {
        self.paths
            .first()
            .map_or(0, |(first, _)| leading(self.width) & !leading(*first))
    }

    /// The prefixes that are kept and begin with these bits.
    pub(super) fn prefixes_in(&self, bits: u64, length: u8) -> impl Iterator<Item = FixedPrefix> {
        self.prefixes
            .iter()
            .copied()
            .filter(move |(prefix, own)| *own > length && shared_bits(*prefix, bits) >= length)
    }

    /// Permutes a bit string.
    pub(super) fn turn(&self, bits: u64) -> u64 {
        let mut fixed = 0;
        for (prefix, length) in self.prefixes {
            fixed |= leading((shared_bits(*prefix, bits) + 1).min(*length));
        }
        let mut paths = &self.paths[..];
        while let Some((from, _)) = paths.first().copied() {
            let (alike, others) = paths.split_at(paths.partition_point(|(own, _)| *own == from));
            // A neighbor in the sorted ends shares the most bits.
            let next = alike.partition_point(|(_, end)| *end < bits);
            let neighbors = [
                next.checked_sub(1).and_then(|place| alike.get(place)),
                alike.get(next),
            ];
            if let Some(shared) = neighbors
                .into_iter()
                .flatten()
                .map(|(_, end)| shared_bits(*end, bits))
                .max()
                && shared >= from
            {
                fixed |= leading((shared + 1).min(64)) & !leading(from);
            }
            paths = others;
        }
        bits ^ (self.swaps(bits) & !fixed & leading(self.width))
    }

    /// The swaps on the path to a bit string. One hash decides for eight nodes.
    fn swaps(&self, bits: u64) -> u64 {
        let bytes = bits.to_be_bytes();
        let mut swaps = [0; 8];
        for (place, byte) in bytes
            .into_iter()
            .enumerate()
            .take(usize::from(self.width.div_ceil(8)))
        {
            let mut hasher = DefaultHasher::new();
            (self.secret, self.name, &bytes[..place]).hash(&mut hasher);
            let seed = hasher.finish();
            for depth in 0..8 {
                // The number of the node in the tree of this byte, from 1.
                let node = 1 << depth | u64::from(byte) >> (8 - depth);
                swaps[place] = swaps[place] << 1 | u8::from(mix(seed, node) & 1 == 1);
            }
        }
        u64::from_be_bytes(swaps)
    }
}

/// A hash of a small number under a seed (the finalizer of SplitMix64).
fn mix(seed: u64, number: u64) -> u64 {
    let mut hash = seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    hash = (hash ^ hash >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ hash >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ hash >> 31
}
