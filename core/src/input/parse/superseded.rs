//! Chooses the part to walk if several parts have the same table.

use super::Read;
use crate::input::section::Format;
use crate::netfilter::ruleset::Ruleset;
use crate::text::diagnostic::{Code, Problem, Span};

/// Removes the result of commands if the same text shows the resulting tables, from the rule sets
/// from `first` on. If the text shows only other tables, both become one rule set.
pub(super) fn choose(read: &mut Read, text: &str, source: u32, first: usize, made: &[usize]) {
    let shown = |place: &usize| {
        let own = &read.rulesets[*place];
        (first..read.rulesets.len())
            .find(|other| !made.contains(other) && shows_result(&read.rulesets[*other], own))
    };
    let gone: Vec<(usize, usize)> = made
        .iter()
        .filter_map(|place| Some((*place, shown(place)?)))
        .collect();
    let mut joined = Vec::new();
    for (place, other) in &gone {
        let made = &read.rulesets[*place];
        let shown = &read.rulesets[*other];
        if made
            .tables
            .iter()
            .all(|table| shown.table_like(table).is_none())
        {
            let empty = Ruleset::new(made.family, made.backend);
            let made = std::mem::replace(&mut read.rulesets[*place], empty);
            let shown = &mut read.rulesets[*other];
            let backend = shown.backend.or(made.backend);
            shown.absorb(made);
            shown.set_backend(backend);
            joined.push((*place, *other));
            continue;
        }
        let line = read.rulesets[*other]
            .tables
            .first()
            .map_or(1, |table| table.line);
        let section = read.sections.iter().find(|section| {
            section.source == source
                && section.ruleset == u32::try_from(*place).ok()
                && matches!(section.format, Format::Commands | Format::Restore)
        });
        let (own_line, span) =
            section.map_or((1, Span::default()), |section| (section.line, section.span));
        let span = Span {
            end: span.start,
            ..span
        };
        let problem = Problem::new(
            Code::SupersededCommands,
            format!("these commands are not carried out, because line {line} shows their result"),
        )
        .hint("paste only the commands to walk their result");
        read.diagnostics.push(text, own_line, span, problem);
    }
    let mut kept = 0;
    let places: Vec<Option<u32>> = (0..read.rulesets.len())
        .map(|place| {
            let stays = !gone.iter().any(|(gone, _)| *gone == place);
            kept += u32::from(stays);
            stays.then(|| kept - 1)
        })
        .collect();
    for section in &mut read.sections {
        section.ruleset = section.ruleset.and_then(|place| {
            let place = place as usize;
            let into = joined.iter().find(|(made, _)| *made == place);
            let place = into.map_or(place, |(_, shown)| *shown);
            places.get(place).copied().flatten()
        });
    }
    let mut place = 0;
    read.rulesets.retain(|_| {
        place += 1;
        places[place - 1].is_some()
    });
}

/// Whether a rule set may show the result of the commands that made the other.
fn shows_result(shown: &Ruleset, made: &Ruleset) -> bool {
    let has_same_backend =
        made.backend.is_none() || shown.backend.is_none() || made.backend == shown.backend;
    shown.family == made.family && has_same_backend && shown.is_populated()
}
