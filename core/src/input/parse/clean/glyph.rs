//! Characters that editors, mail programs and terminals insert or replace.

use super::super::source_map::MappedText;

/// Removes the sequences that set a terminal's colors (`ESC [ … letter`, `ESC ] … BEL`).
pub(super) fn without_colours(work: &MappedText) -> MappedText<'static> {
    let mut out = MappedText::default();
    let text = &work.text;
    let mut kept = 0;
    while let Some(at) = text[kept..]
        .find(['\u{1b}', '\u{241b}'])
        .map(|at| kept + at)
    {
        out.copy(work, kept, at);
        kept = at + sequence(&text[at..]);
    }
    out.copy(work, kept, text.len());
    out
}

/// The entities in the source of a web page, and their characters.
const ENTITIES: [(&str, &str); 6] = [
    ("&quot;", "\""),
    ("&#34;", "\""),
    ("&gt;", ">"),
    ("&lt;", "<"),
    ("&#39;", "'"),
    ("&amp;", "&"),
];

/// Replaces the entities of a web page with their characters. `None` for a line with quotes of its
/// own, because an entity may be part of a comment there.
pub(super) fn without_entities(work: &MappedText) -> Option<MappedText<'static>> {
    let text = &work.text;
    if text.contains('"') || !(text.contains("&quot;") || text.contains("&#34;")) {
        return None;
    }
    let mut out = MappedText::default();
    let mut kept = 0;
    for (at, _) in text.match_indices('&') {
        let Some((entity, character)) = ENTITIES
            .iter()
            .find(|(entity, _)| text[at..].starts_with(entity))
        else {
            continue;
        };
        out.copy(work, kept, at);
        out.append(character, work.origin(at), entity.len());
        kept = at + entity.len();
    }
    out.copy(work, kept, text.len());
    Some(out)
}

/// The length of the sequence at the beginning of a text.
fn sequence(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    let ends: fn(char) -> bool = match chars.next() {
        Some((_, '[')) => |c| ('\u{40}'..='\u{7e}').contains(&c),
        Some((_, ']')) => |c| c == '\u{7}' || c == '\\',
        Some((at, c)) => return at + c.len_utf8(),
        None => return text.len(),
    };
    chars
        .find(|(_, c)| ends(*c))
        .map_or(text.len(), |(at, c)| at + c.len_utf8())
}

/// Replaces typographic dashes, quotes and blanks with plain ones, except in quotes. `None` if
/// nothing changes.
pub(super) fn plain(work: &MappedText) -> Option<MappedText<'static>> {
    let text = &work.text;
    let mut out = MappedText::default();
    let (mut kept, mut quote, mut before) = (0, None, ' ');
    for (at, c) in text.char_indices() {
        let rest = &text[at + c.len_utf8()..];
        let new = match (quote, c) {
            (Some(open), _) if c == open || open == '”' && matches!(c, '“' | '”' | '"') => {
                quote = None;
                if c == '"' { None } else { Some("\"") }
            }
            (Some(_), _) => None,
            (None, '"') => {
                quote = Some('"');
                None
            }
            (None, '“' | '”' | '„' | '″' | '＂') => {
                quote = Some('”');
                Some("\"")
            }
            (None, '‘' | '’' | '‚' | '′') => Some("'"),
            (None, '—' | '–' | '―') => Some(dashes(c, before, rest)),
            (None, '‐' | '‑' | '−' | '﹣' | '－') => Some("-"),
            (None, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}') => Some(""),
            (None, c) if c.is_whitespace() && c != '\t' && c != ' ' => Some(" "),
            (None, _) => None,
        };
        before = c;
        if let Some(new) = new {
            out.copy(work, kept, at);
            out.append(new, work.origin(at), c.len_utf8());
            kept = at + c.len_utf8();
        }
    }
    (kept > 0).then(|| {
        out.copy(work, kept, text.len());
        out
    })
}

/// A dash at the start of a word means `--` before a long name and `-` before a letter. A dash
/// within a word means `-`.
fn dashes(dash: char, before: char, rest: &str) -> &'static str {
    let name = rest
        .split(|c: char| !c.is_ascii_alphanumeric())
        .next()
        .unwrap_or_default();
    match name.len() {
        _ if !before.is_whitespace() => "-",
        1 if dash != '—' || rest[1..].starts_with([' ', '\t']) || rest.len() == 1 => "-",
        _ => "--",
    }
}
