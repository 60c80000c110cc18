//! The text: read-only with line numbers, or as a text field.

use std::ops::Range;
use std::rc::Rc;

use chainwalk_core::text::diagnostic::Span;
use chainwalk_session::list_window::ListSize;
use chainwalk_session::paste::{MAX_EDITED_BYTES, Origin, Paste};
use chainwalk_session::state::{Action, Line, RuleView};
use chainwalk_session::text_marks::{self, LineMark, field_offset, line_marks, range_in_line};
use web_sys::{HtmlElement, HtmlTextAreaElement};
use yew::prelude::*;

use super::diagnostics::sign;
use super::follow::use_follow;
use super::props::PageProps;
use super::virtual_list::{gap, use_virtual_list};
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
    let current = text_marks::shown_line(evaluation, &props.view);
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
    let marks = line_marks(&evaluation.workspace.paste.parsed.diagnostics, source);
    let lines = text
        .lines()
        .enumerate()
        .skip(made.start)
        .take(made.len())
        .map(|(at, line)| {
            let here = Some(at) == wanted;
            let mark = marks.iter().find(|mark| mark.line as usize == at + 1);
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
                    if let Some(mark) = mark {
                        {gutter(mark, None)}
                    }
                    {marked_in(text, line, marked)}
                </li>
            }
        });
    html! {
        <div class="scroll source" ref={&node} tabindex="0" role="group" aria-label="The text">
            {gap(size, made.start, "above")}
            <ol key="lines">{for lines}</ol>
            {gap(size, size.rows - made.end, "below")}
        </div>
    }
}

fn gutter(mark: &LineMark, style: Option<String>) -> Html {
    let (sign, name) = sign(mark.severity);
    html! {
        <span
            class={classes!("mark", name)}
            role="img"
            aria-label={name}
            title={mark.message.to_owned()}
            {style}
        >
            {sign}
        </span>
    }
}

/// A line with a marked range.
fn marked_in(text: &str, line: &str, place: Span) -> Html {
    let Range { start, end } = range_in_line(text, line, place);
    match (line.get(..start), line.get(start..end), line.get(end..)) {
        (Some(before), Some(marked), Some(after)) if !marked.is_empty() => html! {
            <code>{before}<mark>{marked}</mark>{after}</code>
        },
        _ => html! { <code>{line}</code> },
    }
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
            let _ = field.set_selection_range(
                field_offset(text, marked.start),
                field_offset(text, marked.end),
            );
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
    let marks = line_marks(&props.paste.parsed.diagnostics, 0);
    let marks = marks.iter().map(|mark| {
        let top = i32::try_from(mark.line)
            .unwrap_or(1)
            .saturating_sub(1)
            .saturating_mul(LINE_HEIGHT)
            .saturating_add(FIELD_PADDING);
        gutter(mark, Some(format!("top: {top}px")))
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
