//! The top line: samples, the promise, help and theme.

use wasm_bindgen::JsCast;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

use crate::element::{button, tag};
use crate::page::Page;
use crate::page_part;
use crate::paste::Origin;
use crate::sample::SAMPLES;
use crate::state::{Action, View};
use crate::theme::Theme;

/// The top line.
#[component]
pub(crate) fn Header(page: &Page) -> Html {
    page_part::enter(None);
    let theme = use_state(Theme::stored);
    use_effect_with(*theme, |theme| theme.show());
    let next = {
        let theme = theme.clone();
        Callback::from(move |_: Event| {
            let next = theme.next();
            next.store();
            theme.set(next);
        })
    };
    let chosen = page.act.reform(|event: Event| {
        let value = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlSelectElement>().ok())
            .map(|list| list.value());
        match value.and_then(|value| value.parse().ok()) {
            Some(sample) => Action::Sample(sample),
            None => Action::View(View::Edit),
        }
    });
    let other = match (&page.state.paste.origin, &page.state.original.origin) {
        (Origin::Sample(_), _) => None,
        (Origin::Own, Origin::Sample(place)) => Some(format!("{}, changed", SAMPLES[*place].name)),
        (Origin::Own, _) => Some("Your paste".to_owned()),
        (Origin::Shared, _) => Some("Shared or saved rules".to_owned()),
        (Origin::Lesson, _) => Some("The lesson's rules".to_owned()),
    };
    let samples = SAMPLES.iter().enumerate().map(|(place, sample)| {
        let selected = page.state.paste.origin == Origin::Sample(place);
        tag("option")
            .attr("value", place.to_string())
            .flag("selected", selected)
            .child(sample.name)
    });
    let says = format!("Theme: {}", theme.name());
    tag("header")
        .class("top")
        .child(
            tag("a")
                .class("brand")
                .attr("href", "#")
                .on("click", |event: Event| event.prevent_default())
                .child(
                    tag("svg")
                        .attr("viewBox", "0 0 28 16")
                        .attr("width", "28")
                        .attr("height", "16")
                        .attr("aria-hidden", "true")
                        .child(
                            tag("path")
                                .class("line")
                                .attr("d", "M4 4h14a4 4 0 0 1 0 8h-6"),
                        )
                        .child(
                            tag("circle")
                                .class("dot")
                                .attr("cx", "4")
                                .attr("cy", "4")
                                .attr("r", "2.6"),
                        )
                        .child(
                            tag("circle")
                                .class("ring")
                                .attr("cx", "9")
                                .attr("cy", "12")
                                .attr("r", "2.6"),
                        ),
                )
                .child(tag("span").text("Chainwalk")),
        )
        .child(
            tag("label")
                .class("pick")
                .child(tag("span").class("hidden").text("Rules"))
                .child(
                    tag("select")
                        .id("samples")
                        .on("change", chosen)
                        .child(other.map(|other| {
                            tag("option")
                                .attr("value", "own")
                                .flag("selected", true)
                                .child(other)
                        }))
                        .child(tag("optgroup").attr("label", "Samples").children(samples)),
                ),
        )
        .child(
            tag("label")
                .class("line open")
                .attr(
                    "title",
                    "Open a file: a dump, a capture, or what was saved here",
                )
                .text("Open")
                .child(
                    tag("input")
                        .attr("type", "file")
                        .id("open")
                        .class("hidden")
                        .attr("aria-label", "Open a file"),
                ),
        )
        .child(
            button()
                .class("line")
                .id("share-open")
                .attr("title", "Share: link, file, ticket, trace, script")
                .on("click", page.on(Action::Share(true)))
                .text("Share"),
        )
        .child(
            tag("a")
                .class("plain")
                .id("lessons-open")
                .attr("href", "#lessons")
                .text("Lessons"),
        )
        .child(tag("span").class("space"))
        .child(
            tag("p")
                .class("promise")
                .child(
                    tag("svg")
                        .attr("viewBox", "0 0 12 14")
                        .attr("width", "11")
                        .attr("height", "13")
                        .attr("aria-hidden", "true")
                        .child(
                            tag("rect")
                                .attr("x", "1")
                                .attr("y", "6")
                                .attr("width", "10")
                                .attr("height", "7")
                                .attr("rx", "1.5"),
                        )
                        .child(tag("path").attr("d", "M3.500 6V4a2.500 2.500 0 0 1 5 0v2")),
                )
                .text("Nothing leaves this page."),
        )
        .child(
            button()
                .class("plain")
                .id("help-open")
                .attr("aria-label", "Help and keys")
                .attr("title", "Help and keys (?)")
                .on("click", page.on(Action::Help(true)))
                .text("?"),
        )
        .child(
            button()
                .class("plain")
                .id("theme")
                .attr("aria-label", says.clone())
                .attr("title", says)
                .on("click", next)
                .child(
                    tag("svg")
                        .attr("viewBox", "0 0 16 16")
                        .attr("width", "15")
                        .attr("height", "15")
                        .attr("aria-hidden", "true")
                        .child(
                            tag("circle")
                                .attr("cx", "8")
                                .attr("cy", "8")
                                .attr("r", "6.500"),
                        )
                        .child(if *theme == Theme::System {
                            Some(
                                tag("path")
                                    .class("fill")
                                    .attr("d", "M8 1.500a6.500 6.500 0 0 1 0 13z"),
                            )
                        } else {
                            (*theme == Theme::Dark).then(|| {
                                tag("circle")
                                    .class("fill")
                                    .attr("cx", "8")
                                    .attr("cy", "8")
                                    .attr("r", "4")
                            })
                        }),
                ),
        )
        .html()
}
