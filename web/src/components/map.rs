//! The map of the ways: core's shapes as SVG, as wide as there is room for.

use chainwalk_core::map::{self, Form, Go, Group, Lane, Leg, Map as Drawing, Shape, Sheet};
use gloo::events::EventListener;
use gloo::utils::window;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;
use yew::virtual_dom::{AttributeOrProperty, Attributes, VTag, VText};

use super::badge::colour;
use super::follow::use_follow;
use super::way;
use crate::browser;
use crate::cursor::Move;
use crate::page::Page;
use crate::state::{Action, State};

/// How wide the map is until it is measured.
const WIDTH: i32 = 580;

/// The map.
#[component]
pub(crate) fn Map(page: &Page) -> Html {
    let state = &page.state;
    let node = use_follow((state.cursor, state.walks().count()), 0);
    let width = use_state(|| WIDTH);
    let measure = {
        let (node, width) = (node.clone(), width.clone());
        move || {
            // A part of the page that is not shown has no width.
            let room = node.cast::<HtmlElement>().map_or(0, |element| element.client_width());
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
        Callback::from(move |event: MouseEvent| go(&page, event.target()))
    };
    let onkeydown = {
        let page = page.clone();
        Callback::from(move |event: KeyboardEvent| {
            if matches!(&*event.key(), "Enter" | " ") {
                event.prevent_default();
                go(&page, event.target());
            }
        })
    };
    let Drawing { width, height, groups, says } = drawing;
    html! {
        <div class="map" ref={node}>
            <svg id="map" viewBox={format!("0 0 {width} {height}")} width={width.to_string()} height={height.to_string()}
                role="group" aria-labelledby="map-title" aria-describedby="map-says" {onclick} {onkeydown}>
                <title id="map-title">{ "Map of the way" }</title>
                <desc id="map-says">{ says }</desc>
                { for groups.into_iter().map(|group| draw(state, group)) }
            </svg>
        </div>
    }
}

/// Buttons that save it.
pub(super) fn save_buttons() -> Html {
    let button = |png: bool, name: &'static str| {
        let onclick = move |_: MouseEvent| {
            if let Some(svg) = gloo::utils::document().get_element_by_id("map") {
                browser::picture(&svg, png);
            }
        };
        let title = format!("Save the map as {name}");
        html! { <button type="button" title={title.clone()} aria-label={title} {onclick}>{ name }</button> }
    };
    html! { <div class="choice" role="group" aria-label="Save the map">{ button(false, "SVG") }{ button(true, "PNG") }</div> }
}

/// Does what a click on a part of the map means.
fn go(page: &Page, target: Option<web_sys::EventTarget>) {
    let element = target.and_then(|target| target.dyn_into::<Element>().ok());
    let group = element.and_then(|element| element.closest("[data-go]").ok().flatten());
    let Some(go) = group.and_then(|group| group.get_attribute("data-go")) else { return };
    let (kind, place) = go.split_at(1);
    let Ok(place) = place.parse::<usize>() else { return };
    if kind == "s" {
        page.act.emit(Action::Go(Move::To(place)));
    } else if let Some(leg) = page.state.told.as_ref().and_then(|told| told.journey.legs.get(place + 1)) {
        page.act.emit(Action::Load(Box::new(leg.trace.packet.clone())));
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
            others: map::others(rulesets, &walked.trace, |verdict| way::end(state, Some(verdict))),
        });
    }
    let followed = state.followed().map(|(side, _)| side.letter());
    let followed = lanes.iter().position(|lane| Some(lane.letter) == followed).unwrap_or(0);
    let legs = state.told.iter().flat_map(|told| told.journey.legs.iter().skip(1)).map(|leg| Leg {
        name: format!("{} → {}", leg.from, leg.to),
        path: leg.trace.shown(),
        fate: chainwalk_core::explain::Fate::of(leg.trace.verdict()),
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

fn draw(state: &State, group: Group) -> Html {
    let Group { lane, fate, go, name, stop, current, shapes } = group;
    let of_lane = lane.and_then(|lane| state.walks().nth(lane));
    let class = match (of_lane, fate) {
        (Some((side, walked)), _) => classes!(side.key(), colour(walked.headline.fate)),
        (None, Some(fate)) => classes!(colour(fate)),
        (None, None) => classes!(),
    };
    let shapes: Html = shapes.into_iter().map(element).collect();
    let Some(go) = go else { return html! { <g {class}>{ shapes }</g> } };
    let go = match go {
        Go::Step(step) => format!("s{step}"),
        Go::Leg(leg) => format!("l{leg}"),
    };
    html! {
        <g {class} role="button" tabindex={if stop { "0" } else { "-1" }} aria-label={name} data-go={go}
            aria-current={current.then_some("step")} data-current={current.then_some("")}>{ shapes }</g>
    }
}

/// A shape as an element. Not by `html!`: what that makes of each kind is several times as large.
fn element(shape: Shape) -> Html {
    let mut child = None;
    let (name, keys, values): (_, &'static [&'static str], Vec<String>) = match shape.form {
        Form::Box(x, y, width, height, radius) => {
            ("rect", &["class", "x", "y", "width", "height", "rx"], texts(&[x, y, width, height, radius]))
        }
        Form::Line(path) => ("path", &["class", "d"], vec![path]),
        Form::Dot(x, y, radius) => ("circle", &["class", "cx", "cy", "r"], texts(&[x, y, radius])),
        Form::Text(x, y, anchor, text) => {
            child = Some(VText::new(text).into());
            let mut values = texts(&[x, y]);
            values.push(anchor.name().into());
            ("text", &["class", "x", "y", "text-anchor"], values)
        }
    };
    let mut all = vec![Some(AttributeOrProperty::Attribute(shape.class.into()))];
    for value in values {
        all.push(Some(AttributeOrProperty::Attribute(value.into())));
    }
    let mut tag = VTag::new(name);
    tag.set_attributes(Attributes::Dynamic { keys, values: all.into() });
    tag.add_children(child);
    tag.into()
}

fn texts(numbers: &[i32]) -> Vec<String> {
    numbers.iter().map(i32::to_string).collect()
}
