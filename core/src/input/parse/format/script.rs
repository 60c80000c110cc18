//! Scripts of iptables commands: the text is run as a shell would run it, up to what only a real
//! run determines.

use std::collections::HashSet;

use crate::input::section::Format;

use super::super::fragment::{Fragment, Lines};
use super::super::line_kind::LineKind;
use super::super::reading::{FormatReader, Reading};

mod arithmetic;
mod assignment;
mod braces;
mod lexer;
mod run;
pub(in super::super) mod script_state;
mod shell;
mod syntax;
mod test_command;
mod variables;

use shell::{calls, depth_change, function_name, heredoc, is_shell};

pub(super) const READER: FormatReader = FormatReader {
    format: Format::Commands,
    find_end,
    read,
};

/// The most lines between two commands of one script.
const MAX_LINES_BETWEEN_COMMANDS: usize = 30;
/// The most lines between two commands of one function or condition.
const MAX_LINES_IN_STRUCTURE: usize = 300;
/// The most lines after the last command, such as calls of functions.
const MAX_LINES_AFTER_COMMANDS: usize = 100;
/// The most lines before a script that are searched for the names of functions.
const MAX_LINES_BEFORE_COMMANDS: usize = 300;

/// The last command of a script that begins at a line.
fn find_end(lines: &Lines, first: usize) -> Option<usize> {
    let line = lines.get(first);
    if !matches!(
        LineKind::from_line(line),
        LineKind::Other | LineKind::Comment
    ) || !calls(line)
    {
        return None;
    }
    let before = first.saturating_sub(MAX_LINES_BEFORE_COMMANDS)..first;
    let mut functions: HashSet<&str> = before
        .clone()
        .filter_map(|at| function_name(lines.get(at)))
        .collect();
    let mut depth: isize = 0;
    for at in before {
        depth = (depth + depth_change(lines.get(at))).max(0);
    }
    let (mut last, mut open) = (first, depth);
    let mut at = first;
    let is_near = |at: usize, last: usize, depth: isize| {
        at - last
            <= if depth > 0 {
                MAX_LINES_IN_STRUCTURE
            } else {
                MAX_LINES_BETWEEN_COMMANDS
            }
    };
    while at < lines.len() && is_near(at, last, depth) {
        let line = lines.get(at);
        depth = (depth + depth_change(line)).max(0);
        functions.extend(function_name(line));
        if let Some(end) = heredoc(line).and_then(|word| lines.closing(at, word)) {
            (at, last, open) = (end, end, depth);
        } else if calls(line) {
            // A backslash continues the command on the next line.
            while lines.get(at).ends_with('\\') && at + 1 < lines.len() {
                at += 1;
            }
            (last, open) = (at, depth);
        } else if LineKind::from_line(line).is_sure() {
            break;
        }
        at += 1;
    }
    Some(find_tail(lines, last, open, &functions))
}

/// The last line of a script, which may follow its last command: structures end and functions are
/// called there.
fn find_tail(lines: &Lines, last: usize, mut depth: isize, functions: &HashSet<&str>) -> usize {
    let is_function = |word: &str| functions.contains(word);
    let mut end = last;
    for at in (last + 1..lines.len()).take(MAX_LINES_AFTER_COMMANDS) {
        let line = lines.get(at).trim();
        let is_arm = line.ends_with(";;") || line.ends_with(')') && !line.contains(' ');
        let is_output =
            line.starts_with("echo ") || line.starts_with("sleep ") || line.starts_with("printf ");
        // `"$1"`
        let is_argument = line.starts_with(['$', '"'])
            && line.trim_matches('"').starts_with('$')
            && !line.contains("$ ");
        depth = (depth + depth_change(line)).max(0);
        match LineKind::from_line(line) {
            LineKind::Blank | LineKind::Comment => {}
            _ if is_shell(line, &is_function) || is_arm || is_argument => end = at,
            LineKind::Other if is_output || depth > 0 => {}
            _ => break,
        }
    }
    end
}

/// Runs the lines of a script as a shell would, up to what only a real run determines.
fn read(reading: &mut Reading, fragment: &Fragment) -> String {
    let lines = reading.lines;
    let start = lines.range(reading.next_line.min(fragment.first)).0;
    let (first, end) = (lines.range(fragment.first).0, lines.range(fragment.last).1);
    run::run(reading, (start, end), (first, end));
    String::new()
}
