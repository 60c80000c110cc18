//! The idle queue: it computes results after the walk is shown, in turns too short to delay a key.

use std::rc::Rc;

use chainwalk_core::analysis::findings::{self, Finding};
use chainwalk_core::packet::Family;

use crate::packet_analysis::PacketAnalysis;
use crate::paste::{PacketOutcome, Paste};
use crate::state::{Evaluation, State};

/// The number of rules in one turn of the search for findings: some milliseconds.
const RULES_PER_TURN: usize = 1_000;

/// A result of the queue, with the rules or the walk that it belongs to.
#[derive(Debug)]
pub enum Computed {
    /// The analysis of the lead's packet.
    Analysis(PacketAnalysis),
    /// The packets worth trying.
    Outcomes(Rc<Paste>, Rc<Vec<PacketOutcome>>),
    /// The findings about the rules.
    Findings(Rc<Paste>, Rc<Vec<Finding>>),
}

impl PartialEq for Computed {
    /// Each result is equal to itself only.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

/// The result of one turn.
#[derive(Debug)]
pub enum Turn {
    /// Everything is computed.
    Idle,
    /// More turns are needed for the next result.
    Unfinished,
    /// A result.
    Finished(Computed),
}

/// The queue. It keeps the state between two turns.
#[derive(Debug, Default)]
pub struct AnalysisQueue {
    search: Option<(Rc<Paste>, findings::FindingSearch)>,
}

impl AnalysisQueue {
    /// Computes for some milliseconds.
    pub fn run_turn(&mut self, evaluation: &Evaluation) -> Turn {
        let (paste, results) = (&evaluation.workspace.paste, &evaluation.results);
        let analysis = results
            .analysis
            .as_ref()
            .filter(|analysis| !analysis.is_complete());
        let families = [
            analysis.map(|analysis| analysis.packet().family()),
            results.outcomes.is_none().then_some(Family::Ipv4),
        ];
        let mut families = families.into_iter().flatten();
        if let Some(family) = families.find(|family| !paste.has_constants(*family)) {
            // Everything else depends on these.
            paste.constants(family);
            return Turn::Unfinished;
        }
        if let Some(analysis) = analysis {
            return Turn::Finished(Computed::Analysis(analysis.compute_next(paste)));
        }
        if results.outcomes.is_none() {
            let outcomes = Rc::new(paste.outcomes());
            return Turn::Finished(Computed::Outcomes(Rc::clone(paste), outcomes));
        }
        if results.findings.is_none() {
            return self.search_findings(paste);
        }
        Turn::Idle
    }

    fn search_findings(&mut self, paste: &Rc<Paste>) -> Turn {
        let begun = self.search.take();
        let (_, mut search) = begun
            .filter(|(of, _)| Rc::ptr_eq(of, paste))
            .unwrap_or_else(|| {
                let search =
                    findings::FindingSearch::new(paste.rulesets(), &paste.host, paste.host_known);
                (Rc::clone(paste), search)
            });
        if search.go_on(paste.rulesets(), RULES_PER_TURN) {
            return Turn::Finished(Computed::Findings(
                Rc::clone(paste),
                Rc::new(search.found()),
            ));
        }
        self.search = Some((Rc::clone(paste), search));
        Turn::Unfinished
    }
}

impl State {
    /// Takes a result of the queue, unless the rules or packets have changed.
    pub(crate) fn take_computed(&mut self, computed: &Computed) {
        let paste = Rc::clone(self.paste());
        let walked = self.results().analysis.as_ref();
        let walked = walked.map(|analysis| Rc::clone(&analysis.walked));
        let results = self.evaluation.results.edit();
        match computed {
            Computed::Analysis(analysis) => {
                if walked.is_some_and(|walked| Rc::ptr_eq(&walked, &analysis.walked)) {
                    // The choices of the journey may have changed meanwhile.
                    let journey = results.analysis.take().map(|current| current.journey);
                    let mut analysis = analysis.clone();
                    analysis.journey = journey.unwrap_or(analysis.journey);
                    results.analysis = Some(analysis);
                }
            }
            Computed::Outcomes(of, outcomes) if Rc::ptr_eq(of, &paste) => {
                results.outcomes = Some(Rc::clone(outcomes));
            }
            Computed::Findings(of, findings) if Rc::ptr_eq(of, &paste) => {
                results.findings = Some(Rc::clone(findings));
            }
            Computed::Outcomes(..) | Computed::Findings(..) => {}
        }
    }
}
