//! Keeps what is under the cursor in sight.

use web_sys::HtmlElement;
use yew::prelude::*;

use crate::browser;

/// Scrolls a list, and nothing but the list, as little as needed for `[data-chosen]` in it, or else
/// `[data-current]`, to be seen whenever `changes` does. `covered`: how much of the list's top is
/// under headings that stick, in pixels.
#[hook]
pub(super) fn use_follow<C: PartialEq + 'static>(changes: C, covered: u32) -> NodeRef {
    let node = use_node_ref();
    use_effect_with(changes, {
        let node = node.clone();
        move |_| {
            if let Some(list) = node.cast::<HtmlElement>() {
                browser::follow(&list, covered);
            }
        }
    });
    node
}
