//! Reads the lines that the formats of `iptables-save` and `iptables -S` share. Tables without
//! their `*table` line get a name.

use std::collections::HashSet;
use std::ops::Range;

use crate::input::section::Format;
use crate::iptables::table_name::TableName;
use crate::netfilter::backend::Backend;
use crate::packet::Family;
use crate::text::diagnostic::{Code, Fix, Problem, Span};
use crate::text::print_time::PrintTime;

use super::super::assemble::{Assembler, DumpOrigin, Program};
use super::super::fragment::{Fragment, Lines};
use super::super::guess;
use super::super::line_kind::LineKind;
use super::super::open_table;
use super::super::reading::Reading;
use super::super::source_line::SourceLine;
use super::super::source_map::MappedText;

/// The maximum number of lines that continue one wrapped rule.
const MAX_CONTINUATION_LINES: usize = 8;

/// Whether the first lines of a fragment state counters.
pub(super) fn has_counters(lines: &Lines, fragment: &Fragment) -> bool {
    (fragment.first..=fragment.last).take(40).any(|at| {
        let line = lines.get(at).trim_start();
        line.starts_with('[') || line.contains(" -c ") && fragment.format == Format::Rules
    })
}

/// Reads a fragment in the format of `iptables-save` or `iptables -S`.
pub(super) fn read(reading: &mut Reading, fragment: &Fragment) {
    begin(reading, fragment);
    let (mut first, mut is_named) = (fragment.first, false);
    for at in fragment.first..=fragment.last {
        match LineKind::from_line(reading.lines.get(at)) {
            LineKind::Table(_) => {
                read_table(reading, fragment, is_named, first..at);
                (first, is_named) = (at, true);
            }
            LineKind::Commit => {
                read_table(reading, fragment, is_named, first..at + 1);
                (first, is_named) = (at + 1, false);
            }
            _ => {}
        }
    }
    read_table(reading, fragment, is_named, first..fragment.last + 1);
    // `iptables -S` prints no COMMIT.
    reading
        .assembler
        .end_table(fragment.format == Format::Rules);
}

/// States the origin of a fragment's rules: from its header, otherwise from the command above it,
/// otherwise from an address in it.
fn begin(reading: &mut Reading, fragment: &Fragment) {
    let lines = reading.lines;
    let header = (fragment.first..=fragment.last).find_map(|at| parse_header(lines.get(at).trim()));
    let of_command = fragment.command.as_ref().map(|command| DumpOrigin {
        family: Some(command.family),
        backend: command.backend,
        ..DumpOrigin::default()
    });
    let range = (lines.range(fragment.first).0, lines.range(fragment.last).1);
    reading.assembler.begin_fragment(
        header.or(of_command).unwrap_or_default(),
        &reading.cleaned.text,
        range,
    );
}

/// The lines of a part that are not comments. They are not collected, because in a large text a
/// list would take as much memory as the text.
fn own_lines<'l>(
    lines: &'l Lines,
    part: &Range<usize>,
) -> impl DoubleEndedIterator<Item = usize> + Clone + 'l {
    let is_own =
        |kind: LineKind| !matches!(kind, LineKind::Blank | LineKind::Comment | LineKind::Header);
    part.clone()
        .filter(move |at| is_own(LineKind::from_line(lines.get(*at))))
}

/// Reads the lines of one table.
fn read_table(reading: &mut Reading, fragment: &Fragment, is_named: bool, part: Range<usize>) {
    let lines = reading.lines;
    let Some(first) = own_lines(lines, &part).next() else {
        return;
    };
    let is_statement = |kind: LineKind| kind.is_sure() && !matches!(kind, LineKind::Commit);
    if !is_named {
        // A COMMIT without a table.
        if !own_lines(lines, &part).any(|at| is_statement(LineKind::from_line(lines.get(at)))) {
            return;
        }
        let Some(table) = infer_table(reading, fragment, first, &part) else {
            return;
        };
        let line = reading.line(first);
        reading.assembler.begin_table(&line, table);
    }
    // The others follow in the order of their lines.
    let late = find_late_chains(reading, &part);
    late.iter().for_each(|at| read_line(reading, *at));
    let mut next = part.start;
    for at in own_lines(lines, &part).filter(|at| late.binary_search(at).is_err()) {
        if at < next {
            continue;
        }
        let last = find_wrapped_end(lines, at, &part);
        match last > at {
            true => read_wrapped_rule(reading, at, last),
            false => read_line(reading, at),
        }
        next = last + 1;
    }
}

/// The table of lines that do not name it, if only one table is possible.
fn infer_table(
    reading: &mut Reading,
    fragment: &Fragment,
    first: usize,
    part: &Range<usize>,
) -> Option<TableName> {
    let lines = reading.lines;
    if fragment.format == Format::Rules
        && let Some(table) = fragment.command.as_ref().and_then(|command| command.table)
    {
        return Some(table);
    }
    let (start, end) = lines.range(first);
    let span = Span::new(start, end);
    let fix = |table: TableName| Fix {
        label: format!("Read them as table {table}"),
        span: Span::new(start, start),
        replacement: format!("*{table}\n"),
    };
    match guess::table(own_lines(lines, part).map(|at| lines.get(at))) {
        Ok((table, why)) => {
            // `iptables -S` prints no `*table` line: nothing is missing.
            let is_printed = fragment.format == Format::Rules
                && own_lines(lines, part)
                    .any(|at| matches!(LineKind::from_line(lines.get(at)), LineKind::Policy(_)));
            if !is_printed {
                let message = format!(
                    "the line that names the table is missing: read as table {table}, because {why}"
                );
                let problem = Problem::new(Code::MissingTableLine, message)
                    .hint(format!("add the line `*{table}` before this one"))
                    .fix(fix(table));
                reading.report(first, span, problem);
            }
            Some(table)
        }
        Err(possible) => {
            let names: Vec<&str> = possible.iter().map(|table| table.name()).collect();
            let skipped = "these lines are outside any table; they are skipped";
            let problem = match names.len() {
                0 => Problem::new(
                    Code::OutsideTable,
                    format!(
                        "{skipped}: no table has these \
                chains"
                    ),
                ),
                5 => Problem::new(Code::OutsideTable, skipped),
                _ => Problem::new(
                    Code::OutsideTable,
                    format!("{skipped}: it may be {}", names.join(" or ")),
                ),
            };
            let problem =
                problem.hint("add the line that names their table before them, such as `*nat`");
            let problem = possible
                .into_iter()
                .fold(problem, |problem, table| problem.fix(fix(table)));
            reading.report(first, span, problem);
            None
        }
    }
}

/// The lines to read before the others, if chains are declared after their rules.
fn find_late_chains(reading: &mut Reading, part: &Range<usize>) -> Vec<usize> {
    let lines = reading.lines;
    let mut with_rules = HashSet::new();
    let mut is_any_late = false;
    let mut last = "";
    for at in own_lines(lines, part) {
        match LineKind::from_line(lines.get(at)) {
            // The rules of a chain usually follow each other.
            LineKind::Rule(name) if name != last => {
                last = name;
                with_rules.insert(name);
            }
            LineKind::Chain(name) | LineKind::Policy(name) | LineKind::NewChain(name)
                if with_rules.contains(name) =>
            {
                is_any_late = true;
                let (start, end) = lines.range(at);
                let message =
                    format!("chain `{name}` is declared below its rules: read as if above");
                let problem = Problem::new(Code::LateChain, message);
                reading.report(
                    at,
                    Span::new(start, end),
                    problem.hint(
                        "move the chain's line before its rules, as `iptables-restore` \
                    requires",
                    ),
                );
            }
            _ => {}
        }
    }
    if !is_any_late {
        return Vec::new();
    }
    let declares = |kind: LineKind| {
        matches!(
            kind,
            LineKind::Table(_) | LineKind::Chain(_) | LineKind::Policy(_) | LineKind::NewChain(_)
        )
    };
    own_lines(lines, part)
        .filter(|at| declares(LineKind::from_line(lines.get(*at))))
        .collect()
}

/// The last line of a rule that a mail program or a terminal has wrapped; for any other line, the
/// line itself.
pub(super) fn find_wrapped_end(lines: &Lines, first: usize, part: &Range<usize>) -> usize {
    // Most rules are followed by another rule.
    let is_next_own = first + 1 >= part.end || LineKind::from_line(lines.get(first + 1)).is_sure();
    if is_next_own || !matches!(LineKind::from_line(lines.get(first)), LineKind::Rule(_)) {
        return first;
    }
    let (mut last, mut text) = (first, lines.get(first).to_owned());
    while last + 1 < part.end
        && last - first < MAX_CONTINUATION_LINES
        && continues(&text, lines.get(last + 1))
    {
        last += 1;
        text.push(' ');
        text.push_str(lines.get(last));
    }
    // An unclosed quote does not continue on other lines.
    if opens_quote(&text) { first } else { last }
}

/// Whether a line continues the rule before it.
fn continues(rule: &str, next: &str) -> bool {
    if LineKind::from_line(next).is_sure() {
        return false;
    }
    if opens_quote(rule) {
        return true;
    }
    let next = next.trim_start();
    let is_option = next.starts_with("! ")
        || next.starts_with('-')
            && next[1..].starts_with(|c: char| c == '-' || c.is_ascii_alphabetic());
    let has_target = [" -j ", " -g ", " --jump ", " --goto "]
        .iter()
        .any(|flag| rule.contains(flag));
    // A value on the line after its option.
    let wants_value = rule
        .split_whitespace()
        .next_back()
        .is_some_and(|word| word.starts_with('-'));
    let is_short = !next.is_empty() && next.split_whitespace().count() <= 40;
    is_short
        && (is_option && (!has_target || next.starts_with("--"))
            || wants_value && !next.starts_with('#'))
}

fn opens_quote(rule: &str) -> bool {
    let plain = rule.replace("\\\\", "").replace("\\\"", "");
    plain.matches('"').count() % 2 == 1
}

/// Reads the lines of a wrapped rule as one.
fn read_wrapped_rule(reading: &mut Reading, first: usize, last: usize) {
    let mut whole = MappedText::default();
    for at in first..=last {
        let (start, end) = reading.lines.range(at);
        if at > first {
            whole.append(" ", reading.cleaned.origin(start), 0);
        }
        let line = reading.lines.get(at);
        let indent = line.len() - line.trim_start().len();
        whole.copy(reading.cleaned, start + indent, end);
    }
    let line = reading.assembler.reports.input_line(&whole);
    read_save_line(&mut reading.assembler, &line);
}

/// Reads one line, in the format of `iptables-save` or of `iptables -S`.
fn read_line(reading: &mut Reading, at: usize) {
    let line = reading.line(at);
    match LineKind::from_line(line.line) {
        LineKind::Table(name) => reading.assembler.begin_named_table(&line, name),
        LineKind::Policy(name) => {
            // `-P OUTPUT ACCEPT -c 12 720`
            let mut words = line.line.split_whitespace().skip(2);
            let policy = words.next();
            let counters: Vec<&str> = words.filter(|word| *word != "-c").take(2).collect();
            let counters = match counters[..] {
                [packets, bytes] => Some(format!("[{packets}:{bytes}]")),
                _ => None,
            };
            reading
                .assembler
                .declare_chain(&line, name, policy, counters.as_deref());
        }
        LineKind::NewChain(name) => reading
            .assembler
            .declare_chain(&line, name, Some("-"), None),
        _ => {
            read_save_line(&mut reading.assembler, &line);
        }
    }
}

/// Reads one line of a dump. Returns whether it is one.
pub(super) fn read_save_line(assembler: &mut Assembler, line: &SourceLine) -> bool {
    let text = line.line;
    if matches!(text.as_bytes(), [b'*' | b':' | b'-' | b'[', ..]) {
        assembler.note_line(line);
    }
    match text.as_bytes() {
        [] => {}
        [b'#', ..] => {
            if let Some(origin) = parse_header(text) {
                assembler.begin_origin(origin);
            }
            assembler.note_disabled_rule(line);
        }
        [b'*', ..] => assembler.begin_named_table(line, text[1..].trim()),
        b"COMMIT" => assembler.end_table(true),
        _ if assembler.is_skipping() => {}
        [b':', ..] => {
            // For iptables-restore, only these bytes separate words.
            let mut words = text[1..].split([' ', '\t']).filter(|word| !word.is_empty());
            let name = words.next().unwrap_or_default();
            let (policy, counters) = (words.next(), words.next());
            assembler.declare_chain(line, name, policy, counters);
        }
        [b'-' | b'[', ..] => assembler.append_rule(line),
        _ => return read_command(assembler, line),
    }
    true
}

/// Reads a line that calls iptables. Returns whether it is one, and ends on this line.
fn read_command(assembler: &mut Assembler, line: &SourceLine) -> bool {
    let Some((words_at, family, backend)) = open_table::called(line.line) else {
        let problem = Problem::new(
            Code::UnknownLine,
            "this line is not part of a dump and is left out",
        );
        assembler.reports.of_line(
            line,
            problem.hint("a dump has lines that begin with #, *, :, -A, or COMMIT"),
        );
        return false;
    };
    assembler.run_shell_command(
        line,
        Program {
            family,
            backend,
            may_fail: false,
            is_sure: true,
        },
        words_at,
    );
    !line.line.ends_with('\\')
}

/// `# Generated by iptables-nft-save v1.8.9 (nf_tables) on …`
pub(in super::super) fn parse_header(line: &str) -> Option<DumpOrigin> {
    let by = line
        .trim_start_matches('#')
        .trim_start()
        .strip_prefix("Generated by ")?;
    let mut words = by.split_whitespace();
    let program = words.next().unwrap_or_default();
    let version = words
        .next()
        .and_then(|word| word.strip_prefix('v'))
        .map(str::to_owned);
    let kind = words.next().unwrap_or_default();
    // `xtables-save` (1.8.0 to 1.8.2) does not state its family.
    let family = match program {
        _ if program.starts_with("ip6tables") => Some(Family::Ipv6),
        _ if program.starts_with("iptables") => Some(Family::Ipv4),
        _ => None,
    };
    let nft = program.contains("-nft") || program == "xtables-save" || kind == "(nf_tables)";
    let legacy = program.contains("-legacy") || kind == "(legacy)";
    let backend = match (nft, legacy) {
        (true, _) => Some(Backend::Nft),
        (_, true) => Some(Backend::Legacy),
        _ => None,
    };
    Some(DumpOrigin {
        family,
        backend,
        version,
        printed_at: by
            .split_once(" on ")
            .and_then(|(_, time)| PrintTime::parse(time)),
    })
}
