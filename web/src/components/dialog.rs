//! A dialog whose state decides whether it is open.

use web_sys::HtmlDialogElement;
use yew::prelude::*;

/// Opens and closes the referenced dialog.
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

#[derive(Properties, PartialEq)]
pub(super) struct SwitchProps {
    pub(super) id: &'static str,
    pub(super) checked: bool,
    pub(super) onchange: Callback<Event>,
    pub(super) label: &'static str,
    /// The content after the label.
    #[prop_or_default]
    pub(super) children: Html,
}

/// A checkbox with its label.
#[component]
pub(super) fn Switch(props: &SwitchProps) -> Html {
    html! {
        <label class="switch">
            <input
                type="checkbox"
                id={props.id}
                checked={props.checked}
                onchange={props.onchange.clone()}
            />
            {props.label}
            {props.children.clone()}
        </label>
    }
}

#[derive(Properties, PartialEq)]
pub(super) struct DialogHeadProps {
    /// The id of the title.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) onclose: Callback<MouseEvent>,
}

/// The title of a dialog, and the button that closes it.
#[component]
pub(super) fn DialogHead(props: &DialogHeadProps) -> Html {
    html! {
        <div class="head">
            <h2 id={props.id}>{props.title}</h2>
            <span class="space"></span>
            <button type="button" class="line" onclick={props.onclose.clone()}>{"Close"}</button>
        </div>
    }
}
