//! All steps: what both packets do once, where they part, then side by side, and where each ends.

use std::ops::Range;

use chainwalk_core::analysis::explain::{self, capital};
use chainwalk_core::walk::trace::Outcome;
use wasm_bindgen::JsCast;
use web_sys::Element;
use yew::prelude::*;

use super::badge::{badge, colour, glyph, sign};
use super::follow::use_follow;
use super::phrases::{format_count, format_place};
use crate::cursor::Move;
use crate::page::Page;
use crate::page_part::{self, Part};
use crate::pairs::{self, Cell, Pair};
use crate::side::Side;
use crate::state::{Action, State};
use crate::walked::Walked;

/// So many rows are all in the page; of more, only those around the place that is looked at, all of
/// one height.
const MOST: usize = 200;
/// The height of a row of a long list in CSS pixels, as the style sheet has it.
const HEIGHT: usize = 29;

/// What the rows get.
struct Shown<'a> {
    page: &'a Page,
    walks: Vec<(Side, &'a Walked)>,
    toggle: Callback<usize>,
}

/// The list.
#[component]
pub(crate) fn Steps(page: &Page) -> Html {
    page_part::enter(Part::Steps);
    let state = &page.state;
    let node = use_follow((state.cursor, state.rows.clone()), 32);
    let walks: Vec<(Side, &Walked)> = state.walks().collect();
    // Which walks these are: others have other runs.
    let of: Vec<usize> = walks
        .iter()
        .map(|(_, walked)| std::ptr::from_ref(*walked) as usize)
        .collect();
    let opened = use_state(|| (Vec::new(), Vec::new()));
    let open = if opened.0 == of {
        opened.1.clone()
    } else {
        Vec::new()
    };
    let rows = use_memo((of.clone(), state.part, open.clone()), |(_, part, open)| {
        let alone: Vec<&Walked> = walks.iter().map(|(_, walked)| *walked).collect();
        pairs::list(&alone, *part, open)
    });
    let toggle = Callback::from(move |run: usize| {
        let mut open = open.clone();
        match open.iter().position(|other| *other == run) {
            Some(at) => drop(open.remove(at)),
            None => open.push(run),
        }
        opened.set((of.clone(), open));
    });
    let (seen, onscroll) = use_window(
        rows.len(),
        rows.iter().position(|pair| pair.shows(state.cursor)),
    );
    let heads = walks.iter().map(|(side, walked)| {
        let count = format_count(walked.path().steps.len(), "step");
        html! {
            <div class="cell">
                {badge(*side)}
                <span class="who">{state.name(*side)}</span>
                <span class="quiet">{count}</span>
            </div>
        }
    });
    let single = if walks.len() < 2 { "single" } else { "double" };
    let long = (seen.len() < rows.len()).then_some("long");
    let gap = |count: usize| html! { <div style={format!("height:{}px", count * HEIGHT)}></div> };
    let (before, behind) = (gap(seen.start), gap(rows.len() - seen.end));
    let shown = Shown {
        page,
        walks: walks.clone(),
        toggle,
    };
    html! {
        <div
            class={classes!("scroll", "steps", single, long)}
            ref={&node}
            tabindex="0"
            role="group"
            aria-label="All steps"
            {onscroll}
        >
            <div class="pair heads">{for heads}</div>
            {before}
            {for rows[seen].iter().map(|row| shown.row(row))}
            {behind}
        </div>
    }
}

/// The rows to show of `count`, and what keeps them those that are looked at: after a move that is
/// the row of the step shown, `current`, and else wherever the reader scrolls to.
#[hook]
fn use_window(count: usize, current: Option<usize>) -> (Range<usize>, Callback<Event>) {
    let again = use_force_update();
    // The current row of the last time, and the row around which the window lies.
    let kept = use_mut_ref(|| (None, 0));
    let middle = {
        let mut kept = kept.borrow_mut();
        if kept.0 != Some((current, count)) {
            *kept = (Some((current, count)), current.unwrap_or(0));
        }
        kept.1
    };
    let onscroll = Callback::from(move |event: Event| {
        let list = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok());
        let row = list
            .and_then(|list| usize::try_from(list.scroll_top()).ok())
            .unwrap_or(0)
            / HEIGHT;
        let mut kept = kept.borrow_mut();
        if count > MOST && row.abs_diff(kept.1) > MOST / 4 {
            kept.1 = row;
            drop(kept);
            again.force_update();
        }
    });
    let start = middle
        .saturating_sub(MOST / 2)
        .min(count.saturating_sub(MOST));
    (start..count.min(start + MOST), onscroll)
}

impl Shown<'_> {
    fn row(&self, row: &Pair) -> Html {
        match row {
            Pair::Parting => html! {
                <div class="parting" role="separator"><span>{"Here they part"}</span></div>
            },
            Pair::Shared(steps) => html! {
                <div class="pair shared">{self.steps(0, steps, true)}</div>
            },
            Pair::Each(cells) => {
                let cells = cells.iter().enumerate().map(|(place, cell)| match cell {
                    Cell::Steps(steps) => self.steps(place, steps, false),
                    Cell::End => end(self.walks[place].1),
                    Cell::Nothing => html! { <div class="cell"></div> },
                });
                html! { <div class="pair">{for cells}</div> }
            }
        }
    }

    fn steps(&self, place: usize, steps: &pairs::Steps, shared: bool) -> Html {
        let state = &self.page.state;
        let (side, walked) = self.walks[place];
        let path = walked.path();
        let rulesets = state.paste.rulesets();
        let at = steps.at.start;
        let first = path.steps.at(at);
        let matched = first.outcome != Outcome::NoMatch;
        let current = steps.shows(state.cursor);
        let table = first.place.at.table(rulesets).label();
        let table = if walked.several_tables {
            format!("{table} ")
        } else {
            String::new()
        };
        let onclick = match steps.open {
            None => self.page.on(Action::Go(Move::To(at))),
            Some(_) => self.toggle.reform(move |_| at),
        };
        let (number, says) = match steps.open {
            None => {
                let place = format_place(rulesets, first.place);
                let what = what(state, walked, at);
                (
                    (at + 1).to_string(),
                    html! { <><code>{table}{place}</code>{" "}{what}</> },
                )
            }
            Some(_) => {
                let (_, _, chain) = first.place.at.find(rulesets);
                let rule = |step: usize| path.steps.at(step).place.rule.unwrap_or(0) + 1;
                let (from, to) = (rule(at), rule(steps.at.end - 1));
                let says = html! {
                    <>
                        <code>{table}{&*chain.name}</code>
                        {format!(" rules {from} to {to}: no match")}
                    </>
                };
                (format!("{}–{}", at + 1, steps.at.end), says)
            }
        };
        let decided = matched && side == state.lead && walked.decided_at() == Some(at);
        let tint = decided.then(|| colour(walked.headline.fate));
        let quiet = (!matched).then_some("quiet");
        let outcome = (matched && !shared).then(|| colour(walked.headline.fate));
        let mark = match steps.open {
            None => sign(walked.outcome(at)),
            Some(true) => "▾",
            Some(false) => "▸",
        };
        html! {
            <button
                type="button"
                class={classes!("cell", decided.then_some("decided"), tint)}
                aria-current={current.then_some("step")}
                aria-expanded={steps.open.map(|open| open.to_string())}
                data-current={current.then_some(side.key())}
                {onclick}
            >
                <span class="number">{number}</span>
                <span class={classes!("sign", outcome)}>{mark}</span>
                <span class={quiet}>{says}</span>
            </button>
        }
    }
}

/// What a step did, in a few words.
fn what(state: &State, walked: &Walked, at: usize) -> Html {
    let path = walked.path();
    let rulesets = state.paste.rulesets();
    let step = path.steps.at(at);
    let (ruleset, table, _) = step.place.at.find(rulesets);
    let why = || explain::why(rulesets, &walked.trace, path, &step);
    if let Some(because) = walked.doubt(at) {
        let taken = if step.outcome == Outcome::Match {
            "taken to match"
        } else {
            "taken not to match"
        };
        return html! { <><b>{taken}</b>{": "}{because}</> };
    }
    match (step.outcome, step.place.rule(rulesets)) {
        (Outcome::NoMatch, _) => html! { <>{"no: "}{why()}</> },
        (Outcome::Unknown, _) => html! { <>{"cannot be told: "}{why()}</> },
        (_, None) => html! { {step.place.at.find(rulesets).2.policy().name()} },
        (_, Some(rule)) => {
            let change = explain::change(
                &walked.trace.packet,
                &path.views[step.view as usize],
                &path.views[step.after as usize],
            );
            let action = chainwalk_core::iptables::extension::action(ruleset, table, rule)
                .unwrap_or("only counts");
            match change {
                Some(change) => html! { <><b>{action}</b>{": "}{change}</> },
                None => html! { <><b>{action}</b>{": "}{why()}</> },
            }
        }
    }
}

fn end(walked: &Walked) -> Html {
    let fate = walked.headline.fate;
    html! {
        <div class={classes!("cell", "end", colour(fate))}>
            <span class="number"></span>
            <span class="sign">{glyph(fate)}</span>
            <b>{capital(&walked.end())}</b>
        </div>
    }
}
