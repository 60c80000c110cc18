//! Who gets past: the packets worth trying, and where each ends.

use chainwalk_core::explain::Fate;
use chainwalk_core::scenario::Group;
use yew::prelude::*;

use super::badge::{badge, colour, glyph};
use super::rules::short;
use crate::page::Page;
use crate::paste::Past as Row;
use crate::state::{Action, Side};

/// The table, a column for each kind of way.
pub(crate) fn past(page: &Page) -> Html {
    let paste = &page.state.paste;
    let counts = [Fate::Captured, Fate::Direct, Fate::Dropped, Fate::Unknown].into_iter().filter_map(|fate| {
        let count = paste.count(fate);
        let word = if fate == Fate::Captured && paste.mesh.is_none() { "redirected" } else { fate.word() };
        (count > 0).then(|| html! { <span class={colour(fate)}>{ format!("{} {count} {word}", glyph(fate)) }</span> })
    });
    let groups = Group::ALL.map(|group| {
        let rows = paste.past.iter().filter(|row| row.scenario.group == group).map(|row| show(page, row));
        html! {
            <table>
                <thead>
                    <tr><th scope="col">{ group.title() }</th><th scope="col">{ "ends" }</th><th scope="col">{ "decided by" }</th></tr>
                </thead>
                <tbody>{ for rows }</tbody>
            </table>
        }
    });
    html! {
        <section class="pane past" id="pane-past" aria-label="Who gets past">
            <div class="head">
                <h2>{ "Who gets past" }</h2>
                <span class="counts">{ for counts }</span>
                <span class="space" />
                <span class="quiet wide">{ "click a row to load it" }</span>
            </div>
            <div class="groups">{ for groups }</div>
            { super::findings::findings(page) }
        </section>
    }
}

fn show(page: &Page, row: &Row) -> Html {
    let state = &page.state;
    let key = row.scenario.key;
    let held: Vec<Side> =
        state.sides().iter().copied().filter(|side| state.lane(*side).scenario == Some(key)).collect();
    let decided = row.decided_by.map_or("no rule".into(), |place| short(state.paste.rulesets(), place));
    html! {
        <tr class={classes!((!held.is_empty()).then_some("held"))}>
            <td>
                <button type="button" data-past={key} onclick={page.on(Action::Scenario(key))}>
                    { for held.into_iter().map(badge) }{ &row.scenario.label }
                </button>
            </td>
            <td class={colour(row.fate)}>
                <span aria-hidden="true">{ glyph(row.fate) }{ " " }</span>
                <span class="hidden">{ row.fate.word() }{ ", " }</span>{ &row.end }
            </td>
            <td><code>{ decided }</code></td>
        </tr>
    }
}
