//! The rules: by table and chain with their results, or as the pasted text.

use std::rc::Rc;

use chainwalk_core::netfilter::ruleset::Ruleset;
use chainwalk_core::text::diagnostic::{Diagnostic, Severity};
use chainwalk_session::editing::{EditAction, Export};
use chainwalk_session::paste::{MAX_EDITED_BYTES, Origin, Paste};
use chainwalk_session::phrases::format_count;
use chainwalk_session::rows::{Order, Row, RuleListAction};
use chainwalk_session::sentences;
use chainwalk_session::state::{Action, Evaluation, RuleView, Version, View};
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::copy::Copy;
use super::diagnostics::Diagnostics;
use super::list::List;
use super::phrases::bool_text;
use super::props::PageProps;
use super::text::{Edit, Text};
use crate::browser;
use crate::dispatch::Dispatch;
use crate::page_part::{self, PagePart};

/// The props of [`RulesPane`].
#[derive(PartialEq, Properties)]
pub(super) struct RulesPaneProps {
    pub(super) evaluation: Evaluation,
    pub(super) view: Version<View>,
    /// Whether the list renders. It is a part of its own when the page opens.
    pub(super) has_list: bool,
    pub(super) can_undo: bool,
    pub(super) can_redo: bool,
    pub(super) act: Dispatch,
}

/// The column of the rules.
#[component]
pub(super) fn RulesPane(props: &RulesPaneProps) -> Html {
    page_part::enter(PagePart::Rules);
    let evaluation = &props.evaluation;
    let views = [
        ("Walked", RuleView::Rows(Order::Walked)),
        ("Saved", RuleView::Rows(Order::Saved)),
        ("Text", RuleView::Text),
        ("Paste", RuleView::Edit),
    ];
    let views = views.map(|(name, view)| {
        html! {
            <button
                type="button"
                id={format!("view-{}", name.to_ascii_lowercase())}
                aria-pressed={bool_text(props.view.rules == view)}
                onclick={props.act.on(Action::View(view))}
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
            {taken(evaluation)}
            {about(evaluation)}
            {proxies(evaluation)}
            if matches!(evaluation.workspace.paste.origin, Origin::Sample(_)) {
                {recipe()}
            }
            {tools(props)}
            if props.has_list {
                {rules_view(props)}
                <Diagnostics
                    paste={Rc::clone(&evaluation.workspace.paste)}
                    refused={props.view.refused.clone()}
                    act={props.act.clone()}
                />
            }
        </section>
    }
}

/// The rules as a list, as text, or as a text to change.
fn rules_view(props: &RulesPaneProps) -> Html {
    let page = PageProps {
        evaluation: props.evaluation.clone(),
        view: props.view.clone(),
        act: props.act.clone(),
    };
    match props.view.rules {
        RuleView::Rows(_) => html! { <List ..page /> },
        RuleView::Text => html! { <Text ..page /> },
        RuleView::Edit => html! {
            <Edit
                paste={Rc::clone(&props.evaluation.workspace.paste)}
                line={props.view.line}
                marked={props.view.marked}
                act={props.act.clone()}
            />
        },
    }
}

/// Search, undo, and the export of changes.
fn tools(props: &RulesPaneProps) -> Html {
    let evaluation = &props.evaluation;
    let lists = matches!(props.view.rules, RuleView::Rows(_));
    let sought = props.act.map(|event: InputEvent| {
        let input = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
        Action::List(RuleListAction::Search(
            input.map(|input| input.value()).unwrap_or_default(),
        ))
    });
    let found = evaluation
        .results
        .rows
        .iter()
        .filter(|row| matches!(row, Row::Rule(_)))
        .count();
    let steps = [(false, "undo", "Undo", "↶"), (true, "redo", "Redo", "↷")].map(
        |(redo, id, name, sign)| {
            let cannot = !if redo { props.can_redo } else { props.can_undo };
            html! {
                <button
                    type="button"
                    {id}
                    class="line"
                    aria-label={name}
                    title={name}
                    aria-disabled={bool_text(cannot)}
                    onclick={props.act.on(Action::Undo { redo })}
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
                    value={props.view.opened.query.clone()}
                    oninput={sought}
                    spellcheck="false"
                    autocomplete="off"
                    autocapitalize="off"
                />
                if !props.view.opened.query.trim().is_empty() {
                    <span class="quiet" role="status">{format_count(found, "hit")}</span>
                }
                <button
                    type="button"
                    class="line"
                    id="met"
                    aria-pressed={bool_text(props.view.opened.met)}
                    title="Show only rules that the packets reach"
                    onclick={props.act.on(Action::List(RuleListAction::Met))}
                >
                    {"Reached"}
                </button>
            }
            {for steps}
            if evaluation.workspace.is_edited() || props.view.editing.export.is_some() {
                {export(props)}
            }
        </div>
    }
}

/// How to use the commands.
const COMMANDS_NOTE: &str = " From the rules as pasted to these, in this order, as root in the pod's network namespace. A number names \
                        a rule as pasted.";

/// The export of changed rules.
fn export(props: &RulesPaneProps) -> Html {
    let original = &props.evaluation.workspace.original;
    let kinds = [
        ("export-commands", "Commands", Export::Commands),
        ("export-save", "iptables-save", Export::Save),
    ];
    let shown = &props.view.editing.export.as_ref();
    let buttons = kinds.map(|(id, name, kind)| {
        let open = shown.is_some_and(|(other, _)| *other == kind);
        let action = Action::Rule(EditAction::Export((!open).then_some(kind)));
        html! {
            <button
                type="button"
                class="line"
                {id}
                aria-expanded={bool_text(open)}
                onclick={props.act.on(action)}
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
                        Ok(text) if text.len() > MAX_EDITED_BYTES => html! {
                            <p class="export">{"Too long to show here. Copy it from the text."}</p>
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
                                        {COMMANDS_NOTE}{sentences::describe_lasting_change(original)}
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

/// The mesh and formats of an accepted text, and whether all of it was understood.
fn taken(evaluation: &Evaluation) -> Html {
    // The original rules, because the commands list their changes.
    let Paste {
        origin,
        parsed,
        neutral,
        ..
    } = &*evaluation.workspace.original;
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
    let is_error = |one: &&Diagnostic| one.severity == Severity::Error;
    let errors = parsed.diagnostics.iter().filter(is_error).count();
    let (mark, class) = match errors {
        0 => ("✓", None),
        _ => ("△", Some("faulty")),
    };
    let to_remarks = |_: MouseEvent| browser::focus("diagnostics");
    html! {
        <p class={classes!("about", "taken", class)} id="taken" role="status">
            <b>{mark}{" "}{format_count(rules, "rule")}{" read"}</b>
            {format!(": {}{more}. ", kinds.join("; "))}
            if remarks > 0 {
                <button type="button" class="link" id="taken-remarks" onclick={to_remarks}>
                    if errors > 0 {
                        {format_count(errors, "error")}
                    } else {
                        {format_count(remarks, "remark")}
                    }
                </button>
            } else {
                {"All understood."}
            }
            if evaluation.workspace.is_edited() {
                {" Changed since then."}
            }
            if *neutral {
                {" Addresses, names and comments are anonymized."}
            }
        </p>
    }
}

/// The mesh that made the rules.
fn about(evaluation: &Evaluation) -> Html {
    let Some(mesh) = &evaluation.workspace.paste.mesh else {
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

/// The processes that run as the proxy. The owner rules cannot distinguish them from it.
fn proxies(evaluation: &Evaluation) -> Html {
    let Some(names) = sentences::list_proxies(&evaluation.workspace.paste) else {
        return Html::default();
    };
    html! {
        <p class="about" id="proxies"><b>{"Processes that run as the proxy: "}</b>{names}{"."}</p>
    }
}

/// How to get a dump.
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
