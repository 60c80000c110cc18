//! The map of the ways: core's shapes as SVG, as wide as there is room for.

use chainwalk_core::map::{self, Form, Go, Group, Lane, Leg, Map as Drawing, Shape, Sheet};
use gloo::events::EventListener;
use gloo::utils::window;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

use super::badge::colour;
use super::follow::use_follow;
use super::way;
use crate::browser;
use crate::cursor::Move;
use crate::element::{Markup, button, key, tag};
use crate::page::Page;
use crate::page_part::{self, Part};
use crate::state::{Action, State};

/// How wide the map is until it is measured.
const WIDTH: i32 = 580;

/// The map.
#[component]
pub(crate) fn Map(page: &Page) -> Html {
    page_part::enter(Part::Map);
    let state = &page.state;
    let node = use_follow((state.cursor, state.walks().count()), 0);
    let width = use_state(|| WIDTH);
    let measure = {
        let (node, width) = (node.clone(), width.clone());
        move || {
            // A part of the page that is not shown has no width.
            let room = node
                .cast::<HtmlElement>()
                .map_or(0, |element| element.client_width());
            if room > 0 && room != *width {
                width.set(room);
            }
        }
    };
    use_effect_with((state.tab, *width), {
        let measure = measure.clone();
        move |_| {
            measure();
            let listener = EventListener::new(&window(), "resize", move |_| measure());
            move || drop(listener)
        }
    });
    let drawing = map::draw(&sheet(state, *width));
    let onclick = {
        let page = page.clone();
        Callback::from(move |event: Event| go(&page, event.target()))
    };
    let onkeydown = {
        let page = page.clone();
        Callback::from(move |event: Event| {
            if matches!(&*key(&event), "Enter" | " ") {
                event.prevent_default();
                go(&page, event.target());
            }
        })
    };
    let Drawing {
        width,
        height,
        groups,
        says,
    } = drawing;
    tag("div")
        .class("map")
        .node(&node)
        .child(
            tag("svg")
                .id("map")
                .attr("viewBox", format!("0 0 {width} {height}"))
                .attr("width", width.to_string())
                .attr("height", height.to_string())
                .attr("role", "group")
                .attr("aria-labelledby", "map-title")
                .attr("aria-describedby", "map-says")
                .on("click", onclick)
                .on("keydown", onkeydown)
                .child(tag("title").id("map-title").text("Map of the way"))
                .child(tag("desc").id("map-says").child(says))
                .children(groups.into_iter().map(|group| draw(state, group))),
        )
        .html()
}

/// Buttons that save it.
pub(super) fn save_buttons() -> Markup {
    let save = |png: bool, name: &'static str| {
        let onclick = move |_: Event| {
            if let Some(svg) = gloo::utils::document().get_element_by_id("map") {
                browser::picture(&svg, png);
            }
        };
        let title = format!("Save the map as {name}");
        button()
            .attr("title", title.clone())
            .attr("aria-label", title)
            .on("click", onclick)
            .child(name)
    };
    tag("div")
        .class("choice")
        .attr("role", "group")
        .attr("aria-label", "Save the map")
        .child(save(false, "SVG"))
        .child(save(true, "PNG"))
}

/// Does what a click on a part of the map means.
fn go(page: &Page, target: Option<web_sys::EventTarget>) {
    let element = target.and_then(|target| target.dyn_into::<Element>().ok());
    let group = element.and_then(|element| element.closest("[data-go]").ok().flatten());
    let Some(go) = group.and_then(|group| group.get_attribute("data-go")) else {
        return;
    };
    let (kind, place) = go.split_at(1);
    let Ok(place) = place.parse::<usize>() else {
        return;
    };
    if kind == "s" {
        page.act.emit(Action::Go(Move::To(place)));
    } else if let Some(leg) = page
        .state
        .told
        .as_ref()
        .and_then(|told| told.journey.legs.get(place + 1))
    {
        page.act
            .emit(Action::Load(Box::new(leg.trace.packet.clone())));
    }
}

/// What the map shows of the page.
fn sheet(state: &State, width: i32) -> Sheet<'_> {
    let rulesets = state.paste.rulesets();
    let mut lanes = Vec::new();
    for (side, walked) in state.walks() {
        lanes.push(Lane {
            letter: side.letter(),
            name: state.name(side),
            path: walked.path(),
            fate: walked.headline.fate,
            end: way::end(state, walked.trace.verdict()),
            decided: walked.decided_at(),
            doubts: walked.doubts().collect(),
            others: map::others(rulesets, &walked.trace, |verdict| {
                way::end(state, Some(verdict))
            }),
        });
    }
    let followed = state.followed().map(|(side, _)| side.letter());
    let followed = lanes
        .iter()
        .position(|lane| Some(lane.letter) == followed)
        .unwrap_or(0);
    let legs = state
        .told
        .iter()
        .flat_map(|told| told.journey.legs.iter().skip(1))
        .map(|leg| Leg {
            name: format!("{} → {}", leg.from, leg.to),
            path: leg.trace.shown(),
            fate: chainwalk_core::analysis::explain::Fate::from_verdict(leg.trace.verdict()),
            end: way::end(state, leg.trace.verdict()),
        });
    Sheet {
        rulesets,
        meshed: state.paste.mesh.is_some(),
        followed,
        legs: legs.collect(),
        cursor: state.cursor,
        width,
        lanes,
    }
}

fn draw(state: &State, group: Group) -> Markup {
    let Group {
        lane,
        fate,
        go,
        name,
        stop,
        current,
        shapes,
    } = group;
    let of_lane = lane.and_then(|lane| state.walks().nth(lane));
    let (side, colour) = match (of_lane, fate) {
        (Some((side, walked)), _) => (Some(side.key()), Some(colour(walked.headline.fate))),
        (None, fate) => (None, fate.map(colour)),
    };
    let drawn = tag("g").class(side).class(colour);
    let drawn = match go {
        None => drawn,
        Some(go) => drawn
            .attr("role", "button")
            .attr("tabindex", if stop { "0" } else { "-1" })
            .attr("aria-label", name)
            .attr("data-go", target_of(go))
            .attr("aria-current", current.then_some("step"))
            .attr("data-current", current.then_some("")),
    };
    drawn.children(shapes.into_iter().map(element))
}

/// A shape as an element.
fn element(shape: Shape) -> Markup {
    let element = match shape.form {
        Form::Box(x, y, width, height, radius) => {
            let places = [
                ("x", x),
                ("y", y),
                ("width", width),
                ("height", height),
                ("rx", radius),
            ];
            placed("rect", &places)
        }
        Form::Line(path) => tag("path").attr("d", path),
        Form::Dot(x, y, radius) => placed("circle", &[("cx", x), ("cy", y), ("r", radius)]),
        Form::Text(x, y, anchor, text) => placed("text", &[("x", x), ("y", y)])
            .attr("text-anchor", anchor.name())
            .child(text),
    };
    element.class(shape.class)
}

/// What a click on it means, as `go` reads it.
fn target_of(go: Go) -> String {
    match go {
        Go::Step(step) => format!("s{step}"),
        Go::Leg(leg) => format!("l{leg}"),
    }
}

fn placed(name: &'static str, places: &[(&'static str, i32)]) -> Markup {
    places.iter().fold(tag(name), |element, (name, place)| {
        element.attr(name, place.to_string())
    })
}
