//! Scripts of iptables commands: what a shell would make of their lines, as far as the text tells.

use crate::input::section::Format;
use crate::netfilter::backend::Backend;
use crate::packet::Family;
use crate::text::diagnostic::{Code, Problem, Span};

use super::super::assemble::Program;
use super::super::fragment::{Fragment, Lines};
use super::super::line_kind::LineKind;
use super::super::reading::{FormatReader, Reading};
use super::super::source_map::MappedText;
use super::restore;

pub(in super::super) mod shell;

use shell::{calls, heredoc};

pub(super) const READER: FormatReader = FormatReader { format: Format::Commands, find_end, read };

/// Lines between two commands of one script.
const MAX_LINES_BETWEEN_COMMANDS: usize = 30;
/// Lines that one command may continue over.
const MAX_CONTINUATION_LINES: usize = 64;

/// The last command of a script that begins at a line.
fn find_end(lines: &Lines, first: usize) -> Option<usize> {
    let line = lines.get(first);
    if !matches!(LineKind::of(line), LineKind::Other | LineKind::Comment) || !calls(line) {
        return None;
    }
    let mut last = first;
    let mut at = first;
    while at < lines.len() && at - last <= MAX_LINES_BETWEEN_COMMANDS {
        let line = lines.get(at);
        if let Some(end) = heredoc(line).and_then(|word| lines.closing(at, word)) {
            (at, last) = (end, end);
        } else if calls(line) {
            // A command goes on after a backslash.
            while lines.get(at).ends_with('\\') && at + 1 < lines.len() {
                at += 1;
            }
            last = at;
        } else if LineKind::of(line).is_sure() {
            break;
        }
        at += 1;
    }
    Some(last)
}

/// Carries out the lines of a script as a shell would, as far as the text tells.
fn read(reading: &mut Reading, fragment: &Fragment) -> String {
    let lines = reading.lines;
    for at in reading.next_line..fragment.first {
        reading.script.follow(lines.get(at));
    }
    let mut at = fragment.first;
    while at <= fragment.last {
        let begin = at;
        let mut end = at;
        while lines.get(end).ends_with('\\') && end < fragment.last && end - begin < MAX_CONTINUATION_LINES {
            end += 1;
        }
        at = end + 1;
        read_line(reading, begin, end);
        if let Some(stop) = heredoc(lines.get(begin)).and_then(|word| lines.closing(begin, word)) {
            let command = lines.get(begin);
            let keeps = command.contains("--noflush") || command.contains(" -n");
            restore::restore(reading, restore_program(command), begin + 1, stop - 1, keeps);
            at = stop + 1;
        }
    }
    String::new()
}

/// The program that a line gives a here-document to.
fn restore_program(command: &str) -> Program {
    let family = if command.contains("ip6tables") { Family::Ipv6 } else { Family::Ipv4 };
    let backend = match command {
        command if command.contains("-legacy-restore") => Some(Backend::Legacy),
        command if command.contains("-nft-restore") => Some(Backend::Nft),
        _ => None,
    };
    Program { family, backend, may_fail: false, is_sure: true }
}

/// Carries out the commands of a line that continues up to another line.
fn read_line(reading: &mut Reading, first: usize, last: usize) {
    let lines = reading.lines;
    let mut whole = MappedText::default();
    for part in first..=last {
        let (start, stop) = lines.range(part);
        let continues = part < last;
        whole.copy(reading.cleaned, start, stop - usize::from(continues));
        if continues {
            whole.put(" ", reading.cleaned.origin(stop - 1), 0);
        }
    }
    for command in reading.script.commands_of(&whole.text) {
        let words = reading.script.expand(&whole, command.words);
        let line = reading.assembler.reports.input_line(&words);
        let may_fail = command.program.may_fail || reading.is_log;
        reading.assembler.run_shell_command(&line, Program { may_fail, ..command.program }, 0);
        if !command.is_sure {
            let message = "the text does not determine whether this command runs; what depends on it is undetermined";
            let problem = Problem::new(Code::ConditionalCommand, message)
                .hint("paste the commands that ran, such as `sh -x` prints them");
            reading.report(first, Span::new(lines.range(first).0, lines.range(last).1), problem);
        }
    }
}
