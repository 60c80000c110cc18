//! Base chains of native nftables. Their rules are not read, so each of them is a gap at its hook
//! and priority.

use std::str::FromStr;

use serde::Deserialize;

use crate::iptables::table_name::TableName;
use crate::netfilter::backend::Backend;
use crate::netfilter::base::{BaseChain, ChainType, priority};
use crate::netfilter::gap::{Gap, GapReason};
use crate::netfilter::rule_language::RuleLanguage;
use crate::netfilter::ruleset::{Chain, CounterId, Policy, Ruleset, Table};
use crate::netfilter::table_family::TableFamily;
use crate::packet::Family;
use crate::packet::hook::Hook;
use crate::text::diagnostic::Code;

use super::super::Parsed;

/// The maximum number of base chains. The walk is undetermined long before.
const MAX_CHAINS: usize = 200;

/// A base chain of a text, with its table.
struct NativeChain<'t> {
    family: TableFamily,
    table: &'t str,
    name: &'t str,
    base: BaseChain,
    /// Its line; 0 in JSON, which nft prints as one line.
    line: u32,
}

impl NativeChain<'_> {
    /// Whether packets of a family come to the chain.
    fn sees(&self, family: Family) -> bool {
        self.family == TableFamily::Inet || self.family == family.into()
    }
}

/// What `nft -j list ruleset` prints; all but the chains is skipped.
#[derive(Deserialize)]
struct JsonListing {
    nftables: Vec<JsonEntry>,
}

#[derive(Deserialize)]
struct JsonEntry {
    chain: Option<JsonChain>,
}

/// A chain; one that is not a base chain has a family, a table and a name alone.
#[derive(Deserialize)]
struct JsonChain {
    family: String,
    table: String,
    name: String,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    hook: String,
    #[serde(default)]
    prio: i32,
    #[serde(default)]
    policy: String,
}

/// Adds the tables of native nftables in a text to the rule sets of each family that they see.
pub(super) fn mark_tables(parsed: &mut Parsed) {
    let Parsed {
        sources,
        rulesets,
        diagnostics,
        ..
    } = parsed;
    if !diagnostics
        .iter()
        .any(|diagnostic| diagnostic.code == Code::NativeNftables)
    {
        return;
    }
    for (source, text) in (0..).zip(&*sources) {
        for chain in native_chains(text) {
            for family in [Family::Ipv4, Family::Ipv6] {
                if chain.sees(family) {
                    add_chain(rulesets, source, family, &chain);
                }
            }
        }
    }
}

/// Adds the native tables that a capture's listing of nft has, to the rule sets of their families.
pub(in super::super) fn mark_listed_tables(rulesets: &mut Vec<Ruleset>, listing: &str) {
    let json: Option<JsonListing> = serde_json::from_str(listing).ok();
    let chains = match &json {
        Some(json) => json
            .nftables
            .iter()
            .filter_map(|entry| json_chain(entry.chain.as_ref()?))
            .take(MAX_CHAINS)
            .collect(),
        None => native_chains(listing),
    };
    for family in [Family::Ipv4, Family::Ipv6] {
        let Some(set) = rulesets.iter().find(|set| set.family == family) else {
            continue;
        };
        let source = set.source;
        for chain in &chains {
            if chain.sees(family) {
                add_chain(rulesets, source, family, chain);
            }
        }
    }
}

fn json_chain(chain: &JsonChain) -> Option<NativeChain<'_>> {
    let (priority, policy) = (chain.prio.to_string(), format!("policy {};", chain.policy));
    let words = ["priority", &priority, ";", &policy];
    Some(NativeChain {
        family: TableFamily::from_str(&chain.family).ok()?,
        table: &chain.table,
        name: &chain.name,
        base: base_chain(&chain.kind, &chain.hook, &words)?,
        line: 0,
    })
}

fn add_chain(rulesets: &mut Vec<Ruleset>, source: u32, family: Family, chain: &NativeChain) {
    let is_own = |set: &Ruleset| set.source == source && set.family == family;
    // iptables-nft's own tables are among those that nft lists; iptables shows their rules.
    let is_iptables = chain.family == family.into() && TableName::from_text(chain.table).is_some();
    if is_iptables
        && rulesets
            .iter()
            .any(|set| is_own(set) && set.backend != Some(Backend::Legacy) && set.is_populated())
    {
        return;
    }
    let place = rulesets.iter().position(is_own).unwrap_or_else(|| {
        rulesets.push(Ruleset {
            source,
            ..Ruleset::new(family, Some(Backend::Nft))
        });
        rulesets.len() - 1
    });
    let tables = &mut rulesets[place].tables;
    let table = tables
        .iter()
        .position(|table: &Table| {
            table.language == RuleLanguage::Nftables
                && table.family == chain.family
                && *table.name == *chain.table
        })
        .unwrap_or_else(|| {
            tables.push(Table {
                family: chain.family,
                name: chain.table.into(),
                language: RuleLanguage::Nftables,
                line: chain.line,
                chains: Vec::new(),
            });
            tables.len() - 1
        });
    let line = Some(chain.line).filter(|line| *line > 0);
    tables[table].chains.push(Chain {
        name: chain.name.into(),
        base: Some(chain.base),
        counters: CounterId::default(),
        line,
        rules: Vec::new(),
        gaps: vec![Gap::new(0, GapReason::NativeNftables, line)],
    });
}

/// The base chains of a text, by their lines: `table inet mesh {`, `chain output {`, `type nat hook
/// output priority -100; …`.
fn native_chains(text: &str) -> Vec<NativeChain<'_>> {
    let mut found = Vec::new();
    let (mut table, mut chain) = (None, None);
    for (number, line) in (1..).zip(text.lines()) {
        let words: Vec<&str> = line.split_whitespace().take(12).collect();
        match &words[..] {
            ["table", family, name, ..] => {
                table = TableFamily::from_str(family)
                    .ok()
                    .map(|family| (family, *name))
            }
            ["chain", name, ..] => chain = Some((*name, number)),
            ["type", kind, "hook", hook, rest @ ..] => {
                let (Some((family, table)), Some((name, line))) = (table, chain) else {
                    continue;
                };
                let Some(base) = base_chain(kind, hook, rest) else {
                    continue;
                };
                found.push(NativeChain {
                    family,
                    table,
                    name,
                    base,
                    line,
                });
            }
            _ => {}
        }
        if found.len() == MAX_CHAINS {
            break;
        }
    }
    found
}

/// `nat`, `output`, and the words after the hook: `priority dstnat + 10; policy drop;`.
fn base_chain(kind: &str, hook: &str, rest: &[&str]) -> Option<BaseChain> {
    let kind = match kind {
        "filter" => ChainType::Filter,
        "nat" => ChainType::Nat,
        "route" => ChainType::Route,
        _ => return None,
    };
    let hook = Hook::ALL
        .into_iter()
        .find(|known| known.name().eq_ignore_ascii_case(hook))?;
    let words = rest.join(" ");
    let stated = words
        .split("priority")
        .nth(1)?
        .split(';')
        .next()?
        .replace(' ', "");
    let split = stated
        .find(|sign: char| !sign.is_ascii_alphabetic())
        .unwrap_or(stated.len());
    let (name, offset) = stated.split_at(split);
    let named = match name {
        "" => 0,
        "raw" => priority::RAW,
        "mangle" => priority::MANGLE,
        "dstnat" => priority::NAT_DST,
        "filter" => priority::FILTER,
        "security" => priority::SECURITY,
        "srcnat" => priority::NAT_SRC,
        _ => return None,
    };
    let offset: i32 = if offset.is_empty() {
        0
    } else {
        offset.parse().ok()?
    };
    let policy = if words.contains("policy drop") {
        Policy::Drop
    } else {
        Policy::Accept
    };
    Some(BaseChain {
        kind,
        hook,
        priority: named.saturating_add(offset),
        policy,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities_are_read_by_number_and_by_name() {
        let priority = |text: &str| {
            let words: Vec<&str> = text.split_whitespace().collect();
            base_chain("filter", "output", &words).map(|base| (base.priority, base.policy))
        };
        assert_eq!(
            priority("priority -100; policy accept;"),
            Some((-100, Policy::Accept))
        );
        assert_eq!(
            priority("priority dstnat + 10; policy drop;"),
            Some((-90, Policy::Drop))
        );
        assert_eq!(
            priority("priority filter; policy accept;"),
            Some((0, Policy::Accept))
        );
        assert_eq!(priority("priority later;"), None);
    }
}
