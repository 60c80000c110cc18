//! The reason for the answer, the step at which two walks diverge, and the assumptions.

use chainwalk_core::analysis::explain::{self, Fate};
use chainwalk_core::analysis::scenario;
use chainwalk_session::cursor::Move;
use chainwalk_session::phrases::{format_end, format_place};
use chainwalk_session::sentences;
use chainwalk_session::state::{Action, Evaluation};
use chainwalk_session::walked::Walked;
use yew::prelude::*;

use super::badge::{badge, colour};
use super::phrases::{bool_text, sentence_with_chain, text_with_code};
use super::props::EvaluationProps;
use crate::page_part::{self, PagePart};

/// The lower half of the packet's column.
#[component]
pub(super) fn Why(props: &EvaluationProps) -> Html {
    page_part::enter(PagePart::Packet);
    let evaluation = &props.evaluation;
    let lead = evaluation.workspace.lead;
    let assumptions = evaluation.assumptions();
    html! {
        <>
            if let Some(walked) = evaluation.walked(lead) {
                <section class="why" id="why" tabindex="-1">
                    <h2>{sentences::title_reasons(evaluation, lead, walked)}</h2>
                    {because(evaluation, walked)}
                    {parting(props)}
                    {ways(evaluation, walked)}
                    {settle(props, walked)}
                </section>
            }
            <section class="why" id="assumptions" tabindex="-1" aria-label="Assumptions">
                <h2>{"Assumptions"}</h2>
                <ul>
                    {for assumptions
                        .into_iter()
                        .map(|assumption| html! { <li>{text_with_code(&assumption)}</li> })}
                </ul>
                if !evaluation.workspace.paste.host_known {
                    {placing(props)}
                }
            </section>
        </>
    }
}

/// Whether rules without a host are evaluated as a pod's or a node's.
fn placing(props: &EvaluationProps) -> Html {
    let evaluation = &props.evaluation;
    let is_node = scenario::is_node(&evaluation.workspace.paste.host);
    let choices = [(false, "place-pod", "pod"), (true, "place-node", "node")];
    let choices = choices.map(|(node, id, says)| {
        html! {
            <button
                type="button"
                {id}
                aria-pressed={bool_text(node == is_node)}
                onclick={props.act.on(Action::Place { node })}
            >
                {says}
            </button>
        }
    });
    html! {
        <p class="placing">
            <span id="placing">{"Evaluate as:"}</span>
            <span class="choice" role="group" aria-labelledby="placing">
                {for choices}
            </span>
        </p>
    }
}

/// The deciding rule in words, and the fields of the packet that it compared.
fn because(evaluation: &Evaluation, walked: &Walked) -> Html {
    let rulesets = evaluation.workspace.paste.rulesets();
    let says = sentence_with_chain(evaluation, &walked.headline.reason, walked.decided_by());
    let decided = walked
        .decided_at()
        .filter(|_| walked.headline.fate != Fate::Unknown);
    let Some(at) = decided else {
        return html! { <p>{says}</p> };
    };
    let step = walked.path().steps.at(at);
    let (ruleset, table, _) = step.place.at.find(rulesets);
    let more = step.place.rule(rulesets).map(|rule| {
        let words = explain::rule(ruleset, table, rule);
        let why = explain::why(rulesets, &walked.trace, walked.path(), &step);
        html! { <p class="quiet">{"The rule: "}{text_with_code(&words)}{" Evaluated: "}{text_with_code(&why)}{"."}</p> }
    });
    let mut outcomes = evaluation
        .results
        .outcomes
        .iter()
        .flat_map(|all| all.iter());
    let exempt = outcomes
        .find(|past| past.scenario.packet == walked.trace.packet)
        .and_then(|past| past.exempt);
    let meant = exempt.map(|why| html! { <p>{"This bypass is intended: "}{why}{"."}</p> });
    html! { <><p>{says}</p>{more}{meant}</> }
}

/// The divergence, as each walk evaluated it.
fn parting(props: &EvaluationProps) -> Html {
    let evaluation = &props.evaluation;
    let (Some(part), true) = (evaluation.results.divergence, evaluation.workspace.compare) else {
        return Html::default();
    };
    let rulesets = evaluation.workspace.paste.rulesets();
    let seen = evaluation.walks().map(|(side, walked)| {
        let says = sentences::describe_divergence(rulesets, walked, part);
        html! { <li class={colour(walked.headline.fate)}>{badge(side)}<span>{text_with_code(&says)}</span></li> }
    });
    html! {
        <>
            <p>
                {"The walks diverge at "}
                <button type="button" class="link" onclick={props.act.on(Action::Go(Move::To(part)))}>
                    {format!("step {}", part + 1)}
                </button>
                {"."}
            </p>
            <ul class="parted">{for seen}</ul>
        </>
    }
}

/// The branches of an undetermined walk.
fn ways(evaluation: &Evaluation, walked: &Walked) -> Html {
    let trace = &walked.trace;
    if trace.branches.is_empty() {
        return Html::default();
    }
    let rulesets = evaluation.workspace.paste.rulesets();
    if let Some(spread) = trace.spread.as_ref().filter(|_| trace.is_chance_alone()) {
        return super::spread::spread(rulesets, spread);
    }
    let ways = trace.branches.iter().map(|branch| {
        let condition = sentences::describe_condition(rulesets, branch);
        let verdict = branch.path.verdict.as_ref();
        let end = verdict.map_or("the outcome is unknown".into(), format_end);
        html! { <li>{"If "}{text_with_code(&condition)}{": "}<b>{&*end}</b></li> }
    });
    html! {
        <>
            <p>{"The first of these branches is shown:"}</p>
            <ol>{for ways}</ol>
            if trace.branches_left_out > 0 {
                <p class="quiet">{format!("{} more are not listed.", trace.branches_left_out)}</p>
            }
        </>
    }
}

/// Buttons that assume an answer for the first undetermined rule, and buttons that withdraw such
/// assumptions.
fn settle(props: &EvaluationProps, walked: &Walked) -> Html {
    let evaluation = &props.evaluation;
    let rulesets = evaluation.workspace.paste.rulesets();
    let settled = evaluation.workspace.settled.iter().map(|(place, matches)| {
        let how = if *matches {
            "matches"
        } else {
            "does not match"
        };
        html! {
            <p class="settle">
                {format!(
                    "You assume that {} {how}. ",
                    format_place(rulesets, *place)
                )}
                <button type="button" class="line" onclick={props.act.on(Action::Settle(*place, None))}>
                    {"Leave undetermined"}
                </button>
            </p>
        }
    });
    let open = walked.first_doubt().map(|place| {
        let [yes, no] = [true, false].map(|matches| Action::Settle(place, Some(matches)));
        html! {
            <p class="settle" id="settle">
                {format!("{}: ", format_place(rulesets, place))}
                <button type="button" class="line" onclick={props.act.on(yes)}>
                    {"Assume that it matches"}
                </button>
                <button type="button" class="line" onclick={props.act.on(no)}>
                    {"Assume that it does not"}
                </button>
            </p>
        }
    });
    html! { <>{for settled}{open}</> }
}
