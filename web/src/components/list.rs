//! The rules as a list by table and chain, with their results. Only the visible part of a long list
//! is rendered.

use std::ops::Range;
use std::rc::Rc;

use chainwalk_core::analysis::explain;
use chainwalk_core::input::parse;
use chainwalk_core::iptables::table_name::TableName;
use chainwalk_core::netfilter::place::{ChainPlace, Place};
use chainwalk_core::netfilter::ruleset::{Counters, Ruleset, Table};
use chainwalk_session::editing::EditAction;
use chainwalk_session::list_window::ListSize;
use chainwalk_session::phrases::{format_count, format_place, format_short};
use chainwalk_session::rows::{self, Row, RuleListAction};
use chainwalk_session::rule_row::RuleRow;
use chainwalk_session::sentences;
use chainwalk_session::state::{Action, Evaluation};
use gloo::utils::window;
use yew::prelude::*;

use super::badge::{badge, colour, tile};
use super::editor::editor;
use super::follow::use_follow;
use super::phrases::{bool_text, text_with_code};
use super::props::PageProps;
use super::rule;
use super::virtual_list::{gap, use_virtual_list};
use crate::browser;
use crate::page_part::{self, PagePart};

/// The number of rendered rows: one screen of the lowest rows, which have about 26 pixels, because
/// each key of a search renders them again. The list does not cover the page's header.
fn made_rows() -> usize {
    let height = window()
        .inner_height()
        .ok()
        .and_then(|height| height.as_f64());
    height
        .map_or(1080, |height| height as usize)
        .clamp(200, 8000)
        / 26
        - 2
}

/// The height of the legend and a chain's heading, which cover the list's top, in pixels.
pub(super) const COVERED: u32 = 64;

/// The assumed height of a row that is not rendered, in pixels.
const ROW_HEIGHT: usize = 46;

#[component]
pub(super) fn List(props: &PageProps) -> Html {
    page_part::enter(PagePart::Rules);
    let evaluation = &props.evaluation;
    let editing = &props.view.editing;
    // The editor increases a rule's row.
    let opened = (
        editing.place,
        editing.form.is_some(),
        editing.refused.is_some(),
    );
    let node = use_follow(
        (
            props.view.cursor,
            evaluation.results.rows.clone(),
            props.view.unmet,
            opened,
        ),
        COVERED,
    );
    let cursors: Vec<Place> = evaluation
        .current(props.view.cursor)
        .iter()
        .map(|(_, place)| *place)
        .collect();
    let chosen = props.view.opened.newest.or(props.view.editing.place);
    let wanted = chosen.map_or_else(|| cursors.clone(), |place| vec![place]);
    let all = &evaluation.results.rows;
    let key = (Rc::clone(all), wanted.clone());
    let place = use_memo(key.clone(), |(rows, _)| {
        rows.iter().position(|row: &Row| match row {
            Row::Rule(place) => wanted.contains(place),
            Row::Fold { at, rules } => wanted.iter().any(|place| {
                place.at == *at && place.rule.is_some_and(|rule| rules.contains(&rule))
            }),
            _ => false,
        })
    });
    let size = ListSize {
        rows: all.len(),
        made: made_rows(),
        row_height: ROW_HEIGHT,
    };
    let made = use_virtual_list(&node, size, &key, *place);
    let rows = all[made.clone()].iter().flat_map(|row| match row {
        Row::Fold { at, rules } => rows::unfold(*at, rules.clone(), &wanted),
        row => vec![row.clone()],
    });
    let none = if props.view.opened.query.trim().is_empty() {
        "There are no rules."
    } else {
        "No rule was found."
    };
    html! {
        <div
            class="scroll list"
            ref={&node}
            tabindex="0"
            role="group"
            aria-label="Rule list"
            aria-busy={evaluation.results.sought.is_some().then_some("true")}
        >
            <div class="legend" key="legend">
                <span class="number">{"no."}</span>
                {for evaluation.workspace.sides().iter().map(|side| badge(*side))}
                if evaluation.results.index.counts() {
                    {counted(evaluation)}
                }
                <span class="words">{"✓ matches, – no match, blank: never reached"}</span>
                <span class="line-number">{"line"}</span>
            </div>
            if all.is_empty() && evaluation.results.sought.is_none() {
                <p class="left" key="none">{none}</p>
            }
            {gap(size, made.start, "above")}
            // A list of its own, in which each row has a key: rows that stay are not made again.
            {rows.map(|row| show(props, &row)).collect::<Html>()}
            {gap(size, all.len() - made.end, "below")}
        </div>
    }
}

/// The heading of the counters. Only the first packet of a connection reaches the nat table, so its
/// counters count connections.
fn counted(evaluation: &Evaluation) -> Html {
    let mut tables = evaluation
        .workspace
        .paste
        .rulesets()
        .iter()
        .flat_map(|set| &set.tables);
    let (name, title) = if tables.all(|table| table.is(TableName::Nat)) {
        (
            "conns",
            "connections counted: only the first packet of each comes to the nat table",
        )
    } else {
        (
            "pkts",
            "packets counted; in the nat table connections, of which only the first packet comes there",
        )
    };
    html! { <span class="hits" {title}>{name}</span> }
}

fn show(props: &PageProps, row: &Row) -> Html {
    match row {
        Row::Table(ruleset, table, open) => {
            let evaluation = &props.evaluation;
            let set = evaluation.workspace.paste.rulesets().get(*ruleset as usize);
            let family = match evaluation.workspace.paste.rulesets() {
                [_] => String::new(),
                _ => set
                    .map(|set| format!("{} ", set.family))
                    .unwrap_or_default(),
            };
            let name = set
                .and_then(|set| set.tables.get(*table as usize))
                .map_or_else(String::new, |table| table.label().into_owned());
            html! {
                <h3 class="table-head" key={format!("{ruleset} {table}")}>
                    <button
                        type="button"
                        aria-expanded={bool_text(*open)}
                        data-table={name.clone()}
                        onclick={props.act.on(Action::List(RuleListAction::Close(*ruleset, *table, None)))}
                    >
                        <span aria-hidden="true">
                            {if *open { "▾ " } else { "▸ " }}
                        </span>
                        {family}
                        {"table "}
                        <code>{name}</code>
                    </button>
                </h3>
            }
        }
        Row::Chain { at, callers, open } => chain(props, *at, callers, *open),
        Row::Off(ruleset, place) => off(props, *ruleset, *place),
        Row::Rule(place) => rule(props, *place),
        Row::Fold { at, rules } => fold(props, *at, rules),
        Row::Unmet { chains, rules } => {
            let open = props.view.opened.unmet;
            html! {
                <button
                    type="button"
                    class="row fold unmet"
                    aria-expanded={bool_text(open)}
                    key="unmet"
                    onclick={props.act.on(Action::List(RuleListAction::Unmet))}
                >
                    <span class="number"></span>
                    <span class="words">
                        {format!(
                            "{} with {} that {}",
                            format_count(*chains, "chain"),
                            format_count(*rules, "rule"),
                            format_unmet(&props.evaluation)
                        )}
                    </span>
                    <span class="line-number" aria-hidden="true">
                        {if open { "▾" } else { "▸" }}
                    </span>
                </button>
            }
        }
    }
}

fn format_unmet(evaluation: &Evaluation) -> &'static str {
    if evaluation.workspace.compare {
        "neither packet reaches"
    } else {
        "the packet does not reach"
    }
}

/// The most callers of a chain that are named.
const MAX_CALLERS: usize = 3;

fn chain(props: &PageProps, at: ChainPlace, met: &[Place], open: bool) -> Html {
    let evaluation = &props.evaluation;
    let rulesets = evaluation.workspace.paste.rulesets();
    let (ruleset, table, chain) = at.find(rulesets);
    let callers = evaluation.results.index.callers(at);
    // The callers on a packet's path come first.
    let others = callers.iter().filter(|place| !met.contains(place));
    let by = met.iter().chain(others).take(MAX_CALLERS).map(|place| {
        let led = met.contains(place).then_some("led-here");
        html! {
            <button
                type="button"
                class={classes!("link", led)}
                onclick={props.act.on(Action::GoTo(*place))}
            >
                {format_place(rulesets, *place)}
            </button>
        }
    });
    let more = callers.len().saturating_sub(MAX_CALLERS);
    let family = if rulesets.len() > 1 {
        format!("{} ", ruleset.family)
    } else {
        String::new()
    };
    html! {
        <h3
            class="chain"
            key={format!("{at:?}")}
            data-chain={format!("{}/{}", table.label(), chain.name)}
        >
            <button
                type="button"
                class="opens"
                aria-expanded={bool_text(open)}
                onclick={props.act.on(Action::List(RuleListAction::Close(
                    at.ruleset,
                    at.table,
                    Some(at.chain),
                )))}
            >
                <span aria-hidden="true">
                    {if open { "▾" } else { "▸" }}
                </span>
                <span class="table">{family}{&*table.label()}</span>
                <code>{&*chain.name}</code>
                <span class="quiet">{format_count(chain.rules.len(), "rule")}</span>
            </button>
            if !callers.is_empty() {
                <span class="quiet">{"called by "}{for by}</span>
                if more > 0 {
                    <span class="quiet">{format!("and {more} more")}</span>
                }
            } else if chain.hook().is_none() {
                <span class="quiet">{"no rule calls this chain"}</span>
            }
            if chain.rules.is_empty() && chain.hook().is_none() && open {
                <button
                    type="button"
                    class="link"
                    onclick={props.act.on(Action::Rule(EditAction::Choose(Some(Place { at, rule: None }))))}
                >
                    {"add a rule"}
                </button>
                {editor(props, Place { at, rule: None })}
            }
        </h3>
    }
}

/// A disabled rule.
fn off(props: &PageProps, ruleset: u32, place: u32) -> Html {
    let evaluation = &props.evaluation;
    let set = &evaluation.workspace.paste.rulesets()[ruleset as usize];
    let off = &set.off[place as usize];
    let text = evaluation
        .workspace
        .paste
        .parsed
        .sources
        .get(set.source as usize)
        .map_or("", |text| off.span.slice(text));
    html! {
        <div class="row off" key={format!("off-{ruleset}-{place}")}>
            <span class="number">{"off"}</span>
            <span class="words"><s class="rule">{parse::words_of_off(text)}</s></span>
            <button
                type="button"
                class="line"
                onclick={props.act.on(Action::Rule(EditAction::Edit(
                    chainwalk_core::input::edit::Edit::On(ruleset, place),
                )))}
            >
                {"Switch on"}
            </button>
            <span class="line-number">{off.line}</span>
        </div>
    }
}

fn rule(props: &PageProps, place: Place) -> Html {
    let evaluation = &props.evaluation;
    let rulesets = evaluation.workspace.paste.rulesets();
    let (ruleset, table, chain) = place.at.find(rulesets);
    let rule = place.rule(rulesets);
    let row = RuleRow::new(evaluation, place);
    let current: String = evaluation
        .current(props.view.cursor)
        .iter()
        .filter(|(_, at)| *at == place)
        .map(|(side, _)| side.key())
        .collect();
    let line = rule.map(|rule| rule.line).or(chain.line);
    let number = place.rule.map(|rule| (rule + 1).to_string());
    let words = rule.map(|rule| explain::rule(ruleset, table, rule));
    let purpose = evaluation
        .workspace
        .paste
        .mesh
        .as_ref()
        .and_then(|mesh| mesh.purpose(rulesets, place));
    let id = named(rulesets, place);
    let place_class = row
        .decided
        .map(|_| if row.decides_lead { "decided" } else { "led" });
    let is_current = !current.is_empty();
    let counters = rule
        .map_or(chain.counters, |rule| rule.counters)
        .counters(ruleset);
    let chosen = props.view.editing.place == Some(place);
    let sought = props
        .view
        .opened
        .newest
        .map_or(chosen, |newest| newest == place);
    html! {
        <div key={format!("{place:?}")} data-chosen={sought.then_some("")}>
            <button
                type="button"
                class={classes!("row", place_class, row.decided.map(colour))}
                data-rule={id}
                aria-expanded={bool_text(chosen)}
                data-current={is_current.then_some(current)}
                aria-current={is_current.then_some("step")}
                onclick={props.act.on(Action::GoTo(place))}
            >
                <span class="number"><span class="cursor" aria-hidden="true"></span>{number}</span>
                {for row.results.iter().map(|(side, fate, outcome)| tile(*side, *fate, *outcome))}
                if evaluation
                .results
                .index
                .counts() {
                    {hits(evaluation, place.at.table(rulesets), counters)}
                }
                <span class="words">
                    {rule::pieces(rulesets, place, &row)}
                    if let Some(words) = words {
                        <span class="plain-words">{text_with_code(&words)}</span>
                    }
                    if let Some(purpose) = purpose {
                        <span class="plain-words purpose">{purpose}</span>
                    }
                </span>
                <span class="line-number">
                    {line.map_or_else(String::new, |line| line.to_string())}
                </span>
            </button>
            if props.view.unmet == Some(place) {
                <p class="unmet-why" role="status">
                    {sentences::explain_unmet(evaluation, place)}
                    if props.view.untried == Some(place) {
                        {" No packet was found that reaches it."}
                    }
                </p>
            }
            {editor(props, place)}
        </div>
    }
}

/// The name of a rule or policy in the list: `nat/ISTIO_OUTPUT/4`.
fn named(rulesets: &[Ruleset], place: Place) -> String {
    let rule = place
        .rule
        .map_or_else(|| "policy".to_owned(), |rule| (rule + 1).to_string());
    let (_, table, chain) = place.at.find(rulesets);
    format!("{}/{}/{rule}", table.label(), chain.name)
}

/// The packet counter of a rule, and its level relative to the others.
fn hits(evaluation: &Evaluation, table: &Table, counters: Option<Counters>) -> Html {
    let Some(counters) = counters else {
        return html! { <span class="hits"></span> };
    };
    let class = format!("hits heat-{}", evaluation.results.index.heat(counters));
    let what = if table.is(TableName::Nat) {
        "connections"
    } else {
        "packets"
    };
    let title = format!("{} {what}, {} bytes", counters.packets, counters.bytes);
    html! { <span {class} {title}>{format_short(counters.packets)}</span> }
}

fn fold(props: &PageProps, at: ChainPlace, rules: &Range<u32>) -> Html {
    let evaluation = &props.evaluation;
    let first = Place {
        at,
        rule: Some(rules.start),
    };
    let unfold = {
        let act = props.act.clone();
        let name = named(evaluation.workspace.paste.rulesets(), first)
            .replace('\\', "\\\\")
            .replace('"', "\\\"");
        Callback::from(move |_: MouseEvent| {
            act.emit(Action::List(RuleListAction::Unfold(first)));
            // The fold disappears, and would take the focus with it.
            browser::show(&format!("[data-rule=\"{name}\"]"), "nearest", true);
        })
    };
    html! {
        <button
            type="button"
            class="row fold"
            key={format!("fold-{at:?}-{}", rules.start)}
            aria-expanded="false"
            onclick={unfold}
        >
            <span class="number">{format!("{}–{}", rules.start + 1, rules.end)}</span>
            {for evaluation
                .workspace
                .sides()
                .iter()
                .map(|side| {
                    let walked = evaluation.walked(*side);
                    let outcome = walked.and_then(|walked| walked.outcome_in(at, rules));
                    tile(*side, explain::Fate::Unknown, outcome)
                })}
            <span class="words">{sentences::describe_fold(evaluation, at, rules)}</span>
            <span class="line-number" aria-hidden="true">{"▸"}</span>
        </button>
    }
}
