//! The packets worth trying, with their outcomes.

use chainwalk_core::analysis::scenario;
use chainwalk_session::outcome_table::{self, OutcomeCount};
use chainwalk_session::packet_controls::sides_of_scenario;
use chainwalk_session::paste::{OutcomeKind, PacketOutcome};
use chainwalk_session::phrases::format_decider;
use chainwalk_session::sections;
use chainwalk_session::state::{Action, Evaluation};
use yew::prelude::*;

use super::badge::{badge, colour, glyph};
use super::phrases::bool_text;
use super::section::{WORKING, show_section};
use crate::browser;
use crate::dispatch::Dispatch;
use crate::page_part::{self, PagePart};

/// The props of [`Outcomes`].
#[derive(PartialEq, Properties)]
pub(super) struct OutcomesProps {
    pub(super) evaluation: Evaluation,
    /// The only kind of rows to show; `None` shows all.
    pub(super) only: Option<OutcomeKind>,
    pub(super) act: Dispatch,
}

/// The sign of an intended bypass.
const EXEMPT: &str = "◌";

/// The table with a column for each direction, and the sections about all rules below it.
#[component]
pub(super) fn Outcomes(props: &OutcomesProps) -> Html {
    page_part::enter(PagePart::Outcomes);
    let evaluation = &props.evaluation;
    let paste = &evaluation.workspace.paste;
    let known = evaluation.results.outcomes.as_ref();
    let past = known.map_or(&[][..], |all| all);
    let counts = outcome_table::count_outcomes(paste, past);
    // New rules may lack outcomes of the chosen kind.
    let wanted = props
        .only
        .filter(|kind| counts.iter().any(|count| count.kind == *kind));
    let counts = counts
        .into_iter()
        .map(|OutcomeCount { kind, count, word }| {
            let (fate, exempt) = kind;
            let pressed = wanted == Some(kind);
            let (class, sign) = if exempt {
                ("exempt", EXEMPT)
            } else {
                (colour(fate), glyph(fate))
            };
            html! {
                <button
                    type="button"
                    class={classes!("line", class)}
                    aria-pressed={bool_text(pressed)}
                    title={if pressed { "Show all" } else { "Show only these" }}
                    onclick={{
                        let act = props.act.clone();
                        Callback::from(move |_: MouseEvent| {
                            act.emit(Action::Only((!pressed).then_some(kind)));
                            // Below a tall answer the table may begin outside the window.
                            browser::show("#pane-past .groups", "nearest", false);
                        })
                    }}
                >
                    {format!("{sign} {count} {word}")}
                </button>
            }
        });
    let groups = outcome_table::destinations(past).into_iter().map(|group| {
        let rows = outcome_table::rows_of(past, group, wanted);
        let (exempt, others): (Vec<_>, Vec<_>) = rows.partition(|row| row.kind().1);
        let [exempt, others] = [exempt, others].map(|rows| {
            rows.into_iter()
                .map(|row| show(props, row))
                .collect::<Vec<_>>()
        });
        // The heading stays, so that the other columns keep their place.
        let none = others.is_empty() && exempt.is_empty();
        html! {
            <table>
                <thead>
                    <tr>
                        <th scope="col">{group.title(scenario::is_node(&paste.host))}</th>
                        <th scope="col">{"ends"}</th>
                        <th scope="col">{"decided by"}</th>
                    </tr>
                </thead>
                <tbody>
                    {for others}
                    if none {
                        <tr class="exempt">
                            <td colspan="3">
                                {if known.is_some() {
                                    "none"
                                } else {
                                    WORKING
                                }}
                            </td>
                        </tr>
                    }
                </tbody>
                if !exempt.is_empty() {
                    <tbody class="exempt">
                        <tr>
                            <th scope="rowgroup" colspan="3">
                                {format!("{EXEMPT} Intended bypass")}
                            </th>
                        </tr>
                        {for exempt}
                    </tbody>
                }
            </table>
        }
    });
    let sections = sections::rule_sections(evaluation);
    let title = "Packet outcomes";
    let links = sections.iter().map(|section| {
        // The title has room for the number before it is known, so nothing moves.
        let room = section
            .busy
            .then(|| html! { <span class="room">{" (0)"}</span> });
        html! {
            <button type="button" class="link" data-to={section.id}>{&section.title}{room}</button>
        }
    });
    html! {
        <section class="pane past" id="pane-past" aria-label={title}>
            <div class="head">
                <h2>{title}</h2>
                <span class="counts" role="group" aria-label="Show only">{for counts}</span>
                <span class="space"></span>
                <span class="quiet wide">{"click a row to load it"}</span>
                <nav class="below" aria-label="Below the table">{for links}</nav>
            </div>
            <div class="groups" aria-busy={known.is_none().then_some("true")}>{for groups}</div>
            <div class="whole">{for sections.iter().map(|section| show_section(section, &props.act))}</div>
        </section>
    }
}

fn show(props: &OutcomesProps, row: &PacketOutcome) -> Html {
    let evaluation = &props.evaluation;
    let key = row.scenario.key;
    let held = sides_of_scenario(evaluation, key);
    let decided = format_decider(evaluation.workspace.paste.rulesets(), row.decided_by);
    html! {
        <tr class={(!held.is_empty()).then_some("held")}>
            <td>
                <button type="button" data-past={key} onclick={props.act.on(Action::Scenario(key))}>
                    {for held.into_iter().map(badge)}
                    {&row.scenario.label}
                </button>
            </td>
            if let Some(why) = row.exempt {
                <td><span aria-hidden="true">{EXEMPT}{" "}</span>{&*row.end}</td>
                <td><code>{decided}</code>{", "}{why}</td>
            } else {
                <td class={colour(row.fate)}>
                    <span aria-hidden="true">{glyph(row.fate)}{" "}</span>
                    <span class="hidden">
                        {row.fate.word(evaluation.workspace.paste.mesh.is_some())}
                        {", "}
                    </span>
                    {&*row.end}
                </td>
                <td><code>{decided}</code></td>
            }
        </tr>
    }
}
