//! Which part of the page is shown, and how.

use crate::rows::Order;

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
            Self::Past => "Gets past",
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
