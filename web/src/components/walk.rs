//! The walk: the map, the stepper, the sentence, and all steps.

use chainwalk_session::state::{Action, Evaluation, Version, View};
use yew::prelude::*;

use super::badge::{badge, colour};
use super::left_out::unless_left_out;
use super::map::{Map, save_buttons};
use super::phrases::bool_text;
use super::stepper::Stepper;
use super::steps::Steps;
use crate::dispatch::Dispatch;
use crate::page_part::{self, PagePart};

/// The props of [`WalkPane`].
#[derive(PartialEq, Properties)]
pub(super) struct WalkPaneProps {
    pub(super) evaluation: Evaluation,
    pub(super) view: Version<View>,
    /// Whether the steps render. They are a part of their own when the page opens.
    pub(super) has_steps: bool,
    pub(super) act: Dispatch,
}

/// The column of the walk.
#[component]
pub(super) fn WalkPane(props: &WalkPaneProps) -> Html {
    page_part::enter(None);
    let evaluation = &props.evaluation;
    let names = evaluation.workspace.sides().iter().map(|side| {
        let class = evaluation
            .walked(*side)
            .map_or("", |walked| colour(walked.headline.fate));
        html! {
            <span class={classes!("name", class)}>{badge(*side)}{" "}{evaluation.name(*side)}</span>
        }
    });
    html! {
        <section class="pane walk" id="pane-walk" aria-label="Walk">
            <div class="head">
                <h2>{"Walk"}</h2>
                <span class="names">{for names}</span>
                <span class="space"></span>
                {save_buttons()}
                <button
                    type="button"
                    class="line"
                    id="compare"
                    aria-pressed={bool_text(evaluation.workspace.compare)}
                    title="Show the second packet beside the first (c)"
                    onclick={props.act.on(Action::Compare)}
                >
                    {"Compare "}
                    <kbd>{"c"}</kbd>
                </button>
            </div>
            {unless_left_out(PagePart::Map, || {
                html! {
                    <Map
                        evaluation={evaluation.clone()}
                        cursor={props.view.cursor}
                        tab={props.view.tab}
                        act={props.act.clone()}
                    />
                }
            })}
            if props.has_steps {
                {unless_left_out(PagePart::Steps, || {
                    html! {
                        <>
                            <Stepper
                                evaluation={evaluation.clone()}
                                cursor={props.view.cursor}
                                playing={props.view.playing}
                                held={props.view.held}
                                act={props.act.clone()}
                            />
                            <Steps
                                evaluation={evaluation.clone()}
                                cursor={props.view.cursor}
                                act={props.act.clone()}
                            />
                        </>
                    }
                })}
            }
        </section>
    }
}
