//! Beneath the rule that is chosen: what can be done to it.

use chainwalk_core::input::edit::Edit;
use chainwalk_core::iptables::table_name::TableName;
use chainwalk_core::netfilter::place::Place;
use chainwalk_core::netfilter::ruleset::Policy;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::phrases::bool_text;
use super::rule;
use crate::editing::{Do, Form};
use crate::page::Page;
use crate::page_part::{self, Part};
use crate::state::Action;

/// The buttons, and the field where words are typed; nothing for a rule that is not chosen.
pub(super) fn editor(page: &Page, place: Place) -> Html {
    let editing = &page.state.editing;
    if editing.place != Some(place) {
        return Html::default();
    }
    let (_, table, chain) = place.at.find(page.state.paste.rulesets());
    let last = chain.rules.len().saturating_sub(1) as u32;
    let mut buttons: Vec<(&str, Do, bool)> = Vec::new();
    match place.rule {
        Some(rule) => {
            buttons.push((
                "Change",
                Do::Open(Some(Form::Change)),
                editing.form == Some(Form::Change),
            ));
            buttons.push((
                "Add above",
                Do::Open(Some(Form::Above)),
                editing.form == Some(Form::Above),
            ));
            buttons.push((
                "Add below",
                Do::Open(Some(Form::Below)),
                editing.form == Some(Form::Below),
            ));
            if rule > 0 {
                buttons.push(("Move up", Do::Edit(Edit::Swap(place, rule - 1)), false));
            }
            if rule < last {
                buttons.push(("Move down", Do::Edit(Edit::Swap(place, rule + 1)), false));
            }
            buttons.push(("Switch off", Do::Edit(Edit::Off(place)), false));
            buttons.push(("Delete", Do::Edit(Edit::Delete(place)), false));
        }
        None => {
            buttons.push((
                "Add at the end",
                Do::Open(Some(Form::Above)),
                editing.form.is_some(),
            ));
            let other = if chain.policy() == Policy::Accept {
                Policy::Drop
            } else {
                Policy::Accept
            };
            if chain.hook().is_some() && (!table.is(TableName::Nat) || other == Policy::Accept) {
                let name = if other == Policy::Drop {
                    "Make it DROP"
                } else {
                    "Make it ACCEPT"
                };
                buttons.push((name, Do::Edit(Edit::Policy(place.at, other)), false));
            }
        }
    }
    let buttons = buttons.into_iter().map(|(name, action, pressed)| {
        html! {
            <button
                type="button"
                class="line"
                data-edit={name}
                aria-pressed={pressed.then_some("true")}
                onclick={page.on(Action::Rule(action))}
            >
                {name}
            </button>
        }
    });
    html! {
        <div class="editor" role="group" aria-label="Change this rule">
            {for buttons}
            if place.rule.is_some() {
                <button
                    type="button"
                    class="line"
                    id="try"
                    title="Fill in a packet that has what this rule asks for"
                    onclick={page.on(Action::Try(place))}
                >
                    {"Try a packet"}
                </button>
            }
            <span class="space"></span>
            <button
                type="button"
                class="line"
                aria-label="Close"
                title="Close"
                onclick={page.on(Action::Rule(Do::Choose(None)))}
            >
                {"✕"}
            </button>
            if let Some(form) = editing.form {
                <Words key={format!("{form:?}")} page={page.clone()} {place} {form} />
            } else if let Some(refused) = &editing.refused {
                <p class="wrong" role="alert">{&refused.message}</p>
            }
        </div>
    }
}

#[derive(PartialEq, Properties)]
struct Typed {
    page: Page,
    place: Place,
    form: Form,
}

/// The words of a rule, as they stand behind `-A CHAIN`.
#[component]
fn Words(props: &Typed) -> Html {
    page_part::enter(Part::Rules);
    let page = &props.page;
    let node = use_node_ref();
    let rulesets = page.state.paste.rulesets();
    let first = use_memo((), |()| match props.form {
        Form::Change => rule::text(rulesets, props.place),
        Form::Above | Form::Below => String::new(),
    });
    use_effect_with((), {
        let node = node.clone();
        move |()| {
            if let Some(field) = node.cast::<HtmlInputElement>() {
                field.set_value(&first);
                // It fails only for what cannot have the focus.
                let _ = field.focus();
            }
        }
    });
    let send = {
        let node = node.clone();
        page.act.reform(move |()| {
            let words = node
                .cast::<HtmlInputElement>()
                .map(|field| field.value())
                .unwrap_or_default();
            Action::Rule(Do::Words(words))
        })
    };
    let onkeydown = {
        let (send, act) = (send.clone(), page.act.clone());
        Callback::from(move |event: KeyboardEvent| match &*event.key() {
            "Enter" => send.emit(()),
            "Escape" => act.emit(Action::Rule(Do::Open(None))),
            _ => {}
        })
    };
    let refused = page.state.editing.refused.as_ref();
    let chain = &place_name(props);
    html! {
        <>
            <div class="input words-field">
                <code>{"-A "}{chain}{" "}</code>
                <input
                    id="rule-words"
                    ref={&node}
                    {onkeydown}
                    aria-label="Words of the rule"
                    aria-invalid={bool_text(refused.is_some())}
                    aria-describedby={refused.map(|_| "rule-wrong")}
                    placeholder="-p tcp -m tcp --dport 443 -j RETURN"
                    spellcheck="false"
                    autocomplete="off"
                    autocapitalize="off"
                />
            </div>
            <button type="button" class="line" id="rule-done" onclick={send.reform(|_: MouseEvent| ())}>
                {"Done"}
            </button>
            if let Some(refused) = refused {
                <p class="wrong" id="rule-wrong" role="alert">
                    {format!("column {}: {}", refused.column, refused.message)}
                </p>
            }
        </>
    }
}

fn place_name(props: &Typed) -> String {
    props
        .place
        .at
        .find(props.page.state.paste.rulesets())
        .2
        .name
        .to_string()
}
