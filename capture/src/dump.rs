//! Writes the rules as text, for `--text`.
//!
//! People read this text and pipe it to other programs. A comment, a log prefix or a name may
//! contain any characters. Control characters and invisible characters are written as `<U+001B>`. A
//! rule with such a value then differs from the kernel's rule, which the JSON contains. A line
//! break inside quotes is escaped in the same way, because the text after it would look like a
//! rule.

use std::io::{self, Write};

use chainwalk_core::text::visible::is_invisible;

/// Writes a dump. Returns the number of escaped characters.
pub(crate) fn write(text: &str, out: &mut dyn Write) -> io::Result<usize> {
    let mut escaped = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let length = rule_length(rest);
        let (rule, next) = rest.split_at(length);
        let (rule, end) = rule
            .strip_suffix('\n')
            .map_or((rule, ""), |rule| (rule, "\n"));
        escaped += write_rule(rule, out)?;
        out.write_all(end.as_bytes())?;
        rest = next;
    }
    Ok(escaped)
}

/// The length of the first rule, including the line end. A line end within quotes does not count.
fn rule_length(text: &str) -> usize {
    let line = text.find('\n').map_or(text.len(), |end| end + 1);
    let mut bytes = text.bytes().enumerate();
    let mut in_quotes = false;
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => in_quotes = !in_quotes,
            // The save commands escape a quote and a backslash with a backslash.
            b'\\' if in_quotes => drop(bytes.next()),
            b'\n' if !in_quotes => return at + 1,
            _ => {}
        }
    }
    // An unclosed quote is an ordinary character. No other quote follows it, so this scan reaches
    // the end at most once.
    if in_quotes { line } else { text.len() }
}

fn write_rule(mut rule: &str, out: &mut dyn Write) -> io::Result<usize> {
    let mut escaped = 0;
    while let Some((at, character)) = rule
        .char_indices()
        .find(|(_, c)| is_invisible(*c) && *c != '\t')
    {
        out.write_all(&rule.as_bytes()[..at])?;
        write!(out, "<U+{:04X}>", u32::from(character))?;
        rule = &rule[at + character.len_utf8()..];
        escaped += 1;
    }
    out.write_all(rule.as_bytes())?;
    Ok(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str, escaped: usize) {
        let mut out = Vec::new();
        assert_eq!(
            write(text, &mut out).expect("a Vec takes any bytes"),
            escaped,
            "{text:?}"
        );
        assert_eq!(String::from_utf8(out).expect("text"), expected);
    }

    #[test]
    fn a_dump_stays_as_it_is() {
        let text = "*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m comment --comment \"a \\\"b\\\" \\\\\" -j ü\nCOMMIT\n";
        check(text, text, 0);
        check("", "", 0);
        check("half", "half", 0);
    }

    #[test]
    fn no_character_acts_on_a_terminal() {
        check(
            "-A X --comment \"\u{1b}[2J\u{202e}x\"\r\n",
            "-A X --comment \"<U+001B>[2J<U+202E>x\"<U+000D>\n",
            3,
        );
    }

    #[test]
    fn no_value_makes_a_rule_of_its_own() {
        check(
            "-A X --comment \"a\n-A Y -j ACCEPT\" -j DROP\n-A Z\n",
            "-A X --comment \"a<U+000A>-A Y -j ACCEPT\" -j DROP\n-A Z\n",
            1,
        );
        // An unclosed quote is an ordinary character.
        check(
            "-A X --string a\"b\n-A Y\n",
            "-A X --string a\"b\n-A Y\n",
            0,
        );
    }
}
