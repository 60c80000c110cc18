//! Everything the page shows, as plain data, and what can happen to it.

use std::rc::Rc;

use chainwalk_core::analysis::compare;
use chainwalk_core::analysis::example_packet::witness;
use chainwalk_core::analysis::explain;
use chainwalk_core::analysis::journey::Choices;
use chainwalk_core::netfilter::place::Place;
use chainwalk_core::packet::Packet;
use chainwalk_core::packet::fields::PacketField;
use chainwalk_core::packet::form::PacketForm;
use chainwalk_core::share::link::Shared;
use chainwalk_core::text::diagnostic::{Diagnostic, Span};
use chainwalk_core::walk::trace::Path;
use yew::Reducible;

use crate::cursor::{self, Move};
use crate::editing::{self, Editing};
use crate::history::{History, Snapshot};
use crate::lane::Lane;
use crate::paste::{Kind, Paste};
use crate::rows::{self, Index, Opened, Order, Row};
use crate::shelf::Shelf;
use crate::side::Side;
use crate::told::Told;
use crate::walked::Walked;

mod action;
mod edits;
mod later;
mod look;
mod packets;
mod source;

pub(crate) use action::Action;
pub(crate) use look::{Line, Tab, View};

/// All of it.
#[derive(Clone, Debug)]
pub(crate) struct State {
    /// The rules and what surrounds them.
    pub(crate) paste: Rc<Paste>,
    /// The same as they were pasted, before any change in place.
    pub(crate) original: Rc<Paste>,
    /// Why the last paste was not taken.
    pub(crate) refused: Vec<Diagnostic>,
    /// The text that was not taken: an edit may make it one that is.
    refused_text: Rc<str>,
    pub(crate) lanes: [Lane; 2],
    /// Packets set aside.
    pub(crate) shelf: Shelf,
    /// Whether B is shown beside A.
    pub(crate) compare: bool,
    /// The packet whose answer is the largest text, which is told more of, and which scenarios
    /// fill in: the last touched.
    pub(crate) lead: Side,
    /// Rules that a dump cannot tell, with what the user takes them to do.
    pub(crate) settled: Vec<(Place, bool)>,
    /// Fields of the form that stay two, though they may be equal.
    split: Vec<PacketField>,
    /// The first step at which the walks differ.
    pub(crate) part: Option<usize>,
    /// What else there is to say of the lead's packet.
    pub(crate) told: Option<Rc<Told>>,
    /// The last that was known whole, by the same rules: shown until the new one is.
    pub(crate) told_before: Option<Rc<Told>>,
    /// What the proxy is taken to do.
    choices: Choices,
    /// The step shown, from 0.
    pub(crate) cursor: usize,
    /// How the rules are shown.
    pub(crate) view: View,
    /// What is shown of the rule list.
    pub(crate) opened: Opened,
    /// What the rule list looks up in the rules.
    pub(crate) index: Rc<Index>,
    /// The rule that is chosen, and its change.
    pub(crate) editing: Editing,
    /// What was, to go back to.
    pub(crate) history: History,
    /// What was before a lesson was opened, to come back to when it is closed.
    before_lesson: Option<Rc<Snapshot>>,
    /// The rule list.
    pub(crate) rows: Rc<Vec<Row>>,
    /// The line shown in the text, and what is marked in it.
    pub(crate) line: Option<Line>,
    pub(crate) marked: Span,
    /// A rule that was asked for and that no packet meets.
    pub(crate) unmet: Option<Place>,
    /// The same, where a packet was just sought for it and none found.
    pub(crate) untried: Option<Place>,
    /// What a narrow screen shows.
    pub(crate) tab: Tab,
    /// Which rows the table of who gets past shows, where not all.
    pub(crate) only: Option<Kind>,
    /// Whether the help is open.
    pub(crate) help: bool,
    /// Whether single-character shortcuts work.
    pub(crate) shortcuts: bool,
    /// Whether a key is being held: the step sentence is not read out.
    pub(crate) held: bool,
    /// Whether the dialog to share is open.
    pub(crate) share: bool,
    /// Where the page is shown within another one and nothing can be changed: the link to the
    /// whole page, behind its `#`.
    pub(crate) embed: Option<String>,
    /// Whether the walk goes on by itself.
    pub(crate) playing: bool,
}

impl Default for State {
    /// The first sample, with the app's packet and the same sent as the proxy.
    fn default() -> Self {
        let paste = Rc::new(Paste::sample(0));
        let lane = |key| {
            let packet = &paste
                .scenario(key)
                .expect("these scenarios are always there")
                .packet;
            Lane::of(packet, Some(key))
        };
        let lanes = [lane("internet"), lane("as-proxy")];
        let mut state = Self {
            original: Rc::clone(&paste),
            index: Rc::new(Index::of(paste.rulesets())),
            paste,
            refused: Vec::new(),
            refused_text: "".into(),
            lanes,
            shelf: Rc::default(),
            compare: true,
            lead: Side::B,
            settled: Vec::new(),
            split: Vec::new(),
            part: None,
            told: None,
            told_before: None,
            choices: Choices::default(),
            cursor: 0,
            view: View::Rows(Order::Walked),
            opened: Opened::default(),
            editing: Editing::default(),
            history: History::default(),
            before_lesson: None,
            rows: Rc::default(),
            line: None,
            marked: Span::default(),
            unmet: None,
            untried: None,
            tab: Tab::Rules,
            only: None,
            help: false,
            shortcuts: true,
            held: false,
            share: false,
            embed: None,
            playing: false,
        };
        state.walk();
        state
    }
}

impl State {
    /// A packet.
    pub(crate) fn lane(&self, side: Side) -> &Lane {
        &self.lanes[side as usize]
    }

    /// The packets shown.
    pub(crate) fn sides(&self) -> &'static [Side] {
        match (self.compare, self.lead) {
            (true, _) => &[Side::A, Side::B],
            (false, Side::A) => &[Side::A],
            (false, Side::B) => &[Side::B],
        }
    }

    /// A packet's walk, where the packet is shown and complete.
    pub(crate) fn walked(&self, side: Side) -> Option<&Rc<Walked>> {
        self.sides()
            .contains(&side)
            .then(|| self.lane(side).walked.as_ref().ok())
            .flatten()
    }

    /// The walks shown, with their packets.
    pub(crate) fn walks(&self) -> impl Iterator<Item = (Side, &Walked)> {
        self.sides()
            .iter()
            .filter_map(|side| Some((*side, &**self.walked(*side)?)))
    }

    /// The same, the lead's first.
    pub(crate) fn lead_first(&self) -> impl Iterator<Item = (Side, &Walked)> + Clone {
        let other = self.compare.then(|| self.lead.other());
        [Some(self.lead), other]
            .into_iter()
            .flatten()
            .filter_map(|side| Some((side, &**self.walked(side)?)))
    }

    /// The packet whose chain is shown at the cursor: the lead's until it has ended.
    pub(crate) fn followed(&self) -> Option<(Side, &Walked)> {
        let mut walks = self.lead_first();
        let runs = walks
            .clone()
            .find(|(_, walked)| self.cursor < walked.path().steps.len());
        runs.or_else(|| walks.next())
    }

    /// The rules under the cursor.
    pub(crate) fn current(&self) -> Vec<(Side, Place)> {
        let place = |(side, walked): (Side, &Walked)| {
            Some((side, walked.path().steps.get(self.cursor)?.place))
        };
        self.walks().filter_map(place).collect()
    }

    /// How many steps the longest walk has.
    pub(crate) fn steps(&self) -> usize {
        self.walks()
            .map(|(_, walked)| walked.path().steps.len())
            .max()
            .unwrap_or(0)
    }

    /// Whether a field is two in the form.
    pub(crate) fn differs(&self, field: PacketField) -> bool {
        let [a, b] = &self.lanes;
        let applies = (a.draft.applies(field), b.draft.applies(field));
        self.split.contains(&field)
            || applies != (true, true)
            || a.draft.get(field) != b.draft.get(field)
    }

    /// The fields in which the two packets differ.
    pub(crate) fn differences(&self) -> Vec<PacketField> {
        let [a, b] = &self.lanes;
        let value =
            |draft: &PacketForm, field| draft.applies(field).then(|| draft.get(field).to_owned());
        PacketField::all()
            .filter(|field| value(&a.draft, *field) != value(&b.draft, *field))
            .collect()
    }

    /// What sets a packet apart from the other, in words: "uid 1337".
    pub(crate) fn name(&self, side: Side) -> String {
        let draft = &self.lane(side).draft;
        let differences = self.differences();
        if let ([field], true) = (&differences[..], self.compare)
            && draft.applies(*field)
        {
            return field.phrase(draft.get(*field));
        }
        let scenario = self
            .lane(side)
            .scenario
            .and_then(|key| self.paste.scenario(key));
        match (scenario, draft.packet()) {
            (Some(scenario), _) => scenario.label.clone(),
            (_, Ok(packet)) => sent(&packet),
            (_, Err(_)) => "incomplete".into(),
        }
    }

    /// The step that a move leads to.
    pub(crate) fn after(&self, to: Move) -> usize {
        cursor::go(&self.paths(), self.cursor, to)
    }

    fn paths(&self) -> Vec<&Path> {
        self.lead_first().map(|(_, walked)| walked.path()).collect()
    }

    /// Walks both packets again, and goes to where they part, or to the rule that decided.
    fn walk(&mut self) {
        let paste = Rc::clone(&self.paste);
        self.lanes
            .iter_mut()
            .for_each(|lane| lane.walk(&paste, &self.settled));
        self.opened.again();
        self.arrive();
    }

    /// Goes to the step worth seeing first.
    fn arrive(&mut self) {
        self.part = match (self.walked(Side::A), self.walked(Side::B)) {
            (Some(a), Some(b)) => compare::part(a.path(), b.path()),
            _ => None,
        };
        self.tell();
        // What the large answer names, so that the rules and a link show it, too.
        let decided = self
            .walked(self.lead)
            .and_then(|walked| walked.decided_at());
        let worth = decided.or(self.part).unwrap_or(0);
        self.cursor = cursor::go(&self.paths(), 0, Move::To(worth));
        self.unmet = None;
        self.arrange();
    }

    /// Says more of the lead's packet.
    fn tell(&mut self) {
        if let Some(told) = self.told.take().filter(|told| told.is_whole()) {
            self.told_before = Some(told);
        }
        let lead = self.walked(self.lead);
        self.told = lead.map(|walked| Rc::new(Told::new(&self.paste, walked, &self.choices)));
    }

    /// Makes the rule list again.
    fn arrange(&mut self) {
        let order = if let View::Rows(order) = self.view {
            order
        } else {
            Order::Walked
        };
        let walks: Vec<&Walked> = self.walks().map(|(_, walked)| walked).collect();
        self.rows = Rc::new(rows::list(&self.paste.parsed, &walks, order, &self.opened));
    }

    /// The same page with something else in it.
    pub(crate) fn with(mut self, shared: &Shared) -> Self {
        self.show(shared);
        self
    }

    /// The same without what a lesson shows: the reader's own rules and packets.
    pub(crate) fn own_work(&self) -> Self {
        let mut state = self.clone();
        state.leave();
        state
    }

    /// Whether the same rules and packets are shown: whatever else differs is no work of the
    /// reader's.
    pub(crate) fn same_work(&self, other: &Self) -> bool {
        let drafts = self
            .lanes
            .iter()
            .zip(&other.lanes)
            .all(|(one, other)| one.draft == other.draft);
        Rc::ptr_eq(&self.paste, &other.paste)
            && drafts
            && (self.compare, self.lead) == (other.compare, other.lead)
            && self.settled == other.settled
    }

    /// To the step that asks a rule, which can be changed then.
    fn go_to(&mut self, place: Place) {
        self.jump(place);
        let chosen = (self.editing.place != Some(place)).then_some(place);
        self.edit(editing::Do::Choose(chosen));
        if !rows::shows(&self.rows, place) {
            self.opened.reach(place);
            self.arrange();
        }
    }

    fn show_finding(&mut self, which: usize) {
        let paste = Rc::clone(&self.paste);
        let Some(finding) = paste.findings().and_then(|all| all.get(which)) else {
            return;
        };
        let packet = finding.packet(paste.rulesets(), &paste.host, paste.mesh.as_ref());
        self.show_with(packet, finding.rule());
    }

    /// A packet that shows a rule.
    fn try_rule(&mut self, place: Place) {
        let paste = Rc::clone(&self.paste);
        let packet = witness(paste.rulesets(), &paste.host, paste.mesh.as_ref(), place);
        let untried = packet.is_none().then_some(place);
        self.show_with(packet, Some(place));
        self.untried = untried;
    }

    fn show_with(&mut self, packet: Option<Packet>, place: Option<Place>) {
        if let Some(packet) = packet {
            self.load(&packet);
        }
        if let Some(place) = place {
            self.editing.place = None;
            self.go_to(place);
            self.tab = Tab::Rules;
        }
    }

    fn jump(&mut self, place: Place) {
        self.untried = None;
        let mark = self.lead_first().find_map(|(_, walked)| walked.mark(place));
        match mark {
            Some(mark) => {
                self.cursor = mark.step;
                self.unmet = None;
            }
            None => self.unmet = Some(place),
        }
    }
}

/// A packet in a few words: "uid 1337 to 10.0.0.1:443".
pub(crate) fn sent(packet: &Packet) -> String {
    let to = explain::endpoint(packet.dst, packet.dport);
    match packet.uid.filter(|_| packet.dport.is_some()) {
        Some(uid) => format!("uid {uid} to {to}"),
        None => format!("{} to {to}", packet.protocol),
    }
}

impl Reducible for State {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        if self.embed.is_some() && !matches!(action, Action::Link(_)) {
            let mut state = State::clone(&self);
            state.apply(action);
            // Within another page nothing is changed.
            return if state.same_work(&self) {
                Rc::new(state)
            } else {
                self
            };
        }
        let mut state = Rc::unwrap_or_clone(self);
        let changes = !matches!(
            action,
            Action::Undo { .. } | Action::Go(_) | Action::Held(_)
        );
        let before = changes.then(|| (action.typing(), state.snapshot()));
        state.apply(action);
        if let Some((typing, before)) = before {
            let after = state.snapshot();
            state.history.keep(typing, before, &after);
        }
        Rc::new(state)
    }
}

#[cfg(test)]
mod tests;
