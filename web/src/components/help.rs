//! The help: what to do, the keys, the words.

use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::dialog::{DialogHead, Switch, use_dialog};
use crate::keys::KEYS;
use crate::page::Page;
use crate::page_part;
use crate::state::Action;

const WORDS: [(&str, &str); 7] = [
    (
        "hook",
        "A point on a packet's way at which the kernel asks rules: PREROUTING, INPUT, FORWARD, OUTPUT, POSTROUTING.",
    ),
    (
        "table",
        "Rules of one purpose. At a hook the tables are asked in order: raw, mangle, nat, filter, security; at INPUT nat comes last.",
    ),
    (
        "chain",
        "A list of rules, asked from the top. The built-in ones stand at hooks; others are called by a rule's -j.",
    ),
    (
        "RETURN",
        "Goes back to the chain that called this one, to the rule behind the call; in a built-in chain, to its policy.",
    ),
    (
        "policy",
        "What a built-in chain does with a packet that no rule of it settled.",
    ),
    (
        "verdict",
        "What becomes of the packet: it goes on, is sent elsewhere, or is dropped.",
    ),
    (
        "owner",
        "The user and group of the process when it opened the socket. The kernel sees nothing else of it.",
    ),
];

/// What to do here, in short.
const HOW: &str = "Paste what iptables-save printed, or a capture's JSON, anywhere on this page, or drop a file. Choose a packet, \
                   and step it through the rules as the kernel would. Everything runs in this page.";

/// The dialog, open or not.
#[component]
pub(crate) fn Help(page: &Page) -> Html {
    page_part::enter(None);
    let node = use_dialog(page.state.help);
    let shortcuts = page.act.reform(|event: Event| {
        let switch = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
        Action::Shortcuts(switch.is_none_or(|switch| switch.checked()))
    });
    html! {
        <dialog
            ref={&node}
            id="help"
            aria-labelledby="help-title"
            onclose={page.on(Action::Help(false))}
        >
            <DialogHead
                id="help-title"
                title="Walk a packet through the chains"
                onclose={page.on(Action::Help(false))}
            />
            <p>{HOW}</p>
            <h3>{"Keys"}</h3>
            <dl class="keys">
                {for KEYS.iter().map(|(keys, does)| {
                    html! { <><dt><kbd>{*keys}</kbd></dt><dd>{*does}</dd></> }
                })}
            </dl>
            <Switch
                id="shortcuts"
                checked={page.state.shortcuts}
                onchange={shortcuts}
                label=" Shortcuts of a single character"
            />
            <h3>{"Words"}</h3>
            <dl class="terms">
                {for WORDS.iter().map(|(word, says)| {
                    html! { <><dt>{*word}</dt><dd>{*says}</dd></> }
                })}
            </dl>
        </dialog>
    }
}
