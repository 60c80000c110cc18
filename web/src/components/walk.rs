//! The walk: the way in short, the stepper, the sentence, and all steps.

use yew::prelude::*;

use super::badge::{badge, colour};
use super::left_out::unless_left_out;
use super::map::{Map, save_buttons};
use super::stepper::Stepper;
use super::steps::Steps;
use crate::element::{Markup, button, group, tag};
use crate::page::Page;
use crate::page_part::Part;
use crate::state::Action;

/// The whole column.
pub(crate) fn walk(page: &Page) -> Markup {
    let state = &page.state;
    let names = state.sides().iter().map(|side| {
        let class = state
            .walked(*side)
            .map_or("", |walked| colour(walked.headline.fate));
        tag("span")
            .class("name")
            .class(class)
            .child(badge(*side))
            .text(" ")
            .child(state.name(*side))
    });
    tag("section")
        .class("pane walk")
        .id("pane-walk")
        .attr("aria-label", "Walk")
        .child(
            tag("div")
                .class("head")
                .child(tag("h2").text("Walk"))
                .child(tag("span").class("names").children(names))
                .child(tag("span").class("space"))
                .child(save_buttons())
                .child(
                    button()
                        .class("line")
                        .id("compare")
                        .is("aria-pressed", state.compare)
                        .attr("title", "Show the second packet beside the first (c)")
                        .on("click", page.on(Action::Compare))
                        .text("Compare ")
                        .child(tag("kbd").text("c")),
                ),
        )
        .child(unless_left_out(Part::Map, || {
            group().child(html! { <Map ..page.clone() /> })
        }))
        .child(unless_left_out(Part::Steps, || {
            group()
                .child(html! { <Stepper ..page.clone() /> })
                .child(html! { <Steps ..page.clone() /> })
        }))
}
