//! The answer, the largest text of the page, and the answer for the other packet.

use chainwalk_core::analysis::explain::{Fate, Headline, capital};
use chainwalk_session::phrases::{format_count, format_rule};
use chainwalk_session::sentences;
use chainwalk_session::side::Side;
use chainwalk_session::state::{Action, Evaluation, Tab, format_sent};
use chainwalk_session::walked::Walked;
use yew::prelude::*;

use super::badge::{badge, colour};
use super::phrases::{bool_text, sentence_with_chain};
use crate::browser;
use crate::dispatch::Dispatch;
use crate::page_part;

/// The props of [`Verdict`].
#[derive(PartialEq, Properties)]
pub(super) struct VerdictProps {
    pub(super) evaluation: Evaluation,
    /// The part that a narrow screen shows.
    pub(super) tab: Tab,
    /// Whether the page is in a frame of another page.
    pub(super) is_embedded: bool,
    pub(super) act: Dispatch,
}

/// The answers for both packets.
#[component]
pub(super) fn Verdict(props: &VerdictProps) -> Html {
    page_part::enter(None);
    let evaluation = &props.evaluation;
    let lead = evaluation.workspace.lead;
    let large_other = format!("Answer for {} in large", lead.other().letter());
    let tabs = Tab::ALL.map(|tab| tab_button(props, tab));
    html! {
        <section class="verdict" aria-label="Verdict">
            <div class="lead" id="verdict">{large(evaluation, lead)}</div>
            if evaluation.workspace.compare {
                <button
                    type="button"
                    class="line swap"
                    id="swap"
                    aria-label={large_other.clone()}
                    title={large_other}
                    onclick={props.act.on(Action::Lead(lead.other()))}
                >
                    <svg viewBox="0 0 18 16" width="18" height="16" aria-hidden="true">
                        <path d="M5 1.500 2 4.500l3 3M2 4.500h14M13 8.500l3 3-3 3M16 11.500H2" />
                    </svg>
                </button>
                <div class="other" id="verdict-other">
                    {small(evaluation, lead.other())}
                    {certainty(props)}
                </div>
            } else {
                <div class="other">{certainty(props)}</div>
            }
            <div class="tabs" role="tablist" aria-label="Parts of the page">{for tabs}</div>
        </section>
    }
}

fn tab_button(props: &VerdictProps, tab: Tab) -> Html {
    let selected = props.tab == tab;
    let place = Tab::ALL.iter().position(|other| *other == tab).unwrap_or(0);
    let act = props.act.clone();
    // The arrow keys move between tabs.
    let onkeydown = Callback::from(move |event: KeyboardEvent| {
        let next = match &*event.key() {
            "ArrowLeft" => place.checked_sub(1),
            "ArrowRight" => Some(place + 1),
            _ => None,
        };
        if let Some(tab) = next.and_then(|next| Tab::ALL.get(next)) {
            act.emit(Action::Tab(*tab));
            browser::focus(&format!("tab-{}", tab.key()));
        }
    });
    html! {
        <button
            type="button"
            role="tab"
            id={format!("tab-{}", tab.key())}
            aria-selected={bool_text(selected)}
            aria-controls={format!("pane-{}", tab.key())}
            tabindex={if selected { "0" } else { "-1" }}
            onclick={props.act.on(Action::Tab(tab))}
            {onkeydown}
        >
            {tab.name()}
        </button>
    }
}

fn large(evaluation: &Evaluation, side: Side) -> Html {
    let Ok(walked) = &evaluation.results.walks[side as usize] else {
        return incomplete(evaluation, side);
    };
    let Headline {
        fate,
        lead,
        reason,
        end,
    } = &walked.headline;
    html! {
        <>
            <h1>
                <b class={colour(*fate)}>{lead}</b>
                {" "}
                {sentence_with_chain(evaluation, reason, walked.decided_by())}
            </h1>
            <p class="under">
                if evaluation.workspace.compare {
                    {badge(side)}{" "}
                }
                {capital(&format!("{}: {end}", format_sent(&walked.trace.packet)))}
                if *fate != Fate::Unknown {
                    {decided(evaluation, walked)}
                }
            </p>
        </>
    }
}

/// The deciding rule as text.
fn decided(evaluation: &Evaluation, walked: &Walked) -> Html {
    let rulesets = evaluation.workspace.paste.rulesets();
    let Some(place) = walked.decided_by() else {
        return Html::default();
    };
    let (_, _, chain) = place.at.find(rulesets);
    match place.rule(rulesets) {
        Some(rule) => html! {
            <span class="more">
                {format!(", by line {}: ", rule.line)}
                <code>{"-A "}{&*chain.name}{" "}{format_rule(rulesets, place)}</code>
            </span>
        },
        None => Html::default(),
    }
}

fn small(evaluation: &Evaluation, side: Side) -> Html {
    let Ok(walked) = &evaluation.results.walks[side as usize] else {
        return incomplete(evaluation, side);
    };
    let Headline {
        fate, lead, reason, ..
    } = &walked.headline;
    let lead = lead.trim_end_matches('.').to_ascii_lowercase();
    let name = evaluation.name(side);
    let name = if name.starts_with("uid") || name.starts_with("gid") {
        format!("As {name}")
    } else {
        capital(&name)
    };
    html! {
        <>
            <h2>{badge(side)}{" "}{name}{": "}<b class={colour(*fate)}>{lead}</b></h2>
            <p class="under">
                {sentence_with_chain(evaluation, reason, walked.decided_by())}
            </p>
        </>
    }
}

fn incomplete(evaluation: &Evaluation, side: Side) -> Html {
    let wrong = evaluation.field_errors(side).first();
    html! {
        <>
            <h1>{badge(side)}{" is incomplete."}</h1>
            if let Some(wrong) = wrong {
                <p class="under">{wrong.field.label()}{": "}{&wrong.message}</p>
            }
        </>
    }
}

fn certainty(props: &VerdictProps) -> Html {
    let Some((says, unsure)) = sentences::describe_certainty(&props.evaluation) else {
        return Html::default();
    };
    let given = props.evaluation.assumptions();
    let class = if unsure.is_empty() { "sure" } else { "unknown" };
    let count = format_count(given.len(), "assumption");
    let embed = props.is_embedded;
    html! {
        <div class="certainty">
            if unsure.is_empty() || embed {
                <b {class}>{says}</b>
            } else {
                <button type="button" class={classes!("link", class)} onclick={open_packet(&props.act, "why")}>
                    <b>{says}</b>
                </button>
            }
            if !given.is_empty() {
                {", with "}
                if embed {
                    {// In a frame the column with the assumptions is hidden.
                    html! {
                        <details>
                            <summary>{count}</summary>
                            <ul>{for given.into_iter().map(|given| html! { <li>{given}</li> })}</ul>
                        </details>
                    }}
                } else {
                    <button type="button" class="link" onclick={open_packet(&props.act, "assumptions")}>
                        {count}
                    </button>
                }
            }
        </div>
    }
}

/// Goes to a section of the packet's column.
fn open_packet(act: &Dispatch, id: &'static str) -> Callback<MouseEvent> {
    let act = act.clone();
    Callback::from(move |_| {
        act.emit(Action::Tab(Tab::Packet));
        browser::focus(id);
    })
}
