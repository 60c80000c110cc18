//! The map: core's shapes as SVG, in the available width.

use chainwalk_core::map::{self, Map as Drawing, MapForm, Shape, ShapeGroup};
use chainwalk_session::map_layout;
use chainwalk_session::state::{Evaluation, Tab};
use gloo::events::EventListener;
use gloo::utils::window;
use web_sys::HtmlElement;
use yew::prelude::*;

use super::badge::colour;
use super::follow::use_follow;
use crate::browser;
use crate::dispatch::Dispatch;
use crate::page_part::{self, PagePart};

/// The assumed width before the map is measured.
const WIDTH: i32 = 580;

/// The props of [`Map`].
#[derive(PartialEq, Properties)]
pub(super) struct MapProps {
    pub(super) evaluation: Evaluation,
    /// The step shown.
    pub(super) cursor: usize,
    /// The part that a narrow screen shows; the map has a width only in its own part.
    pub(super) tab: Tab,
    pub(super) act: Dispatch,
}

/// The map.
#[component]
pub(super) fn Map(props: &MapProps) -> Html {
    page_part::enter(PagePart::Map);
    let evaluation = &props.evaluation;
    let node = use_follow((props.cursor, evaluation.walks().count()), 0);
    let width = use_state(|| WIDTH);
    let measure = {
        let (node, width) = (node.clone(), width.clone());
        move || {
            // A hidden part of the page has no width.
            let room = node
                .cast::<HtmlElement>()
                .map_or(0, |element| element.client_width());
            if room > 0 && room != *width {
                width.set(room);
            }
        }
    };
    use_effect_with((props.tab, *width), {
        let measure = measure.clone();
        move |_| {
            measure();
            let listener = EventListener::new(&window(), "resize", move |_| measure());
            move || drop(listener)
        }
    });
    let drawing = map::draw(&map_layout::lay_out(evaluation, props.cursor, *width));
    let Drawing {
        width,
        height,
        groups,
        says,
    } = drawing;
    html! {
        <div class="map" ref={&node}>
            <svg
                id="map"
                viewBox={format!("0 0 {width} {height}")}
                width={width.to_string()}
                height={height.to_string()}
                role="group"
                aria-labelledby="map-title"
                aria-describedby="map-says"
            >
                <title id="map-title">{"Map of the way"}</title>
                <desc id="map-says">{says}</desc>
                {for groups.into_iter().map(|group| draw(props, group))}
            </svg>
        </div>
    }
}

/// Buttons that save the map.
pub(super) fn save_buttons() -> Html {
    let buttons = [(false, "SVG"), (true, "PNG")].map(|(png, name)| {
        let onclick = move |_: MouseEvent| {
            if let Some(svg) = gloo::utils::document().get_element_by_id("map") {
                browser::picture(&svg, png);
            }
        };
        let title = format!("Save the map as {name}");
        html! {
            <button type="button" title={title.clone()} aria-label={title} {onclick}>{name}</button>
        }
    });
    html! {
        <div class="choice" role="group" aria-label="Save the map">
            {for buttons}
        </div>
    }
}

fn draw(props: &MapProps, group: ShapeGroup) -> Html {
    let ShapeGroup {
        lane,
        fate,
        go,
        name,
        stop,
        current,
        shapes,
    } = group;
    let evaluation = &props.evaluation;
    let of_lane = lane.and_then(|lane| evaluation.walks().nth(lane));
    let (side, colour) = match (of_lane, fate) {
        (Some((side, walked)), _) => (Some(side.key()), Some(colour(walked.headline.fate))),
        (None, fate) => (None, fate.map(colour)),
    };
    let class = classes!(side, colour);
    let shapes = shapes.into_iter().map(shape);
    let Some(action) = go.and_then(|target| map_layout::click_action(evaluation, target)) else {
        return html! { <g {class}>{for shapes}</g> };
    };
    let onkeydown = {
        let (act, action) = (props.act.clone(), action.clone());
        move |event: KeyboardEvent| {
            if matches!(&*event.key(), "Enter" | " ") {
                event.prevent_default();
                act.emit(action.clone());
            }
        }
    };
    html! {
        <g
            {class}
            role="button"
            tabindex={if stop { "0" } else { "-1" }}
            aria-label={name}
            aria-current={current.then_some("step")}
            data-current={current.then_some("")}
            onclick={props.act.on(action)}
            {onkeydown}
        >
            {for shapes}
        </g>
    }
}

/// A shape as an element.
fn shape(Shape { class, form }: Shape) -> Html {
    match form {
        MapForm::Box(x, y, width, height, radius) => html! {
            <rect
                {class}
                x={x.to_string()}
                y={y.to_string()}
                width={width.to_string()}
                height={height.to_string()}
                rx={radius.to_string()}
            />
        },
        MapForm::Line(d) => html! { <path {class} {d} /> },
        MapForm::Dot(x, y, radius) => html! {
            <circle {class} cx={x.to_string()} cy={y.to_string()} r={radius.to_string()} />
        },
        MapForm::Text(x, y, anchor, text) => html! {
            <text {class} x={x.to_string()} y={y.to_string()} text-anchor={anchor.name()}>
                {text}
            </text>
        },
    }
}
