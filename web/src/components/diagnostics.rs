//! What the reader took the text for, and what it had to say about it.

use chainwalk_core::analysis::explain::capital;
use chainwalk_core::input::parse::Section;
use chainwalk_core::text::diagnostic::{Diagnostic, Fix, Severity, Span};

use super::phrases::{format_count, text_with_code};
use crate::element::{Markup, button, group, tag};
use crate::page::Page;
use crate::state::{Action, Line};

/// At most a hundred of each severity, and one that counts the rest.
const MOST: usize = 301;

/// So many parts of a text are named.
const MOST_SECTIONS: usize = 8;

/// A summary, and every remark with its line.
pub(crate) fn diagnostics(page: &Page) -> Markup {
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
    tag("section")
        .class("diagnostics")
        .id("diagnostics")
        .attr("tabindex", "-1")
        .attr("aria-label", "What the reader says")
        .child((!page.state.refused.is_empty()).then(|| {
            tag("div")
                .class("refused")
                .attr("role", "alert")
                .child(tag("p").child(
                    tag("b").text("That was not taken; the rules before it are still here."),
                ))
                .children(page.state.refused.iter().map(|remark| {
                    tag("p")
                        .child(text_with_code(&says(remark)))
                        .child(fixes(page, remark, true))
                }))
                .child(
                    button()
                        .class("line")
                        .id("refused-read")
                        .on("click", page.on(Action::Read))
                        .text("Close"),
                )
        }))
        .child(tag("p").class("quiet").child(format!(
            "{} in {}: {counts}.{other}",
            format_count(rules, "rule"),
            format_count(chains, "chain")
        )))
        .child((!parsed.sections.is_empty()).then(|| {
            tag("p")
                .class("quiet")
                .id("read-as")
                .text("Read as ")
                .children(sections)
                .child(
                    (parsed.sections.len() > MOST_SECTIONS)
                        .then(|| format!("; and {} more", parsed.sections.len() - MOST_SECTIONS)),
                )
                .text(".")
        }))
        .child(
            tag("ul")
                .children(
                    remarks
                        .iter()
                        .take(MOST)
                        .map(|remark| show(page, remark, several, fixable)),
                )
                .children(warnings.map(|warning| {
                    tag("li")
                        .child(
                            tag("span")
                                .class("sign")
                                .attr("aria-label", "warning")
                                .text("△"),
                        )
                        .child(tag("span").child(warning))
                })),
        )
}

/// What a part was taken for, with a way there.
fn read_as(page: &Page, section: &Section, several: bool) -> Markup {
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
    group()
        .child((!first).then(|| group().text("; ")))
        .child(section.to_string())
        .child(left)
        .text(" (")
        .child(link(page, line, Span::default(), several))
        .text(")")
}

fn link(page: &Page, line: Line, span: Span, several: bool) -> Markup {
    let place = match several {
        true => format!("line {} of text {}", line.line, line.source + 1),
        false => format!("line {}", line.line),
    };
    button()
        .class("link")
        .on("click", page.on(Action::Line(line, span)))
        .child(place)
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

fn show(page: &Page, remark: &Diagnostic, several: bool, fixable: bool) -> Markup {
    let (sign, name) = sign(remark.severity);
    let line = Line {
        source: remark.source,
        line: remark.line,
    };
    tag("li")
        .class(name)
        .attr("title", remark.code.name())
        .attr("data-code", remark.code.name())
        .child(
            tag("span")
                .class("sign")
                .attr("role", "img")
                .attr("aria-label", name)
                .child(sign),
        )
        .child(
            tag("span")
                .child(link(page, line, remark.span, several))
                .text(" ")
                .child(text_with_code(&says(remark)))
                .child(fixable.then(|| fixes(page, remark, false))),
        )
}

/// The edits that a remark offers, each with a button.
fn fixes(page: &Page, remark: &Diagnostic, refused: bool) -> Markup {
    let offer = |fix: &Fix| {
        let lines = fix.replacement.lines().count();
        tag("span")
            .class("offer")
            .child(
                button()
                    .class("fix")
                    .on("click", page.on(Action::Fix(fix.clone(), refused)))
                    .child(&fix.label),
            )
            // The label says all there is to a line or two.
            .child((lines > 2).then(|| {
                tag("details")
                    .child(tag("summary").child(format!("Look at its {lines} lines")))
                    .child(tag("pre").child(&fix.replacement))
            }))
    };
    group().children(remark.fixes.iter().map(offer))
}
