//! Recovery after a panic: the page restarts with its rules and packets, and without the part that
//! panicked.
//!
//! A panic ends the WebAssembly program, so a single part cannot be stopped. Each part of the page
//! calls [`page_part::enter`] before it renders. The panic hook takes the part and the work from
//! [`note`]. `static/browser.js` keeps that note in the tab's storage and reloads the page, and
//! [`begin`] reads it.

use std::cell::RefCell;

use chainwalk_session::paste::MAX_EDITED_BYTES;
use chainwalk_session::share;
use chainwalk_session::state::State;
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;

use crate::browser;
use crate::page_part::{self, PagePart};

/// The most restarts without a complete page. After that the page stays stopped.
const MAX_RESTARTS: u64 = 3;

/// The note of an earlier start of the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Restart {
    /// The parts that panicked.
    pub(crate) parts: Vec<PagePart>,
    /// The number of starts since the page was last complete.
    tries: u64,
    /// The rules and packets of the page, as a link; empty before the first state.
    pub(crate) work: String,
    /// The message of the panic; empty if the user restarted the page.
    pub(crate) message: String,
}

impl Restart {
    fn to_note(&self) -> String {
        let parts: Vec<&str> = self.parts.iter().map(|part| part.name()).collect();
        json!({"parts": parts, "tries": self.tries, "work": self.work, "message": self.message})
            .to_string()
    }

    /// Parses such a note; invalid parts are skipped.
    fn from_note(note: &str) -> Self {
        let note: Value = serde_json::from_str(note).unwrap_or_default();
        let [work, message] =
            ["work", "message"].map(|key| note[key].as_str().unwrap_or_default().to_owned());
        let names = note["parts"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let parts =
            names.filter_map(|name| PagePart::ALL.into_iter().find(|part| part.name() == name));
        Self {
            parts: parts.collect(),
            tries: note["tries"].as_u64().unwrap_or(0),
            work,
            message,
        }
    }

    /// The note for the next start of the page, after a panic in a part; `None` if the page stays
    /// stopped.
    fn after_panic(
        &self,
        part: Option<PagePart>,
        work: Option<String>,
        message: &str,
    ) -> Option<Self> {
        let mut parts = self.parts.clone();
        let tries = self.tries + 1;
        match part {
            Some(part) if !parts.contains(&part) => parts.push(part),
            Some(_) => {}
            // No state was shown yet: the page itself cannot start.
            None if work.is_none() => return None,
            // The page starts, but not with this work.
            None if self.tries > 0 && !parts.contains(&PagePart::Opening) => {
                parts.push(PagePart::Opening)
            }
            None => {}
        }
        (tries <= MAX_RESTARTS).then(|| Self {
            parts,
            tries,
            work: work.unwrap_or_default(),
            message: message.into(),
        })
    }
}

thread_local! {
    /// The note that this start of the page read.
    static BEGUN: RefCell<Restart> = RefCell::default();
    /// The newest state, and the newest one that was completely shown.
    static NEWEST: RefCell<Option<State>> = const { RefCell::new(None) };
    static SHOWN: RefCell<Option<State>> = const { RefCell::new(None) };
}

/// Reads the note of an earlier start of this page.
pub(crate) fn begin() -> Restart {
    let restart = Restart::from_note(&browser::restarted());
    BEGUN.replace(restart.clone());
    restart
}

/// Marks the page as complete: a later panic has another cause.
pub(crate) fn settle() {
    BEGUN.with_borrow_mut(|begun| begun.tries = 0);
}

/// Whether a part panicked and is omitted.
pub(crate) fn is_left_out(part: PagePart) -> bool {
    part.is_replaceable() && BEGUN.with_borrow(|begun| begun.parts.contains(&part))
}

/// Notes a state that is not shown yet.
pub(crate) fn note_new(state: &State) {
    NEWEST.replace(Some(state.clone()));
}

/// Notes that a state is completely shown.
pub(crate) fn note_shown(state: &State) {
    page_part::enter(None);
    SHOWN.replace(Some(state.clone()));
}

/// Restarts the page with all parts.
pub(crate) fn start_whole(state: &State) {
    let work = work(state).unwrap_or_default();
    browser::restart(
        &Restart {
            work,
            ..Restart::default()
        }
        .to_note(),
    );
}

/// The user's work as a link; `None` if it is too large for a link, or if the page is in a frame.
fn work(state: &State) -> Option<String> {
    let state = state.own_work();
    let bytes: usize = state.paste().parsed.sources.iter().map(String::len).sum();
    (bytes <= MAX_EDITED_BYTES && state.view.embed.is_none())
        .then(|| share::shared(&state).fragment())
}

/// The note for the next start of the page; empty if the page stays stopped. `static/browser.js`
/// calls it after a panic.
#[wasm_bindgen(js_name = chainwalkNote)]
#[allow(unreachable_pub, reason = "the page calls it")]
pub fn note(message: &str) -> String {
    let part = page_part::current();
    // The last action may have caused the panic, unless a part is omitted.
    let state = if part.is_some_and(PagePart::is_replaceable) {
        &NEWEST
    } else {
        &SHOWN
    };
    let state = state.with_borrow(Option::clone);
    let embedded = state
        .as_ref()
        .is_some_and(|state| state.view.embed.is_some());
    let work = state.as_ref().and_then(work);
    if state.is_some() && work.is_none() && !embedded {
        return String::new();
    }
    let work = if embedded { Some(String::new()) } else { work };
    let next = BEGUN.with_borrow(|begun| begun.after_panic(part, work, message));
    next.map_or_else(String::new, |next| next.to_note())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_comes_back() {
        let restart = Restart {
            parts: vec![PagePart::Map, PagePart::Analysis],
            tries: 2,
            work: "2abc".into(),
            message: "at \"map.rs\"\n".into(),
        };
        assert_eq!(Restart::from_note(&restart.to_note()), restart);
        for damaged in [
            "",
            "no JSON",
            "[]",
            "{\"parts\": 1}",
            "{\"parts\": [\"moon\", 2]}",
        ] {
            assert_eq!(Restart::from_note(damaged), Restart::default(), "{damaged}");
        }
    }

    #[test]
    fn a_page_that_panics_again_and_again_stays_stopped() {
        let work = || Some("2abc".to_owned());
        // Any part may panic, in any order.
        for parts in [
            [None; 5],
            [Some(PagePart::Map); 5],
            [
                Some(PagePart::Map),
                None,
                Some(PagePart::Outcomes),
                None,
                None,
            ],
        ] {
            let mut restart = Some(Restart::default());
            let mut starts = 0;
            for part in parts {
                restart = restart.and_then(|restart| restart.after_panic(part, work(), "why"));
                starts += u64::from(restart.is_some());
            }
            assert_eq!((restart, starts), (None, MAX_RESTARTS));
        }
        // A panic before the first state has no work to restore. A link that panics is ignored.
        assert_eq!(Restart::default().after_panic(None, None, "why"), None);
        let opening = Restart::default().after_panic(Some(PagePart::Opening), None, "why");
        assert_eq!(
            opening.map(|restart| (restart.parts, restart.work)),
            Some((vec![PagePart::Opening], String::new()))
        );
        // A panic without a known part causes one restart with the work. After that the page only
        // offers it.
        let once = Restart::default()
            .after_panic(None, work(), "why")
            .expect("it starts again");
        assert_eq!(once.parts, []);
        let twice = once
            .after_panic(None, work(), "why")
            .expect("it starts without the work");
        assert_eq!(twice.parts, [PagePart::Opening]);
    }
}
