//! The walk: the way in short, the stepper, the sentence, and all steps.

use yew::prelude::*;

use super::badge::{badge, colour};
use super::left_out::unless_left_out;
use super::map::{Map, save_buttons};
use super::phrases::bool_text;
use super::stepper::Stepper;
use super::steps::Steps;
use crate::page::Page;
use crate::page_part::Part;
use crate::state::Action;

/// The whole column.
pub(crate) fn walk(page: &Page) -> Html {
    let state = &page.state;
    let names = state.sides().iter().map(|side| {
        let class = state
            .walked(*side)
            .map_or("", |walked| colour(walked.headline.fate));
        html! {
            <span class={classes!("name", class)}>{badge(*side)}{" "}{state.name(*side)}</span>
        }
    });
    html! {
        <section class="pane walk" id="pane-walk" aria-label="Walk">
            <div class="head">
                <h2>{"Walk"}</h2>
                <span class="names">{for names}</span>
                <span class="space"></span>
                {save_buttons()}
                <button
                    type="button"
                    class="line"
                    id="compare"
                    aria-pressed={bool_text(state.compare)}
                    title="Show the second packet beside the first (c)"
                    onclick={page.on(Action::Compare)}
                >
                    {"Compare "}
                    <kbd>{"c"}</kbd>
                </button>
            </div>
            {unless_left_out(Part::Map, || {
                html! { <Map ..page.clone() /> }
            })}
            {unless_left_out(Part::Steps, || {
                html! { <><Stepper ..page.clone() /><Steps ..page.clone() /></> }
            })}
        </section>
    }
}
