//! Parts of a text beyond a limit of the reader. They may change any table.

use crate::iptables::table_name::TableName;
use crate::netfilter::gap::{Gap, GapReason};
use crate::netfilter::ruleset::Ruleset;
use crate::text::diagnostic::Code;

use super::super::Parsed;
use super::{mark_hidden_chains, to_u32};

/// Marks every chain of the texts that are not read to their end.
pub(super) fn mark_tables(parsed: &mut Parsed) {
    let Parsed {
        rulesets,
        diagnostics,
        ..
    } = parsed;
    let cuts = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.code == Code::PartNotRead);
    for cut in cuts {
        let sets = rulesets.iter_mut().filter(|set| set.source == cut.source);
        sets.for_each(|set| mark(set, cut.line));
    }
}

fn mark(set: &mut Ruleset, line: u32) {
    for name in TableName::ALL {
        if set.table(name).is_none() {
            set.tables.push(name.empty_table(set.family, line));
        }
    }
    let backend = set.backend;
    for table in &mut set.tables {
        mark_hidden_chains(table, backend, GapReason::NotRead);
        for chain in &mut table.chains {
            // The end of a built-in chain is its policy.
            let end = if chain.base.is_some() {
                chain.rules.len()
            } else {
                0
            };
            for before in [0, to_u32(end)] {
                chain.add_gap(Gap::new(before, GapReason::NotRead, Some(line)));
            }
        }
    }
}
