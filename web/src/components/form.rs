//! The packets: scenarios that fill them in, and their fields. A field with the same value in both
//! packets is shown once.

use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement};
use yew::prelude::*;

use super::analysis::Analysis;
use super::badge::badge;
use super::phrases::bool_text;
use super::props::EvaluationProps;
use super::saved_packets::SavedPacketsTable;
use super::why::Why;
use crate::browser;
use crate::dispatch::Dispatch;
use crate::page_part::{self, PagePart};
use chainwalk_core::packet::content::FieldKind;
use chainwalk_core::packet::fields::{FieldRow, PacketField};
use chainwalk_core::packet::form;
use chainwalk_core::packet::line::EXAMPLE;
use chainwalk_session::packet_controls::{self, Control, field_error};
use chainwalk_session::side::{FieldTarget, Side};
use chainwalk_session::state::{Action, Evaluation};

/// The scenarios with a button; the others are in the table of outcomes.
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

/// The props of [`PacketPane`].
#[derive(PartialEq, Properties)]
pub(super) struct PacketPaneProps {
    pub(super) evaluation: Evaluation,
    /// Fields that stay split, even with equal values.
    pub(super) split: Vec<PacketField>,
    pub(super) act: Dispatch,
}

/// The column of the packets.
#[component]
pub(super) fn PacketPane(props: &PacketPaneProps) -> Html {
    page_part::enter(PagePart::Packet);
    let evaluation = &props.evaluation;
    let rest = EvaluationProps {
        evaluation: evaluation.clone(),
        act: props.act.clone(),
    };
    let details = use_state(|| false);
    let toggle = {
        let details = details.clone();
        Callback::from(move |_: MouseEvent| details.set(!*details))
    };
    let differ = evaluation.differences();
    let differ: Vec<&str> = differ.iter().map(|field| field.label()).collect();
    let says = packet_controls::describe_differences(evaluation);
    html! {
        <section class="pane packet" id="pane-packet" aria-label="Packet">
            <div class="head">
                <h2>{if evaluation.workspace.compare { "Packets" } else { "Packet" }}</h2>
                <span class="quiet" title={differ.join(", ")}>{says}</span>
                <span class="space"></span>
                if evaluation.workspace.compare {
                    {into(props)}
                }
            </div>
            <div class="scroll" tabindex="0" role="group" aria-label="Packet and why">
                <div class="form">
                    <div class="chips" role="group" aria-label="Scenarios">
                        {for CHIPS.iter().filter_map(|key| chip(props, key))}
                    </div>
                    {for evaluation.workspace.sides().iter().map(|side| line(props, *side))}
                    {for form::rows(false).iter().map(|row| rows(props, row))}
                    <button
                        type="button"
                        class="link details"
                        aria-expanded={bool_text(*details)}
                        onclick={toggle}
                    >
                        {if *details { "Fewer fields" } else { "All other fields" }}
                    </button>
                    // A field with an error is never hidden.
                    if *details || packet_controls::hides_error(evaluation) {
                        {for form::rows(true).iter().map(|row| rows(props, row))}
                    }
                    <datalist id="protocols">
                        {for ["tcp", "udp", "icmp", "icmpv6", "sctp"]
                            .map(|name| html! { <option value={name}></option> })}
                    </datalist>
                </div>
                <SavedPacketsTable ..rest.clone() />
                <Why ..rest.clone() />
                <Analysis ..rest />
            </div>
        </section>
    }
}

/// The line of a packet.
fn line(props: &PacketPaneProps, side: Side) -> Html {
    let evaluation = &props.evaluation;
    let slot = evaluation.workspace.slot(side);
    let id = format!("line-{}", side.key());
    let wrong = slot.line_error.as_ref();
    let described = wrong.map(|_| format!("{id}-wrong"));
    let oninput = props.act.map(move |event: InputEvent| {
        let input = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlTextAreaElement>().ok());
        Action::TypeLine(side, input.map(|input| input.value()))
    });
    let left = props
        .act
        .map(move |_: FocusEvent| Action::TypeLine(side, None));
    let letter = if evaluation.workspace.compare {
        badge(side)
    } else {
        Html::default()
    };
    let own = evaluation.workspace.compare.then_some(side.key());
    html! {
        <div class="field whole-line" key={id.clone()}>
            <span class={classes!("input", own)}>
                {letter}
                <textarea
                    rows="2"
                    id={id.clone()}
                    value={slot.line_text()}
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

fn into(props: &PacketPaneProps) -> Html {
    let evaluation = &props.evaluation;
    let sides = [Side::A, Side::B].map(|side| {
        let pressed = (evaluation.workspace.lead == side).to_string();
        let name = format!("Answer for {}", side.letter());
        html! {
            <button
                type="button"
                aria-pressed={pressed}
                aria-label={name.clone()}
                title={name}
                onclick={props.act.on(Action::Lead(side))}
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
                aria-label="The packet with the large answer, which scenarios fill in"
            >
                {for sides}
            </div>
        </>
    }
}

fn chip(props: &PacketPaneProps, key: &'static str) -> Option<Html> {
    let evaluation = &props.evaluation;
    let scenario = evaluation.workspace.paste.scenario(key)?;
    let held = packet_controls::sides_of_scenario(evaluation, key);
    Some(html! {
        <button
            type="button"
            class="chip"
            data-scenario={key}
            aria-pressed={bool_text(!held.is_empty())}
            onclick={props.act.on(Action::Scenario(key))}
        >
            {for held.into_iter().map(badge)}
            {&scenario.label}
        </button>
    })
}

fn rows(props: &PacketPaneProps, fields: &[PacketField]) -> Html {
    let rows = packet_controls::control_rows(&props.evaluation, &props.split, fields);
    html! { <>{for rows.iter().map(|row| one(props, row))}</> }
}

fn one(props: &PacketPaneProps, controls: &[Control]) -> Html {
    let (first, target) = controls[0];
    html! {
        <div class="field" key={first.name()}>
            <label for={id(target, first)}>{first.label()}</label>
            // The inputs come before the buttons that split or join them, in the order of the
            // keyboard.
            <div class="inputs">
                <>
                    {for controls
                        .iter()
                        .map(|(field, target)| input(props, *target, *field, *field != first))}
                </>
                <>
                    {for controls.iter().filter_map(|(field, target)| {
                        joint(props, *target, *field, controls.len())
                    })}
                </>
            </div>
            // All errors are one child: otherwise the fields above would be created again.
            <>
                {for controls
                    .iter()
                    .map(|(field, target)| wrong(&props.evaluation, *target, *field))}
            </>
        </div>
    }
}

fn id(target: FieldTarget, field: PacketField) -> String {
    let key = match field {
        PacketField::InInterface => "interface",
        field => field.name(),
    };
    match target {
        FieldTarget::Both => format!("both-{key}"),
        FieldTarget::One(side) => format!("{}-{key}", side.key()),
    }
}

fn wrong(evaluation: &Evaluation, target: FieldTarget, field: PacketField) -> Html {
    match field_error(evaluation, field, target) {
        Some(message) => html! {
            <p
                class="wrong"
                key={id(target, field)}
                id={format!("{}-wrong", id(target, field))}
                role="alert"
            >
                if evaluation.workspace.compare && target != FieldTarget::Both {
                    {badge(target.side())}{" "}
                }
                {message}
            </p>
        },
        None => Html::default(),
    }
}

fn input(props: &PacketPaneProps, target: FieldTarget, field: PacketField, second: bool) -> Html {
    let evaluation = &props.evaluation;
    let id = id(target, field);
    let key = id.clone();
    let value = evaluation
        .workspace
        .slot(target.side())
        .form
        .get(field)
        .to_owned();
    let whose = match target {
        FieldTarget::Both => "both",
        FieldTarget::One(side) if evaluation.workspace.compare => side.letter(),
        FieldTarget::One(_) => "",
    };
    let name = format!("{} {whose}", field.label()).trim().to_owned();
    let is_wrong = field_error(evaluation, field, target).is_some();
    let described = is_wrong.then(|| format!("{id}-wrong"));
    let letter = match target {
        FieldTarget::One(side) if evaluation.workspace.compare => badge(side),
        _ => Html::default(),
    };
    let own = match target {
        FieldTarget::One(side) if evaluation.workspace.compare => Some(side.key()),
        _ => None,
    };
    let FieldRow { kind, example, .. } = *field.row();
    let address = kind == FieldKind::Address;
    let choices = kind.choices();
    let control = if choices.is_empty() {
        let oninput = props.act.map(move |event: InputEvent| {
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
        let onchange = props.act.map(move |event: Event| {
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
    // Typing can change the fields that apply. Without a key, another field would take the place
    // and the focus of this one.
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

/// The button that joins or splits a field. In a split field it follows B's.
fn joint(
    props: &PacketPaneProps,
    target: FieldTarget,
    field: PacketField,
    beside: usize,
) -> Option<Html> {
    let evaluation = &props.evaluation;
    let (name, sign, action, next) = match target {
        FieldTarget::Both => (
            format!("Edit {} of A and B separately", field.label()),
            "≠",
            Action::Split(field),
            FieldTarget::One(Side::A),
        ),
        FieldTarget::One(Side::B) if beside == 2 => {
            let value = evaluation
                .workspace
                .slot(Side::A)
                .form
                .get(field)
                .to_owned();
            let name = format!("Use A's {} for both", field.label());
            (
                name,
                "=",
                Action::Write(FieldTarget::Both, field, value),
                FieldTarget::Both,
            )
        }
        FieldTarget::One(_) => return None,
    };
    let (act, next) = (props.act.clone(), id(next, field));
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
