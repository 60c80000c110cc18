//! The state of the page in three parts: the workspace, the view, and what is computed from both.

use std::rc::Rc;

use chainwalk_core::analysis::compare;
use chainwalk_core::analysis::example_packet::find_example_packet;
use chainwalk_core::netfilter::place::Place;
use chainwalk_core::netfilter::ruleset::Ruleset;
use chainwalk_core::packet::Packet;
use chainwalk_core::share::link::Shared;

use crate::analysis_queue::RULES_AT_ONCE;
use crate::cursor::Move;
use crate::editing::EditAction;
use crate::history::History;
use crate::packet_analysis::PacketAnalysis;
use crate::packet_slot::PacketSlot;
use crate::paste::Paste;
use crate::rows::{self, Index, Order};
use crate::side::Side;
use crate::walked::Walked;

mod action;
mod edits;
mod packets;
mod results;
mod source;
mod version;
mod view;
mod workspace;

pub use action::Action;
pub use results::{Evaluation, Results, format_sent};
pub use version::Version;
pub use view::{Dialog, Line, RuleView, Tab, View};
pub use workspace::Workspace;

/// The state of the page.
#[derive(Clone, Debug)]
pub struct State {
    /// The rules and packets, with what is computed from them.
    pub evaluation: Evaluation,
    /// How the page shows it.
    pub view: Version<View>,
    /// Earlier workspaces.
    pub history: Version<History>,
}

impl Default for State {
    /// The first sample; packet A is from the app, packet B from the proxy.
    fn default() -> Self {
        let paste = Rc::new(Paste::sample(0));
        let packets = ["internet", "as-proxy"].map(|key| {
            let scenario = paste.scenario(key);
            let packet = &scenario.expect("these scenarios are always there").packet;
            PacketSlot::new(packet, Some(key))
        });
        let results = Results {
            walks: [Err(Vec::new()), Err(Vec::new())],
            divergence: None,
            index: Rc::new(Index::new(paste.rulesets())),
            rows: Rc::default(),
            sought: None,
            analysis: None,
            previous_analysis: None,
            saved_packets: Rc::default(),
            outcomes: None,
            findings: None,
        };
        let workspace = Workspace {
            packets,
            original: Rc::clone(&paste),
            paste,
            compare: true,
            lead: Side::B,
            settled: Vec::new(),
            saved_packets: Rc::default(),
        };
        let mut state = Self {
            evaluation: Evaluation {
                workspace: Version::new(workspace),
                results: Version::new(results),
            },
            view: Version::new(View::default()),
            history: Version::default(),
        };
        state.walk();
        state
    }
}

impl State {
    /// The rules and packets.
    pub fn workspace(&self) -> &Workspace {
        &self.evaluation.workspace
    }

    /// The rules and their host.
    pub fn paste(&self) -> &Rc<Paste> {
        &self.workspace().paste
    }

    /// The results.
    pub fn results(&self) -> &Results {
        &self.evaluation.results
    }

    fn edit_workspace(&mut self) -> &mut Workspace {
        self.evaluation.workspace.edit()
    }

    fn edit_results(&mut self) -> &mut Results {
        self.evaluation.results.edit()
    }

    fn edit_view(&mut self) -> &mut View {
        self.view.edit()
    }

    /// Walks both packets, and goes to the deciding step or to the divergence.
    fn walk(&mut self) {
        let workspace = self.workspace();
        let walks = workspace
            .packets
            .each_ref()
            .map(|slot| slot.walk(&workspace.paste, &workspace.settled));
        self.edit_results().walks = walks;
        self.edit_view().opened.close_runs();
        self.arrive();
    }

    /// Goes to the first step of interest.
    fn arrive(&mut self) {
        let divergence = match (
            self.evaluation.walked(Side::A),
            self.evaluation.walked(Side::B),
        ) {
            (Some(a), Some(b)) => compare::part(a.path(), b.path()),
            _ => None,
        };
        self.edit_results().divergence = divergence;
        self.begin_analysis();
        // The large answer names this step, so the rules and a link show it, too.
        let decided = self
            .evaluation
            .walked(self.workspace().lead)
            .and_then(|walked| walked.decided_at());
        let step = decided.or(divergence).unwrap_or(0);
        let cursor = self.evaluation.after(0, Move::To(step));
        let view = self.edit_view();
        (view.cursor, view.unmet) = (cursor, None);
        self.arrange();
    }

    /// Begins the analysis of the lead's packet. The idle queue continues it.
    fn begin_analysis(&mut self) {
        let workspace = self.workspace();
        let walked = self.evaluation.walked(workspace.lead);
        let analysis =
            walked.map(|walked| PacketAnalysis::new(&workspace.paste, walked, &self.view.choices));
        let results = self.edit_results();
        if let Some(before) = results.analysis.take().filter(PacketAnalysis::is_complete) {
            results.previous_analysis = Some(before);
        }
        results.analysis = analysis;
    }

    /// Builds the rule list. The idle queue searches a large rule set.
    fn arrange(&mut self) {
        let rules: usize = self.paste().rulesets().iter().map(Ruleset::rules).sum();
        if self.view.opened.searches() && rules > RULES_AT_ONCE {
            let sought = Some(Rc::new(self.view.opened.clone()));
            self.edit_results().sought = sought;
            return;
        }
        let order = match self.view.rules {
            RuleView::Rows(order) => order,
            RuleView::Text | RuleView::Edit => Order::Walked,
        };
        let walks: Vec<&Walked> = self.evaluation.walks().map(|(_, walked)| walked).collect();
        let parsed = &self.paste().parsed;
        let rows = Rc::new(rows::list(parsed, &walks, order, &self.view.opened));
        let results = self.edit_results();
        (results.rows, results.sought) = (rows, None);
    }

    /// The page with the content of a link.
    pub(crate) fn with(mut self, shared: &Shared) -> Self {
        self.show(shared);
        self
    }

    /// The page without a lesson's rules: the user's own rules and packets.
    pub fn own_work(&self) -> Self {
        let mut state = self.clone();
        state.leave();
        state
    }

    /// Whether both states show the same rules and packets.
    pub(crate) fn same_work(&self, other: &Self) -> bool {
        self.workspace().same_work(other.workspace())
    }

    /// Goes to the step that evaluates a rule, and selects the rule.
    fn go_to(&mut self, place: Place) {
        self.jump(place);
        let chosen = (self.view.editing.place != Some(place)).then_some(place);
        self.edit(EditAction::Choose(chosen));
        if !rows::shows(&self.results().rows, place) {
            self.edit_view().opened.reach(place);
            self.arrange();
        }
    }

    fn show_finding(&mut self, which: usize) {
        let finding = self
            .results()
            .findings
            .as_ref()
            .and_then(|all| all.get(which));
        let Some(finding) = finding else { return };
        let paste = self.paste();
        let packet = finding.packet(paste.rulesets(), &paste.host, paste.mesh.as_ref());
        let rule = finding.rule();
        self.show_with(packet, rule);
    }

    /// Shows a rule with a packet that matches it.
    fn try_rule(&mut self, place: Place) {
        let paste = self.paste();
        let packet = find_example_packet(paste.rulesets(), &paste.host, paste.mesh.as_ref(), place);
        let untried = packet.is_none().then_some(place);
        self.show_with(packet, Some(place));
        self.edit_view().untried = untried;
    }

    fn show_with(&mut self, packet: Option<Packet>, place: Option<Place>) {
        if let Some(packet) = packet {
            self.load(&packet);
        }
        if let Some(place) = place {
            self.edit_view().editing.place = None;
            self.go_to(place);
            self.edit_view().tab = Tab::Rules;
        }
    }

    fn jump(&mut self, place: Place) {
        let mark = self
            .evaluation
            .lead_first()
            .find_map(|(_, walked)| walked.mark(place));
        let view = self.edit_view();
        view.untried = None;
        match mark {
            Some(mark) => (view.cursor, view.unmet) = (mark.step, None),
            None => view.unmet = Some(place),
        }
    }
}

impl State {
    /// The state after an action.
    #[must_use]
    pub fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        if self.view.embed.is_some() && !matches!(action, Action::Link(_)) {
            let mut state = Self::clone(&self);
            state.apply(action);
            // In a frame of another page the work is read-only.
            return if state.same_work(&self) {
                Rc::new(state)
            } else {
                self
            };
        }
        let before = self.evaluation.workspace.clone();
        let is_link = matches!(action, Action::Link(_));
        let makes_step = !matches!(
            action,
            Action::Undo { .. } | Action::Go(_) | Action::Held(_) | Action::Computed(_)
        );
        let typing = action.typing();
        let mut state = Rc::unwrap_or_clone(self);
        state.apply(action);
        let after = state.workspace();
        let linked = is_link || state.view.linked && before.same_work(after);
        if makes_step && before.is_undo_step(after) {
            state.history.edit().push(typing, before);
        }
        if linked != state.view.linked {
            state.edit_view().linked = linked;
        }
        Rc::new(state)
    }
}

#[cfg(test)]
mod tests;
