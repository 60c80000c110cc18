//! The actions of the page, and the part of the state that each changes.

use std::rc::Rc;

use chainwalk_core::analysis::journey::Choices;
use chainwalk_core::netfilter::place::Place;
use chainwalk_core::packet::Packet;
use chainwalk_core::packet::fields::PacketField;
use chainwalk_core::share::link;
use chainwalk_core::text::diagnostic::{Fix, Span};

use super::{Dialog, Line, RuleView, State, Tab};
use crate::analysis_queue::Computed;
use crate::cursor::Move;
use crate::editing::EditAction;
use crate::history::Typing;
use crate::lesson::{self, Stage};
use crate::paste::{OutcomeKind, Paste};
use crate::rows::{Order, RuleListAction};
use crate::saved_packets::SavedPacketAction;
use crate::side::{FieldTarget, Side};

/// An action of the user or of the page.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Takes a pasted or dropped text.
    Paste(String),
    /// Opens a link, given as the part after `#`.
    Link(String),
    /// Takes the changed text of the text field.
    Edit(String),
    /// Shows a sample.
    Sample(usize),
    /// Shows the rules and packets of a lesson's step.
    Stage(Box<Stage>),
    /// Closes the lessons.
    Leave,
    /// Writes a field of the form.
    Write(FieldTarget, PacketField, String),
    /// Splits a shared field into one for each packet.
    Split(PacketField),
    /// Fills a packet in with a scenario.
    Scenario(&'static str),
    /// Shows this packet as the lead's.
    Load(Box<Packet>),
    /// Takes the typed text of a packet's line, or ends the typing.
    TypeLine(Side, Option<String>),
    /// Saves a packet, or shows or removes a saved one.
    SavedPacket(SavedPacketAction),
    /// Changes a rule.
    Rule(EditAction),
    /// Undoes or redoes a step.
    Undo {
        /// Whether to redo.
        redo: bool,
    },
    /// Changes what the rule list shows.
    List(RuleListAction),
    /// Changes the assumed choices of the proxy.
    Choose(Choices),
    /// Makes this packet the lead.
    Lead(Side),
    /// Assumes that an undetermined rule matches or does not, or withdraws the assumption.
    Settle(Place, Option<bool>),
    /// Shows or hides B.
    Compare,
    /// Moves through the walks.
    Go(Move),
    /// Goes to the step that evaluates a rule.
    GoTo(Place),
    /// Shows a finding, by its number: its rule, with a packet.
    Finding(usize),
    /// Shows a rule with a packet that matches it.
    Try(Place),
    /// Changes the view of the rules.
    View(RuleView),
    /// Shows a line of the text, and marks a part of it.
    Line(Line, Span),
    /// Applies the fix of a diagnostic to the shown or the rejected text.
    Fix(Fix, bool),
    /// Shows another part on a narrow screen.
    Tab(Tab),
    /// Moves the keyboard focus to a part.
    Area(Tab),
    /// Shows packets of one kind in the table of outcomes, or all.
    Only(Option<OutcomeKind>),
    /// Opens or closes the help.
    Help(bool),
    /// Switches single-character shortcuts on or off.
    Shortcuts(bool),
    /// A key is held down, or was released.
    Held(bool),
    /// Opens or closes the dialog to share.
    Share(bool),
    /// Evaluates rules that came without a host as a node's, or as a pod's.
    Place {
        /// Whose namespace.
        node: bool,
    },
    /// Shows why an input was rejected.
    Refuse(String),
    /// Closes that message.
    Read,
    /// Starts or stops playback.
    Play(bool),
    /// Plays the next step.
    Tick,
    /// Takes a result of the idle queue.
    Computed(Rc<Computed>),
}

impl Action {
    /// The field or text that the user types in, if any.
    pub(super) fn typing(&self) -> Option<Typing> {
        match self {
            Self::Write(target, field, _) => Some(Typing::Field(*target, *field)),
            Self::TypeLine(side, _) => Some(Typing::Line(*side)),
            Self::Edit(_) => Some(Typing::Text),
            _ => None,
        }
    }
}

impl State {
    pub(super) fn apply(&mut self, action: Action) {
        // The action of a lesson, or a late click, may refer to a rule of earlier rules.
        if let Action::GoTo(place) | Action::Try(place) | Action::Settle(place, _) = action
            && !place.is_in(self.paste().rulesets())
        {
            return;
        }
        if let Action::Computed(computed) = &action {
            self.take_computed(computed);
            return;
        }
        let view = self.edit_view();
        // Any other action stops playback.
        view.playing &= matches!(action, Action::Tick | Action::Held(_));
        if !matches!(action, Action::Held(_)) {
            view.opened.newest = None;
        }
        if matches!(action, Action::Link(_)) {
            // The dialogs show the previous rules.
            view.dialog = None;
        }
        match action {
            Action::Paste(text) => self.paste_text(text),
            // The lessons read these addresses.
            Action::Link(fragment) if fragment.starts_with(lesson::ADDRESS) => {}
            Action::Link(fragment) => self.open(link::read_link(&fragment)),
            Action::Edit(text) => self.take(self.paste().edited(text)),
            Action::Stage(stage) => self.stage(*stage),
            Action::Leave => self.leave(),
            Action::Sample(place) => {
                self.edit_view().rules = RuleView::Rows(Order::Walked);
                self.come(Paste::sample(place));
            }
            Action::Write(target, field, value) => self.write(target, field, value),
            Action::Split(field) => self.split(field),
            Action::Scenario(key) => self.fill(key),
            Action::Load(packet) => self.load(&packet),
            // The text is unchanged.
            Action::TypeLine(side, None) if self.workspace().slot(side).line.is_none() => {}
            Action::TypeLine(side, text) => {
                let workspace = self.edit_workspace();
                workspace.lead = side;
                workspace.packets[side as usize].type_line(text);
                self.walk();
            }
            Action::SavedPacket(action) => self.change_saved_packets(action),
            Action::Rule(action) => self.edit(action),
            Action::Undo { redo } => self.undo(redo),
            Action::Place { node } => self.place(node),
            Action::List(action) => {
                self.edit_view().opened.apply(action);
                self.arrange();
            }
            Action::Choose(choices) => {
                self.edit_view().choices = choices;
                self.begin_analysis();
            }
            Action::Settle(place, matches) => self.settle(place, matches),
            Action::Lead(side) => {
                self.edit_workspace().lead = side;
                self.arrive();
            }
            Action::Compare => {
                let here = self.view.cursor;
                let workspace = self.edit_workspace();
                workspace.compare = !workspace.compare;
                self.arrive();
                self.edit_view().cursor = self.evaluation.after(0, Move::To(here));
            }
            Action::Go(to) => {
                let cursor = self.evaluation.after(self.view.cursor, to);
                let view = self.edit_view();
                (view.cursor, view.unmet, view.line) = (cursor, None, None);
                self.edit(EditAction::Choose(None));
            }
            Action::GoTo(place) => self.go_to(place),
            Action::Finding(which) => self.show_finding(which),
            Action::Try(place) => self.try_rule(place),
            Action::View(rules) => {
                self.edit_view().rules = rules;
                self.arrange();
            }
            Action::Fix(fix, refused) => self.fix(&fix, refused),
            Action::Line(line, span) => {
                let is_edited = self.paste().editable().is_some();
                let view = self.edit_view();
                if view.rules != RuleView::Edit || !is_edited {
                    view.rules = RuleView::Text;
                }
                (view.line, view.marked, view.tab) = (Some(line), span, Tab::Rules);
            }
            Action::Tab(tab) | Action::Area(tab) => self.edit_view().tab = tab,
            Action::Only(kind) => self.edit_view().only = kind,
            Action::Help(open) => self.show_dialog(Dialog::Help, open),
            Action::Share(open) => self.show_dialog(Dialog::Share, open),
            Action::Shortcuts(on) => self.edit_view().shortcuts = on,
            Action::Held(held) => self.edit_view().held = held,
            Action::Refuse(why) => self.refuse(why),
            Action::Read => self.edit_view().refused.clear(),
            Action::Play(playing) => {
                let steps = self.evaluation.steps();
                let view = self.edit_view();
                // At the last step, playback begins at the first one.
                if playing && view.cursor + 1 >= steps {
                    view.cursor = 0;
                }
                view.playing = playing;
            }
            Action::Tick => {
                let cursor = self.evaluation.after(self.view.cursor, Move::Forward);
                let is_last = cursor + 1 >= self.evaluation.steps();
                let view = self.edit_view();
                view.cursor = cursor;
                view.playing &= !is_last;
            }
            Action::Computed(_) => {}
        }
    }

    fn show_dialog(&mut self, dialog: Dialog, open: bool) {
        let view = self.edit_view();
        if open {
            view.dialog = Some(dialog);
        } else if view.dialog == Some(dialog) {
            view.dialog = None;
        }
    }
}
