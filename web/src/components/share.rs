//! The dialog to share: what it would give away, and in which form.

use std::rc::Rc;

use gloo::utils::window;
use wasm_bindgen::prelude::*;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::copy;
use super::dialog::{DialogHead, Switch, use_dialog};
use super::phrases::{bool_text, format_count};
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
    html! {
        <dialog
            ref={&node}
            id="share"
            aria-labelledby="share-title"
            onclose={page.on(Action::Share(false))}
        >
            <DialogHead id="share-title" title="Share what is shown" onclose={close} />
            if open {
                <Inside page={page.clone()} {neutral} {secret} />
            }
        </dialog>
    }
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
        Callback::from(move |_: MouseEvent| choice.set(Choice { form, says: "" }))
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
        html! {
            <button
                type="button"
                id={format!("share-{key}")}
                aria-pressed={bool_text(form == choice.form)}
                onclick={choose(form)}
            >
                {name}
            </button>
        }
    });
    let shown = match &*text {
        Ok(text) if text.len() <= MOST_SHOWN => html! {
            <>
                <label class="hidden" for="share-text">{"What is given away"}</label>
                <textarea
                    id="share-text"
                    readonly={true}
                    rows="7"
                    spellcheck="false"
                    value={text.clone()}
                />
            </>
        },
        Ok(text) => html! {
            <p class="quiet">
                {format!(
                    "{} kB: too long to be shown here, and saved whole.",
                    text.len() / 1000
                )}
            </p>
        },
        Err(why) => html! { <p class="refused" role="alert">{why}</p> },
    };
    html! {
        <>
            <p id="share-holds">{holds(page, &gift, **neutral)}</p>
            <Switch
                id="share-neutral"
                checked={**neutral}
                onchange={change}
                label=" Make addresses, names and comments neutral. "
            >
                <span class="quiet">{STAYS}</span>
            </Switch>
            <div class="forms">
                <div class="choice" role="group" aria-label="As">{for forms}</div>
            </div>
            <p class="quiet">{about}</p>
            if gift.is_of_a_file() && matches!(choice.form, Form::Link | Form::Embed | Form::Ticket) {
                <p class="quiet" id="share-local">
                    {"The link begins with a place on this computer. Who has the page elsewhere pastes the whole link into it."}
                </p>
            }
            {shown}
            <p class="buttons">{buttons(&text, &choice)}</p>
            <Switch
                id="keep"
                checked={keep::keeps()}
                onchange={allow}
                label=" Keep a draft of my work in this browser. "
            >
                <span class="quiet">{"It stays on this computer."}</span>
            </Switch>
        </>
    }
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

fn buttons(text: &Result<String, String>, choice: &UseStateHandle<Choice>) -> Html {
    let Ok(text) = text else {
        let to_file = {
            let choice = choice.clone();
            Callback::from(move |_: MouseEvent| {
                choice.set(Choice {
                    form: Form::File,
                    says: "",
                });
            })
        };
        return html! {
            <>
                if choice.form == Form::Link {
                    <button type="button" class="line" id="share-as-file" onclick={to_file}>
                        {"As a file instead"}
                    </button>
                }
            </>
        };
    };
    let save = {
        let (text, form) = (text.clone(), choice.form);
        Callback::from(move |_: MouseEvent| {
            let (name, kind) = form.file();
            browser::save(name, kind, &text);
        })
    };
    let copy = {
        let (choice, link) = (choice.clone(), text.clone());
        Callback::from(move |_: MouseEvent| {
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
    html! {
        <>
            if text.len() <= MOST_SHOWN {
                <button type="button" class="line" id="share-copy" onclick={copy}>{"Copy"}</button>
            }
            <button type="button" class="line" id="share-save" onclick={save}>
                {format!("Save {}", choice.form.file().0)}
            </button>
            <span role="status" id="share-says">{choice.says}</span>
        </>
    }
}
