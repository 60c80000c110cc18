//! Carries out commands on a table: the changes of `iptables -I`, `-D`, `-N` and others.

use std::collections::HashMap;

use crate::iptables::extension::Id;
use crate::iptables::kernel_names::{ChainNameFault, chain_name_fault};
use crate::iptables::print;
use crate::iptables::table_name::TableName;
use crate::netfilter::backend::Backend;
use crate::netfilter::base::BaseChain;
use crate::netfilter::gap::{Gap, GapReason};
use crate::netfilter::ruleset::{Chain, CounterId, Counters, Policy, Rule, Ruleset, Table, Target};
use crate::packet::Family;
use crate::packet::hook::Hook;
use crate::text::diagnostic::{Code, Problem, ProblemSink};
use crate::text::shell;

use super::chain_index::ChainIndex;
use super::command::{RuleCommand, Verb};
use super::rule_site::RuleSite;
use super::rule_templates::Shapes;

mod conditional;
mod work_limit;

/// The maximum number of chains of all tables of a text.
pub(super) const MAX_CHAINS: usize = 1 << 17;

/// Up to this length, a chain's list of rules has no spare capacity.
const FEW: usize = 8;

/// A table that commands change, with its chains by name.
pub(super) struct OpenTable {
    /// The backend of its rule set: the priorities of base chains depend on it.
    backend: Option<Backend>,
    /// The position of its rule set, and its position in the rule set.
    pub(super) ruleset: usize,
    pub(super) table: usize,
    pub(super) name: TableName,
    pub(super) chains: ChainIndex,
    /// The chain that a line named last. The next line usually names it again, or the chain after
    /// it.
    last: u32,
    /// The work of its commands so far, in comparisons of rules.
    work: usize,
    /// The line of the last command for all chains that was skipped because it takes too long.
    skipped_at: Option<u32>,
    /// The line of a command that may have created any chain, or not have deleted it.
    other_chains: Option<u32>,
    /// Whether a visit of all chains exceeds the limit of the work.
    is_exhausted: bool,
    /// Whether a command has added a rule.
    pub(super) has_had_rules: bool,
    /// The forms of its rules.
    pub(super) shapes: Shapes,
    /// The chains that may not exist, with the line of the command that decides it.
    doubtful_chains: HashMap<Box<str>, u32>,
}

impl OpenTable {
    /// A table without chains, by its position in a rule set.
    pub(super) fn new(
        backend: Option<Backend>,
        ruleset: usize,
        table: usize,
        name: TableName,
    ) -> Self {
        Self {
            backend,
            ruleset,
            table,
            name,
            chains: ChainIndex::default(),
            last: 0,
            work: 0,
            skipped_at: None,
            other_chains: None,
            is_exhausted: false,
            has_had_rules: false,
            shapes: Shapes::default(),
            doubtful_chains: HashMap::new(),
        }
    }

    /// The table as a rule is parsed for it. `printed`: whether iptables printed the rule.
    pub(super) fn rule_site(&self, printed: bool) -> RuleSite<'_> {
        RuleSite {
            table: self.table,
            name: self.name,
            chains: &self.chains,
            printed,
        }
    }

    /// The position of a chain in this table.
    pub(super) fn find(&mut self, table: &Table, name: &str) -> Option<u32> {
        // A dump contains the rules of one chain after those of another.
        let is = |place: u32| {
            table
                .chains
                .get(place as usize)
                .is_some_and(|chain| *chain.name == *name)
        };
        if !is(self.last) {
            let next = self.last.saturating_add(1);
            self.last = if is(next) {
                next
            } else {
                self.chains.find(&table.chains, name)?
            };
        }
        Some(self.last)
    }

    /// Adds a chain.
    pub(super) fn add<'t>(
        &mut self,
        table: &'t mut Table,
        name: &str,
        line: Option<u32>,
    ) -> &'t mut Chain {
        let hook = self
            .name
            .hooks()
            .iter()
            .copied()
            .find(|hook: &Hook| hook.name() == name);
        let place = u32::try_from(table.chains.len())
            .expect("chains are fewer than bytes of a text below 4 GiB");
        let chain = Chain {
            name: name.into(),
            base: hook.map(|hook| BaseChain::built_in(self.name, hook, self.backend)),
            counters: CounterId::default(),
            line,
            rules: Vec::new(),
            gaps: Vec::new(),
        };
        table.chains.push(chain);
        self.chains.add(&table.chains, place);
        table.chains.last_mut().expect("just pushed")
    }

    /// Carries out one command. `rules` come from its other words.
    pub(super) fn run(
        &mut self,
        ruleset: &mut Ruleset,
        command: RuleCommand,
        rules: Vec<Rule>,
        say: &mut ProblemSink,
    ) {
        self.has_had_rules |= matches!(command.verb, Verb::Append | Verb::Insert);
        match command.verb {
            Verb::Append => {
                let table = &mut ruleset.tables[self.table];
                let Some(chain) = self.chain(table, command, say) else {
                    return;
                };
                for rule in rules {
                    append(&mut table.chains[chain], rule);
                }
            }
            Verb::Check | Verb::Delete | Verb::Insert | Verb::Replace => {
                self.change(ruleset, command, rules, say);
            }
            Verb::NewChain => self.new_chain(&mut ruleset.tables[self.table], command, say),
            Verb::RenameChain => self.rename(&mut ruleset.tables[self.table], command, say),
            Verb::DeleteChain => self.delete_chains(&mut ruleset.tables[self.table], command, say),
            Verb::Policy => self.policy(&mut ruleset.tables[self.table], command, say),
            Verb::Flush => {
                let table = &mut ruleset.tables[self.table];
                self.each(table, command, empty, say);
                self.mark_doubtful_chains(table);
            }
            Verb::Zero => {
                let zero = ruleset.count(Some(Counters::default()));
                self.each(
                    &mut ruleset.tables[self.table],
                    command,
                    |chain| set_counters(chain, zero),
                    say,
                );
            }
            Verb::List => {}
        }
    }

    /// The chain that a command names.
    fn chain(
        &mut self,
        table: &Table,
        command: RuleCommand,
        say: &mut ProblemSink,
    ) -> Option<usize> {
        let word = command.chain?;
        let found = self.find(table, &word.text).map(|chain| chain as usize);
        if found.is_none() {
            let problem = match chain_name_fault(&word.text) {
                Some(fault) => fault.problem(&word.text),
                None => {
                    let hint = format!("create it first: `-N {}`", shell::quote(&word.text));
                    Problem::new(Code::UnknownChain, format!("unknown chain `{}`", word.text))
                        .hint(hint)
                }
            };
            say(word.span, problem);
        }
        found
    }

    fn change(
        &mut self,
        ruleset: &mut Ruleset,
        command: RuleCommand,
        rules: Vec<Rule>,
        say: &mut ProblemSink,
    ) {
        let Some(chain) = self.chain(&ruleset.tables[self.table], command, say) else {
            return;
        };
        let length = ruleset.tables[self.table].chains[chain].rules.len();
        let at = command.number.map(|number| number as usize - 1);
        if let Some(at) = at {
            conditional::mark_doubtful_rule(ruleset, self.table, chain, at, command.verb);
        }
        let rules = match self.change_unknown_place(
            &mut ruleset.tables[self.table].chains[chain],
            command,
            rules,
        ) {
            Some(rules) => rules,
            None => return,
        };
        let too_far = |most: usize| at.is_some_and(|at| at >= most);
        let lacks = match command.verb {
            Verb::Insert => too_far(length + 1),
            Verb::Delete | Verb::Replace => too_far(length),
            _ => false,
        };
        if lacks {
            let problem = Problem::new(
                Code::InvalidRuleNumber,
                format!("the chain has {length} rules"),
            )
            .hint("use a number from 1");
            return say(command.word.span, problem);
        }
        if command.verb == Verb::Replace && rules.len() > 1 {
            let problem = Problem::new(
                Code::SeveralAddresses,
                "one rule cannot be replaced with several",
            )
            .hint("name one address");
            return say(command.word.span, problem);
        }
        let found = match (command.verb, at) {
            (Verb::Delete | Verb::Check, None) => {
                let found = same(ruleset, self.table, chain, &rules[0]);
                if command.verb == Verb::Delete
                    && may_hold(
                        ruleset,
                        self.table,
                        chain,
                        &rules[0],
                        found.unwrap_or(usize::MAX),
                    )
                {
                    // It is unknown which of the two is deleted.
                    let chain = &mut ruleset.tables[self.table].chains[chain];
                    return found
                        .into_iter()
                        .for_each(|at| mark_rule(chain, at, rules[0].line));
                }
                if found.is_none() {
                    let problem = Problem::new(Code::NoSuchRule, "the chain has no such rule");
                    say(command.word.span, problem);
                }
                found
            }
            _ => at,
        };
        let held = &mut ruleset.tables[self.table].chains[chain];
        match (command.verb, found) {
            // Each rule is inserted at the same position, so the last one is the first (measured).
            (Verb::Insert, at) => insert(held, at.unwrap_or(0), rules),
            (Verb::Delete, Some(at)) => remove(held, at),
            (Verb::Replace, Some(at)) => held.rules.splice(at..=at, rules).for_each(drop),
            _ => {}
        }
        self.mark_doubtful_chain(held);
    }

    fn new_chain(&mut self, table: &mut Table, command: RuleCommand, say: &mut ProblemSink) {
        let Some(word) = command.chain else { return };
        if let Some(problem) = bad_name(&word.text) {
            say(word.span, problem);
        } else if self.settle_doubtful_chain(table, &word.text) {
            // The chain exists, whether this command or an earlier one created it.
        } else if self.find(table, &word.text).is_some() {
            say(
                word.span,
                Problem::new(
                    Code::DuplicateChain,
                    format!("chain `{}` already exists", word.text),
                ),
            );
        } else if table.chains.len() >= MAX_CHAINS {
            say(word.span, too_many_chains());
        } else {
            self.add(table, &word.text, None);
            if let (Some(line), Some(chain)) = (self.other_chains, table.chains.last_mut()) {
                conditional::mark_any(chain, 0, line);
            }
        }
    }

    fn rename(&mut self, table: &mut Table, command: RuleCommand, say: &mut ProblemSink) {
        let (Some(chain), Some(name)) = (self.chain(table, command, say), command.other) else {
            return;
        };
        let taken = self.find(table, &name.text).is_some();
        let problem = bad_name(&name.text)
            .or_else(|| {
                taken.then(|| {
                    Problem::new(
                        Code::DuplicateChain,
                        format!("chain `{}` already exists", name.text),
                    )
                })
            })
            .or_else(|| {
                table.chains[chain]
                    .hook()
                    .map(|_| Problem::new(Code::BuiltInChain, "a built-in chain cannot be renamed"))
            });
        if let Some(problem) = problem {
            return say(name.span, problem);
        }
        table.chains[chain].name = (&*name.text).into();
        self.chains.add(
            &table.chains,
            u32::try_from(chain).expect("places are narrow"),
        );
    }

    fn delete_chains(&mut self, table: &mut Table, command: RuleCommand, say: &mut ProblemSink) {
        let used = used_chains(table);
        let is_empty = |chain: &Chain| chain.rules.is_empty() && chain.gaps.is_empty();
        if command.chain.is_none() && table.chains.iter().all(is_empty) {
            self.other_chains = None;
        }
        self.doubt_deleted_chains(table, command);
        let free = |place: usize, chain: &Chain| {
            chain.hook().is_none() && chain.rules.is_empty() && !used[place]
        };
        let mut gone: Vec<bool> = table
            .chains
            .iter()
            .map(|chain| command.chain.is_none() && chain.hook().is_none())
            .collect();
        if command.chain.is_some() {
            let Some(place) = self.chain(table, command, say) else {
                return;
            };
            gone[place] = true;
        }
        for (place, chain) in table.chains.iter().enumerate() {
            gone[place] &= !self.doubtful_chains.contains_key(&chain.name);
        }
        let refused = table
            .chains
            .iter()
            .enumerate()
            .find(|(place, chain)| gone[*place] && !free(*place, chain));
        if let Some((_, chain)) = refused {
            let problem = Problem::new(
                Code::ChainInUse,
                format!("chain `{}` is built-in, not empty, or in use", chain.name),
            );
            return say(command.word.span, problem.hint("-F empties a chain"));
        }
        let keep: Vec<usize> = (0..gone.len()).filter(|place| !gone[*place]).collect();
        self.arrange(table, &keep);
    }

    /// Puts the chains into a new order, and removes those that it does not name. No rule may jump
    /// to them.
    fn arrange(&mut self, table: &mut Table, order: &[usize]) {
        let narrow = |place: usize| {
            u32::try_from(place).expect("chains are fewer than bytes of a text below 4 GiB")
        };
        let mut moved = vec![0; table.chains.len()];
        let mut old: Vec<Option<Chain>> = std::mem::take(&mut table.chains)
            .into_iter()
            .map(Some)
            .collect();
        for (place, from) in order.iter().enumerate() {
            moved[*from] = narrow(place);
            table.chains.extend(old[*from].take());
        }
        for rule in table.chains.iter_mut().flat_map(Chain::all_rules_mut) {
            if let Target::Jump(chain) | Target::Goto(chain) = &mut rule.target {
                *chain = moved[*chain as usize];
            }
        }
        self.chains = ChainIndex::from_chains(&table.chains);
    }

    /// Sorts the chains as iptables does: built-in chains first, then the others by name.
    pub(super) fn sort(&mut self, table: &mut Table) {
        let mut places: Vec<usize> = (0..table.chains.len()).collect();
        let key = |place: usize| {
            let chain = &table.chains[place];
            (chain.hook().is_none(), chain.hook(), &chain.name)
        };
        places.sort_by_key(|place| key(*place));
        self.arrange(table, &places);
        if let Some(line) = self.skipped_at {
            conditional::mark_any_changes(table, line);
        }
        table
            .chains
            .iter_mut()
            .for_each(conditional::place_gaps_at_end);
    }

    fn policy(&mut self, table: &mut Table, command: RuleCommand, say: &mut ProblemSink) {
        let (Some(chain), Some(word)) = (self.chain(table, command, say), command.other) else {
            return;
        };
        let chain = &mut table.chains[chain];
        let policy = match &*word.text {
            "ACCEPT" => Some(Policy::Accept),
            "DROP" => Some(Policy::Drop),
            _ => None,
        };
        let problem = match policy {
            _ if chain.hook().is_none() => Problem::new(
                Code::PolicyOnUserChain,
                "only a built-in chain has a policy",
            ),
            None => Problem::new(
                Code::InvalidPolicy,
                format!("invalid policy `{}`", word.text),
            )
            .hint("use ACCEPT or DROP"),
            Some(Policy::Drop) if self.name == TableName::Nat => drop_in_nat(),
            Some(policy) => {
                chain.gaps.retain(|gap| gap.before != conditional::AT_END);
                chain.set_policy(policy);
                return;
            }
        };
        say(word.span, problem);
    }

    /// Applies a change to the chain that a command names, or to all chains.
    fn each(
        &mut self,
        table: &mut Table,
        command: RuleCommand,
        act: impl Fn(&mut Chain),
        say: &mut ProblemSink,
    ) {
        match command.chain {
            Some(_) => {
                if let Some(chain) = self.chain(table, command, say) {
                    act(&mut table.chains[chain]);
                }
            }
            None => table.chains.iter_mut().for_each(act),
        }
    }
}

/// Adds a rule to the end of a chain.
pub(super) fn append(chain: &mut Chain, rule: Rule) {
    let list = &mut chain.rules;
    // Most chains of a node have two or four rules.
    if list.len() == list.capacity() && list.len() < FEW {
        list.reserve_exact(2);
    }
    list.push(rule);
}

/// Inserts rules before another one, each at the same position. Gaps move with the rules after
/// them.
fn insert(chain: &mut Chain, at: usize, rules: Vec<Rule>) {
    let count = u32::try_from(rules.len()).unwrap_or(u32::MAX);
    rules
        .into_iter()
        .for_each(|rule| chain.rules.insert(at, rule));
    let moved = chain
        .gaps
        .iter_mut()
        .filter(|gap| gap.before as usize >= at && gap.before != conditional::AT_END);
    moved.for_each(|gap| gap.before = gap.before.saturating_add(count));
}

/// Removes a rule. Gaps move with the rules after them.
fn remove(chain: &mut Chain, at: usize) {
    chain.rules.remove(at);
    let moved = chain
        .gaps
        .iter()
        .any(|gap| gap.before as usize > at && gap.before != conditional::AT_END);
    if moved {
        for mut gap in std::mem::take(&mut chain.gaps) {
            let moves = gap.before as usize > at && gap.before != conditional::AT_END;
            gap.before -= u32::from(moves);
            chain.add_gap(gap);
        }
    }
}

/// Removes all rules, and the rules that the chain may hold.
fn empty(chain: &mut Chain) {
    chain.rules.clear();
    chain.gaps.retain(|gap| gap.before == conditional::AT_END);
}

/// The chains that rules jump to.
fn used_chains(table: &Table) -> Vec<bool> {
    let mut used = vec![false; table.chains.len()];
    for rule in table.chains.iter().flat_map(|chain| &chain.rules) {
        if let Target::Jump(chain) | Target::Goto(chain) = rule.target {
            used[chain as usize] = true;
        }
    }
    used
}

/// Sets the existing counters.
fn set_counters(chain: &mut Chain, to: CounterId) {
    let rules = chain.rules.iter_mut().map(|rule| &mut rule.counters);
    rules
        .chain([&mut chain.counters])
        .filter(|counters| counters.is_some())
        .for_each(|counters| *counters = to);
}

/// The problem of a chain above the limit.
pub(super) fn too_many_chains() -> Problem {
    Problem::new(
        Code::PartNotRead,
        format!("this text has more than {MAX_CHAINS} chains; this one and its rules are skipped"),
    )
    .hint("paste fewer tables at once")
}

/// The problem of DROP as a policy or target of table nat.
pub(super) fn drop_in_nat() -> Problem {
    Problem::new(Code::WrongTable, "table nat does not allow DROP").hint("use it in table filter")
}

/// The first rule of a chain with the same meaning as `rule`.
fn same(ruleset: &Ruleset, table: usize, chain: usize, rule: &Rule) -> Option<usize> {
    let table = &ruleset.tables[table];
    let wanted = print::rule(ruleset, table, rule);
    table.chains[chain]
        .rules
        .iter()
        .position(|held| print::rule(ruleset, table, held) == wanted)
}

/// Whether a chain may hold a rule with the same meaning as `rule` at a gap before a position.
fn may_hold(ruleset: &Ruleset, table: usize, chain: usize, rule: &Rule, last: usize) -> bool {
    let table = &ruleset.tables[table];
    let mut gaps = table.chains[chain]
        .gaps
        .iter()
        .filter(|gap| gap.before != conditional::AT_END && gap.before as usize <= last);
    let is_same = |held: &Rule, wanted: &str| print::rule(ruleset, table, held) == wanted;
    let wanted = print::rule(ruleset, table, rule);
    gaps.any(|gap| {
        gap.possible.is_empty() || gap.possible.iter().any(|held| is_same(held, &wanted))
    })
}

/// Marks a rule that the kernel may hold or not.
fn mark_rule(chain: &mut Chain, at: usize, line: u32) {
    let gap = Gap::new(
        u32::try_from(at).unwrap_or(u32::MAX),
        GapReason::Conditional,
        Some(line),
    );
    let possible = chain
        .rules
        .get(at)
        .map(|rule| Rule {
            line,
            ..rule.clone()
        })
        .into_iter()
        .collect();
    chain.add_gap(Gap { possible, ..gap });
}

/// The reason why a command cannot create a chain with this name.
fn bad_name(name: &str) -> Option<Problem> {
    let fault = chain_name_fault(name).map(|fault| fault.problem(name));
    fault.or_else(|| {
        Id::is_target(name).then(|| {
            Problem::new(
                Code::InvalidChainName,
                format!("`{name}` is the name of a target"),
            )
        })
    })
}

/// Checks the name of a chain in a dump or a listing. nf_tables has chains with longer names than
/// iptables accepts, and iptables-nft prints them (measured with 1.8.9).
pub(crate) fn printed_name_problem(name: &str, backend: Option<Backend>) -> Option<Problem> {
    let fault = chain_name_fault(name)?;
    let problem = fault.problem(name);
    Some(match (fault, backend) {
        (ChainNameFault::TooLong, Some(Backend::Nft)) => {
            Problem::new(Code::LongChainName, problem.message).hint(
                "rename the chain if a command must name it: the walk supports it, but \
                iptables commands do not",
            )
        }
        _ => problem,
    })
}

/// The beginning of the words after the program's name in a call of iptables, and the family and
/// backend of the name: `sudo /usr/sbin/ip6tables-nft -t nat …`. `None` for any other line.
pub(super) fn called(line: &str) -> Option<(usize, Family, Option<Backend>)> {
    let mut rest = line;
    for prompt in ["$ ", "+ ", "sudo "] {
        rest = rest.strip_prefix(prompt).unwrap_or(rest).trim_start();
    }
    let end = rest.find([' ', '\t']).unwrap_or(rest.len());
    let path = &rest[..end];
    let name = path.rsplit('/').next().unwrap_or(path);
    let (family, kind) = match (
        name.strip_prefix("ip6tables"),
        name.strip_prefix("iptables"),
    ) {
        (Some(kind), _) => (Family::Ipv6, kind),
        (_, Some(kind)) => (Family::Ipv4, kind),
        _ => return None,
    };
    let backend = match kind {
        "" => None,
        "-legacy" => Some(Backend::Legacy),
        "-nft" => Some(Backend::Nft),
        _ => return None,
    };
    Some((line.len() - rest.len() + end, family, backend))
}
