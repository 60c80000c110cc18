//! A walk with what the page looks up in it again and again.

use std::collections::HashMap;

use chainwalk_core::explain::{self, Headline};
use chainwalk_core::host::Host;
use chainwalk_core::mesh::Mesh;
use chainwalk_core::packet::Packet;
use chainwalk_core::ruleset::Ruleset;
use chainwalk_core::walk::trace::{Outcome, Path, Place, Trace};
use chainwalk_core::walk::walk;

/// What became of one rule in a whole walk: a rule can be asked several times, at several hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The best of its outcomes: that it matched counts for more than that it did not.
    pub(crate) outcome: Outcome,
    /// The step to show for it: the first with that outcome.
    pub(crate) step: usize,
    /// The condition that failed, or cannot be told, in that step.
    pub(crate) condition: Option<u16>,
}

/// A walk, its answer, and its steps by rule.
#[derive(Debug)]
pub(crate) struct Walked {
    /// The walk.
    pub(crate) trace: Trace,
    /// Its answer in words.
    pub(crate) headline: Headline,
    marks: HashMap<Place, Mark>,
}

impl Walked {
    /// Walks a packet through all rule sets of its family.
    pub(crate) fn new(rulesets: &[Ruleset], mesh: Option<&Mesh>, host: &Host, packet: &Packet) -> Self {
        let trace = walk(rulesets, None, host, packet);
        let headline = explain::verdict(rulesets, &trace, mesh);
        let mut marks: HashMap<Place, Mark> = HashMap::new();
        for (at, step) in trace.shown().steps.iter().enumerate() {
            let new = Mark { outcome: step.outcome, step: at, condition: step.condition };
            let mark = marks.entry(step.place).or_insert(new);
            if weight(step.outcome) > weight(mark.outcome) {
                *mark = new;
            }
        }
        Self { trace, headline, marks }
    }

    /// The way to show.
    pub(crate) fn path(&self) -> &Path {
        self.trace.shown()
    }

    /// What became of a rule or policy; `None` where the packet never met it.
    pub(crate) fn mark(&self, place: Place) -> Option<Mark> {
        self.marks.get(&place).copied()
    }

    /// The rule or policy that decided.
    pub(crate) fn decided_by(&self) -> Option<Place> {
        self.path().verdict.as_ref().and_then(|verdict| verdict.decided_by)
    }

    /// The step at which it decided.
    pub(crate) fn decided_at(&self) -> Option<usize> {
        self.decided_by().and_then(|place| self.mark(place)).map(|mark| mark.step)
    }
}

fn weight(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::NoMatch => 0,
        Outcome::Unknown => 1,
        Outcome::Match | Outcome::Policy => 2,
    }
}
