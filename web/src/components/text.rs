//! The text: read-only with line numbers, or as a text field.

use std::rc::Rc;

use chainwalk_core::text::diagnostic::{Diagnostic, Severity, Span};
use chainwalk_session::paste::{MAX_EDITED_BYTES, Origin, Paste};
use chainwalk_session::state::{Action, Line, RuleView};
use web_sys::{HtmlElement, HtmlTextAreaElement};
use yew::prelude::*;

use super::diagnostics::sign;
use super::follow::use_follow;
use super::props::PageProps;
use super::virtual_list::{ListSize, use_virtual_list};
use crate::dispatch::Dispatch;
use crate::page_part::{self, PagePart};

/// The most lines that are rendered: several screens.
const MADE_LINES: usize = 400;

/// How to get a dump.
const COMMANDS: [(&str, &str); 2] = [
    ("on the node", "nsenter -t PID -n iptables-save -c"),
    (
        "in the cluster",
        "kubectl debug -it POD --profile=sysadmin --image=nicolaka/netshoot -- iptables-save -c",
    ),
];

/// The text with line numbers; the line of the current rule is marked.
#[component]
pub(super) fn Text(props: &PageProps) -> Html {
    page_part::enter(PagePart::Rules);
    let evaluation = &props.evaluation;
    let rulesets = evaluation.workspace.paste.rulesets();
    // A requested line has priority over the line of the current rule.
    let current = props.view.line.or_else(|| {
        let (_, place) = *evaluation.current(props.view.cursor).first()?;
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
            props.view.cursor,
        ),
        40,
    );
    let source = current.map_or(0, |current| current.source);
    let text = evaluation
        .workspace
        .paste
        .parsed
        .sources
        .get(source as usize)
        .map_or("", |text| text);
    let wanted = current.map(|current| (current.line as usize).saturating_sub(1));
    let size = ListSize {
        rows: text.lines().count(),
        made: MADE_LINES,
        row_height: LINE_HEIGHT as usize,
    };
    let made = use_virtual_list(&node, size, &(source, wanted, size.rows), wanted);
    let marks = marks(&evaluation.workspace.paste.parsed.diagnostics, source);
    let lines = text
        .lines()
        .enumerate()
        .skip(made.start)
        .take(made.len())
        .map(|(at, line)| {
            let here = Some(at) == wanted;
            let mark = marks.iter().find(|(line, ..)| *line as usize == at + 1);
            let marked = if here && props.view.line.is_some() {
                props.view.marked
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
            {size.gap(made.start, "above")}
            <ol key="lines">{for lines}</ol>
            {size.gap(size.rows - made.end, "below")}
        </div>
    }
}

/// The most severe diagnostic of each line: line, severity and message.
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

/// A line with a marked range.
fn marked_in(text: &str, line: &str, place: Span) -> Html {
    let start = line.as_ptr() as usize - text.as_ptr() as usize;
    let cut = |at: u32| (at as usize).saturating_sub(start).min(line.len());
    let (from, to) = (cut(place.start), cut(place.end));
    match (line.get(..from), line.get(from..to), line.get(to..)) {
        (Some(before), Some(marked), Some(after)) if !marked.is_empty() => html! {
            <code>{before}<mark>{marked}</mark>{after}</code>
        },
        _ => html! { <code>{line}</code> },
    }
}

/// A place in the units of a text field: UTF-16, with one unit for each line end.
fn in_field(text: &str, at: u32) -> u32 {
    let before = text.get(..at as usize).unwrap_or(text);
    let units = before.encode_utf16().count() - before.matches("\r\n").count();
    u32::try_from(units).unwrap_or(u32::MAX)
}

/// The height of a line in pixels, and of the padding above the first line of the text field.
const LINE_HEIGHT: i32 = 18;
const FIELD_PADDING: i32 = 8;

/// The props of [`Edit`].
#[derive(Properties)]
pub(super) struct EditProps {
    pub(super) paste: Rc<Paste>,
    /// The line to show, and its range to mark.
    pub(super) line: Option<Line>,
    pub(super) marked: Span,
    pub(super) act: Dispatch,
}

impl PartialEq for EditProps {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.paste, &other.paste)
            && (self.line, self.marked) == (other.line, other.marked)
    }
}

/// The text in a field, parsed again after every change.
#[component]
pub(super) fn Edit(props: &EditProps) -> Html {
    page_part::enter(PagePart::Rules);
    let node = use_node_ref();
    let own = !matches!(props.paste.origin, Origin::Sample(_));
    use_effect_with((), {
        let node = node.clone();
        move |()| {
            if let Some(field) = node.cast::<HtmlTextAreaElement>() {
                // A paste replaces a sample, but it edits the user's own text.
                let _ = field.focus();
                if !own {
                    field.select();
                }
            }
        }
    });
    let oninput = {
        let node = node.clone();
        props.act.map(move |_: InputEvent| {
            Action::Edit(
                node.cast::<HtmlTextAreaElement>()
                    .map(|field| field.value())
                    .unwrap_or_default(),
            )
        })
    };
    use_effect_with((props.line, props.marked), {
        let (node, paste) = (node.clone(), Rc::clone(&props.paste));
        move |(line, marked)| {
            let (Some(field), Some(line), Some(text)) =
                (node.cast::<HtmlTextAreaElement>(), line, paste.editable())
            else {
                return;
            };
            let _ = field.focus();
            let _ =
                field.set_selection_range(in_field(text, marked.start), in_field(text, marked.end));
            field.set_scroll_top(
                (i32::try_from(line.line).unwrap_or(i32::MAX / LINE_HEIGHT) - 4) * LINE_HEIGHT,
            );
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
    let marks = marks(&props.paste.parsed.diagnostics, 0);
    let marks = marks.into_iter().map(|(line, severity, says)| {
        let top = i32::try_from(line)
            .unwrap_or(1)
            .saturating_sub(1)
            .saturating_mul(LINE_HEIGHT)
            .saturating_add(FIELD_PADDING);
        gutter(severity, says, Some(format!("top: {top}px")))
    });
    let commands = COMMANDS.map(|(place, command)| {
        html! { <><dt>{place}</dt><dd><code class="copy">{command}</code></dd></> }
    });
    let text = props.paste.editable().map(str::to_owned);
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
                        "A capture, or a text above {} MB, cannot be edited here. ",
                        MAX_EDITED_BYTES / 1_000_000
                    )}
                    {"Paste or drop another text anywhere. "}
                    <button type="button" class="link" onclick={props.act.on(Action::View(RuleView::Text))}>
                        {"Show it"}
                    </button>
                </p>
            }
            <dl class="commands">{for commands}</dl>
        </div>
    }
}
