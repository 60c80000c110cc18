//! A text made of pieces of another one, with the mapping of positions. Diagnostics about it refer
//! to the text as pasted.

use std::borrow::Cow;

use crate::text::diagnostic::Span;

/// A run of bytes that comes from one place.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// Its start in this text.
    at: u32,
    /// Its start in the source.
    from: u32,
    /// The number of bytes in the source that it replaces. [`COPIED`] means that it is copied byte
    /// for byte.
    width: u32,
}

/// This is not an `Option`, because a text full of noise has a piece for every few bytes.
const COPIED: u32 = u32::MAX;

/// The text and its pieces. The pieces may be in another order than in the source.
#[derive(Debug, Default)]
pub(super) struct MappedText<'a> {
    /// The text is borrowed as long as it equals the beginning of the source.
    pub(super) text: Cow<'a, str>,
    source: &'a str,
    pieces: Vec<Piece>,
    /// Whether it will be about as long as the source.
    long: bool,
    /// Whether its last line lacks a line end that the source lacks, too. The line end is added
    /// only before further text.
    open: bool,
}

fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

impl<'a> MappedText<'a> {
    /// An empty text for a source, most of which may stay as it is.
    pub(super) fn from_source(source: &'a str) -> Self {
        Self {
            text: Cow::Borrowed(""),
            source,
            ..Self::default()
        }
    }

    /// An empty text for a source, nearly all of which will be added. If it cannot be borrowed, its
    /// memory is allocated at once.
    pub(super) fn from_most_of(source: &'a str) -> Self {
        Self {
            long: true,
            ..Self::from_source(source)
        }
    }

    /// A text that begins at byte `from` of the source.
    pub(super) fn from_text(text: &'a str, from: usize) -> Self {
        let piece = Piece {
            at: 0,
            from: narrow(from),
            width: COPIED,
        };
        let pieces = if text.is_empty() {
            Vec::new()
        } else {
            vec![piece]
        };
        Self {
            text: Cow::Borrowed(text),
            pieces,
            ..Self::default()
        }
    }

    /// Adds text that is at byte `from` of the source, or text that the source does not contain.
    fn push(&mut self, text: &str, from: Option<usize>) {
        if let Cow::Borrowed(own) = &mut self.text
            && from == Some(own.len())
            && let Some(longer) = self.source.get(..own.len() + text.len())
            && longer.ends_with(text)
        {
            *own = longer;
            return;
        }
        if let (Cow::Borrowed(own), true) = (&self.text, self.long) {
            // A list that grows by doubling leaves unused memory of its own size.
            let mut room = String::with_capacity(self.source.len());
            room.push_str(own);
            self.text = Cow::Owned(room);
        }
        self.text.to_mut().push_str(text);
    }

    /// Adds the missing end of the last line.
    fn close(&mut self) {
        if std::mem::take(&mut self.open) {
            self.finish_line(self.source.len());
        }
    }

    /// Adds text that is identical at byte `from`.
    pub(super) fn copy_text(&mut self, text: &str, from: usize) {
        self.close();
        let at = narrow(self.text.len());
        self.push(text, Some(from));
        if !text.is_empty() && !self.continues(at, narrow(from)) {
            self.pieces.push(Piece {
                at,
                from: narrow(from),
                width: COPIED,
            });
        }
    }

    /// Adds the end of a line that ends at byte `from`. If the whole line was copied, its end is
    /// copied, too.
    pub(super) fn end_line(&mut self, from: usize) {
        self.close();
        // This is the whole source, which would have to be copied for the line end.
        let all = self.is_source() && from == self.source.len();
        self.open = all && !self.text.is_empty() && !self.text.ends_with('\n');
        if !self.open {
            self.finish_line(from);
        }
    }

    fn finish_line(&mut self, from: usize) {
        let at = narrow(self.text.len());
        self.push("\n", Some(from));
        if !self.continues(at, narrow(from)) {
            self.pieces.push(Piece {
                at,
                from: narrow(from),
                width: 0,
            });
        }
    }

    /// Adds text that replaces `width` bytes at `from`.
    pub(super) fn append(&mut self, text: &str, from: usize, width: usize) {
        self.close();
        let piece = Piece {
            at: narrow(self.text.len()),
            from: narrow(from),
            width: narrow(width),
        };
        if !text.is_empty() {
            self.push(text, None);
            self.pieces.push(piece);
        }
    }

    /// Adds a range of another cleaned text, with its mapping.
    pub(super) fn copy(&mut self, other: &MappedText, start: usize, end: usize) {
        let mut place = other.piece(start);
        let mut at = start;
        while at < end {
            let Some(piece) = other.pieces.get(place) else {
                break;
            };
            let next = other
                .pieces
                .get(place + 1)
                .map_or(other.text.len(), |next| next.at as usize);
            let text = &other.text[at..next.min(end)];
            match piece.width {
                COPIED => self.copy_text(text, piece.from as usize + (at - piece.at as usize)),
                width => self.append(text, piece.from as usize, width as usize),
            }
            (place, at) = (place + 1, next);
        }
    }

    /// Whether text from a position continues the text that was copied last.
    fn continues(&self, at: u32, from: u32) -> bool {
        self.pieces
            .last()
            .is_some_and(|piece| piece.width == COPIED && piece.from + (at - piece.at) == from)
    }

    /// Whether it is identical to a beginning of the source.
    pub(super) fn is_beginning(&self) -> bool {
        matches!(self.text, Cow::Borrowed(_))
    }

    /// Whether it is identical to the source.
    pub(super) fn is_source(&self) -> bool {
        self.is_beginning() && self.text.len() == self.source.len()
    }

    /// The piece that contains a byte.
    fn piece(&self, at: usize) -> usize {
        self.pieces
            .partition_point(|piece| piece.at as usize <= at)
            .saturating_sub(1)
    }

    /// The position of a byte in the source.
    pub(super) fn origin(&self, at: usize) -> usize {
        let Some(piece) = self.pieces.get(self.piece(at)) else {
            return at;
        };
        match piece.width {
            COPIED => piece.from as usize + at.saturating_sub(piece.at as usize),
            _ => piece.from as usize,
        }
    }

    /// The position of the end of a range in the source: one past its last byte.
    fn end_of(&self, end: usize) -> usize {
        let Some(last) = end.checked_sub(1) else {
            return self.origin(0);
        };
        let Some(piece) = self.pieces.get(self.piece(last)) else {
            return end;
        };
        match piece.width {
            COPIED => piece.from as usize + (last - piece.at as usize) + 1,
            width => piece.from as usize + width as usize,
        }
    }

    /// The span in the source that a span comes from. It is always valid there.
    pub(super) fn span(&self, span: Span, source: &str) -> Span {
        let start = floor(source, self.origin(span.start as usize));
        let end = match span.start == span.end {
            true => start,
            false => ceil(source, self.end_of(span.end as usize)).max(start),
        };
        Span::new(start, end)
    }
}

/// The last character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The first character boundary at or after `at`.
fn ceil(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_the_source_lacks_is_added_before_more_text() {
        let mut cleaned = MappedText::from_source("a\nb");
        cleaned.copy_text("a\n", 0);
        cleaned.copy_text("b", 2);
        cleaned.end_line(3);
        assert!(cleaned.is_source());
        cleaned.append("c", 3, 0);
        assert_eq!(cleaned.text, "a\nb\nc");
        assert_eq!(
            [0, 1, 2, 3, 4].map(|at| cleaned.origin(at)),
            [0, 1, 2, 3, 3]
        );
    }

    #[test]
    fn every_place_leads_back() {
        let source = "x —uid y";
        let mut cleaned = MappedText::default();
        cleaned.copy_text("x ", 0);
        cleaned.append("--", 2, 3);
        cleaned.copy_text("uid", 5);
        let back = |cleaned: &MappedText, start, end| {
            cleaned
                .span(Span::new(start, end), source)
                .slice(source)
                .to_owned()
        };
        assert_eq!(cleaned.text, "x --uid");
        assert_eq!(back(&cleaned, 2, 7), "—uid");
        assert_eq!(back(&cleaned, 3, 4), "—");
        let mut again = MappedText::default();
        again.copy(&cleaned, 3, 7);
        again.copy(&cleaned, 0, 1);
        assert_eq!(
            (&*again.text, &*back(&again, 0, 4), &*back(&again, 4, 5)),
            ("-uidx", "—uid", "x")
        );
        assert_eq!(back(&MappedText::default(), 0, 0), "");
    }
}
