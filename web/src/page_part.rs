//! The parts of the page, and the part that is being made: the one that stopped the page, if it
//! panics.

use std::cell::Cell;

/// A part of the page that can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PagePart {
    /// The link or the draft with which the page opens.
    Opening,
    /// The lessons.
    Lessons,
    /// The list or the text of the rules.
    Rules,
    /// The map.
    Map,
    /// The steps.
    Steps,
    /// The form.
    Packet,
    /// The table of outcomes, and the findings.
    Outcomes,
    /// The dialog to share.
    Share,
    /// The analysis after the walk: counterfactuals, owners, findings.
    Analysis,
}

impl PagePart {
    /// All of them.
    pub(crate) const ALL: [Self; 9] = [
        Self::Opening,
        Self::Lessons,
        Self::Rules,
        Self::Map,
        Self::Steps,
        Self::Packet,
        Self::Outcomes,
        Self::Share,
        Self::Analysis,
    ];

    /// Its name, in a note and in a sentence.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Lessons => "lesson",
            Self::Rules => "list of rules",
            Self::Map => "map",
            Self::Steps => "list of steps",
            Self::Packet => "packet form",
            Self::Outcomes => "table of outcomes",
            Self::Share => "share dialog",
            Self::Analysis => "analysis",
        }
    }

    /// Whether a box can take its place.
    pub(crate) fn is_replaceable(self) -> bool {
        !matches!(self, Self::Opening | Self::Lessons | Self::Share)
    }
}

thread_local! {
    static CURRENT: Cell<Option<PagePart>> = const { Cell::new(None) };
}

/// Notes that this part is made from now on.
pub(crate) fn enter(part: impl Into<Option<PagePart>>) {
    CURRENT.set(part.into());
}

/// The part that was entered last.
pub(crate) fn current() -> Option<PagePart> {
    CURRENT.get()
}
