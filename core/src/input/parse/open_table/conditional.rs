//! Commands that may not have run. They make only their own effects on a table undetermined.
//!
//! A rule that a chain may hold is in a gap of the chain ([`Gap::possible`]). A rule that may be
//! deleted stays, and is also in a gap before it. A chain that may not exist has a gap at its
//! start, because the rules that jump to it may not exist either.

use crate::iptables::extension::Id;
use crate::netfilter::gap::{Gap, GapReason};
use crate::netfilter::ruleset::{Chain, Rule, Ruleset, Table, Target};

use super::super::command::{RuleCommand, Verb};
use super::{OpenTable, mark_rule, may_hold, same, used_chains};

/// The position of a gap at the end of its chain: the policy is unknown.
pub(super) const AT_END: u32 = u32::MAX;

/// The maximum number of rules of a possibly flushed chain that are marked one by one.
const MAX_FLUSHED_RULES: usize = 256;

/// Moves the gaps for the end of a chain there, after its last rule is known.
pub(super) fn place_gaps_at_end(chain: &mut Chain) {
    if chain.gaps.last().is_some_and(|gap| gap.before == AT_END)
        && let Some(gap) = chain.gaps.pop()
    {
        chain.add_gap(Gap {
            before: to_u32(chain.rules.len()),
            ..gap
        });
    }
}

/// Marks that a chain may hold any rules from a position on.
pub(super) fn mark_any(chain: &mut Chain, before: usize, line: u32) {
    chain.add_gap(Gap::new(to_u32(before), GapReason::Conditional, Some(line)));
}

/// Marks that a command may have changed the rules of a chain and its policy.
fn mark_any_change(chain: &mut Chain, line: u32) {
    mark_any(chain, 0, line);
    if chain.base.is_some() {
        chain.add_gap(Gap::new(AT_END, GapReason::Conditional, Some(line)));
    }
}

/// Marks that a command may have changed any chain.
pub(super) fn mark_any_changes(table: &mut Table, line: u32) {
    let chains = table.chains.iter_mut();
    chains.for_each(|chain| mark_any_change(chain, line));
}

/// The first position at which a chain may hold further rules.
fn first_gap(chain: &Chain) -> Option<usize> {
    chain
        .gaps
        .first()
        .filter(|gap| gap.before != AT_END)
        .map(|gap| gap.before as usize)
}

impl OpenTable {
    /// Carries out a command that may have run or not. `rules` come from its words; `None` if they
    /// cannot be read.
    pub(in super::super) fn run_conditionally(
        &mut self,
        ruleset: &mut Ruleset,
        command: RuleCommand,
        rules: Option<Vec<Rule>>,
        line: u32,
    ) {
        let table = &mut ruleset.tables[self.table];
        let named = command
            .chain
            .map(|word| self.find(table, &word.text).map(|chain| chain as usize));
        let at = command.number.map(|number| number as usize - 1);
        match (command.verb, named) {
            (Verb::Check | Verb::List | Verb::Zero, _) => {}
            (Verb::NewChain, Some(None)) => {
                let name = command.chain.map(|word| &*word.text).unwrap_or_default();
                self.add_doubtful_chain(table, name, line);
            }
            (Verb::Append | Verb::Insert, Some(Some(chain))) => {
                let chain = &mut table.chains[chain];
                let place = if command.verb == Verb::Append {
                    chain.rules.len()
                } else {
                    at.unwrap_or(0)
                };
                match rules {
                    Some(possible)
                        if is_place_known(chain, command.verb, at)
                            && place <= chain.rules.len() =>
                    {
                        let gap = Gap::new(to_u32(place), GapReason::Conditional, Some(line));
                        chain.add_gap(Gap { possible, ..gap });
                    }
                    Some(_) if first_gap(chain).is_none() => {}
                    _ => mark_any(
                        chain,
                        place
                            .min(first_gap(chain).unwrap_or(place))
                            .min(chain.rules.len()),
                        line,
                    ),
                }
            }
            (Verb::Delete, Some(Some(chain))) if at.is_none() => {
                let Some(rule) = rules.as_deref().and_then(<[Rule]>::first) else {
                    return;
                };
                // A loop may delete each of several identical rules.
                for at in self::find_all(ruleset, self.table, chain, rule) {
                    mark_rule(&mut ruleset.tables[self.table].chains[chain], at, line);
                }
            }
            (Verb::Delete | Verb::Replace, Some(Some(chain))) => {
                let chain = &mut table.chains[chain];
                let place = at.unwrap_or(0);
                if place < chain.rules.len() || first_gap(chain).is_some() {
                    mark_any(chain, place.min(first_gap(chain).unwrap_or(place)), line);
                }
            }
            (Verb::Policy, Some(Some(chain))) => {
                let chain = &mut table.chains[chain];
                let is_same = command
                    .other
                    .is_some_and(|word| *word.text == *<&str>::from(chain.policy()));
                let is_known = chain.gaps.last().is_none_or(|gap| gap.before != AT_END);
                if chain.base.is_some() && !(is_same && is_known) {
                    chain.add_gap(Gap::new(AT_END, GapReason::Conditional, Some(line)));
                }
            }
            (Verb::Flush, None) => table
                .chains
                .iter_mut()
                .for_each(|chain| flush_conditionally(chain, line)),
            (Verb::Flush, Some(Some(chain))) => flush_conditionally(&mut table.chains[chain], line),
            (Verb::DeleteChain, _) => {
                let used = used_chains(table);
                for ((place, chain), is_used) in table.chains.iter_mut().enumerate().zip(used) {
                    let is_named = named.is_none_or(|chain| chain == Some(place));
                    if is_named && may_be_deleted(chain, is_used) {
                        self.doubt_chain(chain, line);
                    }
                }
            }
            (Verb::RenameChain, Some(Some(chain))) => {
                let name = command.other.map(|word| &*word.text).unwrap_or_default();
                if table.chains[chain].base.is_none() && self.find(table, name).is_none() {
                    self.doubt_chain(&mut table.chains[chain], line);
                    self.add_doubtful_chain(table, name, line);
                }
            }
            _ => {}
        }
    }

    /// Marks every chain of the table, because it is unknown which one a command changed.
    pub(in super::super) fn mark_all_chains(&mut self, ruleset: &mut Ruleset, line: u32) {
        self.other_chains = Some(line);
        let table = &mut ruleset.tables[self.table];
        if self.spend_visit(table) {
            mark_any_changes(table, line);
        } else {
            self.skipped_at = Some(line);
        }
    }

    /// Marks a chain that a command changes in an unknown way.
    pub(in super::super) fn mark_chain(
        &mut self,
        ruleset: &mut Ruleset,
        chain: usize,
        verb: Option<Verb>,
        line: u32,
    ) {
        let chain = &mut ruleset.tables[self.table].chains[chain];
        match verb {
            None => mark_any_change(chain, line),
            Some(Verb::Policy) => {
                chain.add_gap(Gap::new(AT_END, GapReason::Conditional, Some(line)));
            }
            Some(_) => mark_any(chain, 0, line),
        }
    }

    /// Marks the rules of a chain if a command may delete any of them. Returns whether the chain
    /// has one.
    pub(in super::super) fn mark_deletable_rules(
        &mut self,
        ruleset: &mut Ruleset,
        chain: usize,
        line: u32,
    ) -> bool {
        let chain = &mut ruleset.tables[self.table].chains[chain];
        flush_conditionally(chain, line);
        !chain.rules.is_empty()
    }

    /// Whether a command succeeds; `None` if that depends on commands that may not have run.
    pub(in super::super) fn status(
        &mut self,
        ruleset: &Ruleset,
        command: RuleCommand,
        rules: &[Rule],
    ) -> Option<bool> {
        let table = &ruleset.tables[self.table];
        let Some(word) = command.chain else {
            return Some(true);
        };
        let found = self.find(table, &word.text).map(|chain| chain as usize);
        let exists = match found {
            Some(_) if self.doubtful_chains.contains_key(&*word.text) => None,
            found => Some(found.is_some()),
        };
        let Some(place) = found else {
            let is_missing = self.other_chains.is_none();
            return is_missing.then_some(command.verb == Verb::NewChain);
        };
        let chain = &table.chains[place];
        match (command.verb, command.number, rules.first()) {
            (Verb::NewChain, ..) => exists.map(|exists| !exists),
            (Verb::Check | Verb::Delete, None, Some(rule)) => {
                let is_held = same(ruleset, self.table, place, rule).is_some();
                match may_hold(ruleset, self.table, place, rule, usize::MAX) {
                    true => None,
                    false => exists.map(|_| is_held),
                }
            }
            (Verb::Delete | Verb::Replace, Some(number), _) if first_gap(chain).is_none() => {
                exists.map(|_| number as usize <= chain.rules.len())
            }
            (Verb::DeleteChain, ..) if first_gap(chain).is_none() => exists.map(|_| {
                chain.rules.is_empty() && chain.base.is_none() && !used_chains(table)[place]
            }),
            (Verb::Delete | Verb::Replace | Verb::DeleteChain, ..) => None,
            _ => exists,
        }
    }

    /// Changes a rule by its number if the number is ambiguous because the chain may hold rules
    /// before it. Returns the rules if the position is known.
    pub(super) fn change_unknown_place(
        &self,
        chain: &mut Chain,
        command: RuleCommand,
        rules: Vec<Rule>,
    ) -> Option<Vec<Rule>> {
        let at = command.number.map(|number| number as usize - 1);
        if is_place_known(chain, command.verb, at) {
            return Some(rules);
        }
        let line = rules.first().map_or(0, |rule| rule.line);
        let place = first_gap(chain).unwrap_or(0).min(chain.rules.len());
        mark_any(chain, place, line);
        None
    }

    /// Adds a chain that may not exist.
    fn add_doubtful_chain(&mut self, table: &mut Table, name: &str, line: u32) {
        if super::bad_name(name).is_none() && table.chains.len() < super::MAX_CHAINS {
            self.add(table, name, None);
            if let Some(chain) = table.chains.last_mut() {
                self.doubt_chain(chain, line);
            }
        }
    }

    fn doubt_chain(&mut self, chain: &mut Chain, line: u32) {
        self.doubtful_chains.insert(chain.name.clone(), line);
        self.mark_doubtful_chain(chain);
    }

    /// Marks a chain that may not exist, at its start.
    pub(super) fn mark_doubtful_chain(&self, chain: &mut Chain) {
        if let Some(line) = self.doubtful_chains.get(&chain.name) {
            mark_any(chain, 0, *line);
        }
    }

    /// Marks the chains that may not exist.
    pub(super) fn mark_doubtful_chains(&self, table: &mut Table) {
        if !self.doubtful_chains.is_empty() {
            table
                .chains
                .iter_mut()
                .for_each(|chain| self.mark_doubtful_chain(chain));
        }
    }

    /// Records that a chain exists that may not have existed before. Returns whether that was so.
    pub(super) fn settle_doubtful_chain(&mut self, table: &mut Table, name: &str) -> bool {
        let was_doubtful = self.doubtful_chains.remove(name).is_some();
        if was_doubtful && let Some(place) = self.find(table, name) {
            let chain = &mut table.chains[place as usize];
            if chain.rules.is_empty() {
                chain
                    .gaps
                    .retain(|gap| gap.before != 0 || !gap.possible.is_empty());
            }
        }
        was_doubtful
    }

    /// Marks the chains that `-X` deletes only if an earlier command ran, or did not run.
    pub(super) fn doubt_deleted_chains(&mut self, table: &mut Table, command: RuleCommand) {
        let named = command
            .chain
            .map(|word| self.find(table, &word.text).map(|chain| chain as usize));
        let is_certain = self.doubtful_chains.is_empty()
            && table.chains.iter().all(|chain| chain.gaps.is_empty());
        if is_certain {
            return;
        }
        let used = used_chains(table);
        let mut may_be_used = vec![None; table.chains.len()];
        let possible = table
            .chains
            .iter()
            .flat_map(|chain| &chain.gaps)
            .flat_map(|gap| &gap.possible);
        for rule in possible {
            if let Target::Jump(chain) | Target::Goto(chain) = rule.target {
                may_be_used[chain as usize] = Some(rule.line);
            }
        }
        for ((place, chain), is_used) in table.chains.iter_mut().enumerate().zip(used) {
            let is_named = named.is_none_or(|chain| chain == Some(place));
            let doubt = may_be_used[place].or(chain.gaps.first().and_then(|gap| gap.line));
            if is_named
                && may_be_deleted(chain, is_used)
                && let Some(line) = doubt
            {
                self.doubt_chain(chain, line);
            }
        }
    }

    /// Whether the effect or the success of a command depends on commands that may not have run.
    pub(in super::super) fn is_doubtful(
        &mut self,
        ruleset: &Ruleset,
        command: RuleCommand,
    ) -> bool {
        let table = &ruleset.tables[self.table];
        let has_gaps = |chain: &Chain| !chain.gaps.is_empty();
        match command.chain.map(|word| self.find(table, &word.text)) {
            Some(None) => self.other_chains.is_some(),
            Some(Some(chain)) => has_gaps(&table.chains[chain as usize]),
            None => table.chains.iter().any(has_gaps),
        }
    }
}

/// Whether `-X` may delete a chain: it has no certain rule, and no certain rule jumps to it.
fn may_be_deleted(chain: &Chain, is_used: bool) -> bool {
    let may_be_empty = chain.rules.is_empty() || first_gap(chain) == Some(0);
    chain.base.is_none() && may_be_empty && !is_used
}

/// Whether a rule's number gives one position, independent of commands that may not have run.
fn is_place_known(chain: &Chain, verb: Verb, at: Option<usize>) -> bool {
    let (Some(at), Some(gap)) = (at, first_gap(chain)) else {
        return true;
    };
    match verb {
        // A rule before a gap is before all that the gap may hold.
        Verb::Insert => at <= gap,
        Verb::Delete | Verb::Replace => at < gap,
        _ => true,
    }
}

/// Marks the first rule up to a number that iptables may have refused, because only a run
/// determines one of its values.
pub(super) fn mark_doubtful_rule(
    ruleset: &mut Ruleset,
    table: usize,
    chain: usize,
    at: usize,
    verb: Verb,
) {
    let held = &ruleset.tables[table].chains[chain];
    let end = if verb == Verb::Insert { at } else { at + 1 };
    let is_doubtful = |rule: &Rule| {
        ruleset
            .matches(rule)
            .iter()
            .any(|part| part.extension == Id::STRAY)
    };
    if let Some(place) = held.rules.iter().take(end).position(is_doubtful) {
        let line = held.rules[place].line;
        mark_rule(&mut ruleset.tables[table].chains[chain], place, line);
    }
}

/// Marks that a chain may have lost all rules.
fn flush_conditionally(chain: &mut Chain, line: u32) {
    let first = chain.gaps.first().filter(|gap| gap.before == 0);
    let held = first.map_or(0, |gap| gap.possible.len());
    if chain.rules.len() + held > MAX_FLUSHED_RULES {
        return mark_any(chain, 0, line);
    }
    if !chain.rules.is_empty() {
        let possible = chain
            .rules
            .iter()
            .map(|rule| Rule {
                line,
                ..rule.clone()
            })
            .collect();
        chain.add_gap(Gap {
            possible,
            ..Gap::new(0, GapReason::Conditional, Some(line))
        });
    }
}

/// The rules of a chain with the same meaning as `rule`.
fn find_all(ruleset: &Ruleset, table: usize, chain: usize, rule: &Rule) -> Vec<usize> {
    let table = &ruleset.tables[table];
    let wanted = super::print::rule(ruleset, table, rule);
    let rules = table.chains[chain].rules.iter().enumerate();
    rules
        .filter(|(_, held)| super::print::rule(ruleset, table, held) == wanted)
        .map(|(at, _)| at)
        .collect()
}

fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
