//! The packets: scenarios to fill them in with, and their fields. What is equal in both is one
//! field.

use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement};
use yew::prelude::*;

use super::badge::badge;
use super::phrases::bool_text;
use super::shelf::shelf;
use super::why::why;
use crate::browser;
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
        Callback::from(move |_: MouseEvent| details.set(!*details))
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
    html! {
        <section class="pane packet" id="pane-packet" aria-label="Packet">
            <div class="head">
                <h2>{if state.compare { "Packets" } else { "Packet" }}</h2>
                <span class="quiet" title={differ.join(", ")}>{says}</span>
                <span class="space"></span>
                if state.compare {
                    {into(page)}
                }
            </div>
            <div class="scroll" tabindex="0" role="group" aria-label="Packet and why">
                <div class="form">
                    <div class="chips" role="group" aria-label="Scenarios">
                        {for CHIPS.iter().filter_map(|key| chip(page, key))}
                    </div>
                    {for state.sides().iter().map(|side| line(page, *side))}
                    {for form::rows(false).iter().map(|row| rows(page, row))}
                    <button
                        type="button"
                        class="link details"
                        aria-expanded={bool_text(*details)}
                        onclick={toggle}
                    >
                        {if *details { "Fewer fields" } else { "Every other field" }}
                    </button>
                    if *details || hides_wrong(state) {
                        {for form::rows(true).iter().map(|row| rows(page, row))}
                    }
                    <datalist id="protocols">
                        {for ["tcp", "udp", "icmp", "icmpv6", "sctp"]
                            .map(|name| html! { <option value={name}></option> })}
                    </datalist>
                </div>
                {shelf(page)}
                {why(page)}
                {super::told::told(page)}
            </div>
        </section>
    }
}

/// The packet as one line.
fn line(page: &Page, side: Side) -> Html {
    let lane = page.state.lane(side);
    let id = format!("line-{}", side.key());
    let wrong = lane.mistake.as_ref();
    let described = wrong.map(|_| format!("{id}-wrong"));
    let oninput = page.act.reform(move |event: InputEvent| {
        let input = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlTextAreaElement>().ok());
        Action::Say(side, input.map(|input| input.value()))
    });
    let left = page
        .act
        .reform(move |_: FocusEvent| Action::Say(side, None));
    let letter = if page.state.compare {
        badge(side)
    } else {
        Html::default()
    };
    let own = page.state.compare.then_some(side.key());
    html! {
        <div class="field whole-line" key={id.clone()}>
            <span class={classes!("input", own)}>
                {letter}
                <textarea
                    rows="2"
                    id={id.clone()}
                    value={lane.says()}
                    {oninput}
                    onblur={left}
                    aria-label={format!("Packet {} in one line", side.letter())}
                    aria-invalid={bool_text(wrong.is_some())}
                    aria-describedby={described}
                    placeholder={EXAMPLE}
                    spellcheck="false"
                    autocomplete="off"
                    autocapitalize="off"
                />
            </span>
            if let Some(wrong) = wrong {
                <p class="wrong" id={format!("{id}-wrong")} role="alert">
                    {format!("column {}: {}", wrong.column, wrong.message)}
                </p>
            }
        </div>
    }
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

fn into(page: &Page) -> Html {
    let sides = [Side::A, Side::B].map(|side| {
        let pressed = (page.state.lead == side).to_string();
        let name = format!("Answer for {}", side.letter());
        html! {
            <button
                type="button"
                aria-pressed={pressed}
                aria-label={name.clone()}
                title={name}
                onclick={page.on(Action::Lead(side))}
            >
                {side.letter()}
            </button>
        }
    });
    html! {
        <>
            <span class="quiet">{"answer"}</span>
            <div
                class="choice"
                role="group"
                aria-label="The packet that is answered in large and that scenarios fill in"
            >
                {for sides}
            </div>
        </>
    }
}

fn chip(page: &Page, key: &'static str) -> Option<Html> {
    let state = &page.state;
    let scenario = state.paste.scenario(key)?;
    let held: Vec<Side> = state
        .sides()
        .iter()
        .copied()
        .filter(|side| state.lane(*side).scenario == Some(key))
        .collect();
    Some(html! {
        <button
            type="button"
            class="chip"
            data-scenario={key}
            aria-pressed={bool_text(!held.is_empty())}
            onclick={page.on(Action::Scenario(key))}
        >
            {for held.into_iter().map(badge)}
            {&scenario.label}
        </button>
    })
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

fn rows(page: &Page, fields: &[PacketField]) -> Html {
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
    html! {
        <>
            {for rows.into_iter()
                .filter(|row| !row.is_empty())
                .map(|row| one(page, row))}
        </>
    }
}

fn one(page: &Page, controls: &[(PacketField, Target)]) -> Html {
    let (first, target) = controls[0];
    html! {
        <div class="field" key={first.name()}>
            <label for={id(target, first)}>{first.label()}</label>
            // First all that is typed in, then what parts and joins it: the keyboard goes that way.
            <div class="inputs">
                <>
                    {for controls
                        .iter()
                        .map(|(field, target)| input(page, *target, *field, *field != first))}
                </>
                <>
                    {for controls.iter().filter_map(|(field, target)| {
                        joint(page, *target, *field, controls.len())
                    })}
                </>
            </div>
            // One child, whatever their number: else the fields above would be made anew.
            <>
                {for controls
                    .iter()
                    .map(|(field, target)| wrong(&page.state, *target, *field))}
            </>
        </div>
    }
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

fn wrong(state: &State, target: Target, field: PacketField) -> Html {
    match message(state, target, field) {
        Some(message) => html! {
            <p
                class="wrong"
                key={id(target, field)}
                id={format!("{}-wrong", id(target, field))}
                role="alert"
            >
                if state.compare && target != Target::Both {
                    {badge(side(target))}{" "}
                }
                {message}
            </p>
        },
        None => Html::default(),
    }
}

fn input(page: &Page, target: Target, field: PacketField, second: bool) -> Html {
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
        _ => Html::default(),
    };
    let own = match target {
        Target::One(side) if state.compare => Some(side.key()),
        _ => None,
    };
    let FieldRow { kind, example, .. } = *field.row();
    let address = kind == FieldKind::Address;
    let choices = kind.choices();
    let control = if choices.is_empty() {
        let oninput = page.act.reform(move |event: InputEvent| {
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
        html! {
            <input
                {id}
                {value}
                {oninput}
                {list}
                aria-label={name}
                aria-invalid={bool_text(is_wrong)}
                aria-describedby={described}
                placeholder={example}
                spellcheck="false"
                autocomplete="off"
                autocapitalize="off"
            />
        }
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
            html! { <option value={*choice} selected={*choice == value}>{*says}</option> }
        });
        html! { <select {id} {onchange} aria-label={name}>{for options}</select> }
    };
    // Which fields apply changes while one types: without a key another field would take this one's
    // place, and its focus.
    html! {
        <span
            class={classes!("input", own, second.then_some("port"), address.then_some("address"))}
            {key}
        >
            {letter}
            {control}
        </span>
    }
}

/// The button that makes two fields of one, or one of two: of two it stands behind B's.
fn joint(page: &Page, target: Target, field: PacketField, beside: usize) -> Option<Html> {
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
    let onclick = move |_: MouseEvent| {
        act.emit(action.clone());
        browser::focus(&next);
    };
    Some(html! {
        <button type="button" class="split" aria-label={name.clone()} title={name} {onclick}>
            {sign}
        </button>
    })
}
