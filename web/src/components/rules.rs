//! The rules: by table and chain, with what became of each; or as the text they were pasted as.

use chainwalk_core::explain;
use chainwalk_core::identity;
use chainwalk_core::ruleset::Ruleset;
use chainwalk_core::walk::trace::{ChainPlace, Outcome, Place, Step};
use yew::prelude::*;

use super::badge::{badge, colour, tile};
use super::diagnostics::diagnostics;
use super::follow::use_follow;
use super::rule::{self, Accent};
use super::text::{Edit, Text};
use super::window::window;
use crate::page::Page;
use crate::paste::Origin;
use crate::rows::{self, Order, Row};
use crate::state::{Action, Side, State, View};

/// More rows than anyone reads at once.
const MOST: usize = 600;

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
            <button type="button" id={format!("view-{}", name.to_ascii_lowercase())}
                aria-pressed={(state.view == view).to_string()} onclick={page.on(Action::View(view))}>{ name }</button>
        }
    });
    html! {
        <section class="pane rules" id="pane-rules" aria-label="Rules">
            <div class="head">
                <h2>{ "Rules" }</h2>
                <span class="quiet wide">{ "paste or drop a dump anywhere" }</span>
                <span class="space" />
                <div class="choice" role="group" aria-label="Show the rules">{ for views }</div>
            </div>
            { about(state) }
            { proxies(state) }
            if matches!(state.paste.origin, Origin::Sample(_)) {
                { recipe() }
            }
            {
                match state.view {
                    View::Rows(_) => html! { <List ..page.clone() /> },
                    View::Text => html! { <Text ..page.clone() /> },
                    View::Edit => html! { <Edit ..page.clone() /> },
                }
            }
            { diagnostics(page) }
        </section>
    }
}

/// Whose rules they are.
fn about(state: &State) -> Html {
    let Some(mesh) = &state.paste.mesh else { return html! {} };
    let versions = mesh.versions.as_ref().map(|versions| format!(" {versions}")).unwrap_or_default();
    html! {
        <p class="about">
            <b>{ mesh.name }{ versions }{ "." }</b>
            { format!(" {}.", mesh.facts().join("; ")) }
        </p>
    }
}

/// Which processes run as the proxy: the rules cannot tell them from it.
fn proxies(state: &State) -> Html {
    let Some(mesh) = &state.paste.mesh else { return html! {} };
    let processes = state.paste.host.processes.iter().filter(|process| identity::is_proxy(mesh, process));
    let names: Vec<String> = processes.map(|process| format!("{} (pid {})", process.command, process.pid)).collect();
    if names.is_empty() {
        return html! {};
    }
    html! { <p class="about" id="proxies"><b>{ "Let out as the proxy: " }</b>{ names.join(", ") }{ "." }</p> }
}

/// How to get rules of one's own.
fn recipe() -> Html {
    html! {
        <details class="recipe" id="recipe">
            <summary>{ "A sample is shown. Get a pod's own rules" }</summary>
            <p>{ "Which node, address and UID:" }</p>
            <pre>{ "kubectl get pod POD -o jsonpath='{.spec.nodeName} {.status.podIP} {.metadata.uid}'" }</pre>
            <p>{ "On that node, everything at once, or the rules of one backend:" }</p>
            <pre>{ "sudo chainwalk-capture --pod-uid UID > capture.json\nsudo nsenter -t PID -n iptables-save -c" }</pre>
            <p>{ "Without access to the node:" }</p>
            <pre>{ "kubectl logs POD -c istio-init" }</pre>
            <p>{ "Paste or drop what that prints anywhere on this page." }</p>
        </details>
    }
}

#[component]
fn List(page: &Page) -> Html {
    let state = &page.state;
    let current = state.current();
    let node = use_follow((state.cursor, state.rows.clone(), state.unmet), 64.0);
    let cursors: Vec<Place> = current.iter().map(|(_, place)| *place).collect();
    let is_current = |row: &Row| match row {
        Row::Rule(place) => cursors.contains(place),
        Row::Fold { at, rules } => {
            cursors.iter().any(|place| place.at == *at && place.rule.is_some_and(|rule| rules.contains(&rule)))
        }
        _ => false,
    };
    let must = state.rows.iter().position(is_current);
    let seen = window(state.rows.len(), MOST, must);
    let rows = state.rows[seen.clone()].iter().flat_map(|row| match row {
        Row::Fold { at, rules } => rows::unfold(*at, rules.clone(), &cursors),
        row => vec![row.clone()],
    });
    let left = |count: usize, place: &str| {
        if count == 0 {
            html! {}
        } else {
            html! { <p class="left">{ format!("{count} more rows {place}") }</p> }
        }
    };
    html! {
        <div class="scroll list" ref={node} tabindex="0" role="group" aria-label="Rule list">
            <div class="legend">
                <span class="number">{ "no." }</span>
                { for state.sides().iter().map(|side| badge(*side)) }
                <span class="words">{ "✓ matched, – tested, blank: never reached" }</span>
                <span class="line-number">{ "line" }</span>
            </div>
            if state.rows.is_empty() {
                <p class="left">{ "There are no rules." }</p>
            }
            { left(seen.start, "above: step there to see them") }
            { for rows.map(|row| show(page, &row)) }
            { left(state.rows.len() - seen.end, "below: step there to see them, or look at the text") }
        </div>
    }
}

fn show(page: &Page, row: &Row) -> Html {
    match row {
        Row::Chain { at, callers } => chain(&page.state, *at, callers),
        Row::Rule(place) => rule(page, *place),
        Row::Fold { at, rules } => fold(page, *at, rules.clone()),
        Row::Unmet { chains, rules } => {
            let open = page.state.rows.last() != Some(row);
            html! {
                <button type="button" class="row fold unmet" aria-expanded={open.to_string()} onclick={page.on(Action::Unmet)}>
                    <span class="number" />
                    <span class="words">
                        { format!("{} with {} that {}", count(*chains, "chain"), count(*rules, "rule"), nobody(&page.state)) }
                    </span>
                    <span class="line-number" aria-hidden="true">{ if open { "▾" } else { "▸" } }</span>
                </button>
            }
        }
    }
}

fn nobody(state: &State) -> &'static str {
    if state.compare { "neither packet meets" } else { "the packet does not meet" }
}

pub(super) fn count(count: usize, what: &str) -> String {
    match count {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

fn chain(state: &State, at: ChainPlace, callers: &[Place]) -> Html {
    let rulesets = state.paste.rulesets();
    let (ruleset, _, chain) = at.find(rulesets);
    let by: Vec<String> = callers.iter().map(|place| short(rulesets, *place)).collect();
    let by = if by.is_empty() { String::new() } else { format!(", called by {}", by.join(" and ")) };
    let family = if rulesets.len() > 1 { format!("{} ", ruleset.family) } else { String::new() };
    html! {
        <h3 class="chain" key={format!("{at:?}")} data-chain={format!("{}/{}", at.table, chain.name)}>
            <span class="table">{ family }{ at.table.name() }</span>
            <code>{ &*chain.name }</code>
            <span class="quiet">{ count(chain.rules.len(), "rule") }{ by }</span>
        </h3>
    }
}

/// "ISTIO_OUTPUT 4", "OUTPUT policy".
pub(super) fn short(rulesets: &[Ruleset], place: Place) -> String {
    let chain = &place.at.find(rulesets).2.name;
    match place.rule {
        Some(rule) => format!("{chain} {}", rule + 1),
        None => format!("{chain} policy"),
    }
}

fn rule(page: &Page, place: Place) -> Html {
    let state = &page.state;
    let rulesets = state.paste.rulesets();
    let (ruleset, table, chain) = place.at.find(rulesets);
    let rule = place.rule(rulesets);
    let marks: Vec<_> = state.sides().iter().map(|side| (*side, state.walked(*side))).collect();
    let mark = |side: Side| state.walked(side).and_then(|walked| walked.mark(place));
    let decides = state.walked(state.lead()).is_some_and(|walked| walked.decided_by() == Some(place));
    let other = state.walks().find(|(side, walked)| *side != state.lead() && walked.decided_by() == Some(place));
    let failed: Vec<u16> = state
        .sides()
        .iter()
        .filter_map(|side| mark(*side))
        .filter(|mark| mark.outcome != Outcome::Match)
        .filter_map(|mark| mark.condition)
        .collect();
    let accent = |condition: u16| match failed.contains(&condition) {
        true if decides => Some(Accent::Decides),
        true => Some(Accent::Fails),
        // Nobody failed it: all its conditions decided together.
        false if decides && failed.is_empty() => Some(Accent::Decides),
        false => None,
    };
    let current: String = state.current().iter().filter(|(_, at)| *at == place).map(|(side, _)| side.key()).collect();
    let line = rule.map(|rule| rule.line).or(chain.line);
    let number = place.rule.map(|rule| (rule + 1).to_string());
    let words = rule.map(|rule| explain::rule(ruleset, table, rule));
    let purpose = state.paste.mesh.as_ref().and_then(|mesh| mesh.purpose(rulesets, place));
    let id = format!("{}/{}/{}", place.at.table, chain.name, number.as_deref().unwrap_or("policy"));
    let tint = match (decides, other) {
        (true, _) => Some(classes!("decided", state.walked(state.lead()).map(|walked| colour(walked.headline.fate)))),
        (false, Some((_, walked))) => Some(classes!("led", colour(walked.headline.fate))),
        (false, None) => None,
    };
    let is_current = !current.is_empty();
    html! {
        <>
            <button type="button" class={classes!("row", tint)} key={format!("{place:?}")} data-rule={id}
                data-current={is_current.then_some(current)} aria-current={is_current.then_some("step")}
                onclick={page.on(Action::GoTo(place))}>
                <span class="number"><span class="cursor" aria-hidden="true" />{ number }</span>
                { for marks.iter().map(|(side, walked)| {
                    let fate = walked.map_or(explain::Fate::Unknown, |walked| walked.headline.fate);
                    tile(*side, fate, mark(*side).map(|mark| mark.outcome))
                }) }
                <span class="words">
                    { rule::pieces(rulesets, place, accent) }
                    if let Some(words) = words {
                        <span class="plain-words">{ words }</span>
                    }
                    if let Some(purpose) = purpose {
                        <span class="plain-words purpose">{ purpose }</span>
                    }
                </span>
                <span class="line-number">{ line }</span>
            </button>
            if state.unmet == Some(place) {
                <p class="unmet-why" role="status">{ why_unmet(state, place) }</p>
            }
        </>
    }
}

/// Why no packet comes to a rule.
fn why_unmet(state: &State, place: Place) -> String {
    let rulesets = state.paste.rulesets();
    let mut reasons = Vec::new();
    for (side, walked) in state.walks() {
        let steps = &walked.path().steps;
        let before = |step: &Step| step.place.at == place.at && step.place.rule < place.rule;
        let left = steps.iter().rfind(before).filter(|step| step.outcome == Outcome::Match).map(|step| step.place);
        let hook = place.at.find(rulesets).2.hook;
        reasons.push(match (left, hook) {
            (Some(left), _) => format!("{} leaves at {}", side.letter(), short(rulesets, left)),
            (None, Some(hook)) if steps.iter().all(|step| step.hook != hook) => {
                format!("{} does not pass {hook}", side.letter())
            }
            (None, _) => format!("{} is not led into this chain", side.letter()),
        });
    }
    format!("Never reached: {}.", reasons.join(", "))
}

fn fold(page: &Page, at: ChainPlace, rules: std::ops::Range<u32>) -> Html {
    let state = &page.state;
    let place = |rule| Place { at, rule: Some(rule) };
    let tested = |side: Side| {
        state
            .walked(side)
            .and_then(|walked| rules.clone().find_map(|rule| walked.mark(place(rule))))
            .map(|mark| mark.outcome)
    };
    let gone: Vec<&str> =
        state.walks().filter(|(side, _)| tested(*side).is_none()).map(|(side, _)| side.letter()).collect();
    let says = match (gone.len(), state.sides().len()) {
        (0, _) => "none matches".to_owned(),
        (gone, all) if gone == all => "never reached".to_owned(),
        _ => format!("none matches, {} is gone", gone.join(" and ")),
    };
    html! {
        <button type="button" class="row fold" key={format!("fold-{at:?}-{}", rules.start)} aria-expanded="false"
            onclick={page.on(Action::Unfold(place(rules.start)))}>
            <span class="number">{ format!("{}–{}", rules.start + 1, rules.end) }</span>
            { for state.sides().iter().map(|side| tile(*side, explain::Fate::Unknown, tested(*side))) }
            <span class="words">{ format!("{}: {says}", count(rules.len(), "rule")) }</span>
            <span class="line-number" aria-hidden="true">{ "▸" }</span>
        </button>
    }
}
