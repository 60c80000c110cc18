//! A virtual list: only the rows near the visible part are rendered.

use std::ops::Range;

use gloo::events::{EventListener, EventListenerOptions};
use gloo::utils::window;
use web_sys::Element;
use yew::prelude::*;

use crate::browser;

/// The size of a list and of its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ListSize {
    /// The number of rows.
    pub(super) rows: usize,
    /// The most rows that are rendered.
    pub(super) made: usize,
    /// The height of a row that is not rendered, in pixels.
    pub(super) row_height: usize,
}

impl ListSize {
    /// The first row to render. `wanted`: a row that must be rendered.
    fn first(self, before: usize, wanted: Option<usize>) -> usize {
        match wanted {
            Some(wanted) if !(before..before + self.made).contains(&wanted) => {
                wanted.saturating_sub(self.made / 2)
            }
            Some(_) => before,
            None => 0,
        }
    }

    /// The rows to render, starting at `first`.
    fn range(self, first: usize) -> Range<usize> {
        let first = first.min(self.rows.saturating_sub(self.made));
        first..self.rows.min(first + self.made)
    }

    /// The heights of the gaps for the rows that are not rendered, above and below.
    pub(super) fn gap(self, rows: usize, key: &'static str) -> Html {
        let style = format!("height:{}px", rows * self.row_height);
        html! { <div {key} class="gap" {style}></div> }
    }
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
    // The previous key and first row.
    let last = use_state(|| (None::<K>, 0_usize));
    let first = if last.0.as_ref() == Some(key) {
        last.1
    } else {
        size.first(last.1, wanted)
    };
    let made = size.range(first);
    use_effect_with((key.clone(), made.start), {
        let last = last.clone();
        move |(key, first)| {
            if last.0.as_ref() != Some(key) || last.1 != *first {
                last.set((Some(key.clone()), *first));
            }
        }
    });
    // On a narrow screen the whole page scrolls, not the list.
    use_effect_with((key.clone(), made.clone(), size), {
        let node = node.clone();
        move |(key, made, size)| {
            let (key, made, size) = (key.clone(), made.clone(), *size);
            let options = EventListenerOptions::run_in_capture_phase();
            let listener =
                EventListener::new_with_options(&window(), "scroll", options, move |_: &Event| {
                    let list = node.cast::<Element>();
                    if let Some(first) = list.and_then(|list| next_first(&list, made.clone(), size))
                    {
                        last.set((Some(key.clone()), first));
                    }
                });
            move || drop(listener)
        }
    });
    made
}

/// The first row to render, if the rendered rows end too near the visible part.
fn next_first(list: &Element, made: Range<usize>, size: ListSize) -> Option<usize> {
    let ListSize {
        rows, row_height, ..
    } = size;
    // It is negative if the rendered rows suffice.
    let row = usize::try_from(browser::row(list, made.start, made.end, rows, row_height)).ok()?;
    let first = row.saturating_sub(made.len() / 3);
    let first = size.range(first).start;
    (first != made.start).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::ListSize;

    #[test]
    fn the_made_rows_include_the_wanted_row() {
        let size = |rows| ListSize {
            rows,
            made: 100,
            row_height: 1,
        };
        let range = |rows, before, wanted| size(rows).range(size(rows).first(before, wanted));
        assert_eq!(range(10, 0, None), 0..10);
        assert_eq!(range(1000, 0, Some(50)), 0..100);
        assert_eq!(range(1000, 0, Some(500)), 450..550);
        assert_eq!(range(1000, 450, Some(460)), 450..550);
        assert_eq!(range(1000, 0, Some(999)), 900..1000);
    }
}
