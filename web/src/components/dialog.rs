//! A dialog that is open or not, as the state says.

use web_sys::HtmlDialogElement;
use yew::prelude::*;

use crate::element::{Markup, button, tag};

/// Opens and closes the dialog that this refers to.
#[hook]
pub(super) fn use_dialog(open: bool) -> NodeRef {
    let node = use_node_ref();
    use_effect_with(open, {
        let node = node.clone();
        move |open| {
            if let Some(dialog) = node.cast::<HtmlDialogElement>() {
                match (open, dialog.open()) {
                    // It fails only where the dialog is not in the document.
                    (true, false) => drop(dialog.show_modal()),
                    (false, true) => dialog.close(),
                    _ => {}
                }
            }
        }
    });
    node
}

/// A box to tick, with what it does.
pub(super) fn switch(
    id: &'static str,
    on: bool,
    act: Callback<Event>,
    says: &'static str,
) -> Markup {
    tag("label")
        .class("switch")
        .child(
            tag("input")
                .attr("type", "checkbox")
                .id(id)
                .checked(on)
                .on("change", act),
        )
        .text(says)
}

/// What stands on top of it.
pub(super) fn head(id: &'static str, title: &'static str, close: Callback<Event>) -> Markup {
    tag("div")
        .class("head")
        .child(tag("h2").id(id).child(title))
        .child(tag("span").class("space"))
        .child(button().class("line").on("click", close).text("Close"))
}
