//! The draft that a browser keeps: what is shown, as a link holds it.

use gloo::utils::window;

use crate::browser;
use crate::paste::{MOST_EDITED, Origin};
use crate::share;
use crate::state::State;

/// Whether the reader wants drafts kept: `yes`, `no`, or nothing said.
const KEY: &str = "chainwalk.keep";

/// Whether drafts are kept. Pages from the disk share one storage, so those keep one only when
/// asked.
pub(crate) fn keeps() -> bool {
    match &*browser::setting(KEY) {
        "yes" => true,
        "no" => false,
        _ => window()
            .location()
            .protocol()
            .is_ok_and(|protocol| protocol != "file:"),
    }
}

/// Keeps drafts from now on, or none and none that there are.
pub(crate) fn allow(keeps: bool) {
    browser::set(KEY, if keeps { "yes" } else { "no" });
    if !keeps {
        browser::keep("");
    }
}

/// The draft of the last time.
pub(crate) fn draft() -> Option<String> {
    Some(browser::draft()).filter(|draft| keeps() && !draft.is_empty())
}

/// Keeps what is shown.
///
/// # Errors
/// Why not, and what to do.
pub(crate) fn keep(state: &State) -> Result<(), &'static str> {
    let long = state
        .paste
        .parsed
        .sources
        .iter()
        .map(String::len)
        .sum::<usize>()
        > MOST_EDITED;
    // What a lesson shows is no work of the reader's, and takes the place of none.
    let lesson = state.paste.origin == Origin::Lesson;
    if !keeps() || long || lesson || browser::keep(&share::shared(state).fragment()) {
        return Ok(());
    }
    Err(
        "This browser keeps no draft: its storage is full or closed. Share saves your work as a link or a file.",
    )
}
