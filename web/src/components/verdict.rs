//! The answer: the largest text of the page, with the other packet's beside it.

use chainwalk_core::analysis::explain::{self, Fate, Headline, capital};
use chainwalk_core::walk::trace::Outcome;
use yew::prelude::*;

use super::badge::{badge, colour};
use super::phrases::sentence_with_chain;
use super::rule;
use crate::browser;
use crate::element::{Markup, button, group, key, nothing, tag};
use crate::page::Page;
use crate::side::Side;
use crate::state::{Action, State, Tab, sent};
use crate::walked::Walked;

/// Both answers.
pub(crate) fn verdict(page: &Page) -> Markup {
    let state = &page.state;
    let lead = state.lead;
    let large_other = format!("Answer for {} in large", lead.other().letter());
    let tabs = Tab::ALL.map(|tab| tab_button(page, tab));
    tag("section")
        .class("verdict")
        .attr("aria-label", "Verdict")
        .child(
            tag("div")
                .class("lead")
                .id("verdict")
                .child(large(state, lead)),
        )
        .child(if state.compare {
            group()
                .child(
                    button()
                        .class("line swap")
                        .id("swap")
                        .attr("aria-label", large_other.clone())
                        .attr("title", large_other)
                        .on("click", page.on(Action::Lead(lead.other())))
                        .child(
                            tag("svg")
                                .attr("viewBox", "0 0 18 16")
                                .attr("width", "18")
                                .attr("height", "16")
                                .attr("aria-hidden", "true")
                                .child(tag("path").attr(
                                    "d",
                                    "M5 1.500 2 4.500l3 3M2 4.500h14M13 8.500l3 3-3 3M16 11.500H2",
                                )),
                        ),
                )
                .child(
                    tag("div")
                        .class("other")
                        .id("verdict-other")
                        .child(small(state, lead.other()))
                        .child(certainty(page)),
                )
        } else {
            tag("div").class("other").child(certainty(page))
        })
        .child(
            tag("div")
                .class("tabs")
                .attr("role", "tablist")
                .attr("aria-label", "Parts of the page")
                .children(tabs),
        )
}

fn tab_button(page: &Page, tab: Tab) -> Markup {
    let selected = page.state.tab == tab;
    let place = Tab::ALL.iter().position(|other| *other == tab).unwrap_or(0);
    let act = page.act.clone();
    // The arrows move through a list of tabs, as everywhere.
    let onkeydown = Callback::from(move |event: Event| {
        let next = match &*key(&event) {
            "ArrowLeft" => place.checked_sub(1),
            "ArrowRight" => Some(place + 1),
            _ => None,
        };
        if let Some(tab) = next.and_then(|next| Tab::ALL.get(next)) {
            act.emit(Action::Tab(*tab));
            browser::focus(&format!("tab-{}", tab.key()));
        }
    });
    button()
        .attr("role", "tab")
        .id(format!("tab-{}", tab.key()))
        .is("aria-selected", selected)
        .attr("aria-controls", format!("pane-{}", tab.key()))
        .attr("tabindex", if selected { "0" } else { "-1" })
        .on("click", page.on(Action::Tab(tab)))
        .on("keydown", onkeydown)
        .child(tab.name())
}

fn large(state: &State, side: Side) -> Markup {
    let Ok(walked) = &state.lane(side).walked else {
        return incomplete(state, side);
    };
    let Headline {
        fate,
        lead,
        reason,
        end,
    } = &walked.headline;
    group()
        .child(
            tag("h1")
                .child(tag("b").class(colour(*fate)).child(lead))
                .text(" ")
                .child(sentence_with_chain(state, reason, walked.decided_by())),
        )
        .child(
            tag("p")
                .class("under")
                .child(state.compare.then(|| group().child(badge(side)).text(" ")))
                .child(capital(&format!("{}: {end}", sent(&walked.trace.packet))))
                .child((*fate != Fate::Unknown).then(|| decided(state, walked))),
        )
}

/// The rule that decided, as its line states it.
fn decided(state: &State, walked: &Walked) -> Markup {
    let rulesets = state.paste.rulesets();
    let Some(place) = walked.decided_by() else {
        return nothing();
    };
    let (_, _, chain) = place.at.find(rulesets);
    match place.rule(rulesets) {
        Some(rule) => tag("span")
            .class("more")
            .child(format!(", by line {}: ", rule.line))
            .child(
                tag("code")
                    .text("-A ")
                    .child(&*chain.name)
                    .text(" ")
                    .child(rule::text(rulesets, place)),
            ),
        None => nothing(),
    }
}

fn small(state: &State, side: Side) -> Markup {
    let Ok(walked) = &state.lane(side).walked else {
        return incomplete(state, side);
    };
    let Headline {
        fate, lead, reason, ..
    } = &walked.headline;
    let lead = lead.trim_end_matches('.').to_ascii_lowercase();
    let name = state.name(side);
    let name = if name.starts_with("uid") || name.starts_with("gid") {
        format!("As {name}")
    } else {
        capital(&name)
    };
    group()
        .child(
            tag("h2")
                .child(badge(side))
                .text(" ")
                .child(name)
                .text(": ")
                .child(tag("b").class(colour(*fate)).child(lead)),
        )
        .child(tag("p").class("under").child(sentence_with_chain(
            state,
            reason,
            walked.decided_by(),
        )))
}

fn incomplete(state: &State, side: Side) -> Markup {
    let wrong = state
        .lane(side)
        .walked
        .as_ref()
        .err()
        .and_then(|wrong| wrong.first());
    group()
        .child(tag("h1").child(badge(side)).text(" is not complete."))
        .child(wrong.map(|wrong| {
            tag("p")
                .class("under")
                .child(wrong.field.label())
                .text(": ")
                .child(&wrong.message)
        }))
}

fn certainty(page: &Page) -> Markup {
    let walks: Vec<_> = page.state.walks().collect();
    if walks.is_empty() {
        return nothing();
    }
    let unsure: Vec<&str> = walks
        .iter()
        .filter(|(_, walked)| !walked.trace.certain)
        .map(|(side, _)| side.letter())
        .collect();
    let given = super::why::assumptions(&page.state);
    let says = match (unsure.len(), walks.len()) {
        (0, 1) => "✓ Certain".to_owned(),
        (0, _) => "✓ Both certain".to_owned(),
        (1, 1) => "? A dump cannot tell".to_owned(),
        _ => format!("? A dump cannot tell for {}", unsure.join(" and ")),
    };
    let class = if unsure.is_empty() { "sure" } else { "unknown" };
    let count = if given.len() == 1 {
        "1 assumption".to_owned()
    } else {
        format!("{} assumptions", given.len())
    };
    let embed = page.state.embed.is_some();
    let open = |id: &'static str| {
        let act = page.act.clone();
        Callback::from(move |_: Event| {
            act.emit(Action::Tab(Tab::Packet));
            browser::focus(id);
        })
    };
    tag("div")
        .class("certainty")
        .child(if unsure.is_empty() || embed {
            tag("b").class(class).child(says)
        } else {
            button()
                .class("link")
                .class(class)
                .on("click", open("why"))
                .child(tag("b").child(says))
        })
        .child((!given.is_empty()).then(|| {
            group().text(", given ").child(if embed {
                // The column that tells them is not there.
                tag("details").child(tag("summary").child(count)).child(
                    tag("ul").children(given.into_iter().map(|given| tag("li").child(given))),
                )
            } else {
                button()
                    .class("link")
                    .on("click", open("assumptions"))
                    .child(count)
            })
        }))
}

/// A whole step, from core's words, with the packet's end behind its last.
pub(super) fn step(state: &State, walked: &Walked, at: usize) -> String {
    let path = walked.path();
    let rulesets = state.paste.rulesets();
    let Some(step) = path.steps.get(at) else {
        let lead = if path.steps.is_empty() {
            "It meets no rule"
        } else {
            "It has ended"
        };
        return format!("{lead}: {}.", walked.end());
    };
    let says = match walked.doubt(at) {
        Some(because) => {
            let as_if = if step.outcome == Outcome::Match {
                "matched"
            } else {
                "did not match"
            };
            format!(
                "{} cannot be told: {because}. Shown as if it {as_if}.",
                explain::place(rulesets, step.place)
            )
        }
        None => explain::step(rulesets, &walked.trace, path, &step),
    };
    if at + 1 == path.steps.len() {
        format!("{says} {}.", capital(&walked.end()))
    } else {
        says
    }
}
