//! The rules: by table and chain, with what became of each; or as the text they were pasted as.

use chainwalk_core::analysis::proxy_processes;
use chainwalk_core::netfilter::ruleset::Ruleset;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::copy::Copy;
use super::diagnostics::diagnostics;
use super::list::List;
use super::phrases::format_count;
use super::text::{Edit, Text};
use crate::browser;
use crate::editing::{Do, Export};
use crate::element::{Markup, button, group, nothing, tag};
use crate::page::Page;
use crate::paste::{MOST_EDITED, Origin, Paste};
use crate::rows::{self, Order, Row};
use crate::state::{Action, State, View};

/// The whole column.
pub(crate) fn rules(page: &Page) -> Markup {
    let state = &page.state;
    let views = [
        ("Walked", View::Rows(Order::Walked)),
        ("Saved", View::Rows(Order::Saved)),
        ("Text", View::Text),
        ("Paste", View::Edit),
    ];
    let views = views.map(|(name, view)| {
        button()
            .id(format!("view-{}", name.to_ascii_lowercase()))
            .is("aria-pressed", state.view == view)
            .on("click", page.on(Action::View(view)))
            .child(name)
    });
    tag("section")
        .class("pane rules")
        .id("pane-rules")
        .attr("aria-label", "Rules")
        .child(
            tag("div")
                .class("head")
                .child(tag("h2").text("Rules"))
                .child(
                    tag("span")
                        .class("quiet wide")
                        .text("paste or drop a dump anywhere"),
                )
                .child(tag("span").class("space"))
                .child(
                    tag("div")
                        .class("choice")
                        .attr("role", "group")
                        .attr("aria-label", "Show the rules")
                        .children(views),
                ),
        )
        .child(taken(state))
        .child(about(state))
        .child(proxies(state))
        .child(matches!(state.paste.origin, Origin::Sample(_)).then(recipe))
        .child(tools(page))
        .child(match state.view {
            View::Rows(_) => html! { <List ..page.clone() /> },
            View::Text => html! { <Text ..page.clone() /> },
            View::Edit => html! { <Edit ..page.clone() /> },
        })
        .child(diagnostics(page))
}

/// Finding rules, going back, and taking along what was changed.
fn tools(page: &Page) -> Markup {
    let state = &page.state;
    let lists = matches!(state.view, View::Rows(_));
    let sought = page.act.reform(|event: Event| {
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
            button()
                .id(id)
                .class("line")
                .attr("aria-label", name)
                .attr("title", name)
                .is("aria-disabled", cannot)
                .on("click", page.on(Action::Undo { redo }))
                .child(sign)
        },
    );
    tag("div")
        .class("tools")
        .child(lists.then(|| {
            group()
                .child(
                    tag("input")
                        .id("search")
                        .attr("type", "search")
                        .class("search")
                        .attr("placeholder", "find: chain, address, port 443, uid 1337")
                        .attr("aria-label", "Find rules")
                        .value(state.opened.query.clone())
                        .on("input", sought)
                        .attr("spellcheck", "false")
                        .attr("autocomplete", "off")
                        .attr("autocapitalize", "off"),
                )
                .child((!state.opened.query.trim().is_empty()).then(|| {
                    tag("span")
                        .class("quiet")
                        .attr("role", "status")
                        .child(format_count(found, "hit"))
                }))
                .child(
                    button()
                        .class("line")
                        .id("met")
                        .is("aria-pressed", state.opened.met)
                        .attr("title", "Show only what the packets met")
                        .on("click", page.on(Action::List(rows::Do::Met)))
                        .text("Met"),
                )
        }))
        .children(steps)
        .child((state.is_edited() || state.editing.export.is_some()).then(|| export(page)))
}

/// What the commands are.
const COMMANDS: &str = " From the rules as pasted to these, in this order, as root in the pod's network namespace. A number names \
                        a rule as it stands in the paste.";

/// The changed rules, to take along.
fn export(page: &Page) -> Markup {
    let kinds = [
        ("export-commands", "Commands", Export::Commands),
        ("export-save", "iptables-save", Export::Save),
    ];
    let shown = &page.state.editing.export.as_ref();
    let buttons = kinds.map(|(id, name, kind)| {
        let open = shown.is_some_and(|(other, _)| *other == kind);
        let action = Action::Rule(Do::Export((!open).then_some(kind)));
        button()
            .class("line")
            .id(id)
            .is("aria-expanded", open)
            .on("click", page.on(action))
            .child(name)
    });
    let select = |event: Event| {
        if let Some(field) = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::HtmlTextAreaElement>().ok())
        {
            field.select();
        }
    };
    group()
        .child(tag("span").class("quiet").text("Changed rules:"))
        .children(buttons)
        .child(shown.map(|(kind, text)| {
            match text {
                Err(why) => tag("p")
                    .id("export-refused")
                    .class("refused")
                    .attr("role", "alert")
                    .child(&**why),
                Ok(text) if text.len() > MOST_EDITED => tag("p")
                    .class("export")
                    .text("This is too long to be shown here: take it from the text."),
                Ok(text) => group()
                    .child(
                        tag("label")
                            .class("hidden")
                            .attr("for", "export")
                            .text("The changed rules"),
                    )
                    .child(
                        tag("textarea")
                            .id("export")
                            .class("export")
                            .flag("readonly", true)
                            .value(text.to_string())
                            .on("focus", select)
                            .attr("wrap", "off")
                            .attr("rows", text.lines().count().clamp(2, 10).to_string())
                            .attr("spellcheck", "false"),
                    )
                    .child(
                        tag("p")
                            .class("export quiet")
                            .child(html! { <Copy of="export" /> })
                            .child(
                                (*kind == Export::Commands)
                                    .then(|| group().text(COMMANDS).child(lasting(&page.state))),
                            ),
                    ),
            }
        }))
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
fn taken(state: &State) -> Markup {
    // As it came: what is changed since is told beside the commands.
    let Paste {
        origin,
        parsed,
        neutral,
        ..
    } = &*state.original;
    if matches!(origin, Origin::Sample(_) | Origin::Lesson) {
        return nothing();
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
    let to_remarks = |_: Event| browser::focus("diagnostics");
    tag("p")
        .class("about taken")
        .id("taken")
        .attr("role", "status")
        .child(
            tag("b")
                .text("✓ ")
                .child(format_count(rules, "rule"))
                .text(" taken"),
        )
        .child(format!(": {}{more}. ", kinds.join("; ")))
        .child(if remarks > 0 {
            button()
                .class("link")
                .id("taken-remarks")
                .on("click", to_remarks)
                .child(format_count(remarks, "remark"))
        } else {
            group().text("All understood.")
        })
        .child(state.is_edited().then(|| group().text(" Changed since.")))
        .child(neutral.then(|| {
            group().text(" It was made neutral: addresses, names and comments stand for real ones.")
        }))
}

/// Whose rules they are.
fn about(state: &State) -> Markup {
    let Some(mesh) = &state.paste.mesh else {
        return nothing();
    };
    let versions = mesh
        .versions
        .as_ref()
        .map(|versions| format!(" {versions}"))
        .unwrap_or_default();
    tag("p")
        .class("about")
        .child(tag("b").child(mesh.name()).child(versions).text("."))
        .child(format!(" {}.", mesh.facts().join("; ")))
}

/// Which processes run as the proxy: the rules cannot tell them from it.
fn proxies(state: &State) -> Markup {
    let Some(mesh) = &state.paste.mesh else {
        return nothing();
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
        return nothing();
    }
    tag("p")
        .class("about")
        .id("proxies")
        .child(tag("b").text("Let out as the proxy: "))
        .child(names.join(", "))
        .text(".")
}

/// How to get rules of one's own.
fn recipe() -> Markup {
    tag("details")
        .class("recipe")
        .id("recipe")
        .child(tag("summary").text("A sample is shown. Get a pod's own rules"))
        .child(tag("p").text("Which node, address and UID:"))
        .child(tag("pre").text("kubectl get pod POD -o jsonpath='{.spec.nodeName} {.status.podIP} {.metadata.uid}'"))
        .child(tag("p").text("On that node, everything at once, or the rules of one backend:"))
        .child(
            tag("pre")
                .text("sudo chainwalk-capture --pod-uid UID > capture.json\nsudo nsenter -t PID -n iptables-save -c"),
        )
        .child(tag("p").text("Without access to the node:"))
        .child(tag("pre").text("kubectl logs POD -c istio-init"))
        .child(tag("p").text("Paste or drop what that prints anywhere on this page."))
}
