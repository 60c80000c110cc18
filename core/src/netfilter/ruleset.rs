//! A rule set as parsed: tables, chains and rules. One arena holds the clauses of all rules.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::ops::Deref;

use crate::netfilter::backend::Backend;
use crate::netfilter::base::BaseChain;
pub use crate::netfilter::base::Policy;
use crate::netfilter::effect::NatRange;
use crate::netfilter::gap::{Gap, GapReason};
use crate::netfilter::program_chains::ProgramChains;
use crate::netfilter::rule_language::RuleLanguage;
use crate::netfilter::table_family::TableFamily;
use crate::packet::Family;
use crate::packet::hook::Hook;
use crate::text::diagnostic::Span;
use crate::text::print_time::PrintTime;

impl Policy {
    /// The name that `iptables-save` prints.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// Counters of the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets.
    pub packets: u64,
    /// Bytes, headers included.
    pub bytes: u64,
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}:{}]", self.packets, self.bytes)
    }
}

/// The position of the counters of a rule or a chain in [`Ruleset::counters`], if the text states
/// any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CounterId(Option<NonZeroU32>);

impl CounterId {
    /// The counters, from the rule set that stores them.
    pub fn counters(self, ruleset: &Ruleset) -> Option<Counters> {
        ruleset.counters.get(self.0?.get() as usize - 1).copied()
    }

    /// Whether the text states counters.
    pub fn is_some(self) -> bool {
        self.0.is_some()
    }

    /// These counters, or the others if these are absent.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0.or(other.0))
    }
}

/// A text in [`Ruleset::strings`], unescaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextRange {
    start: u32,
    length: u32,
}

impl TextRange {
    /// The text, from the strings that store it.
    pub fn resolve(self, strings: &str) -> &str {
        &strings[self.start as usize..][..self.length as usize]
    }
}

/// A box for large and rare values. Its pointer requires an alignment of four bytes only, so that a
/// [`Value`] takes twelve bytes instead of sixteen.
#[repr(Rust, packed(4))]
pub struct CompactBox<T>(Box<T>);

impl<T> CompactBox<T> {
    /// Allocates the box.
    pub fn new(value: T) -> Self {
        Self(Box::new(value))
    }
}

impl<T> Deref for CompactBox<T> {
    type Target = T;

    #[expect(
        clippy::explicit_auto_deref,
        reason = "without it this were a reference to the pointer, which is packed"
    )]
    fn deref(&self) -> &T {
        &*self.0
    }
}

impl<T: Clone> Clone for CompactBox<T> {
    fn clone(&self) -> Self {
        Self::new(T::clone(self))
    }
}

impl<T: fmt::Debug> fmt::Debug for CompactBox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

impl<T: PartialEq> PartialEq for CompactBox<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Eq> Eq for CompactBox<T> {}

/// A number of up to 64 bits that requires an alignment of four bytes only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(Rust, packed(4))]
pub struct UnalignedU64(u64);

impl UnalignedU64 {
    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl From<u64> for UnalignedU64 {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

/// The value of an option. The option determines its meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// The option takes no value.
    None,
    /// A number, or a position in a list of names.
    Number(u32),
    /// A range. Both ends are included.
    Range(u32, u32),
    /// A value to compare or to set under a mask.
    Masked {
        /// The value of the bits.
        value: u32,
        /// The bits that count.
        mask: u32,
    },
    /// A set of named bits.
    Bits(u32),
    /// Several numbers and ranges.
    List(CompactBox<Vec<(u32, u32)>>),
    /// An IPv4 address under a mask. The mask may have holes.
    Net4(Ipv4Addr, Ipv4Addr),
    /// An IPv6 address under a mask.
    Net6(CompactBox<(Ipv6Addr, Ipv6Addr)>),
    /// Addresses and ports to translate to.
    Nat(CompactBox<NatRange>),
    /// A name or free text.
    Text(TextRange),
    /// A number of up to 64 bits.
    Wide(UnalignedU64),
    /// Two numbers of up to 64 bits: both ends of a range (included), or a value and its companion.
    Wides(CompactBox<(u64, u64)>),
    /// First and last address.
    Addresses(CompactBox<(IpAddr, IpAddr)>),
    /// A hardware address.
    Mac([u8; 6]),
}

/// The match or target that a clause belongs to: a position in the list of its rule language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExtensionId(pub(crate) u8);

/// One option of a rule, or the bare name of a match that has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    /// The extension that the clause belongs to.
    pub extension: ExtensionId,
    /// The position in the extension's table of options; `Part::BARE` for a clause without an
    /// option.
    pub option: u8,
    /// Whether `!` negates it.
    pub negated: bool,
    /// Whether it is the first of its `-m` or `-j`.
    pub opens: bool,
    /// The value of the option.
    pub value: Value,
}

/// The action of a rule for a packet that it matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// None: the rule only counts.
    #[default]
    None,
    /// Continues in a chain (its position in the table). The packet can return to the next rule.
    Jump(u32),
    /// Continues in a chain (its position in the table). When that chain ends, the packet returns
    /// to the caller of this chain.
    Goto(u32),
    /// A target extension. Its options are the last clauses of the rule.
    Extension(ExtensionId),
    /// A chain that the text does not define.
    Missing {
        /// The position of its name in [`Ruleset::missing`].
        name: u32,
        /// Whether the rule uses `-g` instead of `-j`.
        goto: bool,
    },
}

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Line in the text, from 1.
    pub line: u32,
    /// The rule's bytes in the text.
    pub span: Span,
    /// The counters of the kernel, if the text states them.
    pub counters: CounterId,
    /// The position of the rule's first clause in [`Ruleset::parts`].
    pub first: u32,
    /// The number of clauses that test the packet.
    pub matches: u16,
    /// The number of clauses that belong to the target. They follow the others.
    pub parameters: u16,
    /// The action for a packet that matches.
    pub target: Target,
}

/// A chain of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Its name.
    pub name: Box<str>,
    /// Where a base chain is attached; `None` for a chain that rules call.
    pub base: Option<BaseChain>,
    /// The counters of the policy, if the text states them.
    pub counters: CounterId,
    /// The line that declares it, from 1.
    pub line: Option<u32>,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
    /// The points at which rules may be missing, in the order of [`Gap::before`].
    pub gaps: Vec<Gap>,
}

impl Chain {
    /// Adds a gap. Two gaps before one rule become one.
    pub(crate) fn add_gap(&mut self, gap: Gap) {
        let at = self.gaps.partition_point(|held| held.before < gap.before);
        match self
            .gaps
            .get_mut(at)
            .filter(|held| held.before == gap.before)
        {
            Some(held) => held.merge(gap),
            None => self.gaps.insert(at, gap),
        }
    }

    /// The rules of the chain, and the rules that its gaps may hold.
    pub(crate) fn all_rules_mut(&mut self) -> impl Iterator<Item = &mut Rule> {
        self.rules
            .iter_mut()
            .chain(self.gaps.iter_mut().flat_map(|gap| &mut gap.possible))
    }

    /// The hook of a base chain.
    pub fn hook(&self) -> Option<Hook> {
        self.base.map(|base| base.hook)
    }

    /// The policy of a base chain. Other chains have no policy; the result is then ACCEPT.
    pub fn policy(&self) -> Policy {
        self.base.map_or(Policy::Accept, |base| base.policy)
    }

    /// Sets the policy of a base chain.
    pub(crate) fn set_policy(&mut self, policy: Policy) {
        if let Some(base) = &mut self.base {
            base.policy = policy;
        }
    }
}

/// A table of chains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The packets that the table sees.
    pub family: TableFamily,
    /// Its name. Tables of two families may have the same name.
    pub name: Box<str>,
    /// The language that its rules are written in.
    pub language: RuleLanguage,
    /// The line at which it begins, from 1.
    pub line: u32,
    /// Its chains, in the order of the text.
    pub chains: Vec<Chain>,
}

impl Table {
    /// Whether a rule has an error, so that the kernel does not hold it in this form.
    pub fn is_damaged(&self, rule: &Rule) -> bool {
        let gaps = self.chains.iter().flat_map(|chain| &chain.gaps);
        let mut damaged = gaps.filter(|gap| gap.reason == GapReason::Damaged);
        damaged.any(|gap| gap.line == Some(rule.line))
    }

    /// The name of the table in sentences and in the public JSON: `nat` for a table of iptables,
    /// `inet nat` for a table of nft.
    pub fn label(&self) -> Cow<'_, str> {
        match self.language {
            RuleLanguage::Iptables => Cow::Borrowed(&self.name),
            RuleLanguage::Nftables => Cow::Owned(format!("{} {}", self.family, self.name)),
        }
    }

    /// Whether it has the same family, name and language as another table.
    pub fn is_like(&self, other: &Self) -> bool {
        (self.family, self.language, &self.name) == (other.family, other.language, &other.name)
    }

    /// The built-in chain at a hook, with its position.
    pub fn at(&self, hook: Hook) -> Option<(u32, &Chain)> {
        (0..)
            .zip(&self.chains)
            .find(|(_, chain)| chain.hook() == Some(hook))
    }

    /// The chain with this name, with its position.
    pub fn chain(&self, name: &str) -> Option<(u32, &Chain)> {
        (0..)
            .zip(&self.chains)
            .find(|(_, chain)| &*chain.name == name)
    }

    /// The number of rules in all chains.
    pub fn rules(&self) -> usize {
        self.chains.iter().map(|chain| chain.rules.len()).sum()
    }
}

/// A rule that the text contains after a `#`: it is switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Off {
    /// The position of its table in the rule set.
    pub table: u32,
    /// The position of its chain in the table.
    pub chain: u32,
    /// The position of the rule that follows it in the chain, from 0; the number of rules if none
    /// follows.
    pub before: u32,
    /// Line in the text, from 1.
    pub line: u32,
    /// Its bytes in the text, with the `#`.
    pub span: Span,
}

/// The rules of one address family in one backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruleset {
    /// IPv4 or IPv6.
    pub family: Family,
    /// The backend, if the text states it.
    pub backend: Option<Backend>,
    /// The version of the program that printed it, if the text states it.
    pub version: Option<String>,
    /// The time at which its last table was printed, if the text states it.
    pub printed_at: Option<PrintTime>,
    /// The input text that contains it, from 0. Lines and spans refer to this text.
    pub source: u32,
    /// The other backend, if a message in the text reports that it holds rules too. The text does
    /// not show these rules.
    pub hidden_backend: Option<Backend>,
    /// Rules of the namespace that the input does not show, each in a clause of its own. A walk
    /// lists them among its assumptions.
    pub unread: Vec<String>,
    /// The chains that imply a program of the kernel next to the rules; set by
    /// [`Ruleset::index`].
    pub program_chains: ProgramChains,
    /// The positions of the base chains: a table, and a chain in it, in the order of the text; set
    /// by [`Ruleset::index`].
    pub base_chains: Vec<(u32, u32)>,
    /// The extensions that the rules have, as clauses or as targets, in order; set by
    /// [`Ruleset::index`].
    pub extensions: Vec<ExtensionId>,
    /// Its tables, in the order of the text.
    pub tables: Vec<Table>,
    /// The rules that are switched off, in the order of the text.
    pub off: Vec<Off>,
    /// The clauses of all rules.
    pub parts: Vec<Clause>,
    /// The texts of all clauses.
    pub strings: String,
    /// The counters of the kernel.
    pub counters: Vec<Counters>,
    /// The names of chains that rules call and the text does not define.
    pub missing: Vec<TextRange>,
}

impl Ruleset {
    /// An empty rule set.
    pub fn new(family: Family, backend: Option<Backend>) -> Self {
        Self {
            family,
            backend,
            version: None,
            printed_at: None,
            source: 0,
            hidden_backend: None,
            unread: Vec::new(),
            program_chains: ProgramChains::default(),
            base_chains: Vec::new(),
            extensions: Vec::new(),
            tables: Vec::new(),
            off: Vec::new(),
            parts: Vec::new(),
            strings: String::new(),
            counters: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// The table with the family, name and language of another one.
    pub fn table_like(&self, other: &Table) -> Option<&Table> {
        self.tables.iter().find(|table| table.is_like(other))
    }

    /// Removes a table, with the rules that are switched off in it.
    pub(crate) fn remove_table(&mut self, place: u32) -> Table {
        self.off.retain(|off| off.table != place);
        self.off
            .iter_mut()
            .for_each(|off| off.table -= u32::from(off.table > place));
        self.tables.remove(place as usize)
    }

    /// Sorts the tables by a key, which is made of a table and its place.
    pub(crate) fn sort_tables_by_key<K: Ord>(&mut self, key: impl Fn(usize, &Table) -> K) {
        let mut tables: Vec<(u32, Table)> = (0..).zip(std::mem::take(&mut self.tables)).collect();
        tables.sort_by_key(|(place, table)| key(*place as usize, table));
        for off in &mut self.off {
            let moved = (0..)
                .zip(&tables)
                .find(|(_, (place, _))| *place == off.table);
            off.table = moved.map_or(off.table, |(place, _)| place);
        }
        self.tables = tables.into_iter().map(|(_, table)| table).collect();
    }

    /// The number of rules in all tables.
    pub fn rules(&self) -> usize {
        self.tables.iter().map(Table::rules).sum()
    }

    /// Whether it can affect a packet: it has a rule, a command that may have run, or a policy
    /// other than ACCEPT.
    pub fn is_populated(&self) -> bool {
        let mut chains = self.tables.iter().flat_map(|table| &table.chains);
        let may_change = |chain: &Chain| {
            chain
                .gaps
                .iter()
                .any(|gap| gap.reason == GapReason::Conditional)
        };
        chains.any(|chain| {
            !chain.rules.is_empty() || chain.policy() != Policy::Accept || may_change(chain)
        })
    }

    /// Finds what every walk needs to know about all chains and rules. A node has forty thousand
    /// chains, and a walk that visited all of them took five times as long. Call this after the
    /// last change of the rules.
    pub fn index(&mut self) {
        let chains = self.tables.iter().flat_map(|table| &table.chains);
        self.program_chains = ProgramChains::find(chains.clone().map(|chain| &*chain.name));
        let targets = chains.flat_map(|chain| &chain.rules);
        let targets = targets.filter_map(|rule| match rule.target {
            Target::Extension(id) => Some(id),
            _ => None,
        });
        let mut has = [false; 1 << u8::BITS];
        let clauses = self.parts.iter().map(|part| part.extension);
        clauses
            .chain(targets)
            .for_each(|id| has[usize::from(id.0)] = true);
        let ids = (0..=u8::MAX).map(ExtensionId);
        self.extensions = ids.filter(|id| has[usize::from(id.0)]).collect();
        self.base_chains = self.find_base_chains().collect();
    }

    /// The positions of the base chains, from the chains themselves.
    pub fn find_base_chains(&self) -> impl Iterator<Item = (u32, u32)> {
        (0..).zip(&self.tables).flat_map(|(table, held)| {
            let chains = (0..).zip(&held.chains);
            chains
                .filter(|(_, chain)| chain.base.is_some())
                .map(move |(chain, _)| (table, chain))
        })
    }

    /// The clauses that test the packet, in order.
    pub fn matches(&self, rule: &Rule) -> &[Clause] {
        let first = rule.first as usize;
        &self.parts[first..first + usize::from(rule.matches)]
    }

    /// The clauses that belong to the target.
    pub fn parameters(&self, rule: &Rule) -> &[Clause] {
        let first = rule.first as usize + usize::from(rule.matches);
        &self.parts[first..first + usize::from(rule.parameters)]
    }

    /// The matches of a rule, each with all its options: the clauses of one `-m`.
    pub fn groups<'a>(&'a self, rule: &Rule) -> impl Iterator<Item = &'a [Clause]> {
        self.matches(rule).chunk_by(|_, next| !next.opens)
    }

    /// Stores a text. If the text is equal to the last stored one, it shares that one, since rules
    /// in a row often have the same comment.
    pub fn keep(&mut self, text: &str) -> TextRange {
        if !self.strings.ends_with(text) {
            self.strings.push_str(text);
        }
        let start = self.strings.len() - text.len();
        let narrow = |n| u32::try_from(n).expect("strings are parts of a text below 4 GiB");
        TextRange {
            start: narrow(start),
            length: narrow(text.len()),
        }
    }

    /// Stores counters. If they are equal to the last stored ones, they share those, since most
    /// chains of a node have `[0:0]`.
    pub fn count(&mut self, counters: Option<Counters>) -> CounterId {
        let Some(counters) = counters else {
            return CounterId::default();
        };
        if self.counters.last() != Some(&counters) {
            self.counters.push(counters);
        }
        CounterId(
            u32::try_from(self.counters.len())
                .ok()
                .and_then(NonZeroU32::new),
        )
    }

    /// Stores the name of a chain that the text does not define, for [`Target::Missing`].
    pub fn miss(&mut self, name: &str) -> u32 {
        if self
            .missing
            .last()
            .is_none_or(|last| self.text(*last) != name)
        {
            let name = self.keep(name);
            self.missing.push(name);
        }
        u32::try_from(self.missing.len() - 1)
            .expect("rules are fewer than bytes of a text below 4 GiB")
    }

    /// Adds the tables of another rule set of the same text.
    pub fn absorb(&mut self, other: Self) {
        let narrow = |n| u32::try_from(n).expect("all are of a text below 4 GiB");
        let (parts, strings) = (narrow(self.parts.len()), narrow(self.strings.len()));
        let (counters, missing) = (narrow(self.counters.len()), narrow(self.missing.len()));
        let counted =
            |own: &mut CounterId| own.0 = own.0.and_then(|place| place.checked_add(counters));
        self.counters.extend(other.counters);
        let moved = |text: TextRange| TextRange {
            start: text.start + strings,
            ..text
        };
        self.missing.extend(other.missing.into_iter().map(moved));
        self.strings.push_str(&other.strings);
        self.parts
            .extend(other.parts.into_iter().map(|part| match part.value {
                Value::Text(text) => Clause {
                    value: Value::Text(moved(text)),
                    ..part
                },
                _ => part,
            }));
        for mut table in other.tables {
            table
                .chains
                .iter_mut()
                .for_each(|chain| counted(&mut chain.counters));
            for rule in table.chains.iter_mut().flat_map(Chain::all_rules_mut) {
                rule.first += parts;
                counted(&mut rule.counters);
                if let Target::Missing { name, .. } = &mut rule.target {
                    *name += missing;
                }
            }
            self.tables.push(table);
        }
    }

    /// A stored text.
    pub fn text(&self, text: TextRange) -> &str {
        text.resolve(&self.strings)
    }

    /// The name of a chain that the text does not define.
    pub fn missing(&self, name: u32) -> &str {
        self.text(self.missing[name as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tables, each with the lines of its rules that are switched off.
    fn tables(ruleset: &Ruleset) -> Vec<(&str, Vec<u32>)> {
        let off = |place: u32| {
            ruleset
                .off
                .iter()
                .filter(|off| off.table == place)
                .map(|off| off.line)
                .collect()
        };
        (0..)
            .zip(&ruleset.tables)
            .map(|(place, table)| (&*table.name, off(place)))
            .collect()
    }

    #[test]
    fn rules_that_are_switched_off_stay_with_their_table() {
        let mut ruleset = Ruleset::new(Family::Ipv4, None);
        for (place, name) in (0..).zip(["raw", "nat", "filter"]) {
            ruleset.tables.push(Table {
                family: TableFamily::Ip,
                name: name.into(),
                language: RuleLanguage::Iptables,
                line: 1,
                chains: Vec::new(),
            });
            let line = 10 + place;
            ruleset.off.push(Off {
                table: place,
                chain: 0,
                before: 0,
                line,
                span: Span::default(),
            });
        }
        ruleset.sort_tables_by_key(|_, table| table.name.clone());
        assert_eq!(
            tables(&ruleset),
            [("filter", vec![12]), ("nat", vec![11]), ("raw", vec![10])]
        );
        ruleset.remove_table(1);
        assert_eq!(tables(&ruleset), [("filter", vec![12]), ("raw", vec![10])]);
    }
}
