//! Output of `iptables -S` and `-L` at the end of a text that has no line end. Neither format has a
//! line that ends a table, so that the text may be cut off there.

use crate::input::section::{Format, Inside, Section};
use crate::iptables::extension::Id;
use crate::netfilter::gap::{Gap, GapReason};
use crate::netfilter::ruleset::{Chain, Rule, Table, Target};

use super::super::Parsed;
use super::{mark_end, to_u32};

/// Marks the last table of each text that ends without a line end. It is cut off where its last line
/// is only a part of a rule; otherwise an assumption says that it is not.
pub(super) fn mark_tables(parsed: &mut Parsed) {
    let Parsed {
        sources,
        sections,
        rulesets,
        ..
    } = parsed;
    for (source, text) in (0..).zip(&*sources) {
        let own = sections.iter().filter(|section| section.source == source);
        let Some(section) = own.max_by_key(|section| section.span.end) else {
            continue;
        };
        let Some(rest) = rest_of_text(text, section) else {
            continue;
        };
        let text = text.trim_end_matches([' ', '\t']);
        let ruleset = section
            .ruleset
            .and_then(|place| rulesets.get_mut(place as usize));
        let Some(ruleset) = ruleset else { continue };
        let is_listing = section.format == Format::Listing;
        let own_tables = 0..ruleset.tables.len();
        let own_tables = own_tables.filter(|at| {
            let table = &ruleset.tables[*at];
            section.tables.iter().any(|name| table.is(*name))
        });
        let last = own_tables
            .filter_map(|at| Some((last_chain(&ruleset.tables[at], is_listing)?, at)))
            .max();
        let Some(((_, chain), table)) = last else {
            continue;
        };
        let last_rule = ruleset.tables[table].chains[chain].rules.last();
        let is_part = match last_rule.filter(|rule: &&Rule| rule.span.end as usize == text.len()) {
            Some(rule) if is_listing => matches!(rule.target, Target::Extension(Id::OPAQUE_TARGET)),
            // A rule without a target is rare, and mostly one that was cut off.
            Some(rule) => matches!(rule.target, Target::None | Target::Missing { .. }),
            None => is_part_of_rule(rest),
        };
        let reason = if is_part {
            GapReason::CutOff
        } else {
            GapReason::OpenEnd
        };
        mark(
            &mut ruleset.tables[table],
            chain,
            text.len(),
            reason,
            is_listing,
        );
    }
}

/// The last line of a text, where it is the last of a section or the one after it, and the section
/// is one whose format has no end. Blanks without a line end are a part of a line, too: the columns
/// of a listing begin with them.
fn rest_of_text<'t>(text: &'t str, section: &Section) -> Option<&'t str> {
    let is_endless = matches!(section.format, Format::Rules | Format::Listing);
    if !is_endless || section.inside != Inside::Text || text.ends_with(['\n', '\r']) {
        return None;
    }
    let text = text.trim_end_matches([' ', '\t']);
    let end = (section.span.end as usize).min(text.len());
    let last = text.rfind('\n').map_or(0, |at| at + 1);
    let is_near = end > last || text[end..last].trim().is_empty();
    is_near.then(|| &text[last..])
}

/// Whether a line that is not read as a rule is the begin of one: `-A OUT`, or the first columns of
/// a row.
fn is_part_of_rule(line: &str) -> bool {
    let mut words = line.split_whitespace();
    line.trim_start().starts_with('-')
        || words.next().is_some_and(|first| {
            let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
            is_number(first) && words.next().is_none_or(is_number)
        })
}

/// The line of the last chain that a table shows, and its place. A listing shows the rules of a
/// chain below its head.
fn last_chain(table: &Table, is_listing: bool) -> Option<(u32, usize)> {
    let line_of = |chain: &Chain| match is_listing {
        true => chain.line,
        false => chain.rules.last().map(|rule| rule.line).or(chain.line),
    };
    let chains = table.chains.iter().enumerate();
    chains
        .filter_map(|(at, chain)| Some((line_of(chain)?, at)))
        .max()
}

fn mark(table: &mut Table, last: usize, end: usize, reason: GapReason, is_listing: bool) {
    if !is_listing {
        return mark_end(table, last, end, reason);
    }
    let chain = &mut table.chains[last];
    let count = chain.rules.len();
    let is_open = chain
        .rules
        .last()
        .is_some_and(|rule| rule.span.end as usize == end);
    for before in [count, count - usize::from(is_open)] {
        chain.add_gap(Gap::new(to_u32(before), reason, None));
    }
    if reason == GapReason::CutOff {
        // The chains that would follow.
        for gap in table.chains.iter_mut().flat_map(|chain| &mut chain.gaps) {
            if gap.reason.hides_chain() {
                gap.reason = GapReason::NotShown;
            }
        }
    }
}
