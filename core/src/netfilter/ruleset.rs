//! A rule set as read: tables, chains, rules, and the parts of a rule in one arena.

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
use crate::netfilter::rule_language::RuleLanguage;
use crate::netfilter::table_family::TableFamily;
use crate::packet::Family;
use crate::packet::hook::Hook;
use crate::text::diagnostic::Span;

impl Policy {
    /// As `iptables-save` prints it.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// What the kernel counted.
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

/// Where in [`Ruleset::counters`] the counters of a rule or a chain are, where the text says any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted(Option<NonZeroU32>);

impl Counted {
    /// The counters, in the rule set that they were kept in.
    pub fn of(self, ruleset: &Ruleset) -> Option<Counters> {
        ruleset.counters.get(self.0?.get() as usize - 1).copied()
    }

    /// Whether the text says any.
    pub fn is_some(self) -> bool {
        self.0.is_some()
    }

    /// These, or others where there are none.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0.or(other.0))
    }
}

/// Text kept in [`Ruleset::strings`], unescaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    start: u32,
    length: u32,
}

impl Text {
    /// The text, in the strings that it was kept in.
    pub fn of(self, strings: &str) -> &str {
        &strings[self.start as usize..][..self.length as usize]
    }
}

/// What few values need, kept apart from them: its pointer asks for no more than four bytes of
/// alignment, so that a [`Value`] takes twelve and not sixteen.
#[repr(Rust, packed(4))]
pub struct Apart<T>(Box<T>);

impl<T> Apart<T> {
    /// Puts it there.
    pub fn new(value: T) -> Self {
        Self(Box::new(value))
    }
}

impl<T> Deref for Apart<T> {
    type Target = T;

    #[expect(
        clippy::explicit_auto_deref,
        reason = "without it this were a reference to the pointer, which is packed"
    )]
    fn deref(&self) -> &T {
        &*self.0
    }
}

impl<T: Clone> Clone for Apart<T> {
    fn clone(&self) -> Self {
        Self::new(T::clone(self))
    }
}

impl<T: fmt::Debug> fmt::Debug for Apart<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

impl<T: PartialEq> PartialEq for Apart<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Eq> Eq for Apart<T> {}

/// A number of up to 64 bits, that asks for no more than four bytes of alignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(Rust, packed(4))]
pub struct Wide(u64);

impl Wide {
    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl From<u64> for Wide {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

/// A value as an option gives it. Which option it belongs to says how to read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// The option takes none.
    None,
    /// A number, or the place in a list of names.
    Number(u32),
    /// Both ends included.
    Range(u32, u32),
    /// Compare (or set) `value` under `mask`.
    Masked {
        /// The bits wanted.
        value: u32,
        /// The bits looked at.
        mask: u32,
    },
    /// A set of named bits.
    Bits(u32),
    /// Several numbers and ranges.
    List(Apart<Vec<(u32, u32)>>),
    /// An IPv4 address under a mask, which need not be contiguous.
    Net4(Ipv4Addr, Ipv4Addr),
    /// An IPv6 address under a mask.
    Net6(Apart<(Ipv6Addr, Ipv6Addr)>),
    /// Addresses and ports to translate to.
    Nat(Apart<NatRange>),
    /// A name or free text.
    Text(Text),
    /// A number of up to 64 bits.
    Wide(Wide),
    /// Two of them: both ends of a range, included, or a value and what goes with it.
    Wides(Apart<(u64, u64)>),
    /// First and last address.
    Addresses(Apart<(IpAddr, IpAddr)>),
    /// A hardware address.
    Mac([u8; 6]),
}

/// Which match or target of its rule language a clause belongs to: a place in the language's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExtensionId(pub(crate) u8);

/// One option of a rule, or the bare name of a match that has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which extension it belongs to.
    pub extension: ExtensionId,
    /// Place in the extension's option table; `Part::BARE` for none.
    pub option: u8,
    /// Whether `!` stands before it.
    pub negated: bool,
    /// Whether it is the first of its `-m` or `-j`.
    pub opens: bool,
    /// What the option was given.
    pub value: Value,
}

/// What a rule does with a packet that it matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// Nothing: the rule only counts.
    #[default]
    None,
    /// Continues in a chain (its place in the table) and comes back.
    Jump(u32),
    /// Continues in a chain and comes back to the caller of this one.
    Goto(u32),
    /// A target extension; its options are the rule's last parts.
    Extension(ExtensionId),
    /// A chain that the text does not define.
    Missing {
        /// Its name's place in [`Ruleset::missing`].
        name: u32,
        /// `-g` rather than `-j`.
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
    /// What the kernel counted, where the text says.
    pub counters: Counted,
    /// First part in [`Ruleset::parts`].
    pub first: u32,
    /// How many parts test the packet.
    pub matches: u16,
    /// How many parts belong to the target; they follow the others.
    pub parameters: u16,
    /// What happens on a match.
    pub target: Target,
}

/// A chain of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Its name.
    pub name: Box<str>,
    /// Where a base chain is attached; `None` for a chain that only other chains lead to.
    pub base: Option<BaseChain>,
    /// What fell through to the policy, where the text says.
    pub counters: Counted,
    /// The line that declares it, from 1.
    pub line: Option<u32>,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
    /// Where rules may be missing, by [`Gap::before`].
    pub gaps: Vec<Gap>,
}

impl Chain {
    /// Adds a gap at its place. Two gaps before one rule become one.
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

    /// Its rules, and those that it may hold.
    pub(crate) fn all_rules_mut(&mut self) -> impl Iterator<Item = &mut Rule> {
        self.rules
            .iter_mut()
            .chain(self.gaps.iter_mut().flat_map(|gap| &mut gap.possible))
    }

    /// The hook of a base chain.
    pub fn hook(&self) -> Option<Hook> {
        self.base.map(|base| base.hook)
    }

    /// The policy of a base chain; ACCEPT for other chains, which have none.
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
    /// Which packets it sees.
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
    /// The table as sentences and the public JSON name it: `nat` for a table of iptables, `inet
    /// nat` for a table of nft.
    pub fn label(&self) -> Cow<'_, str> {
        match self.language {
            RuleLanguage::Iptables => Cow::Borrowed(&self.name),
            RuleLanguage::Nftables => Cow::Owned(format!("{} {}", self.family, self.name)),
        }
    }

    /// Whether it has the family, name and language of another one.
    pub fn is_like(&self, other: &Self) -> bool {
        (self.family, self.language, &self.name) == (other.family, other.language, &other.name)
    }

    /// The built-in chain at a hook, with its place.
    pub fn at(&self, hook: Hook) -> Option<(u32, &Chain)> {
        (0..)
            .zip(&self.chains)
            .find(|(_, chain)| chain.hook() == Some(hook))
    }

    /// The chain of that name, with its place.
    pub fn chain(&self, name: &str) -> Option<(u32, &Chain)> {
        (0..)
            .zip(&self.chains)
            .find(|(_, chain)| &*chain.name == name)
    }

    /// How many rules all chains hold.
    pub fn rules(&self) -> usize {
        self.chains.iter().map(|chain| chain.rules.len()).sum()
    }
}

/// A rule that is written in the text behind a `#`: switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Off {
    /// The place of its table in the rule set.
    pub table: u32,
    /// The place of its chain in the table.
    pub chain: u32,
    /// The rule of the chain that follows it, from 0; behind the last where none does.
    pub before: u32,
    /// Line in the text, from 1.
    pub line: u32,
    /// Its bytes in the text, with the `#`.
    pub span: Span,
}

/// One family's rules in one backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruleset {
    /// IPv4 or IPv6.
    pub family: Family,
    /// Legacy or nft, where the text says.
    pub backend: Option<Backend>,
    /// The version of the program that printed it, where the text says.
    pub version: Option<String>,
    /// Which of the texts that were read holds it, from 0: lines and spans count there.
    pub source: u32,
    /// The other backend, where the text says that it holds rules, too, and does not show them.
    pub hidden_backend: Option<Backend>,
    /// Its tables, in the order of the text.
    pub tables: Vec<Table>,
    /// The rules that are switched off, in the order of the text.
    pub off: Vec<Off>,
    /// The parts of all rules.
    pub parts: Vec<Part>,
    /// The texts of all parts.
    pub strings: String,
    /// What the kernel counted.
    pub counters: Vec<Counters>,
    /// The names of the chains that rules lead to and that the text does not define.
    pub missing: Vec<Text>,
}

impl Ruleset {
    /// An empty rule set.
    pub fn new(family: Family, backend: Option<Backend>) -> Self {
        Self {
            family,
            backend,
            version: None,
            source: 0,
            hidden_backend: None,
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

    /// How many rules all tables hold.
    pub fn rules(&self) -> usize {
        self.tables.iter().map(Table::rules).sum()
    }

    /// Whether it can do anything to a packet: a rule, a command that may have run, or a policy
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

    /// The parts that test the packet, in order.
    pub fn matches(&self, rule: &Rule) -> &[Part] {
        let first = rule.first as usize;
        &self.parts[first..first + usize::from(rule.matches)]
    }

    /// The parts that belong to the target.
    pub fn parameters(&self, rule: &Rule) -> &[Part] {
        let first = rule.first as usize + usize::from(rule.matches);
        &self.parts[first..first + usize::from(rule.parameters)]
    }

    /// The matches of a rule, each with all its options: what stands in one `-m`.
    pub fn groups<'a>(&'a self, rule: &Rule) -> impl Iterator<Item = &'a [Part]> {
        self.matches(rule).chunk_by(|_, next| !next.opens)
    }

    /// Keeps a text. One that was kept just before is not kept again: rules in a row have the same
    /// comment.
    pub fn keep(&mut self, text: &str) -> Text {
        if !self.strings.ends_with(text) {
            self.strings.push_str(text);
        }
        let start = self.strings.len() - text.len();
        let narrow = |n| u32::try_from(n).expect("strings are parts of a text below 4 GiB");
        Text {
            start: narrow(start),
            length: narrow(text.len()),
        }
    }

    /// Keeps counters. Those that were kept just before are not kept again: most chains of a node
    /// have `[0:0]`.
    pub fn count(&mut self, counters: Option<Counters>) -> Counted {
        let Some(counters) = counters else {
            return Counted::default();
        };
        if self.counters.last() != Some(&counters) {
            self.counters.push(counters);
        }
        Counted(
            u32::try_from(self.counters.len())
                .ok()
                .and_then(NonZeroU32::new),
        )
    }

    /// Keeps the name of a chain that the text does not define, as [`Target::Missing`] has it.
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
            |own: &mut Counted| own.0 = own.0.and_then(|place| place.checked_add(counters));
        self.counters.extend(other.counters);
        let moved = |text: Text| Text {
            start: text.start + strings,
            ..text
        };
        self.missing.extend(other.missing.into_iter().map(moved));
        self.strings.push_str(&other.strings);
        self.parts
            .extend(other.parts.into_iter().map(|part| match part.value {
                Value::Text(text) => Part {
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

    /// A text kept before.
    pub fn text(&self, text: Text) -> &str {
        text.of(&self.strings)
    }

    /// The name of a chain that the text does not define.
    pub fn missing(&self, name: u32) -> &str {
        self.text(self.missing[name as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tables, each with the lines of the rules that are switched off in it.
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
