//! Everything the page shows, as plain data, and what can happen to it.

use std::rc::Rc;

use chainwalk_core::compare;
use chainwalk_core::diagnostic::{Diagnostic, Fix, Severity, Span};
use chainwalk_core::journey::Choices;
use chainwalk_core::lesson::At;
use chainwalk_core::link::{self, Broken, Shared};
use chainwalk_core::packet::Packet;
use chainwalk_core::walk::trace::{Path, Place, Step};
use yew::Reducible;

use crate::cursor::{self, Move};
use crate::editing::{self, Editing};
use crate::history::{self, History};
use crate::lane::Lane;
use crate::lesson::{self, Stage};
use crate::paste::Paste;
use crate::rows::{self, Index, Opened, Order, Row};
use crate::shelf::{self, Shelf};
use crate::told::Told;
use crate::walked::Walked;
use chainwalk_core::draft::{Draft, Field};

/// One of the two packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The first, drawn with a solid line.
    A,
    /// The second, drawn with a dashed line.
    B,
}

impl Side {
    /// Its letter.
    pub(crate) fn letter(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
        }
    }

    /// Its letter, as ids use it.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }
}

/// What a field of the form writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// One packet.
    One(Side),
    /// Both: their fields are equal.
    Both,
}

/// How the rules are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// As rows.
    Rows(Order),
    /// As the text that was pasted.
    Text,
    /// As a text field.
    Edit,
}

/// The part that a narrow screen shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tab {
    /// The rules.
    Rules,
    /// The walk.
    Walk,
    /// The packets.
    Packet,
    /// Who gets past.
    Past,
}

impl Tab {
    /// All, in order.
    pub(crate) const ALL: [Self; 4] = [Self::Rules, Self::Walk, Self::Packet, Self::Past];

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rules => "Rules",
            Self::Walk => "Walk",
            Self::Packet => "Packet",
            Self::Past => "Past",
        }
    }

    /// Its name, as ids use it.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Walk => "walk",
            Self::Packet => "packet",
            Self::Past => "past",
        }
    }
}

/// A place in one of the texts that were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Which text, from 0.
    pub(crate) source: u32,
    /// Which line, from 1.
    pub(crate) line: u32,
}

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
    /// Which packet scenarios fill in.
    pub(crate) into: Side,
    /// Rules that a dump cannot tell, with what the user takes them to do.
    pub(crate) settled: Vec<(Place, bool)>,
    /// Fields of the form that stay two, though they may be equal.
    split: Vec<Field>,
    /// The first step at which the walks differ.
    pub(crate) part: Option<usize>,
    /// What else there is to say of the lead's packet.
    pub(crate) told: Option<Rc<Told>>,
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
    /// The rule list.
    pub(crate) rows: Rc<Vec<Row>>,
    /// The line shown in the text, and what is marked in it.
    pub(crate) line: Option<Line>,
    pub(crate) marked: Span,
    /// A rule that was asked for and that no packet meets.
    pub(crate) unmet: Option<Place>,
    /// What a narrow screen shows.
    pub(crate) tab: Tab,
    /// Whether the help is open.
    pub(crate) help: bool,
    /// Whether single-character shortcuts work.
    pub(crate) shortcuts: bool,
    /// Whether a key is being held: the step sentence is not read out.
    pub(crate) held: bool,
    /// Whether the dialog to share is open.
    pub(crate) share: bool,
    /// Where the page is shown within another one and nothing can be changed: the link to the whole page, behind its `#`.
    pub(crate) embed: Option<String>,
    /// Whether the walk goes on by itself.
    pub(crate) playing: bool,
}

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
    /// A field of the form was written.
    Write(Target, Field, String),
    /// A field that both packets share becomes two.
    Split(Field),
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
    /// Scenarios fill in that packet from now on.
    Into(Side),
    /// A rule that a dump cannot tell is taken to match or not, or is left open again.
    Settle(Place, Option<bool>),
    /// The packets change places.
    Swap,
    /// B is shown, or not.
    Compare,
    /// A move through the walks.
    Go(Move),
    /// To the step that asks a rule.
    GoTo(Place),
    /// The rules are shown in another way.
    View(View),
    /// A line of the text is shown, and a place in it.
    Line(Line, Span),
    /// An edit that a remark offers is made: in the text that is shown, or in the one that was not taken.
    Fix(Fix, bool),
    /// A narrow screen shows another part.
    Tab(Tab),
    /// The help opens or closes.
    Help(bool),
    /// Single-character shortcuts work, or not.
    Shortcuts(bool),
    /// A key is held, or let go.
    Held(bool),
    /// The dialog to share opens or closes.
    Share(bool),
    /// What was to come in did not: why.
    Refuse(String),
    /// The walk goes on by itself from now on, or not.
    Play(bool),
    /// It goes on by itself: a step.
    Tick,
}

impl Default for State {
    /// The first sample, with the app's packet and the same sent as the proxy.
    fn default() -> Self {
        let paste = Rc::new(Paste::sample(0));
        let lane = |key| {
            let packet = &paste.scenario(key).expect("these scenarios are always there").packet;
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
            into: Side::B,
            settled: Vec::new(),
            split: Vec::new(),
            part: None,
            told: None,
            choices: Choices::default(),
            cursor: 0,
            view: View::Rows(Order::Walked),
            opened: Opened::default(),
            editing: Editing::default(),
            history: History::default(),
            rows: Rc::default(),
            line: None,
            marked: Span::default(),
            unmet: None,
            tab: Tab::Rules,
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
        if self.compare { &[Side::A, Side::B] } else { &[Side::A] }
    }

    /// The packet whose answer is the largest text.
    pub(crate) fn lead(&self) -> Side {
        if self.compare { Side::B } else { Side::A }
    }

    /// A packet's walk, where the packet is shown and complete.
    pub(crate) fn walked(&self, side: Side) -> Option<&Rc<Walked>> {
        self.sides().contains(&side).then(|| self.lane(side).walked.as_ref().ok()).flatten()
    }

    /// The walks shown, with their packets.
    pub(crate) fn walks(&self) -> impl Iterator<Item = (Side, &Walked)> {
        self.sides().iter().filter_map(|side| Some((*side, &**self.walked(*side)?)))
    }

    /// The same, the lead's first.
    pub(crate) fn lead_first(&self) -> impl Iterator<Item = (Side, &Walked)> + Clone {
        self.sides().iter().rev().filter_map(|side| Some((*side, &**self.walked(*side)?)))
    }

    /// The packet whose chain is shown at the cursor: the lead's until it has ended.
    pub(crate) fn followed(&self) -> Option<(Side, &Walked)> {
        let mut walks = self.lead_first();
        let runs = walks.clone().find(|(_, walked)| self.cursor < walked.path().steps.len());
        runs.or_else(|| walks.next())
    }

    /// The rules under the cursor.
    pub(crate) fn current(&self) -> Vec<(Side, Place)> {
        let place = |(side, walked): (Side, &Walked)| Some((side, walked.path().steps.get(self.cursor)?.place));
        self.walks().filter_map(place).collect()
    }

    /// How many steps the longest walk has.
    pub(crate) fn steps(&self) -> usize {
        self.walks().map(|(_, walked)| walked.path().steps.len()).max().unwrap_or(0)
    }

    /// Whether a field is two in the form.
    pub(crate) fn differs(&self, field: Field) -> bool {
        let [a, b] = &self.lanes;
        let applies = (a.draft.applies(field), b.draft.applies(field));
        self.split.contains(&field) || applies != (true, true) || a.draft.get(field) != b.draft.get(field)
    }

    /// The fields in which the two packets differ.
    pub(crate) fn differences(&self) -> Vec<Field> {
        let [a, b] = &self.lanes;
        let value = |draft: &Draft, field| draft.applies(field).then(|| draft.get(field).to_owned());
        Field::ALL.into_iter().filter(|field| value(&a.draft, *field) != value(&b.draft, *field)).collect()
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
        let scenario = self.lane(side).scenario.and_then(|key| self.paste.scenario(key));
        match (scenario, draft.packet()) {
            // "same, as …" says nothing by itself.
            (Some(scenario), _) if !scenario.label.starts_with("same") => scenario.label.clone(),
            (_, Ok(packet)) => match (packet.uid, packet.dport) {
                (Some(uid), Some(port)) => {
                    format!("uid {uid} to {}", chainwalk_core::explain::socket(packet.dst, port))
                }
                (None, Some(port)) => {
                    format!("{} to {}", packet.protocol, chainwalk_core::explain::socket(packet.dst, port))
                }
                (_, None) => format!("{} to {}", packet.protocol, packet.dst),
            },
            (_, Err(_)) => "incomplete".into(),
        }
    }

    fn paths(&self) -> Vec<&Path> {
        self.lead_first().map(|(_, walked)| walked.path()).collect()
    }

    /// Walks both packets again, and goes to where they part, or to the rule that decided.
    fn walk(&mut self) {
        let paste = Rc::clone(&self.paste);
        self.lanes.iter_mut().for_each(|lane| lane.walk(&paste, &self.settled));
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
        let decided = || self.followed().and_then(|(_, walked)| walked.decided_at());
        let worth = self.part.or_else(decided).unwrap_or(0);
        self.cursor = cursor::go(&self.paths(), 0, Move::To(worth));
        self.unmet = None;
        self.arrange();
    }

    /// Says more of the lead's packet.
    fn tell(&mut self) {
        let lead = self.walked(self.lead());
        self.told = lead.map(|walked| Rc::new(Told::new(&self.paste, walked, &self.choices)));
    }

    /// Makes the rule list again.
    fn arrange(&mut self) {
        let order = if let View::Rows(order) = self.view { order } else { Order::Walked };
        let walks: Vec<&Walked> = self.walks().map(|(_, walked)| walked).collect();
        self.rows = Rc::new(rows::list(&self.paste.parsed, &walks, order, &self.opened));
    }

    /// Takes a new text, and fills packets that stand for a scenario in again: its addresses and uids may differ.
    fn take(&mut self, paste: Paste) {
        let paste = Rc::new(paste);
        self.original = Rc::clone(&paste);
        for lane in &mut self.lanes {
            if let Some(scenario) = lane.scenario.and_then(|key| paste.scenario(key)) {
                *lane = Lane::of(&scenario.packet, lane.scenario);
            }
        }
        self.replace(paste);
    }

    /// Shows rules, with the packets that there are.
    pub(crate) fn replace(&mut self, paste: Rc<Paste>) {
        self.refused.clear();
        self.line = None;
        // Their places are those of the old text.
        self.settled.clear();
        self.editing = Editing::default();
        self.opened.forget();
        self.index = Rc::new(Index::of(paste.rulesets()));
        self.shelf = shelf::again(&self.shelf, &paste);
        self.paste = paste;
        self.walk();
    }

    /// A step back, or on again.
    fn undo(&mut self, redo: bool) {
        let now = self.snapshot();
        let Some(then) = self.history.go(redo, now) else { return };
        self.original = Rc::clone(&then.original);
        self.compare = then.compare;
        for (lane, (draft, scenario)) in self.lanes.iter_mut().zip(&then.packets) {
            lane.wrote();
            (lane.draft, lane.scenario) = (draft.clone(), *scenario);
        }
        self.split.clear();
        self.shelf = Rc::clone(&then.shelf);
        if Rc::ptr_eq(&self.paste, &then.paste) {
            self.walk();
        } else {
            self.replace(Rc::clone(&then.paste));
        }
    }

    fn put_aside(&mut self, what: shelf::Do) {
        let shelf = Rc::make_mut(&mut self.shelf);
        match what {
            shelf::Do::Add(side) => {
                if let Ok(packet) = self.lanes[side as usize].draft.packet()
                    && shelf.len() < shelf::MOST
                    && shelf.iter().all(|kept| kept.packet != packet)
                {
                    shelf.push(shelf::kept(&self.paste, packet));
                }
            }
            shelf::Do::Remove(place) if place < shelf.len() => drop(shelf.remove(place)),
            shelf::Do::Load(place, side) if place < shelf.len() => {
                self.lanes[side as usize] = Lane::of(&shelf[place].packet, None);
                self.compare |= side == Side::B;
                self.split.clear();
                self.walk();
            }
            shelf::Do::Remove(_) | shelf::Do::Load(..) => {}
        }
    }

    fn settle(&mut self, place: Place, matches: Option<bool>) {
        self.settled.retain(|(settled, _)| *settled != place);
        self.settled.extend(matches.map(|matches| (place, matches)));
        self.walk();
    }

    /// Takes a text that rules are in; another is refused, and the rules before it stay.
    fn paste(&mut self, text: String) {
        match given(&text) {
            Some(shared) => self.open(shared.map(Some)),
            None => drop(self.accept(Paste::own(text))),
        }
    }

    /// Says whether it was taken.
    fn accept(&mut self, paste: Paste) -> bool {
        self.tab = Tab::Rules;
        if !paste.rulesets().is_empty() {
            self.view = View::Rows(Order::Walked);
            self.take(paste);
            return true;
        }
        self.refused_text = paste.parsed.sources.first().map_or("", |text| text).into();
        self.refused = paste.parsed.diagnostics.clone();
        // `iptables-save` prints nothing where there is nothing: why that may be is what its reader looks for.
        if self.refused.is_empty() {
            let reasons = paste.findings().iter();
            self.refused = reasons.map(|reason| unplaced(reason.says.trim_end_matches(['.', ':']))).collect();
        }
        false
    }

    /// Shows what a link or a file holds.
    fn open(&mut self, shared: Result<Option<Shared>, Broken>) {
        match shared {
            Ok(Some(shared)) => self.show(&shared),
            Ok(None) => {}
            Err(broken) => self.refuse(broken.to_string()),
        }
    }

    fn show(&mut self, shared: &Shared) {
        if !self.accept(Paste::shared(&shared.text, shared.host.clone())) {
            return;
        }
        for (lane, packet) in self.lanes.iter_mut().zip(&shared.packets) {
            let mut past = self.paste.past.iter().map(|past| &past.scenario);
            *lane = Lane::of(packet, past.find(|scenario| scenario.packet == *packet).map(|scenario| scenario.key));
        }
        self.compare = shared.packets.len() != 1;
        self.split.clear();
        self.settled = shared.settled.iter().filter_map(|settled| settled.place(self.paste.rulesets())).collect();
        self.view = match &*shared.view {
            "saved" => View::Rows(Order::Saved),
            "text" => View::Text,
            _ => View::Rows(Order::Walked),
        };
        self.embed = shared.embed.then(|| Shared { embed: false, ..shared.clone() }.fragment());
        self.walk();
        if let Some(step) = shared.step {
            self.cursor = cursor::go(&self.paths(), 0, Move::To(step));
        }
    }

    /// The same page with something else in it.
    pub(crate) fn with(mut self, shared: &Shared) -> Self {
        self.show(shared);
        self
    }

    /// Whether the same rules and packets are shown: whatever else differs is no work of the reader's.
    pub(crate) fn same_work(&self, other: &Self) -> bool {
        let drafts = self.lanes.iter().zip(&other.lanes).all(|(one, other)| one.draft == other.draft);
        Rc::ptr_eq(&self.paste, &other.paste)
            && drafts
            && self.compare == other.compare
            && self.settled == other.settled
    }

    fn fix(&mut self, fix: &Fix, refused: bool) {
        match (refused, self.paste.fixable()) {
            (true, _) => self.paste(fix.apply(&self.refused_text)),
            (false, Some(text)) => self.take(self.paste.edited(fix.apply(text))),
            (false, None) => {}
        }
    }

    fn refuse(&mut self, message: String) {
        self.refused = vec![unplaced(&message)];
        self.tab = Tab::Rules;
    }

    fn fill(&mut self, key: &str) {
        let side = if self.compare { self.into } else { Side::A };
        let paste = Rc::clone(&self.paste);
        if let Some(scenario) = paste.scenario(key) {
            self.lanes[side as usize] = Lane::of(&scenario.packet, Some(scenario.key));
            self.split.clear();
            self.walk();
        }
    }

    fn write(&mut self, target: Target, field: Field, value: String) {
        match target {
            Target::Both => self.lanes.iter_mut().for_each(|lane| lane.draft.set(field, value.clone())),
            Target::One(side) => {
                // It stays two while it is typed in, also where it comes to equal the other.
                self.split(field);
                self.lanes[side as usize].draft.set(field, value);
            }
        }
        for (side, lane) in [Side::A, Side::B].into_iter().zip(&mut self.lanes) {
            if matches!(target, Target::Both) || target == Target::One(side) {
                lane.wrote();
            }
        }
        self.walk();
    }

    /// Keeps a field two.
    fn split(&mut self, field: Field) {
        if !self.split.contains(&field) {
            self.split.push(field);
        }
    }

    /// Shows what a step of a lesson is about.
    fn stage(&mut self, stage: Stage) {
        let Stage { text, host, packets, at, whole } = stage;
        for (side, lane) in self.lanes.iter_mut().enumerate() {
            if let Some(packet) = packets.get(side).or(packets.first()) {
                *lane = Lane::of(packet, None);
            }
        }
        self.compare = packets.len() > 1;
        self.view = View::Rows(if whole { Order::Saved } else { Order::Walked });
        self.split.clear();
        self.take(Paste::lesson(text, host));
        match at {
            At::Decided => {}
            At::Start => self.cursor = 0,
            At::End => self.cursor = cursor::go(&self.paths(), self.cursor, Move::Last),
            At::Rule(place) => self.jump(place),
            At::Station(hook, table) => {
                let is_there = |step: Step| (step.hook, step.place.at.table) == (hook, table);
                let first = self.paths().first().and_then(|path| path.steps.iter().position(is_there));
                self.cursor = first.unwrap_or(self.cursor);
            }
        }
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

    fn jump(&mut self, place: Place) {
        let mark = self.lead_first().find_map(|(_, walked)| walked.mark(place));
        match mark {
            Some(mark) => {
                self.cursor = mark.step;
                self.unmet = None;
            }
            None => self.unmet = Some(place),
        }
    }

    fn apply(&mut self, action: Action) {
        // Whoever does something else wants to look at it.
        self.playing &= matches!(action, Action::Tick | Action::Held(_));
        match action {
            Action::Paste(text) => self.paste(text),
            // Of no concern to the rules: the lessons listen, too.
            Action::Link(fragment) if fragment.starts_with(lesson::ADDRESS) => {}
            Action::Link(fragment) => self.open(link::read(&fragment)),
            Action::Edit(text) => self.take(self.paste.edited(text)),
            Action::Stage(stage) => self.stage(*stage),
            Action::Sample(place) => {
                self.view = View::Rows(Order::Walked);
                self.take(Paste::sample(place));
            }
            Action::Write(target, field, value) => self.write(target, field, value),
            Action::Split(field) => {
                self.split(field);
            }
            Action::Scenario(key) => self.fill(key),
            Action::Load(packet) => {
                self.lanes[self.lead() as usize] = Lane::of(&packet, None);
                self.split.clear();
                self.walk();
            }
            // Nothing was typed.
            Action::Say(side, None) if self.lanes[side as usize].line.is_none() => {}
            Action::Say(side, text) => {
                self.lanes[side as usize].say(text);
                self.walk();
            }
            Action::Shelf(what) => self.put_aside(what),
            Action::Rule(what) => self.edit(what),
            Action::Undo { redo } => self.undo(redo),
            Action::List(what) => {
                self.opened.apply(what);
                self.arrange();
            }
            Action::Choose(choices) => {
                self.choices = choices;
                self.tell();
            }
            Action::Into(side) => self.into = side,
            Action::Settle(place, matches) => self.settle(place, matches),
            Action::Swap => {
                self.lanes.swap(0, 1);
                self.arrive();
            }
            Action::Compare => {
                self.compare = !self.compare;
                self.arrive();
            }
            Action::Go(to) => {
                self.cursor = cursor::go(&self.paths(), self.cursor, to);
                self.unmet = None;
                self.line = None;
                self.edit(editing::Do::Choose(None));
            }
            Action::GoTo(place) => self.go_to(place),
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
            Action::Tab(tab) => self.tab = tab,
            Action::Help(open) => self.help = open,
            Action::Shortcuts(on) => self.shortcuts = on,
            Action::Held(held) => self.held = held,
            Action::Share(open) => self.share = open,
            Action::Refuse(why) => self.refuse(why),
            Action::Play(playing) => {
                // From the start again, where there is nothing left to play.
                if playing && self.cursor + 1 >= self.steps() {
                    self.cursor = 0;
                }
                self.playing = playing;
            }
            Action::Tick => {
                self.cursor = cursor::go(&self.paths(), self.cursor, Move::Forward);
                self.playing &= self.cursor + 1 < self.steps();
            }
        }
    }
}

impl Reducible for State {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        if self.embed.is_some() && !matches!(action, Action::Link(_)) {
            let mut state = State::clone(&self);
            state.apply(action);
            // Within another page nothing is changed.
            return if state.same_work(&self) { Rc::new(state) } else { self };
        }
        let mut state = Rc::unwrap_or_clone(self);
        let changes = !matches!(action, Action::Undo { .. } | Action::Go(_) | Action::Held(_));
        let before = changes.then(|| (history::typing(&action), state.snapshot()));
        state.apply(action);
        if let Some((typing, before)) = before {
            let after = state.snapshot();
            state.history.keep(typing, before, &after);
        }
        Rc::new(state)
    }
}

/// What a text holds that is a file of this page's, or a link to it.
fn given(text: &str) -> Option<Result<Shared, Broken>> {
    let link = text.trim();
    if let Some((_, fragment)) = link.split_once('#').filter(|(page, _)| page.contains("://"))
        && link.len() <= 2 * link::MOST
        && !link.contains(char::is_whitespace)
    {
        return link::read(fragment).transpose();
    }
    Shared::from_file(text)
}

/// A remark on a text as a whole.
fn unplaced(message: &str) -> Diagnostic {
    let (severity, span) = (Severity::Error, Span::default());
    Diagnostic { severity, source: 0, line: 1, column: 1, span, message: message.into(), hint: None, fixes: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paste::Origin;
    use chainwalk_core::edit::Edit;
    use chainwalk_core::explain::Fate;

    fn after(actions: impl IntoIterator<Item = Action>) -> Rc<State> {
        actions.into_iter().fold(Rc::default(), State::reduce)
    }

    fn fates(state: &State) -> Vec<Fate> {
        state.walks().map(|(_, walked)| walked.headline.fate).collect()
    }

    #[test]
    fn it_opens_with_the_app_and_uid_1337_compared_where_they_part() {
        let state = State::default();
        assert_eq!(fates(&state), [Fate::Captured, Fate::Direct]);
        assert_eq!((state.part, state.cursor, state.steps()), (Some(4), 4, 12));
        assert_eq!(state.differences(), [Field::Uid]);
        assert_eq!((state.name(Side::A), state.name(Side::B)), ("uid 1000".into(), "uid 1337".into()));
    }

    #[test]
    fn a_rule_that_cannot_be_told_is_settled_and_left_open_again() {
        let rules = "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m limit -j DROP\nCOMMIT\n";
        let open = after([Action::Paste(rules.into())]);
        assert_eq!(fates(&open), [Fate::Unknown; 2]);
        let place = open.walked(Side::A).and_then(|walked| walked.first_doubt()).expect("rule 1 cannot be told");
        let settled = Rc::clone(&open).reduce(Action::Settle(place, Some(true)));
        assert_eq!(fates(&settled), [Fate::Dropped; 2]);
        let other = settled.reduce(Action::Settle(place, Some(false)));
        assert_eq!(fates(&other), [Fate::Direct; 2]);
        let again = Rc::clone(&other).reduce(Action::Settle(place, None));
        assert_eq!(fates(&again), [Fate::Unknown; 2]);
        assert_eq!(other.reduce(Action::Paste(rules.into())).settled, []);
    }

    #[test]
    fn a_field_walks_again_at_once_and_stays_two_while_it_is_typed_in() {
        let write = |text: &str| Action::Write(Target::One(Side::B), Field::Uid, text.into());
        let state = after([write("1000")]);
        assert_eq!(fates(&state), [Fate::Captured, Fate::Captured]);
        assert!(state.part.is_none() && state.differs(Field::Uid));
        let state = after([write("x")]);
        assert_eq!(fates(&state), [Fate::Captured], "B is incomplete, A still walks");
        let state = after([Action::Write(Target::Both, Field::Protocol, "udp".into())]);
        assert_eq!(fates(&state), [Fate::Direct, Fate::Direct]);
    }

    #[test]
    fn a_link_is_opened_and_a_broken_one_said() {
        let text = "*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n";
        let state = after([Action::Link(link::fragment(text))]);
        assert_eq!((state.paste.editable(), &state.refused[..]), (Some(text), &[][..]));
        assert_eq!(after([Action::Link(String::new())]).paste.origin, Origin::Sample(0));
        for broken in ["#1damaged", "#9", "#pane-rules"] {
            let state = after([Action::Link(broken.into())]);
            assert_eq!((state.refused.len(), &state.paste.origin), (1, &Origin::Sample(0)), "{broken}");
        }
    }

    #[test]
    fn a_useless_paste_is_said_and_keeps_the_rules() {
        for text in ["", "hello", "{", "{}"] {
            let state = after([Action::Paste(text.into())]);
            assert!(!state.refused.is_empty(), "{text}");
            let reasons = state.refused.iter().any(|remark| remark.message.contains("istio-cni"));
            assert_eq!(reasons, text.is_empty(), "{text}");
            assert_eq!(fates(&state), [Fate::Captured, Fate::Direct], "{text}");
        }
        assert_eq!(after([Action::Paste("x".into()), Action::Sample(1)]).refused, []);
    }

    #[test]
    fn an_edit_that_a_remark_offers_is_made_in_the_text_it_is_about() {
        let fix = |remarks: &[Diagnostic], refused| {
            let fix = remarks.iter().find_map(|remark| remark.fixes.first());
            Action::Fix(fix.expect("an edit is offered").clone(), refused)
        };
        // Which table these are of cannot be told, so the text is not taken.
        let state = after([Action::Paste("-A OUTPUT -p tcp -j DROP\nCOMMIT\n".into())]);
        let state = Rc::clone(&state).reduce(fix(&state.refused, true));
        assert_eq!(
            (state.paste.editable(), &state.refused[..]),
            (Some("*raw\n-A OUTPUT -p tcp -j DROP\nCOMMIT\n"), &[][..])
        );
        let state = Rc::clone(&state).reduce(fix(&state.paste.parsed.diagnostics, false));
        assert_eq!(state.paste.parsed.diagnostics, []);
        assert_eq!(fates(&state), [Fate::Dropped; 2]);
    }

    #[test]
    fn an_own_paste_fills_scenarios_in_again() {
        let dump = "*nat\n:OUTPUT ACCEPT [0:0]\n:PROXY_INIT_REDIRECT - [0:0]\n\
                    -A OUTPUT -m owner --uid-owner 2102 -j RETURN\n-A OUTPUT -p tcp -j REDIRECT --to-ports 4140\nCOMMIT\n";
        let state = after([Action::Paste(dump.into())]);
        assert_eq!(state.lane(Side::B).draft.get(Field::Uid), "2102");
        assert_eq!(fates(&state), [Fate::Captured, Fate::Direct]);
    }

    #[test]
    fn a_flip_can_be_applied_and_does_what_it_says() {
        let state = State::default();
        let told = state.told.clone().expect("B is complete");
        let found = told.flips.as_ref().expect("its end is certain");
        let flips = |change: &chainwalk_core::flip::Change| match change {
            chainwalk_core::flip::Change::Field(_, packet) => Some(Action::Load(packet.clone())),
            chainwalk_core::flip::Change::Gone(place) => {
                Some(Action::Rule(editing::Do::Edit(chainwalk_core::edit::Edit::Delete(*place))))
            }
            chainwalk_core::flip::Change::Value(..) => None,
        };
        let actions: Vec<(Action, _)> =
            found.offered.iter().filter_map(|flip| Some((flips(&flip.change)?, flip.verdict.clone()))).collect();
        assert!(actions.iter().any(|(action, _)| matches!(action, Action::Rule(_))), "{actions:?}");
        for (action, verdict) in actions {
            let state = after([action.clone()]);
            let walked = state.walked(Side::B).expect("it is complete");
            let end = walked.path().verdict.as_ref().map(|end| (end.kind, end.port));
            assert_eq!(end, Some((verdict.kind, verdict.port)), "{action:?}");
        }
    }

    #[test]
    fn nothing_is_said_to_change_an_end_that_is_not_known() {
        let dump = "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m set --match-set blocked dst -j DROP\nCOMMIT\n";
        let state = after([Action::Paste(dump.into())]);
        assert_eq!(state.told.as_ref().expect("B is complete").flips, None);
    }

    #[test]
    fn the_journey_follows_the_choice() {
        let own = Choices { endpoint: Some(([10, 244, 1, 5].into(), 443)) };
        let state = after([Action::Swap]);
        assert_eq!(state.told.as_ref().expect("complete").journey.legs.len(), 2);
        let state = Rc::clone(&state).reduce(Action::Choose(own));
        assert_eq!(state.told.as_ref().expect("complete").journey.legs.len(), 3);
    }

    #[test]
    fn a_rule_leads_to_its_step_or_is_said_to_be_unmet() {
        let state = State::default();
        let place = |rule| Place { rule: Some(rule), ..state.current()[0].1 };
        let state = after([Action::GoTo(place(8))]);
        assert_eq!((state.cursor, state.unmet), (9, None));
        let alone = [Action::Swap, Action::Compare, Action::GoTo(place(8))];
        let state = after(alone);
        assert_eq!((state.unmet, state.cursor), (Some(place(8)), 4), "uid 1337 alone never meets rule 9");
    }

    #[test]
    fn a_rule_is_changed_in_place_and_the_way_back_is_kept() {
        let state = State::default();
        let at = state.current()[0].1.at;
        let rule = |rule| Place { at, rule: Some(rule) };
        let edit = |edit| Action::Rule(editing::Do::Edit(edit));
        let off = after([edit(Edit::Off(rule(3)))]);
        // Rule 7 lets group 1337 out only, so uid 1337 is captured now.
        assert_eq!(fates(&off), [Fate::Captured, Fate::Captured]);
        assert!(off.is_edited() && off.paste.host_known == state.paste.host_known);
        assert!(off.rows.iter().any(|row| matches!(row, Row::Off(..))));
        let back = Rc::clone(&off).reduce(Action::Undo { redo: false });
        assert_eq!(fates(&back), [Fate::Captured, Fate::Direct]);
        assert!(!back.is_edited() && !back.history.can(false) && back.history.can(true));
        let again = back.reduce(Action::Undo { redo: true });
        assert_eq!(fates(&again), [Fate::Captured, Fate::Captured]);
        let on = again.reduce(edit(Edit::On(0, 0)));
        assert_eq!(fates(&on), [Fate::Captured, Fate::Direct]);
        assert_eq!(on.paste.parsed.sources, state.paste.parsed.sources);

        let choose = |place| Action::Rule(editing::Do::Choose(Some(place)));
        let form = |form| Action::Rule(editing::Do::Open(Some(form)));
        let words = |words: &str| Action::Rule(editing::Do::Words(words.into()));
        let changed =
            after([choose(rule(3)), form(editing::Form::Change), words("-m owner --uid-owner 1000 -j RETURN")]);
        assert_eq!(fates(&changed), [Fate::Direct, Fate::Captured]);
        let refused = after([choose(rule(3)), form(editing::Form::Below), words("-j NOWHERE")]);
        assert!(refused.editing.refused.is_some() && refused.editing.form.is_some() && !refused.is_edited());
        let export = |kind| Action::Rule(editing::Do::Export(Some(kind)));
        let written =
            Rc::clone(&changed).reduce(export(editing::Export::Commands)).editing.export.clone().expect("asked for");
        assert_eq!(&*written.1, "iptables -t nat -R ISTIO_OUTPUT 4 -m owner --uid-owner 1000 -j RETURN\n");
        let save = changed.reduce(export(editing::Export::Save)).editing.export.clone().expect("asked for");
        assert!(save.1.contains("\n-A ISTIO_OUTPUT -m owner --uid-owner 1000 -j RETURN\n"), "{}", save.1);
    }

    #[test]
    fn typing_is_one_step_back_and_another_field_another() {
        let write = |field, text: &str| Action::Write(Target::One(Side::B), field, text.into());
        let state = after([write(Field::Uid, "1"), write(Field::Uid, "10"), write(Field::Gid, "7"), Action::Compare]);
        let mut seen = Vec::new();
        let mut state = state;
        while state.history.can(false) {
            state = state.reduce(Action::Undo { redo: false });
            let draft = &state.lane(Side::B).draft;
            seen.push((draft.get(Field::Uid).to_owned(), draft.get(Field::Gid).to_owned()));
        }
        let pair = |uid: &str, gid: &str| (uid.to_owned(), gid.to_owned());
        assert_eq!(seen, [pair("10", "7"), pair("10", "1000"), pair("1337", "1000")]);
        assert_eq!(state.lane(Side::B).scenario, Some("as-proxy"));
    }

    #[test]
    fn a_line_and_the_fields_keep_step() {
        let say = |text: &str| Action::Say(Side::B, Some(text.into()));
        let state = after([say("tcp > 1.1.1.1:443 uid 5 out")]);
        let lane = state.lane(Side::B);
        assert_eq!((lane.draft.get(Field::Uid), lane.draft.get(Field::Gid)), ("5", "5"));
        assert_eq!(lane.says(), "tcp > 1.1.1.1:443 uid 5 out", "as typed, while it is typed");
        let left = Rc::clone(&state).reduce(Action::Say(Side::B, None));
        assert_eq!(left.lane(Side::B).says(), "tcp > 1.1.1.1:443 uid 5 gid 5 out");
        let wrote = state.reduce(Action::Write(Target::One(Side::B), Field::Dport, "80".into()));
        assert_eq!(wrote.lane(Side::B).says(), "tcp > 1.1.1.1:80 uid 5 gid 5 out");
        let wrong = wrote.reduce(say("tcp > 1.1.1.1:80 uid"));
        assert!(wrong.walked(Side::B).is_none() && wrong.lane(Side::B).mistake.is_some());
        let stays = wrong.reduce(Action::Say(Side::B, None));
        assert_eq!(stays.lane(Side::B).says(), "tcp > 1.1.1.1:80 uid");
        assert!(stays.reduce(say("tcp > 1.1.1.1:80 uid 7")).walked(Side::B).is_some());
    }

    #[test]
    fn packets_are_set_aside_and_follow_the_rules() {
        let put = |what| Action::Shelf(what);
        let state = after([put(shelf::Do::Add(Side::A)), put(shelf::Do::Add(Side::B)), put(shelf::Do::Add(Side::B))]);
        let fates = |state: &State| state.shelf.iter().map(|kept| kept.fate).collect::<Vec<_>>();
        assert_eq!(fates(&state), [Fate::Captured, Fate::Direct], "each once");
        let other = Rc::clone(&state).reduce(Action::Paste("*filter\n:OUTPUT DROP [0:0]\nCOMMIT\n".into()));
        assert_eq!(fates(&other), [Fate::Dropped, Fate::Dropped]);
        let loaded = Rc::clone(&state).reduce(put(shelf::Do::Load(1, Side::A)));
        assert_eq!(loaded.differences(), []);
        let gone = loaded.reduce(put(shelf::Do::Remove(0)));
        assert_eq!(fates(&gone), [Fate::Direct]);
        assert_eq!(fates(&gone.reduce(Action::Undo { redo: false })), [Fate::Captured, Fate::Direct]);
    }

    #[test]
    fn it_plays_to_the_end_until_something_else_is_done() {
        let playing = after([Action::Go(Move::Last), Action::Play(true)]);
        assert_eq!((playing.cursor, playing.playing), (0, true), "from the start again");
        let end = (0..11).fold(Rc::clone(&playing), |state, _| state.reduce(Action::Tick));
        assert_eq!((end.cursor, end.playing), (11, false));
        let moved = playing.reduce(Action::Go(Move::Forward));
        assert_eq!((moved.cursor, moved.playing), (1, false));
    }

    #[test]
    fn every_sample_walks_every_scenario() {
        // Those of a mesh: a node's rules take minutes where nothing is optimized.
        for sample in 0..6 {
            let state = after([Action::Sample(sample)]);
            for past in &state.paste.past {
                let state = Rc::clone(&state).reduce(Action::Scenario(past.scenario.key));
                assert_eq!(state.walks().count(), 2, "{sample}: {}", past.scenario.key);
            }
        }
    }
}
