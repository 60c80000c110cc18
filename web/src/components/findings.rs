//! What is to be said of the dump as a whole: findings, counters, and why the proxy's user gets past.

use chainwalk_core::diagnostic::Severity;
use chainwalk_core::evidence::evidence;
use chainwalk_core::story;
use yew::prelude::*;

use super::rules::short;
use super::told::{Item, journey, section};
use crate::page::Page;
use crate::state::Action;

/// More than anyone reads.
const MOST: usize = 60;

/// All of it, below the table of who gets past.
pub(super) fn findings(page: &Page) -> Html {
    let paste = &page.state.paste;
    let all = paste.findings();
    let mut findings: Vec<Item> = Vec::new();
    for (which, finding) in all.iter().take(MOST).enumerate() {
        let sign = if finding.severity == Severity::Note { "·" } else { "△" };
        let place = finding.place.map(|place| short(paste.rulesets(), place) + ": ").unwrap_or_default();
        // A dump without rules, and a chain that nothing leads into, have no packet and no rule to show.
        let is_shown = finding.scenario.is_some() || finding.place.is_some_and(|place| place.rule.is_some());
        let action = is_shown.then_some(Action::Finding(which));
        findings.push((format!("{sign} {}{}", place.replace(" policy", ""), finding.says), action));
    }
    if all.len() > MOST {
        findings.push((format!("{} more", all.len() - MOST), None));
    }
    let mut shares: Vec<Item> = Vec::new();
    let mut told: Vec<Item> = Vec::new();
    if let Some(mesh) = &paste.mesh {
        if let Some(evidence) = paste.rulesets().iter().find_map(|set| evidence(mesh, set)) {
            for share in &evidence.shares {
                shares.push((share.to_string(), None));
            }
            for note in evidence.notes {
                shares.push((note, None));
            }
        }
        if !(mesh.uids.is_empty() && mesh.gids.is_empty()) {
            for text in story::STORY {
                told.push((story::tell(text, mesh), None));
            }
            for process in story::exempt_processes(&paste.host, mesh) {
                told.push((format!("In this capture: {process}."), None));
            }
        }
    }
    html! {
        <div class="whole">
            { journey(page) }
            { section(page, "findings", format!("Findings ({})", all.len()), findings) }
            if !shares.is_empty() {
                { section(page, "counters", "What the counters show".into(), shares) }
            }
            if !told.is_empty() {
                { section(page, "story", "Why the proxy's user gets past".into(), told) }
            }
        </div>
    }
}
