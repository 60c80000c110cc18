//! Light, dark, or as the system says: kept in the browser, and on the document for the style
//! sheet.

use gloo::utils::document_element;

use crate::browser;

const KEY: &str = "chainwalk.theme";

/// The choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the system says.
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// The one that was chosen before. A browser without storage has none.
    pub(crate) fn stored() -> Self {
        match &*browser::setting(KEY) {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    /// The next of the three.
    pub(crate) fn next(self) -> Self {
        match self {
            Self::System => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
        }
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// Puts it on the document.
    pub(crate) fn show(self) {
        let root = document_element();
        // Neither can fail: the names are valid.
        let _ = match self {
            Self::System => root.remove_attribute("data-theme"),
            Self::Light | Self::Dark => root.set_attribute("data-theme", self.name()),
        };
    }

    /// Keeps it for the next visit, where the browser allows that.
    pub(crate) fn store(self) {
        browser::set(
            KEY,
            if self == Self::System {
                ""
            } else {
                self.name()
            },
        );
    }
}
