//! What the readers of one text's listings share.

use crate::input::section::ListedChain;
use crate::packet::Family;

use super::losses::Losses;
use super::phrases::Phrases;

/// What the listings of one text share: each loss is reported once.
#[derive(Default)]
pub(in super::super::super) struct ListingState {
    /// The phrases of the family that was read last.
    phrases: Option<Phrases>,
    pub(super) losses: Losses,
    /// The chains of the listing that is read.
    pub(super) chains: Vec<ListedChain>,
}

impl ListingState {
    /// Takes the phrases of a family. [`Self::keep_phrases`] gives them back.
    pub(super) fn take_phrases(&mut self, family: Family) -> Phrases {
        let kept = self.phrases.take();
        kept.filter(|phrases| phrases.family() == family)
            .unwrap_or_else(|| Phrases::new(family))
    }

    /// The chains of the listing that was read last.
    pub(in super::super::super) fn take_chains(&mut self) -> Vec<ListedChain> {
        std::mem::take(&mut self.chains)
    }

    /// Keeps phrases for the next table.
    pub(super) fn keep_phrases(&mut self, phrases: Phrases) {
        self.phrases = Some(phrases);
    }
}
