//! The header: samples, the privacy note, help and theme.

use chainwalk_session::paste::Origin;
use chainwalk_session::sample::SAMPLES;
use chainwalk_session::state::{Action, RuleView};
use wasm_bindgen::JsCast;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

use crate::dispatch::Dispatch;
use crate::page_part;
use crate::theme::Theme;

/// The props of [`Header`].
#[derive(PartialEq, Properties)]
pub(super) struct HeaderProps {
    /// The source of the rules.
    pub(super) origin: Origin,
    /// The source of the rules before any change in place.
    pub(super) original: Origin,
    pub(super) act: Dispatch,
}

/// The header.
#[component]
pub(super) fn Header(props: &HeaderProps) -> Html {
    page_part::enter(None);
    let theme = use_state(Theme::stored);
    use_effect_with(*theme, |theme| theme.show());
    let next = {
        let theme = theme.clone();
        Callback::from(move |_: MouseEvent| {
            let next = theme.next();
            next.store();
            theme.set(next);
        })
    };
    let chosen = props.act.map(|event: Event| {
        let value = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlSelectElement>().ok())
            .map(|list| list.value());
        match value.and_then(|value| value.parse().ok()) {
            Some(sample) => Action::Sample(sample),
            None => Action::View(RuleView::Edit),
        }
    });
    let other = match (&props.origin, &props.original) {
        (Origin::Sample(_), _) => None,
        (Origin::Own, Origin::Sample(place)) => Some(format!("{}, changed", SAMPLES[*place].name)),
        (Origin::Own, _) => Some("Your paste".to_owned()),
        (Origin::Shared, _) => Some("Shared or saved rules".to_owned()),
        (Origin::Lesson, _) => Some("The lesson's rules".to_owned()),
    };
    let samples = SAMPLES.iter().enumerate().map(|(place, sample)| {
        let selected = props.origin == Origin::Sample(place);
        html! { <option value={place.to_string()} {selected}>{sample.name}</option> }
    });
    let says = format!("Theme: {}", theme.name());
    html! {
        <header class="top">
            <a class="brand" href="#" onclick={|event: MouseEvent| event.prevent_default()}>
                <svg viewBox="0 0 28 16" width="28" height="16" aria-hidden="true">
                    <path class="line" d="M4 4h14a4 4 0 0 1 0 8h-6" />
                    <circle class="dot" cx="4" cy="4" r="2.6" />
                    <circle class="ring" cx="9" cy="12" r="2.6" />
                </svg>
                <span>{"Chainwalk"}</span>
            </a>
            <label class="pick">
                <span class="hidden">{"Rules"}</span>
                <select id="samples" onchange={chosen}>
                    if let Some(other) = other {
                        <option value="own" selected={true}>{other}</option>
                    }
                    <optgroup label="Samples">{for samples}</optgroup>
                </select>
            </label>
            <label
                class="line open"
                title="Open a file: a dump, a capture, or a saved session"
            >
                {"Open"}
                <input type="file" id="open" class="hidden" aria-label="Open a file" />
            </label>
            <button
                type="button"
                class="line"
                id="share-open"
                title="Share: link, file, ticket, trace, script"
                onclick={props.act.on(Action::Share(true))}
            >
                {"Share"}
            </button>
            <a class="plain" id="lessons-open" href="#lessons">{"Lessons"}</a>
            <span class="space"></span>
            <p class="promise">
                <svg viewBox="0 0 12 14" width="11" height="13" aria-hidden="true">
                    <rect x="1" y="6" width="10" height="7" rx="1.5" />
                    <path d="M3.500 6V4a2.500 2.500 0 0 1 5 0v2" />
                </svg>
                {"Nothing leaves this page."}
            </p>
            <button
                type="button"
                class="plain"
                id="help-open"
                aria-label="Help and keys"
                title="Help and keys (?)"
                onclick={props.act.on(Action::Help(true))}
            >
                {"?"}
            </button>
            <button
                type="button"
                class="plain"
                id="theme"
                aria-label={says.clone()}
                title={says}
                onclick={next}
            >
                <svg viewBox="0 0 16 16" width="15" height="15" aria-hidden="true">
                    <circle cx="8" cy="8" r="6.500" />
                    if *theme == Theme::System {
                        <path class="fill" d="M8 1.500a6.500 6.500 0 0 1 0 13z" />
                    } else if *theme == Theme::Dark {
                        <circle class="fill" cx="8" cy="8" r="4" />
                    }
                </svg>
            </button>
        </header>
    }
}
