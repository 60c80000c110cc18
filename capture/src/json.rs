//! Writes a capture as JSON: one line for programs, several for a terminal.

use std::io::{self, Write};

use chainwalk_core::input::capture::Capture;
use chainwalk_core::text::visible::is_invisible;

/// Writes the JSON and a line end. The text is not held in memory, because a capture may take half
/// of the memory that this program may use.
pub(crate) fn write(capture: &Capture, for_terminal: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut escaped = EscapedText(&mut *out);
    match for_terminal {
        true => serde_json::to_writer_pretty(&mut escaped, capture)?,
        false => serde_json::to_writer(&mut escaped, capture)?,
    }
    out.write_all(b"\n")
}

/// Escapes the characters of JSON that a terminal may interpret, such as U+009B. JSON itself
/// escapes only those below U+0020, so a line end here is layout.
struct EscapedText<'a>(&'a mut dyn Write);

impl Write for EscapedText<'_> {
    /// `serde_json` never writes an incomplete character.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        let is_special = |character: char| is_invisible(character) && character != '\n';
        while let Some((at, character)) = rest
            .char_indices()
            .find(|(_, character)| is_special(*character))
        {
            self.0.write_all(&rest.as_bytes()[..at])?;
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(self.0, "\\u{unit:04x}")?;
            }
            rest = &rest[at + character.len_utf8()..];
        }
        self.0.write_all(rest.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_a_terminal_may_obey_are_escaped() {
        let value = serde_json::json!(["a\u{9b}31m ü\u{1b}\\", "x\u{202e}\u{2028}", "\u{e0041}\n"]);
        let mut out = Vec::new();
        serde_json::to_writer(EscapedText(&mut out), &value).expect("a Vec takes any bytes");
        let text = String::from_utf8(out).expect("JSON is UTF-8");
        assert_eq!(
            text,
            r#"["a\u009b31m ü\u001b\\","x\u202e\u2028","\udb40\udc41\n"]"#
        );
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).expect("JSON"),
            value
        );
        let mut out = Vec::new();
        serde_json::to_writer_pretty(EscapedText(&mut out), &value).expect("a Vec takes any bytes");
        assert_eq!(
            String::from_utf8(out)
                .expect("JSON is UTF-8")
                .lines()
                .count(),
            5
        );
    }
}
