//! What the reader took the text for, and what it had to say about it.

use chainwalk_core::analysis::explain::capital;
use chainwalk_core::input::parse::Section;
use chainwalk_core::text::diagnostic::{Diagnostic, Fix, Severity, Span};
use yew::prelude::*;

use super::phrases::{format_count, text_with_code};
use crate::page::Page;
use crate::state::{Action, Line};

/// At most a hundred of each severity, and one that counts the rest.
const MOST: usize = 301;

/// So many parts of a text are named.
const MOST_SECTIONS: usize = 8;

/// A summary, and every remark with its line.
pub(crate) fn diagnostics(page: &Page) -> Html {
    let paste = &page.state.paste;
    let parsed = &paste.parsed;
    let rules = parsed.rulesets.iter().map(|set| set.rules()).sum();
    let chains = parsed
        .rulesets
        .iter()
        .flat_map(|set| &set.tables)
        .map(|table| table.chains.len())
        .sum();
    let remarks = &parsed.diagnostics;
    let of = |severity| {
        remarks
            .iter()
            .filter(|remark| remark.severity == severity)
            .count()
    };
    let mut counts = Vec::new();
    for (severity, word) in [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Note, "note"),
    ] {
        if of(severity) > 0 {
            counts.push(format_count(of(severity), word));
        }
    }
    let counts = if counts.is_empty() {
        "all understood".to_owned()
    } else {
        counts.join(", ")
    };
    let other = match parsed.other_lines {
        0 => String::new(),
        lines => format!(
            " {} without rules passed over.",
            format_count(lines, "line")
        ),
    };
    let warnings = parsed.capture.iter().flat_map(|capture| &capture.warnings);
    let several = parsed.sources.len() > 1;
    let fixable = paste.fixable().is_some();
    let sections = parsed
        .sections
        .iter()
        .take(MOST_SECTIONS)
        .map(|section| read_as(page, section, several));
    html! {
        <section
            class="diagnostics"
            id="diagnostics"
            tabindex="-1"
            aria-label="What the reader says"
        >
            if !page.state.refused.is_empty() {
                <div class="refused" role="alert">
                    <p><b>{"That was not taken; the rules before it are still here."}</b></p>
                    {for page.state.refused.iter().map(|remark| {
                        html! { <p>{text_with_code(&says(remark))}{fixes(page, remark, true)}</p> }
                    })}
                    <button
                        type="button"
                        class="line"
                        id="refused-read"
                        onclick={page.on(Action::Read)}
                    >
                        {"Close"}
                    </button>
                </div>
            }
            <p class="quiet">
                {format!(
                    "{} in {}: {counts}.{other}",
                    format_count(rules, "rule"),
                    format_count(chains, "chain")
                )}
            </p>
            if !parsed.sections.is_empty() {
                <p class="quiet" id="read-as">
                    {"Read as "}
                    {for sections}
                    if parsed.sections.len() > MOST_SECTIONS {
                        {format!("; and {} more", parsed.sections.len() - MOST_SECTIONS)}
                    }
                    {"."}
                </p>
            }
            <ul>
                {for remarks
                    .iter()
                    .take(MOST)
                    .map(|remark| show(page, remark, several, fixable))}
                {for warnings.map(|warning| {
                    html! { <li><span class="sign" aria-label="warning">{"△"}</span><span>{warning}</span></li> }
                })}
            </ul>
        </section>
    }
}

/// What a part was taken for, with a way there.
fn read_as(page: &Page, section: &Section, several: bool) -> Html {
    let line = Line {
        source: section.source,
        line: section.line,
    };
    let first = page.state.paste.parsed.sections.first() == Some(section);
    let left = if section.ruleset.is_none() {
        ", not walked"
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
            {link(page, line, Span::default(), several)}
            {")"}
        </>
    }
}

fn link(page: &Page, line: Line, span: Span, several: bool) -> Html {
    let place = match several {
        true => format!("line {} of text {}", line.line, line.source + 1),
        false => format!("line {}", line.line),
    };
    html! {
        <button type="button" class="link" onclick={page.on(Action::Line(line, span))}>
            {place}
        </button>
    }
}

fn says(remark: &Diagnostic) -> String {
    match &remark.hint {
        Some(hint) => format!("{}. {}.", capital(&remark.message), capital(hint)),
        None => format!("{}.", capital(&remark.message)),
    }
}

/// The sign of a remark and its name.
pub(super) fn sign(severity: Severity) -> (&'static str, &'static str) {
    match severity {
        Severity::Error => ("✕", "error"),
        Severity::Warning => ("△", "warning"),
        Severity::Note => ("i", "note"),
    }
}

fn show(page: &Page, remark: &Diagnostic, several: bool, fixable: bool) -> Html {
    let (sign, name) = sign(remark.severity);
    let line = Line {
        source: remark.source,
        line: remark.line,
    };
    html! {
        <li class={name} title={remark.code.name()} data-code={remark.code.name()}>
            <span class="sign" role="img" aria-label={name}>{sign}</span>
            <span>
                {link(page, line, remark.span, several)}
                {" "}
                {text_with_code(&says(remark))}
                if fixable {
                    {fixes(page, remark, false)}
                }
            </span>
        </li>
    }
}

/// The edits that a remark offers, each with a button.
fn fixes(page: &Page, remark: &Diagnostic, refused: bool) -> Html {
    let offer = |fix: &Fix| {
        let lines = fix.replacement.lines().count();
        html! {
            <span class="offer">
                <button
                    type="button"
                    class="fix"
                    onclick={page.on(Action::Fix(fix.clone(), refused))}
                >
                    {&fix.label}
                </button>
                // The label says all there is to a line or two.
                if lines > 2 {
                    <details>
                        <summary>{format!("Look at its {lines} lines")}</summary>
                        <pre>{&fix.replacement}</pre>
                    </details>
                }
            </span>
        }
    };
    html! { <>{for remark.fixes.iter().map(offer)}</> }
}
