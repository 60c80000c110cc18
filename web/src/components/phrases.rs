//! Texts that several parts of the page share: values of attributes, sentences with code.

use chainwalk_core::netfilter::place::Place;
use chainwalk_session::state::Evaluation;
use yew::prelude::*;

/// The value of an attribute that is true or false.
pub(super) fn bool_text(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// A sentence that shows the name of the deciding chain and the texts between backticks as code.
pub(super) fn sentence_with_chain(
    evaluation: &Evaluation,
    text: &str,
    place: Option<Place>,
) -> Html {
    let chain = place.map(|place| &*place.at.find(evaluation.workspace.paste.rulesets()).2.name);
    let parts = chain.and_then(|chain| Some((chain, text.split_once(chain)?)));
    match parts {
        // Between backticks, the name is already code.
        Some((chain, (before, after))) if before.matches('`').count() % 2 == 0 => html! {
            <>{text_with_code(before)}<code>{chain}</code>{text_with_code(after)}</>
        },
        _ => text_with_code(text),
    }
}

/// A text that shows commands between backticks as code.
pub(super) fn text_with_code(text: &str) -> Html {
    let parts = text.split('`').enumerate();
    html! {
        <>
            {for parts.map(|(place, part)| {
                if place % 2 == 1 {
                    html! { <code>{part}</code> }
                } else {
                    html! { {part} }
                }
            })}
        </>
    }
}
