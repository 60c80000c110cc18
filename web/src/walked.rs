//! A walk with what the page looks up in it again and again.

use std::collections::HashMap;

use chainwalk_core::explain::{self, Headline};
use chainwalk_core::host::Host;
use chainwalk_core::mesh::Mesh;
use chainwalk_core::packet::Packet;
use chainwalk_core::ruleset::Ruleset;
use chainwalk_core::walk::connection::Translation;
use chainwalk_core::walk::trace::{Outcome, Path, Place, Step, Trace};
use chainwalk_core::walk::walk_settled;

use crate::paste;

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
    /// The steps of the way shown that a dump cannot tell, with the reason: this way takes one answer for granted.
    assumed: Vec<(usize, String)>,
}

impl Walked {
    /// Walks a packet through all rule sets of its family, with the answers that the user gave for rules.
    pub(crate) fn new(
        rulesets: &[Ruleset],
        mesh: Option<&Mesh>,
        host: &Host,
        packet: &Packet,
        settled: &[(Place, bool)],
    ) -> Self {
        let trace = walk_settled(rulesets, None, host, packet, Translation::default(), settled);
        let headline = explain::verdict(rulesets, &trace, mesh);
        let assumed = assumed(&trace);
        let mut marks: HashMap<Place, Mark> = HashMap::new();
        for (at, step) in trace.shown().steps.iter().enumerate() {
            let outcome = if told(&assumed, at).is_some() { Outcome::Unknown } else { step.outcome };
            let new = Mark { outcome, step: at, condition: step.condition };
            let mark = marks.entry(step.place).or_insert(new);
            if weight(outcome) > weight(mark.outcome) {
                *mark = new;
            }
        }
        Self { trace, headline, marks, assumed }
    }

    /// The first rule that a dump cannot tell, and that matters.
    pub(crate) fn first_doubt(&self) -> Option<Place> {
        Some(self.trace.branches.first()?.assumes.first()?.place)
    }

    /// The way to show.
    pub(crate) fn path(&self) -> &Path {
        self.trace.shown()
    }

    /// Why nobody can tell what becomes of the rule of a step, where that is so.
    pub(crate) fn doubt(&self, at: usize) -> Option<&str> {
        told(&self.assumed, at)
    }

    /// What became of the rule of a step, as far as a dump can tell.
    pub(crate) fn outcome(&self, at: usize) -> Outcome {
        if self.doubt(at).is_some() { Outcome::Unknown } else { self.path().steps[at].outcome }
    }

    /// Where the way shown ends, as part of a sentence; of an uncertain walk there are others.
    pub(crate) fn end(&self) -> String {
        match (&self.path().verdict, self.trace.verdict()) {
            (Some(shown), None) => format!("this way: {}; {}", paste::end(shown), self.headline.end),
            _ => self.headline.end.clone(),
        }
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

/// The steps of the way shown that took an answer for granted.
fn assumed(trace: &Trace) -> Vec<(usize, String)> {
    let Some(branch) = trace.branches.first() else { return Vec::new() };
    let mut steps = branch.path.steps.iter().enumerate();
    let mut found = Vec::new();
    for assumption in &branch.assumes {
        let is_it = |(_, step): &(usize, &Step)| (step.place, step.hook) == (assumption.place, assumption.hook);
        if let Some((at, _)) = steps.find(is_it) {
            found.push((at, assumption.because.clone()));
        }
    }
    found
}

fn told(assumed: &[(usize, String)], at: usize) -> Option<&str> {
    assumed.iter().find(|(step, _)| *step == at).map(|(_, because)| &**because)
}

fn weight(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::NoMatch => 0,
        Outcome::Unknown => 1,
        Outcome::Match | Outcome::Policy => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paste::Paste;

    #[test]
    fn what_a_dump_cannot_tell_is_marked_on_the_way_shown() {
        let paste = Paste::own("*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m recent --name x --rcheck -j RETURN\nCOMMIT\n");
        let packet = &paste.scenario("internet").expect("always there").packet;
        let walked = Walked::new(paste.rulesets(), None, &paste.host, packet, &[]);
        assert_eq!(walked.outcome(0), Outcome::Unknown);
        assert!(walked.doubt(0).is_some_and(|because| because.contains("recent")));
        assert_eq!(walked.mark(walked.path().steps[0].place).map(|mark| mark.outcome), Some(Outcome::Unknown));
        assert_eq!(walked.outcome(1), Outcome::Policy);
    }
}
