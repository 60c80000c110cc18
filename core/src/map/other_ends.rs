//! The paths of an uncertain walk that are not shown: the step at which each leaves the shown path,
//! and its outcome.

use crate::analysis::compare;
use crate::analysis::explain::Fate;
use crate::netfilter::gap::GapReason;
use crate::netfilter::ruleset::{Chain, Ruleset};
use crate::walk::trace::{Branch, Question, Trace, Verdict};

use super::Other;

/// Lists each other outcome once, with the first condition that leads to it. `say` describes an
/// outcome in one or two words.
pub fn others(rulesets: &[Ruleset], trace: &Trace, say: impl Fn(&Verdict) -> String) -> Vec<Other> {
    let Some((shown, rest)) = trace.branches.split_first() else {
        return Vec::new();
    };
    let mut others: Vec<Other> = Vec::new();
    for branch in rest {
        let Some(step) = compare::part(&shown.path, &branch.path) else {
            continue;
        };
        let verdict = branch.path.verdict.as_ref();
        let end = verdict.map_or_else(|| "no end is known".into(), &say);
        let fate = Fate::from_verdict(verdict);
        let is_new = others
            .iter()
            .all(|other| (other.fate, &other.end) != (fate, &end));
        let differs = shown
            .path
            .verdict
            .as_ref()
            .zip(verdict)
            .is_none_or(|(one, other)| !one.same_end(other));
        if is_new && differs {
            others.push(Other {
                step,
                fate,
                end,
                given: given(rulesets, shown, branch),
            });
        }
    }
    others
}

/// Whether damaged rules are all that a chain lacks.
fn is_damage(chain: &Chain) -> bool {
    let mut gaps = chain.gaps.iter();
    gaps.len() > 0 && gaps.all(|gap| gap.reason == GapReason::Damaged)
}

/// The assumptions that distinguish a branch from the shown one.
fn given(rulesets: &[Ruleset], shown: &Branch, branch: &Branch) -> String {
    let mut pairs = shown.assumes.iter().zip(&branch.assumes);
    let first = pairs.find(|(one, other)| (one.place, one.matches) != (other.place, other.matches));
    match (first.map(|(_, other)| other), branch.first) {
        (Some(assumed), _) => {
            let (_, _, chain) = assumed.place.at.find(rulesets);
            let rule = assumed.place.rule.map_or(0, |rule| rule + 1);
            let does = match (assumed.question, assumed.matches) {
                (Question::Matches, true) => "matches",
                (Question::Matches, false) => "does not match",
                (Question::Target, true) => "finds it so",
                (Question::Target, false) => "does not find it so",
                (Question::Translated, true) => "translated the connection",
                (Question::Translated, false) => "did not translate the connection",
                (Question::Bridged, true) => return "the bridge passes it on".into(),
                (Question::Bridged, false) => return "the bridge passes it to this host".into(),
                (Question::MissingRule, acts) if is_damage(chain) => {
                    let does = if acts { "acts" } else { "does not act" };
                    return format!("a damaged rule of {} {does}", chain.name);
                }
                (Question::MissingRule, true) => {
                    return format!("a rule of {} that is not shown acts", chain.name);
                }
                (Question::MissingRule, false) => {
                    return format!("only the shown rules of {} act", chain.name);
                }
            };
            format!("{} {rule} {does}", chain.name)
        }
        (None, Some(backend)) => format!("{backend:?} runs first").to_ascii_lowercase(),
        (None, None) => "a rule answers otherwise".into(),
    }
}
