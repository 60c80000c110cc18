//! The rows of a virtual list to render.

use std::ops::Range;

/// The size of a list and of its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListSize {
    /// The number of rows.
    pub rows: usize,
    /// The most rows that are rendered.
    pub made: usize,
    /// The height of a row that is not rendered, in pixels.
    pub row_height: usize,
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

    /// The first row to render after a scroll, if it differs. `top`: the row at the top of the
    /// visible part.
    pub fn first_after_scroll(self, made: &Range<usize>, top: usize) -> Option<usize> {
        let first = self.range(top.saturating_sub(made.len() / 3)).start;
        (first != made.start).then_some(first)
    }

    /// The height of the gap for rows that are not rendered, in pixels.
    pub fn gap_height(self, rows: usize) -> usize {
        rows * self.row_height
    }
}

/// The rows of the last rendering. A key changes without another rendering: each key of a search
/// would render its rows twice.
#[derive(Debug)]
pub struct ListWindow<K> {
    key: Option<K>,
    first: usize,
    /// The number of scrolls that it followed.
    scrolls: u32,
}

impl<K> Default for ListWindow<K> {
    fn default() -> Self {
        Self {
            key: None,
            first: 0,
            scrolls: 0,
        }
    }
}

impl<K: Clone + PartialEq> ListWindow<K> {
    /// The rows of the next rendering. `scrolled`: the number of scrolls that asked for other rows,
    /// and the first row of the last one.
    pub fn next(
        &mut self,
        size: ListSize,
        key: &K,
        wanted: Option<usize>,
        scrolled: (u32, usize),
    ) -> Range<usize> {
        let (scrolls, first_scrolled) = scrolled;
        let first = if self.key.as_ref() != Some(key) {
            size.first(self.first, wanted)
        } else if self.scrolls != scrolls {
            first_scrolled
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

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(rows: usize, before: usize, wanted: Option<usize>) -> Range<usize> {
        let size = ListSize {
            rows,
            made: 100,
            row_height: 1,
        };
        size.range(size.first(before, wanted))
    }

    #[test]
    fn the_made_rows_include_the_wanted_row() {
        assert_eq!(rendered(10, 0, None), 0..10);
        assert_eq!(rendered(1000, 0, Some(50)), 0..100);
        assert_eq!(rendered(1000, 0, Some(500)), 450..550);
        assert_eq!(rendered(1000, 450, Some(460)), 450..550);
        assert_eq!(rendered(1000, 0, Some(999)), 900..1000);
    }

    #[test]
    fn a_scroll_moves_the_made_rows() {
        let size = ListSize {
            rows: 1000,
            made: 100,
            row_height: 20,
        };
        assert_eq!(size.first_after_scroll(&(0..100), 90), Some(57));
        assert_eq!(size.first_after_scroll(&(57..157), 90), None);
        assert_eq!(size.first_after_scroll(&(57..157), 999), Some(900));
        assert_eq!(size.gap_height(57), 1140);
    }

    #[test]
    fn rows_follow_the_scroll_position_until_the_key_changes() {
        let size = ListSize {
            rows: 1000,
            made: 100,
            row_height: 1,
        };
        let mut window = ListWindow::default();
        assert_eq!(window.next(size, &'a', Some(500), (0, 0)), 450..550);
        assert_eq!(window.next(size, &'a', Some(500), (1, 700)), 700..800);
        assert_eq!(window.next(size, &'b', Some(10), (1, 700)), 0..100);
        // The earlier scroll position of the first key does not return.
        assert_eq!(window.next(size, &'a', Some(500), (1, 700)), 450..550);
    }
}
