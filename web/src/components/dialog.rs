//! A dialog that is open or not, as the state says.

use web_sys::HtmlDialogElement;
use yew::prelude::*;

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
pub(super) fn head(id: &'static str, title: &'static str, close: Callback<MouseEvent>) -> Html {
    html! {
        <div class="head">
            <h2 {id}>{ title }</h2>
            <span class="space" />
            <button type="button" class="line" onclick={close}>{ "Close" }</button>
        </div>
    }
}
