//! Who gets past: the packets worth trying, and where each ends.

use chainwalk_core::analysis::explain::Fate;
use chainwalk_core::analysis::scenario::{self, Group};
use web_sys::Event;
use yew::Callback;

use super::badge::{badge, colour, glyph};
use super::findings;
use super::phrases::format_place;
use super::told::WORKING;
use crate::browser;
use crate::element::{Markup, button, group, tag};
use crate::page::Page;
use crate::paste::{Kind, Past as Row};
use crate::side::Side;
use crate::state::Action;

/// The sign of what is meant to go past.
const EXEMPT: &str = "◌";

/// The kinds that are counted.
const KINDS: [Kind; 5] = [
    (Fate::Captured, false),
    (Fate::Direct, false),
    (Fate::Dropped, false),
    (Fate::Unknown, false),
    (Fate::Direct, true),
];

/// The table, a column for each kind of way; and beneath it what is to be said of the dump as a
/// whole.
pub(crate) fn past(page: &Page) -> Markup {
    let paste = &page.state.paste;
    let known = paste.known_past();
    let past = known.unwrap_or_default();
    let count = |kind| past.iter().filter(|past| past.kind() == kind).count();
    // Other rules may have none of them.
    let wanted = page.state.only.filter(|kind| count(*kind) > 0);
    let counts = KINDS
        .into_iter()
        .filter(|kind| count(*kind) > 0)
        .map(|kind| {
            let (fate, exempt) = kind;
            let pressed = wanted == Some(kind);
            let word = match (fate, &paste.mesh) {
                _ if exempt => "exempt by design",
                (Fate::Direct, Some(_)) if count(kind) == 1 => "gets past",
                (Fate::Direct, Some(_)) => "get past",
                (fate, mesh) => fate.word(mesh.is_some()),
            };
            let (class, sign) = if exempt {
                ("exempt", EXEMPT)
            } else {
                (colour(fate), glyph(fate))
            };
            button()
                .class("line")
                .class(class)
                .is("aria-pressed", pressed)
                .attr(
                    "title",
                    if pressed {
                        "Show all"
                    } else {
                        "Show only these"
                    },
                )
                .on("click", {
                    let act = page.act.clone();
                    Callback::from(move |_: Event| {
                        act.emit(Action::Only((!pressed).then_some(kind)));
                        // Beneath a large answer the table begins below the window.
                        browser::show("#pane-past .groups", "nearest", false);
                    })
                })
                .child(format!("{sign} {} {word}", count(kind)))
        });
    // Nothing passes through a pod.
    let is_there = |group: &Group| {
        *group != Group::Through || past.iter().any(|row| row.scenario.group == *group)
    };
    let groups = Group::ALL.into_iter().filter(is_there).map(|group| {
        let rows = |exempt: bool| {
            let of_group = past.iter().filter(move |row| row.scenario.group == group);
            let of_kind = of_group.filter(move |row| {
                row.kind().1 == exempt && wanted.is_none_or(|kind| kind == row.kind())
            });
            of_kind.map(|row| show(page, row)).collect::<Vec<_>>()
        };
        let (others, exempt) = (rows(false), rows(true));
        // Its heading stays: else the other columns would take its place.
        let none = others.is_empty() && exempt.is_empty();
        tag("table")
            .child(
                tag("thead").child(
                    tag("tr")
                        .child(
                            tag("th")
                                .attr("scope", "col")
                                .child(group.title(scenario::is_node(&paste.host))),
                        )
                        .child(tag("th").attr("scope", "col").text("ends"))
                        .child(tag("th").attr("scope", "col").text("decided by")),
                ),
            )
            .child(tag("tbody").children(others).child(none.then(|| {
                tag("tr").class("exempt").child(
                    tag("td").attr("colspan", "3").child(if known.is_some() {
                        "none"
                    } else {
                        WORKING
                    }),
                )
            })))
            .child((!exempt.is_empty()).then(|| {
                tag("tbody")
                    .class("exempt")
                    .child(
                        tag("tr").child(
                            tag("th")
                                .attr("scope", "rowgroup")
                                .attr("colspan", "3")
                                .child(format!("{EXEMPT} Exempt by design")),
                        ),
                    )
                    .children(exempt)
            }))
    });
    let sections = findings::sections(page);
    let title = if paste.mesh.is_some() {
        "Who gets past"
    } else {
        "Where packets end"
    };
    let links = sections.iter().map(|section| {
        // The number that the title gets moves nothing: it has its room before.
        let room = section.busy.then(|| tag("span").class("room").text(" (0)"));
        button()
            .class("link")
            .attr("data-to", section.id)
            .child(&section.title)
            .child(room)
    });
    tag("section")
        .class("pane past")
        .id("pane-past")
        .attr("aria-label", title)
        .child(
            tag("div")
                .class("head")
                .child(tag("h2").child(title))
                .child(
                    tag("span")
                        .class("counts")
                        .attr("role", "group")
                        .attr("aria-label", "Show only")
                        .children(counts),
                )
                .child(tag("span").class("space"))
                .child(
                    tag("span")
                        .class("quiet wide")
                        .text("click a row to load it"),
                )
                .child(
                    tag("nav")
                        .class("below")
                        .attr("aria-label", "Below the table")
                        .children(links),
                ),
        )
        .child(
            tag("div")
                .class("groups")
                .attr("aria-busy", known.is_none().then_some("true"))
                .children(groups),
        )
        .child(
            tag("div")
                .class("whole")
                .children(sections.iter().map(|section| section.show(page))),
        )
}

fn show(page: &Page, row: &Row) -> Markup {
    let state = &page.state;
    let key = row.scenario.key;
    let held: Vec<Side> = state
        .sides()
        .iter()
        .copied()
        .filter(|side| state.lane(*side).scenario == Some(key))
        .collect();
    let decided = row.decided_by.map_or("no rule".into(), |place| {
        format_place(state.paste.rulesets(), place)
    });
    tag("tr")
        .class((!held.is_empty()).then_some("held"))
        .child(
            tag("td").child(
                button()
                    .attr("data-past", key)
                    .on("click", page.on(Action::Scenario(key)))
                    .children(held.into_iter().map(badge))
                    .child(&row.scenario.label),
            ),
        )
        .child(if let Some(why) = row.exempt {
            group()
                .child(
                    tag("td")
                        .child(
                            tag("span")
                                .attr("aria-hidden", "true")
                                .child(EXEMPT)
                                .text(" "),
                        )
                        .child(&*row.end),
                )
                .child(
                    tag("td")
                        .child(tag("code").child(decided))
                        .text(", ")
                        .child(why),
                )
        } else {
            group()
                .child(
                    tag("td")
                        .class(colour(row.fate))
                        .child(
                            tag("span")
                                .attr("aria-hidden", "true")
                                .child(glyph(row.fate))
                                .text(" "),
                        )
                        .child(
                            tag("span")
                                .class("hidden")
                                .child(row.fate.word(state.paste.mesh.is_some()))
                                .text(", "),
                        )
                        .child(&*row.end),
                )
                .child(tag("td").child(tag("code").child(decided)))
        })
}
