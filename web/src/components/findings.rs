//! Sections about the rules as a whole: findings, counters, and why the proxy's user bypasses it.

use super::analysis::{Item, Section, journey};
use super::phrases::format_place;
use chainwalk_core::analysis::bypass_explanation::{
    BYPASS_EXPLANATION, bypassing_processes, explain_bypass,
};
use chainwalk_core::analysis::counter_analysis::analyze_counters;
use chainwalk_core::text::diagnostic::Severity;
use chainwalk_session::state::{Action, Evaluation};

/// The most findings that are listed.
const MAX_FINDINGS: usize = 60;

/// The sections below the table of outcomes.
pub(super) fn sections(evaluation: &Evaluation) -> Vec<Section> {
    let paste = &evaluation.workspace.paste;
    let known = evaluation.results.findings.as_ref();
    let all = known.map_or(&[][..], |all| all);
    let title = known.map_or("Findings".into(), |all| format!("Findings ({})", all.len()));
    let mut findings: Vec<Item> = Vec::new();
    for (which, finding) in all.iter().take(MAX_FINDINGS).enumerate() {
        let sign = if finding.severity == Severity::Note {
            "·"
        } else {
            "△"
        };
        let place = finding
            .place
            .map(|place| format_place(paste.rulesets(), place) + ": ")
            .unwrap_or_default();
        // A dump without rules, and a chain without callers, have no packet and no rule to show.
        let is_shown = finding.scenario.is_some() || finding.rule().is_some();
        let action = is_shown.then_some(Action::Finding(which));
        findings.push((
            format!("{sign} {}{}", place.replace(" policy", ""), finding.says),
            action,
        ));
    }
    if all.len() > MAX_FINDINGS {
        findings.push((format!("{} more", all.len() - MAX_FINDINGS), None));
    }
    let mut shares: Vec<Item> = Vec::new();
    let mut items: Vec<Item> = Vec::new();
    if let Some(mesh) = &paste.mesh {
        if let Some(analysis) = paste
            .rulesets()
            .iter()
            .find_map(|set| analyze_counters(mesh, set))
        {
            for share in &analysis.shares {
                shares.push((share.to_string(), None));
            }
            for note in analysis.notes {
                shares.push((note, None));
            }
        }
        if !(mesh.uids.is_empty() && mesh.gids.is_empty()) {
            for text in BYPASS_EXPLANATION {
                items.push((explain_bypass(text, mesh), None));
            }
            for process in bypassing_processes(&paste.host, mesh) {
                items.push((format!("In this capture: {process}."), None));
            }
        }
    }
    let mut sections = vec![
        Section {
            id: "counters",
            title: "Conclusions from the counters".into(),
            items: shares,
            busy: false,
        },
        journey(evaluation),
        Section {
            id: "findings",
            title,
            items: findings,
            busy: known.is_none(),
        },
        Section {
            id: "story",
            title: "Why the proxy's user gets past".into(),
            items,
            busy: false,
        },
    ];
    sections.retain(|section| !section.is_empty());
    sections
}
