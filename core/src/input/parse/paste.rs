//! A text that is not a plain dump is cleaned and cut into fragments. The format of each fragment
//! reads it.

use super::assemble::Assembler;
use super::clean::{self, Cleaning, Repair};
use super::format;
use super::fragment::{Fragment, Lines};
use super::fragments::{self, Fragments};
use super::reading::Reading;
use super::source_line::{Input, SourceLine};
use super::{Read, superseded, unsupported_input};
use crate::input::section::{Inside, Section};
use crate::netfilter::backend::Backend;
use crate::packet::Family;
use crate::text::diagnostic::{Code, Problem, Span};

/// The maximum number of lines of a text that is not a plain dump. Cleaning a line takes about half
/// a microsecond, also if the line is empty.
const MAX_LINES: usize = 1 << 20;

/// Reads a text and adds it to the results so far.
pub(super) fn read_paste(
    text: &str,
    source: u32,
    stated: Option<(Family, Option<Backend>)>,
    read: &mut Read,
) {
    let end = end_of_lines(text);
    let Cleaning {
        cleaned,
        repairs,
        logged,
        ..
    } = clean::clean(&text[..end]);
    let lines = Lines::from_text(&cleaned.text);
    let input = Input::new(text);
    let found = fragments::find(&lines);
    let first = read.rulesets.len();

    read.diagnostics.source = source;
    let assembler = Assembler::new(
        &input,
        source,
        stated,
        &mut read.rulesets,
        &mut read.diagnostics,
    );
    let mut reading = Reading::new(&cleaned, &lines, assembler, logged);
    let mut sections = Vec::new();
    for fragment in &found.list {
        let options = format::read(&mut reading, fragment);
        let touched = reading.assembler.take_touched();
        let mut section = section_of(&reading, fragment);
        section.options = options;
        section.listed_chains = reading.listings.take_chains();
        for (place, table) in touched {
            let Some(ruleset) = reading.assembler.rulesets.get(place) else {
                continue;
            };
            (section.family, section.backend) = (ruleset.family, ruleset.backend);
            section.ruleset = u32::try_from(place).ok();
            if !section.tables.contains(&table) {
                section.tables.push(table);
            }
        }
        sections.push(section);
    }
    report_repairs(&mut reading, repairs);
    report_rest(&mut reading, &found, (end < text.len()).then_some(end));
    let made = reading.assembler.finish();
    for (line, span, problem) in unsupported_input::beside(text, &sections, &read.rulesets) {
        read.diagnostics.push(text, line, span, problem);
    }
    read.other_lines += found.other;
    read.sections.append(&mut sections);
    superseded::choose(read, text, source, first, &made);
}

/// The section of a fragment, without the facts that reading it shows.
fn section_of(reading: &Reading, fragment: &Fragment) -> Section {
    let (cleaned, lines, input) = (
        reading.cleaned,
        reading.lines,
        reading.assembler.reports.input,
    );
    let span = cleaned.span(
        Span::new(lines.range(fragment.first).0, lines.range(fragment.last).1),
        input.text,
    );
    let (start, end) = (span.start as usize, span.end as usize);
    let own = input.lines();
    let (first, last) = (
        own.holding(start),
        own.holding(end.saturating_sub(1).max(start)),
    );
    let whole = Span::new(own.range(first).0, own.range(last).1);
    let command = fragment.command.as_ref();
    Section {
        source: reading.assembler.source(),
        span: whole,
        line: input.line_number(start),
        format: fragment.format,
        inside: inside(whole.slice(input.text), fragment, reading.is_log),
        family: command.map_or(Family::Ipv4, |command| command.family),
        backend: command.and_then(|command| command.backend),
        options: String::new(),
        whole_tables: command.is_some_and(|command| !command.in_part),
        tables: Vec::new(),
        listed_chains: Vec::new(),
        ruleset: None,
    }
}

/// The surroundings of a fragment: text without line ends of its own, the prefixes of a log, or
/// nothing.
fn inside(pasted: &str, fragment: &Fragment, logged: bool) -> Inside {
    let ends = memchr::memchr_iter(b'\n', pasted.as_bytes()).count();
    match fragment.last - fragment.first > ends && pasted.contains("\\n") {
        true => Inside::Escaped,
        false if logged => Inside::Log,
        false => Inside::Text,
    }
}

/// Reports each kind of repair once.
fn report_repairs(reading: &mut Reading, repairs: [(usize, u32); Repair::ALL.len()]) {
    let reports = &mut reading.assembler.reports;
    let repaired = Repair::ALL
        .into_iter()
        .zip(repairs)
        .filter(|(_, (_, count))| *count > 0);
    for (repair, (at, count)) in repaired {
        let line = reports.input.line_number(at);
        let range = reports.input.lines().range(line as usize - 1);
        let more = if count > 1 {
            format!(" ({count} lines)")
        } else {
            String::new()
        };
        let problem = Problem::new(Code::RepairedText, format!("{}{more}", repair.words()))
            .hint("check these lines; nothing else was changed");
        reports.at(line, Span::new(range.0, range.1), problem);
    }
}

/// The end of the lines of a text that are read.
fn end_of_lines(text: &str) -> usize {
    let mut ends = memchr::memchr_iter(b'\n', text.as_bytes());
    ends.nth(MAX_LINES - 1).map_or(text.len(), |end| end + 1)
}

/// Reports that the rest of the text is not read. `rest` is the end of the lines that are.
fn report_rest(reading: &mut Reading, found: &Fragments, rest: Option<usize>) {
    if let Some(end) = rest {
        let message = format!("this text has more than {MAX_LINES} lines; the rest is left out");
        let problem =
            Problem::new(Code::PartNotRead, message).hint("paste the output of `iptables-save`");
        let reports = &mut reading.assembler.reports;
        let span = Span::new(end, end);
        reports.at(reports.input.line_number(end), span, problem);
    }
    let Some(rest) = found.rest else { return };
    let message = "this text has more parts with rules than are read; the rest is left out";
    let problem = Problem::new(Code::PartNotRead, message).hint("paste fewer of them at once");
    let line: SourceLine = reading.line(rest);
    let start = line.own_span().start;
    reading
        .assembler
        .reports
        .in_line(&line, Span { start, end: start }, problem);
}
