//! Scrolls a list to the current row.

use web_sys::HtmlElement;
use yew::prelude::*;

use crate::browser;

/// Whenever `changes` changes, scrolls a list as little as needed to show its `[data-chosen]`, or
/// else its `[data-current]`. It scrolls nothing but the list. `covered`: the height in pixels of
/// the sticky headings that cover the list's top.
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
