//! The packets: scenarios to fill them in with, and their fields. What is equal in both is one
//! field.

use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement};
use yew::prelude::*;

use super::badge::badge;
use super::shelf::shelf;
use super::why::why;
use crate::browser;
use crate::element::{Markup, button, group, nothing, tag};
use crate::page::Page;
use crate::page_part::{self, Part};
use crate::side::{Side, Target};
use crate::state::{Action, State};
use chainwalk_core::packet::content::FieldKind;
use chainwalk_core::packet::fields::{FieldRow, FormPlace, PacketField};
use chainwalk_core::packet::form;
use chainwalk_core::packet::line::EXAMPLE;

/// The scenarios that have a chip; the others are in the table of who gets past.
const CHIPS: [&str; 10] = [
    "internet",
    "as-proxy",
    "pod-internet",
    "to-pod",
    "own-pod",
    "inbound",
    "proxy-app",
    "dns-udp",
    "pod-dns",
    "localhost",
];

/// The whole column.
#[component]
pub(crate) fn Form(page: &Page) -> Html {
    page_part::enter(Part::Packet);
    let state = &page.state;
    let details = use_state(|| false);
    let toggle = {
        let details = details.clone();
        Callback::from(move |_: Event| details.set(!*details))
    };
    let differ: Vec<&str> = state
        .differences()
        .iter()
        .map(|field| field.label())
        .collect();
    let says = match &differ[..] {
        _ if !state.compare => String::new(),
        [] => "they are equal".into(),
        [one] => format!("only {one} differs"),
        several => format!("{} fields differ", several.len()),
    };
    tag("section")
        .class("pane packet")
        .id("pane-packet")
        .attr("aria-label", "Packet")
        .child(
            tag("div")
                .class("head")
                .child(tag("h2").child(if state.compare { "Packets" } else { "Packet" }))
                .child(
                    tag("span")
                        .class("quiet")
                        .attr("title", differ.join(", "))
                        .child(says),
                )
                .child(tag("span").class("space"))
                .child(state.compare.then(|| into(page))),
        )
        .child(
            tag("div")
                .class("scroll")
                .attr("tabindex", "0")
                .attr("role", "group")
                .attr("aria-label", "Packet and why")
                .child(
                    tag("div")
                        .class("form")
                        .child(
                            tag("div")
                                .class("chips")
                                .attr("role", "group")
                                .attr("aria-label", "Scenarios")
                                .children(CHIPS.iter().filter_map(|key| chip(page, key))),
                        )
                        .children(state.sides().iter().map(|side| line(page, *side)))
                        .children(form::rows(false).iter().map(|row| rows(page, row)))
                        .child(
                            button()
                                .class("link details")
                                .is("aria-expanded", *details)
                                .on("click", toggle)
                                .child(if *details {
                                    "Fewer fields"
                                } else {
                                    "Every other field"
                                }),
                        )
                        .child((*details || hides_wrong(state)).then(|| {
                            group().children(form::rows(true).iter().map(|row| rows(page, row)))
                        }))
                        .child(
                            tag("datalist").id("protocols").children(
                                ["tcp", "udp", "icmp", "icmpv6", "sctp"]
                                    .map(|name| tag("option").attr("value", name)),
                            ),
                        ),
                )
                .child(shelf(page))
                .child(why(page))
                .child(super::told::told(page)),
        )
        .html()
}

/// The packet as one line.
fn line(page: &Page, side: Side) -> Markup {
    let lane = page.state.lane(side);
    let id = format!("line-{}", side.key());
    let wrong = lane.mistake.as_ref();
    let described = wrong.map(|_| format!("{id}-wrong"));
    let oninput = page.act.reform(move |event: Event| {
        let input = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlTextAreaElement>().ok());
        Action::Say(side, input.map(|input| input.value()))
    });
    let left = page.act.reform(move |_: Event| Action::Say(side, None));
    let letter = if page.state.compare {
        badge(side)
    } else {
        nothing()
    };
    let own = page.state.compare.then_some(side.key());
    tag("div")
        .class("field whole-line")
        .key(id.clone())
        .child(
            tag("span").class("input").class(own).child(letter).child(
                tag("textarea")
                    .attr("rows", "2")
                    .id(id.clone())
                    .value(lane.says())
                    .on("input", oninput)
                    .on("blur", left)
                    .attr(
                        "aria-label",
                        format!("Packet {} in one line", side.letter()),
                    )
                    .is("aria-invalid", wrong.is_some())
                    .attr("aria-describedby", described)
                    .attr("placeholder", EXAMPLE)
                    .attr("spellcheck", "false")
                    .attr("autocomplete", "off")
                    .attr("autocapitalize", "off"),
            ),
        )
        .child(wrong.map(|wrong| {
            tag("p")
                .class("wrong")
                .id(format!("{id}-wrong"))
                .attr("role", "alert")
                .child(format!("column {}: {}", wrong.column, wrong.message))
        }))
}

/// A mistake is never hidden.
fn hides_wrong(state: &State) -> bool {
    let mut wrong = state
        .sides()
        .iter()
        .filter_map(|side| state.lane(*side).walked.as_ref().err())
        .flatten();
    wrong.any(|wrong| wrong.field.row().place == FormPlace::Details)
}

fn into(page: &Page) -> Markup {
    let sides = [Side::A, Side::B].map(|side| {
        let pressed = (page.state.lead == side).to_string();
        let name = format!("Answer for {}", side.letter());
        button()
            .attr("aria-pressed", pressed)
            .attr("aria-label", name.clone())
            .attr("title", name)
            .on("click", page.on(Action::Lead(side)))
            .child(side.letter())
    });
    group()
        .child(tag("span").class("quiet").text("answer"))
        .child(
            tag("div")
                .class("choice")
                .attr("role", "group")
                .attr(
                    "aria-label",
                    "The packet that is answered in large and that scenarios fill in",
                )
                .children(sides),
        )
}

fn chip(page: &Page, key: &'static str) -> Option<Markup> {
    let state = &page.state;
    let scenario = state.paste.scenario(key)?;
    let held: Vec<Side> = state
        .sides()
        .iter()
        .copied()
        .filter(|side| state.lane(*side).scenario == Some(key))
        .collect();
    Some(
        button()
            .class("chip")
            .attr("data-scenario", key)
            .is("aria-pressed", !held.is_empty())
            .on("click", page.on(Action::Scenario(key)))
            .children(held.into_iter().map(badge))
            .child(&scenario.label),
    )
}

/// What a field writes to: both packets at once, or each by its own; nothing where neither has it.
fn targets(state: &State, field: PacketField) -> Vec<Target> {
    let sides: Vec<Side> = state
        .sides()
        .iter()
        .copied()
        .filter(|side| state.lane(*side).draft.applies(field))
        .collect();
    match (&sides[..], state.compare && !state.differs(field)) {
        ([], _) => Vec::new(),
        (_, true) => vec![Target::Both],
        (_, false) => sides.into_iter().map(Target::One).collect(),
    }
}

fn rows(page: &Page, fields: &[PacketField]) -> Markup {
    let state = &page.state;
    let fields: Vec<(PacketField, Vec<Target>)> = fields
        .iter()
        .map(|field| (*field, targets(state, *field)))
        .collect();
    let together = fields.iter().all(|(_, targets)| targets.len() < 2);
    let shown = fields
        .into_iter()
        .filter(|(_, targets)| !targets.is_empty());
    let controls: Vec<(PacketField, Target)> = shown
        .flat_map(|(field, targets)| targets.into_iter().map(move |target| (field, target)))
        .collect();
    let rows: Vec<&[(PacketField, Target)]> = match together {
        true => vec![&controls],
        false => controls.chunk_by(|(a, _), (b, _)| a == b).collect(),
    };
    group().children(
        rows.into_iter()
            .filter(|row| !row.is_empty())
            .map(|row| one(page, row)),
    )
}

fn one(page: &Page, controls: &[(PacketField, Target)]) -> Markup {
    let (first, target) = controls[0];
    tag("div")
        .class("field")
        .key(first.name())
        .child(
            tag("label")
                .attr("for", id(target, first))
                .child(first.label()),
        )
        // First all that is typed in, then what parts and joins it: the keyboard goes that way.
        .child(
            tag("div")
                .class("inputs")
                .child(
                    group().children(
                        controls
                            .iter()
                            .map(|(field, target)| input(page, *target, *field, *field != first)),
                    ),
                )
                .child(
                    group().children(controls.iter().filter_map(|(field, target)| {
                        joint(page, *target, *field, controls.len())
                    })),
                ),
        )
        // One child, whatever their number: else the fields above would be made anew.
        .child(
            group().children(
                controls
                    .iter()
                    .map(|(field, target)| wrong(&page.state, *target, *field)),
            ),
        )
}

fn id(target: Target, field: PacketField) -> String {
    let key = match field {
        PacketField::InInterface => "interface",
        field => field.name(),
    };
    match target {
        Target::Both => format!("both-{key}"),
        Target::One(side) => format!("{}-{key}", side.key()),
    }
}

fn side(target: Target) -> Side {
    match target {
        Target::Both => Side::A,
        Target::One(side) => side,
    }
}

fn message(state: &State, target: Target, field: PacketField) -> Option<&str> {
    let wrong = state.lane(side(target)).walked.as_ref().err()?;
    wrong
        .iter()
        .find(|wrong| wrong.field == field)
        .map(|wrong| &*wrong.message)
}

fn wrong(state: &State, target: Target, field: PacketField) -> Markup {
    match message(state, target, field) {
        Some(message) => tag("p")
            .class("wrong")
            .key(id(target, field))
            .id(format!("{}-wrong", id(target, field)))
            .attr("role", "alert")
            .child(
                (state.compare && target != Target::Both)
                    .then(|| group().child(badge(side(target))).text(" ")),
            )
            .child(message),
        None => nothing(),
    }
}

fn input(page: &Page, target: Target, field: PacketField, second: bool) -> Markup {
    let state = &page.state;
    let id = id(target, field);
    let key = id.clone();
    let value = state.lane(side(target)).draft.get(field).to_owned();
    let whose = match target {
        Target::Both => "both",
        Target::One(side) if state.compare => side.letter(),
        Target::One(_) => "",
    };
    let name = format!("{} {whose}", field.label()).trim().to_owned();
    let is_wrong = message(state, target, field).is_some();
    let described = is_wrong.then(|| format!("{id}-wrong"));
    let letter = match target {
        Target::One(side) if state.compare => badge(side),
        _ => nothing(),
    };
    let own = match target {
        Target::One(side) if state.compare => Some(side.key()),
        _ => None,
    };
    let FieldRow { kind, example, .. } = *field.row();
    let address = kind == FieldKind::Address;
    let choices = kind.choices();
    let control = if choices.is_empty() {
        let oninput = page.act.reform(move |event: Event| {
            let input = event
                .target()
                .and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
            Action::Write(
                target,
                field,
                input.map(|input| input.value()).unwrap_or_default(),
            )
        });
        let list = (kind == FieldKind::Protocol).then_some("protocols");
        tag("input")
            .id(id)
            .value(value)
            .on("input", oninput)
            .attr("list", list)
            .attr("aria-label", name)
            .is("aria-invalid", is_wrong)
            .attr("aria-describedby", described)
            .attr("placeholder", example)
            .attr("spellcheck", "false")
            .attr("autocomplete", "off")
            .attr("autocapitalize", "off")
    } else {
        let onchange = page.act.reform(move |event: Event| {
            let list = event
                .target()
                .and_then(|target| target.dyn_into::<HtmlSelectElement>().ok());
            Action::Write(
                target,
                field,
                list.map(|list| list.value()).unwrap_or_default(),
            )
        });
        let options = choices.iter().map(|(choice, says)| {
            tag("option")
                .attr("value", *choice)
                .flag("selected", *choice == value)
                .child(*says)
        });
        tag("select")
            .id(id)
            .on("change", onchange)
            .attr("aria-label", name)
            .children(options)
    };
    // Which fields apply changes while one types: without a key another field would take this one's
    // place, and its focus.
    tag("span")
        .class("input")
        .class(own)
        .class(second.then_some("port"))
        .class(address.then_some("address"))
        .key(key)
        .child(letter)
        .child(control)
}

/// The button that makes two fields of one, or one of two: of two it stands behind B's.
fn joint(page: &Page, target: Target, field: PacketField, beside: usize) -> Option<Markup> {
    let (name, sign, action, next) = match target {
        Target::Both => (
            format!("Give A and B a {} each", field.label()),
            "≠",
            Action::Split(field),
            Target::One(Side::A),
        ),
        Target::One(Side::B) if beside == 2 => {
            let value = page.state.lane(Side::A).draft.get(field).to_owned();
            let name = format!("Give A and B one {}: A's", field.label());
            (
                name,
                "=",
                Action::Write(Target::Both, field, value),
                Target::Both,
            )
        }
        Target::One(_) => return None,
    };
    let (act, next) = (page.act.clone(), id(next, field));
    let onclick = move |_: Event| {
        act.emit(action.clone());
        browser::focus(&next);
    };
    Some(
        button()
            .class("split")
            .attr("aria-label", name.clone())
            .attr("title", name)
            .on("click", onclick)
            .child(sign),
    )
}
