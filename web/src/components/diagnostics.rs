//! The recognized formats of the text, and its diagnostics.

use std::rc::Rc;

use chainwalk_core::input::parse::Section;
use chainwalk_core::text::diagnostic::{Diagnostic, Fix, Severity, Span};
use chainwalk_session::paste::Paste;
use chainwalk_session::phrases::format_diagnostic;
use chainwalk_session::sentences;
use chainwalk_session::state::{Action, Line};
use yew::prelude::*;

use super::phrases::text_with_code;
use crate::dispatch::Dispatch;
use crate::page_part::{self, PagePart};

/// The most diagnostics of each severity; one more counts the rest.
const MAX_DIAGNOSTICS: usize = 301;

/// The most sections of a text that are listed.
const MAX_SECTIONS: usize = 8;

/// The props of [`Diagnostics`].
#[derive(Properties)]
pub(super) struct DiagnosticsProps {
    pub(super) paste: Rc<Paste>,
    /// Why the last paste was rejected.
    pub(super) refused: Vec<Diagnostic>,
    pub(super) act: Dispatch,
}

impl PartialEq for DiagnosticsProps {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.paste, &other.paste) && self.refused == other.refused
    }
}

/// A summary, and every diagnostic with its line.
#[component]
pub(super) fn Diagnostics(props: &DiagnosticsProps) -> Html {
    page_part::enter(PagePart::Rules);
    let paste = &props.paste;
    let parsed = &paste.parsed;
    let remarks = &parsed.diagnostics;
    let warnings = parsed.capture.iter().flat_map(|capture| &capture.warnings);
    let several = parsed.sources.len() > 1;
    let fixable = paste.fixable().is_some();
    let sections = parsed
        .sections
        .iter()
        .take(MAX_SECTIONS)
        .map(|section| read_as(props, section, several));
    html! {
        <section
            class="diagnostics"
            id="diagnostics"
            tabindex="-1"
            aria-label="Diagnostics"
        >
            if !props.refused.is_empty() {
                <div class="refused" role="alert">
                    <p><b>{"This input was rejected. The rules before it are still shown."}</b></p>
                    {for props.refused.iter().map(|remark| {
                        html! { <p>{text_with_code(&format_diagnostic(remark))}{fixes(props, remark, true)}</p> }
                    })}
                    <button
                        type="button"
                        class="line"
                        id="refused-read"
                        onclick={props.act.on(Action::Read)}
                    >
                        {"Close"}
                    </button>
                </div>
            }
            <p class="quiet">
                {sentences::summarize_input(parsed)}
            </p>
            if !parsed.sections.is_empty() {
                <p class="quiet" id="read-as">
                    {"Read as "}
                    {for sections}
                    if parsed.sections.len() > MAX_SECTIONS {
                        {format!("; and {} more", parsed.sections.len() - MAX_SECTIONS)}
                    }
                    {"."}
                </p>
            }
            <ul>
                {for remarks
                    .iter()
                    .take(MAX_DIAGNOSTICS)
                    .map(|remark| show(props, remark, several, fixable))}
                {for warnings.map(|warning| {
                    html! { <li><span class="sign" aria-label="warning">{"△"}</span><span>{warning}</span></li> }
                })}
            </ul>
        </section>
    }
}

/// The format of a part, with a link to the part.
fn read_as(props: &DiagnosticsProps, section: &Section, several: bool) -> Html {
    let line = Line {
        source: section.source,
        line: section.line,
    };
    let first = props.paste.parsed.sections.first() == Some(section);
    let left = if section.ruleset.is_none() {
        ", not evaluated"
    } else {
        ""
    };
    html! {
        <>
            if !first {
                {"; "}
            }
            {section.to_string()}
            {left}
            {" ("}
            {link(props, line, Span::default(), several)}
            {")"}
        </>
    }
}

fn link(props: &DiagnosticsProps, line: Line, span: Span, several: bool) -> Html {
    let place = match several {
        true => format!("line {} of text {}", line.line, line.source + 1),
        false => format!("line {}", line.line),
    };
    html! {
        <button type="button" class="link" onclick={props.act.on(Action::Line(line, span))}>
            {place}
        </button>
    }
}

/// The sign and the name of a severity.
pub(super) fn sign(severity: Severity) -> (&'static str, &'static str) {
    match severity {
        Severity::Error => ("✕", "error"),
        Severity::Warning => ("△", "warning"),
        Severity::Note => ("i", "note"),
    }
}

fn show(props: &DiagnosticsProps, remark: &Diagnostic, several: bool, fixable: bool) -> Html {
    let (sign, name) = sign(remark.severity);
    let line = Line {
        source: remark.source,
        line: remark.line,
    };
    html! {
        <li class={name} title={remark.code.name()} data-code={remark.code.name()}>
            <span class="sign" role="img" aria-label={name}>{sign}</span>
            <span>
                {link(props, line, remark.span, several)}
                {" "}
                {text_with_code(&format_diagnostic(remark))}
                if fixable {
                    {fixes(props, remark, false)}
                }
            </span>
        </li>
    }
}

/// The edits that a diagnostic offers, each as a button.
fn fixes(props: &DiagnosticsProps, remark: &Diagnostic, refused: bool) -> Html {
    html! { <>{for remark.fixes.iter().map(|fix: &Fix| {
        let lines = fix.replacement.lines().count();
        html! {
            <span class="offer">
                <button
                    type="button"
                    class="fix"
                    onclick={props.act.on(Action::Fix(fix.clone(), refused))}
                >
                    {&fix.label}
                </button>
                // The label completely describes an edit of one or two lines.
                if lines > 2 {
                    <details>
                        <summary>{format!("Show its {lines} lines")}</summary>
                        <pre>{&fix.replacement}</pre>
                    </details>
                }
            </span>
        }
    })}</> }
}
