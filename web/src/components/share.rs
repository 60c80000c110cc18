//! The dialog to share the work: the shared data, and its format.

use std::rc::Rc;

use chainwalk_session::share::{ShareFormat, SharedWork};
use chainwalk_session::state::{Action, State, Version};
use gloo::utils::window;
use wasm_bindgen::prelude::*;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::copy;
use super::dialog::{DialogHead, Switch, use_dialog};
use super::phrases::bool_text;
use crate::dispatch::Dispatch;
use crate::page_part::{self, PagePart};
use crate::{browser, draft_storage};

/// The longest text that is shown; browsers take seconds for a longer one, which can be saved.
const MAX_SHOWN_BYTES: usize = 200_000;

/// The information that anonymization keeps.
const KEPT_BY_ANONYMIZING: &str = "Loopback and multicast addresses, ports, user ids, chains and interfaces stay. All other names and addresses \
                     are replaced by invented ones. Every packet ends where it did. Read the text before you share it.";

/// The chosen format, and the result of the last copy.
#[derive(Clone, Debug, PartialEq)]
struct Choice {
    form: ShareFormat,
    says: &'static str,
}

/// The props of [`Inside`]. The choice to anonymize and its key last as long as the page, so that
/// equal addresses always get the same replacement.
#[derive(Clone, Debug, PartialEq, Properties)]
struct InsideProps {
    state: Version<State>,
    neutral: UseStateHandle<bool>,
    secret: Rc<[u8; 16]>,
}

/// The props of [`Share`].
#[derive(PartialEq, Properties)]
pub(super) struct ShareProps {
    /// The state to share; `None` closes the dialog.
    pub(super) work: Option<Version<State>>,
    pub(super) act: Dispatch,
}

/// The dialog, open or not.
#[component]
pub(super) fn Share(props: &ShareProps) -> Html {
    page_part::enter(PagePart::Share);
    let open = props.work.is_some();
    let node = use_dialog(open);
    let neutral = use_state(|| false);
    let secret = use_memo((), |()| browser::secret().try_into().unwrap_or_default());
    let close = props.act.on(Action::Share(false));
    html! {
        <dialog
            ref={&node}
            id="share"
            aria-labelledby="share-title"
            onclose={props.act.on(Action::Share(false))}
        >
            <DialogHead id="share-title" title="Share what is shown" onclose={close} />
            if let Some(state) = props.work.clone() {
                <Inside {state} {neutral} {secret} />
            }
        </dialog>
    }
}

#[component]
fn Inside(
    InsideProps {
        state,
        neutral,
        secret,
    }: &InsideProps,
) -> Html {
    page_part::enter(PagePart::Share);
    let work = use_memo((), |()| {
        SharedWork::new(
            state,
            &window().location().href().unwrap_or_default(),
            **secret,
        )
    });
    let choice = use_state(|| Choice {
        form: ShareFormat::Link,
        says: "",
    });
    let text = use_memo((choice.form, **neutral), |(form, neutral)| {
        work.text(state, *form, *neutral)
    });
    let choose = |form| {
        let choice = choice.clone();
        Callback::from(move |_: MouseEvent| choice.set(Choice { form, says: "" }))
    };
    let allow = Callback::from(|event: Event| {
        if let Some(field) = event.target_dyn_into::<HtmlInputElement>() {
            draft_storage::enable(field.checked());
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
    let forms = ShareFormat::ALL.map(|form| {
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
        Ok(text) if text.len() <= MAX_SHOWN_BYTES => html! {
            <>
                <label class="hidden" for="share-text">{"Shared text"}</label>
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
                    "{} kB: too long to show here. The saved file is complete.",
                    text.len() / 1000
                )}
            </p>
        },
        Err(why) => html! { <p class="refused" role="alert">{why}</p> },
    };
    html! {
        <>
            <p id="share-holds">{work.summary(state, **neutral)}</p>
            <Switch
                id="share-neutral"
                checked={**neutral}
                onchange={change}
                label=" Anonymize addresses, names and comments. "
            >
                <span class="quiet">{KEPT_BY_ANONYMIZING}</span>
            </Switch>
            <div class="forms">
                <div class="choice" role="group" aria-label="As">{for forms}</div>
            </div>
            <p class="quiet">{about}</p>
            if work.is_of_a_file() && matches!(choice.form, ShareFormat::Link | ShareFormat::Embed | ShareFormat::Ticket) {
                <p class="quiet" id="share-local">
                    {"The link begins with a path of this computer. On another computer, paste the whole link into the page."}
                </p>
            }
            {shown}
            <p class="buttons">{buttons(&text, &choice)}</p>
            <Switch
                id="keep"
                checked={draft_storage::is_enabled()}
                onchange={allow}
                label=" Keep a draft of my work in this browser. "
            >
                <span class="quiet">{"It stays on this computer."}</span>
            </Switch>
        </>
    }
}

fn buttons(text: &Result<String, String>, choice: &UseStateHandle<Choice>) -> Html {
    let Ok(text) = text else {
        let to_file = {
            let choice = choice.clone();
            Callback::from(move |_: MouseEvent| {
                choice.set(Choice {
                    form: ShareFormat::File,
                    says: "",
                });
            })
        };
        return html! {
            <>
                if choice.form == ShareFormat::Link {
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
            // The address also becomes that of the copied link.
            if let (ShareFormat::Link, Some((_, fragment))) = (choice.form, link.split_once('#')) {
                browser::address(fragment);
            }
        })
    };
    html! {
        <>
            if text.len() <= MAX_SHOWN_BYTES {
                <button type="button" class="line" id="share-copy" onclick={copy}>{"Copy"}</button>
            }
            <button type="button" class="line" id="share-save" onclick={save}>
                {format!("Save {}", choice.form.file().0)}
            </button>
            <span role="status" id="share-says">{choice.says}</span>
        </>
    }
}
