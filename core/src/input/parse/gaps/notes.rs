//! Messages of iptables about rules that it cannot show.

use crate::iptables::table_name::TableName;
use crate::netfilter::backend::Backend;
use crate::netfilter::gap::{Gap, GapReason};
use crate::netfilter::ruleset::Ruleset;
use crate::packet::Family;
use crate::text::diagnostic::Code;

use super::super::Parsed;
use super::mark_hidden_chains;

/// Marks the parts that iptables cannot show according to its messages: ``# Table
/// `nat' is incompatible, use 'nft' tool.` `, and the other backend's tables.
pub(super) fn mark_tables(parsed: &mut Parsed) {
    let Parsed {
        sources,
        rulesets,
        diagnostics,
        ..
    } = parsed;
    if !diagnostics
        .iter()
        .any(|diagnostic| diagnostic.code == Code::OtherBackend)
    {
        return;
    }
    for (source, text) in (0..).zip(&*sources) {
        for (number, line) in (1..).zip(text.lines()) {
            if let Some(table) = incompatible_table(line) {
                let sets = rulesets.iter_mut().filter(|set| set.source == source);
                for set in sets {
                    mark_incompatible(set, table, number);
                }
            }
            for (note, backend) in [
                ("-legacy tables present", Backend::Legacy),
                ("-nft tables present", Backend::Nft),
            ] {
                if line.contains(note) {
                    let family = if line.contains("ip6tables") {
                        Family::Ipv6
                    } else {
                        Family::Ipv4
                    };
                    let sets = rulesets
                        .iter_mut()
                        .filter(|set| set.source == source && set.family == family);
                    sets.for_each(|set| set.hidden_backend = Some(backend));
                }
            }
        }
    }
}

/// The table that a message of iptables names as one that it cannot show.
fn incompatible_table(line: &str) -> Option<TableName> {
    let (_, rest) = line.split_once("Table `")?;
    let (name, rest) = rest.split_once('\'')?;
    rest.trim_start()
        .starts_with("is incompatible")
        .then(|| TableName::from_text(name))?
}

fn mark_incompatible(set: &mut Ruleset, name: TableName, line: u32) {
    let backend = set.backend;
    if set.table(name).is_none() {
        set.tables.push(name.empty_table(set.family, line));
    }
    for table in set.tables.iter_mut().filter(|table| table.is(name)) {
        mark_hidden_chains(table, backend, GapReason::Incompatible);
        for chain in &mut table.chains {
            chain.gaps.clear();
            chain.add_gap(Gap::new(0, GapReason::Incompatible, Some(line)));
        }
    }
}
