//! A capture as JSON text: one line for programs, several for eyes.

use std::fmt::Write as _;

use chainwalk_core::capture::Capture;

/// The JSON, with a line end behind it.
pub(crate) fn json(capture: &Capture, for_eyes: bool) -> String {
    let text =
        serde_json::to_string(capture).expect("a capture has text keys only, and no value that JSON cannot state");
    let mut out = lay_out(&text, for_eyes);
    out.push('\n');
    out
}

/// Compact JSON, safe for a terminal; for eyes with line breaks between members.
fn lay_out(compact: &str, for_eyes: bool) -> String {
    let mut out = String::with_capacity(compact.len() + 1);
    let (mut in_string, mut escaped, mut depth) = (false, false, 0_usize);
    let mut before = ' ';
    let line = |out: &mut String, depth| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    for character in compact.chars() {
        match character {
            // JSON leaves these as they are, and a terminal may obey them. They stand within strings only.
            '\u{7f}'..='\u{9f}' => write!(out, "\\u{:04x}", u32::from(character)).expect("a String takes any text"),
            _ if in_string || !for_eyes => out.push(character),
            '}' | ']' => {
                depth -= 1;
                if !matches!(before, '{' | '[') {
                    line(&mut out, depth);
                }
                out.push(character);
            }
            _ => {
                if matches!(before, '{' | '[') {
                    line(&mut out, depth);
                }
                out.push(character);
                match character {
                    '{' | '[' => depth += 1,
                    ',' => line(&mut out, depth),
                    ':' => out.push(' '),
                    _ => {}
                }
            }
        }
        match character {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            _ => {}
        }
        before = if in_string { ' ' } else { character };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_may_obey_is_escaped() {
        assert_eq!(lay_out("[\"a\u{9b}31m ü\"]", false), "[\"a\\u009b31m ü\"]");
    }

    #[test]
    fn for_eyes_it_is_laid_out_as_serde_json_does() {
        let value =
            serde_json::json!({"a": [], "b": {}, "c": [1, [{"d": "x, {[:\" \\"}], "\\"], "e": {"f": null}, "g": "[]"});
        let pretty = serde_json::to_string_pretty(&value).expect("JSON");
        assert_eq!(lay_out(&value.to_string(), true), pretty);
        assert_eq!(lay_out(&value.to_string(), false), value.to_string());
    }
}
