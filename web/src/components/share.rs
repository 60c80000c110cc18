//! The dialog to share: what it would give away, and in which form.

use std::rc::Rc;

use gloo::utils::window;
use wasm_bindgen::prelude::*;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::copy;
use super::dialog::{head, switch, use_dialog};
use super::phrases::format_count;
use crate::element::{Markup, button, group, tag};
use crate::page::Page;
use crate::page_part::{self, Part};
use crate::share::{Form, Gift};
use crate::state::Action;
use crate::{browser, keep};

/// A longer text is saved, not shown: browsers take seconds for it.
const MOST_SHOWN: usize = 200_000;

/// What the switch above it does not touch.
const STAYS: &str = "Loopback and multicast addresses, ports, user ids, chains and interfaces stay. All other names and addresses \
                     are replaced by invented ones. Every packet ends where it did. Read the text before you share it.";

/// What the reader chose, and what came of it.
#[derive(Clone, Debug, PartialEq)]
struct Choice {
    form: Form,
    says: &'static str,
}

/// What stays as long as the page does: whoever wants no real addresses out wants that each time,
/// and the same neutral ones.
#[derive(Clone, Debug, PartialEq, Properties)]
struct Lasting {
    page: Page,
    neutral: UseStateHandle<bool>,
    secret: Rc<[u8; 16]>,
}

/// The dialog, open or not.
#[component]
pub(crate) fn Share(page: &Page) -> Html {
    page_part::enter(Part::Share);
    let open = page.state.share;
    let node = use_dialog(open);
    let neutral = use_state(|| false);
    let secret = use_memo((), |()| browser::secret().try_into().unwrap_or_default());
    let close = page.on(Action::Share(false));
    tag("dialog")
        .node(&node)
        .id("share")
        .attr("aria-labelledby", "share-title")
        .on("close", page.on(Action::Share(false)))
        .child(head("share-title", "Share what is shown", close))
        .child(open.then(|| html! { <Inside page={page.clone()} {neutral} {secret} /> }))
        .html()
}

#[component]
fn Inside(
    Lasting {
        page,
        neutral,
        secret,
    }: &Lasting,
) -> Html {
    page_part::enter(Part::Share);
    let state = &page.state;
    let gift = use_memo((), |()| {
        Gift::of(
            state,
            &window().location().href().unwrap_or_default(),
            **secret,
        )
    });
    let choice = use_state(|| Choice {
        form: Form::Link,
        says: "",
    });
    let text = use_memo((choice.form, **neutral), |(form, neutral)| {
        gift.text(state, *form, *neutral)
    });
    let choose = |form| {
        let choice = choice.clone();
        Callback::from(move |_: Event| choice.set(Choice { form, says: "" }))
    };
    let allow = Callback::from(|event: Event| {
        if let Some(field) = event.target_dyn_into::<HtmlInputElement>() {
            keep::allow(field.checked());
        }
    });
    let change = {
        let (choice, neutral) = (choice.clone(), neutral.clone());
        Callback::from(move |_: Event| {
            neutral.set(!*neutral);
            choice.set(Choice {
                form: choice.form,
                says: "",
            });
        })
    };
    let (_, _, about) = choice.form.says();
    let forms = Form::ALL.map(|form| {
        let (key, name, _) = form.says();
        button()
            .id(format!("share-{key}"))
            .is("aria-pressed", form == choice.form)
            .on("click", choose(form))
            .child(name)
    });
    let shown = match &*text {
        Ok(text) if text.len() <= MOST_SHOWN => group()
            .child(
                tag("label")
                    .class("hidden")
                    .attr("for", "share-text")
                    .text("What is given away"),
            )
            .child(
                tag("textarea")
                    .id("share-text")
                    .flag("readonly", true)
                    .attr("rows", "7")
                    .attr("spellcheck", "false")
                    .value(text.clone()),
            ),
        Ok(text) => tag("p").class("quiet").child(format!(
            "{} kB: too long to be shown here, and saved whole.",
            text.len() / 1000
        )),
        Err(why) => tag("p").class("refused").attr("role", "alert").child(why),
    };
    group()
        .child(tag("p").id("share-holds").child(holds(page, &gift, **neutral)))
        .child(
            switch("share-neutral", **neutral, change, " Make addresses, names and comments neutral. ")
                .child(tag("span").class("quiet").text(STAYS)),
        )
        .child(
            tag("div")
                .class("forms")
                .child(tag("div").class("choice").attr("role", "group").attr("aria-label", "As").children(forms)),
        )
        .child(tag("p").class("quiet").child(about))
        .child((gift.is_of_a_file() && matches!(choice.form, Form::Link | Form::Embed | Form::Ticket)).then(|| {
            tag("p").class("quiet").id("share-local").text(
                "The link begins with a place on this computer. Who has the page elsewhere pastes the whole link into it.",
            )
        }))
        .child(shown)
        .child(tag("p").class("buttons").child(buttons(&text, &choice)))
        .child(
            switch("keep", keep::keeps(), allow, " Keep a draft of my work in this browser. ")
                .child(tag("span").class("quiet").text("It stays on this computer.")),
        )
        .html()
}

/// What the reader is about to give away, in numbers.
fn holds(page: &Page, gift: &Gift, neutral: bool) -> String {
    let rules = page
        .state
        .paste
        .rulesets()
        .iter()
        .map(|set| set.rules())
        .sum();
    let packets = gift.packets();
    let (rules, packets) = (format_count(rules, "rule"), format_count(packets, "packet"));
    let stay = gift.changed().map_or_else(String::new, |changed| {
        let named = [
            (changed.addresses, "address"),
            (changed.names, "name"),
            (changed.comments, "comment"),
        ];
        let named: Vec<String> = named
            .into_iter()
            .map(|(number, what)| several(number, what))
            .collect();
        let named = named.join(", ");
        match neutral {
            true => format!(" Replaced by neutral ones: {named}."),
            false => format!(" In it are {named} that could identify somebody."),
        }
    });
    format!("It holds the whole text with {rules} and {packets}.{stay}")
}

fn several(number: usize, what: &str) -> String {
    match (number, what) {
        (2.., "address") | (0, "address") => format!("{number} addresses"),
        _ => format_count(number, what),
    }
}

fn buttons(text: &Result<String, String>, choice: &UseStateHandle<Choice>) -> Markup {
    let Ok(text) = text else {
        let to_file = {
            let choice = choice.clone();
            Callback::from(move |_: Event| {
                choice.set(Choice {
                    form: Form::File,
                    says: "",
                });
            })
        };
        return group().child((choice.form == Form::Link).then(|| {
            button()
                .class("line")
                .id("share-as-file")
                .on("click", to_file)
                .text("As a file instead")
        }));
    };
    let save = {
        let (text, form) = (text.clone(), choice.form);
        Callback::from(move |_: Event| {
            let (name, kind) = form.file();
            browser::save(name, kind, &text);
        })
    };
    let copy = {
        let (choice, link) = (choice.clone(), text.clone());
        Callback::from(move |_: Event| {
            let chosen = choice.clone();
            let done = Closure::once_into_js(move |copied: bool| {
                chosen.set(Choice {
                    says: copy::outcome(copied),
                    ..(*chosen).clone()
                });
            });
            browser::copy("share-text", &done);
            // What was given away is what the address says, too.
            if let (Form::Link, Some((_, fragment))) = (choice.form, link.split_once('#')) {
                browser::address(fragment);
            }
        })
    };
    group()
        .child((text.len() <= MOST_SHOWN).then(|| {
            button()
                .class("line")
                .id("share-copy")
                .on("click", copy)
                .text("Copy")
        }))
        .child(
            button()
                .class("line")
                .id("share-save")
                .on("click", save)
                .child(format!("Save {}", choice.form.file().0)),
        )
        .child(
            tag("span")
                .attr("role", "status")
                .id("share-says")
                .child(choice.says),
        )
}
