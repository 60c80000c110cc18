//! The steps of a path. The rules of a large chain often fail one after another by the same
//! condition. Such a run is stored as one entry of any length.

use crate::netfilter::place::Place;
use std::ops::Range;

use super::trace::{Outcome, Step};

/// Every rule and policy that a packet met, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepRuns {
    /// Runs that could be joined are joined, so equal steps mean equal runs.
    runs: Vec<Run>,
}

/// One step, or a run of consecutive rules that failed by the same condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first step.
    pub first: Step,
    start: u32,
    len: u32,
}

impl Run {
    /// The positions of its steps in the path.
    pub fn places(&self) -> Range<usize> {
        self.start as usize..(self.start + self.len) as usize
    }

    /// All its steps.
    pub fn steps(self) -> impl DoubleEndedIterator<Item = Step> + Clone {
        (0..self.len).map(move |before| self.behind(before))
    }

    /// Its last step.
    pub fn last(&self) -> Step {
        self.behind(self.len - 1)
    }

    /// The step after `before` others of the run.
    fn behind(&self, before: u32) -> Step {
        let Place { at, rule } = self.first.place;
        Step {
            place: Place {
                at,
                rule: rule.map(|rule| rule + before),
            },
            ..self.first
        }
    }
}

impl StepRuns {
    /// The number of steps.
    pub fn len(&self) -> usize {
        self.runs.last().map_or(0, |run| run.places().end)
    }

    /// Whether the packet met no rule.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// The step at a position, from 0.
    pub fn get(&self, at: usize) -> Option<Step> {
        let run = self
            .runs
            .get(self.runs.partition_point(|run| run.places().end <= at))?;
        Some(run.behind(u32::try_from(at).ok()? - run.start))
    }

    /// The step at a position, from 0.
    ///
    /// # Panics
    /// If the path has fewer steps.
    pub fn at(&self, at: usize) -> Step {
        self.get(at).expect("a place among the steps of this way")
    }

    /// The last step.
    pub fn last(&self) -> Option<Step> {
        self.runs.last().map(Run::last)
    }

    /// All steps, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Step> + Clone {
        self.runs.iter().flat_map(|run| run.steps())
    }

    /// All steps as runs.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Adds a step.
    pub(super) fn push(&mut self, step: Step) {
        self.push_run(step, 1);
    }

    /// Adds the steps of `len` consecutive rules that failed by the same condition.
    pub(super) fn push_run(&mut self, first: Step, len: u32) {
        if len == 0 {
            return;
        }
        let start = match self.runs.last_mut() {
            None => 0,
            Some(run) if first.outcome == Outcome::NoMatch && run.behind(run.len) == first => {
                run.len += len;
                return;
            }
            Some(run) => run.start + run.len,
        };
        self.runs.push(Run { first, start, len });
    }

    /// Records the packet after the last step, which matched.
    pub(super) fn changed_to(&mut self, view: u32) {
        if let Some(run) = self.runs.last_mut() {
            run.first.after = view;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netfilter::place::ChainPlace;
    use crate::packet::hook::Hook;

    #[test]
    fn a_run_is_the_same_as_its_steps() {
        let at = ChainPlace {
            ruleset: 0,
            table: 0,
            chain: 2,
        };
        let step = |rule: u32, condition, outcome| Step {
            hook: Hook::Output,
            place: Place {
                at,
                rule: Some(rule),
            },
            outcome,
            condition: Some(condition),
            view: 1,
            after: 1,
            caller: None,
        };
        let failed = |rule, condition| step(rule, condition, Outcome::NoMatch);
        let all = [
            failed(0, 0),
            failed(1, 0),
            failed(2, 1),
            step(3, 1, Outcome::Match),
            step(4, 1, Outcome::Match),
            failed(5, 0),
            failed(6, 0),
            failed(6, 0),
        ];
        let mut steps = StepRuns::default();
        all.into_iter().for_each(|step| steps.push(step));
        assert_eq!(steps.iter().collect::<Vec<_>>(), all);
        assert_eq!(
            steps.iter().rev().collect::<Vec<_>>(),
            all.iter().rev().copied().collect::<Vec<_>>()
        );
        assert_eq!(
            (0..9).map(|at| steps.get(at)).collect::<Vec<_>>()[7..],
            [Some(all[7]), None]
        );
        assert_eq!(
            steps.runs().iter().map(Run::places).collect::<Vec<_>>(),
            [0..2, 2..3, 3..4, 4..5, 5..7, 7..8]
        );

        let mut at_once = StepRuns::default();
        at_once.push_run(all[0], 2);
        all[2..].iter().for_each(|step| at_once.push(*step));
        assert_eq!(at_once, steps);
    }
}
