//! The steps of one or two walks as rows: shared steps once, then both walks in two columns. Runs
//! of steps without a match are folded.

use std::ops::Range;

use chainwalk_core::walk::trace::Outcome;

use crate::walked::Walked;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pair {
    /// Steps that all shown walks share.
    Shared(Steps),
    /// The place of the divergence.
    Parting,
    /// The steps of each walk, or its end.
    Each(Vec<Cell>),
}

/// One walk's part of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// The steps.
    Steps(Steps),
    /// The end of the packet.
    End,
    /// The walk has already ended.
    Nothing,
}

/// A step, or a run of steps without a match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps {
    /// The range of steps.
    pub at: Range<usize>,
    /// Whether the run is unfolded; `None` for a single step.
    pub open: Option<bool>,
}

impl Steps {
    /// Whether this row shows a step: an opened run has one row for each of its steps.
    pub fn shows(&self, step: usize) -> bool {
        self.open != Some(true) && self.at.contains(&step)
    }
}

impl Pair {
    /// Whether this row shows a step.
    pub fn shows(&self, step: usize) -> bool {
        match self {
            Self::Shared(steps) => steps.shows(step),
            Self::Each(cells) => cells
                .iter()
                .any(|cell| matches!(cell, Cell::Steps(steps) if steps.shows(step))),
            Self::Parting => false,
        }
    }
}

/// All rows. `part` is the step of the divergence, `opened` are the first steps of unfolded runs.
pub fn list(walks: &[&Walked], part: Option<usize>, opened: &[usize]) -> Vec<Pair> {
    let shared = match (walks, part) {
        ([first, _], part) => part.unwrap_or(first.path().steps.len()),
        _ => 0,
    };
    let mut rows = Vec::new();
    if let [first, _] = walks {
        rows.extend(
            runs(first, 0..shared, false, opened)
                .into_iter()
                .map(Pair::Shared),
        );
        if part.is_some() {
            rows.push(Pair::Parting);
        }
    }
    let columns: Vec<Vec<Steps>> = walks
        .iter()
        .map(|walked| {
            runs(
                walked,
                shared..walked.path().steps.len(),
                part.is_some(),
                opened,
            )
        })
        .collect();
    let longest = columns.iter().map(Vec::len).max().unwrap_or(0);
    for row in 0..=longest {
        rows.push(Pair::Each(
            columns
                .iter()
                .map(|column: &Vec<Steps>| match column.get(row) {
                    Some(steps) => Cell::Steps(steps.clone()),
                    None if row == column.len() => Cell::End,
                    None => Cell::Nothing,
                })
                .collect(),
        ));
    }
    rows
}

/// Single steps, and runs of at least two steps of one chain that did not match. The step of the
/// divergence has its own row.
fn runs(walked: &Walked, steps: Range<usize>, parting: bool, opened: &[usize]) -> Vec<Steps> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    // The chain of the last run, while the run can continue.
    let mut open = None;
    for run in walked.path().steps.runs() {
        let places = run.places();
        let (start, end) = (places.start.max(steps.start), places.end.min(steps.end));
        let mut at = start;
        while at < end {
            let alone = at == steps.start && parting;
            let quiet = walked.outcome(at) == Outcome::NoMatch;
            // An undetermined step has its own row, even with an assumption.
            let next = if quiet && !alone {
                walked.next_doubt(at).min(end)
            } else {
                at + 1
            };
            let chain = (run.first.place.at, run.first.caller, run.first.hook);
            match runs.last_mut() {
                Some(last) if quiet && open == Some(chain) => last.end = next,
                _ => runs.push(at..next),
            }
            open = (quiet && !alone).then_some(chain);
            at = next;
        }
    }
    let mut rows = Vec::new();
    for at in runs {
        let open = (at.len() > 1).then(|| opened.contains(&at.start));
        let single = if open == Some(true) { at.clone() } else { 0..0 };
        rows.push(Steps { at, open });
        rows.extend(single.map(|step| Steps {
            at: step..step + 1,
            open: None,
        }));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paste::Paste;
    use chainwalk_core::analysis::compare;

    fn rows(keys: &[&str], opened: &[usize]) -> Vec<String> {
        let paste = Paste::sample(0);
        let walks: Vec<Walked> = keys
            .iter()
            .map(|key: &&str| {
                Walked::new(
                    paste.rulesets(),
                    None,
                    &paste.host,
                    &paste.scenario(key).expect("known").packet,
                    &[],
                )
            })
            .collect();
        let walks: Vec<&Walked> = walks.iter().collect();
        let part = if let [a, b] = walks[..] {
            compare::part(a.path(), b.path())
        } else {
            None
        };
        let range = |Steps { at, open }: &Steps| match open {
            None => (at.start + 1).to_string(),
            Some(open) => format!(
                "{}-{}{}",
                at.start + 1,
                at.end,
                if *open { ":" } else { "" }
            ),
        };
        list(&walks, part, opened)
            .iter()
            .map(|pair: &Pair| match pair {
                Pair::Shared(steps) => range(steps),
                Pair::Parting => "part".into(),
                Pair::Each(cells) => cells
                    .iter()
                    .map(|cell: &Cell| match cell {
                        Cell::Steps(steps) => range(steps),
                        Cell::End => "end".into(),
                        Cell::Nothing => "".into(),
                    })
                    .collect::<Vec<_>>()
                    .join("|"),
            })
            .collect()
    }

    #[test]
    fn two_walks_share_part_and_end() {
        assert_eq!(
            rows(&["internet", "as-proxy"], &[]),
            [
                "1", "2-4", "part", "5|5", "6-9|6", "10|7", "11|end", "12|", "end|"
            ]
        );
    }

    #[test]
    fn one_walk_is_one_column() {
        assert_eq!(
            rows(&["internet"], &[]),
            ["1", "2-9", "10", "11", "12", "end"]
        );
    }

    #[test]
    fn a_run_unfolds_into_its_steps() {
        assert_eq!(
            rows(&["internet", "as-proxy"], &[1, 5]),
            [
                "1", "2-4:", "2", "3", "4", "part", "5|5", "6-9:|6", "6|7", "7|end", "8|", "9|",
                "10|", "11|", "12|", "end|"
            ]
        );
    }

    #[test]
    fn equal_walks_never_part() {
        assert_eq!(
            rows(&["internet", "internet"], &[]),
            ["1", "2-9", "10", "11", "12", "end|end"]
        );
    }

    #[test]
    fn walks_that_part_at_once_share_nothing() {
        assert_eq!(rows(&["internet", "inbound"], &[])[..2], ["part", "1|1"]);
    }
}
