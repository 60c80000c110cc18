//! The steps of one or two walks as rows: what both do once, then side by side; runs without a match folded.

use std::ops::Range;

use chainwalk_core::walk::trace::Outcome;

use crate::walked::Walked;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pair {
    /// Steps that all walks shown take.
    Shared(Range<usize>),
    /// From here on they differ.
    Parting,
    /// What each does; an end stands where a walk has no more steps.
    Each(Vec<Cell>),
}

/// One walk's part of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Steps: one, or a run without a match.
    Steps(Range<usize>),
    /// Where the packet ends.
    End,
    /// It has ended before.
    Nothing,
}

/// All rows. `part` is the first step at which the walks differ.
pub(crate) fn list(walks: &[&Walked], part: Option<usize>) -> Vec<Pair> {
    let shared = match (walks, part) {
        ([first, _], part) => part.unwrap_or(first.path().steps.len()),
        _ => 0,
    };
    let mut rows = Vec::new();
    if let [first, _] = walks {
        rows.extend(runs(first, 0..shared, false).into_iter().map(Pair::Shared));
        if part.is_some() {
            rows.push(Pair::Parting);
        }
    }
    let columns: Vec<Vec<Range<usize>>> =
        walks.iter().map(|walked| runs(walked, shared..walked.path().steps.len(), part.is_some())).collect();
    let longest = columns.iter().map(Vec::len).max().unwrap_or(0);
    for row in 0..=longest {
        let cell = |column: &Vec<Range<usize>>| match column.get(row) {
            Some(steps) => Cell::Steps(steps.clone()),
            None if row == column.len() => Cell::End,
            None => Cell::Nothing,
        };
        rows.push(Pair::Each(columns.iter().map(cell).collect()));
    }
    rows
}

/// Single steps, and runs of at least two steps of one chain that did not match. Where walks part, the first step stands
/// alone.
fn runs(walked: &Walked, steps: Range<usize>, parting: bool) -> Vec<Range<usize>> {
    let path = walked.path();
    let mut runs: Vec<Range<usize>> = Vec::new();
    for at in steps.clone() {
        let step = &path.steps[at];
        let joins = runs.last().is_some_and(|run| {
            let before = &path.steps[run.end - 1];
            !(parting && run.start == steps.start)
                && walked.outcome(run.end - 1) == Outcome::NoMatch
                && walked.outcome(at) == Outcome::NoMatch
                && (before.place.at, before.caller, before.hook) == (step.place.at, step.caller, step.hook)
        });
        match runs.last_mut() {
            Some(run) if joins => run.end = at + 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paste::Paste;
    use chainwalk_core::compare;

    fn rows(keys: &[&str]) -> Vec<String> {
        let paste = Paste::sample(0);
        let walk = |key: &&str| {
            Walked::new(paste.rulesets(), None, &paste.host, &paste.scenario(key).expect("known").packet, &[])
        };
        let walks: Vec<Walked> = keys.iter().map(walk).collect();
        let walks: Vec<&Walked> = walks.iter().collect();
        let part = if let [a, b] = walks[..] { compare::part(a.path(), b.path()) } else { None };
        let range = |range: &Range<usize>| match range.len() {
            1 => (range.start + 1).to_string(),
            _ => format!("{}-{}", range.start + 1, range.end),
        };
        let cell = |cell: &Cell| match cell {
            Cell::Steps(steps) => range(steps),
            Cell::End => "end".into(),
            Cell::Nothing => "".into(),
        };
        let say = |pair: &Pair| match pair {
            Pair::Shared(steps) => range(steps),
            Pair::Parting => "part".into(),
            Pair::Each(cells) => cells.iter().map(cell).collect::<Vec<_>>().join("|"),
        };
        list(&walks, part).iter().map(say).collect()
    }

    #[test]
    fn two_walks_share_part_and_end() {
        assert_eq!(
            rows(&["internet", "as-proxy"]),
            ["1", "2-4", "part", "5|5", "6-9|6", "10|7", "11|end", "12|", "end|"]
        );
    }

    #[test]
    fn one_walk_is_one_column() {
        assert_eq!(rows(&["internet"]), ["1", "2-9", "10", "11", "12", "end"]);
    }

    #[test]
    fn equal_walks_never_part() {
        assert_eq!(rows(&["internet", "internet"]), ["1", "2-9", "10", "11", "12", "end|end"]);
    }

    #[test]
    fn walks_that_part_at_once_share_nothing() {
        assert_eq!(rows(&["internet", "inbound"])[..2], ["part", "1|1"]);
    }
}
