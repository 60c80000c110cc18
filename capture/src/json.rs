//! A capture as JSON text: one line for programs, several for eyes.

use std::io::{self, Write};

use chainwalk_core::input::capture::Capture;
use chainwalk_core::text::visible::is_invisible;

/// Writes the JSON, with a line end after it. Nothing of its size is held: a capture may take half of the memory that this
/// program allows itself.
pub(crate) fn write(capture: &Capture, for_eyes: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut layout = Layout { out, for_eyes, in_string: false, depth: 0, before: ' ' };
    serde_json::to_writer(&mut layout, capture)?;
    out.write_all(b"\n")
}

/// Makes compact JSON safe for a terminal, and for eyes puts line breaks between members.
struct Layout<'a> {
    out: &'a mut dyn Write,
    for_eyes: bool,
    in_string: bool,
    depth: usize,
    /// The last character outside of strings.
    before: char,
}

impl Write for Layout<'_> {
    /// serde_json never writes a part of a character.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // It writes an escape on its own, and leaves no backslash and no quote in what is between them.
        if self.in_string && bytes.first() == Some(&b'\\') {
            return self.out.write(bytes);
        }
        let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        // What stays as it is is written at once.
        let mut rest = text;
        while let Some((at, character)) = rest.char_indices().find(|(_, character)| self.is_special(*character)) {
            self.plain(&rest[..at])?;
            self.special(character)?;
            rest = &rest[at + character.len_utf8()..];
        }
        self.plain(rest)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Layout<'_> {
    fn is_special(&self, character: char) -> bool {
        match character {
            '"' => true,
            '{' | '}' | '[' | ']' | ',' | ':' => !self.in_string,
            _ => is_invisible(character),
        }
    }

    fn plain(&mut self, text: &str) -> io::Result<()> {
        if let Some(last) = text.chars().next_back() {
            if self.for_eyes && !self.in_string && matches!(self.before, '{' | '[') {
                self.line()?;
            }
            self.before = if self.in_string { ' ' } else { last };
            self.out.write_all(text.as_bytes())?;
        }
        Ok(())
    }

    fn special(&mut self, character: char) -> io::Result<()> {
        let in_layout = self.for_eyes && !self.in_string;
        match character {
            // JSON leaves these as they are, and a terminal may obey them. They are within strings only.
            _ if is_invisible(character) => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(self.out, "\\u{unit:04x}")?;
                }
            }
            '}' | ']' if in_layout => {
                self.depth -= 1;
                if !matches!(self.before, '{' | '[') {
                    self.line()?;
                }
                self.write_char(character)?;
            }
            _ => {
                if in_layout && matches!(self.before, '{' | '[') {
                    self.line()?;
                }
                self.write_char(character)?;
                if in_layout {
                    match character {
                        '{' | '[' => self.depth += 1,
                        ',' => self.line()?,
                        ':' => self.write_char(' ')?,
                        _ => {}
                    }
                }
            }
        }
        if character == '"' {
            self.in_string = !self.in_string;
        }
        self.before = if self.in_string { ' ' } else { character };
        Ok(())
    }

    fn write_char(&mut self, character: char) -> io::Result<()> {
        self.out.write_all(character.encode_utf8(&mut [0; 4]).as_bytes())
    }

    fn line(&mut self) -> io::Result<()> {
        self.out.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| self.out.write_all(b"  "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lay_out(value: &serde_json::Value, for_eyes: bool) -> String {
        let mut out = Vec::new();
        let mut layout = Layout { out: &mut out, for_eyes, in_string: false, depth: 0, before: ' ' };
        serde_json::to_writer(&mut layout, value).expect("a Vec takes any bytes");
        String::from_utf8(out).expect("JSON is UTF-8")
    }

    #[test]
    fn what_a_terminal_may_obey_is_escaped() {
        let value = serde_json::json!(["a\u{9b}31m ü\u{1b}\\", "x\u{202e}\u{2028}", "\u{e0041}\n"]);
        let text = lay_out(&value, false);
        assert_eq!(text, r#"["a\u009b31m ü\u001b\\","x\u202e\u2028","\udb40\udc41\n"]"#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("JSON"), value);
    }

    #[test]
    fn for_eyes_it_is_laid_out_as_serde_json_does() {
        let value = serde_json::json!({"a": [], "b": {}, "c": [1, [{"d": "x, {[:\" \\"}], "\\", -2.5, true],
            "e": {"f": null}, "g": "[]"});
        let pretty = serde_json::to_string_pretty(&value).expect("JSON");
        assert_eq!(lay_out(&value, true), pretty);
        assert_eq!(lay_out(&value, false), value.to_string());
    }
}
