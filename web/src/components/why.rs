//! The reason for the answer, where two packets part, and what is taken for granted.

use chainwalk_core::analysis::explain::{self, Fate, capital};
use chainwalk_core::analysis::scenario;
use chainwalk_core::walk::trace::{Outcome, Question};
use yew::prelude::*;

use super::badge::{badge, colour};
use super::phrases::{bool_text, format_place, sentence_with_chain};
use crate::cursor::Move;
use crate::page::Page;
use crate::side::Side;
use crate::state::{Action, State};
use crate::walked::Walked;

/// The lower half of the packet's column.
pub(crate) fn why(page: &Page) -> Html {
    let state = &page.state;
    let lead = state.lead;
    let assumptions = assumptions(state);
    html! {
        <>
            if let Some(walked) = state.walked(lead) {
                <section class="why" id="why" tabindex="-1">
                    <h2>{heading(state, lead, walked)}</h2>
                    {because(state, walked)}
                    {parting(page)}
                    {ways(state, walked)}
                    {settle(page, walked)}
                </section>
            }
            <section class="why" id="assumptions" tabindex="-1" aria-label="Assumptions">
                <h2>{"Taken for granted"}</h2>
                <ul>
                    {for assumptions
                        .into_iter()
                        .map(|assumption| html! { <li>{assumption}</li> })}
                </ul>
                if !state.paste.host_known {
                    {placing(page)}
                }
            </section>
        </>
    }
}

/// Whether the namespace that nobody knows is a pod's or a node's.
fn placing(page: &Page) -> Html {
    let is_node = scenario::is_node(&page.state.paste.host);
    let choice = |node: bool, id: &'static str, says: &'static str| {
        html! {
            <button
                type="button"
                {id}
                aria-pressed={bool_text(node == is_node)}
                onclick={page.on(Action::Place { node })}
            >
                {says}
            </button>
        }
    };
    html! {
        <p class="placing">
            <span id="placing">{"Walk them in"}</span>
            <span class="choice" role="group" aria-labelledby="placing">
                {choice(false, "place-pod", "a pod")}
                {choice(true, "place-node", "a node")}
            </span>
        </p>
    }
}

fn heading(state: &State, side: Side, walked: &Walked) -> String {
    let who = if state.compare { side.letter() } else { "it" };
    match walked.headline.fate {
        Fate::Captured => format!(
            "Why {who} is {}",
            Fate::Captured.word(state.paste.mesh.is_some())
        ),
        Fate::Direct if state.paste.mesh.is_some() => format!("Why {who} is not captured"),
        Fate::Direct => format!("Why {who} arrives"),
        Fate::Dropped => format!("Why {who} does not arrive"),
        Fate::Unknown => format!("Why a dump cannot tell for {who}"),
    }
}

/// The deciding rule in words, and what of the packet fitted it.
fn because(state: &State, walked: &Walked) -> Html {
    let rulesets = state.paste.rulesets();
    let says = sentence_with_chain(state, &walked.headline.reason, walked.decided_by());
    let decided = walked
        .decided_at()
        .filter(|_| walked.headline.fate != Fate::Unknown);
    let Some(at) = decided else {
        return html! { <p>{says}</p> };
    };
    let step = walked.path().steps.at(at);
    let (ruleset, table, _) = step.place.at.find(rulesets);
    let more = step.place.rule(rulesets).map(|rule| {
        let words = explain::rule(ruleset, table, rule);
        let why = explain::why(rulesets, &walked.trace, walked.path(), &step);
        html! { <p class="quiet">{"It says: "}{words}{" Here: "}{why}{"."}</p> }
    });
    let past = state.paste.known_past().unwrap_or_default();
    let exempt = past
        .iter()
        .find(|past| past.scenario.packet == walked.trace.packet)
        .and_then(|past| past.exempt);
    let meant = exempt.map(|why| html! { <p>{"It is meant to: "}{why}{"."}</p> });
    html! { <><p>{says}</p>{more}{meant}</> }
}

/// The step at which the two ways part, as both saw it.
fn parting(page: &Page) -> Html {
    let state = &page.state;
    let (Some(part), true) = (state.part, state.compare) else {
        return Html::default();
    };
    let rulesets = state.paste.rulesets();
    let seen = state.walks().map(|(side, walked)| {
        let path = walked.path();
        let says = match path.steps.get(part) {
            Some(step) => {
                let how = match walked.outcome(part) {
                    Outcome::Match | Outcome::Policy => "yes",
                    Outcome::NoMatch => "no",
                    Outcome::Unknown => "perhaps",
                };
                let why = explain::why(rulesets, &walked.trace, path, &step);
                format!("{}: {how}, {why}", format_place(rulesets, step.place))
            }
            None => walked.end(),
        };
        html! { <li class={colour(walked.headline.fate)}>{badge(side)}<span>{says}</span></li> }
    });
    html! {
        <>
            <p>
                {"They part at "}
                <button type="button" class="link" onclick={page.on(Action::Go(Move::To(part)))}>
                    {format!("step {}", part + 1)}
                </button>
                {"."}
            </p>
            <ul class="parted">{for seen}</ul>
        </>
    }
}

/// The ways that an uncertain walk can go.
fn ways(state: &State, walked: &Walked) -> Html {
    let trace = &walked.trace;
    if trace.branches.is_empty() {
        return Html::default();
    }
    let rulesets = state.paste.rulesets();
    if let Some(spread) = trace.spread.as_ref().filter(|_| trace.is_chance_alone()) {
        return super::spread::spread(rulesets, spread);
    }
    let ways = trace.branches.iter().map(|branch| {
        let order = branch
            .first
            .map(|backend| format!("{backend:?} runs first").to_ascii_lowercase());
        let answers = branch.assumes.iter().map(|assumed| {
            let rule = format_place(rulesets, assumed.place);
            match (assumed.question, assumed.matches) {
                (Question::Target, true) => format!("{rule}: {}: it is so", assumed.because),
                (Question::Target, false) => format!("{rule}: {}: it is not so", assumed.because),
                (Question::Matches, true) => format!("{rule} matches ({})", assumed.because),
                (Question::Matches, false) => {
                    format!("{rule} does not match ({})", assumed.because)
                }
                (Question::Translated, true) => {
                    format!("{rule} translated the connection ({})", assumed.because)
                }
                (Question::Translated, false) => {
                    format!(
                        "{rule} did not translate the connection ({})",
                        assumed.because
                    )
                }
                (Question::Bridged, true) => {
                    format!("the bridge passes the packet on ({})", assumed.because)
                }
                (Question::Bridged, false) => {
                    format!(
                        "the bridge passes the packet to this host ({})",
                        assumed.because
                    )
                }
                (Question::MissingRule, true) => {
                    format!("a rule that is not shown acts ({})", assumed.because)
                }
                (Question::MissingRule, false) => {
                    format!("no rule is missing ({})", assumed.because)
                }
            }
        });
        let given: Vec<String> = order.into_iter().chain(answers).collect();
        let end = branch
            .path
            .verdict
            .as_ref()
            .map_or("no end is known".into(), crate::paste::end);
        html! { <li>{"If "}{given.join(", ")}{": "}<b>{&*end}</b></li> }
    });
    html! {
        <>
            <p>{"The first of these ways is shown:"}</p>
            <ol>{for ways}</ol>
            if trace.branches_left_out > 0 {
                <p class="quiet">{format!("{} more are left out.", trace.branches_left_out)}</p>
            }
        </>
    }
}

/// Buttons that answer the first rule which a dump cannot tell, and that take such answers back.
fn settle(page: &Page, walked: &Walked) -> Html {
    let state = &page.state;
    let rulesets = state.paste.rulesets();
    let settled = state.settled.iter().map(|(place, matches)| {
        let how = if *matches {
            "matches"
        } else {
            "does not match"
        };
        html! {
            <p class="settle">
                {format!(
                    "You assume that {} {how}. ",
                    format_place(rulesets, *place)
                )}
                <button type="button" class="line" onclick={page.on(Action::Settle(*place, None))}>
                    {"let it depend"}
                </button>
            </p>
        }
    });
    let open = walked.first_doubt().map(|place| {
        let answer = |matches| page.on(Action::Settle(place, Some(matches)));
        html! {
            <p class="settle" id="settle">
                {format!("{}: ", format_place(rulesets, place))}
                <button type="button" class="line" onclick={answer(true)}>
                    {"assume it matches"}
                </button>
                <button type="button" class="line" onclick={answer(false)}>
                    {"assume it does not"}
                </button>
            </p>
        }
    });
    html! { <>{for settled}{open}</> }
}

/// Everything that is taken for granted, each once.
pub(super) fn assumptions(state: &State) -> Vec<String> {
    let mut all = state.paste.given();
    for (_, walked) in state.walks() {
        for assumption in &walked.trace.assumes {
            if !all.contains(assumption) {
                all.push(assumption.clone());
            }
        }
    }
    all.iter()
        .map(|says| format!("{}.", capital(says)))
        .collect()
}
