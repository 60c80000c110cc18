//! A heading and a list with clickable lines.

use chainwalk_session::sections::{Item, Section};
use yew::prelude::*;

use super::phrases::text_with_code;
use crate::dispatch::Dispatch;

/// The text before a result is computed.
pub(super) const WORKING: &str = "Computing…";

/// Renders nothing for an empty section.
pub(super) fn show_section(section: &Section, act: &Dispatch) -> Html {
    if section.is_empty() {
        return Html::default();
    }
    let busy = section.busy.then_some("true");
    html! {
        <section class="why" id={section.id} tabindex="-1" aria-busy={busy}>
            <h2>{&section.title}</h2>
            <ul>
                if section.items.is_empty() {
                    <li class="quiet">{WORKING}</li>
                }
                {for section.items.iter().map(|item| show_item(item, act))}
            </ul>
        </section>
    }
}

fn show_item(item: &Item, act: &Dispatch) -> Html {
    let text = &item.text;
    match &item.action {
        Some(action) => html! {
            <li>
                <button type="button" class="link flip" onclick={act.on(action.clone())}>
                    {text_with_code(text)}
                </button>
            </li>
        },
        // The heading of a leg.
        None if text.ends_with(':') => html! { <li class="begins">{text}</li> },
        None => html! { <li>{text_with_code(text)}</li> },
    }
}
