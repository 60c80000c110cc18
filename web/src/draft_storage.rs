//! The draft in the browser's storage: the work in the form of a link.

use chainwalk_core::share::link;
use chainwalk_session::paste::{MAX_EDITED_BYTES, Origin};
use chainwalk_session::share;
use chainwalk_session::state::State;
use gloo::utils::window;

use crate::browser;

/// Whether the user wants drafts kept: `yes`, `no`, or empty for no choice.
const KEY: &str = "chainwalk.keep";

/// Whether drafts are kept. Pages on the disk share one storage, so they keep drafts only on
/// request.
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

/// Switches drafts on, or switches them off and removes them.
pub(crate) fn enable(keeps: bool) {
    browser::set(KEY, if keeps { "yes" } else { "no" });
    if !keeps {
        browser::keep("");
    }
}

/// The draft of the last visit.
pub(crate) fn load() -> Option<String> {
    Some(browser::draft()).filter(|draft| is_enabled() && !draft.is_empty())
}

/// Stores the shown work.
///
/// # Errors
/// The reason of the failure, and a remedy.
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
    let Some(new) = rules_of_link(link) else {
        return false;
    };
    let old = load().and_then(|draft| rules_of_link(&draft));
    old.is_some_and(|old| old != new)
}

fn rules_of_link(fragment: &str) -> Option<String> {
    let shared = link::read_link(fragment).ok().flatten()?;
    Some(shared.text)
}
