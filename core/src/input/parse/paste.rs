//! A text that is no plain dump: cleaned, parted into blocks, read block by block, and spoken of as it was pasted.

use super::block::{Block, Lines, What};
use super::block_writer::Normal;
use super::blocks;
use super::listing::{Around, Listings};
use super::noise::{self, Clean, Repair};
use super::save::{self, Manner, Outcome, Touched};
use super::source_map::Cleaned;
use super::{Read, superseded, unsupported_input};
use crate::input::section::{Format, Inside, Section};
use crate::netfilter::backend::Backend;
use crate::packet::Family;
use crate::text::diagnostic::{Code, Diagnostics, Problem, Span};

/// Reads a text into what has been read so far.
pub(super) fn read(text: &str, source: u32, stated: Option<(Family, Option<Backend>)>, read: &mut Read) {
    let Clean { cleaned, repairs, logged, .. } = noise::clean(text);
    let lines = Lines::of(&cleaned.text);
    let found = blocks::find(&lines);
    let normal = Normal::of(text, &cleaned, &lines, &found.blocks);
    let own = if cleaned.is_source() { None } else { Some(Lines::of(text)) };
    let pasted = own.as_ref().unwrap_or(&lines);
    let number = |at: usize| u32::try_from(pasted.holding(at) + 1).unwrap_or(u32::MAX);

    // Lines that stand where they were pasted have the numbers that they count.
    let moved = !normal.out.is_beginning();
    let numbers: Vec<u32> = match moved {
        true => Lines::of(&normal.out.text).starts().map(|start| number(normal.out.origin(start))).collect(),
        false => Vec::new(),
    };
    let numbers = moved.then_some(&*numbers);
    let manner = Manner { stated, strict: false, may_fail: &normal.may_fail, numbers };
    let mut said = Diagnostics::of(source);
    let first = read.rulesets.len();
    let outcome = save::read(&normal.out.text, source, manner, &mut read.rulesets, &mut said);

    // They stand in the cleaned text only.
    read.rulesets[first..].iter_mut().for_each(|set| set.off.clear());
    for rule in read.rulesets[first..].iter_mut().flat_map(|set| &mut set.tables).flat_map(|table| &mut table.chains) {
        rule.rules.iter_mut().for_each(|rule| rule.span = normal.out.span(rule.span, text));
    }
    let back = |cleaned: &Cleaned, line: u32, span: Span| match span {
        // Of a line as a whole.
        Span { start: 0, end: 0 } => {
            let start = pasted.range((line as usize).saturating_sub(1).min(pasted.len().saturating_sub(1))).0;
            (line, Span::new(start, start))
        }
        span => {
            let span = cleaned.span(span, text);
            (number(span.start as usize), span)
        }
    };
    read.diagnostics.source = source;
    for (span, mut problem) in normal.said {
        for fix in &mut problem.fixes {
            fix.span = cleaned.span(fix.span, text);
        }
        let span = cleaned.span(span, text);
        read.diagnostics.push(text, number(span.start as usize), span, problem);
    }
    if pasted.len() > 0 {
        read.diagnostics.append_from(said, text, |line, span| back(&normal.out, line, span));
    }

    let mut sections = Vec::new();
    let mut listings = Listings::default();
    for (block, made) in found.blocks.iter().zip(&normal.made) {
        let span = cleaned.span(Span::new(lines.range(block.first).0, lines.range(block.last).1), text);
        let (start, end) = (span.start as usize, span.end as usize);
        let (first_line, last_line) = (pasted.holding(start), pasted.holding(end.saturating_sub(1).max(start)));
        let whole = Span::new(pasted.range(first_line).0, pasted.range(last_line).1);
        let mut section = Section {
            source,
            span: whole,
            line: number(start),
            format: format(block.what),
            inside: inside(whole.of(text), block, logged),
            family: block.asked.as_ref().map_or(Family::Ipv4, |asked| asked.family),
            backend: block.asked.as_ref().and_then(|asked| asked.backend),
            options: String::new(),
            whole_tables: block.asked.as_ref().is_some_and(|asked| !asked.in_part),
            tables: Vec::new(),
            ruleset: None,
        };
        if block.what != What::Listing {
            sections.push(filled(section, block, made, &outcome, read, &lines));
            continue;
        }
        let at = Span::new(lines.range(block.first).0, lines.range(block.last).1);
        let asked = block.asked.as_ref();
        let around = Around {
            family: stated.map(|(family, _)| family).or(asked.map(|asked| asked.family)),
            backend: stated.and_then(|(_, backend)| backend).or(asked.and_then(|asked| asked.backend)),
            table: asked.and_then(|asked| asked.table),
            source,
            line: u32::try_from(block.first + 1).unwrap_or(u32::MAX),
        };
        let mut said = Diagnostics::of(source);
        let mut say = |line, span, problem| said.push(&cleaned.text, line, span, problem);
        let listed = listings.read(&cleaned.text, at, around, &mut read.rulesets, &mut say);
        let line_of = |line: u32| number(cleaned.origin(lines.range(line.saturating_sub(1) as usize).0));
        read.diagnostics.append_from(said, text, |line, span| back(&cleaned, line_of(line), span));
        for one in listed {
            let set = &mut read.rulesets[one.ruleset];
            (section.family, section.backend) = (set.family, set.backend);
            for table in set.tables.iter_mut().filter(|table| table.is(one.table)) {
                table.line = line_of(table.line);
                for chain in &mut table.chains {
                    chain.line = chain.line.map(line_of);
                    for rule in &mut chain.rules {
                        (rule.line, rule.span) = (line_of(rule.line), cleaned.span(rule.span, text));
                    }
                }
            }
            section.ruleset = u32::try_from(one.ruleset).ok();
            section.tables.push(one.table);
            section.options = one.options;
        }
        sections.push(section);
    }
    let repaired = Repair::ALL.into_iter().zip(repairs).filter(|(_, (_, count))| *count > 0);
    for (repair, (at, count)) in repaired {
        let line = number(at);
        let range = pasted.range(line as usize - 1);
        let more = if count > 1 { format!(" ({count} lines)") } else { String::new() };
        let problem = Problem::new(Code::RepairedText, format!("{}{more}", repair.words()))
            .hint("nothing else on these lines was changed");
        read.diagnostics.push(text, line, Span::new(range.0, range.1), problem);
    }
    if let Some(rest) = found.rest {
        let span = cleaned.span(Span::new(lines.range(rest).0, lines.range(rest).0), text);
        let problem = Problem::new(
            Code::LimitExceeded,
            "this text has more parts with rules than are read; the rest is left out",
        );
        let line = number(span.start as usize);
        read.diagnostics.push(text, line, span, problem.hint("paste fewer of them at once"));
    }
    for (line, span, problem) in unsupported_input::beside(text, &sections) {
        read.diagnostics.push(text, line, span, problem);
    }
    read.other_lines += found.other;
    read.sections.append(&mut sections);
    superseded::choose(read, text, source, first, &outcome);
}

fn format(what: What) -> Format {
    match what {
        What::Dump => Format::Save,
        What::Rules => Format::Rules,
        What::Restore => Format::Restore,
        What::Script => Format::Commands,
        What::Listing => Format::Listing,
    }
}

/// What surrounds a block: text that has no line ends of its own, a log's prefixes, or nothing.
fn inside(pasted: &str, block: &Block, logged: bool) -> Inside {
    let ends = memchr::memchr_iter(b'\n', pasted.as_bytes()).count();
    match block.last - block.first > ends && pasted.contains("\\n") {
        true => Inside::Escaped,
        false if logged => Inside::Log,
        false => Inside::Text,
    }
}

/// A section with what was read of its block.
fn filled(
    mut section: Section,
    block: &Block,
    made: &(u32, u32),
    outcome: &Outcome,
    read: &Read,
    lines: &Lines,
) -> Section {
    let before = |line: u32| outcome.touched.partition_point(|touched: &Touched| touched.line < line);
    for touched in &outcome.touched[before(made.0)..before(made.1)] {
        let Some(ruleset) = read.rulesets.get(touched.ruleset) else { continue };
        (section.family, section.backend) = (ruleset.family, ruleset.backend);
        section.ruleset = u32::try_from(touched.ruleset).ok();
        if !section.tables.contains(&touched.table) {
            section.tables.push(touched.table);
        }
    }
    let counts = (block.first..=block.last).take(40).any(|at| {
        let line = lines.get(at).trim_start();
        line.starts_with('[') || line.contains(" -c ") && section.format == Format::Rules
    });
    if counts {
        section.options = if section.format == Format::Rules { " -v".into() } else { " -c".into() };
    }
    section
}
