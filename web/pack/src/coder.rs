//! Answers as digits of one number: a likely answer takes a small part of a bit.

use alloc::vec::Vec;

/// Either side of packing: asked the same questions with the same likelihoods, one writes the answers and one reads them.
pub(crate) trait Coder {
    /// Whether it is 1, which has a likelihood of `one` in 65,536, neither 0 nor all of them. Who packs knows it: `known`.
    fn is_one(&mut self, one: u16, known: bool) -> bool;
}

/// The range in which the number lies is kept at least as wide.
const NARROW: u32 = 1 << 24;

/// The lower part of a range, which stands for 1.
fn part(range: u32, one: u16) -> u32 {
    ((u64::from(range) * u64::from(one)) >> 16) as u32
}

/// Writes.
pub(crate) struct Packer {
    packed: Vec<u8>,
    /// What follows the digits that are written, and how much more it may come to be.
    low: u32,
    range: u32,
}

impl Packer {
    /// Writes behind what is there.
    pub(crate) fn new(packed: Vec<u8>) -> Self {
        Self { packed, low: 0, range: u32::MAX }
    }

    /// All that was written.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.add(NARROW - 1);
        self.packed.push((self.low >> 24) as u8);
        self.packed
    }

    fn add(&mut self, number: u32) {
        let (low, carries) = self.low.overflowing_add(number);
        self.low = low;
        if carries {
            for digit in self.packed.iter_mut().rev() {
                *digit = digit.wrapping_add(1);
                if *digit > 0 {
                    break;
                }
            }
        }
    }
}

impl Coder for Packer {
    fn is_one(&mut self, one: u16, known: bool) -> bool {
        let part = part(self.range, one);
        if known {
            self.range = part;
        } else {
            self.add(part);
            self.range -= part;
        }
        while self.range < NARROW {
            self.packed.push((self.low >> 24) as u8);
            self.low <<= 8;
            self.range <<= 8;
        }
        known
    }
}

/// Reads; behind the end are zeros.
pub(crate) struct Unpacker<'a> {
    packed: core::slice::Iter<'a, u8>,
    /// How far above the lower end of its range the number is.
    number: u32,
    range: u32,
}

impl<'a> Unpacker<'a> {
    pub(crate) fn new(packed: &'a [u8]) -> Self {
        let mut unpacker = Self { packed: packed.iter(), number: 0, range: u32::MAX };
        for _ in 0..4 {
            unpacker.read();
        }
        unpacker
    }

    fn read(&mut self) {
        self.number = self.number << 8 | u32::from(self.packed.next().copied().unwrap_or(0));
    }
}

impl Coder for Unpacker<'_> {
    #[inline]
    fn is_one(&mut self, one: u16, _: bool) -> bool {
        let part = part(self.range, one);
        let is_one = self.number < part;
        if is_one {
            self.range = part;
        } else {
            self.number -= part;
            self.range -= part;
        }
        while self.range < NARROW {
            self.read();
            self.range <<= 8;
        }
        is_one
    }
}
