//! The lines of a shell script: distinguishes calls of iptables and other commands from prose.

use crate::netfilter::backend::Backend;
use crate::packet::Family;

use super::super::super::call;
use super::assignment::{assignment, is_name};
use super::lexer::MAX_LINE_LENGTH;

/// Whether a line calls iptables to change rules.
pub(in super::super) fn calls(line: &str) -> bool {
    let named = line.contains("tables")
        || line.contains('$')
            && (line.contains(" -j ") || line.to_ascii_lowercase().contains("ipt"));
    if line.len() > MAX_LINE_LENGTH || !named || line.trim_start().starts_with('#') {
        return false;
    }
    simple(line).iter().any(|&(start, end): &(usize, usize)| {
        let command = &line[start..end];
        program(command, &|_| None).is_some() || runs_call(command)
    }) || heredoc(line).is_some()
}

/// Whether a command runs iptables through a program that only the script defines: `$SUDO iptables
/// -A …`, `run iptables -A …`.
fn runs_call(command: &str) -> bool {
    let command = command.trim_start();
    let first = command.split_whitespace().next().unwrap_or_default();
    let is_runner = first.trim_start_matches('"').starts_with('$')
        || matches!(first, "run" | "xargs" | "timeout" | "nice");
    let inner = command
        .find("iptables")
        .or_else(|| command.find("ip6tables"));
    is_runner
        && inner.is_some_and(|at: usize| {
            let start = command[..at]
                .rfind([' ', '\t'])
                .map_or(0, |blank| blank + 1);
            call::find(&command[start..])
                .is_some_and(|call| call.program == call::CalledProgram::Change)
        })
}

/// A call of a simple command: the place of its words, its family and backend. `value` returns the
/// values of variables.
pub(super) fn program(
    text: &str,
    value: &dyn Fn(&str) -> Option<String>,
) -> Option<(usize, Family, Option<Backend>)> {
    let skipped = skip_keywords(text);
    let rest = &text[skipped..];
    if let Some(call) = call::find(rest) {
        let at = skipped + (rest.len() - call.rest.len());
        return (call.program == call::CalledProgram::Change).then_some((
            at,
            call.family,
            call.backend,
        ));
    }
    // `$IPT -t nat …`
    let word = rest.split_whitespace().next()?;
    if !word.trim_start_matches('"').starts_with('$') {
        // `iptables "$@"`
        let (family, backend, kind) = call::named(word)?;
        let arguments = &rest[word.len()..];
        let first = arguments.split_whitespace().next()?;
        let is_open =
            kind.is_empty() && first.starts_with(['-', '$', '"']) && arguments.contains('$');
        return is_open.then_some((skipped + word.len(), family, backend));
    }
    let name = word.trim_matches(['"', '{', '}', '$']);
    let suffix = &rest[word.len()..];
    let lower = name.to_ascii_lowercase();
    let value = value(name);
    let named = value
        .as_deref()
        .map(|value| call::named(value.split_whitespace().next().unwrap_or_default()));
    let (family, backend) = match named {
        Some(named) => named.map(|(family, backend, _)| (family, backend))?,
        // Only the name of the variable shows the program.
        None if lower.starts_with("ipt") || lower.contains("iptables") => (Family::Ipv4, None),
        None if lower.starts_with("ip6t") || lower.contains("ip6tables") => (Family::Ipv6, None),
        // `for cmd in iptables ip6tables; do $cmd -A …`
        None if suffix.trim_start().starts_with('-')
            && (suffix.contains(" -j ") || suffix.contains(" -t ")) =>
        {
            (Family::Ipv4, None)
        }
        None => return None,
    };
    let family = if lower.contains('6') && named.is_none() {
        Family::Ipv6
    } else {
        family
    };
    let changes = call::find(&format!("iptables{suffix}"))
        .is_some_and(|call| call.program == call::CalledProgram::Change);
    changes.then_some((skipped + word.len(), family, backend))
}

/// Skips the shell's keywords before a command.
fn skip_keywords(text: &str) -> usize {
    let mut at = text.len() - text.trim_start().len();
    loop {
        let rest = &text[at..];
        let word = rest.split_whitespace().next().unwrap_or_default();
        let is_keyword = matches!(
            word,
            "then"
                | "do"
                | "fi"
                | "done"
                | "if"
                | "elif"
                | "while"
                | "until"
                | "else"
                | "!"
                | "{"
                | "}"
                | "("
                | ")"
        );
        // `start)`, and `name() {`
        let is_label =
            word.len() > 1 && word.ends_with(')') && !word.contains(['(', '$', '"', '\'', '`']);
        if !is_keyword && !is_label && !word.ends_with("()") {
            return at;
        }
        at += word.len();
        at += text[at..].len() - text[at..].trim_start().len();
    }
}

/// Whether a line begins or ends a condition, a loop or a function. Prose does not count.
fn is_control(line: &str) -> bool {
    let line = line.split(" #").next().unwrap_or_default().trim();
    let first = line.split_whitespace().next().unwrap_or_default();
    let has = |keyword: &str| {
        line.split(';')
            .any(|part| part.split_whitespace().next() == Some(keyword))
    };
    matches!(
        line,
        "then" | "do" | "else" | "fi" | "done" | "esac" | "{" | "}" | ";;"
    ) || matches!(first, "if" | "elif") && (line.ends_with("then") || has("then"))
        || matches!(first, "while" | "until" | "for") && (line.ends_with("do") || has("do"))
        || first == "case" && line.ends_with(" in")
        || first == "done" && line.contains('<')
        || begins_function(line)
}

/// Whether a line begins the body of a function: `start() {`, `function start {`.
fn begins_function(line: &str) -> bool {
    let line = line.trim();
    let (head, has_body) = match line.split_once('{') {
        Some((head, _)) => (head.trim_end(), true),
        None => (line, false),
    };
    match (head.strip_prefix("function "), head.strip_suffix("()")) {
        (Some(name), _) => {
            has_body && is_function_name(name.trim().trim_end_matches("()").trim_end())
        }
        (None, Some(name)) => is_function_name(name.trim_end()),
        (None, None) => false,
    }
}

fn is_function_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b':' | b'.'))
}

/// The commands of a line, separated by `;`, `&&`, `||` and `|`.
fn simple(line: &str) -> Vec<(usize, usize)> {
    let bytes = line.as_bytes();
    let mut list = Vec::new();
    let (mut start, mut at, mut quote) = (0, 0, None);
    while at < bytes.len() {
        let byte = bytes[at];
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(b'"') | None, b'\\') => at += 1,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'#') if at == 0 || bytes[at - 1].is_ascii_whitespace() => {
                list.push((start, at));
                return list;
            }
            (None, b';' | b'|' | b'&') => {
                // `2>&1` and `&>` do not separate commands.
                let joins = byte == b'&'
                    && (at > 0 && bytes[at - 1] == b'>' || bytes.get(at + 1) == Some(&b'>'));
                if !joins {
                    list.push((start, at));
                    at += usize::from(bytes.get(at + 1) == Some(&byte));
                    start = at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    if start < bytes.len() {
        list.push((start, bytes.len()));
    }
    list
}

/// Words that begin a line only in a shell script.
const COMMANDS: [&str; 16] = [
    "break", "continue", "exit", "return", "export", "local", "unset", "set", "source", ".",
    "shift", "readonly", "declare", "[", "[[", "trap",
];

/// Whether a line belongs to a shell script and is not prose. `is_function` returns whether a word
/// names a function.
pub(super) fn is_shell(line: &str, is_function: &dyn Fn(&str) -> bool) -> bool {
    let line = line.trim();
    let first = line.split([' ', '\t', ';']).next().unwrap_or_default();
    let is_sentence = line.ends_with('.') && line.contains(' ');
    is_control(line)
        || is_assignment(line)
        || line.split_once('=').is_some_and(|(name, value)| {
            is_name(name) && value.starts_with(['$', '`', '"', '\'', '('])
        })
        || !is_sentence && (COMMANDS.contains(&first) || is_function(first))
        || calls(line)
}

/// The change of the number of open structures by a line.
pub(super) fn depth_change(line: &str) -> isize {
    let line = line.split(" #").next().unwrap_or_default().trim();
    if !is_control(line) {
        return 0;
    }
    let words = line.split([' ', '\t', ';']).filter(|word| !word.is_empty());
    words
        .map(|word: &str| match word {
            "if" | "case" | "do" | "{" => 1,
            "fi" | "esac" | "done" | "}" => -1,
            _ => 0,
        })
        .sum()
}

/// The name of the function that a line begins.
pub(super) fn function_name(line: &str) -> Option<&str> {
    let line = line.trim();
    let head = line.strip_prefix("function ").unwrap_or(line);
    let name = head.split(['(', ' ', '{']).next().unwrap_or_default();
    let is_function = begins_function(line)
        || line.contains("()") && line[name.len()..].trim_start().starts_with("()");
    (is_function && is_function_name(name)).then_some(name)
}

/// The end word of the here-document that a line passes to iptables-restore.
pub(in super::super) fn heredoc(line: &str) -> Option<&str> {
    if line.len() > MAX_LINE_LENGTH || !line.contains("tables") || !line.contains("-restore") {
        return None;
    }
    let (_, rest) = line.split_once("<<")?;
    let word = rest
        .trim_start_matches(['-', ' '])
        .split(|c: char| c.is_whitespace() || c == '|' || c == ')')
        .next()?;
    let word = word.trim_matches(['"', '\'', '\\']);
    (!word.is_empty() && !word.starts_with('<')).then_some(word)
}

/// Whether a line only assigns a variable.
fn is_assignment(line: &str) -> bool {
    let mut line = line.trim();
    for word in ["export ", "local ", "readonly ", "declare "] {
        line = line.strip_prefix(word).unwrap_or(line).trim_start();
    }
    let Some((name, operator)) = assignment(line) else {
        return false;
    };
    let value = line[name.len() + operator.len()..].split(" #").next();
    let value = value.unwrap_or_default().trim_end().trim_end_matches(';');
    let is_quoted = value
        .strip_prefix(['"', '\''])
        .is_some_and(|inner| inner.ends_with(['"', '\'']));
    // After a blank, a command follows that uses the variable.
    is_quoted || !value.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_parted_as_a_shell_does() {
        let parts = |line: &'static str| -> Vec<&str> {
            simple(line)
                .iter()
                .map(|(start, end)| line[*start..*end].trim())
                .collect()
        };
        assert_eq!(
            parts("a 'x;y' && b || c; d # e"),
            ["a 'x;y'", "b", "c", "d"]
        );
        assert_eq!(parts("a >/dev/null 2>&1"), ["a >/dev/null 2>&1"]);
        assert_eq!(parts("a \\; b"), ["a \\; b"]);
    }

    #[test]
    fn lines_of_a_shell_are_told_from_sentences() {
        let is_function = |word: &str| word == "start";
        for line in [
            "if [ -n \"$X\" ]; then",
            "done < list",
            "start",
            "start eth0",
            "export A=1",
            "up() {",
            "esac",
        ] {
            assert!(is_shell(line, &is_function), "{line}");
        }
        for line in [
            "if you want",
            "for example:",
            "done.",
            "start it like this.",
            "it works",
            "case closed",
        ] {
            assert!(!is_shell(line, &is_function), "{line}");
        }
        assert_eq!(
            function_name("allow() { iptables -A INPUT; }"),
            Some("allow")
        );
    }
}
