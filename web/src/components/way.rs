//! The way of each packet as a row of stations, the one under the cursor marked.

use chainwalk_core::explain::Fate;
use chainwalk_core::ruleset::TableName;
use chainwalk_core::walk::trace::RouteReason;
use yew::prelude::*;

use super::badge::{badge, colour, glyph};
use crate::cursor::Move;
use crate::page::Page;
use crate::paste;
use crate::state::{Action, Side, State};
use crate::walked::Walked;
use crate::way::{Station, stations};

/// The ways of all packets shown.
pub(crate) fn ways(page: &Page) -> Html {
    let state = &page.state;
    let ways = state.walks().map(|(side, walked)| way(page, side, walked));
    html! { <div class="ways">{ for ways }</div> }
}

fn way(page: &Page, side: Side, walked: &Walked) -> Html {
    let state = &page.state;
    let fate = walked.headline.fate;
    let stops = stations(walked.path()).into_iter().map(|station| show(page, station));
    html! {
        <ol class={classes!("way", side.key(), colour(fate))} aria-label={format!("The way of {}", side.letter())}>
            <li class="start">{ badge(side) }</li>
            { for stops }
            <li class="end"><span>{ glyph(fate) }{ " " }{ end(state, walked) }</span></li>
        </ol>
    }
}

/// Where it ends, with the name of who listens there.
fn end(state: &State, walked: &Walked) -> String {
    let Some(verdict) = walked.trace.verdict() else { return "depends".into() };
    let who = state.paste.mesh.as_ref().and_then(|mesh| mesh.listener(verdict.port?));
    match (who, walked.headline.fate) {
        (Some(who), Fate::Captured) => format!("{who} {}", paste::end(verdict)),
        _ => paste::end(verdict).into_owned(),
    }
}

fn show(page: &Page, station: Station) -> Html {
    match station {
        Station::Route { why, interface } => {
            let to = interface.unwrap_or_else(|| "this pod".into());
            let (says, title) = match why {
                RouteReason::Sent => (to, "Routed: the interface it would leave by"),
                RouteReason::Mangled => (format!("again: {to}"), "Routed again: table mangle changed it"),
                RouteReason::Translated => (format!("again: {to}"), "Routed again: table nat changed its destination"),
                RouteReason::Looped => ("lo".into(), "It leaves by lo and comes back in; nat is not asked again"),
                RouteReason::Copied => ("a copy".into(), "This host gets a copy of what it sends to many"),
                RouteReason::Arrived => (to, "Routed: to this pod, or on"),
            };
            html! { <li class="route" {title}>{ says }</li> }
        }
        Station::Hook { hook, tables, first, end } => {
            let here = first.is_some_and(|first| (first..end).contains(&page.state.cursor));
            let names = tables.into_iter().map(TableName::name).collect::<Vec<_>>().join(" ");
            let title =
                if names.is_empty() { "no table of the paste is asked here".into() } else { format!("asked: {names}") };
            let onclick = first.map(|first| page.on(Action::Go(Move::To(first))));
            html! {
                <li class="hook">
                    <button type="button" disabled={first.is_none()} aria-current={here.then_some("step")} {title} {onclick}>
                        { hook.name() }
                        if !names.is_empty() {
                            <small>{ names }</small>
                        }
                    </button>
                </li>
            }
        }
    }
}
