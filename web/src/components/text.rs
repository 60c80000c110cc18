//! The text: read-only with its lines numbered, or as a text field.

use chainwalk_core::text::diagnostic::{Diagnostic, Severity, Span};
use web_sys::{HtmlElement, HtmlTextAreaElement};
use yew::prelude::*;

use super::diagnostics::sign;
use super::follow::use_follow;
use super::window::window;
use crate::page::Page;
use crate::page_part::{self, Part};
use crate::paste::{MOST_EDITED, Origin};
use crate::state::{Action, Line, View};

/// More lines than anyone reads at once.
const MOST: usize = 2_000;

/// How to get a dump.
const COMMANDS: [(&str, &str); 2] = [
    ("on the node", "nsenter -t PID -n iptables-save -c"),
    (
        "in the cluster",
        "kubectl debug -it POD --profile=sysadmin --image=nicolaka/netshoot -- iptables-save -c",
    ),
];

/// The text with its lines numbered, that of the current rule marked.
#[component]
pub(crate) fn Text(page: &Page) -> Html {
    page_part::enter(Part::Rules);
    let state = &page.state;
    let rulesets = state.paste.rulesets();
    // A line that was asked for goes before the one of the rule under the cursor.
    let current = state.line.or_else(|| {
        let (_, place) = *state.current().first()?;
        let (ruleset, _, chain) = place.at.find(rulesets);
        let line = place.rule(rulesets).map(|rule| rule.line).or(chain.line)?;
        Some(Line {
            source: ruleset.source,
            line,
        })
    });
    let node = use_follow(
        (
            current.map(|current| (current.source, current.line)),
            state.cursor,
        ),
        40,
    );
    let source = current.map_or(0, |current| current.source);
    let text = state
        .paste
        .parsed
        .sources
        .get(source as usize)
        .map_or("", |text| text);
    let count = text.lines().count();
    let wanted = current.map(|current| (current.line as usize).saturating_sub(1));
    let seen = window(count, MOST, wanted);
    let marks = marks(&state.paste.parsed.diagnostics, source);
    let lines = text
        .lines()
        .enumerate()
        .skip(seen.start)
        .take(seen.len())
        .map(|(at, line)| {
            let here = Some(at) == wanted;
            let mark = marks.iter().find(|(line, ..)| *line as usize == at + 1);
            let marked = if here && state.line.is_some() {
                state.marked
            } else {
                Span::default()
            };
            html! {
                <li
                    value={(at + 1).to_string()}
                    data-line={(at + 1).to_string()}
                    data-current={here.then_some("")}
                >
                    if let Some((_, severity, says)) = mark {
                        {gutter(*severity, says, None)}
                    }
                    {marked_in(text, line, marked)}
                </li>
            }
        });
    html! {
        <div class="scroll source" ref={&node} tabindex="0" role="group" aria-label="The text">
            if seen.len() < count {
                <p class="left">
                    {format!(
                        "lines {} to {} of {count}",
                        seen.start + 1,
                        seen.end
                    )}
                </p>
            }
            <ol>{for lines}</ol>
        </div>
    }
}

/// The worst remark of each line that has one: line, how bad, and what it says.
fn marks(remarks: &[Diagnostic], source: u32) -> Vec<(u32, Severity, &str)> {
    let mut marks: Vec<(u32, Severity, &str)> = Vec::new();
    for remark in remarks.iter().filter(|remark| remark.source == source) {
        match marks.iter_mut().find(|(line, ..)| *line == remark.line) {
            Some(mark) if mark.1 < remark.severity => {
                *mark = (remark.line, remark.severity, &remark.message)
            }
            Some(_) => {}
            None => marks.push((remark.line, remark.severity, &remark.message)),
        }
    }
    marks
}

fn gutter(severity: Severity, says: &str, style: Option<String>) -> Html {
    let (sign, name) = sign(severity);
    html! {
        <span
            class={classes!("mark", name)}
            role="img"
            aria-label={name}
            title={says.to_owned()}
            {style}
        >
            {sign}
        </span>
    }
}

/// A line with a place in it marked.
fn marked_in(text: &str, line: &str, place: Span) -> Html {
    let start = line.as_ptr() as usize - text.as_ptr() as usize;
    let cut = |at: u32| (at as usize).saturating_sub(start).min(line.len());
    let (from, to) = (cut(place.start), cut(place.end));
    match (line.get(..from), line.get(from..to), line.get(to..)) {
        (Some(before), Some(marked), Some(behind)) if !marked.is_empty() => html! {
            <code>{before}<mark>{marked}</mark>{behind}</code>
        },
        _ => html! { <code>{line}</code> },
    }
}

/// A place as a text field counts: in UTF-16, each line's end as one.
fn in_field(text: &str, at: u32) -> u32 {
    let before = text.get(..at as usize).unwrap_or(text);
    let units = before.encode_utf16().count() - before.matches("\r\n").count();
    u32::try_from(units).unwrap_or(u32::MAX)
}

/// As high as a line of the text field, and as the room above its first.
const LINE: i32 = 18;
const ABOVE: i32 = 8;

/// The text in a field, read again with every change.
#[component]
pub(crate) fn Edit(page: &Page) -> Html {
    page_part::enter(Part::Rules);
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
            Action::Edit(
                node.cast::<HtmlTextAreaElement>()
                    .map(|field| field.value())
                    .unwrap_or_default(),
            )
        })
    };
    use_effect_with((page.state.line, page.state.marked), {
        let (node, page) = (node.clone(), page.clone());
        move |(line, marked)| {
            let (Some(field), Some(line), Some(text)) = (
                node.cast::<HtmlTextAreaElement>(),
                line,
                page.state.paste.editable(),
            ) else {
                return;
            };
            let _ = field.focus();
            let _ =
                field.set_selection_range(in_field(text, marked.start), in_field(text, marked.end));
            field.set_scroll_top((i32::try_from(line.line).unwrap_or(i32::MAX / LINE) - 4) * LINE);
        }
    });
    let column = use_node_ref();
    let onscroll = {
        let (node, column) = (node.clone(), column.clone());
        move |_: Event| {
            if let (Some(field), Some(column)) = (
                node.cast::<HtmlTextAreaElement>(),
                column.cast::<HtmlElement>(),
            ) {
                let _ = column.set_attribute(
                    "style",
                    &format!("transform: translateY({}px)", -field.scroll_top()),
                );
            }
        }
    };
    let marks = marks(&page.state.paste.parsed.diagnostics, 0);
    let marks = marks.into_iter().map(|(line, severity, says)| {
        let top = i32::try_from(line)
            .unwrap_or(1)
            .saturating_sub(1)
            .saturating_mul(LINE)
            .saturating_add(ABOVE);
        gutter(severity, says, Some(format!("top: {top}px")))
    });
    let commands = COMMANDS.map(|(place, command)| {
        html! { <><dt>{place}</dt><dd><code class="copy">{command}</code></dd></> }
    });
    let text = page.state.paste.editable().map(str::to_owned);
    html! {
        <div class="edit">
            if let Some(text) = text {
                <label class="hidden" for="paste-area">
                    {"Rules: what iptables-save printed, or a capture's JSON"}
                </label>
                <div class="pad">
                    <div class="gutter"><div ref={&column}>{for marks}</div></div>
                    <textarea
                        id="paste-area"
                        ref={&node}
                        {oninput}
                        {onscroll}
                        value={text}
                        spellcheck="false"
                        autocomplete="off"
                        autocapitalize="off"
                        wrap="off"
                        placeholder="Paste what iptables-save printed, or a capture's JSON"
                    />
                </div>
            } else {
                <p class="left">
                    {format!(
                        "This text is a capture, or larger than {} MB: it is not edited here. ",
                        MOST_EDITED / 1_000_000
                    )}
                    {"Paste or drop another one anywhere. "}
                    <button type="button" class="link" onclick={page.on(Action::View(View::Text))}>
                        {"Look at it"}
                    </button>
                </p>
            }
            <dl class="commands">{for commands}</dl>
        </div>
    }
}
