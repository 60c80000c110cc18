//! Makes untrusted text visible: control sequences that a terminal would execute, and invisible
//! characters.
//!
//! A comment, a process name or a host name may contain characters that reorder the text around
//! them, that have no width, or that begin a new line. Text for a terminal, a ticket or the
//! clipboard shows their code points: U+202E becomes `<U+202E>`.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character is invisible and may change the appearance of the text around it: control
/// characters, direction marks, line separators, joiners, fillers, selectors and tags.
///
/// Besides control characters and line separators, these are the `Default_Ignorable_Code_Point` of
/// Unicode 16 and the marks of interlinear annotations.
pub fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Escapes one line of text: the code point replaces every invisible character, including line ends
/// and tabs. `a\nb` becomes `a<U+000A>b`.
pub fn escape_invisible(text: &str) -> Cow<'_, str> {
    escape(text, is_invisible)
}

/// Escapes several lines of text. Line ends and tabs stay.
pub fn escape_lines(text: &str) -> Cow<'_, str> {
    escape(text, |character| {
        is_invisible(character) && !matches!(character, '\n' | '\t')
    })
}

/// Escapes every invisible character of a JSON text as JSON does, so that nothing is lost: U+202E
/// becomes `\\u202e`. Blanks and line ends between the values stay.
pub fn escape_json(json: String) -> String {
    let is_escaped =
        |character: char| is_invisible(character) && !matches!(character, '\n' | '\t' | '\r');
    if !json.contains(is_escaped) {
        return json;
    }
    let mut out = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if is_escaped(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(character);
        }
    }
    out
}

fn escape(text: &str, is_named: impl Fn(char) -> bool) -> Cow<'_, str> {
    // The fast path: nearly all text is printable ASCII.
    if !text.contains(&is_named) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_named(character) {
            // Writing to a string cannot fail.
            let _ = write!(out, "<U+{:04X}>", u32::from(character));
        } else {
            out.push(character);
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_are_named() {
        for (text, line, lines) in [
            ("web-1", "web-1", "web-1"),
            ("Grüße 漢字 🦀", "Grüße 漢字 🦀", "Grüße 漢字 🦀"),
            ("a\nb\tc", "a<U+000A>b<U+0009>c", "a\nb\tc"),
            (
                "\u{1b}[31m\r\u{9b}",
                "<U+001B>[31m<U+000D><U+009B>",
                "<U+001B>[31m<U+000D><U+009B>",
            ),
            (
                "x\u{202e}y\u{2066}\u{200b}",
                "x<U+202E>y<U+2066><U+200B>",
                "x<U+202E>y<U+2066><U+200B>",
            ),
            (
                "\u{feff}\u{ad}\u{e0041}\u{2028}",
                "<U+FEFF><U+00AD><U+E0041><U+2028>",
                "<U+FEFF><U+00AD><U+E0041><U+2028>",
            ),
        ] {
            assert_eq!(escape_invisible(text), line, "{text:?}");
            assert_eq!(escape_lines(text), lines, "{text:?}");
        }
    }

    #[test]
    fn json_stays_what_it_says() {
        let text = "a\u{202e}\u{e0041}\u{7f}\u{feff}é\n\"";
        let json = escape_json(serde_json::to_string(text).expect("a text is JSON"));
        assert_eq!(json, r#""a\u202e\udb40\udc41\u007f\ufeffé\n\"""#);
        assert_eq!(
            serde_json::from_str::<String>(&json).ok().as_deref(),
            Some(text)
        );
    }

    #[test]
    fn every_mark_of_direction_is_invisible() {
        let marks = ['\u{61c}']
            .into_iter()
            .chain('\u{200b}'..='\u{200f}')
            .chain('\u{202a}'..='\u{202e}');
        assert!(
            marks
                .chain('\u{2066}'..='\u{2069}')
                .chain('\u{e0001}'..='\u{e007f}')
                .all(is_invisible)
        );
        assert!(!('\u{20}'..='\u{7e}').any(is_invisible));
    }
}
