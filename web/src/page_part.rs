//! The parts of the page. The one that is rendering is noted, because a panic then is its fault.

use std::cell::Cell;

/// A part of the page that can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PagePart {
    /// The content of the link or draft that opens the page.
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
    /// The analysis after the walk: counterfactuals, senders, findings.
    Analysis,
}

impl PagePart {
    /// All parts.
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

    /// Whether the page can show a box in its place.
    pub(crate) fn is_replaceable(self) -> bool {
        !matches!(self, Self::Opening | Self::Lessons | Self::Share)
    }
}

thread_local! {
    static CURRENT: Cell<Option<PagePart>> = const { Cell::new(None) };
}

/// Notes that this part renders from now on.
pub(crate) fn enter(part: impl Into<Option<PagePart>>) {
    CURRENT.set(part.into());
}

/// The last part that began to render.
pub(crate) fn current() -> Option<PagePart> {
    CURRENT.get()
}
