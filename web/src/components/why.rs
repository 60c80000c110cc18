//! The reason for the answer, where two packets part, and what is taken for granted.

use chainwalk_core::analysis::explain::{self, Fate, capital};
use chainwalk_core::analysis::scenario;
use chainwalk_core::walk::trace::{Outcome, Question};

use super::badge::{badge, colour};
use super::phrases::{format_place, sentence_with_chain};
use crate::cursor::Move;
use crate::element::{Markup, button, group, nothing, tag};
use crate::page::Page;
use crate::side::Side;
use crate::state::{Action, State};
use crate::walked::Walked;

/// The lower half of the packet's column.
pub(crate) fn why(page: &Page) -> Markup {
    let state = &page.state;
    let lead = state.lead;
    let assumptions = assumptions(state);
    group()
        .child(state.walked(lead).map(|walked| {
            tag("section")
                .class("why")
                .id("why")
                .attr("tabindex", "-1")
                .child(tag("h2").child(heading(state, lead, walked)))
                .child(because(state, walked))
                .child(parting(page))
                .child(ways(state, walked))
                .child(settle(page, walked))
        }))
        .child(
            tag("section")
                .class("why")
                .id("assumptions")
                .attr("tabindex", "-1")
                .attr("aria-label", "Assumptions")
                .child(tag("h2").text("Taken for granted"))
                .child(
                    tag("ul").children(
                        assumptions
                            .into_iter()
                            .map(|assumption| tag("li").child(assumption)),
                    ),
                )
                .child((!state.paste.host_known).then(|| placing(page))),
        )
}

/// Whether the namespace that nobody knows is a pod's or a node's.
fn placing(page: &Page) -> Markup {
    let is_node = scenario::is_node(&page.state.paste.host);
    let choice = |node: bool, id: &'static str, says: &'static str| {
        button()
            .id(id)
            .is("aria-pressed", node == is_node)
            .on("click", page.on(Action::Place { node }))
            .text(says)
    };
    tag("p")
        .class("placing")
        .child(tag("span").id("placing").text("Walk them in"))
        .child(
            tag("span")
                .class("choice")
                .attr("role", "group")
                .attr("aria-labelledby", "placing")
                .child(choice(false, "place-pod", "a pod"))
                .child(choice(true, "place-node", "a node")),
        )
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
fn because(state: &State, walked: &Walked) -> Markup {
    let rulesets = state.paste.rulesets();
    let says = sentence_with_chain(state, &walked.headline.reason, walked.decided_by());
    let decided = walked
        .decided_at()
        .filter(|_| walked.headline.fate != Fate::Unknown);
    let Some(at) = decided else {
        return tag("p").child(says);
    };
    let step = walked.path().steps.at(at);
    let (ruleset, table, _) = step.place.at.find(rulesets);
    let more = step.place.rule(rulesets).map(|rule| {
        let words = explain::rule(ruleset, table, rule);
        let why = explain::why(rulesets, &walked.trace, walked.path(), &step);
        tag("p")
            .class("quiet")
            .text("It says: ")
            .child(words)
            .text(" Here: ")
            .child(why)
            .text(".")
    });
    let past = state.paste.known_past().unwrap_or_default();
    let exempt = past
        .iter()
        .find(|past| past.scenario.packet == walked.trace.packet)
        .and_then(|past| past.exempt);
    let meant = exempt.map(|why| tag("p").text("It is meant to: ").child(why).text("."));
    group().child(tag("p").child(says)).child(more).child(meant)
}

/// The step at which the two ways part, as both saw it.
fn parting(page: &Page) -> Markup {
    let state = &page.state;
    let (Some(part), true) = (state.part, state.compare) else {
        return nothing();
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
        tag("li")
            .class(colour(walked.headline.fate))
            .child(badge(side))
            .child(tag("span").child(says))
    });
    group()
        .child(
            tag("p")
                .text("They part at ")
                .child(
                    button()
                        .class("link")
                        .on("click", page.on(Action::Go(Move::To(part))))
                        .child(format!("step {}", part + 1)),
                )
                .text("."),
        )
        .child(tag("ul").class("parted").children(seen))
}

/// The ways that an uncertain walk can go.
fn ways(state: &State, walked: &Walked) -> Markup {
    let trace = &walked.trace;
    if trace.branches.is_empty() {
        return nothing();
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
        tag("li")
            .text("If ")
            .child(given.join(", "))
            .text(": ")
            .child(tag("b").child(&*end))
    });
    group()
        .child(tag("p").text("The first of these ways is shown:"))
        .child(tag("ol").children(ways))
        .child((trace.branches_left_out > 0).then(|| {
            tag("p")
                .class("quiet")
                .child(format!("{} more are left out.", trace.branches_left_out))
        }))
}

/// Buttons that answer the first rule which a dump cannot tell, and that take such answers back.
fn settle(page: &Page, walked: &Walked) -> Markup {
    let state = &page.state;
    let rulesets = state.paste.rulesets();
    let settled = state.settled.iter().map(|(place, matches)| {
        let how = if *matches {
            "matches"
        } else {
            "does not match"
        };
        tag("p")
            .class("settle")
            .child(format!(
                "You assume that {} {how}. ",
                format_place(rulesets, *place)
            ))
            .child(
                button()
                    .class("line")
                    .on("click", page.on(Action::Settle(*place, None)))
                    .text("let it depend"),
            )
    });
    let open = walked.first_doubt().map(|place| {
        let answer = |matches| page.on(Action::Settle(place, Some(matches)));
        tag("p")
            .class("settle")
            .id("settle")
            .child(format!("{}: ", format_place(rulesets, place)))
            .child(
                button()
                    .class("line")
                    .on("click", answer(true))
                    .text("assume it matches"),
            )
            .child(
                button()
                    .class("line")
                    .on("click", answer(false))
                    .text("assume it does not"),
            )
    });
    group().children(settled).child(open)
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
