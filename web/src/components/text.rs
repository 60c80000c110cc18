//! The text: read-only with its lines numbered, or as a text field.

use web_sys::HtmlTextAreaElement;
use yew::prelude::*;

use super::follow::use_follow;
use super::window::window;
use crate::page::Page;
use crate::paste::{MOST_EDITED, Origin};
use crate::state::{Action, Line, View};

/// More lines than anyone reads at once.
const MOST: usize = 2_000;

/// How to get a dump.
const COMMANDS: [(&str, &str); 2] = [
    ("on the node", "nsenter -t PID -n iptables-save -c"),
    ("in the cluster", "kubectl debug -it POD --profile=sysadmin --image=nicolaka/netshoot -- iptables-save -c"),
];

/// The text with its lines numbered, that of the current rule marked.
#[component]
pub(crate) fn Text(page: &Page) -> Html {
    let state = &page.state;
    let rulesets = state.paste.rulesets();
    // A line that was asked for goes before the one of the rule under the cursor.
    let current = state.line.or_else(|| {
        let (_, place) = *state.current().first()?;
        let (ruleset, _, chain) = place.at.find(rulesets);
        let line = place.rule(rulesets).map(|rule| rule.line).or(chain.line)?;
        Some(Line { source: ruleset.source, line })
    });
    let node = use_follow((current.map(|current| (current.source, current.line)), state.cursor), 40.0);
    let source = current.map_or(0, |current| current.source);
    let text = state.paste.parsed.sources.get(source as usize).map_or("", |text| text);
    let count = text.lines().count();
    let wanted = current.map(|current| (current.line as usize).saturating_sub(1));
    let seen = window(count, MOST, wanted);
    let lines = text.lines().enumerate().skip(seen.start).take(seen.len()).map(|(at, line)| {
        let here = Some(at) == wanted;
        html! {
            <li value={(at + 1).to_string()} data-line={(at + 1).to_string()} data-current={here.then_some("")}>
                <code>{ line }</code>
            </li>
        }
    });
    html! {
        <div class="scroll source" ref={node} tabindex="0" role="group" aria-label="The text">
            if seen.len() < count {
                <p class="left">{ format!("lines {} to {} of {count}", seen.start + 1, seen.end) }</p>
            }
            <ol>{ for lines }</ol>
        </div>
    }
}

/// The text in a field, read again with every change.
#[component]
pub(crate) fn Edit(page: &Page) -> Html {
    let node = use_node_ref();
    let own = !matches!(page.state.paste.origin, Origin::Sample(_));
    use_effect_with((), {
        let node = node.clone();
        move |()| {
            if let Some(field) = node.cast::<HtmlTextAreaElement>() {
                // What is pasted takes the place of a sample; one's own text is rather edited.
                let _ = field.focus();
                if !own {
                    field.select();
                }
            }
        }
    });
    let oninput = {
        let node = node.clone();
        page.act.reform(move |_: InputEvent| {
            Action::Edit(node.cast::<HtmlTextAreaElement>().map(|field| field.value()).unwrap_or_default())
        })
    };
    let commands = COMMANDS.map(|(place, command)| {
        html! { <><dt>{ place }</dt><dd><code class="copy">{ command }</code></dd></> }
    });
    let text = page.state.paste.editable().map(str::to_owned);
    html! {
        <div class="edit">
            if let Some(text) = text {
                <label class="hidden" for="paste-area">{ "Rules: what iptables-save printed, or a capture's JSON" }</label>
                <textarea id="paste-area" ref={node} {oninput} value={text} spellcheck="false" autocomplete="off"
                    autocapitalize="off" wrap="off" placeholder="Paste what iptables-save printed, or a capture's JSON" />
            } else {
                <p class="left">
                    { format!("This text is a capture, or larger than {} MB: it is not edited here. ", MOST_EDITED / 1_000_000) }
                    { "Paste or drop another one anywhere. " }
                    <button type="button" class="link" onclick={page.on(Action::View(View::Text))}>{ "Look at it" }</button>
                </p>
            }
            <dl class="commands">{ for commands }</dl>
        </div>
    }
}
