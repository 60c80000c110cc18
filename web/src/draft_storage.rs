//! The draft that a browser keeps: what is shown, as a link holds it.

use chainwalk_core::share::link;
use gloo::utils::window;

use crate::browser;
use crate::paste::{MAX_EDITED_BYTES, Origin};
use crate::share;
use crate::state::State;

/// Whether the reader wants drafts kept: `yes`, `no`, or nothing said.
const KEY: &str = "chainwalk.keep";

/// Whether drafts are kept. Pages from the disk share one storage, so those keep one only when
/// asked.
pub(crate) fn is_enabled() -> bool {
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
pub(crate) fn enable(keeps: bool) {
    browser::set(KEY, if keeps { "yes" } else { "no" });
    if !keeps {
        browser::keep("");
    }
}

/// The draft of the last time.
pub(crate) fn load() -> Option<String> {
    Some(browser::draft()).filter(|draft| is_enabled() && !draft.is_empty())
}

/// Keeps what is shown.
///
/// # Errors
/// Why not, and what to do.
pub(crate) fn store(state: &State) -> Result<(), &'static str> {
    let long = state
        .paste()
        .parsed
        .sources
        .iter()
        .map(String::len)
        .sum::<usize>()
        > MAX_EDITED_BYTES;
    // The rules of a lesson are not the user's work, and do not replace it.
    let lesson = state.paste().origin == Origin::Lesson;
    if !is_enabled() || long || lesson || browser::keep(&share::shared(state).fragment()) {
        return Ok(());
    }
    Err(
        "This browser stores no draft: its storage is full or disabled. Share saves your work as a link or a file.",
    )
}

/// Whether a link holds other rules than the draft.
pub(crate) fn is_other_work(link: &str) -> bool {
    let text = |fragment: &str| {
        let shared = link::read_link(fragment).ok().flatten();
        shared.map(|shared| shared.text)
    };
    let Some(new) = text(link) else { return false };
    load().is_some_and(|draft| text(&draft).is_some_and(|old| old != new))
}
