//! Who gets past: the packets worth trying, and where each ends.

use chainwalk_core::explain::Fate;
use chainwalk_core::scenario::Group;
use yew::prelude::*;

use super::badge::{badge, colour, glyph};
use super::rules::short;
use crate::page::Page;
use crate::paste::Past as Row;
use crate::state::{Action, Side};

/// The sign of what is meant to go past.
const EXEMPT: &str = "◌";

/// The table, a column for each kind of way.
pub(crate) fn past(page: &Page) -> Html {
    let paste = &page.state.paste;
    let all = [Fate::Captured, Fate::Direct, Fate::Dropped, Fate::Unknown].map(|fate| (fate, false));
    let counts = all.into_iter().chain([(Fate::Direct, true)]).filter_map(|(fate, exempt)| {
        let count = paste.count(fate, exempt);
        let word = match (fate, &paste.mesh) {
            _ if exempt => "exempt by design",
            (Fate::Captured, None) => "redirected",
            (Fate::Direct, Some(_)) if count == 1 => "gets past",
            (Fate::Direct, Some(_)) => "get past",
            _ => fate.word(),
        };
        let (class, sign) = if exempt { ("exempt", EXEMPT) } else { (colour(fate), glyph(fate)) };
        (count > 0).then(|| html! { <span {class}>{ format!("{sign} {count} {word}") }</span> })
    });
    let groups = Group::ALL.map(|group| {
        let rows = |exempt: bool| {
            let of_group = paste.past.iter().filter(move |row| row.scenario.group == group);
            of_group.filter(move |row| row.exempt.is_some() == exempt).map(|row| show(page, row)).collect::<Vec<_>>()
        };
        let exempt = rows(true);
        html! {
            <table>
                <thead>
                    <tr><th scope="col">{ group.title() }</th><th scope="col">{ "ends" }</th><th scope="col">{ "decided by" }</th></tr>
                </thead>
                <tbody>{ for rows(false) }</tbody>
                if !exempt.is_empty() {
                    <tbody class="exempt">
                        <tr><th scope="rowgroup" colspan="3">{ format!("{EXEMPT} Exempt by design") }</th></tr>
                        { for exempt }
                    </tbody>
                }
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
            if let Some(why) = row.exempt {
                <td>
                    <span aria-hidden="true">{ EXEMPT }{ " " }</span>{ &row.end }
                </td>
                <td title={format!("Exempt by design: {why}")}><code>{ decided }</code><span class="hidden">{ ", " }{ why }</span></td>
            } else {
                <td class={colour(row.fate)}>
                    <span aria-hidden="true">{ glyph(row.fate) }{ " " }</span>
                    <span class="hidden">{ row.fate.word() }{ ", " }</span>{ &row.end }
                </td>
                <td><code>{ decided }</code></td>
            }
        </tr>
    }
}
