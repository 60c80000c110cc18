//! The state that the listings of one text share.

use crate::input::section::ListedChain;
use crate::packet::Family;

use super::losses::Losses;
use super::phrases::Phrases;

/// The state that the listings of one text share, so that each loss is reported once.
#[derive(Default)]
pub(in super::super::super) struct ListingState {
    /// The phrases of the last family.
    phrases: Option<Phrases>,
    pub(super) losses: Losses,
    /// The chains of the current listing.
    pub(super) chains: Vec<ListedChain>,
}

impl ListingState {
    /// Takes the phrases of a family. [`Self::keep_phrases`] returns them.
    pub(super) fn take_phrases(&mut self, family: Family) -> Phrases {
        let kept = self.phrases.take();
        kept.filter(|phrases| phrases.family() == family)
            .unwrap_or_else(|| Phrases::new(family))
    }

    /// The chains of the last listing.
    pub(in super::super::super) fn take_chains(&mut self) -> Vec<ListedChain> {
        std::mem::take(&mut self.chains)
    }

    /// Keeps phrases for the next table.
    pub(super) fn keep_phrases(&mut self, phrases: Phrases) {
        self.phrases = Some(phrases);
    }
}
