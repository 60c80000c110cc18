//! The sections of a text that is a plain dump.

use super::save::Outcome;
use crate::input::section::{Format, Inside, Section};
use crate::netfilter::ruleset::{Ruleset, Table};
use crate::text::diagnostic::Span;

/// The sections of a text that is a dump, or a script, from its first line to its last: one for each rule set.
pub(super) fn of_dump<'r>(
    text: &'r str,
    source: u32,
    rulesets: &'r [Ruleset],
    first: usize,
    outcome: &'r Outcome,
) -> impl Iterator<Item = Section> + 'r {
    let begins = |place: usize| match rulesets.get(place) {
        None => text.len(),
        Some(_) if place == 0 => 0,
        Some(ruleset) => line_start(text, ruleset.tables.iter().map(|table| table.line).min().unwrap_or(1)),
    };
    (first..).zip(rulesets).map(move |(place, ruleset)| {
        let made = outcome.made.contains(&place);
        let line = ruleset.tables.iter().map(|table| table.line).min().unwrap_or(1);
        let tables = ruleset.tables.iter().filter_map(Table::iptables).collect();
        let start = begins(place - first);
        let span = Span::new(start, begins(place - first + 1).max(start));
        Section {
            source,
            span,
            line,
            format: if made { Format::Commands } else { Format::Save },
            inside: Inside::Text,
            family: ruleset.family,
            backend: ruleset.backend,
            options: if outcome.counted && !made { " -c".into() } else { String::new() },
            whole_tables: true,
            tables,
            ruleset: u32::try_from(place).ok(),
        }
    })
}

fn line_start(text: &str, line: u32) -> usize {
    let before = (line as usize).saturating_sub(2);
    match line {
        0 | 1 => 0,
        _ => memchr::memchr_iter(b'\n', text.as_bytes()).nth(before).map_or(0, |end| end + 1),
    }
}
