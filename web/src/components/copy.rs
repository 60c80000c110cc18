//! A button that copies a field's text and shows the result.

use wasm_bindgen::prelude::Closure;
use yew::prelude::*;

use crate::browser;

#[derive(Properties, PartialEq)]
pub(super) struct CopyProps {
    /// The field's id.
    pub(super) of: &'static str,
}

/// If the browser refuses to copy, the text is selected for Ctrl+C.
#[component]
pub(super) fn Copy(props: &CopyProps) -> Html {
    let says = use_state(|| "");
    let of = props.of;
    let onclick = {
        let says = says.clone();
        Callback::from(move |_: MouseEvent| {
            let says = says.clone();
            let done = Closure::once_into_js(move |copied: bool| says.set(outcome(copied)));
            browser::copy(of, &done);
        })
    };
    html! {
        <>
            <button type="button" class="line" id={format!("{of}-copy")} {onclick}>{"Copy"}</button>
            <span role="status">{" "}{*says}</span>
        </>
    }
}

/// The result in words.
pub(super) fn outcome(copied: bool) -> &'static str {
    if copied {
        "Copied."
    } else {
        "The text is selected. Press Ctrl+C."
    }
}
