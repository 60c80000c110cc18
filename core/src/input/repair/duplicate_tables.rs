//! Handles a table that a paste shows twice, such as a dump and a listing. The better one is
//! walked.

use super::chain_by_chain;
use super::partial_rule::Pieces;
use super::two_dumps;
use crate::input::parsed::Parsed;
use crate::input::section::Format;
use crate::iptables::table_name::TableName;
use crate::netfilter::ruleset::{Chain, Ruleset, Table};
use crate::text::diagnostic::{Code, Diagnostic, Span};

/// The maximum number of parts of tables that are joined: more than a text shows chain by chain.
const MAX_PARTS: usize = 512;

/// Two sections with the same table. The better one is the first.
struct TablePair {
    better: usize,
    worse: usize,
    table: TableName,
    /// Whether they may be equal, rule by rule.
    same: bool,
}

/// Keeps the better of two parts with the same table, and joins parts with other tables into one
/// rule set.
pub(crate) fn settle(parsed: &mut Parsed) {
    let printed = |format| matches!(format, Format::Save | Format::Rules | Format::Listing);
    let mut sections: Vec<usize> = (0..parsed.sections.len())
        .filter(|place| printed(parsed.sections[*place].format))
        .take(MAX_PARTS)
        .collect();
    two_dumps::settle(parsed);
    join_parts(parsed, &sections);
    sections.truncate(super::MAX_SECTIONS);
    for (at, first) in sections.iter().enumerate() {
        for second in &sections[at + 1..] {
            settle_two(parsed, *first, *second);
        }
    }
}

/// Joins the parts of tables that the text shows chain by chain. Each part is compared only with the
/// begin of a table, so that this is linear in the number of parts.
fn join_parts(parsed: &mut Parsed, sections: &[usize]) {
    let mut begun: Vec<usize> = Vec::new();
    for section in sections {
        let is_joined = begun.iter().any(|first| {
            may_join(parsed, *first, *section) && join_chains(parsed, *first, *section)
        });
        if !is_joined && begun.len() < super::MAX_SECTIONS {
            begun.push(*section);
        }
    }
}

/// Whether two sections are of different rule sets that may be one.
fn may_join(parsed: &Parsed, first: usize, second: usize) -> bool {
    let (one, other) = (&parsed.sections[first], &parsed.sections[second]);
    let (Some(own), Some(others)) = (one.ruleset, other.ruleset) else {
        return false;
    };
    let plain = one.format == Format::Save && other.format == Format::Save;
    let (set, held) = (
        &parsed.rulesets[own as usize],
        &parsed.rulesets[others as usize],
    );
    let apart = set.backend.is_some() && held.backend.is_some() && set.backend != held.backend;
    own != others && !plain && !apart && set.family == held.family && set.source == held.source
}

fn settle_two(parsed: &mut Parsed, first: usize, second: usize) {
    if !may_join(parsed, first, second) || join_chains(parsed, first, second) {
        return;
    }
    let (one, other) = (&parsed.sections[first], &parsed.sections[second]);
    let (Some(own), Some(others)) = (one.ruleset, other.ruleset) else {
        return;
    };
    let (set, held) = (
        &parsed.rulesets[own as usize],
        &parsed.rulesets[others as usize],
    );
    let twice = one
        .tables
        .iter()
        .copied()
        .find(|table| other.tables.contains(table));
    match twice.and_then(|table| compare(parsed, (first, own), (second, others), table)) {
        Some(pair) => prefer(parsed, &pair),
        None if twice.is_none()
            && held
                .tables
                .iter()
                .all(|table| set.table_like(table).is_none()) =>
        {
            // Listings are read after dumps, wherever they are in the text.
            absorb(parsed, own, others);
        }
        None => {}
    }
}

/// Joins two parts that show different chains of one table.
fn join_chains(parsed: &mut Parsed, first: usize, second: usize) -> bool {
    let (one, other) = (&parsed.sections[first], &parsed.sections[second]);
    let (Some(own), Some(others)) = (one.ruleset, other.ruleset) else {
        return false;
    };
    let is_listed = |format| matches!(format, Format::Rules | Format::Listing);
    let ([name], [other_name]) = (&one.tables[..], &other.tables[..]) else {
        return false;
    };
    if name != other_name || !is_listed(one.format) || !is_listed(other.format) {
        return false;
    }
    let (name, source) = (*name, one.source);
    let (set, held) = (
        &parsed.rulesets[own as usize],
        &parsed.rulesets[others as usize],
    );
    let (Some(table), Some(shown)) = (set.table(name), held.table(name)) else {
        return false;
    };
    if set.family != held.family {
        return false;
    }
    let same =
        |chain: &Chain, other: &Chain| {
            chain.rules.len() == other.rules.len()
                && chain.rules.len() <= super::MAX_RULES
                && chain.rules.iter().zip(&other.rules).all(|(one, two)| {
                    Pieces::of(set, table, one).may_be(&Pieces::of(held, shown, two))
                })
        };
    if !chain_by_chain::are_parts(table, shown, same) {
        return false;
    }
    // The other tables of that rule set may be parts of tables that are here, too.
    let is_apart = |other: &Table| other.is(name) || set.table_like(other).is_none();
    let backend = set.backend.or(held.backend);
    let into = if held.tables.iter().all(is_apart) {
        absorb(parsed, own, others)
    } else {
        move_table(parsed, own, others, name);
        own
    };
    let set = &mut parsed.rulesets[into as usize];
    set.set_backend(backend);
    let found = chain_by_chain::join_tables(set, name);
    parsed.diagnostics.retain(|one| {
        one.source != source || one.code != Code::UnknownTarget || !found.contains(&one.line)
    });
    true
}

/// Adds all tables of one rule set to the other, in the place of the first of them, which it
/// returns.
pub(super) fn absorb(parsed: &mut Parsed, one: u32, other: u32) -> u32 {
    let (into, from) = (one.min(other), one.max(other));
    let held = parsed.rulesets.remove(from as usize);
    parsed.rulesets[into as usize].absorb(held);
    renumber(parsed, |place| match place {
        place if place == from => into,
        place => place - u32::from(place > from),
    });
    into
}

/// Moves one table of the rule set `from` to the rule set `into`.
fn move_table(parsed: &mut Parsed, into: u32, from: u32, name: TableName) {
    let held = &mut parsed.rulesets[from as usize];
    let mut moved = held.clone();
    moved.tables.retain(|table| table.is(name));
    if let Some(place) = held.table_place(name) {
        held.remove_table(place);
    }
    parsed.rulesets[into as usize].absorb(moved);
    let moved = parsed
        .sections
        .iter_mut()
        .filter(|section| section.ruleset == Some(from) && section.tables == [name]);
    moved.for_each(|section| section.ruleset = Some(into));
}

/// A table of a section.
#[derive(Clone, Copy)]
struct ShownTable<'a> {
    section: usize,
    format: Format,
    set: &'a Ruleset,
    table: &'a Table,
}

impl<'a> ShownTable<'a> {
    fn find(parsed: &'a Parsed, (section, set): (usize, u32), name: TableName) -> Option<Self> {
        let set = &parsed.rulesets[set as usize];
        Some(Self {
            section,
            format: parsed.sections[section].format,
            set,
            table: set.table(name)?,
        })
    }

    /// Orders the better table first: more rules, fewer lost parts, a dump, the earlier one.
    fn rank(self) -> impl Ord {
        (
            usize::MAX - self.table.rules(),
            super::holding_gaps(self.set, self.table),
            self.format == Format::Listing,
            self.section,
        )
    }

    /// Whether both tables have a chain in common that a user created, or neither has one.
    fn is_related(self, other: Self) -> bool {
        let mut own = user_chains(self.table).peekable();
        match own.peek() {
            Some(_) => own.any(|chain| other.table.chain(&chain.name).is_some()),
            None => user_chains(other.table).next().is_none(),
        }
    }
}

fn user_chains(table: &Table) -> impl Iterator<Item = &Chain> {
    table.chains.iter().filter(|chain| chain.hook().is_none())
}

fn compare(
    parsed: &Parsed,
    one: (usize, u32),
    other: (usize, u32),
    name: TableName,
) -> Option<TablePair> {
    let first = ShownTable::find(parsed, one, name)?;
    let second = ShownTable::find(parsed, other, name)?;
    if !first.is_related(second) {
        return None;
    }
    let (better, worse) = if second.rank() < first.rank() {
        (second.section, first.section)
    } else {
        (first.section, second.section)
    };
    Some(TablePair {
        better,
        worse,
        table: name,
        same: same((first.set, first.table), (second.set, second.table)),
    })
}

/// Whether two tables may have the same rules in the same order.
fn same((set, table): (&Ruleset, &Table), (held, shown): (&Ruleset, &Table)) -> bool {
    let most = super::MAX_RULES;
    table.rules() == shown.rules()
        && table.rules() <= most
        && table
            .chains
            .iter()
            .filter(|chain| !chain.rules.is_empty())
            .all(|chain| {
                shown.chain(&chain.name).is_some_and(|(_, other)| {
                    let pairs = chain.rules.iter().zip(&other.rules);
                    chain.rules.len() == other.rules.len()
                        && pairs.into_iter().all(|(one, two)| {
                            Pieces::of(set, table, one).may_be(&Pieces::of(held, shown, two))
                        })
                })
            })
}

fn prefer(parsed: &mut Parsed, pair: &TablePair) {
    let (better, worse) = (
        parsed.sections[pair.better].clone(),
        parsed.sections[pair.worse].clone(),
    );
    let (Some(first), Some(second)) = (better.ruleset, worse.ruleset) else {
        return;
    };
    let says = match pair.same {
        true => {
            format!(
                "line {} has the same rules of table {}: they are walked, and these not",
                better.line, pair.table
            )
        }
        false => format!(
            "line {} has more rules of table {}, or knows more of them: they are walked, and these not",
            better.line, pair.table
        ),
    };
    let span = Span {
        start: worse.span.start,
        end: worse.span.start,
    };
    if pair.same {
        // Diagnostics about rules that are not walked are removed.
        let own = worse.span.start..worse.span.end;
        parsed
            .diagnostics
            .retain(|one| one.source != worse.source || !own.contains(&one.span.start));
    }
    let code = if pair.same {
        Code::DuplicateTable
    } else {
        Code::ConflictingTable
    };
    parsed.diagnostics.push(Diagnostic {
        code,
        severity: code.severity(),
        source: worse.source,
        line: worse.line,
        column: 1,
        span,
        message: says,
        hint: Some("paste only one of them to walk it".into()),
        fixes: Vec::new(),
    });
    parsed
        .diagnostics
        .sort_by_key(|one| (one.source, one.line, one.column));
    let backend = parsed.rulesets[first as usize]
        .backend
        .or(parsed.rulesets[second as usize].backend);
    for place in [first, second] {
        parsed.rulesets[place as usize].set_backend(backend);
    }
    if pair.same {
        let set = &mut parsed.rulesets[second as usize];
        if let Some(place) = set.table_place(pair.table) {
            set.remove_table(place);
        }
        parsed.sections[pair.worse].ruleset = None;
        if set.tables.is_empty() {
            parsed.rulesets.remove(second as usize);
            for section in parsed
                .sections
                .iter_mut()
                .filter(|section| section.ruleset == Some(second))
            {
                section.ruleset = None;
            }
            renumber(parsed, |place| place - u32::from(place > second));
        }
    } else if second < first {
        // The walk uses the first populated rule set.
        parsed.rulesets.swap(first as usize, second as usize);
        renumber(parsed, |place| match place {
            place if place == first => second,
            place if place == second => first,
            place => place,
        });
    }
}

pub(super) fn renumber(parsed: &mut Parsed, to: impl Fn(u32) -> u32) {
    for section in &mut parsed.sections {
        section.ruleset = section.ruleset.map(&to);
    }
}
