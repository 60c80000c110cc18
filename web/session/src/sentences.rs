//! Sentences about walks: steps, answers, branches, and rules that no packet reaches.

use std::ops::Range;

use chainwalk_core::analysis::explain::{self, Fate, capital};
use chainwalk_core::analysis::proxy_processes;
use chainwalk_core::input::parse::Parsed;
use chainwalk_core::iptables::extension;
use chainwalk_core::netfilter::place::{ChainPlace, Place};
use chainwalk_core::netfilter::ruleset::Ruleset;
use chainwalk_core::text::diagnostic::Severity;
use chainwalk_core::walk::trace::{Assumption, Branch, Outcome, Question, Step};

use crate::paste::Paste;
use crate::phrases::{format_count, format_place};
use crate::side::Side;
use crate::state::Evaluation;
use crate::walked::{Doubt, Walked};

/// The sentence of a step, followed by the packet's end at the last step.
pub fn describe_step(rulesets: &[Ruleset], walked: &Walked, at: usize) -> String {
    let path = walked.path();
    let Some(step) = path.steps.get(at) else {
        let lead = if path.steps.is_empty() {
            "The packet reaches no rule"
        } else {
            "The walk has ended"
        };
        return format!("{lead}: {}.", walked.end());
    };
    let says = match walked.doubt(at) {
        Some(doubt) if doubt.is_missing_rule => format!(
            "A rule before this step may be missing: {}. Shown as if none were.",
            doubt.because
        ),
        Some(Doubt { because, .. }) => {
            let as_if = if step.outcome == Outcome::Match {
                "matched"
            } else {
                "did not match"
            };
            format!(
                "{} is undetermined: {because}. Shown as if it {as_if}.",
                explain::place(rulesets, step.place)
            )
        }
        None => explain::step(rulesets, &walked.trace, path, &step),
    };
    if at + 1 == path.steps.len() {
        format!("{says} {}.", capital(&walked.end()))
    } else {
        says
    }
}

/// The result of a step in a few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepSummary<'a> {
    /// The result, such as `no`, the name of a policy, or the rule's action.
    pub result: &'a str,
    /// Whether the result is an action or an assumption, which is emphasized.
    pub is_emphasized: bool,
    /// The reason of the result, or the change of the packet, with code between backticks.
    pub details: Option<String>,
}

/// Summarizes a step.
pub fn summarize_step<'a>(rulesets: &'a [Ruleset], walked: &Walked, at: usize) -> StepSummary<'a> {
    let path = walked.path();
    let step = path.steps.at(at);
    if let Some(doubt) = walked.doubt(at) {
        return StepSummary {
            result: match step.outcome {
                _ if doubt.is_missing_rule => "assumed to be reached",
                Outcome::Match => "assumed to match",
                _ => "assumed not to match",
            },
            is_emphasized: true,
            details: Some(doubt.because.clone()),
        };
    }
    let (ruleset, table, chain) = step.place.at.find(rulesets);
    let (result, change) = match (step.outcome, step.place.rule(rulesets)) {
        (Outcome::NoMatch, _) => ("no", None),
        (Outcome::Unknown, _) => ("undetermined", None),
        (_, None) => {
            return StepSummary {
                result: chain.policy().name(),
                is_emphasized: false,
                details: None,
            };
        }
        (_, Some(rule)) => (
            extension::action(ruleset, table, rule).unwrap_or("only counts"),
            explain::change(
                &walked.trace.packet,
                &path.views[step.view as usize],
                &path.views[step.after as usize],
            ),
        ),
    };
    StepSummary {
        result,
        is_emphasized: matches!(step.outcome, Outcome::Match | Outcome::Policy),
        details: Some(change.unwrap_or_else(|| explain::why(rulesets, &walked.trace, path, &step))),
    }
}

/// The question that the reasons of a packet's outcome answer: "Why A is captured".
pub fn title_reasons(evaluation: &Evaluation, side: Side, walked: &Walked) -> String {
    let workspace = &evaluation.workspace;
    let who = if workspace.compare {
        side.letter()
    } else {
        "it"
    };
    let is_meshed = workspace.paste.mesh.is_some();
    match walked.headline.fate {
        Fate::Captured => format!("Why {who} is {}", Fate::Captured.word(is_meshed)),
        Fate::Direct if is_meshed => format!("Why {who} is not captured"),
        Fate::Direct => format!("Why {who} arrives"),
        Fate::Dropped => format!("Why {who} does not arrive"),
        Fate::Unknown => format!("Why the outcome of {who} is undetermined"),
    }
}

/// How a walk evaluated the step at which the walks diverge.
pub fn describe_divergence(rulesets: &[Ruleset], walked: &Walked, at: usize) -> String {
    let path = walked.path();
    let Some(step) = path.steps.get(at) else {
        return walked.end();
    };
    let how = match walked.outcome(at) {
        Outcome::Match | Outcome::Policy => "yes",
        Outcome::NoMatch => "no",
        Outcome::Unknown => "undetermined",
    };
    let why = explain::why(rulesets, &walked.trace, path, &step);
    format!("{}: {how}, {why}", format_place(rulesets, step.place))
}

/// The assumptions of a branch, as the condition of a sentence.
pub fn describe_condition(rulesets: &[Ruleset], branch: &Branch) -> String {
    let order = branch
        .first
        .map(|backend| format!("{backend:?} runs first").to_ascii_lowercase());
    let assumed = branch.assumes.iter();
    let assumed = assumed.map(|assumed| describe_assumption(rulesets, assumed));
    let conditions: Vec<String> = order.into_iter().chain(assumed).collect();
    conditions.join(", ")
}

fn describe_assumption(rulesets: &[Ruleset], assumed: &Assumption) -> String {
    let rule = format_place(rulesets, assumed.place);
    let because = &assumed.because;
    match (assumed.question, assumed.matches) {
        (Question::Target, true) => format!("{rule}: {because}: it is so"),
        (Question::Target, false) => format!("{rule}: {because}: it is not so"),
        (Question::Matches, true) => format!("{rule} matches ({because})"),
        (Question::Matches, false) => format!("{rule} does not match ({because})"),
        (Question::Translated, true) => format!("{rule} translated the connection ({because})"),
        (Question::Translated, false) => {
            format!("{rule} did not translate the connection ({because})")
        }
        (Question::Bridged, true) => format!("the bridge passes the packet on ({because})"),
        (Question::Bridged, false) => {
            format!("the bridge passes the packet to this host ({because})")
        }
        (Question::MissingRule, true) => format!("a rule that is not shown acts ({because})"),
        (Question::MissingRule, false) => format!("no rule is missing ({because})"),
    }
}

/// Whether the walks are certain, in words, and the letters of those that are not. `None` without
/// a complete packet.
pub fn describe_certainty(evaluation: &Evaluation) -> Option<(String, Vec<&'static str>)> {
    let count = evaluation.walks().count();
    let uncertain: Vec<&str> = evaluation
        .walks()
        .filter(|(_, walked)| !walked.trace.certain)
        .map(|(side, _)| side.letter())
        .collect();
    let says = match (uncertain.len(), count) {
        (_, 0) => return None,
        (0, 1) => "✓ Certain".to_owned(),
        (0, _) => "✓ Both certain".to_owned(),
        (1, 1) => "? Undetermined".to_owned(),
        _ => format!("? Undetermined for {}", uncertain.join(" and ")),
    };
    Some((says, uncertain))
}

/// Why no packet reaches a rule.
pub fn explain_unmet(evaluation: &Evaluation, place: Place) -> String {
    let rulesets = evaluation.workspace.paste.rulesets();
    let reasons: Vec<String> = evaluation
        .walks()
        .map(|(side, walked)| explain_miss(rulesets, place, side, walked))
        .collect();
    format!("Never reached: {}.", reasons.join(", "))
}

fn explain_miss(rulesets: &[Ruleset], place: Place, side: Side, walked: &Walked) -> String {
    let letter = side.letter();
    let steps = &walked.path().steps;
    let left = steps
        .iter()
        .rfind(|step: &Step| step.place.at == place.at && step.place.rule < place.rule)
        .filter(|step| step.outcome == Outcome::Match);
    match (left, place.at.find(rulesets).2.hook()) {
        (Some(left), _) => format!("{letter} leaves at {}", format_place(rulesets, left.place)),
        (None, Some(hook)) if steps.iter().all(|step| step.hook != hook) => {
            format!("{letter} does not pass {hook}")
        }
        (None, _) => format!("{letter} does not enter this chain"),
    }
}

/// The shared result of the folded rules of a chain.
pub fn describe_fold(evaluation: &Evaluation, at: ChainPlace, rules: &Range<u32>) -> String {
    // A packet that enters a chain reaches its first rule.
    let first = Place { at, rule: Some(0) };
    let mut absent = Vec::new();
    let mut has_left = false;
    for (side, walked) in evaluation.walks() {
        if walked.outcome_in(at, rules).is_none() {
            absent.push(side.letter());
            has_left |= walked.mark(first).is_some();
        }
    }
    let says = match (absent.len(), evaluation.workspace.sides().len()) {
        (0, _) => "none matches".to_owned(),
        (absent, all) if absent == all => "never reached".to_owned(),
        _ if has_left => format!("none matches, {} has left the chain", absent.join(" and ")),
        _ => format!("none matches, {} does not reach them", absent.join(" and ")),
    };
    format!("{}: {says}", format_count(rules.len(), "rule"))
}

/// The number of rules, chains, diagnostics and skipped lines of an input.
pub fn summarize_input(parsed: &Parsed) -> String {
    let rules = parsed.rulesets.iter().map(Ruleset::rules).sum();
    let tables = parsed.rulesets.iter().flat_map(|set| &set.tables);
    let chains = tables.map(|table| table.chains.len()).sum();
    let mut counts = Vec::new();
    for (severity, word) in [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Note, "note"),
    ] {
        let diagnostics = parsed.diagnostics.iter();
        let count = diagnostics.filter(|one| one.severity == severity).count();
        if count > 0 {
            counts.push(format_count(count, word));
        }
    }
    let counts = if counts.is_empty() {
        "all understood".to_owned()
    } else {
        counts.join(", ")
    };
    let skipped = match parsed.other_lines {
        0 => String::new(),
        lines => format!(" {} without rules skipped.", format_count(lines, "line")),
    };
    format!(
        "{} in {}: {counts}.{skipped}",
        format_count(rules, "rule"),
        format_count(chains, "chain")
    )
}

/// How to make a change of a mesh's rules permanent; empty for other rules.
pub fn describe_lasting_change(original: &Paste) -> String {
    let Some(mesh) = &original.mesh else {
        return String::new();
    };
    let options: Vec<&str> = mesh
        .options
        .iter()
        .map(|setting| mesh.option_name(setting.option))
        .collect();
    let options = if options.is_empty() {
        "one of its options".to_owned()
    } else {
        format!("an option ({})", options.join(", "))
    };
    format!(
        " {} writes its rules for each new pod. For a lasting change, set {options}.",
        mesh.name()
    )
}

/// The processes that run as the proxy. The owner rules cannot distinguish them from it.
pub fn list_proxies(paste: &Paste) -> Option<String> {
    let mesh = paste.mesh.as_ref()?;
    let processes = paste.host.processes.iter();
    let names: Vec<String> = processes
        .filter(|process| proxy_processes::is_proxy(mesh, process))
        .map(|process| format!("{} (pid {})", process.command, process.pid))
        .collect();
    (!names.is_empty()).then(|| names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::State;

    #[test]
    fn a_step_and_its_summary() {
        let state = State::default();
        let rulesets = state.paste().rulesets();
        let app = state.evaluation.walked(Side::A).expect("it is shown");
        let summary = summarize_step(rulesets, app, 9);
        assert_eq!(
            (summary.result, summary.is_emphasized),
            ("ISTIO_REDIRECT", true)
        );
        let summary = summarize_step(rulesets, app, 1);
        assert_eq!((summary.result, summary.is_emphasized), ("no", false));
        assert!(describe_step(rulesets, app, 11).ends_with(&format!("{}.", capital(&app.end()))));
        assert!(describe_step(rulesets, app, 12).starts_with("The walk has ended: "));
    }

    #[test]
    fn folds_and_unmet_rules_are_explained() {
        let state = State::default();
        let evaluation = &state.evaluation;
        let app = evaluation.walked(Side::A).expect("it is shown");
        let at = app.path().steps.at(2).place.at;
        assert_eq!(
            describe_fold(evaluation, at, &(4..8)),
            "4 rules: none matches, B has left the chain"
        );
        assert_eq!(
            describe_fold(evaluation, at, &(0..3)),
            "3 rules: none matches"
        );
        let rule = Some(5);
        assert_eq!(
            explain_unmet(evaluation, Place { at, rule }),
            "Never reached: A does not enter this chain, B leaves at ISTIO_OUTPUT 4."
        );
    }
}
