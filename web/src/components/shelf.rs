//! Packets set aside: a table of more than two, with where each ends, of which two are A and B.

use chainwalk_core::packet::line;
use yew::prelude::*;

use super::badge::{colour, glyph};
use super::phrases::{bool_text, format_place};
use crate::page::Page;
use crate::shelf::{Do, Kept, MOST};
use crate::side::Side;
use crate::state::Action;

/// The table, and the buttons that put packets into it.
pub(super) fn shelf(page: &Page) -> Html {
    let state = &page.state;
    let full = state.shelf.len() >= MOST;
    let add = state
        .sides()
        .iter()
        .filter(|side| state.lane(**side).walked.is_ok())
        .map(|side| {
            let name = if state.compare {
                format!("Add {}", side.letter())
            } else {
                "Add this packet".to_owned()
            };
            html! {
                <button
                    type="button"
                    class="line"
                    id={format!("shelf-{}", side.key())}
                    disabled={full}
                    onclick={page.on(Action::Shelf(Do::Add(*side)))}
                >
                    {name}
                </button>
            }
        });
    html! {
        <section class="why" id="shelf">
            <h2>{"Compare more"}</h2>
            <p class="put">
                {for add}
                if state.shelf.is_empty() {
                    <span class="quiet">
                        {"packets set aside are listed here with where each ends"}
                    </span>
                }
            </p>
            if !state.shelf.is_empty() {
                <table class="shelf">
                    <thead>
                        <tr>
                            <th scope="col">{"shown as"}</th>
                            <th scope="col">{"packet, and where it ends"}</th>
                            <td></td>
                        </tr>
                    </thead>
                    <tbody>
                        {for state
                            .shelf
                            .iter()
                            .enumerate()
                            .map(|(place, kept)| row(page, place, kept))}
                    </tbody>
                </table>
            }
        </section>
    }
}

fn row(page: &Page, place: usize, kept: &Kept) -> Html {
    let state = &page.state;
    let line = line::print(&kept.packet);
    let sides = [Side::A, Side::B].map(|side| {
        let lane = state.walked(side).map(|walked| &walked.trace.packet);
        let is = lane == Some(&kept.packet);
        html! {
            <button
                type="button"
                aria-pressed={bool_text(is)}
                aria-label={format!("Show as {}: {line}", side.letter())}
                onclick={page.on(Action::Shelf(Do::Load(place, side)))}
            >
                {side.letter()}
            </button>
        }
    });
    let decided = kept.decided_by.map_or("no rule".into(), |place| {
        format_place(state.paste.rulesets(), place)
    });
    html! {
        <tr data-kept={place.to_string()}>
            <td><div class="choice">{for sides}</div></td>
            <td>
                <code>{&line}</code>
                <p class={colour(kept.fate)}>
                    <span aria-hidden="true">{glyph(kept.fate)}{" "}</span>
                    {kept.fate.word(state.paste.mesh.is_some())}
                    {" "}
                    {&*kept.end}
                    {", "}
                    <code>{decided}</code>
                </p>
            </td>
            <td>
                <button
                    type="button"
                    class="line"
                    aria-label={format!("Remove {line}")}
                    title="Remove"
                    onclick={page.on(Action::Shelf(Do::Remove(place)))}
                >
                    {"✕"}
                </button>
            </td>
        </tr>
    }
}
