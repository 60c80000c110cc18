//! How the page shows the work: nothing of it is part of the work.

use std::rc::Rc;

use chainwalk_core::analysis::journey::Choices;
use chainwalk_core::netfilter::place::Place;
use chainwalk_core::packet::fields::PacketField;
use chainwalk_core::text::diagnostic::{Diagnostic, Span};

use crate::editing::Editing;
use crate::paste::OutcomeKind;
use crate::rows::{Opened, Order};

/// How the page shows the work.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// The step shown, from 0.
    pub(crate) cursor: usize,
    /// How the rules are shown.
    pub(crate) rules: RuleView,
    /// The opened and closed parts of the rule list, and the search.
    pub(crate) opened: Opened,
    /// The rule that is selected, and its change.
    pub(crate) editing: Editing,
    /// The line shown in the text, and the part of it that is marked.
    pub(crate) line: Option<Line>,
    pub(crate) marked: Span,
    /// A rule that was requested and that no packet reaches.
    pub(crate) unmet: Option<Place>,
    /// The same, after a search found no packet for it.
    pub(crate) untried: Option<Place>,
    /// The part that a narrow screen shows.
    pub(crate) tab: Tab,
    /// The only rows of the table of outcomes that are shown; `None` shows all.
    pub(crate) only: Option<OutcomeKind>,
    /// Fields of the form that stay two, though they may be equal.
    pub(crate) split: Vec<PacketField>,
    /// The assumed choices of the proxy.
    pub(crate) choices: Choices,
    /// Why the last paste was rejected.
    pub(crate) refused: Vec<Diagnostic>,
    /// The rejected text: a fix may make it valid.
    pub(crate) refused_text: Rc<str>,
    /// The dialog that is open.
    pub(crate) dialog: Option<Dialog>,
    /// Whether single-character shortcuts work.
    pub(crate) shortcuts: bool,
    /// Whether a key is held down: the step is not announced then.
    pub(crate) held: bool,
    /// Whether the walk is played.
    pub(crate) playing: bool,
    /// In a frame of another page, where nothing can be changed: the fragment that opens the whole
    /// page.
    pub(crate) embed: Option<String>,
    /// Whether the address holds what is shown, so that no draft has to.
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

/// How the rules are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RuleView {
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
