//! The row of a rule: its results for the shown packets, and the conditions to highlight.

use chainwalk_core::analysis::explain::Fate;
use chainwalk_core::netfilter::place::Place;
use chainwalk_core::walk::trace::Outcome;

use crate::side::Side;
use crate::state::Evaluation;

/// The highlight of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accent {
    /// The condition that decided.
    Decides,
    /// The condition that failed.
    Fails,
}

/// The results of a rule or policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleRow {
    /// The shown packets, each with its outcome and the result of the rule; `None` if the packet
    /// never reached the rule.
    pub results: Vec<(Side, Fate, Option<Outcome>)>,
    /// Whether the rule decides the outcome of the lead's packet.
    pub decides_lead: bool,
    /// The outcome of a packet that the rule decides; the lead's comes first.
    pub decided: Option<Fate>,
    /// The conditions that did not match.
    failed: Vec<u16>,
}

impl RuleRow {
    /// The results of this rule.
    pub fn new(evaluation: &Evaluation, place: Place) -> Self {
        let (mut results, mut failed) = (Vec::new(), Vec::new());
        for side in evaluation.workspace.sides() {
            let walked = evaluation.walked(*side);
            let fate = walked.map_or(Fate::Unknown, |walked| walked.headline.fate);
            let mark = walked.and_then(|walked| walked.mark(place));
            results.push((*side, fate, mark.map(|mark| mark.outcome)));
            let mark = mark.filter(|mark| mark.outcome != Outcome::Match);
            failed.extend(mark.and_then(|mark| mark.condition));
        }
        let decided = evaluation
            .lead_first()
            .find(|(_, walked)| walked.decided_by() == Some(place));
        Self {
            results,
            decides_lead: decided.is_some_and(|(side, _)| side == evaluation.workspace.lead),
            decided: decided.map(|(_, walked)| walked.headline.fate),
            failed,
        }
    }

    /// The highlight of a condition, by its place in the rule.
    pub fn accent(&self, condition: u16) -> Option<Accent> {
        match self.failed.contains(&condition) {
            true if self.decides_lead => Some(Accent::Decides),
            true => Some(Accent::Fails),
            // No condition failed: all conditions decided together.
            false if self.decides_lead && self.failed.is_empty() => Some(Accent::Decides),
            false => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::State;

    #[test]
    fn the_deciding_rule_and_the_failed_condition_are_highlighted() {
        let state = State::default();
        let proxy = state.evaluation.walked(Side::B).expect("it is shown");
        let decided = proxy.decided_by().expect("a rule decides");
        let row = RuleRow::new(&state.evaluation, decided);
        assert!(row.decides_lead);
        assert_eq!(row.decided, Some(Fate::Direct));
        // The rule decides the proxy's packet, but the app's packet fails its condition.
        let outcomes = row.results.iter().map(|(_, _, outcome)| *outcome);
        let outcomes: Vec<_> = outcomes.collect();
        assert_eq!(outcomes, [Some(Outcome::NoMatch), Some(Outcome::Match)]);
        assert_eq!(row.accent(0), Some(Accent::Decides));
        let before = proxy.path().steps.at(1).place;
        let row = RuleRow::new(&state.evaluation, before);
        assert_eq!((row.decides_lead, row.decided), (false, None));
        assert!((0..4).any(|condition| row.accent(condition) == Some(Accent::Fails)));
    }
}
