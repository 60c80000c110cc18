//! A walk, indexed for the lookups of the page.

use std::collections::HashMap;
use std::ops::Range;

use chainwalk_core::analysis::explain::{self, Headline};
use chainwalk_core::mesh::Mesh;
use chainwalk_core::netfilter::place::{ChainPlace, Place};
use chainwalk_core::netfilter::ruleset::Ruleset;
use chainwalk_core::packet::Packet;
use chainwalk_core::packet::host::Host;
use chainwalk_core::walk::trace::{Outcome, Path, Question, Trace};
use chainwalk_core::walk::{Known, walk_with};

use crate::phrases::format_end;

/// The result of one rule in a whole walk: a rule can be evaluated several times, at several hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The best of its outcomes. A match counts more than a miss.
    pub outcome: Outcome,
    /// The step to show for it: the first with that outcome.
    pub step: usize,
    /// The condition that failed, or is undetermined, in that step.
    pub condition: Option<u16>,
}

/// The results of the rules of a chain.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    rules: Vec<Option<Mark>>,
    policy: Option<Mark>,
}

impl Marks {
    /// The result of a rule; `None` if the walk never reached it.
    pub(crate) fn rule(&self, rule: u32) -> Option<Mark> {
        self.rules.get(rule as usize).copied().flatten()
    }

    fn add(&mut self, rule: Option<u32>, new: Mark) {
        let mark = match rule {
            None => &mut self.policy,
            Some(rule) => {
                let rule = rule as usize;
                if rule >= self.rules.len() {
                    self.rules.resize(rule + 1, None);
                }
                &mut self.rules[rule]
            }
        };
        if mark.is_none_or(|mark| weight(new.outcome) > weight(mark.outcome)) {
            *mark = Some(new);
        }
    }
}

/// Why a step is undetermined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Doubt {
    pub(crate) because: String,
    /// Whether a rule before the step is missing from the input. Otherwise the step itself is
    /// undetermined.
    pub(crate) is_missing_rule: bool,
}

/// A walk, its answer, and its steps by rule.
#[derive(Debug)]
pub struct Walked {
    /// The walk.
    pub trace: Trace,
    /// Its answer in words.
    pub headline: Headline,
    /// Whether it meets chains of several tables, so that a chain's name alone is ambiguous.
    pub several_tables: bool,
    marks: HashMap<ChainPlace, Marks>,
    /// The undetermined steps of the shown branch. The branch, or the user, assumes an answer.
    assumed: Vec<(usize, Doubt)>,
}

impl Walked {
    /// Walks a packet through all rule sets of its family, with the answers that the user gave for
    /// rules.
    pub(crate) fn new(
        rulesets: &[Ruleset],
        mesh: Option<&Mesh>,
        host: &Host,
        packet: &Packet,
        settled: &[(Place, bool)],
    ) -> Self {
        let trace = walk_with(
            rulesets,
            None,
            host,
            packet,
            Known {
                answers: settled,
                ..Known::default()
            },
        );
        let headline = explain::verdict(rulesets, &trace, mesh);
        let mut assumed = assumed(&trace);
        assumed.extend(taken_so(trace.shown(), settled));
        assumed.sort_by_key(|(step, _)| *step);
        let mut marks: HashMap<ChainPlace, Marks> = HashMap::new();
        let runs = trace.shown().steps.runs();
        for run in runs {
            let chain = marks.entry(run.first.place.at).or_default();
            for (at, step) in run.places().zip(run.steps()) {
                let outcome = if find_assumption(&assumed, at).is_some() {
                    Outcome::Unknown
                } else {
                    step.outcome
                };
                chain.add(
                    step.place.rule,
                    Mark {
                        outcome,
                        step: at,
                        condition: step.condition,
                    },
                );
            }
        }
        let mut tables = runs.iter().map(|run| run.first.place.at.table);
        let first_table = tables.next();
        let several_tables = tables.any(|table| Some(table) != first_table);
        Self {
            trace,
            headline,
            several_tables,
            marks,
            assumed,
        }
    }

    /// The first undetermined rule that affects the outcome.
    pub fn first_doubt(&self) -> Option<Place> {
        let mut asked = self.trace.branches.first()?.assumes.iter();
        Some(
            asked
                .find(|assumption| {
                    matches!(assumption.question, Question::Matches | Question::Target)
                })?
                .place,
        )
    }

    /// The branch to show.
    pub fn path(&self) -> &Path {
        self.trace.shown()
    }

    /// Why a step is undetermined, if it is.
    pub(crate) fn doubt(&self, at: usize) -> Option<&Doubt> {
        find_assumption(&self.assumed, at)
    }

    /// The first later step whose rule is undetermined; `usize::MAX` without one.
    pub(crate) fn next_doubt(&self, at: usize) -> usize {
        let next = self.assumed.partition_point(|(step, _)| *step <= at);
        self.assumed.get(next).map_or(usize::MAX, |(step, _)| *step)
    }

    /// The steps whose rules are undetermined.
    pub(crate) fn doubts(&self) -> impl Iterator<Item = usize> {
        self.assumed.iter().map(|(step, _)| *step)
    }

    /// The result of the rule of a step.
    pub fn outcome(&self, at: usize) -> Outcome {
        if self.doubt(at).is_some() {
            Outcome::Unknown
        } else {
            self.path().steps.at(at).outcome
        }
    }

    /// The end of the shown branch, as part of a sentence; an undetermined walk has further
    /// branches.
    pub fn end(&self) -> String {
        match (&self.path().verdict, self.trace.verdict()) {
            (Some(shown), None) => {
                format!(
                    "in this branch: {}; {}",
                    format_end(shown),
                    self.headline.end
                )
            }
            _ => self.headline.end.clone(),
        }
    }

    /// The result of a rule or policy; `None` if the packet never reached it.
    pub fn mark(&self, place: Place) -> Option<Mark> {
        let chain = self.marks.get(&place.at)?;
        match place.rule {
            Some(rule) => chain.rule(rule),
            None => chain.policy,
        }
    }

    /// The result of the first reached rule of a range; `None` if the packet reached none of them.
    pub fn outcome_in(&self, at: ChainPlace, rules: &Range<u32>) -> Option<Outcome> {
        let chain = self.marks.get(&at)?;
        let mark = rules.clone().find_map(|rule| chain.rule(rule))?;
        Some(mark.outcome)
    }

    /// The results of the rules of a chain; `None` if the packet never entered it.
    pub(crate) fn chain(&self, at: ChainPlace) -> Option<&Marks> {
        self.marks.get(&at)
    }

    /// The deciding rule or policy.
    pub fn decided_by(&self) -> Option<Place> {
        self.path()
            .verdict
            .as_ref()
            .and_then(|verdict| verdict.decided_by)
    }

    /// The step at which it decided.
    pub fn decided_at(&self) -> Option<usize> {
        self.decided_by()
            .and_then(|place| self.mark(place))
            .map(|mark| mark.step)
    }
}

/// The steps of the shown branch that assume an answer, in order.
fn assumed(trace: &Trace) -> Vec<(usize, Doubt)> {
    let Some(branch) = trace.branches.first() else {
        return Vec::new();
    };
    let mut steps = branch.path.steps.iter().enumerate();
    let mut found = Vec::new();
    for assumption in &branch.assumes {
        let step =
            steps.find(|(_, step)| (step.place, step.hook) == (assumption.place, assumption.hook));
        let doubt = Doubt {
            because: assumption.because.clone(),
            is_missing_rule: assumption.question == Question::MissingRule,
        };
        found.extend(step.map(|(at, _)| (at, doubt)));
    }
    found
}

/// The steps of rules that the user has answered.
fn taken_so(path: &Path, settled: &[(Place, bool)]) -> Vec<(usize, Doubt)> {
    let runs = path.steps.runs().iter().filter(|run| {
        settled
            .iter()
            .any(|(place, _)| place.at == run.first.place.at)
    });
    let steps = runs.flat_map(|run| run.places().zip(run.steps()));
    steps
        .filter(|(_, step)| settled.iter().any(|(place, _)| *place == step.place))
        .map(|(at, _)| {
            let because = "your assumption".to_owned();
            let is_missing_rule = false;
            (
                at,
                Doubt {
                    because,
                    is_missing_rule,
                },
            )
        })
        .collect()
}

fn find_assumption(assumed: &[(usize, Doubt)], at: usize) -> Option<&Doubt> {
    let found = assumed.binary_search_by_key(&at, |(step, _)| *step).ok()?;
    Some(&assumed[found].1)
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
        let paste = Paste::own(
            "*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m recent --name x --rcheck -j RETURN\nCOMMIT\n",
        );
        let packet = &paste.scenario("internet").expect("always there").packet;
        let walked = Walked::new(paste.rulesets(), None, &paste.host, packet, &[]);
        assert_eq!(walked.outcome(0), Outcome::Unknown);
        assert!(
            walked
                .doubt(0)
                .is_some_and(|doubt| doubt.because.contains("recent"))
        );
        assert_eq!(
            walked
                .mark(walked.path().steps.at(0).place)
                .map(|mark| mark.outcome),
            Some(Outcome::Unknown)
        );
        assert_eq!(walked.outcome(1), Outcome::Policy);
        // The user's own answer stays marked as an assumption.
        let place = walked.path().steps.at(0).place;
        let settled = Walked::new(
            paste.rulesets(),
            None,
            &paste.host,
            packet,
            &[(place, false)],
        );
        assert_eq!(
            (
                settled.trace.certain,
                settled.doubt(0).map(|doubt| &*doubt.because)
            ),
            (true, Some("your assumption"))
        );
        assert_eq!(settled.outcome(0), Outcome::Unknown);
    }
}
