//! One table that a text shows chain by chain: `iptables -L OUTPUT`, then `iptables -L X`.

use crate::iptables::table_name::TableName;
use crate::netfilter::ruleset::{Chain, Ruleset, Table, Target};

/// Whether two parts of a text show different chains of one table. A chain in both parts must be
/// `same`.
pub(super) fn are_parts(
    table: &Table,
    other: &Table,
    same: impl Fn(&Chain, &Chain) -> bool,
) -> bool {
    let names = |table: &Table| {
        table
            .chains
            .iter()
            .map(|chain| chain.name.clone())
            .collect::<Vec<_>>()
    };
    names(table) != names(other)
        && other.chains.iter().all(|chain: &Chain| {
            table
                .chain(&chain.name)
                .is_none_or(|(_, held)| same(held, chain))
        })
}

/// Adds the chains of the second table with a name to the first, and resolves jumps to them.
/// Returns the lines of rules with a resolved jump.
pub(super) fn join_tables(ruleset: &mut Ruleset, name: TableName) -> Vec<u32> {
    let mut places = (0..)
        .zip(&ruleset.tables)
        .filter(|(_, table)| table.is(name))
        .map(|(place, _)| place);
    let (Some(first), Some(second)) = (places.next(), places.next()) else {
        return Vec::new();
    };
    let mut added = ruleset.remove_table(second).chains;
    let table = &mut ruleset.tables[first as usize];
    let known = table.chains.len();
    let mut place_of = Vec::with_capacity(added.len());
    let mut is_new = Vec::with_capacity(added.len());
    let mut next = known;
    for chain in &added {
        let held = table.chain(&chain.name).map(|(place, _)| place as usize);
        is_new.push(held.is_none());
        place_of.push(held.unwrap_or(next));
        next += usize::from(held.is_none());
    }
    for rule in added.iter_mut().flat_map(Chain::all_rules_mut) {
        if let Target::Jump(chain) | Target::Goto(chain) = &mut rule.target {
            *chain = u32::try_from(place_of[*chain as usize]).unwrap_or(u32::MAX);
        }
    }
    let new = added
        .into_iter()
        .zip(is_new)
        .filter(|(_, is_new)| *is_new)
        .map(|(chain, _)| chain);
    table.chains.extend(new);
    find_missing_chains(ruleset, first as usize)
}

fn find_missing_chains(ruleset: &mut Ruleset, table: usize) -> Vec<u32> {
    let Ruleset {
        tables,
        strings,
        missing,
        ..
    } = ruleset;
    let chains = &mut tables[table].chains;
    let places: std::collections::HashMap<Box<str>, u32> = (0..)
        .zip(&*chains)
        .map(|(place, chain)| (chain.name.clone(), place))
        .collect();
    let mut found = Vec::new();
    for rule in chains.iter_mut().flat_map(|chain| &mut chain.rules) {
        let Target::Missing { name, goto } = rule.target else {
            continue;
        };
        if let Some(place) = places.get(missing[name as usize].resolve(strings)) {
            rule.target = if goto {
                Target::Goto(*place)
            } else {
                Target::Jump(*place)
            };
            found.push(rule.line);
        }
    }
    found
}
