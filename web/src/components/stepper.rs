//! First, back, forward, last; the slider with both walks on it; the chains one is in; the step in a sentence.

use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::badge::{badge, colour};
use super::rules::short;
use super::verdict;
use crate::cursor::{self, Move};
use crate::page::Page;
use crate::state::{Action, Side, State};
use crate::walked::Walked;
use chainwalk_core::walk::trace::Outcome;

/// Above so many steps the stations of a rail run together: only the line is drawn.
const MOST: usize = 80;

/// All of it.
pub(crate) fn stepper(page: &Page) -> Html {
    let state = &page.state;
    let steps = state.steps();
    let at = state.cursor;
    let oninput = page.act.reform(|event: InputEvent| {
        let slider = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
        let step = slider.and_then(|slider| slider.value().parse::<usize>().ok()).unwrap_or(1);
        Action::Go(Move::To(step.saturating_sub(1)))
    });
    let (start, end) = (at == 0, at + 1 >= steps);
    let says = format!("Step {} of {}", (at + 1).min(steps), steps);
    html! {
        <>
            <div class="stepper">
                <div class="moves" role="group" aria-label="Steps">
                    { button(page, "first", "First step (Home)", Move::First, start, "M4 2v12M13 2 6 8l7 6z") }
                    { button(page, "back", "Step back (left arrow)", Move::Back, start, "M11.500 2 4.500 8l7 6z") }
                    { button(page, "forward", "Step on (right arrow)", Move::Forward, end, "M4.500 2l7 6-7 6z") }
                    { button(page, "last", "Last step (End)", Move::Last, end, "M12 2v12M3 2l7 6-7 6z") }
                </div>
                <div class="track">
                    <svg class="rails" aria-hidden="true">
                        { for state.walks().enumerate().map(|(row, (side, walked))| rail(state, row, side, walked, steps)) }
                    </svg>
                    <input type="range" id="step" min="1" max={steps.max(1).to_string()} value={(at + 1).to_string()}
                        aria-label="Step" aria-valuetext={says} disabled={steps < 2} {oninput} />
                </div>
                <span class="count">{ "Step " }<b>{ (at + 1).min(steps) }</b>{ of(state) }</span>
            </div>
            { stack(state) }
            { sentence(state) }
        </>
    }
}

fn button(page: &Page, id: &'static str, name: &'static str, to: Move, disabled: bool, shape: &'static str) -> Html {
    // Not `disabled`: that would take the focus away from whoever steps with the keyboard.
    html! {
        <button type="button" {id} aria-label={name} title={name} aria-disabled={disabled.to_string()}
            onclick={page.on(Action::Go(to))}>
            <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><path d={shape} /></svg>
        </button>
    }
}

/// " of 12 (A), 7 (B)"
fn of(state: &State) -> Html {
    let counts: Vec<String> = state
        .walks()
        .map(|(side, walked)| match state.compare {
            true => format!("{} ({})", walked.path().steps.len(), side.letter()),
            false => walked.path().steps.len().to_string(),
        })
        .collect();
    html! { <span class="quiet">{ " of " }{ counts.join(", ") }</span> }
}

/// One walk as a line with a station for every step: hollow where the rule did not match.
fn rail(state: &State, row: usize, side: Side, walked: &Walked, longest: usize) -> Html {
    let steps = &walked.path().steps;
    if steps.is_empty() {
        return html! {};
    }
    // In hundredths of a percent: no floating point is worth its size here.
    let x = |at: usize| {
        let hundredths = at * 10_000 / longest.saturating_sub(1).max(1);
        format!("{}.{:02}%", hundredths / 100, hundredths % 100)
    };
    let y = if state.walks().count() == 1 { 14 } else { 8 + 12 * row };
    let stations = steps.iter().enumerate().filter(|_| longest <= MOST).map(|(at, step)| {
        let hit = step.outcome != Outcome::NoMatch;
        html! {
            <circle class={if hit { "hit" } else { "miss" }} cx={x(at)} cy={y.to_string()}
                r={if hit { "4" } else { "3.5" }} />
        }
    });
    html! {
        <g class={classes!(side.key(), colour(walked.headline.fate))}>
            <line x1="0%" x2={x(steps.len() - 1)} y1={y.to_string()} y2={y.to_string()} />
            { for stations }
        </g>
    }
}

/// The chains that led here.
fn stack(state: &State) -> Html {
    let Some((side, walked)) = state.followed() else { return html! {} };
    let path = walked.path();
    let at = state.cursor.min(path.steps.len().saturating_sub(1));
    let Some(step) = path.steps.get(at) else { return html! {} };
    let rulesets = state.paste.rulesets();
    let places: Vec<String> =
        cursor::stack(path, at).into_iter().map(|at| short(rulesets, path.steps.at(at).place)).collect();
    let (last, before) = places.split_last().expect("a stack ends with the step itself");
    let parted = state.part.is_some_and(|part| state.cursor > part);
    html! {
        <p class="stack">
            <span class="quiet">{ "Chain stack " }</span>
            if parted {
                { badge(side) }{ " " }
            }
            <code>
                { step.place.at.table.name() }{ " › " }
                { for before.iter().map(|place| format!("{place} › ")) }
                <b>{ last }</b>
            </code>
        </p>
    }
}

/// The step in words: once where both packets fare alike.
fn sentence(state: &State) -> Html {
    let at = state.cursor;
    let says: Vec<(Side, String)> =
        state.walks().map(|(side, walked)| (side, verdict::step(state, walked, at))).collect();
    let says = match &says[..] {
        [(_, a), (_, b)] if a == b => html! { <span>{ badge(Side::A) }{ badge(Side::B) }{ " " }{ a }</span> },
        [(_, one)] if !state.compare => html! { <span>{ one }</span> },
        [] => html! { <span>{ "There is no packet to walk." }</span> },
        several => {
            several.iter().map(|(side, says)| html! { <span>{ badge(*side) }{ " " }{ says }{ " " }</span> }).collect()
        }
    };
    // Not read out while a key is held; letting go changes the region, which then is.
    let live = if state.held { "off" } else { "polite" };
    html! {
        <p class="sentence" id="sentence" aria-live={live} aria-atomic="true">
            { says }
            if state.held {
                <span class="hidden">{ "…" }</span>
            }
        </p>
    }
}
