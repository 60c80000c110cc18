//! What followed where the last bytes stood before.

use alloc::{vec, vec::Vec};

use crate::{coder::Coder, model::learn, program::hash};

/// So many bytes at least have to be the same, and no more are compared at once.
const LEAST: usize = 5;
const MOST: usize = 32;
/// From so many on, the only question is whether it goes on.
const LONG: usize = 16;
/// Places that are remembered.
const PLACES: usize = 1 << 16;
/// Of what is remembered the bits of a place. The others are of the hash: most places of something else are told without a look.
const PLACE: u32 = (1 << 22) - 1;

pub(crate) struct Repeat {
    /// Behind the last six bytes, by their hash, when they stood anywhere before.
    places: Vec<u32>,
    /// The place that the next byte is expected to be like.
    place: usize,
    /// How many bytes before it are the same: none where nothing repeats.
    same: usize,
    /// How likely 1 was, by how many were the same, how many questions had been asked, and what was expected.
    pub(crate) right: Vec<u16>,
    /// How likely a long one was to go on, by how many were the same.
    long: [u16; 64],
}

impl Repeat {
    pub(crate) fn new() -> Self {
        Self { places: vec![0; PLACES], place: 0, same: 0, right: vec![0x8000; 32 * 16 * 2], long: [0xf000; 64] }
    }

    /// Looks what the last of `bytes` repeat.
    pub(crate) fn look(&mut self, bytes: &[u8]) {
        let Some([a, b, c, d, e, f]) = bytes.last_chunk::<6>() else { return };
        if self.same > 0 && bytes[self.place] == *f {
            self.same += 1;
            self.place += 1;
        } else {
            self.same = 0;
        }
        let hash = hash(u32::from_le_bytes([*c, *d, *e, *f]), u32::from(*a) << 8 | u32::from(*b));
        let mark = hash & !PLACE;
        let place = &mut self.places[hash as usize % PLACES];
        if self.same == 0 && *place & !PLACE == mark {
            self.place = (*place & PLACE) as usize;
            let before = bytes[..self.place].iter().rev().zip(bytes.iter().rev());
            let same = before.take(MOST).take_while(|(one, other)| one == other).count();
            self.same = if same < LEAST { 0 } else { same };
        }
        *place = bytes.len() as u32 & PLACE | mark;
    }

    /// The next byte, where a long repetition goes on.
    pub(crate) fn goes_on(&mut self, coder: &mut impl Coder, bytes: &[u8], known: u8) -> Option<u8> {
        if self.same < LONG {
            return None;
        }
        let byte = bytes[self.place];
        let likely = &mut self.long[self.same.min(63)];
        let goes_on = coder.is_one(*likely, byte == known);
        learn(likely, goes_on, 5);
        if !goes_on {
            self.same = 0;
        }
        goes_on.then_some(byte)
    }

    /// The next byte, if it is as it was before.
    pub(crate) fn expected(&self, bytes: &[u8]) -> Option<u8> {
        (self.same > 0).then(|| bytes[self.place])
    }

    /// Where in `right` stands how likely 1 is next, as long as all `answers` (behind a 1) were as the expected code begins.
    pub(crate) fn next(&self, code: u32, length: u32, depth: u32, answers: u32) -> Option<usize> {
        if depth >= length || code >> (16 - depth) | 1 << depth != answers {
            return None;
        }
        let same = if self.same < 16 { self.same } else { (14 + self.same / 8).min(31) };
        Some((same * 16 + depth as usize) * 2 + (code >> (15 - depth) & 1) as usize)
    }
}
