//! The editor of the selected rule, in its row of the list.

use std::rc::Rc;

use chainwalk_core::input::edit::Refused;
use chainwalk_core::netfilter::place::Place;
use chainwalk_session::editing::{EditAction, EditForm, edit_buttons};
use chainwalk_session::paste::Paste;
use chainwalk_session::phrases::format_rule;
use chainwalk_session::state::Action;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::phrases::bool_text;
use super::props::PageProps;
use crate::dispatch::Dispatch;
use crate::page_part::{self, PagePart};

/// The buttons and the field for the rule's words; empty for a rule that is not selected.
pub(super) fn editor(props: &PageProps, place: Place) -> Html {
    let evaluation = &props.evaluation;
    let editing = &props.view.editing;
    if editing.place != Some(place) {
        return Html::default();
    }
    let rulesets = evaluation.workspace.paste.rulesets();
    let buttons = edit_buttons(rulesets, place, editing.form);
    let buttons = buttons.into_iter().map(|button| {
        html! {
            <button
                type="button"
                class="line"
                data-edit={button.label}
                aria-pressed={button.pressed.then_some("true")}
                onclick={props.act.on(Action::Rule(button.action))}
            >
                {button.label}
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
                    onclick={props.act.on(Action::Try(place))}
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
                onclick={props.act.on(Action::Rule(EditAction::Choose(None)))}
            >
                {"✕"}
            </button>
            if let Some(form) = editing.form {
                <Words
                    key={format!("{form:?}")}
                    paste={Rc::clone(&props.evaluation.workspace.paste)}
                    refused={editing.refused.clone()}
                    {place}
                    {form}
                    act={props.act.clone()}
                />
            } else if let Some(refused) = &editing.refused {
                <p class="wrong" role="alert">{&refused.message}</p>
            }
        </div>
    }
}

#[derive(Properties)]
struct WordsProps {
    paste: Rc<Paste>,
    /// Why the words were rejected.
    refused: Option<Refused>,
    act: Dispatch,
    place: Place,
    form: EditForm,
}

impl PartialEq for WordsProps {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.paste, &other.paste)
            && self.refused == other.refused
            && (self.place, self.form) == (other.place, other.form)
    }
}

/// The words of a rule after `-A CHAIN`.
#[component]
fn Words(props: &WordsProps) -> Html {
    page_part::enter(PagePart::Rules);
    let node = use_node_ref();
    let rulesets = props.paste.rulesets();
    let first = use_memo((), |()| match props.form {
        EditForm::Change => format_rule(rulesets, props.place),
        EditForm::Above | EditForm::Below => String::new(),
    });
    use_effect_with((), {
        let node = node.clone();
        move |()| {
            if let Some(field) = node.cast::<HtmlInputElement>() {
                field.set_value(&first);
                // It fails only for an element that cannot have the focus.
                let _ = field.focus();
            }
        }
    });
    let send = {
        let node = node.clone();
        props.act.map(move |()| {
            let words = node
                .cast::<HtmlInputElement>()
                .map(|field| field.value())
                .unwrap_or_default();
            Action::Rule(EditAction::Words(words))
        })
    };
    let onkeydown = {
        let (send, act) = (send.clone(), props.act.clone());
        Callback::from(move |event: KeyboardEvent| match &*event.key() {
            "Enter" => send.emit(()),
            "Escape" => act.emit(Action::Rule(EditAction::Open(None))),
            _ => {}
        })
    };
    let refused = props.refused.as_ref();
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

fn place_name(props: &WordsProps) -> String {
    props
        .place
        .at
        .find(props.paste.rulesets())
        .2
        .name
        .to_string()
}
