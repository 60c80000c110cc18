//! Packets set aside: a table of more than two, with where each ends, of which two are A and B.

use chainwalk_core::packet::line;

use super::badge::{colour, glyph};
use super::phrases::format_place;
use crate::element::{Markup, button, tag};
use crate::page::Page;
use crate::shelf::{Do, Kept, MOST};
use crate::side::Side;
use crate::state::Action;

/// The table, and the buttons that put packets into it.
pub(super) fn shelf(page: &Page) -> Markup {
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
            button()
                .class("line")
                .id(format!("shelf-{}", side.key()))
                .flag("disabled", full)
                .on("click", page.on(Action::Shelf(Do::Add(*side))))
                .child(name)
        });
    tag("section")
        .class("why")
        .id("shelf")
        .child(tag("h2").text("Compare more"))
        .child(
            tag("p")
                .class("put")
                .children(add)
                .child(state.shelf.is_empty().then(|| {
                    tag("span")
                        .class("quiet")
                        .text("packets set aside are listed here with where each ends")
                })),
        )
        .child((!state.shelf.is_empty()).then(|| {
            tag("table")
                .class("shelf")
                .child(
                    tag("thead").child(
                        tag("tr")
                            .child(tag("th").attr("scope", "col").text("shown as"))
                            .child(
                                tag("th")
                                    .attr("scope", "col")
                                    .text("packet, and where it ends"),
                            )
                            .child(tag("td")),
                    ),
                )
                .child(
                    tag("tbody").children(
                        state
                            .shelf
                            .iter()
                            .enumerate()
                            .map(|(place, kept)| row(page, place, kept)),
                    ),
                )
        }))
}

fn row(page: &Page, place: usize, kept: &Kept) -> Markup {
    let state = &page.state;
    let line = line::print(&kept.packet);
    let sides = [Side::A, Side::B].map(|side| {
        let lane = state.walked(side).map(|walked| &walked.trace.packet);
        let is = lane == Some(&kept.packet);
        button()
            .is("aria-pressed", is)
            .attr("aria-label", format!("Show as {}: {line}", side.letter()))
            .on("click", page.on(Action::Shelf(Do::Load(place, side))))
            .child(side.letter())
    });
    let decided = kept.decided_by.map_or("no rule".into(), |place| {
        format_place(state.paste.rulesets(), place)
    });
    tag("tr")
        .attr("data-kept", place.to_string())
        .child(tag("td").child(tag("div").class("choice").children(sides)))
        .child(
            tag("td").child(tag("code").child(&line)).child(
                tag("p")
                    .class(colour(kept.fate))
                    .child(
                        tag("span")
                            .attr("aria-hidden", "true")
                            .child(glyph(kept.fate))
                            .text(" "),
                    )
                    .child(kept.fate.word(state.paste.mesh.is_some()))
                    .text(" ")
                    .child(&*kept.end)
                    .text(", ")
                    .child(tag("code").child(decided)),
            ),
        )
        .child(
            tag("td").child(
                button()
                    .class("line")
                    .attr("aria-label", format!("Remove {line}"))
                    .attr("title", "Remove")
                    .on("click", page.on(Action::Shelf(Do::Remove(place))))
                    .text("✕"),
            ),
        )
}
