//! The help: the purpose of the page, the keys, the terms.

use chainwalk_session::keys::KEYS;
use chainwalk_session::state::Action;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::dialog::{DialogHead, Switch, use_dialog};
use crate::dispatch::Dispatch;
use crate::page_part;

const WORDS: [(&str, &str); 7] = [
    (
        "hook",
        "A point on a packet's path at which the kernel evaluates rules: PREROUTING, INPUT, FORWARD, OUTPUT, POSTROUTING.",
    ),
    (
        "table",
        "Rules of one purpose. At a hook the tables are evaluated in order: raw, mangle, nat, filter, security; at INPUT nat comes last.",
    ),
    (
        "chain",
        "A list of rules, evaluated from the top. Built-in chains are attached to hooks. Other chains are called with -j.",
    ),
    (
        "RETURN",
        "Goes back to the chain that called this one, to the rule after the call; in a built-in chain, to its policy.",
    ),
    (
        "policy",
        "The verdict of a built-in chain for a packet that none of its rules decides.",
    ),
    (
        "verdict",
        "The result for the packet: it continues, is sent elsewhere, or is dropped.",
    ),
    (
        "owner",
        "The user and group of the process when it opened the socket. The kernel sees nothing else of it.",
    ),
];

/// A short introduction.
const HOW: &str = "Paste what iptables-save printed, or a capture's JSON, anywhere on this page, or drop a file. Choose a packet, \
                   and step it through the rules as the kernel would. Everything runs in this page.";

/// The props of [`Help`].
#[derive(PartialEq, Properties)]
pub(super) struct HelpProps {
    pub(super) open: bool,
    /// Whether single-character shortcuts work.
    pub(super) shortcuts: bool,
    pub(super) act: Dispatch,
}

/// The help dialog.
#[component]
pub(super) fn Help(props: &HelpProps) -> Html {
    page_part::enter(None);
    let node = use_dialog(props.open);
    let shortcuts = props.act.map(|event: Event| {
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
            onclose={props.act.on(Action::Help(false))}
        >
            <DialogHead
                id="help-title"
                title="Walk a packet through the chains"
                onclose={props.act.on(Action::Help(false))}
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
                checked={props.shortcuts}
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
