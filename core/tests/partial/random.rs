//! Random numbers that are equal in every run.

/// The step of the state (SplitMix64).
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A generator (SplitMix64).
pub(crate) struct Random(u64);

impl Random {
    /// The seed is mixed: the numbers of two seeds are no parts of one another.
    pub(crate) fn new(seed: u64) -> Self {
        Self(mix(seed.wrapping_add(STEP)))
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(STEP);
        usize::try_from(mix(self.0) % end.max(1) as u64).expect("it is below `end`")
    }

    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// The output function of SplitMix64.
fn mix(state: u64) -> u64 {
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
