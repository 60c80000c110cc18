//! What can happen to the state, and which part of it does that.

use chainwalk_core::analysis::journey::Choices;
use chainwalk_core::netfilter::place::Place;
use chainwalk_core::packet::Packet;
use chainwalk_core::packet::fields::PacketField;
use chainwalk_core::share::link;
use chainwalk_core::text::diagnostic::{Fix, Span};

use super::{Line, State, Tab, View};
use crate::cursor::{self, Move};
use crate::history::Typing;
use crate::lesson::{self, Stage};
use crate::paste::{Kind, Paste};
use crate::rows::{self, Order};
use crate::side::{Side, Target};
use crate::{editing, shelf};

/// What can happen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    /// A text was pasted or dropped.
    Paste(String),
    /// A link was opened: the part behind its `#`.
    Link(String),
    /// The text in the text field changed.
    Edit(String),
    /// A sample was chosen.
    Sample(usize),
    /// A step of a lesson shows its rules and packets.
    Stage(Box<Stage>),
    /// The lessons are closed.
    Leave,
    /// A field of the form was written.
    Write(Target, PacketField, String),
    /// A field that both packets share becomes two.
    Split(PacketField),
    /// A packet is filled in with a scenario.
    Scenario(&'static str),
    /// The lead's packet becomes this one.
    Load(Box<Packet>),
    /// A packet's line is typed in, or left.
    Say(Side, Option<String>),
    /// Packets are set aside.
    Shelf(shelf::Do),
    /// A rule is changed.
    Rule(editing::Do),
    /// A step back, or on again.
    Undo {
        /// On again.
        redo: bool,
    },
    /// What the rule list shows.
    List(rows::Do),
    /// The proxy is taken to do something else.
    Choose(Choices),
    /// That packet is the one in large from now on.
    Lead(Side),
    /// A rule that a dump cannot tell is taken to match or not, or is left open again.
    Settle(Place, Option<bool>),
    /// B is shown, or not.
    Compare,
    /// A move through the walks.
    Go(Move),
    /// To the step that asks a rule.
    GoTo(Place),
    /// A finding is shown, by its number: with a packet, and its rule.
    Finding(usize),
    /// A rule is shown with a packet that matches it, or that has what it asks for.
    Try(Place),
    /// The rules are shown in another way.
    View(View),
    /// A line of the text is shown, and a place in it.
    Line(Line, Span),
    /// An edit that a remark offers is made: in the text that is shown, or in the one that was not
    /// taken.
    Fix(Fix, bool),
    /// A narrow screen shows another part.
    Tab(Tab),
    /// The keyboard goes to a part.
    Area(Tab),
    /// The table of who gets past shows packets of one kind, or all.
    Only(Option<Kind>),
    /// The help opens or closes.
    Help(bool),
    /// Single-character shortcuts work, or not.
    Shortcuts(bool),
    /// A key is held, or let go.
    Held(bool),
    /// The dialog to share opens or closes.
    Share(bool),
    /// The rules are a node's, or a pod's, where no namespace came with them.
    Place {
        /// Which of both.
        node: bool,
    },
    /// What was to come in did not: why.
    Refuse(String),
    /// Why it did not is read.
    Read,
    /// The walk goes on by itself from now on, or not.
    Play(bool),
    /// It goes on by itself: a step.
    Tick,
}

impl Action {
    /// The field or text that it types in, if any.
    pub(super) fn typing(&self) -> Option<Typing> {
        match self {
            Self::Write(target, field, _) => Some(Typing::Field(*target, *field)),
            Self::Say(side, _) => Some(Typing::Line(*side)),
            Self::Edit(_) => Some(Typing::Text),
            _ => None,
        }
    }
}

impl State {
    pub(super) fn apply(&mut self, action: Action) {
        // A lesson, or a click that comes late, may mean a rule of other rules.
        if let Action::GoTo(place) | Action::Try(place) | Action::Settle(place, _) = action
            && !place.is_in(self.paste.rulesets())
        {
            return;
        }
        // Whoever does something else wants to look at it.
        self.playing &= matches!(action, Action::Tick | Action::Held(_));
        if !matches!(action, Action::Held(_)) {
            self.opened.newest = None;
        }
        if matches!(action, Action::Link(_)) {
            // They were about what was shown before.
            (self.share, self.help) = (false, false);
        }
        match action {
            Action::Paste(text) => self.paste(text),
            // Of no concern to the rules: the lessons listen, too.
            Action::Link(fragment) if fragment.starts_with(lesson::ADDRESS) => {}
            Action::Link(fragment) => self.open(link::read_link(&fragment)),
            Action::Edit(text) => self.take(self.paste.edited(text)),
            Action::Stage(stage) => self.stage(*stage),
            Action::Leave => self.leave(),
            Action::Sample(place) => {
                self.view = View::Rows(Order::Walked);
                self.come(Paste::sample(place));
            }
            Action::Write(target, field, value) => self.write(target, field, value),
            Action::Split(field) => {
                self.split(field);
            }
            Action::Scenario(key) => self.fill(key),
            Action::Load(packet) => self.load(&packet),
            // Nothing was typed.
            Action::Say(side, None) if self.lanes[side as usize].line.is_none() => {}
            Action::Say(side, text) => {
                self.lead = side;
                self.lanes[side as usize].say(text);
                self.walk();
            }
            Action::Shelf(what) => self.put_aside(what),
            Action::Rule(what) => self.edit(what),
            Action::Undo { redo } => self.undo(redo),
            Action::Place { node } => self.place(node),
            Action::List(what) => {
                self.opened.apply(what);
                self.arrange();
            }
            Action::Choose(choices) => {
                self.choices = choices;
                self.tell();
            }
            Action::Settle(place, matches) => self.settle(place, matches),
            Action::Lead(side) => {
                self.lead = side;
                self.arrive();
            }
            Action::Compare => {
                self.compare = !self.compare;
                let here = self.cursor;
                self.arrive();
                self.cursor = cursor::go(&self.paths(), 0, Move::To(here));
            }
            Action::Go(to) => {
                self.cursor = self.after(to);
                self.unmet = None;
                self.line = None;
                self.edit(editing::Do::Choose(None));
            }
            Action::GoTo(place) => self.go_to(place),
            Action::Finding(which) => self.show_finding(which),
            Action::Try(place) => self.try_rule(place),
            Action::View(view) => {
                self.view = view;
                self.arrange();
            }
            Action::Fix(fix, refused) => self.fix(&fix, refused),
            Action::Line(line, place) => {
                if self.view != View::Edit || self.paste.editable().is_none() {
                    self.view = View::Text;
                }
                (self.line, self.marked) = (Some(line), place);
                self.tab = Tab::Rules;
            }
            Action::Tab(tab) | Action::Area(tab) => self.tab = tab,
            Action::Only(kind) => self.only = kind,
            Action::Help(open) => self.help = open,
            Action::Shortcuts(on) => self.shortcuts = on,
            Action::Held(held) => self.held = held,
            Action::Share(open) => self.share = open,
            Action::Refuse(why) => self.refuse(why),
            Action::Read => self.refused.clear(),
            Action::Play(playing) => {
                // From the start again, where there is nothing left to play.
                if playing && self.cursor + 1 >= self.steps() {
                    self.cursor = 0;
                }
                self.playing = playing;
            }
            Action::Tick => {
                self.cursor = self.after(Move::Forward);
                self.playing &= self.cursor + 1 < self.steps();
            }
        }
    }
}
