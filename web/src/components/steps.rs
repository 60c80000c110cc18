//! All steps: what both packets do once, where they part, then side by side, and where each ends.

use std::ops::Range;

use chainwalk_core::explain::{self, capital};
use chainwalk_core::ruleset::TableName;
use chainwalk_core::walk::trace::Outcome;
use yew::prelude::*;

use super::badge::{badge, colour, glyph, sign};
use super::follow::use_follow;
use super::rules::short;
use super::window::window;
use crate::cursor::Move;
use crate::page::Page;
use crate::pairs::{self, Cell, Pair};
use crate::state::{Action, Side, State};
use crate::walked::Walked;

/// More rows than anyone reads at once.
const MOST: usize = 400;

/// The list.
#[component]
pub(crate) fn Steps(page: &Page) -> Html {
    let state = &page.state;
    let node = use_follow((state.cursor, state.rows.clone()), 32.0);
    let walks: Vec<(Side, &Walked)> = state.walks().collect();
    let alone: Vec<&Walked> = walks.iter().map(|(_, walked)| *walked).collect();
    let rows = pairs::list(&alone, state.part);
    let holds = |pair: &Pair| match pair {
        Pair::Shared(steps) => steps.contains(&state.cursor),
        Pair::Each(cells) => {
            cells.iter().any(|cell| matches!(cell, Cell::Steps(steps) if steps.contains(&state.cursor)))
        }
        Pair::Parting => false,
    };
    let seen = window(rows.len(), MOST, rows.iter().position(holds));
    let left = rows.len() - seen.len();
    let heads = walks.iter().map(|(side, walked)| {
        let count = super::rules::count(walked.path().steps.len(), "step");
        html! { <div class="cell">{ badge(*side) }{ " " }{ state.name(*side) }{ ", " }{ count }</div> }
    });
    let single = if walks.len() < 2 { "single" } else { "double" };
    html! {
        <div class={classes!("scroll", "steps", single)} ref={node} tabindex="0" role="group" aria-label="All steps">
            <div class="pair heads">{ for heads }</div>
            { for rows[seen].iter().map(|row| show(page, &walks, row)) }
            if left > 0 {
                <p class="left">{ format!("{left} more rows: step there to see them") }</p>
            }
        </div>
    }
}

fn show(page: &Page, walks: &[(Side, &Walked)], row: &Pair) -> Html {
    match row {
        Pair::Parting => html! {
            <div class="parting" role="separator"><span>{ "Here they part" }</span></div>
        },
        Pair::Shared(steps) => {
            let (side, walked) = walks[0];
            html! { <div class="pair shared">{ step(page, side, walked, steps.clone(), true) }</div> }
        }
        Pair::Each(cells) => {
            let cells = walks.iter().zip(cells).map(|((side, walked), cell)| match cell {
                Cell::Steps(steps) => step(page, *side, walked, steps.clone(), false),
                Cell::End => end(walked),
                Cell::Nothing => html! { <div class="cell" /> },
            });
            html! { <div class="pair">{ for cells }</div> }
        }
    }
}

fn step(page: &Page, side: Side, walked: &Walked, steps: Range<usize>, shared: bool) -> Html {
    let state = &page.state;
    let path = walked.path();
    let rulesets = state.paste.rulesets();
    let first = path.steps.at(steps.start);
    let became = walked.outcome(steps.start);
    let decided = first.outcome != Outcome::NoMatch
        && side == state.lead()
        && walked.decided_by() == Some(first.place)
        && walked.decided_at() == Some(steps.start);
    let current = steps.contains(&state.cursor);
    let table = |table: TableName| if walked.several_tables { format!("{table} ") } else { String::new() };
    let place = match steps.len() {
        1 => short(rulesets, first.place),
        _ => {
            let (_, _, chain) = first.place.at.find(rulesets);
            let last = path.steps.at(steps.end - 1).place.rule.unwrap_or(0);
            format!("{} {}–{}", chain.name, first.place.rule.unwrap_or(0) + 1, last + 1)
        }
    };
    let number =
        if steps.len() == 1 { (steps.start + 1).to_string() } else { format!("{}–{}", steps.start + 1, steps.end) };
    let tint = decided.then(|| classes!("decided", colour(walked.headline.fate)));
    let quiet = (first.outcome == Outcome::NoMatch).then_some("quiet");
    let outcome = (first.outcome != Outcome::NoMatch && !shared).then(|| colour(walked.headline.fate));
    html! {
        <button type="button" class={classes!("cell", tint)} aria-current={current.then_some("step")} data-current={current.then_some(side.key())}
            onclick={page.on(Action::Go(Move::To(steps.start)))}>
            <span class="number">{ number }</span>
            <span class={classes!("sign", outcome)}>{ sign(became) }</span>
            <span class={classes!(quiet)}>
                <code>{ table(first.place.at.table) }{ place }</code>{ " " }{ what(state, walked, steps, shared) }
            </span>
        </button>
    }
}

/// What a step did, in a few words.
fn what(state: &State, walked: &Walked, steps: Range<usize>, shared: bool) -> Html {
    let path = walked.path();
    let rulesets = state.paste.rulesets();
    let step = path.steps.at(steps.start);
    let (ruleset, table, _) = step.place.at.find(rulesets);
    let why = || explain::why(rulesets, &walked.trace, path, &step);
    if let Some(because) = walked.doubt(steps.start) {
        let taken = if step.outcome == Outcome::Match { "taken to match" } else { "taken not to match" };
        return html! { <><b>{ taken }</b>{ ": " }{ because }</> };
    }
    match (step.outcome, step.place.rule(rulesets)) {
        (Outcome::NoMatch, _) if steps.len() > 1 => {
            html! { { if shared { "match neither" } else { "do not match" } } }
        }
        (Outcome::NoMatch, _) => html! { <>{ "no: " }{ why() }</> },
        (Outcome::Unknown, _) => html! { <>{ "cannot be told: " }{ why() }</> },
        (_, None) => html! { { step.place.at.find(rulesets).2.policy.name() } },
        (_, Some(rule)) => {
            let change = explain::change(
                &walked.trace.packet,
                &path.views[step.view as usize],
                &path.views[step.after as usize],
            );
            let action = ruleset.action(table, rule).unwrap_or("only counts");
            match change {
                Some(change) => html! { <><b>{ action }</b>{ ": " }{ change }</> },
                None => html! { <><b>{ action }</b>{ ": " }{ why() }</> },
            }
        }
    }
}

fn end(walked: &Walked) -> Html {
    let fate = walked.headline.fate;
    html! {
        <div class={classes!("cell", "end", colour(fate))}>
            <span class="number" />
            <span class="sign">{ glyph(fate) }</span>
            <b>{ capital(&walked.end()) }</b>
        </div>
    }
}
