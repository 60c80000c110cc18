//! The theme: light, dark, or that of the system. The browser stores it, and an attribute of the
//! document passes it to the style sheet.

use gloo::utils::document_element;

use crate::browser;

const KEY: &str = "chainwalk.theme";

/// The chosen theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    /// The theme of the system.
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// The stored choice. A browser without storage has none.
    pub(crate) fn stored() -> Self {
        match &*browser::setting(KEY) {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    /// The next of the three themes.
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

    /// Sets the document's attribute.
    pub(crate) fn show(self) {
        let root = document_element();
        // Neither can fail: the names are valid.
        let _ = match self {
            Self::System => root.remove_attribute("data-theme"),
            Self::Light | Self::Dark => root.set_attribute("data-theme", self.name()),
        };
    }

    /// Stores the choice for the next visit, if the browser allows it.
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
