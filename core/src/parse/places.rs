//! The chains of a table by name.

use crate::ruleset::Chain;

use super::edit::MOST_CHAINS;

/// Where in its table each chain stands: a hash table that holds no names, since the chains have them.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// As many as a power of two; an entry stands at its hash or behind it.
    slots: Vec<Slot>,
    taken: usize,
}

/// The place of a chain, from 1, in the low bits; 0 is free. Above them a part of its name's hash, so that few names have
/// to be looked at.
type Slot = u32;

/// There is room for twice as many chains as a text may have.
const PLACE: u32 = (MOST_CHAINS as u32) * 2 - 1;

impl Places {
    /// Of all chains of a table.
    pub(super) fn of(chains: &[Chain]) -> Self {
        let slots = vec![0; (chains.len() * 3 / 2).next_power_of_two().max(16)];
        let mut places = Self { slots, taken: 0 };
        for (place, chain) in (0..).zip(chains) {
            places.put(&chain.name, place);
        }
        places
    }

    /// Where the chain of a name stands. What was added under a name that its chain has no more is passed over.
    pub(super) fn find(&self, chains: &[Chain], name: &str) -> Option<u32> {
        let last = self.slots.len().checked_sub(1)?;
        let hash = hash(name);
        let mut at = hash as usize & last;
        loop {
            let slot = self.slots[at];
            let place = (slot & PLACE).checked_sub(1)?;
            let alike = (slot ^ hash) & !PLACE == 0;
            if alike && chains.get(place as usize).is_some_and(|chain| *chain.name == *name) {
                return Some(place);
            }
            at = (at + 1) & last;
        }
    }

    /// Adds the chain at a place, under the name that it has now.
    pub(super) fn add(&mut self, chains: &[Chain], place: u32) {
        // A quarter of the slots stays free.
        if self.taken * 4 >= self.slots.len() * 3 {
            *self = Self::of(chains);
        } else if let Some(chain) = chains.get(place as usize) {
            self.put(&chain.name, place);
        }
    }

    fn put(&mut self, name: &str, place: u32) {
        let last = self.slots.len() - 1;
        let hash = hash(name);
        let mut at = hash as usize & last;
        while self.slots[at] != 0 {
            at = (at + 1) & last;
        }
        self.slots[at] = hash & !PLACE | (place + 1).min(PLACE);
        self.taken += 1;
    }
}

/// Eight bytes at a time: the standard library's takes four times as long, and a name is looked up for every rule.
#[expect(clippy::cast_possible_truncation, reason = "half of the bits are enough")]
fn hash(name: &str) -> u32 {
    let mut hash = name.len() as u64;
    for chunk in name.as_bytes().chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^= hash >> 32;
    }
    hash as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ruleset::Counted;

    fn chain(name: &str) -> Chain {
        Chain { name: name.into(), base: None, counters: Counted::default(), line: None, rules: Vec::new() }
    }

    #[test]
    fn chains_are_found_by_the_names_that_they_have_now() {
        let mut chains = Vec::new();
        let mut places = Places::default();
        assert_eq!(places.find(&chains, "0"), None);
        for place in 0..1_000 {
            chains.push(chain(&place.to_string()));
            places.add(&chains, place);
        }
        for place in 0..1_000 {
            assert_eq!(places.find(&chains, &place.to_string()), Some(place));
        }
        assert_eq!(places.find(&chains, "1000"), None);
        chains[7].name = "seven".into();
        places.add(&chains, 7);
        assert_eq!((places.find(&chains, "7"), places.find(&chains, "seven")), (None, Some(7)));
    }
}
