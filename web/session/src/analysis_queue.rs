//! The idle queue: it computes results after the walk is shown, in turns too short to delay a key.

use std::rc::Rc;

use chainwalk_core::analysis::counterfactual::CounterfactualSearch;
use chainwalk_core::analysis::findings::{Finding, FindingSearch};
use chainwalk_core::packet::Family;

use crate::packet_analysis::PacketAnalysis;
use crate::paste::{PacketOutcome, Paste};
use crate::rows::{Opened, Row, RuleSearch};
use crate::state::{Evaluation, State};
use crate::walked::Walked;

/// The number of rules in one turn of the search for findings: some milliseconds.
const RULES_PER_TURN: usize = 1_000;

/// The number of rules that one turn of a search of the rule list compares: some milliseconds.
/// Smaller rule sets are searched at once.
pub(crate) const RULES_AT_ONCE: usize = 15_000;

/// The number of steps in one turn of the search for counterfactuals: some milliseconds.
const STEPS_PER_TURN: usize = 15_000;

/// A result of the queue, with the rules or the walk that it belongs to.
#[derive(Debug)]
pub enum Computed {
    /// The analysis of the lead's packet.
    Analysis(PacketAnalysis),
    /// The rows that a search finds.
    Rows(Rc<Opened>, Rc<Vec<Row>>),
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
    rule_search: Option<(Rc<Opened>, RuleSearch)>,
    counterfactuals: Option<(Rc<Walked>, CounterfactualSearch)>,
    findings: Option<(Rc<Paste>, FindingSearch)>,
}

impl AnalysisQueue {
    /// Computes for some milliseconds.
    pub fn run_turn(&mut self, evaluation: &Evaluation) -> Turn {
        let (paste, results) = (&evaluation.workspace.paste, &evaluation.results);
        if let Some(opened) = &results.sought {
            return self.search_rules(evaluation, opened);
        }
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
            if analysis.flips.is_none() {
                return self.search_counterfactuals(paste, analysis);
            }
            return Turn::Finished(Computed::Analysis(analysis.with_senders(paste)));
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

    fn search_rules(&mut self, evaluation: &Evaluation, opened: &Rc<Opened>) -> Turn {
        let parsed = &evaluation.workspace.paste.parsed;
        let begun = self.rule_search.take();
        let (_, mut search) = begun
            .filter(|(of, _)| Rc::ptr_eq(of, opened))
            .unwrap_or_else(|| (Rc::clone(opened), RuleSearch::new(&parsed.rulesets)));
        let walks: Vec<&Walked> = evaluation.walks().map(|(_, walked)| walked).collect();
        if search.go_on(parsed, &walks, opened, RULES_AT_ONCE) {
            let rows = Rc::new(search.rows);
            return Turn::Finished(Computed::Rows(Rc::clone(opened), rows));
        }
        self.rule_search = Some((Rc::clone(opened), search));
        Turn::Unfinished
    }

    fn search_counterfactuals(&mut self, paste: &Rc<Paste>, analysis: &PacketAnalysis) -> Turn {
        let (rulesets, host, walked) = (paste.rulesets(), &paste.host, &analysis.walked);
        let trace = &walked.trace;
        let begun = self.counterfactuals.take();
        let Some((_, mut search)) = begun.filter(|(of, _)| Rc::ptr_eq(of, walked)) else {
            // The candidates of a large rule set take a turn of their own.
            let constants = paste.constants(trace.packet.family());
            let search = CounterfactualSearch::new(rulesets, constants, host, trace);
            self.counterfactuals = Some((Rc::clone(walked), search));
            return Turn::Unfinished;
        };
        if search.go_on(rulesets, host, trace, STEPS_PER_TURN) {
            let flips = trace.verdict().map(|_| Rc::new(search.found()));
            return Turn::Finished(Computed::Analysis(analysis.with_flips(flips)));
        }
        self.counterfactuals = Some((Rc::clone(walked), search));
        Turn::Unfinished
    }

    fn search_findings(&mut self, paste: &Rc<Paste>) -> Turn {
        let begun = self.findings.take();
        let (_, mut search) = begun
            .filter(|(of, _)| Rc::ptr_eq(of, paste))
            .unwrap_or_else(|| {
                let search = FindingSearch::new(paste.rulesets(), &paste.host, paste.host_known);
                (Rc::clone(paste), search)
            });
        if search.go_on(paste.rulesets(), RULES_PER_TURN) {
            return Turn::Finished(Computed::Findings(
                Rc::clone(paste),
                Rc::new(search.found()),
            ));
        }
        self.findings = Some((Rc::clone(paste), search));
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
            Computed::Rows(of, rows) => {
                let sought = results.sought.as_ref();
                if sought.is_some_and(|sought| Rc::ptr_eq(sought, of)) {
                    (results.rows, results.sought) = (Rc::clone(rows), None);
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
