//! Removes text around and within the lines of a dump: prompts, prefixes of logs, colors, borders,
//! quotes of mails, typographic dashes, notes. It removes such text only if the rest must be a line
//! of a dump.

use super::call;
use super::format::listing::is_listing_line;
use super::line_kind::LineKind;
use super::source_map::MappedText;
use crate::iptables::table_name::TableName;

mod escape;
mod glyph;
mod prefix;
mod split;

use prefix::PrefixToken;

/// Longer lines are not cleaned.
const MAX_LINE_LENGTH: usize = 1 << 20;

/// The maximum nesting of logs in logs.
const MAX_DEPTH: u32 = 4;

/// A kind of noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repair {
    Colours,
    Escapes,
    Prefixes,
    Glyphs,
    Newlines,
    Notes,
    TableNames,
}

impl Repair {
    pub(super) const ALL: [Self; 7] = [
        Self::Colours,
        Self::Escapes,
        Self::Prefixes,
        Self::Glyphs,
        Self::Newlines,
        Self::Notes,
        Self::TableNames,
    ];

    /// The repair in words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Colours => "terminal colors were removed",
            Self::Escapes => "text inside quotes, with \\n for its line ends, was unfolded",
            Self::Prefixes => {
                "prompts, log prefixes, borders or quote marks before the rules were left out"
            }
            Self::Glyphs => "typographic dashes, quotes and blanks were read as plain ones",
            Self::Newlines => "rules that stood on one line were read as several",
            Self::Notes => "notes after the rules were removed",
            Self::TableNames => "names of tables that had lost their `*` were read with it",
        }
    }
}

/// The cleaned text, and for each kind of repair its first position and the number of its lines.
#[derive(Debug, Default)]
pub(super) struct Cleaning<'a> {
    pub(super) cleaned: MappedText<'a>,
    pub(super) repairs: [(usize, u32); Repair::ALL.len()],
    /// Whether lines have the times or levels of a log.
    pub(super) logged: bool,
    /// The prefix of the head of a listing. Its rows have the same prefix.
    listing: Option<Vec<PrefixToken>>,
    /// The length of the source.
    length: usize,
}

/// Cleans a text, line by line.
pub(super) fn clean(text: &str) -> Cleaning<'_> {
    let mut clean = Cleaning {
        cleaned: MappedText::from_most_of(text),
        length: text.len(),
        ..Cleaning::default()
    };
    if is_binary(text) {
        clean.cleaned.copy_text(text, 0);
        return clean;
    }
    let mut start = 0;
    while start < text.len() {
        let line = line_at(text, start);
        let end = match wrapped_json_end(text, start) {
            Some(end) => {
                clean.wrapped_line(text, start, end);
                end
            }
            None if is_bare_table_name(line, text, start + line.len()) => {
                clean.bare_table_name(line, start);
                start + line.len()
            }
            None => {
                clean.line(line, start);
                start + line.len()
            }
        };
        start = end;
    }
    clean
}

/// The line that begins at a byte, including its end.
fn line_at(text: &str, start: usize) -> &str {
    let end =
        memchr::memchr(b'\n', &text.as_bytes()[start..]).map_or(text.len(), |end| start + end + 1);
    &text[start..end]
}

/// The maximum number of lines over which a terminal wraps one line of JSON.
const MAX_WRAPPED_LINES: usize = 8;

/// The end of a line of JSON that a terminal has wrapped within a string: after the line that
/// closes the string and the object.
fn wrapped_json_end(text: &str, start: usize) -> Option<usize> {
    let first = line_at(text, start);
    if !first.starts_with("{\"") || !opens_string(first) {
        return None;
    }
    let mut end = start + first.len();
    for _ in 1..MAX_WRAPPED_LINES {
        let next = text
            .get(end..)
            .filter(|rest| !rest.is_empty())
            .map(|_| line_at(text, end))?;
        if next.starts_with('{') {
            return None;
        }
        end += next.len();
        if next.trim_end().ends_with('}') {
            return (!opens_string(&text[start..end])).then_some(end);
        }
    }
    None
}

/// Whether a string of JSON is not closed at the end of a text.
fn opens_string(text: &str) -> bool {
    let mut is_open = false;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => is_open = !is_open,
            b'\\' if is_open => drop(bytes.next()),
            _ => {}
        }
    }
    is_open
}

/// Whether a line is the name of a table without its `*`, followed by lines of a dump.
fn is_bare_table_name(line: &str, text: &str, end: usize) -> bool {
    if line.len() > 16 || TableName::from_text(line.trim()).is_none() {
        return false;
    }
    let next = text
        .get(end..)
        .filter(|rest| !rest.is_empty())
        .map_or("", |_| line_at(text, end));
    matches!(
        LineKind::from_line(next),
        LineKind::Rule(_) | LineKind::Chain(_) | LineKind::NewChain(_)
    )
}

/// A row of a Markdown table that is a line of a listing, with its cells in columns.
fn listing_of_cells(work: &MappedText) -> Option<MappedText<'static>> {
    let text = work.text.trim_end();
    if !text.starts_with('|')
        || !text.ends_with('|')
        || memchr::memchr_iter(b'|', text.as_bytes()).count() < 5
    {
        return None;
    }
    let mut cells = MappedText::default();
    let mut at = 1;
    for cell in text[1..].split('|') {
        let start = at + (cell.len() - cell.trim_start().len());
        let end = start + cell.trim().len();
        if end > start {
            if !cells.text.is_empty() {
                cells.append("  ", work.origin(start), 0);
            }
            cells.copy(work, start, end);
        }
        at += cell.len() + 1;
    }
    is_listing_line(&cells.text).then_some(cells)
}

/// Whether a text is binary. Its noise must not be cleaned, because it is as long as the text. It
/// was read with a replacement character for each invalid byte, and a quarter of it are such
/// characters.
fn is_binary(text: &str) -> bool {
    const SIGN: char = char::REPLACEMENT_CHARACTER;
    memchr::memchr(0, text.as_bytes()).is_some()
        && text.matches(SIGN).count() * SIGN.len_utf8() > text.len() / 4
}

/// Whether a line is a line of a dump without any noise.
fn is_plain(line: &str) -> bool {
    matches!(line.as_bytes().first(), Some(b'-' | b'[' | b':'))
        && line.is_ascii()
        && memchr::memchr3(0x1b, b'#', b'\\', line.as_bytes()).is_none()
        && matches!(
            LineKind::from_line(line),
            LineKind::Rule(_) | LineKind::Chain(_)
        )
        && !(line.starts_with(':') && (line.ends_with([' ', '\t', ',']) || line.contains("tables")))
        && split::next(line).is_none()
        && !line.contains(['<', '`', '|'])
        && memchr::memchr(b'&', line.as_bytes()).is_none()
        && !line.contains("//")
}

impl Cleaning<'_> {
    fn line(&mut self, line: &str, start: usize) {
        let body = line.trim_end_matches(['\n', '\r']);
        if body.is_empty() || line.len() > MAX_LINE_LENGTH || is_plain(body) {
            if body.is_empty() || body.starts_with(':') {
                self.listing = None;
            }
            self.cleaned.copy_text(line, start);
            return;
        }
        let mut work = MappedText::from_text(body, start);
        if body.contains('\u{1b}') || body.contains("\u{241b}[") {
            work = glyph::without_colours(&work);
            self.note(Repair::Colours, start);
        }
        if let Some(plain) = glyph::without_entities(&work) {
            work = plain;
            self.note(Repair::Glyphs, start);
        }
        self.work(work, MAX_DEPTH);
    }

    /// Cleans a line that a terminal has wrapped over several lines.
    fn wrapped_line(&mut self, text: &str, start: usize, end: usize) {
        let mut work = MappedText::default();
        let mut at = start;
        while at < end {
            let line = line_at(text, at);
            work.copy_text(line.trim_end_matches(['\n', '\r']), at);
            at += line.len();
        }
        self.work(work, MAX_DEPTH);
    }

    /// Adds the name of a table with its lost `*`.
    fn bare_table_name(&mut self, line: &str, start: usize) {
        self.note(Repair::TableNames, start);
        let name = line.trim();
        let at = start + (line.len() - line.trim_start().len());
        let mut work = MappedText::default();
        work.append("*", at, 0);
        work.copy_text(name, at);
        let end = work.text.len();
        self.emit(&work, 0, end);
    }

    fn note(&mut self, repair: Repair, at: usize) {
        let (first, count) = &mut self.repairs[repair as usize];
        if *count == 0 {
            *first = at;
        }
        *count += 1;
    }

    fn emit(&mut self, work: &MappedText, start: usize, end: usize) {
        self.cleaned.copy(work, start, end);
        let from = match end.checked_sub(1) {
            Some(last) => work.origin(last) + 1,
            None => work.origin(0),
        };
        // A last line without a line end needs none.
        if from < self.length {
            self.cleaned.end_line(from);
        }
    }

    fn work(&mut self, work: MappedText, depth: u32) {
        let plain = if work.text.is_ascii() {
            None
        } else {
            glyph::plain(&work)
        };
        let candidate = plain.as_ref().unwrap_or(&work);
        if depth > 0
            && let Some(unfolded) = escape::unfold(candidate)
        {
            if depth == MAX_DEPTH {
                self.note(Repair::Escapes, candidate.origin(0));
            }
            let mut start = 0;
            for line in unfolded.text.split('\n') {
                let mut inner = MappedText::default();
                inner.copy(&unfolded, start, start + line.trim_end_matches('\r').len());
                self.work(inner, depth - 1);
                start += line.len() + 1;
            }
            return;
        }
        if let Some(cells) = listing_of_cells(candidate) {
            self.note(Repair::Prefixes, candidate.origin(0));
            let end = cells.text.len();
            return self.emit(&cells, 0, end);
        }
        let text = &candidate.text;
        if let Some((offset, tokens)) = prefix::skip(text) {
            let (begin, end) = (offset, prefix::unwrapped(text, offset, &tokens));
            let listed = matches!(
                LineKind::from_line(&text[begin..end]),
                LineKind::Listed(_) | LineKind::Columns
            );
            if plain.is_some() {
                self.note(Repair::Glyphs, candidate.origin(begin));
            }
            if tokens.iter().any(|token| *token != PrefixToken::Blank) {
                self.note(Repair::Prefixes, candidate.origin(0));
            }
            self.logged |= tokens
                .iter()
                .any(|token| matches!(token, PrefixToken::Time | PrefixToken::Level));
            self.listing = listed.then_some(tokens);
            return self.rules(candidate, begin, end);
        }
        // The rows of a listing have no distinctive form.
        if text.trim().is_empty() {
            self.listing = None;
        } else if prefix::is_fence(text) {
            self.listing = None;
            return self.emit(&work, 0, 0);
        } else if let Some(tokens) = &self.listing {
            let offset = prefix::skip_same(text, tokens);
            let (begin, end) = (offset, prefix::unwrapped(text, offset, tokens));
            return self.emit(&plain.unwrap_or(work), begin, end);
        }
        let (begin, end) = if prefix::is_ruling(text) {
            (0, 0)
        } else {
            (0, work.text.len())
        };
        self.emit(&work, begin, end);
    }

    /// Adds a line that begins like a line of a dump: without notes, and as several lines if it
    /// contains several.
    fn rules(&mut self, work: &MappedText, mut begin: usize, end: usize) {
        let text = &work.text;
        if call::find(&text[begin..end]).is_some() {
            return self.emit(work, begin, end);
        }
        while let Some(next) = split::next(&text[begin..end]).map(|next| begin + next) {
            self.note(Repair::Newlines, work.origin(next));
            self.rule(work, begin, next);
            begin = next;
        }
        self.rule(work, begin, end);
    }

    fn rule(&mut self, work: &MappedText, begin: usize, end: usize) {
        let line = &work.text[begin..end];
        let end = match split::note(line) {
            Some(at) => {
                self.note(Repair::Notes, work.origin(begin + at));
                begin + line[..at].trim_end().len()
            }
            None => begin + line.trim_end().len(),
        };
        self.emit(work, begin, end);
    }
}
