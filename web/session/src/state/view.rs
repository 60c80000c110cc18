//! The view: the way in which the page shows the work. No part of it belongs to the work.

use std::rc::Rc;

use chainwalk_core::analysis::journey::Choices;
use chainwalk_core::netfilter::place::Place;
use chainwalk_core::packet::fields::PacketField;
use chainwalk_core::text::diagnostic::{Diagnostic, Span};

use crate::editing::Editing;
use crate::paste::OutcomeKind;
use crate::rows::{Opened, Order};

/// The view of the work.
#[derive(Clone, Debug)]
pub struct View {
    /// The step shown, from 0.
    pub cursor: usize,
    /// The view of the rules.
    pub rules: RuleView,
    /// The opened and closed parts of the rule list, and the search.
    pub opened: Opened,
    /// The selected rule, and its change.
    pub editing: Editing,
    /// The shown line of the text.
    pub line: Option<Line>,
    /// The marked part of the text.
    pub marked: Span,
    /// A requested rule that no packet reaches.
    pub unmet: Option<Place>,
    /// A requested rule for which the search found no packet.
    pub untried: Option<Place>,
    /// The part that a narrow screen shows.
    pub tab: Tab,
    /// The only kind of rows in the table of outcomes; `None` shows all.
    pub only: Option<OutcomeKind>,
    /// Fields of the form that stay split, even with equal values.
    pub split: Vec<PacketField>,
    /// The assumed choices of the proxy.
    pub choices: Choices,
    /// Why the last paste was rejected.
    pub refused: Vec<Diagnostic>,
    /// The rejected text, which a fix may repair.
    pub(crate) refused_text: Rc<str>,
    /// The open dialog.
    pub dialog: Option<Dialog>,
    /// Whether single-character shortcuts work.
    pub shortcuts: bool,
    /// Whether a key is held down. Steps are not announced then.
    pub held: bool,
    /// Whether the walk is played.
    pub playing: bool,
    /// In a read-only frame of another page: the fragment that opens the whole page.
    pub embed: Option<String>,
    /// Whether the address holds the shown work, so that a draft is unnecessary.
    pub linked: bool,
}

impl Default for View {
    fn default() -> Self {
        Self {
            cursor: 0,
            rules: RuleView::Rows(Order::Walked),
            opened: Opened::default(),
            editing: Editing::default(),
            line: None,
            marked: Span::default(),
            unmet: None,
            untried: None,
            tab: Tab::Rules,
            only: None,
            split: Vec::new(),
            choices: Choices::default(),
            refused: Vec::new(),
            refused_text: "".into(),
            dialog: None,
            shortcuts: true,
            held: false,
            playing: false,
            embed: None,
            linked: true,
        }
    }
}

/// A dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialog {
    /// Help and keys.
    Help,
    /// Share the work.
    Share,
}

/// The view of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleView {
    /// As rows.
    Rows(Order),
    /// As the pasted text.
    Text,
    /// As a text field.
    Edit,
}

/// The part that a narrow screen shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    /// The rules.
    Rules,
    /// The walk.
    Walk,
    /// The packets.
    Packet,
    /// The table of outcomes.
    Outcomes,
}

impl Tab {
    /// All, in order.
    pub const ALL: [Self; 4] = [Self::Rules, Self::Walk, Self::Packet, Self::Outcomes];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rules => "Rules",
            Self::Walk => "Walk",
            Self::Packet => "Packet",
            Self::Outcomes => "Outcomes",
        }
    }

    /// Its name, as ids use it.
    pub fn key(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Walk => "walk",
            Self::Packet => "packet",
            Self::Outcomes => "past",
        }
    }
}

/// A place in one of the texts that were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which text, from 0.
    pub source: u32,
    /// Which line, from 1.
    pub line: u32,
}
