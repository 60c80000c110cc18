//! The rule list as rows: chains in the order of the walks. Long runs of rules without a match are
//! folded.

use std::ops::Range;
use std::vec::IntoIter;

use chainwalk_core::analysis::search::Search;
use chainwalk_core::input::parse::Parsed;
use chainwalk_core::netfilter::place::{ChainPlace, Place};
use chainwalk_core::netfilter::ruleset::Ruleset;
use chainwalk_core::walk::trace::Outcome;

mod index;

pub use index::Index;

use crate::walked::{Mark, Marks, Walked};

/// The shortest run that is folded.
const FOLD: usize = 4;

/// The order of the rules in the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The chains of the walks in their order; all other chains in one line.
    #[default]
    Walked,
    /// All chains, in the order of the text.
    Saved,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A table begins: its rule set, its place there, and whether its chains are shown.
    Table(u32, u32, bool),
    /// A chain begins.
    Chain {
        /// The chain.
        at: ChainPlace,
        /// The rules that led packets into it.
        callers: Vec<Place>,
        /// Whether its rules are shown.
        open: bool,
    },
    /// A rule, or the policy of a built-in chain.
    Rule(Place),
    /// A disabled rule: its rule set, and its place in [`Ruleset::off`].
    Off(u32, u32),
    /// Rules that neither packet matches.
    Fold {
        /// Their chain.
        at: ChainPlace,
        /// Their places in it, from 0.
        rules: Range<u32>,
    },
    /// Chains that no packet enters.
    Unmet {
        /// The number of chains.
        chains: usize,
        /// The number of their rules.
        rules: usize,
    },
}

/// The opened and closed parts, and the search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// The first rules of unfolded runs.
    pub(crate) runs: Vec<Place>,
    /// The run that was unfolded last. The list scrolls to it until the next action.
    pub newest: Option<Place>,
    /// Whether the chains that no packet enters are shown.
    pub unmet: bool,
    /// Closed chains; `None` closes a whole table.
    closed: Vec<(u32, u32, Option<u32>)>,
    /// The search query.
    pub query: String,
    search: Option<Search>,
    /// Whether only the chains and rules of the walks are shown.
    pub met: bool,
}

/// A change of the list.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleListAction {
    /// Unfolds a run.
    Unfold(Place),
    /// Shows or hides the chains that no packet enters.
    Unmet,
    /// Closes or opens a chain or a table.
    Close(u32, u32, Option<u32>),
    /// Changes the search query.
    Search(String),
    /// Shows only the chains and rules of the walks, or all.
    Met,
}

impl Opened {
    pub(crate) fn apply(&mut self, what: RuleListAction) {
        match what {
            RuleListAction::Unfold(place) => {
                self.runs.push(place);
                self.newest = Some(place);
            }
            RuleListAction::Unmet => self.unmet = !self.unmet,
            RuleListAction::Close(ruleset, table, chain) => {
                let closed = (ruleset, table, chain);
                match self.closed.iter().position(|other| *other == closed) {
                    Some(place) => drop(self.closed.swap_remove(place)),
                    None => self.closed.push(closed),
                }
            }
            RuleListAction::Search(query) => {
                self.search = Search::new(&query);
                self.query = query;
            }
            RuleListAction::Met => self.met = !self.met,
        }
    }

    /// Folds all runs, because new walks have new runs.
    pub(crate) fn close_runs(&mut self) {
        self.runs.clear();
        (self.unmet, self.newest) = (false, None);
    }

    /// Opens everything, because new rules have new places.
    pub(crate) fn forget(&mut self) {
        self.close_runs();
        self.closed.clear();
    }

    /// Shows a rule, whatever hides it.
    pub(crate) fn reach(&mut self, place: Place) {
        let at = place.at;
        self.unmet = true;
        self.met = false;
        (self.search, self.query) = (None, String::new());
        self.closed.retain(|(ruleset, table, chain)| {
            (*ruleset, *table) != (at.ruleset, at.table)
                || chain.is_some_and(|chain| chain != at.chain)
        });
    }

    /// Whether the list shows the rules that a search finds.
    pub(crate) fn searches(&self) -> bool {
        self.search.is_some()
    }

    fn shows(&self, at: ChainPlace) -> bool {
        !self
            .closed
            .contains(&(at.ruleset, at.table, Some(at.chain)))
    }
}

/// Whether a row shows the rule, alone or in a fold.
pub(crate) fn shows(rows: &[Row], place: Place) -> bool {
    rows.iter().any(|row| match row {
        Row::Rule(other) => *other == place,
        Row::Fold { at, rules } => {
            *at == place.at && place.rule.is_some_and(|rule| rules.contains(&rule))
        }
        _ => false,
    })
}

/// All rows.
pub(crate) fn list(parsed: &Parsed, walks: &[&Walked], order: Order, opened: &Opened) -> Vec<Row> {
    let rulesets = &parsed.rulesets[..];
    let met = met(walks);
    let saved = saved(rulesets);
    let mut list = List {
        parsed,
        walks,
        opened,
        folds: false,
        rows: Vec::new(),
    };
    if opened.search.is_some() {
        let mut search = RuleSearch::new(rulesets);
        search.go_on(parsed, walks, opened, usize::MAX);
        return search.rows;
    }
    match order {
        Order::Saved => {
            let mut table = None;
            for at in saved {
                let open = !opened.closed.contains(&(at.ruleset, at.table, None));
                if table.replace((at.ruleset, at.table)) != Some((at.ruleset, at.table)) {
                    list.rows.push(Row::Table(at.ruleset, at.table, open));
                }
                let by = met.iter().find(|(other, _)| *other == at);
                if open && (by.is_some() || !opened.met) {
                    list.chain(at, by.map(|(_, by)| by.clone()).unwrap_or_default());
                }
            }
        }
        Order::Walked => {
            list.folds = true;
            let mut known: Vec<ChainPlace> = met.iter().map(|(at, _)| *at).collect();
            known.sort();
            for (at, by) in met {
                list.chain(at, by);
            }
            let unmet: Vec<ChainPlace> = saved
                .into_iter()
                .filter(|at| known.binary_search(at).is_err())
                .collect();
            if !unmet.is_empty() && !opened.met {
                let rules = unmet.iter().map(|at| at.find(rulesets).2.rules.len()).sum();
                list.rows.push(Row::Unmet {
                    chains: unmet.len(),
                    rules,
                });
            }
            if opened.unmet && !opened.met {
                for at in unmet {
                    list.chain(at, Vec::new());
                }
            }
        }
    }
    list.rows
}

/// A search of the rule list that runs in turns.
#[derive(Debug)]
pub struct RuleSearch {
    /// The chains that were not searched yet.
    chains: IntoIter<ChainPlace>,
    /// The rows that were found.
    pub rows: Vec<Row>,
}

impl RuleSearch {
    /// A search of all chains, in the order of the text.
    pub fn new(rulesets: &[Ruleset]) -> Self {
        Self {
            chains: saved(rulesets).into_iter(),
            rows: Vec::new(),
        }
    }

    /// Searches whole chains until they had `rules` rules. The other arguments are the same in each
    /// turn. Returns whether the search is complete.
    pub(crate) fn go_on(
        &mut self,
        parsed: &Parsed,
        walks: &[&Walked],
        opened: &Opened,
        rules: usize,
    ) -> bool {
        let Some(search) = &opened.search else {
            return true;
        };
        let mut list = List {
            parsed,
            walks,
            opened,
            folds: false,
            rows: std::mem::take(&mut self.rows),
        };
        let mut searched = 0;
        while searched < rules
            && let Some(at) = self.chains.next()
        {
            list.found(search, at);
            searched += 1 + at.find(&parsed.rulesets).2.rules.len();
        }
        self.rows = list.rows;
        self.chains.as_slice().is_empty()
    }
}

/// Chains in the order of the walks, with the rules that call them.
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
        for (table, held) in (0..).zip(&set.tables) {
            let chains = (0..).zip(&held.chains);
            all.extend(chains.map(|(chain, _)| ChainPlace {
                ruleset,
                table,
                chain,
            }));
        }
    }
    all
}

struct List<'a> {
    parsed: &'a Parsed,
    walks: &'a [&'a Walked],
    opened: &'a Opened,
    folds: bool,
    rows: Vec<Row>,
}

impl List<'_> {
    fn chain(&mut self, at: ChainPlace, callers: Vec<Place>) {
        let (_, _, chain) = at.find(&self.parsed.rulesets);
        let open = self.opened.shows(at);
        self.rows.push(Row::Chain { at, callers, open });
        if !open {
            return;
        }
        let contents = ChainContents::new(self, at);
        let all = u32::try_from(chain.rules.len())
            .expect("rules are fewer than bytes of a text below 4 GiB");
        // Visited rules come first, except where a walk leaves and reenters the chain.
        let rules = if self.opened.met {
            (0..all)
                .rfind(|rule| contents.marks(*rule).next().is_some())
                .map_or(0, |last| last + 1)
        } else {
            all
        };
        let mut next = 0;
        while next < rules {
            self.rows.extend(contents.off_rows(next));
            let end = contents.quiet_end(next..rules);
            let first = rule_place(at, next);
            if self.folds && (end - next) as usize >= FOLD && !self.opened.runs.contains(&first) {
                self.rows.push(Row::Fold {
                    at,
                    rules: next..end,
                });
            } else {
                let shown = (next..end).map(|rule| Row::Rule(rule_place(at, rule)));
                self.rows.extend(shown);
            }
            if end < rules && end == next {
                self.rows.push(Row::Rule(rule_place(at, end)));
            }
            next = end.max(next + 1);
        }
        if rules == all {
            self.rows.extend(contents.off_rows(all));
        }
        let policy = Place { at, rule: None };
        if chain.hook().is_some() && self.is_listed(policy) {
            self.rows.push(Row::Rule(policy));
        }
    }

    /// Whether the list can show a rule: one that the walks reach, or any.
    fn is_listed(&self, place: Place) -> bool {
        !self.opened.met || self.walks.iter().any(|walked| walked.mark(place).is_some())
    }

    /// The part of a chain that the search finds.
    fn found(&mut self, search: &Search, at: ChainPlace) {
        let (ruleset, _, chain) = at.find(&self.parsed.rulesets);
        let text = self
            .parsed
            .sources
            .get(ruleset.source as usize)
            .map_or("", |text| text);
        let rules = (0..)
            .zip(&chain.rules)
            .filter(|(_, rule)| search.finds(ruleset, chain, rule, text));
        let mut found: Vec<Row> = rules
            .map(|(rule, _)| Place {
                at,
                rule: Some(rule),
            })
            .filter(|place| self.is_listed(*place))
            .map(Row::Rule)
            .collect();
        let policy = Place { at, rule: None };
        if chain.hook().is_some() && search.finds_chain(chain) && self.is_listed(policy) {
            found.push(Row::Rule(policy));
        }
        let off = (0..)
            .zip(&ruleset.off)
            .filter(|(_, off)| (off.table, off.chain) == (at.table, at.chain));
        let off = off.filter(|(_, off)| search.finds_text(off.span.slice(text)));
        found.extend(off.map(|(place, _)| Row::Off(at.ruleset, place)));
        if !found.is_empty() {
            self.rows.push(Row::Chain {
                at,
                callers: Vec::new(),
                open: true,
            });
            self.rows.extend(found);
        }
    }
}

/// The results and the disabled rules of a chain.
struct ChainContents<'a> {
    at: ChainPlace,
    marks: Vec<&'a Marks>,
    /// The disabled rules: the rule that each precedes, and its place in [`Ruleset::off`].
    off: Vec<(u32, u32)>,
}

impl<'a> ChainContents<'a> {
    fn new(list: &List<'a>, at: ChainPlace) -> Self {
        let (ruleset, _, _) = at.find(&list.parsed.rulesets);
        let walks = list.walks.iter();
        Self {
            at,
            marks: walks.filter_map(|walked| walked.chain(at)).collect(),
            off: (0..)
                .zip(&ruleset.off)
                .filter(|(_, off)| (off.table, off.chain) == (at.table, at.chain))
                .map(|(place, off)| (off.before, place))
                .collect(),
        }
    }

    /// The results of a rule.
    fn marks(&self, rule: u32) -> impl Iterator<Item = Mark> {
        self.marks.iter().filter_map(move |marks| marks.rule(rule))
    }

    /// The rows of the disabled rules before a rule.
    fn off_rows(&self, before: u32) -> impl Iterator<Item = Row> {
        let off = self.off.iter().filter(move |(at, _)| *at == before);
        off.map(|(_, place)| Row::Off(self.at.ruleset, *place))
    }

    /// The end of the rules without a match at the start of a range. A disabled rule interrupts
    /// them.
    fn quiet_end(&self, rules: Range<u32>) -> u32 {
        let mut candidates = rules.clone();
        let end = candidates.find(|rule| {
            self.marks(*rule)
                .any(|mark| mark.outcome != Outcome::NoMatch)
                || *rule != rules.start && self.off.iter().any(|(before, _)| before == rule)
        });
        end.unwrap_or(rules.end)
    }
}

fn rule_place(at: ChainPlace, rule: u32) -> Place {
    let rule = Some(rule);
    Place { at, rule }
}

/// Splits a fold at the current rules, which get their own rows.
pub fn unfold(at: ChainPlace, rules: Range<u32>, cursors: &[Place]) -> Vec<Row> {
    let shown = rules.clone().filter(|rule| {
        cursors.contains(&Place {
            at,
            rule: Some(*rule),
        })
    });
    let mut rows = Vec::new();
    let mut start = rules.start;
    for rule in shown {
        rows.extend(fold(at, start..rule));
        rows.push(Row::Rule(Place {
            at,
            rule: Some(rule),
        }));
        start = rule + 1;
    }
    rows.extend(fold(at, start..rules.end));
    rows
}

/// The row for folded rules. One rule is shown as it is.
fn fold(at: ChainPlace, rules: Range<u32>) -> Option<Row> {
    match rules.len() {
        0 => None,
        1 => Some(Row::Rule(rule_place(at, rules.start))),
        _ => Some(Row::Fold { at, rules }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paste::Paste;

    /// Short forms of rows: `OUTPUT:`, `4`, `policy`, `5-8`, `+4/7`.
    fn short(order: Order, opened: &Opened, keys: &[&str]) -> String {
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
        let rows = list(&paste.parsed, &walks, order, opened);
        rows.iter()
            .map(|row: &Row| match row {
                Row::Chain { at, .. } => format!("{}:", at.find(paste.rulesets()).2.name),
                Row::Rule(Place {
                    rule: Some(rule), ..
                }) => (rule + 1).to_string(),
                Row::Rule(_) => "policy".into(),
                Row::Off(..) => "off".into(),
                Row::Table(ruleset, table, open) => {
                    let table = &paste.rulesets()[*ruleset as usize].tables[*table as usize];
                    format!("*{}{}", table.name, if *open { "" } else { "-" })
                }
                Row::Fold { rules, .. } => format!("{}-{}", rules.start + 1, rules.end),
                Row::Unmet { chains, rules } => format!("+{chains}/{rules}"),
            })
            .collect::<Vec<_>>()
            .join(" ")
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
            "*nat PREROUTING: 1 policy INPUT: policy OUTPUT: 1 policy POSTROUTING: policy ISTIO_INBOUND: 1 2 3 4 5 \
             ISTIO_IN_REDIRECT: 1 ISTIO_OUTPUT: 1 2 3 4 5 6 7 8 9 ISTIO_REDIRECT: 1"
        );
    }

    #[test]
    fn what_is_closed_sought_or_met_is_all_that_is_shown() {
        let short = |order, actions: &[RuleListAction]| {
            let mut opened = Opened::default();
            actions
                .iter()
                .for_each(|action| opened.apply(action.clone()));
            short(order, &opened, &["internet"])
        };
        let nat = 0;
        assert_eq!(
            short(Order::Saved, &[RuleListAction::Close(0, nat, None)]),
            "*nat-"
        );
        assert!(
            short(Order::Saved, &[RuleListAction::Close(0, nat, Some(0))])
                .starts_with("*nat PREROUTING: INPUT:")
        );
        assert_eq!(
            short(Order::Saved, &[RuleListAction::Met]),
            "*nat OUTPUT: 1 POSTROUTING: policy ISTIO_OUTPUT: 1 2 3 4 5 6 7 8 9 ISTIO_REDIRECT: 1"
        );
        assert_eq!(
            short(Order::Walked, &[RuleListAction::Met]),
            "OUTPUT: 1 ISTIO_OUTPUT: 1-8 9 ISTIO_REDIRECT: 1 POSTROUTING: policy"
        );
        assert_eq!(
            short(Order::Walked, &[RuleListAction::Search("uid 1337".into())]),
            "ISTIO_OUTPUT: 2 3 4"
        );
        assert_eq!(
            short(
                Order::Walked,
                &[RuleListAction::Search("prerouting".into())]
            ),
            "PREROUTING: 1 policy"
        );
        assert_eq!(
            short(Order::Walked, &[RuleListAction::Search("nowhere".into())]),
            ""
        );
    }

    #[test]
    fn opened_chains_follow_the_line_that_opened_them() {
        let opened = Opened {
            unmet: true,
            ..Opened::default()
        };
        let rows = short(Order::Walked, &opened, &["internet"]);
        assert!(
            rows.ends_with(
                "+4/7 PREROUTING: 1 policy INPUT: policy ISTIO_INBOUND: 1-5 ISTIO_IN_REDIRECT: 1"
            ),
            "{rows}"
        );
    }

    #[test]
    fn the_rule_under_the_cursor_is_never_folded_away() {
        let at = ChainPlace {
            ruleset: 0,
            table: 0,
            chain: 0,
        };
        let place = |rule| Place {
            at,
            rule: Some(rule),
        };
        assert_eq!(unfold(at, 4..8, &[]), [Row::Fold { at, rules: 4..8 }]);
        assert_eq!(
            unfold(at, 4..8, &[place(5)]),
            [
                Row::Rule(place(4)),
                Row::Rule(place(5)),
                Row::Fold { at, rules: 6..8 }
            ]
        );
    }
}
