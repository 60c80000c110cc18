//! The dialog to share: what it would give away, and in which form.

use gloo::utils::window;
use wasm_bindgen::prelude::*;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::copy;
use super::dialog::{head, use_dialog};
use super::rules::count;
use crate::page::Page;
use crate::share::{Form, Gift};
use crate::state::Action;
use crate::{browser, keep};

/// A longer text is saved, not shown: browsers take seconds for it.
const MOST_SHOWN: usize = 200_000;

/// What the reader chose, and what came of it.
#[derive(Clone, Debug, PartialEq)]
struct Choice {
    form: Form,
    neutral: bool,
    says: &'static str,
}

/// The dialog, open or not.
#[component]
pub(crate) fn Share(page: &Page) -> Html {
    let open = page.state.share;
    let node = use_dialog(open);
    let close = page.on(Action::Share(false));
    html! {
        <dialog ref={node} id="share" aria-labelledby="share-title" onclose={page.on(Action::Share(false))}>
            { head("share-title", "Share what is shown", close) }
            if open {
                <Inside ..page.clone() />
            }
        </dialog>
    }
}

#[component]
fn Inside(page: &Page) -> Html {
    let state = &page.state;
    let gift = use_memo((), |()| {
        let secret = browser::secret().try_into().unwrap_or_default();
        Gift::of(state, &window().location().href().unwrap_or_default(), secret)
    });
    let choice = use_state(|| Choice { form: Form::Link, neutral: false, says: "" });
    let text = use_memo((choice.form, choice.neutral), |(form, neutral)| gift.text(state, *form, *neutral));
    let choose = |form, neutral| {
        let choice = choice.clone();
        Callback::from(move |_: MouseEvent| choice.set(Choice { form, neutral, says: "" }))
    };
    let (_, _, about) = choice.form.says();
    let forms = Form::ALL.map(|form| {
        let (key, name, _) = form.says();
        html! {
            <button type="button" id={format!("share-{key}")} aria-pressed={(form == choice.form).to_string()}
                onclick={choose(form, choice.neutral)}>{ name }</button>
        }
    });
    let shown = match &*text {
        Ok(text) if text.len() <= MOST_SHOWN => html! {
            <>
                <label class="hidden" for="share-text">{ "What is given away" }</label>
                <textarea id="share-text" readonly=true rows="7" spellcheck="false" value={text.clone()} />
            </>
        },
        Ok(text) => {
            html! { <p class="quiet">{ format!("{} kB: too long to be shown here, and saved whole.", text.len() / 1000) }</p> }
        }
        Err(why) => html! { <p class="refused" role="alert">{ why }</p> },
    };
    html! {
        <>
            <p id="share-holds">{ holds(page, &gift, choice.neutral) }</p>
            <label class="switch">
                <input type="checkbox" id="share-neutral" checked={choice.neutral} onclick={choose(choice.form, !choice.neutral)} />
                { " Make addresses, names and comments neutral. " }
                <span class="quiet">
                    { "Loopback, link-local and multicast addresses stay, and so do ports, users, chains and interfaces; every packet " }
                    { "ends where it did. What stands around the rules is left out. Look at the text before you give it away." }
                </span>
            </label>
            <div class="forms"><div class="choice" role="group" aria-label="As">{ for forms }</div></div>
            <p class="quiet">{ about }</p>
            { shown }
            <p class="buttons">{ buttons(&text, &choice) }</p>
            <label class="switch">
                <input type="checkbox" id="keep" checked={keep::keeps()} onclick={Callback::from(|event: MouseEvent| {
                    if let Some(switch) = event.target_dyn_into::<HtmlInputElement>() {
                        keep::allow(switch.checked());
                    }
                })} />
                { " Keep a draft of my work in this browser. " }
                <span class="quiet">{ "It stays on this computer." }</span>
            </label>
        </>
    }
}

/// What the reader is about to give away, in numbers.
fn holds(page: &Page, gift: &Gift, neutral: bool) -> String {
    let rules = page.state.paste.rulesets().iter().map(|set| set.rules()).sum();
    let packets = gift.shared(false).packets.len();
    let changed = gift.changed;
    let named = [(changed.addresses, "address"), (changed.names, "name"), (changed.comments, "comment")];
    let named: Vec<String> = named.into_iter().map(|(number, what)| several(number, what)).collect();
    let (rules, packets, named) = (count(rules, "rule"), count(packets, "packet"), named.join(", "));
    let stay = if neutral {
        format!("Replaced by neutral ones: {named}.")
    } else {
        format!("In it are {named} that could tell whose it is.")
    };
    format!("It holds the whole text with {rules} and {packets}. {stay}")
}

fn several(number: usize, what: &str) -> String {
    match (number, what) {
        (2.., "address") | (0, "address") => format!("{number} addresses"),
        _ => count(number, what),
    }
}

fn buttons(text: &Result<String, String>, choice: &UseStateHandle<Choice>) -> Html {
    let Ok(text) = text else {
        let to_file = {
            let choice = choice.clone();
            Callback::from(move |_: MouseEvent| {
                choice.set(Choice { form: Form::File, neutral: choice.neutral, says: "" });
            })
        };
        return html! {
            if choice.form == Form::Link {
                <button type="button" class="line" id="share-as-file" onclick={to_file}>{ "As a file instead" }</button>
            }
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
                chosen.set(Choice { says: copy::outcome(copied), ..(*chosen).clone() });
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
                <button type="button" class="line" id="share-copy" onclick={copy}>{ "Copy" }</button>
            }
            <button type="button" class="line" id="share-save" onclick={save}>{ format!("Save {}", choice.form.file().0) }</button>
            <span role="status" id="share-says">{ choice.says }</span>
        </>
    }
}
