//! The table of outcomes: the counts of each kind, and the rows of each destination.

use chainwalk_core::analysis::explain::Fate;
use chainwalk_core::analysis::scenario::Destination;

use crate::paste::{OutcomeKind, PacketOutcome, Paste};

/// The kinds of outcomes, in the order of the table.
const KINDS: [OutcomeKind; 5] = [
    (Fate::Captured, false),
    (Fate::Direct, false),
    (Fate::Dropped, false),
    (Fate::Unknown, false),
    (Fate::Direct, true),
];

/// The number of outcomes of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutcomeCount {
    /// The kind.
    pub kind: OutcomeKind,
    /// The number of packets.
    pub count: usize,
    /// The kind in words.
    pub word: &'static str,
}

/// The counts of the kinds that occur.
pub fn count_outcomes(paste: &Paste, outcomes: &[PacketOutcome]) -> Vec<OutcomeCount> {
    let mut counts = Vec::new();
    for kind in KINDS {
        let count = outcomes.iter().filter(|one| one.kind() == kind).count();
        let word = match (kind, &paste.mesh) {
            ((_, true), _) => "intended bypass",
            ((Fate::Direct, _), Some(_)) if count == 1 => "bypasses",
            ((Fate::Direct, _), Some(_)) => "bypass",
            ((fate, _), mesh) => fate.word(mesh.is_some()),
        };
        if count > 0 {
            counts.push(OutcomeCount { kind, count, word });
        }
    }
    counts
}

/// The destinations with a column. A pod does not forward.
pub fn destinations(outcomes: &[PacketOutcome]) -> Vec<Destination> {
    let forwards = outcomes
        .iter()
        .any(|one| one.scenario.group == Destination::Through);
    let mut all = Vec::from(Destination::ALL);
    all.retain(|group| forwards || *group != Destination::Through);
    all
}

/// The rows of a destination. `only`: the only kind to show.
pub fn rows_of(
    outcomes: &[PacketOutcome],
    group: Destination,
    only: Option<OutcomeKind>,
) -> impl Iterator<Item = &PacketOutcome> {
    outcomes.iter().filter(move |row| {
        row.scenario.group == group && only.is_none_or(|kind| kind == row.kind())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_are_those_of_the_rows() {
        let paste = Paste::sample(0);
        let outcomes = paste.outcomes();
        let counts = count_outcomes(&paste, &outcomes);
        let all: usize = counts.iter().map(|one| one.count).sum();
        assert_eq!(all, outcomes.len());
        let groups = destinations(&outcomes);
        assert!(
            !groups.contains(&Destination::Through),
            "a pod does not forward"
        );
        for OutcomeCount { kind, count, .. } in counts {
            let rows = groups
                .iter()
                .flat_map(|group| rows_of(&outcomes, *group, Some(kind)));
            assert_eq!(rows.count(), count, "{kind:?}");
        }
    }
}
