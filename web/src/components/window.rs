//! A part of a long list: enough rows to read, and always those under the cursor.

use std::ops::Range;

/// The rows to show of `count`: at most `most`, from the start, or around `must` where that lies
/// behind.
pub(crate) fn window(count: usize, most: usize, must: Option<usize>) -> Range<usize> {
    let start = match must {
        Some(must) if must >= most => (must - most / 2).min(count.saturating_sub(most)),
        _ => 0,
    };
    start..count.min(start + most)
}

#[cfg(test)]
mod tests {
    use super::window;

    #[test]
    fn it_holds_what_it_must() {
        assert_eq!(window(10, 100, None), 0..10);
        assert_eq!(window(1000, 100, Some(50)), 0..100);
        assert_eq!(window(1000, 100, Some(500)), 450..550);
        assert_eq!(window(1000, 100, Some(999)), 900..1000);
    }
}
