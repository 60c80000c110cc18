//! The rule list as rows: chains in the order in which packets meet them, long runs of rules that nothing matched folded.

use std::ops::Range;

use chainwalk_core::order;
use chainwalk_core::ruleset::Ruleset;
use chainwalk_core::walk::trace::{ChainPlace, Outcome, Place};

use crate::walked::{Marks, Walked};

/// Runs this long fold.
const FOLD: usize = 4;

/// In which order the list shows the rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Order {
    /// The chains that packets meet, as they meet them; the others in one line.
    #[default]
    Walked,
    /// All chains, in the order of the text.
    Saved,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// A chain begins.
    Chain {
        /// The chain.
        at: ChainPlace,
        /// The rules that led packets into it.
        callers: Vec<Place>,
    },
    /// A rule, or the policy of a built-in chain.
    Rule(Place),
    /// Rules that neither packet matches.
    Fold {
        /// Their chain.
        at: ChainPlace,
        /// Their places in it, from 0.
        rules: Range<u32>,
    },
    /// Chains that no packet meets.
    Unmet {
        /// How many.
        chains: usize,
        /// The rules in them.
        rules: usize,
    },
}

/// Folds that the reader has opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Opened {
    /// First rules of opened runs.
    pub(crate) runs: Vec<Place>,
    /// Whether the chains that no packet meets are shown.
    pub(crate) unmet: bool,
}

/// All rows.
pub(crate) fn list(rulesets: &[Ruleset], walks: &[&Walked], order: Order, opened: &Opened) -> Vec<Row> {
    let met = met(walks);
    let saved = saved(rulesets);
    let mut rows = Vec::new();
    match order {
        Order::Saved => {
            for at in saved {
                let by = met.iter().find(|(other, _)| *other == at).map(|(_, by)| by.clone()).unwrap_or_default();
                chain(rulesets, walks, opened, at, by, false, &mut rows);
            }
        }
        Order::Walked => {
            let mut known: Vec<ChainPlace> = met.iter().map(|(at, _)| *at).collect();
            order::sort_by_key(&mut known, |at| *at);
            for (at, by) in met {
                chain(rulesets, walks, opened, at, by, true, &mut rows);
            }
            let unmet: Vec<ChainPlace> = saved.into_iter().filter(|at| known.binary_search(at).is_err()).collect();
            if !unmet.is_empty() {
                let rules = unmet.iter().map(|at| at.find(rulesets).2.rules.len()).sum();
                rows.push(Row::Unmet { chains: unmet.len(), rules });
            }
            if opened.unmet {
                for at in unmet {
                    chain(rulesets, walks, opened, at, Vec::new(), true, &mut rows);
                }
            }
        }
    }
    rows
}

/// Chains in the order in which the walks meet them, with the rules that led there.
fn met(walks: &[&Walked]) -> Vec<(ChainPlace, Vec<Place>)> {
    let mut met: Vec<(ChainPlace, Vec<Place>)> = Vec::new();
    for walked in walks {
        let steps = &walked.path().steps;
        let mut last = None;
        for run in steps.runs() {
            let step = run.first;
            if last == Some((step.place.at, step.caller)) {
                continue;
            }
            last = Some((step.place.at, step.caller));
            let known = match met.iter().position(|(at, _)| *at == step.place.at) {
                Some(known) => known,
                None => {
                    met.push((step.place.at, Vec::new()));
                    met.len() - 1
                }
            };
            if let Some(caller) = step.caller.map(|caller| steps.at(caller as usize).place)
                && !met[known].1.contains(&caller)
            {
                met[known].1.push(caller);
            }
        }
    }
    met
}

/// All chains, in the order of the text.
fn saved(rulesets: &[Ruleset]) -> Vec<ChainPlace> {
    let mut all = Vec::new();
    for (ruleset, set) in (0..).zip(rulesets) {
        for table in &set.tables {
            let chains = (0..).zip(&table.chains);
            all.extend(chains.map(|(chain, _)| ChainPlace { ruleset, table: table.name, chain }));
        }
    }
    all
}

fn chain(
    rulesets: &[Ruleset],
    walks: &[&Walked],
    opened: &Opened,
    at: ChainPlace,
    callers: Vec<Place>,
    folds: bool,
    rows: &mut Vec<Row>,
) {
    let (_, _, chain) = at.find(rulesets);
    rows.push(Row::Chain { at, callers });
    let rules = u32::try_from(chain.rules.len()).expect("rules are fewer than bytes of a text below 4 GiB");
    let place = |rule: u32| Place { at, rule: Some(rule) };
    let marks: Vec<&Marks> = walks.iter().filter_map(|walked| walked.chain(at)).collect();
    let speaks =
        |rule: u32| marks.iter().any(|marks| marks.rule(rule).is_some_and(|mark| mark.outcome != Outcome::NoMatch));
    let mut next = 0;
    while next < rules {
        let quiet = (next..rules).take_while(|rule| !speaks(*rule)).count();
        let end = next + u32::try_from(quiet).expect("no more than there are rules");
        if folds && quiet >= FOLD && !opened.runs.contains(&place(next)) {
            rows.push(Row::Fold { at, rules: next..end });
        } else {
            rows.extend((next..end).map(|rule| Row::Rule(place(rule))));
        }
        if end < rules {
            rows.push(Row::Rule(place(end)));
        }
        next = end + 1;
    }
    if chain.hook.is_some() {
        rows.push(Row::Rule(Place { at, rule: None }));
    }
}

/// Takes the rule under the cursor out of a fold: what stands before it, itself, what stands behind.
pub(crate) fn unfold(at: ChainPlace, rules: Range<u32>, cursors: &[Place]) -> Vec<Row> {
    let shown = rules.clone().filter(|rule| cursors.contains(&Place { at, rule: Some(*rule) }));
    let mut rows = Vec::new();
    let fold = |rules: Range<u32>, rows: &mut Vec<Row>| match rules.len() {
        0 => {}
        1 => rows.push(Row::Rule(Place { at, rule: Some(rules.start) })),
        _ => rows.push(Row::Fold { at, rules }),
    };
    let mut start = rules.start;
    for rule in shown {
        fold(start..rule, &mut rows);
        rows.push(Row::Rule(Place { at, rule: Some(rule) }));
        start = rule + 1;
    }
    fold(start..rules.end, &mut rows);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paste::Paste;

    /// Rows in short: `OUTPUT:`, `4`, `policy`, `5-8`, `+4/7`.
    fn short(order: Order, opened: &Opened, keys: &[&str]) -> String {
        let paste = Paste::sample(0);
        let walk = |key: &&str| {
            Walked::new(paste.rulesets(), None, &paste.host, &paste.scenario(key).expect("known").packet, &[])
        };
        let walks: Vec<Walked> = keys.iter().map(walk).collect();
        let walks: Vec<&Walked> = walks.iter().collect();
        let say = |row: &Row| match row {
            Row::Chain { at, .. } => format!("{}:", at.find(paste.rulesets()).2.name),
            Row::Rule(Place { rule: Some(rule), .. }) => (rule + 1).to_string(),
            Row::Rule(_) => "policy".into(),
            Row::Fold { rules, .. } => format!("{}-{}", rules.start + 1, rules.end),
            Row::Unmet { chains, rules } => format!("+{chains}/{rules}"),
        };
        let rows = list(paste.rulesets(), &walks, order, opened);
        rows.iter().map(say).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn two_walks_show_the_chains_they_meet_and_fold_what_nobody_matched() {
        assert_eq!(
            short(Order::Walked, &Opened::default(), &["internet", "as-proxy"]),
            "OUTPUT: 1 policy ISTIO_OUTPUT: 1 2 3 4 5-8 9 ISTIO_REDIRECT: 1 POSTROUTING: policy +4/7"
        );
        assert_eq!(
            short(Order::Walked, &Opened::default(), &["internet"]),
            "OUTPUT: 1 policy ISTIO_OUTPUT: 1-8 9 ISTIO_REDIRECT: 1 POSTROUTING: policy +4/7"
        );
    }

    #[test]
    fn the_saved_order_shows_everything() {
        assert_eq!(
            short(Order::Saved, &Opened::default(), &["internet"]),
            "PREROUTING: 1 policy INPUT: policy OUTPUT: 1 policy POSTROUTING: policy ISTIO_INBOUND: 1 2 3 4 5 \
             ISTIO_IN_REDIRECT: 1 ISTIO_OUTPUT: 1 2 3 4 5 6 7 8 9 ISTIO_REDIRECT: 1"
        );
    }

    #[test]
    fn opened_chains_follow_the_line_that_opened_them() {
        let opened = Opened { unmet: true, ..Opened::default() };
        let rows = short(Order::Walked, &opened, &["internet"]);
        assert!(
            rows.ends_with("+4/7 PREROUTING: 1 policy INPUT: policy ISTIO_INBOUND: 1-5 ISTIO_IN_REDIRECT: 1"),
            "{rows}"
        );
    }

    #[test]
    fn the_rule_under_the_cursor_is_never_folded_away() {
        let at = ChainPlace { ruleset: 0, table: chainwalk_core::ruleset::TableName::Nat, chain: 0 };
        let place = |rule| Place { at, rule: Some(rule) };
        assert_eq!(unfold(at, 4..8, &[]), [Row::Fold { at, rules: 4..8 }]);
        assert_eq!(
            unfold(at, 4..8, &[place(5)]),
            [Row::Rule(place(4)), Row::Rule(place(5)), Row::Fold { at, rules: 6..8 }]
        );
    }
}
