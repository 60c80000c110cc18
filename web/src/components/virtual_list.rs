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

/// What the last rendering showed. A key changes without another rendering: each key of a search
/// would render its rows twice.
struct Shown<K> {
    key: Option<K>,
    first: usize,
    /// The number of scrolls that it followed.
    scrolls: u32,
}

impl<K> Default for Shown<K> {
    fn default() -> Self {
        Self {
            key: None,
            first: 0,
            scrolls: 0,
        }
    }
}

impl<K: Clone + PartialEq> Shown<K> {
    /// The rows of the next rendering.
    fn next(
        &mut self,
        size: ListSize,
        key: &K,
        wanted: Option<usize>,
        (scrolls, scrolled): (u32, usize),
    ) -> Range<usize> {
        let first = if self.key.as_ref() != Some(key) {
            size.first(self.first, wanted)
        } else if self.scrolls != scrolls {
            scrolled
        } else {
            self.first
        };
        let made = size.range(first);
        *self = Self {
            key: Some(key.clone()),
            first: made.start,
            scrolls,
        };
        made
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
    let shown = use_mut_ref(Shown::<K>::default);
    // The number of scrolls that asked for other rows, and the first row of the last one.
    let scrolled = use_state(|| (0_u32, 0_usize));
    let made = shown.borrow_mut().next(size, key, wanted, *scrolled);
    // On a narrow screen the whole page scrolls, not the list.
    use_effect_with((key.clone(), made.clone(), size), {
        let node = node.clone();
        move |(_, made, size)| {
            let (made, size) = (made.clone(), *size);
            let options = EventListenerOptions::run_in_capture_phase();
            let listener =
                EventListener::new_with_options(&window(), "scroll", options, move |_: &Event| {
                    let list = node.cast::<Element>();
                    if let Some(first) = list.and_then(|list| next_first(&list, made.clone(), size))
                    {
                        scrolled.set((scrolled.0 + 1, first));
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
    use super::{ListSize, Shown};

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
    #[test]
    fn rows_follow_the_scroll_position_until_the_key_changes() {
        let size = ListSize {
            rows: 1000,
            made: 100,
            row_height: 1,
        };
        let mut shown = Shown::default();
        assert_eq!(shown.next(size, &'a', Some(500), (0, 0)), 450..550);
        assert_eq!(shown.next(size, &'a', Some(500), (1, 700)), 700..800);
        assert_eq!(shown.next(size, &'b', Some(10), (1, 700)), 0..100);
        // The earlier scroll position of the first key does not return.
        assert_eq!(shown.next(size, &'a', Some(500), (1, 700)), 450..550);
    }
}
