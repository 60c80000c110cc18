//! Base chains of native nftables. Their rules are not read, so each of them is a gap at its hook
//! and priority.

use std::str::FromStr;

use serde::Deserialize;

use crate::iptables::table_name::TableName;
use crate::netfilter::backend::Backend;
use crate::netfilter::base::{BaseChain, ChainType};
use crate::netfilter::gap::{Gap, GapReason};
use crate::netfilter::rule_language::RuleLanguage;
use crate::netfilter::ruleset::{Chain, CounterId, Policy, Ruleset, Table};
use crate::netfilter::table_family::TableFamily;
use crate::nftables::listing::Listing;
use crate::nftables::table::NativeTable;
use crate::packet::Family;
use crate::packet::hook::Hook;
use crate::text::diagnostic::Code;

use super::super::Parsed;

/// The maximum number of base chains. The walk is undetermined long before.
const MAX_CHAINS: usize = 200;

/// A base chain, with its table.
struct NativeBaseChain<'t> {
    family: TableFamily,
    table: &'t str,
    name: &'t str,
    base: BaseChain,
    /// Its line; 0 in JSON, which nft prints as one line.
    line: u32,
}

impl NativeBaseChain<'_> {
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
    if !parsed
        .diagnostics
        .iter()
        .any(|diagnostic| diagnostic.code == Code::NativeNftables)
    {
        return;
    }
    for (source, text) in (0..).zip(&parsed.sources) {
        let tables = Listing::read(text).tables;
        for chain in base_chains(&tables) {
            for family in [Family::Ipv4, Family::Ipv6] {
                if chain.sees(family) {
                    add_chain(&mut parsed.rulesets, source, family, &chain);
                }
            }
        }
        parsed.native_tables.extend(tables);
    }
}

/// Adds the native tables that a capture's listing of nft has, to the rule sets of their families.
pub(in super::super) fn mark_listed_tables(rulesets: &mut Vec<Ruleset>, listing: &str) {
    let json: Option<JsonListing> = serde_json::from_str(listing).ok();
    let tables = match &json {
        Some(_) => Vec::new(),
        None => Listing::read(listing).tables,
    };
    let chains = match &json {
        Some(json) => json
            .nftables
            .iter()
            .filter_map(|entry| json_chain(entry.chain.as_ref()?))
            .take(MAX_CHAINS)
            .collect(),
        None => base_chains(&tables),
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

fn json_chain(chain: &JsonChain) -> Option<NativeBaseChain<'_>> {
    Some(NativeBaseChain {
        family: TableFamily::from_str(&chain.family).ok()?,
        table: &chain.table,
        name: &chain.name,
        base: base_chain(&chain.kind, &chain.hook, chain.prio, &chain.policy)?,
        line: 0,
    })
}

fn add_chain(rulesets: &mut Vec<Ruleset>, source: u32, family: Family, chain: &NativeBaseChain) {
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

/// The base chains of tables, at the hooks that a walk evaluates.
fn base_chains(tables: &[NativeTable]) -> Vec<NativeBaseChain<'_>> {
    let chains = tables
        .iter()
        .flat_map(|table| table.chains.iter().map(move |chain| (table, chain)));
    let bases = chains.filter_map(|(table, chain)| {
        let base = chain.base.as_ref()?;
        Some(NativeBaseChain {
            family: table.family,
            table: &table.name,
            name: &chain.name,
            base: base_chain(&base.kind, &base.hook, base.priority, &base.policy)?,
            line: chain.line,
        })
    });
    bases.take(MAX_CHAINS).collect()
}

fn base_chain(kind: &str, hook: &str, priority: i32, policy: &str) -> Option<BaseChain> {
    let kind = match kind {
        "filter" => ChainType::Filter,
        "nat" => ChainType::Nat,
        "route" => ChainType::Route,
        _ => return None,
    };
    let hook = Hook::ALL
        .into_iter()
        .find(|known| known.name().eq_ignore_ascii_case(hook))?;
    let policy = match policy {
        "drop" => Policy::Drop,
        _ => Policy::Accept,
    };
    Some(BaseChain {
        kind,
        hook,
        priority,
        policy,
    })
}
