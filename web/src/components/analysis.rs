//! Lists about the packet: counterfactuals, outcomes by sender, and its connection.

use chainwalk_core::analysis::counterfactual::Alteration;
use chainwalk_core::analysis::explain::capital;
use chainwalk_core::input::edit::Edit;
use chainwalk_session::editing::EditAction;
use chainwalk_session::state::{Action, Evaluation};
use yew::prelude::*;

use super::phrases::{format_place, text_with_code};
use super::props::EvaluationProps;
use crate::dispatch::Dispatch;
use crate::page_part::{self, PagePart};

/// A line of a list: its text, and the action of a click on it.
pub(super) type Item = (String, Option<Action>);

/// The text before a result is computed.
pub(super) const WORKING: &str = "Computing…";

/// A heading and a list.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) id: &'static str,
    pub(super) title: String,
    pub(super) items: Vec<Item>,
    /// Whether it is being computed: until then the list is empty, or the previous one.
    pub(super) busy: bool,
}

impl Section {
    /// Whether the list is empty.
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() && !self.busy
    }

    /// Renders nothing for an empty list.
    pub(super) fn show(&self, act: &Dispatch) -> Html {
        if self.is_empty() {
            return Html::default();
        }
        let mut list = Vec::new();
        if self.items.is_empty() {
            list.push(html! { <li class="quiet">{WORKING}</li> });
        }
        for (says, action) in &self.items {
            list.push(match action {
                Some(action) => {
                    let onclick = act.on(action.clone());
                    html! {
                        <li>
                            <button type="button" class="link flip" {onclick}>
                                {text_with_code(says)}
                            </button>
                        </li>
                    }
                }
                // The heading of a leg.
                None if says.ends_with(':') => html! { <li class="begins">{says}</li> },
                None => html! { <li>{text_with_code(says)}</li> },
            });
        }
        let busy = self.busy.then_some("true");
        html! {
            <section class="why" id={self.id} tabindex="-1" aria-busy={busy}>
                <h2>{&self.title}</h2>
                <ul>{for list}</ul>
            </section>
        }
    }
}

/// Counterfactuals and senders of the lead's packet.
#[component]
pub(super) fn Analysis(props: &EvaluationProps) -> Html {
    page_part::enter(PagePart::Packet);
    let evaluation = &props.evaluation;
    let Some(now) = &evaluation.results.analysis else {
        return Html::default();
    };
    let busy = !now.is_complete();
    let analysis = evaluation
        .results
        .previous_analysis
        .as_ref()
        .filter(|_| busy)
        .unwrap_or(now);
    let paste = &evaluation.workspace.paste;
    let rulesets = paste.rulesets();
    let mut flips: Vec<Item> = Vec::new();
    for counterfactual in analysis
        .flips
        .iter()
        .flatten()
        .flat_map(|found| &found.offered)
    {
        let says = counterfactual.sentence(rulesets, analysis.packet(), paste.mesh.as_ref());
        flips.push(match &counterfactual.change {
            Alteration::Field(_, packet) => (says, Some(Action::Load(packet.clone()))),
            // Only this item changes the rules.
            Alteration::Gone(place) => (
                says + " Delete it.",
                Some(Action::Rule(EditAction::Edit(Edit::Delete(*place)))),
            ),
            Alteration::Value(..) => (says, None),
        });
    }
    let left = match &analysis.flips {
        None => None,
        Some(None) => {
            Some("The outcome of this packet is undetermined. Answer the open matches first.")
        }
        Some(Some(found)) if !found.tried_all => {
            Some("There are too many rules to try every change.")
        }
        Some(_) if flips.is_empty() => {
            Some("Nothing: no change of a single field, with any value that the rules name.")
        }
        Some(_) => None,
    };
    flips.extend(left.map(|says| (says.into(), None)));
    let mut owners: Vec<Item> = Vec::new();
    for class in analysis.senders.iter().flat_map(|all| all.iter()) {
        let (end, by) = match &class.verdict {
            Some(verdict) => (
                chainwalk_session::paste::format_end(verdict),
                verdict
                    .decided_by
                    .map(|place| format_place(rulesets, place)),
            ),
            None => ("depends".into(), None),
        };
        let sample = Action::Load(Box::new(class.sample(analysis.packet())));
        owners.push((
            format!(
                "{}: {end}, by {}",
                class.who(),
                by.unwrap_or("no rule".into())
            ),
            Some(sample),
        ));
    }
    let flips = Section {
        id: "flips",
        title: "What would change the outcome".into(),
        items: flips,
        busy,
    };
    let owners = Section {
        id: "owners",
        title: "Outcome by sender".into(),
        items: owners,
        busy,
    };
    html! { <>{flips.show(&props.act)}{owners.show(&props.act)}</> }
}

/// The legs of the connection.
pub(super) fn journey(evaluation: &Evaluation) -> Section {
    let mut items: Vec<Item> = Vec::new();
    let title = "The whole connection".into();
    let Some(analysis) = &evaluation.results.analysis else {
        return Section {
            id: "journey",
            title,
            items,
            busy: false,
        };
    };
    for leg in &analysis.journey.legs {
        items.push((format!("{} → {}:", capital(leg.from), leg.to), None));
        for step in leg.steps(evaluation.workspace.paste.rulesets()) {
            items.push((step, None));
        }
    }
    for assumed in &analysis.journey.assumes {
        items.push((format!("Assumption: {}", assumed.says), None));
        for (says, choices) in &assumed.others {
            items.push((
                format!("Alternative: {says}."),
                Some(Action::Choose(choices.clone())),
            ));
        }
    }
    Section {
        id: "journey",
        title,
        items,
        busy: false,
    }
}
