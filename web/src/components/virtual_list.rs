//! A virtual list: only the rows near the visible part are rendered.

use std::ops::Range;

use chainwalk_session::list_window::{ListSize, ListWindow};
use gloo::events::{EventListener, EventListenerOptions};
use gloo::utils::window;
use web_sys::Element;
use yew::prelude::*;

use crate::browser;

/// The gap for rows that are not rendered.
pub(super) fn gap(size: ListSize, rows: usize, key: &'static str) -> Html {
    let style = format!("height:{}px", size.gap_height(rows));
    html! { <div {key} class="gap" {style}></div> }
}

/// The rows to render of the list `node`. Whenever `key` changes, they include `wanted`; otherwise
/// they follow the scroll position. The list has a gap above its rows and another one below them.
#[hook]
pub(super) fn use_virtual_list<K: Clone + PartialEq + 'static>(
    node: &NodeRef,
    size: ListSize,
    key: &K,
    wanted: Option<usize>,
) -> Range<usize> {
    let last = use_mut_ref(ListWindow::<K>::default);
    // The number of scrolls that asked for other rows, and the first row of the last one.
    let scrolled = use_state(|| (0_u32, 0_usize));
    let made = last.borrow_mut().next(size, key, wanted, *scrolled);
    // On a narrow screen the whole page scrolls, not the list.
    use_effect_with((key.clone(), made.clone(), size), {
        let node = node.clone();
        move |(_, made, size)| {
            let (made, size) = (made.clone(), *size);
            let options = EventListenerOptions::run_in_capture_phase();
            let listener =
                EventListener::new_with_options(&window(), "scroll", options, move |_: &Event| {
                    let list = node.cast::<Element>();
                    if let Some(first) = list.and_then(|list| next_first(&list, &made, size)) {
                        scrolled.set((scrolled.0 + 1, first));
                    }
                });
            move || drop(listener)
        }
    });
    made
}

/// The first row to render, if the rendered rows end too near the visible part.
fn next_first(list: &Element, made: &Range<usize>, size: ListSize) -> Option<usize> {
    // It is negative if the rendered rows suffice.
    let top = browser::row(list, made.start, made.end, size.rows, size.row_height);
    size.first_after_scroll(made, usize::try_from(top).ok()?)
}
