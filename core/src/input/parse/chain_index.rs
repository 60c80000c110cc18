//! The chains of a table by name.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::netfilter::ruleset::Chain;

/// The position of each chain in its table, by name. The chains own the names, and this table
/// stores positions only.
#[derive(Debug, Default)]
pub(super) struct ChainIndex {
    hasher: DefaultHashBuilder,
    places: HashTable<u32>,
}

impl ChainIndex {
    /// The index of all chains of a table.
    pub(super) fn from_chains(chains: &[Chain]) -> Self {
        let mut places = Self {
            places: HashTable::with_capacity(chains.len()),
            ..Self::default()
        };
        (0..)
            .take(chains.len())
            .for_each(|place| places.add(chains, place));
        places
    }

    /// The position of the chain with this name. A former name of a chain finds nothing.
    pub(super) fn find(&self, chains: &[Chain], name: &str) -> Option<u32> {
        self.places
            .find(self.hasher.hash_one(name), |place: &u32| {
                chains
                    .get(*place as usize)
                    .is_some_and(|chain| *chain.name == *name)
            })
            .copied()
    }

    /// Adds the chain at a position, under its current name.
    pub(super) fn add(&mut self, chains: &[Chain], place: u32) {
        let hash = |place: &u32| {
            self.hasher
                .hash_one(chains.get(*place as usize).map_or("", |chain| &chain.name))
        };
        self.places.insert_unique(hash(&place), place, hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netfilter::ruleset::CounterId;

    fn chain(name: &str) -> Chain {
        Chain {
            name: name.into(),
            base: None,
            counters: CounterId::default(),
            line: None,
            rules: Vec::new(),
            gaps: Vec::new(),
        }
    }

    #[test]
    fn chains_are_found_by_the_names_that_they_have_now() {
        let mut chains = Vec::new();
        let mut places = ChainIndex::default();
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
        assert_eq!(
            (places.find(&chains, "7"), places.find(&chains, "seven")),
            (None, Some(7))
        );
    }
}
