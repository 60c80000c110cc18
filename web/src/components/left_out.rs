//! The box that replaces a part of the page that panicked.

use yew::prelude::*;

use crate::page_part::{self, PagePart};
use crate::recovery;

/// A part of the page, or its replacement if it panicked.
pub(super) fn unless_left_out(part: PagePart, make: impl FnOnce() -> Html) -> Html {
    if recovery::is_left_out(part) {
        let says = format!(
            "The {} is left out because it stopped the page.",
            part.name()
        );
        return html! { <section class="pane left-out"><p class="quiet">{says}</p></section> };
    }
    page_part::enter(part);
    let made = make();
    page_part::enter(None);
    made
}
