//! The rules: by table and chain, with what became of each; or as the text they were pasted as.

use chainwalk_core::analysis::proxy_processes;
use chainwalk_core::netfilter::ruleset::Ruleset;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::copy::Copy;
use super::diagnostics::diagnostics;
use super::list::List;
use super::phrases::{bool_text, format_count};
use super::text::{Edit, Text};
use crate::browser;
use crate::editing::{Do, Export};
use crate::page::Page;
use crate::paste::{MOST_EDITED, Origin, Paste};
use crate::rows::{self, Order, Row};
use crate::state::{Action, State, View};

/// The whole column.
pub(crate) fn rules(page: &Page) -> Html {
    let state = &page.state;
    let views = [
        ("Walked", View::Rows(Order::Walked)),
        ("Saved", View::Rows(Order::Saved)),
        ("Text", View::Text),
        ("Paste", View::Edit),
    ];
    let views = views.map(|(name, view)| {
        html! {
            <button
                type="button"
                id={format!("view-{}", name.to_ascii_lowercase())}
                aria-pressed={bool_text(state.view == view)}
                onclick={page.on(Action::View(view))}
            >
                {name}
            </button>
        }
    });
    html! {
        <section class="pane rules" id="pane-rules" aria-label="Rules">
            <div class="head">
                <h2>{"Rules"}</h2>
                <span class="quiet wide">{"paste or drop a dump anywhere"}</span>
                <span class="space"></span>
                <div class="choice" role="group" aria-label="Show the rules">{for views}</div>
            </div>
            {taken(state)}
            {about(state)}
            {proxies(state)}
            {matches!(state.paste.origin, Origin::Sample(_)).then(recipe)}
            {tools(page)}
            {match state.view {
                View::Rows(_) => html! { <List ..page.clone() /> },
                View::Text => html! { <Text ..page.clone() /> },
                View::Edit => html! { <Edit ..page.clone() /> },
            }}
            {diagnostics(page)}
        </section>
    }
}

/// Finding rules, going back, and taking along what was changed.
fn tools(page: &Page) -> Html {
    let state = &page.state;
    let lists = matches!(state.view, View::Rows(_));
    let sought = page.act.reform(|event: InputEvent| {
        let input = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
        Action::List(rows::Do::Search(
            input.map(|input| input.value()).unwrap_or_default(),
        ))
    });
    let found = state
        .rows
        .iter()
        .filter(|row| matches!(row, Row::Rule(_)))
        .count();
    let steps = [(false, "undo", "Undo", "↶"), (true, "redo", "Redo", "↷")].map(
        |(redo, id, name, sign)| {
            let cannot = !state.history.can(redo);
            html! {
                <button
                    type="button"
                    {id}
                    class="line"
                    aria-label={name}
                    title={name}
                    aria-disabled={bool_text(cannot)}
                    onclick={page.on(Action::Undo { redo })}
                >
                    {sign}
                </button>
            }
        },
    );
    html! {
        <div class="tools">
            if lists {
                <input
                    id="search"
                    type="search"
                    class="search"
                    placeholder="find: chain, address, port 443, uid 1337"
                    aria-label="Find rules"
                    value={state.opened.query.clone()}
                    oninput={sought}
                    spellcheck="false"
                    autocomplete="off"
                    autocapitalize="off"
                />
                if !state.opened.query.trim().is_empty() {
                    <span class="quiet" role="status">{format_count(found, "hit")}</span>
                }
                <button
                    type="button"
                    class="line"
                    id="met"
                    aria-pressed={bool_text(state.opened.met)}
                    title="Show only what the packets met"
                    onclick={page.on(Action::List(rows::Do::Met))}
                >
                    {"Met"}
                </button>
            }
            {for steps}
            if state.is_edited() || state.editing.export.is_some() {
                {export(page)}
            }
        </div>
    }
}

/// What the commands are.
const COMMANDS: &str = " From the rules as pasted to these, in this order, as root in the pod's network namespace. A number names \
                        a rule as it stands in the paste.";

/// The changed rules, to take along.
fn export(page: &Page) -> Html {
    let kinds = [
        ("export-commands", "Commands", Export::Commands),
        ("export-save", "iptables-save", Export::Save),
    ];
    let shown = &page.state.editing.export.as_ref();
    let buttons = kinds.map(|(id, name, kind)| {
        let open = shown.is_some_and(|(other, _)| *other == kind);
        let action = Action::Rule(Do::Export((!open).then_some(kind)));
        html! {
            <button
                type="button"
                class="line"
                {id}
                aria-expanded={bool_text(open)}
                onclick={page.on(action)}
            >
                {name}
            </button>
        }
    });
    let select = |event: FocusEvent| {
        if let Some(field) = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::HtmlTextAreaElement>().ok())
        {
            field.select();
        }
    };
    html! {
        <>
            <span class="quiet">{"Changed rules:"}</span>
            {for buttons}
            if let Some((kind, text)) = shown {
                {{
                    match text {
                        Err(why) => html! { <p id="export-refused" class="refused" role="alert">{&**why}</p> },
                        Ok(text) if text.len() > MOST_EDITED => html! {
                            <p class="export">{"This is too long to be shown here: take it from the text."}</p>
                        },
                        Ok(text) => html! {
                            <>
                                <label class="hidden" for="export">{"The changed rules"}</label>
                                <textarea
                                    id="export"
                                    class="export"
                                    readonly={true}
                                    value={text.to_string()}
                                    onfocus={select}
                                    wrap="off"
                                    rows={text.lines().count().clamp(2, 10).to_string()}
                                    spellcheck="false"
                                />
                                <p class="export quiet">
                                    <Copy of="export" />
                                    if *kind == Export::Commands {
                                        {COMMANDS}{lasting(&page.state)}
                                    }
                                </p>
                            </>
                        },
                    }
                }}
            }
        </>
    }
}

/// What a change that is to last takes.
fn lasting(state: &State) -> String {
    let Some(mesh) = &state.original.mesh else {
        return String::new();
    };
    let options: Vec<&str> = mesh
        .options
        .iter()
        .map(|setting| mesh.option_name(setting.option))
        .collect();
    let options = if options.is_empty() {
        "one of its options".to_owned()
    } else {
        format!("an option ({})", options.join(", "))
    };
    format!(
        " {} makes its rules anew with each pod: what is to last is {options}.",
        mesh.name()
    )
}

/// That a text was taken, for what, and whether all of it was understood.
fn taken(state: &State) -> Html {
    // As it came: what is changed since is told beside the commands.
    let Paste {
        origin,
        parsed,
        neutral,
        ..
    } = &*state.original;
    if matches!(origin, Origin::Sample(_) | Origin::Lesson) {
        return Html::default();
    }
    let rules = parsed.rulesets.iter().map(Ruleset::rules).sum();
    let kinds: Vec<String> = parsed
        .sections
        .iter()
        .take(3)
        .map(ToString::to_string)
        .collect();
    let more = if parsed.sections.len() > kinds.len() {
        " and more"
    } else {
        ""
    };
    let remarks = parsed.diagnostics.len();
    let to_remarks = |_: MouseEvent| browser::focus("diagnostics");
    html! {
        <p class="about taken" id="taken" role="status">
            <b>{"✓ "}{format_count(rules, "rule")}{" taken"}</b>
            {format!(": {}{more}. ", kinds.join("; "))}
            if remarks > 0 {
                <button type="button" class="link" id="taken-remarks" onclick={to_remarks}>
                    {format_count(remarks, "remark")}
                </button>
            } else {
                {"All understood."}
            }
            if state.is_edited() {
                {" Changed since."}
            }
            if *neutral {
                {" It was made neutral: addresses, names and comments stand for real ones."}
            }
        </p>
    }
}

/// Whose rules they are.
fn about(state: &State) -> Html {
    let Some(mesh) = &state.paste.mesh else {
        return Html::default();
    };
    let versions = mesh
        .versions
        .as_ref()
        .map(|versions| format!(" {versions}"))
        .unwrap_or_default();
    html! {
        <p class="about">
            <b>{mesh.name()}{versions}{"."}</b>
            {format!(" {}.", mesh.facts().join("; "))}
        </p>
    }
}

/// Which processes run as the proxy: the rules cannot tell them from it.
fn proxies(state: &State) -> Html {
    let Some(mesh) = &state.paste.mesh else {
        return Html::default();
    };
    let processes = state
        .paste
        .host
        .processes
        .iter()
        .filter(|process| proxy_processes::is_proxy(mesh, process));
    let names: Vec<String> = processes
        .map(|process| format!("{} (pid {})", process.command, process.pid))
        .collect();
    if names.is_empty() {
        return Html::default();
    }
    html! {
        <p class="about" id="proxies"><b>{"Let out as the proxy: "}</b>{names.join(", ")}{"."}</p>
    }
}

/// How to get rules of one's own.
fn recipe() -> Html {
    html! {
        <details class="recipe" id="recipe">
            <summary>{"A sample is shown. Get a pod's own rules"}</summary>
            <p>{"Which node, address and UID:"}</p>
            <pre>
                {"kubectl get pod POD -o jsonpath='{.spec.nodeName} {.status.podIP} {.metadata.uid}'"}
            </pre>
            <p>{"On that node, everything at once, or the rules of one backend:"}</p>
            <pre>
                {"sudo chainwalk-capture --pod-uid UID > capture.json\nsudo nsenter -t PID -n iptables-save -c"}
            </pre>
            <p>{"Without access to the node:"}</p>
            <pre>{"kubectl logs POD -c istio-init"}</pre>
            <p>{"Paste or drop what that prints anywhere on this page."}</p>
        </details>
    }
}
