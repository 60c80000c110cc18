//! The steps of one table as stations. Each rule is a station if there is room. Otherwise runs
//! without a match are folded.

use std::ops::Range;

use crate::analysis::explain;
use crate::netfilter::ruleset::Ruleset;
use crate::walk::trace::{Outcome, Path, Step};

use super::{Track, outcome};

/// One station: a step, or several.
pub(super) type Cell = Range<usize>;

/// The parameters of a layout of stations.
pub(super) struct Plan<'a> {
    /// Steps that must not be folded: the cursor, the decisive rule, and the first difference of
    /// two paths. The first one gets the most stations around it.
    pub(super) kept: &'a [usize],
    /// Their maximum total width.
    pub(super) room: i32,
    /// The width of the stations for everything omitted before and after.
    pub(super) rest: i32,
}

/// Makes stations for some steps. `wide` measures the width of each.
///
/// Every step has its own station if they fit. Otherwise, runs that match nothing become one
/// station. If this is not enough, steps far from the cursor become one station, too.
pub(super) fn cells(
    lane: &Track,
    steps: Range<usize>,
    plan: &Plan,
    wide: impl Fn(&Cell) -> i32,
) -> Vec<Cell> {
    let total = |cells: &[Cell]| cells.iter().map(&wide).sum::<i32>();
    // More steps cannot fit on any screen.
    if steps.len() < 200 {
        let single: Vec<Cell> = steps.clone().map(|step| step..step + 1).collect();
        if total(&single) <= plan.room {
            return single;
        }
    }
    let runs = runs(lane, steps.clone(), plan.kept);
    if runs.len() < 200 && total(&runs) <= plan.room {
        return runs;
    }
    // Begin at the cursor, or at the start if the cursor is in another table.
    let cursor = plan.kept.first();
    let at = runs
        .iter()
        .position(|run| cursor.is_some_and(|cursor| run.contains(cursor)))
        .unwrap_or(0);
    let (mut first, mut end) = (at, (at + 1).min(runs.len()));
    let mut left = plan.room - 2 * plan.rest - runs.get(at).map_or(0, &wide);
    loop {
        let before = (first > 0)
            .then(|| wide(&runs[first - 1]))
            .filter(|wide| *wide <= left);
        if let Some(wide) = before {
            first -= 1;
            left -= wide;
        }
        let behind = runs.get(end).map(&wide).filter(|wide| *wide <= left);
        if let Some(wide) = behind {
            end += 1;
            left -= wide;
        }
        if before.is_none() && behind.is_none() {
            break;
        }
    }
    let mut cells = Vec::new();
    if first > 0 {
        cells.push(steps.start..runs[first].start);
    }
    cells.extend_from_slice(&runs[first..end]);
    if end < runs.len() {
        cells.push(runs[end].start..steps.end);
    }
    cells
}

/// Single steps, and runs of at least two steps in one chain that did not match.
fn runs(lane: &Track, steps: Range<usize>, kept: &[usize]) -> Vec<Cell> {
    let mut cells: Vec<Cell> = Vec::new();
    // The chain of the last run, as long as it may continue.
    let mut open = None;
    for run in lane.path.steps.runs() {
        let places = run.places();
        let (mut at, end) = (places.start.max(steps.start), places.end.min(steps.end));
        let chain = (run.first.place.at, run.first.caller, run.first.hook);
        while at < end {
            let single = || kept.iter().chain(&lane.doubts).copied();
            let folds = run.first.outcome == Outcome::NoMatch && !single().any(|step| step == at);
            let next = if folds {
                single().filter(|step| *step > at).fold(end, usize::min)
            } else {
                at + 1
            };
            match cells.last_mut() {
                Some(last) if folds && open == Some(chain) => last.end = next,
                _ => cells.push(at..next),
            }
            open = folds.then_some(chain);
            at = next;
        }
    }
    cells
}

/// Whether two steps belong to the same call of the same chain.
pub(super) fn in_one_chain(one: &Step, other: &Step) -> bool {
    (one.place.at, one.caller, one.hook) == (other.place.at, other.caller, other.hook)
}

/// The number of a rule, `policy`, the numbers of a run, or the number of omitted steps.
pub(super) fn label(path: &Path, cell: &Cell) -> String {
    let (first, last) = (path.steps.at(cell.start), path.steps.at(cell.end - 1));
    match (first.place.rule, last.place.rule) {
        (Some(first), _) if cell.len() == 1 => (first + 1).to_string(),
        (Some(from), Some(to))
            if in_one_chain(&first, &last) && (to - from) as usize + 1 == cell.len() =>
        {
            format!("{}–{}", from + 1, to + 1)
        }
        _ if cell.len() == 1 => "policy".into(),
        _ => format!("+{}", cell.len()),
    }
}

/// Whether a station represents steps of which some match.
pub(super) fn is_mixed(lane: &Track, cell: &Cell) -> bool {
    let mut runs = lane
        .path
        .steps
        .runs()
        .iter()
        .filter(|run| run.places().start < cell.end && cell.start < run.places().end);
    cell.len() > 1 && runs.any(|run| run.first.outcome != Outcome::NoMatch)
}

/// The name of a station: "ISTIO_OUTPUT 4, matches, for B".
pub(super) fn name(rulesets: &[Ruleset], lane: &Track, cell: &Cell) -> String {
    let step = lane.path.steps.at(cell.start);
    let place = explain::place(rulesets, step.place);
    let became = match outcome(lane, cell.start) {
        Outcome::Match => "matches",
        Outcome::Policy => "applies",
        Outcome::NoMatch => "does not match",
        Outcome::Unknown => "undetermined",
    };
    match cell.len() {
        1 => format!("{}: {place} {became}", lane.letter),
        more => format!("{}: {place} and {} more steps", lane.letter, more - 1),
    }
}

/// The action of a step, as rules name it: `RETURN`, `ACCEPT`; empty if the rule does not match.
pub(super) fn action<'a>(rulesets: &'a [Ruleset], step: &Step) -> &'a str {
    let (ruleset, table, chain) = step.place.at.find(rulesets);
    match (step.outcome, step.place.rule(rulesets)) {
        (Outcome::NoMatch | Outcome::Unknown, _) => "",
        (_, None) => chain.policy().name(),
        (_, Some(rule)) => {
            crate::iptables::extension::action(ruleset, table, rule).unwrap_or("only counts")
        }
    }
}

/// The callers of the chain of a step, as steps. The outermost is the first, and the chain's own
/// call is the last. `None` is the built-in chain.
pub(super) fn calls(path: &Path, step: usize) -> Vec<Option<u32>> {
    let mut calls = vec![path.steps.at(step).caller];
    while let Some(Some(caller)) = calls.last() {
        calls.push(path.steps.at(*caller as usize).caller);
    }
    calls.reverse();
    calls
}
