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
pub(crate) struct View {
    /// The step shown, from 0.
    pub(crate) cursor: usize,
    /// The view of the rules.
    pub(crate) rules: RuleView,
    /// The opened and closed parts of the rule list, and the search.
    pub(crate) opened: Opened,
    /// The selected rule, and its change.
    pub(crate) editing: Editing,
    /// The shown line of the text, and its marked part.
    pub(crate) line: Option<Line>,
    pub(crate) marked: Span,
    /// A requested rule that no packet reaches.
    pub(crate) unmet: Option<Place>,
    /// A requested rule for which the search found no packet.
    pub(crate) untried: Option<Place>,
    /// The part that a narrow screen shows.
    pub(crate) tab: Tab,
    /// The only kind of rows in the table of outcomes; `None` shows all.
    pub(crate) only: Option<OutcomeKind>,
    /// Fields of the form that stay split, even with equal values.
    pub(crate) split: Vec<PacketField>,
    /// The assumed choices of the proxy.
    pub(crate) choices: Choices,
    /// Why the last paste was rejected.
    pub(crate) refused: Vec<Diagnostic>,
    /// The rejected text, which a fix may repair.
    pub(crate) refused_text: Rc<str>,
    /// The open dialog.
    pub(crate) dialog: Option<Dialog>,
    /// Whether single-character shortcuts work.
    pub(crate) shortcuts: bool,
    /// Whether a key is held down. Steps are not announced then.
    pub(crate) held: bool,
    /// Whether the walk is played.
    pub(crate) playing: bool,
    /// In a read-only frame of another page: the fragment that opens the whole page.
    pub(crate) embed: Option<String>,
    /// Whether the address holds the shown work, so that a draft is unnecessary.
    pub(crate) linked: bool,
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
pub(crate) enum Dialog {
    /// Help and keys.
    Help,
    /// Share the work.
    Share,
}

/// The view of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RuleView {
    /// As rows.
    Rows(Order),
    /// As the pasted text.
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
    /// The table of outcomes.
    Outcomes,
}

impl Tab {
    /// All, in order.
    pub(crate) const ALL: [Self; 4] = [Self::Rules, Self::Walk, Self::Packet, Self::Outcomes];

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rules => "Rules",
            Self::Walk => "Walk",
            Self::Packet => "Packet",
            Self::Outcomes => "Outcomes",
        }
    }

    /// Its name, as ids use it.
    pub(crate) fn key(self) -> &'static str {
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
pub(crate) struct Line {
    /// Which text, from 0.
    pub(crate) source: u32,
    /// Which line, from 1.
    pub(crate) line: u32,
}
