//! Beneath the rule that is chosen: what can be done to it.

use chainwalk_core::input::edit::Edit;
use chainwalk_core::iptables::table_name::TableName;
use chainwalk_core::netfilter::place::Place;
use chainwalk_core::netfilter::ruleset::Policy;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::rule;
use crate::editing::{Do, Form};
use crate::element::{Markup, button, group, key, nothing, tag};
use crate::page::Page;
use crate::page_part::{self, Part};
use crate::state::Action;

/// The buttons, and the field where words are typed; nothing for a rule that is not chosen.
pub(super) fn editor(page: &Page, place: Place) -> Markup {
    let editing = &page.state.editing;
    if editing.place != Some(place) {
        return nothing();
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
        button()
            .class("line")
            .attr("data-edit", name)
            .attr("aria-pressed", pressed.then_some("true"))
            .on("click", page.on(Action::Rule(action)))
            .child(name)
    });
    tag("div")
        .class("editor")
        .attr("role", "group")
        .attr("aria-label", "Change this rule")
        .children(buttons)
        .child(place.rule.is_some().then(|| {
            button()
                .class("line")
                .id("try")
                .attr("title", "Fill in a packet that has what this rule asks for")
                .on("click", page.on(Action::Try(place)))
                .text("Try a packet")
        }))
        .child(tag("span").class("space"))
        .child(
            button()
                .class("line")
                .attr("aria-label", "Close")
                .attr("title", "Close")
                .on("click", page.on(Action::Rule(Do::Choose(None))))
                .text("✕"),
        )
        .child(if let Some(form) = editing.form {
            Some(html! { <Words key={format!("{form:?}")} page={page.clone()} {place} {form} /> })
        } else {
            let refused = editing.refused.as_ref();
            refused.map(|refused| {
                tag("p")
                    .class("wrong")
                    .attr("role", "alert")
                    .child(&refused.message)
                    .html()
            })
        })
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
        Callback::from(move |event: Event| match &*key(&event) {
            "Enter" => send.emit(()),
            "Escape" => act.emit(Action::Rule(Do::Open(None))),
            _ => {}
        })
    };
    let refused = page.state.editing.refused.as_ref();
    let chain = &place_name(props);
    group()
        .child(
            tag("div")
                .class("input words-field")
                .child(tag("code").text("-A ").child(chain).text(" "))
                .child(
                    tag("input")
                        .id("rule-words")
                        .node(&node)
                        .on("keydown", onkeydown)
                        .attr("aria-label", "Words of the rule")
                        .is("aria-invalid", refused.is_some())
                        .attr("aria-describedby", refused.map(|_| "rule-wrong"))
                        .attr("placeholder", "-p tcp -m tcp --dport 443 -j RETURN")
                        .attr("spellcheck", "false")
                        .attr("autocomplete", "off")
                        .attr("autocapitalize", "off"),
                ),
        )
        .child(
            button()
                .class("line")
                .id("rule-done")
                .on("click", send.reform(|_: Event| ()))
                .text("Done"),
        )
        .child(refused.map(|refused| {
            tag("p")
                .class("wrong")
                .id("rule-wrong")
                .attr("role", "alert")
                .child(format!("column {}: {}", refused.column, refused.message))
        }))
        .html()
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
