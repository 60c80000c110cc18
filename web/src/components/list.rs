//! The rules as a list: by table and chain, with what became of each. Of a long list only what is
//! in sight is made.

use chainwalk_core::analysis::explain;
use chainwalk_core::input::parse;
use chainwalk_core::iptables::table_name::TableName;
use chainwalk_core::netfilter::place::{ChainPlace, Place};
use chainwalk_core::netfilter::ruleset::{Counters, Ruleset, Table};
use chainwalk_core::walk::trace::{Outcome, Step};
use gloo::events::{EventListener, EventListenerOptions};
use gloo::utils::window;
use web_sys::Element;
use yew::prelude::*;

use super::badge::{badge, colour, tile};
use super::editor::editor;
use super::follow::use_follow;
use super::phrases::{bool_text, format_count, format_place};
use super::rule::{self, Accent};
use crate::browser;
use crate::editing::Do;
use crate::page::Page;
use crate::page_part::{self, Part};
use crate::rows::{self, Row};
use crate::side::Side;
use crate::state::{Action, State};

/// So many rows are made at once: two screens full, since a search makes them anew at every key.
/// The lowest rows are of some 26 pixels.
fn most() -> usize {
    let height = window()
        .inner_height()
        .ok()
        .and_then(|height| height.as_f64());
    height.map_or(1080, |height| height as usize).min(8000) / 26 + 20
}

/// How much of the list's top is under its legend and a chain's heading, in pixels.
pub(super) const COVERED: u32 = 64;

/// How high a row is taken to be where it is not made.
const HEIGHT: usize = 46;

#[component]
pub(super) fn List(page: &Page) -> Html {
    page_part::enter(Part::Rules);
    let state = &page.state;
    let start = use_state(|| 0_usize);
    let editing = &state.editing;
    // What opens beneath a rule makes it higher.
    let opened = (
        editing.place,
        editing.form.is_some(),
        editing.refused.is_some(),
    );
    let node = use_follow(
        (state.cursor, state.rows.clone(), state.unmet, opened),
        COVERED,
    );
    let cursors: Vec<Place> = state.current().iter().map(|(_, place)| *place).collect();
    let chosen = state.opened.newest.or(state.editing.place);
    let wanted = chosen.map_or_else(|| cursors.clone(), |place| vec![place]);
    let is_wanted = |row: &Row| match row {
        Row::Rule(place) => wanted.contains(place),
        Row::Fold { at, rules } => wanted
            .iter()
            .any(|place| place.at == *at && place.rule.is_some_and(|rule| rules.contains(&rule))),
        _ => false,
    };
    let most = most();
    // Where something else is wanted, it is made, wherever the list stood.
    let all = state.rows.len();
    let must = use_memo((state.rows.clone(), wanted.clone()), |(rows, _)| {
        rows.iter().position(is_wanted)
    });
    let last = use_mut_ref(|| None);
    let key = Some(must.clone());
    let is_new = last
        .replace(key.clone())
        .is_none_or(|before: std::rc::Rc<Option<usize>>| !std::rc::Rc::ptr_eq(&before, &must));
    let first = match *must {
        Some(must) if is_new && !(*start..*start + most).contains(&must) => {
            must.saturating_sub(most / 2)
        }
        None if is_new => 0,
        _ => *start,
    };
    let first = first.min(all.saturating_sub(most));
    let seen = first..all.min(first + most);
    use_effect_with(first, {
        let start = start.clone();
        move |first| {
            if *start != *first {
                start.set(*first);
            }
        }
    });
    // The list scrolls, or the whole page where that is narrow.
    use_effect_with((seen.clone(), all), {
        let node = node.clone();
        move |(seen, all)| {
            let (seen, all) = (seen.clone(), *all);
            let options = EventListenerOptions::run_in_capture_phase();
            let moved = move |_: &Event| {
                if let Some(next) = node
                    .cast::<Element>()
                    .and_then(|list| next(&list, seen.clone(), all))
                {
                    start.set(next);
                }
            };
            let listener = EventListener::new_with_options(&window(), "scroll", options, moved);
            move || drop(listener)
        }
    });
    let rows = state.rows[seen.clone()].iter().flat_map(|row| match row {
        Row::Fold { at, rules } => rows::unfold(*at, rules.clone(), &wanted),
        row => vec![row.clone()],
    });
    let gap = |rows: usize, key: &'static str| {
        html! { <div {key} class="gap" style={format!("height:{}px", rows * HEIGHT)}></div> }
    };
    let none = if state.opened.query.trim().is_empty() {
        "There are no rules."
    } else {
        "No rule is found."
    };
    html! {
        <div class="scroll list" ref={&node} tabindex="0" role="group" aria-label="Rule list">
            <div class="legend" key="legend">
                <span class="number">{"no."}</span>
                {for state.sides().iter().map(|side| badge(*side))}
                if state.index.counts() {
                    {counted(state)}
                }
                <span class="words">{"✓ matched, – tested, blank: never reached"}</span>
                <span class="line-number">{"line"}</span>
            </div>
            if state
            .rows
            .is_empty() {
                <p class="left" key="none">{none}</p>
            }
            {gap(seen.start, "above")}
            {for rows.map(|row| show(page, &row))}
            {gap(all - seen.end, "below")}
        </div>
    }
}

/// The heading of the counters. Only the first packet of a connection comes to the nat table: there
/// they count connections.
fn counted(state: &State) -> Html {
    let mut tables = state.paste.rulesets().iter().flat_map(|set| &set.tables);
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

/// The first row to make where what is made ends too near what is in sight.
fn next(list: &Element, seen: std::ops::Range<usize>, all: usize) -> Option<usize> {
    // Not below 0 but where there is none.
    let row = usize::try_from(browser::row(list, seen.start, seen.end, all, HEIGHT)).ok()?;
    let next = row
        .saturating_sub(seen.len() / 3)
        .min(all.saturating_sub(seen.len()));
    (next != seen.start).then_some(next)
}

fn show(page: &Page, row: &Row) -> Html {
    match row {
        Row::Table(ruleset, table, open) => {
            let state = &page.state;
            let set = state.paste.rulesets().get(*ruleset as usize);
            let family = match state.paste.rulesets() {
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
                        onclick={page.on(Action::List(rows::Do::Close(*ruleset, *table, None)))}
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
        Row::Chain { at, callers, open } => chain(page, *at, callers, *open),
        Row::Off(ruleset, place) => off(page, *ruleset, *place),
        Row::Rule(place) => rule(page, *place),
        Row::Fold { at, rules } => fold(page, *at, rules.clone()),
        Row::Unmet { chains, rules } => {
            let open = page.state.opened.unmet;
            html! {
                <button
                    type="button"
                    class="row fold unmet"
                    aria-expanded={bool_text(open)}
                    key="unmet"
                    onclick={page.on(Action::List(rows::Do::Unmet))}
                >
                    <span class="number"></span>
                    <span class="words">
                        {format!(
                            "{} with {} that {}",
                            format_count(*chains, "chain"),
                            format_count(*rules, "rule"),
                            nobody(&page.state)
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

fn nobody(state: &State) -> &'static str {
    if state.compare {
        "neither packet meets"
    } else {
        "the packet does not meet"
    }
}

/// So many of the rules that lead into a chain are named.
const CALLERS: usize = 3;

fn chain(page: &Page, at: ChainPlace, met: &[Place], open: bool) -> Html {
    let state = &page.state;
    let rulesets = state.paste.rulesets();
    let (ruleset, table, chain) = at.find(rulesets);
    let callers = state.index.callers(at);
    // Those that led a packet here come first.
    let others = callers.iter().filter(|place| !met.contains(place));
    let by = met.iter().chain(others).take(CALLERS).map(|place| {
        let led = met.contains(place).then_some("led-here");
        html! {
            <button
                type="button"
                class={classes!("link", led)}
                onclick={page.on(Action::GoTo(*place))}
            >
                {format_place(rulesets, *place)}
            </button>
        }
    });
    let more = callers.len().saturating_sub(CALLERS);
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
                onclick={page.on(Action::List(rows::Do::Close(
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
                <span class="quiet">{"no rule leads here"}</span>
            }
            if chain.rules.is_empty() && chain.hook().is_none() && open {
                <button
                    type="button"
                    class="link"
                    onclick={page.on(Action::Rule(Do::Choose(Some(Place { at, rule: None }))))}
                >
                    {"add a rule"}
                </button>
                {editor(page, Place { at, rule: None })}
            }
        </h3>
    }
}

/// A rule that is switched off.
fn off(page: &Page, ruleset: u32, place: u32) -> Html {
    let state = &page.state;
    let set = &state.paste.rulesets()[ruleset as usize];
    let off = &set.off[place as usize];
    let text = state
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
                onclick={page.on(Action::Rule(Do::Edit(
                    chainwalk_core::input::edit::Edit::On(ruleset, place),
                )))}
            >
                {"Switch on"}
            </button>
            <span class="line-number">{off.line}</span>
        </div>
    }
}

fn rule(page: &Page, place: Place) -> Html {
    let state = &page.state;
    let rulesets = state.paste.rulesets();
    let (ruleset, table, chain) = place.at.find(rulesets);
    let rule = place.rule(rulesets);
    let marks: Vec<_> = state
        .sides()
        .iter()
        .map(|side| (*side, state.walked(*side)))
        .collect();
    let mark = |side: Side| state.walked(side).and_then(|walked| walked.mark(place));
    let decides = state
        .walked(state.lead)
        .is_some_and(|walked| walked.decided_by() == Some(place));
    let other = state
        .walks()
        .find(|(side, walked)| *side != state.lead && walked.decided_by() == Some(place));
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
    let current: String = state
        .current()
        .iter()
        .filter(|(_, at)| *at == place)
        .map(|(side, _)| side.key())
        .collect();
    let line = rule.map(|rule| rule.line).or(chain.line);
    let number = place.rule.map(|rule| (rule + 1).to_string());
    let words = rule.map(|rule| explain::rule(ruleset, table, rule));
    let purpose = state
        .paste
        .mesh
        .as_ref()
        .and_then(|mesh| mesh.purpose(rulesets, place));
    let id = named(rulesets, place);
    let (place_class, of) = match (decides, other) {
        (true, _) => (
            Some("decided"),
            state.walked(state.lead).map(|walked| &**walked),
        ),
        (false, Some((_, walked))) => (Some("led"), Some(walked)),
        (false, None) => (None, None),
    };
    let is_current = !current.is_empty();
    let counters = rule
        .map_or(chain.counters, |rule| rule.counters)
        .counters(ruleset);
    let chosen = state.editing.place == Some(place);
    let sought = state.opened.newest.map_or(chosen, |newest| newest == place);
    html! {
        <div key={format!("{place:?}")} data-chosen={sought.then_some("")}>
            <button
                type="button"
                class={classes!("row", place_class, of.map(|walked| colour(walked.headline.fate)))}
                data-rule={id}
                aria-expanded={bool_text(chosen)}
                data-current={is_current.then_some(current)}
                aria-current={is_current.then_some("step")}
                onclick={page.on(Action::GoTo(place))}
            >
                <span class="number"><span class="cursor" aria-hidden="true"></span>{number}</span>
                {for marks.iter().map(|(side, walked)| {
                    let fate = walked.map_or(explain::Fate::Unknown, |walked| walked.headline.fate);
                    tile(*side, fate, mark(*side).map(|mark| mark.outcome))
                })}
                if state
                .index
                .counts() {
                    {hits(state, place.at.table(rulesets), counters)}
                }
                <span class="words">
                    {rule::pieces(rulesets, place, accent)}
                    if let Some(words) = words {
                        <span class="plain-words">{words}</span>
                    }
                    if let Some(purpose) = purpose {
                        <span class="plain-words purpose">{purpose}</span>
                    }
                </span>
                <span class="line-number">
                    {line.map_or_else(String::new, |line| line.to_string())}
                </span>
            </button>
            if state.unmet == Some(place) {
                <p class="unmet-why" role="status">{why_unmet(state, place)}</p>
            }
            {editor(page, place)}
        </div>
    }
}

/// As the list names a rule or policy: `nat/ISTIO_OUTPUT/4`.
fn named(rulesets: &[Ruleset], place: Place) -> String {
    let rule = place
        .rule
        .map_or_else(|| "policy".to_owned(), |rule| (rule + 1).to_string());
    let (_, table, chain) = place.at.find(rulesets);
    format!("{}/{}/{rule}", table.label(), chain.name)
}

/// How many packets a rule has counted, and how many that is beside the others.
fn hits(state: &State, table: &Table, counters: Option<Counters>) -> Html {
    let Some(counters) = counters else {
        return html! { <span class="hits"></span> };
    };
    let class = format!("hits heat-{}", state.index.heat(counters));
    let what = if table.is(TableName::Nat) {
        "connections"
    } else {
        "packets"
    };
    let title = format!("{} {what}, {} bytes", counters.packets, counters.bytes);
    html! { <span {class} {title}>{rows::short(counters.packets)}</span> }
}

/// Why no packet comes to a rule.
fn why_unmet(state: &State, place: Place) -> String {
    let rulesets = state.paste.rulesets();
    let mut reasons = Vec::new();
    for (side, walked) in state.walks() {
        let steps = &walked.path().steps;
        let before = |step: &Step| step.place.at == place.at && step.place.rule < place.rule;
        let left = steps
            .iter()
            .rfind(before)
            .filter(|step| step.outcome == Outcome::Match)
            .map(|step| step.place);
        let hook = place.at.find(rulesets).2.hook();
        reasons.push(match (left, hook) {
            (Some(left), _) => format!(
                "{} leaves at {}",
                side.letter(),
                format_place(rulesets, left)
            ),
            (None, Some(hook)) if steps.iter().all(|step| step.hook != hook) => {
                format!("{} does not pass {hook}", side.letter())
            }
            (None, _) => format!("{} is not led into this chain", side.letter()),
        });
    }
    let none = if state.untried == Some(place) {
        " No packet was found that comes here."
    } else {
        ""
    };
    format!("Never reached: {}.{none}", reasons.join(", "))
}

fn fold(page: &Page, at: ChainPlace, rules: std::ops::Range<u32>) -> Html {
    let state = &page.state;
    let place = |rule| Place {
        at,
        rule: Some(rule),
    };
    let tested = |side: Side| {
        state
            .walked(side)
            .and_then(|walked| rules.clone().find_map(|rule| walked.mark(place(rule))))
            .map(|mark| mark.outcome)
    };
    let gone: Vec<&str> = state
        .walks()
        .filter(|(side, _)| tested(*side).is_none())
        .map(|(side, _)| side.letter())
        .collect();
    // Whoever comes into a chain is asked by its first rule.
    let came = state
        .walks()
        .any(|(side, walked)| gone.contains(&side.letter()) && walked.mark(place(0)).is_some());
    let says = match (gone.len(), state.sides().len()) {
        (0, _) => "none matches".to_owned(),
        (gone, all) if gone == all => "never reached".to_owned(),
        _ if came => format!("none matches, {} is gone", gone.join(" and ")),
        _ => format!("none matches, {} does not come here", gone.join(" and ")),
    };
    let unfold = {
        let (act, first) = (page.act.clone(), place(rules.start));
        let name = named(state.paste.rulesets(), first)
            .replace('\\', "\\\\")
            .replace('"', "\\\"");
        Callback::from(move |_: MouseEvent| {
            act.emit(Action::List(rows::Do::Unfold(first)));
            // The fold goes, and the focus with it.
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
            {for state
                .sides()
                .iter()
                .map(|side| tile(*side, explain::Fate::Unknown, tested(*side)))}
            <span class="words">{format!("{}: {says}", format_count(rules.len(), "rule"))}</span>
            <span class="line-number" aria-hidden="true">{"▸"}</span>
        </button>
    }
}
