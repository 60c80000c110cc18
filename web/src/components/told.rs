//! Below the answer: what would have flipped it, who else may send it, where its connection goes
//! on. All of it as lists.

use chainwalk_core::analysis::counterfactual::Change;
use chainwalk_core::analysis::explain::capital;
use chainwalk_core::input::edit::Edit;
use yew::prelude::*;

use super::phrases::{format_place, text_with_code};
use crate::editing::Do;
use crate::page::Page;
use crate::state::Action;

/// A line of a list: what it says, and what a click on it does.
pub(super) type Item = (String, Option<Action>);

/// What stands where something is not known yet.
pub(super) const WORKING: &str = "Working it out…";

/// A heading and a list.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) id: &'static str,
    pub(super) title: String,
    pub(super) items: Vec<Item>,
    /// Whether it is still worked out: until then there is nothing, or what was before.
    pub(super) busy: bool,
}

impl Section {
    /// Whether there is nothing to list.
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() && !self.busy
    }

    /// Nothing where there is nothing to list.
    pub(super) fn show(&self, page: &Page) -> Html {
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
                    let onclick = page.on(action.clone());
                    html! {
                        <li>
                            <button type="button" class="link flip" {onclick}>
                                {text_with_code(says)}
                            </button>
                        </li>
                    }
                }
                // A leg begins, or a chapter.
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

/// Flips and owners of the packet whose answer is the largest text.
pub(super) fn told(page: &Page) -> Html {
    let Some(now) = &page.state.told else {
        return Html::default();
    };
    let busy = !now.is_whole();
    let told = page
        .state
        .told_before
        .as_ref()
        .filter(|_| busy)
        .unwrap_or(now);
    let paste = &page.state.paste;
    let rulesets = paste.rulesets();
    let mut flips: Vec<Item> = Vec::new();
    for flip in told
        .flips()
        .flatten()
        .iter()
        .flat_map(|flips| &flips.offered)
    {
        let says = flip.sentence(rulesets, told.packet(), paste.mesh.as_ref());
        flips.push(match &flip.change {
            Change::Field(_, packet) => (says, Some(Action::Load(packet.clone()))),
            // The one that does not only look.
            Change::Gone(place) => (
                says + " Delete it.",
                Some(Action::Rule(Do::Edit(Edit::Delete(*place)))),
            ),
            Change::Value(..) => (says, None),
        });
    }
    let left = match told.flips() {
        None => None,
        Some(None) => {
            Some("The dump cannot tell how this packet ends: settle the open matches first.")
        }
        Some(Some(found)) if !found.tried_all => {
            Some("The rules are many: not everything was tried.")
        }
        Some(_) if flips.is_empty() => {
            Some("Nothing: no single field, over all constants that the rules name.")
        }
        Some(_) => None,
    };
    flips.extend(left.map(|says| (says.into(), None)));
    let mut owners: Vec<Item> = Vec::new();
    for class in told.owners().unwrap_or_default() {
        let (end, by) = match &class.verdict {
            Some(verdict) => (
                crate::paste::end(verdict),
                verdict
                    .decided_by
                    .map(|place| format_place(rulesets, place)),
            ),
            None => ("depends".into(), None),
        };
        let sample = Action::Load(Box::new(class.sample(told.packet())));
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
        title: "What would have changed it".into(),
        items: flips,
        busy,
    };
    let owners = Section {
        id: "owners",
        title: "The same packet by sender".into(),
        items: owners,
        busy,
    };
    html! { <>{flips.show(page)}{owners.show(page)}</> }
}

/// The legs of the connection.
pub(super) fn journey(page: &Page) -> Section {
    let mut items: Vec<Item> = Vec::new();
    let title = "The whole connection".into();
    let Some(told) = &page.state.told else {
        return Section {
            id: "journey",
            title,
            items,
            busy: false,
        };
    };
    for leg in &told.journey.legs {
        items.push((format!("{} → {}:", capital(leg.from), leg.to), None));
        for step in leg.steps(page.state.paste.rulesets()) {
            items.push((step, None));
        }
    }
    for assumed in &told.journey.assumes {
        items.push((format!("Taken for granted: {}", assumed.says), None));
        for (says, choices) in &assumed.others {
            items.push((
                format!("Or else {says}."),
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
