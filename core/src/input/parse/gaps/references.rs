//! Reference counts of listings: `Chain X (2 references)` counts the rules of the table that jump to
//! X, by `-j` and by `-g`, in both backends (measured with iptables 1.8.9). Where the text shows
//! fewer jumps, a rule is missing.

use std::collections::HashMap;

use crate::input::section::ListedChain;
use crate::iptables::extension::Id;
use crate::netfilter::gap::{Gap, GapReason};
use crate::netfilter::ruleset::{Rule, Ruleset, Table, Target};

use super::super::Parsed;
use super::to_u32;

/// The chains of listings, by the line of their head, and whether the listing is of a whole table.
type ListedChains = HashMap<u32, (ListedChain, bool)>;

/// Marks the tables of listings that count more references than they show.
pub(super) fn mark_tables(parsed: &mut Parsed) {
    for (place, ruleset) in (0..).zip(&mut parsed.rulesets) {
        let own = parsed
            .sections
            .iter()
            .filter(|section| section.ruleset == Some(place));
        let listed: ListedChains = own
            .flat_map(|section| {
                let chains = section.listed_chains.iter();
                chains.map(|chain| (chain.line, (*chain, section.whole_tables)))
            })
            .collect();
        if listed.is_empty() {
            continue;
        }
        for table in 0..ruleset.tables.len() {
            mark_table(ruleset, table, &listed);
        }
    }
}

fn mark_table(ruleset: &mut Ruleset, table: usize, listed: &ListedChains) {
    let Some((missing, line)) = count_missing(&ruleset.tables[table], listed) else {
        return;
    };
    let table_rules = ruleset.tables[table]
        .chains
        .iter()
        .flat_map(|chain| &chain.rules);
    let unknown = table_rules.filter(|rule| may_be_any(ruleset, rule)).count();
    if unknown as u64 >= missing || has_lost_lines(&ruleset.tables[table]) {
        return;
    }
    let chains = &mut ruleset.tables[table].chains;
    let mut is_explained = chains
        .iter()
        .flat_map(|chain| &chain.rules)
        .any(|rule| matches!(rule.target, Target::Missing { .. }));
    for gap in chains.iter_mut().flat_map(|chain| &mut chain.gaps) {
        // A chain that the listing omits holds the rule: it is not empty.
        if gap.reason.hides_chain() {
            gap.reason = GapReason::NotShown;
            is_explained = true;
        }
    }
    if is_explained {
        // The listing of a whole table lacks chains: it may end within the last one.
        let shown = chains
            .iter_mut()
            .filter_map(|chain| Some((chain.line?, chain)));
        if let Some((line, last)) = shown.max_by_key(|(line, _)| *line)
            && listed.get(&line).is_some_and(|(_, is_whole)| *is_whole)
        {
            let before = to_u32(last.rules.len());
            last.add_gap(Gap::new(before, GapReason::Uncounted, Some(line)));
        }
        return;
    }
    for chain in chains {
        let listed = chain.line.and_then(|line| listed.get(&line));
        let is_numbered = listed.is_some_and(|(listed, _)| listed.is_numbered);
        let before = if is_numbered { chain.rules.len() } else { 0 };
        chain.add_gap(Gap::new(to_u32(before), GapReason::Uncounted, Some(line)));
    }
}

/// How many jumps are missing that a listing of the table counts, and the head of the first chain
/// that lacks one.
fn count_missing(table: &Table, listed: &ListedChains) -> Option<(u64, u32)> {
    let mut shown = vec![0_u32; table.chains.len()];
    for rule in table.chains.iter().flat_map(|chain| &chain.rules) {
        if let Target::Jump(chain) | Target::Goto(chain) = rule.target {
            shown[chain as usize] += 1;
        }
    }
    let lacking = table.chains.iter().zip(shown).filter_map(|(chain, shown)| {
        let line = chain.line?;
        let missing = listed.get(&line)?.0.references?.saturating_sub(shown);
        (missing > 0).then_some((u64::from(missing), line))
    });
    lacking.reduce(|(sum, line), (missing, _)| (sum + missing, line))
}

/// Whether a rule that the text does not show, or shows damaged, may be a jump.
fn may_be_any(ruleset: &Ruleset, rule: &Rule) -> bool {
    matches!(rule.target, Target::Extension(Id::OPAQUE_TARGET))
        && ruleset
            .matches(rule)
            .iter()
            .any(|part| part.extension == Id::UNLISTED)
}

/// Whether the text shows already that rules are missing, any of which may jump.
fn has_lost_lines(table: &Table) -> bool {
    let mut gaps = table.chains.iter().flat_map(|chain| &chain.gaps);
    gaps.any(|gap: &Gap| !gap.reason.hides_chain() && !gap.reason.is_assumed_empty())
}
