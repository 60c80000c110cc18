//! Lists about a packet or about all rules, with the action of a click on each line.

use chainwalk_core::analysis::bypass_explanation::{
    BYPASS_EXPLANATION, bypassing_processes, explain_bypass,
};
use chainwalk_core::analysis::counter_analysis::analyze_counters;
use chainwalk_core::analysis::counterfactual::{Alteration, Counterfactual};
use chainwalk_core::analysis::explain::capital;
use chainwalk_core::analysis::findings::Finding;
use chainwalk_core::analysis::senders::SenderClass;
use chainwalk_core::input::edit::Edit;
use chainwalk_core::netfilter::ruleset::Ruleset;
use chainwalk_core::text::diagnostic::Severity;

use crate::editing::EditAction;
use crate::packet_analysis::PacketAnalysis;
use crate::paste::Paste;
use crate::phrases::{format_decider, format_end, format_place};
use crate::state::{Action, Evaluation};

/// The most findings that are listed.
const MAX_FINDINGS: usize = 60;

/// A line of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The text, with code between backticks.
    pub text: String,
    /// The action of a click.
    pub action: Option<Action>,
}

impl Item {
    fn new(text: impl Into<String>, action: Option<Action>) -> Self {
        let text = text.into();
        Self { text, action }
    }
}

/// A heading and a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// Its id on the page.
    pub id: &'static str,
    /// The heading.
    pub title: String,
    /// The lines.
    pub items: Vec<Item>,
    /// Whether it is being computed: until then the list is empty, or the previous one.
    pub busy: bool,
}

impl Section {
    fn new(id: &'static str, title: impl Into<String>, items: Vec<Item>) -> Self {
        Self {
            id,
            title: title.into(),
            items,
            busy: false,
        }
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && !self.busy
    }
}

/// The sections about the lead's packet: counterfactuals and senders.
pub fn packet_sections(evaluation: &Evaluation) -> Vec<Section> {
    let results = &evaluation.results;
    let Some(newest) = &results.analysis else {
        return Vec::new();
    };
    let busy = !newest.is_complete();
    let previous = results.previous_analysis.as_ref().filter(|_| busy);
    let analysis = previous.unwrap_or(newest);
    let paste = &evaluation.workspace.paste;
    let flips = counterfactuals(paste, analysis);
    let owners = analysis.senders.iter().flat_map(|all| all.iter());
    let owners = owners.map(|class| sender(paste.rulesets(), analysis, class));
    let mut sections = vec![
        Section::new("flips", "What would change the outcome", flips),
        Section::new("owners", "Outcome by sender", owners.collect()),
    ];
    for section in &mut sections {
        section.busy = busy;
    }
    sections
}

fn counterfactuals(paste: &Paste, analysis: &PacketAnalysis) -> Vec<Item> {
    let found = analysis.flips.iter().flatten();
    let mut items: Vec<Item> = found
        .flat_map(|found| &found.offered)
        .map(|found| counterfactual(paste, analysis, found))
        .collect();
    let remark = match &analysis.flips {
        None => return items,
        Some(None) => "The outcome of this packet is undetermined. Answer the open matches first.",
        Some(Some(found)) if !found.tried_all => "There are too many rules to try every change.",
        Some(_) if items.is_empty() => {
            "Nothing: no change of a single field, with any value that the rules name."
        }
        Some(_) => return items,
    };
    items.push(Item::new(remark, None));
    items
}

fn counterfactual(paste: &Paste, analysis: &PacketAnalysis, found: &Counterfactual) -> Item {
    let text = found.sentence(paste.rulesets(), analysis.packet(), paste.mesh.as_ref());
    match &found.change {
        Alteration::Field(_, packet) => Item::new(text, Some(Action::Load(packet.clone()))),
        // Only this item changes the rules.
        Alteration::Gone(place) => {
            let delete = Action::Rule(EditAction::Edit(Edit::Delete(*place)));
            Item::new(text + " Delete it.", Some(delete))
        }
        Alteration::Value(..) => Item::new(text, None),
    }
}

fn sender(rulesets: &[Ruleset], analysis: &PacketAnalysis, class: &SenderClass) -> Item {
    let verdict = class.verdict.as_ref();
    let end = verdict.map_or("depends".into(), format_end);
    let decided_by = verdict.and_then(|verdict| verdict.decided_by);
    let decider = format_decider(rulesets, decided_by);
    let sample = Action::Load(Box::new(class.sample(analysis.packet())));
    Item::new(
        format!("{}: {end}, by {decider}", class.who()),
        Some(sample),
    )
}

/// The sections about all rules, without the empty ones.
pub fn rule_sections(evaluation: &Evaluation) -> Vec<Section> {
    let paste = &evaluation.workspace.paste;
    let found = evaluation.results.findings.as_deref();
    let title = found.map_or("Findings".into(), |all| format!("Findings ({})", all.len()));
    let findings = Section {
        busy: found.is_none(),
        ..Section::new("findings", title, findings(paste, found))
    };
    let mut sections = vec![
        Section::new("counters", "Conclusions from the counters", counters(paste)),
        Section::new("journey", "The whole connection", journey(evaluation)),
        findings,
        Section::new("story", "Why the proxy's user gets past", bypass(paste)),
    ];
    sections.retain(|section| !section.is_empty());
    sections
}

fn findings(paste: &Paste, found: Option<&Vec<Finding>>) -> Vec<Item> {
    let found = found.map_or(&[][..], |found| found);
    let shown = found.iter().take(MAX_FINDINGS).enumerate();
    let mut items: Vec<Item> = shown
        .map(|(which, finding)| finding_item(paste, which, finding))
        .collect();
    if found.len() > MAX_FINDINGS {
        items.push(Item::new(
            format!("{} more", found.len() - MAX_FINDINGS),
            None,
        ));
    }
    items
}

fn finding_item(paste: &Paste, which: usize, finding: &Finding) -> Item {
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
    Item::new(
        format!("{sign} {}{}", place.replace(" policy", ""), finding.says),
        is_shown.then_some(Action::Finding(which)),
    )
}

fn counters(paste: &Paste) -> Vec<Item> {
    let Some(mesh) = &paste.mesh else {
        return Vec::new();
    };
    let mut analyses = paste.rulesets().iter();
    let Some(analysis) = analyses.find_map(|set| analyze_counters(mesh, set)) else {
        return Vec::new();
    };
    let shares = analysis.shares.iter().map(ToString::to_string);
    shares
        .chain(analysis.notes)
        .map(|text| Item::new(text, None))
        .collect()
}

/// Why packets of the proxy's user bypass the proxy.
fn bypass(paste: &Paste) -> Vec<Item> {
    let Some(mesh) = &paste.mesh else {
        return Vec::new();
    };
    if mesh.uids.is_empty() && mesh.gids.is_empty() {
        return Vec::new();
    }
    let sentences = BYPASS_EXPLANATION
        .into_iter()
        .map(|text| explain_bypass(text, mesh));
    let processes = bypassing_processes(&paste.host, mesh);
    let processes = processes
        .into_iter()
        .map(|process| format!("In this capture: {process}."));
    sentences
        .chain(processes)
        .map(|text| Item::new(text, None))
        .collect()
}

/// The legs of the connection.
fn journey(evaluation: &Evaluation) -> Vec<Item> {
    let Some(analysis) = &evaluation.results.analysis else {
        return Vec::new();
    };
    let mut items = Vec::new();
    for leg in &analysis.journey.legs {
        items.push(Item::new(
            format!("{} → {}:", capital(leg.from), leg.to),
            None,
        ));
        let steps = leg.steps(evaluation.workspace.paste.rulesets());
        items.extend(steps.into_iter().map(|step| Item::new(step, None)));
    }
    for assumed in &analysis.journey.assumes {
        items.push(Item::new(format!("Assumption: {}", assumed.says), None));
        for (says, choices) in &assumed.others {
            items.push(Item::new(
                format!("Alternative: {says}."),
                Some(Action::Choose(choices.clone())),
            ));
        }
    }
    items
}
