//! Keeps what is under the cursor in sight.

use gloo::timers::callback::Timeout;
use web_sys::HtmlElement;
use yew::prelude::*;

/// Scrolls a list, and nothing but the list, as little as needed for `[data-chosen]` in it, or else `[data-current]`, to be seen whenever `changes`
/// does. `covered`: how much of the list's top is under headings that stick.
#[hook]
pub(super) fn use_follow<C: PartialEq + 'static>(changes: C, covered: f64) -> NodeRef {
    let node = use_node_ref();
    use_effect_with(changes, {
        let node = node.clone();
        move |_| {
            // Once the whole page is there: what is rendered after this list decides how high it is.
            let later = Timeout::new(0, move || {
                if let Some(list) = node.cast::<HtmlElement>() {
                    show(&list, covered);
                }
            });
            move || drop(later)
        }
    });
    node
}

fn show(list: &HtmlElement, covered: f64) {
    let find = |what: &str| list.query_selector(what).ok().flatten();
    let Some(row) = find("[data-chosen]").or_else(|| find("[data-current]")) else { return };
    let (seen, row) = (list.get_bounding_client_rect(), row.get_bounding_client_rect());
    let (above, below) = (row.top() - seen.top() - covered, row.bottom() - seen.bottom() + 24.0);
    // Not `clamp`: its panic prints floats, which takes 5 KB of the page.
    let by = if above < 0.0 { above } else { below.max(0.0).min(above) };
    list.set_scroll_top(list.scroll_top() + by.round() as i32);
}
