//! Marks the points at which tables lack rules, or show them damaged, so that no walk is certain
//! because of them.
//!
//! The marks come from the rule sets and from the diagnostics: an error on a rule's line, a line
//! such as `...` among the rules, an end without COMMIT, a built-in chain that a listing does not
//! show, a listing that counts more references to a chain than it shows.

use crate::iptables::table_name::TableName;
use crate::netfilter::backend::Backend;
use crate::netfilter::base::BaseChain;
use crate::netfilter::gap::{Gap, GapReason};
use crate::netfilter::ruleset::{Chain, CounterId, Table};
use crate::text::diagnostic::{Code, Severity};

use super::{Format, Parsed, Section};

mod elision;
mod errors;
mod limits;
pub(super) mod native_tables;
mod notes;
mod open_end;
mod references;

/// A line in place of rules, or a line that may be a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LostLine {
    line: u32,
    reason: GapReason,
    /// Whether it is a row of a listing whose chain is not named.
    is_outside_chain: bool,
}

/// Marks the gaps of all rule sets.
pub(super) fn mark(parsed: &mut Parsed) {
    let errors = errors::TextErrors::from_parsed(parsed);
    let is_capped = parsed
        .diagnostics
        .iter()
        .any(|diagnostic| diagnostic.code == Code::MoreDiagnostics);
    for ruleset in &mut parsed.rulesets {
        if !errors.is_empty() {
            errors::mark_damaged_rules(ruleset, &errors);
        }
        if is_capped {
            // An error that was not reported may concern any rule.
            let chains = ruleset
                .tables
                .iter_mut()
                .flat_map(|table| &mut table.chains);
            chains.for_each(|chain| chain.add_gap(Gap::new(0, GapReason::Unreadable, chain.line)));
        }
    }
    let unreadable = unreadable_lines(parsed);
    for section in std::mem::take(&mut parsed.sections) {
        mark_section(parsed, &section, &unreadable);
        parsed.sections.push(section);
    }
    mark_cut_tables(parsed);
    open_end::mark_tables(parsed);
    references::mark_tables(parsed);
    notes::mark_tables(parsed);
    native_tables::mark_tables(parsed);
    limits::mark_tables(parsed);
}

/// Lines that were reported as unreadable, by source.
fn unreadable_lines(parsed: &Parsed) -> Vec<(u32, LostLine)> {
    let reported = parsed
        .diagnostics
        .iter()
        .filter(|diagnostic| match diagnostic.code {
            Code::UndeclaredChain => diagnostic.severity == Severity::Error,
            Code::NotARule | Code::OutsideChain | Code::UnclosedQuote => true,
            Code::UnknownLine => {
                let source = parsed.sources.get(diagnostic.source as usize);
                source.is_some_and(|text| resembles_rule(diagnostic.span.slice(text)))
            }
            _ => false,
        });
    reported
        .map(|diagnostic| {
            let is_outside_chain = diagnostic.code == Code::OutsideChain;
            let lost = LostLine {
                line: diagnostic.line,
                reason: GapReason::Unreadable,
                is_outside_chain,
            };
            (diagnostic.source, lost)
        })
        .collect()
}

/// Whether an unreadable line is probably a rule, such as one that has lost a character.
fn resembles_rule(line: &str) -> bool {
    let line = line.trim_start();
    line.contains(" -j ")
        || line.contains(" -g ")
        || ["-A", "A ", "—A", "–A", "["]
            .iter()
            .any(|start| line.starts_with(start))
}

/// Marks the chains that one part of the input does not show of its tables.
fn mark_section(parsed: &mut Parsed, section: &Section, unreadable: &[(u32, LostLine)]) {
    let Some(ruleset) = section
        .ruleset
        .and_then(|place| parsed.rulesets.get_mut(place as usize))
    else {
        return;
    };
    let Some(text) = parsed.sources.get(section.source as usize) else {
        return;
    };
    if !matches!(
        section.format,
        Format::Save | Format::Rules | Format::Listing
    ) {
        return;
    }
    let mut lost = elision::elided_lines(text, section);
    let last_line = section.line
        + to_u32(memchr::memchr_iter(b'\n', section.span.slice(text).as_bytes()).count());
    let is_inside = |line: u32| (section.line..=last_line).contains(&line);
    lost.extend(
        unreadable
            .iter()
            .filter(|(source, lost)| *source == section.source && is_inside(lost.line))
            .map(|(_, lost)| *lost),
    );
    let backend = ruleset.backend;
    let is_table_assumed = || {
        let mut assumed = parsed
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.code == Code::AssumedTable);
        assumed.any(|diagnostic| diagnostic.source == section.source && is_inside(diagnostic.line))
    };
    if lost.iter().any(|lost| lost.is_outside_chain)
        && ruleset.table(TableName::Nat).is_none()
        && is_table_assumed()
    {
        // The rows may also belong to table nat.
        let mut table = TableName::Nat.empty_table(ruleset.family, section.line);
        mark_hidden_chains(&mut table, backend, GapReason::NotShown);
        ruleset.tables.push(table);
    }
    for table in ruleset
        .tables
        .iter_mut()
        .filter(|table| section.tables.iter().any(|name| table.is(*name)))
    {
        if !lost.is_empty() {
            mark_lost_lines(table, section.format, &lost);
        }
        if section.format == Format::Save {
            mark_unknown_policies(table);
        } else {
            // People omit chains without rules. An omitted chain of table nat may contain a
            // redirect. Rows without the head of their chain may belong to any chain.
            let has_headless_rows = lost.iter().any(|lost| lost.is_outside_chain);
            let is_likely_empty =
                !has_headless_rows && (section.whole_tables || !table.is(TableName::Nat));
            let reason = if is_likely_empty {
                GapReason::Omitted
            } else {
                GapReason::NotShown
            };
            mark_hidden_chains(table, backend, reason);
        }
    }
}

/// Marks the ends of built-in chains of which a dump has rules and not the policy. In table nat it
/// is always ACCEPT.
fn mark_unknown_policies(table: &mut Table) {
    if table.is(TableName::Nat) {
        return;
    }
    let is_unknown = |chain: &&mut Chain| {
        chain.base.is_some() && chain.line.is_none() && !chain.rules.is_empty()
    };
    for chain in table.chains.iter_mut().filter(is_unknown) {
        let end = to_u32(chain.rules.len());
        chain.add_gap(Gap::new(end, GapReason::NotShown, None));
    }
}

/// Marks the points at which lines are lost among the rules of a table.
fn mark_lost_lines(table: &mut Table, format: Format, lost: &[LostLine]) {
    // Every rule by its line: (line, chain, rule).
    let mut rules: Vec<(u32, usize, usize)> = Vec::new();
    for (chain_at, chain) in table.chains.iter().enumerate() {
        rules.extend(
            chain
                .rules
                .iter()
                .enumerate()
                .map(|(at, rule)| (rule.line, chain_at, at)),
        );
    }
    rules.sort_unstable();
    let mut heads: Vec<(u32, usize)> = table
        .chains
        .iter()
        .enumerate()
        .filter_map(|(at, chain)| Some((chain.line?, at)))
        .collect();
    heads.sort_unstable();
    let mut hides_whole_chains = false;
    for lost in lost {
        let gap = |before: usize| Gap::new(to_u32(before), lost.reason, Some(lost.line));
        let behind = rules.partition_point(|(line, ..)| *line < lost.line);
        let next = rules.partition_point(|(line, ..)| *line <= lost.line);
        let head = heads
            .partition_point(|(line, _)| *line <= lost.line)
            .checked_sub(1)
            .map(|at| heads[at]);
        if format == Format::Listing {
            // A listing shows the rules of a chain after its head.
            let Some((head_line, chain)) = head else {
                continue;
            };
            let below_head = rules[..behind]
                .iter()
                .rev()
                .take_while(|(line, ..)| *line > head_line);
            let before = below_head
                .filter(|(_, own, _)| *own == chain)
                .map(|(.., at)| at + 1)
                .max()
                .unwrap_or(0);
            table.chains[chain].add_gap(gap(before));
            continue;
        }
        if lost.line < table.line {
            continue;
        }
        let previous = behind.checked_sub(1).map(|at| rules[at]);
        if let Some((_, chain, rule)) = previous {
            table.chains[chain].add_gap(gap(rule + 1));
        }
        if let Some((_, chain, rule)) = rules
            .get(next)
            .copied()
            .filter(|next| previous.is_none_or(|(_, chain, _)| chain != next.1))
        {
            table.chains[chain].add_gap(gap(rule));
        }
        hides_whole_chains = true;
    }
    if hides_whole_chains {
        let line = lost.first().map(|lost| lost.line);
        let reason = lost.first().map_or(GapReason::Elided, |lost| lost.reason);
        for chain in table
            .chains
            .iter_mut()
            .filter(|chain| chain.rules.is_empty())
        {
            chain.add_gap(Gap::new(0, reason, line));
        }
    }
}

/// Marks the chains that a listing or `-S` does not show, or of which it shows only some rules.
/// Built-in chains exist in the kernel even if they are not shown.
pub(super) fn mark_hidden_chains(table: &mut Table, backend: Option<Backend>, reason: GapReason) {
    for chain in table.chains.iter_mut().filter(|chain| chain.line.is_none()) {
        chain.add_gap(Gap::new(0, GapReason::NotShown, None));
    }
    let hidden = Gap::new(0, reason, None);
    let Some(name) = table.iptables() else { return };
    for hook in name.hooks() {
        if table.at(*hook).is_none() {
            table.chains.push(Chain {
                name: hook.name().into(),
                base: Some(BaseChain::built_in(name, *hook, backend)),
                counters: CounterId::default(),
                line: None,
                rules: Vec::new(),
                gaps: vec![hidden.clone()],
            });
        }
    }
}

/// Marks tables without COMMIT: the text may end before their last rule. iptables-save prints the
/// rules chain by chain, so only the last chain with a rule and the chains after it may continue.
fn mark_cut_tables(parsed: &mut Parsed) {
    let cut: Vec<(u32, u32)> = parsed
        .cut_off()
        .map(|diagnostic| (diagnostic.source, diagnostic.line))
        .collect();
    for ruleset in &mut parsed.rulesets {
        let source = ruleset.source;
        let end = parsed
            .sources
            .get(source as usize)
            .map_or(0, |text| text.trim_end_matches([' ', '\t']).len());
        for table in ruleset
            .tables
            .iter_mut()
            .filter(|table| cut.contains(&(source, table.line)))
        {
            let last = (0..table.chains.len())
                .max_by_key(|at| table.chains[*at].rules.last().map(|rule| rule.line));
            let Some(last) = last else { continue };
            mark_end(table, last, end, GapReason::CutOff);
        }
    }
}

/// Marks the end of a table that is printed chain by chain and may go on: `last` is the last chain
/// with a rule, `end` the end of the text.
fn mark_end(table: &mut Table, last: usize, end: usize, reason: GapReason) {
    let has_rules = !table.chains[last].rules.is_empty();
    for (at, chain) in table.chains.iter_mut().enumerate() {
        let goes_on = at == last || !has_rules || at > last && chain.rules.is_empty();
        if goes_on {
            let before = to_u32(chain.rules.len());
            chain.add_gap(Gap::new(before, reason, None));
        }
    }
    let chain = &mut table.chains[last];
    let rule = chain.rules.last();
    if let Some(rule) = rule.filter(|rule| rule.span.end as usize == end) {
        // No line end follows: the rule itself may go on.
        let line = Some(rule.line);
        let before = to_u32(chain.rules.len() - 1);
        chain.add_gap(Gap::new(before, reason, line));
    }
}

fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
