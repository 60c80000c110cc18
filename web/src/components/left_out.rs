//! The box in the place of a part of the page that panicked.

use crate::element::{Markup, tag};
use crate::page_part::{self, Part};
use crate::recovery;

/// A part of the page, or the box in its place if it panicked.
pub(super) fn unless_left_out(part: Part, make: impl FnOnce() -> Markup) -> Markup {
    if recovery::is_left_out(part) {
        let says = format!("The {} is left out: it stopped the page.", part.name());
        return tag("section")
            .class("pane left-out")
            .child(tag("p").class("quiet").child(says));
    }
    page_part::enter(part);
    let made = make();
    page_part::enter(None);
    made
}
