//! The saved packets with their outcomes. Two of them can be shown as A and B.

use chainwalk_core::packet::line;
use chainwalk_session::phrases::format_decider;
use chainwalk_session::saved_packets::{MAX_SAVED_PACKETS, SavedPacket, SavedPacketAction};
use chainwalk_session::side::Side;
use chainwalk_session::state::Action;
use yew::prelude::*;

use super::badge::{colour, glyph};
use super::phrases::bool_text;
use super::props::EvaluationProps;
use crate::page_part::{self, PagePart};

/// The table, and the buttons that save packets.
#[component]
pub(super) fn SavedPacketsTable(props: &EvaluationProps) -> Html {
    page_part::enter(PagePart::Packet);
    let evaluation = &props.evaluation;
    let full = evaluation.workspace.saved_packets.len() >= MAX_SAVED_PACKETS;
    let add = evaluation
        .workspace
        .sides()
        .iter()
        .filter(|side| evaluation.results.walks[**side as usize].is_ok())
        .map(|side| {
            let name = if evaluation.workspace.compare {
                format!("Save {}", side.letter())
            } else {
                "Save this packet".to_owned()
            };
            html! {
                <button
                    type="button"
                    class="line"
                    id={format!("shelf-{}", side.key())}
                    disabled={full}
                    onclick={props.act.on(Action::SavedPacket(SavedPacketAction::Add(*side)))}
                >
                    {name}
                </button>
            }
        });
    html! {
        <section class="why" id="shelf">
            <h2>{"Saved packets"}</h2>
            <p class="put">
                {for add}
                if evaluation.workspace.saved_packets.is_empty() {
                    <span class="quiet">
                        {"saved packets are listed here with the end of each"}
                    </span>
                }
            </p>
            if !evaluation.workspace.saved_packets.is_empty() {
                <table class="shelf">
                    <thead>
                        <tr>
                            <th scope="col">{"shown as"}</th>
                            <th scope="col">{"packet and its end"}</th>
                            <td></td>
                        </tr>
                    </thead>
                    <tbody>
                        {for evaluation
                            .results
                            .saved_packets
                            .iter()
                            .enumerate()
                            .map(|(place, saved)| row(props, place, saved))}
                    </tbody>
                </table>
            }
        </section>
    }
}

fn row(props: &EvaluationProps, place: usize, saved: &SavedPacket) -> Html {
    let evaluation = &props.evaluation;
    let line = line::print(&saved.packet);
    let sides = [Side::A, Side::B].map(|side| {
        let shown = evaluation.walked(side).map(|walked| &walked.trace.packet);
        let is = shown == Some(&saved.packet);
        html! {
            <button
                type="button"
                aria-pressed={bool_text(is)}
                aria-label={format!("Show as {}: {line}", side.letter())}
                onclick={props.act.on(Action::SavedPacket(SavedPacketAction::Load(place, side)))}
            >
                {side.letter()}
            </button>
        }
    });
    let decided = format_decider(evaluation.workspace.paste.rulesets(), saved.decided_by);
    html! {
        <tr data-kept={place.to_string()}>
            <td><div class="choice">{for sides}</div></td>
            <td>
                <code>{&line}</code>
                <p class={colour(saved.fate)}>
                    <span aria-hidden="true">{glyph(saved.fate)}{" "}</span>
                    {saved.fate.word(evaluation.workspace.paste.mesh.is_some())}
                    {" "}
                    {&*saved.end}
                    {", "}
                    <code>{decided}</code>
                </p>
            </td>
            <td>
                <button
                    type="button"
                    class="line"
                    aria-label={format!("Remove {line}")}
                    title="Remove"
                    onclick={props.act.on(Action::SavedPacket(SavedPacketAction::Remove(place)))}
                >
                    {"✕"}
                </button>
            </td>
        </tr>
    }
}
