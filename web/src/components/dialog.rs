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

/// What stands on top of it.
pub(super) fn head(id: &'static str, title: &'static str, close: Callback<Event>) -> Markup {
    tag("div")
        .class("head")
        .child(tag("h2").id(id).child(title))
        .child(tag("span").class("space"))
        .child(button().class("line").on("click", close).text("Close"))
}
