//! The progress in the lessons, in the browser's storage.

use chainwalk_session::lesson_progress::Progress;

use crate::browser;

const KEY: &str = "chainwalk.lessons";

/// The progress of earlier visits. A browser without storage has none.
pub(crate) fn load() -> Progress {
    Progress::from_file(&browser::setting(KEY)).unwrap_or_default()
}

/// Stores the progress for the next visit, if the browser allows it.
pub(crate) fn store(progress: &Progress) {
    let file = if progress.is_empty() {
        String::new()
    } else {
        progress.to_file()
    };
    browser::set(KEY, &file);
}
