//! What the reader had to say about the text.

use chainwalk_core::diagnostic::{Diagnostic, Severity};
use chainwalk_core::explain::capital;
use yew::prelude::*;

use super::rules::count;
use crate::page::Page;
use crate::state::{Action, Line};

/// So many remarks are shown at once.
const MOST: usize = 50;

/// A summary, and every remark with its line.
pub(crate) fn diagnostics(page: &Page) -> Html {
    let parsed = &page.state.paste.parsed;
    let rules = parsed.rulesets.iter().map(|set| set.rules()).sum();
    let chains = parsed.rulesets.iter().flat_map(|set| &set.tables).map(|table| table.chains.len()).sum();
    let remarks = &parsed.diagnostics;
    let of = |severity| remarks.iter().filter(|remark| remark.severity == severity).count();
    let mut counts = Vec::new();
    for (severity, word) in [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")] {
        if of(severity) > 0 {
            counts.push(count(of(severity), word));
        }
    }
    let counts = if counts.is_empty() { "all understood".to_owned() } else { counts.join(", ") };
    let warnings = parsed.capture.iter().flat_map(|capture| &capture.warnings);
    let several = parsed.sources.len() > 1;
    html! {
        <section class="diagnostics" id="diagnostics" aria-label="What the reader says">
            if !page.state.refused.is_empty() {
                <div class="refused" role="alert">
                    <p><b>{ "That was not taken; the rules before it are still here." }</b></p>
                    { for page.state.refused.iter().map(|remark| html! { <p>{ says(remark) }</p> }) }
                </div>
            }
            <p class="quiet">{ format!("{} in {}: {counts}.", count(rules, "rule"), count(chains, "chain")) }</p>
            <ul>
                { for remarks.iter().take(MOST).map(|remark| show(page, remark, several)) }
                { for warnings.map(|warning| html! { <li><span class="sign" aria-label="warning">{ "△" }</span><span>{ warning }</span></li> }) }
            </ul>
            if remarks.len() > MOST {
                <p class="quiet">{ format!("{} more", remarks.len() - MOST) }</p>
            }
        </section>
    }
}

fn says(remark: &Diagnostic) -> String {
    match &remark.hint {
        Some(hint) => format!("{}. {}.", capital(&remark.message), capital(hint)),
        None => format!("{}.", capital(&remark.message)),
    }
}

fn show(page: &Page, remark: &Diagnostic, several: bool) -> Html {
    let (sign, name) = match remark.severity {
        Severity::Error => ("✕", "error"),
        Severity::Warning => ("△", "warning"),
        Severity::Note => ("i", "note"),
    };
    let line = Line { source: remark.source, line: remark.line };
    let place = match several {
        true => format!("line {} of text {}", remark.line, remark.source + 1),
        false => format!("line {}", remark.line),
    };
    html! {
        <li class={name}>
            <span class="sign" role="img" aria-label={name}>{ sign }</span>
            <span>
                <button type="button" class="link" onclick={page.on(Action::Line(line))}>{ place }</button>
                { " " }{ says(remark) }
            </span>
        </li>
    }
}
