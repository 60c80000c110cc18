//! The `iptables` commands that turn the rules of one text into those of another.
//!
//! Root runs them, and they may come from a stranger's dump. Each command is therefore a list of
//! words that is quoted once at the end. A word that iptables could interpret in another way is
//! refused.

use crate::input::parse;
use crate::iptables::extension::{Id, Kind};
use crate::iptables::kernel_names::{self, CHAIN_NAME_LIMIT, ChainNameFault};
use crate::iptables::print;
use crate::iptables::table_name::TableName;
use crate::netfilter::ruleset::{Chain, Clause, Policy, Rule, Ruleset, Table, Target, Value};
use crate::packet::hook::Hook;
use crate::text::diagnostic::Severity;
use crate::text::shell;
use crate::text::visible;

/// Lists with more pairs of different rules are compared by position only.
const MAX_PAIRS: usize = 1_000_000;

/// The commands, one shell line each. Rule sets are paired by family and backend.
///
/// After every command, the kernel holds valid rules: chains are created before rules jump to them,
/// a jump is removed before another one could close a loop with it, and policies are set last.
///
/// # Errors
/// The reason why there are no commands: iptables refuses a name or a word, or interprets it in
/// another way.
pub fn commands(from: &[Ruleset], to: &[Ruleset]) -> Result<Vec<String>, String> {
    from.iter().try_for_each(check_chain_names)?;
    to.iter().try_for_each(check_names)?;
    changes(from, to).iter().map(ShellCommand::line).collect()
}

/// The number of commands from one text to the other, even if they cannot be written.
pub fn count(from: &[Ruleset], to: &[Ruleset]) -> usize {
    changes(from, to).len()
}

fn changes<'a>(from: &'a [Ruleset], to: &'a [Ruleset]) -> Vec<ShellCommand<'a>> {
    let mut commands = Vec::new();
    for (place, new) in to.iter().enumerate() {
        let alike = |set: &&Ruleset| (set.family, set.backend) == (new.family, new.backend);
        let nth = to[..place].iter().filter(alike).count();
        let old = from.iter().filter(alike).nth(nth);
        for name in TableName::ALL {
            if old.is_some_and(|old| old.table(name).is_some()) || new.table(name).is_some() {
                Change::new(old, new, name).run(&mut commands);
            }
        }
    }
    commands
}

/// Refuses a rule set with a name that iptables refuses or that no interface can have.
///
/// # Errors
/// The name, and the problem.
pub(crate) fn check_names(set: &Ruleset) -> Result<(), String> {
    check_chain_names(set)?;
    let interfaces = set.parts.iter().filter(|part| {
        part.opt()
            .is_some_and(|opt| matches!(opt.kind, Kind::Interface))
    });
    for part in interfaces {
        let Value::Text(name) = part.value else {
            continue;
        };
        let problem = kernel_names::interface_name_problem(set.text(name));
        if let Some(problem) = problem.filter(|problem| problem.severity == Severity::Error) {
            return Err(problem.message);
        }
    }
    Ok(())
}

/// Accepts chain names that are longer than iptables allows. nf_tables has such chains, and
/// commands can change everything that does not name them.
fn check_chain_names(set: &Ruleset) -> Result<(), String> {
    let chains = set
        .tables
        .iter()
        .flat_map(|table| &table.chains)
        .map(|chain| &*chain.name);
    for name in chains {
        match kernel_names::chain_name_fault(name) {
            None | Some(ChainNameFault::TooLong) => {}
            Some(fault) => return Err(fault.problem(name).message),
        }
    }
    Ok(())
}

/// Refuses the words of a rule that must not be passed to iptables: a part is unknown, iptables
/// refuses it, or iptables could read it as an option.
pub(crate) fn check_words(set: &Ruleset, rule: &Rule) -> Result<(), String> {
    let kept = |part: &Clause| {
        if let Value::Text(text) = part.value {
            set.text(text)
        } else {
            ""
        }
    };
    for part in set.matches(rule).iter().chain(set.parameters(rule)) {
        match part.extension {
            Id::STRAY => return Err(format!("iptables refuses `{}`", kept(part))),
            Id::UNLISTED => return Err("the listing does not show all of a rule".into()),
            Id::OPAQUE_MATCH | Id::OPAQUE_TARGET => {
                let words = parse::split_rule_words(kept(part)).unwrap_or_default();
                let name = words.first().map_or("", |name| name);
                if let Some(word) = words.iter().find(|word| parse::may_be_global(word)) {
                    return Err(format!("iptables could read `{word}` as an option"));
                }
                check_extension_name(name)?;
            }
            _ => {}
        }
    }
    match rule.target {
        Target::Missing { name, .. } => {
            let name = set.missing(name);
            kernel_names::chain_name_fault(name)
                .map_or(Ok(()), |fault| Err(fault.problem(name).message))?;
            check_extension_name(name)
        }
        _ => Ok(()),
    }
}

/// iptables loads a library with the name of an unknown match or target.
fn check_extension_name(name: &str) -> Result<(), String> {
    match name.contains('/') {
        true => Err(format!(
            "`{name}` is the path of a file, not the name of a match or target"
        )),
        false => Ok(()),
    }
}

/// One call of iptables: its own words, and the rule whose words follow.
struct ShellCommand<'a> {
    words: Vec<String>,
    /// The chain of the command.
    chain: &'a str,
    rule: Option<(&'a Ruleset, &'a Table, &'a Rule)>,
}

impl ShellCommand<'_> {
    /// The command as a line for a shell.
    fn line(&self) -> Result<String, String> {
        let mut words = self.words.clone();
        check_length(self.chain)?;
        if let Some((set, table, rule)) = self.rule {
            check_words(set, rule)
                .map_err(|why| format!("a rule of chain {}: {why}", self.chain))?;
            target_chain(table, rule).map_or(Ok(()), check_length)?;
            let written = rule_words(set, table, rule);
            words.extend(written.ok_or_else(|| {
                format!("a rule of chain {} reads back as another one", self.chain)
            })?);
        }
        match words
            .iter()
            .find(|word| word.contains(visible::is_invisible))
        {
            Some(word) => Err(format!(
                "the word {word:?} contains a control or invisible character"
            )),
            None => Ok(shell::join(&words)),
        }
    }
}

pub(crate) fn check_length(chain: &str) -> Result<(), String> {
    match chain.len() >= CHAIN_NAME_LIMIT {
        true => Err(format!(
            "no command of iptables can name the chain `{chain}`: it has {} bytes",
            chain.len()
        )),
        false => Ok(()),
    }
}

/// The chain that a rule jumps to.
fn target_chain<'a>(table: &'a Table, rule: &Rule) -> Option<&'a str> {
    match rule.target {
        Target::Jump(chain) | Target::Goto(chain) => {
            table.chains.get(chain as usize).map(|chain| &*chain.name)
        }
        _ => None,
    }
}

/// The words of a rule, if parsing them gives the same rule.
fn rule_words(set: &Ruleset, table: &Table, rule: &Rule) -> Option<Vec<String>> {
    let printed = print::rule(set, table, rule);
    let declared = target_chain(table, rule)
        .map(|chain| format!(":{chain} - [0:0]\n"))
        .unwrap_or_default();
    let name = table.iptables()?;
    let hook = name.hooks().first()?.name();
    let text = format!(
        "{}*{name}\n{declared}:{hook} ACCEPT [0:0]\n-A {hook} {printed}\n",
        print::header(set)
    );
    let again = parse::strictly(text).rulesets;
    let (set, table) = again
        .first()
        .and_then(|set| Some((set, set.table(name)?)))?;
    let [read] = &table.chain(hook)?.1.rules[..] else {
        return None;
    };
    (print::rule(set, table, read) == printed).then(|| parse::split_rule_words(&printed))?
}

/// The change of one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CommandStep {
    Keep,
    Delete,
    /// The position of the new rule, from 0.
    Insert(usize),
    Replace(usize),
}

/// A chain that both sides have.
struct RulePair<'a> {
    name: &'a str,
    hook: Option<Hook>,
    old: Option<&'a Chain>,
    new: Option<&'a Chain>,
    steps: Vec<CommandStep>,
}

/// The change of one table.
struct Change<'a> {
    /// The program and its table, with which each command begins.
    lead: [String; 3],
    new: &'a Ruleset,
    from: Option<&'a Table>,
    to: Option<&'a Table>,
    pairs: Vec<RulePair<'a>>,
}

impl<'a> Change<'a> {
    fn new(old: Option<&'a Ruleset>, new: &'a Ruleset, name: TableName) -> Self {
        let (from, to) = (old.and_then(|old| old.table(name)), new.table(name));
        let mut pairs: Vec<RulePair> = Vec::new();
        let pair = |chain: &'a Chain| RulePair {
            name: &chain.name,
            hook: chain.hook(),
            old: None,
            new: None,
            steps: Vec::new(),
        };
        let mut places = std::collections::HashMap::new();
        for chain in from.map_or(&[][..], |table| &table.chains) {
            places.insert(&*chain.name, pairs.len());
            pairs.push(RulePair {
                old: Some(chain),
                ..pair(chain)
            });
        }
        for chain in to.map_or(&[][..], |table| &table.chains) {
            match places.get(&*chain.name) {
                Some(place) => pairs[*place].new = Some(chain),
                None => pairs.push(RulePair {
                    new: Some(chain),
                    ..pair(chain)
                }),
            }
        }
        for pair in &mut pairs {
            let before = print_rules(old, from, pair.old);
            pair.steps = steps(&before, &print_rules(Some(new), to, pair.new));
        }
        Self {
            lead: [print::program(new), "-t".into(), name.to_string()],
            new,
            from,
            to,
            pairs,
        }
    }

    /// A command for a chain, with the words after the chain's name.
    fn command<const N: usize>(
        &self,
        verb: &str,
        chain: &'a str,
        more: [String; N],
    ) -> ShellCommand<'a> {
        let words = self
            .lead
            .iter()
            .cloned()
            .chain([verb.into(), chain.into()])
            .chain(more)
            .collect();
        ShellCommand {
            words,
            chain,
            rule: None,
        }
    }

    fn run(mut self, commands: &mut Vec<ShellCommand<'a>>) {
        let goes = |pair: &RulePair| pair.new.is_none() && pair.hook.is_none();
        for pair in self
            .pairs
            .iter()
            .filter(|pair| pair.old.is_none() && pair.hook.is_none())
        {
            commands.push(self.command("-N", pair.name, []));
        }
        self.unlink(commands);
        for pair in self.pairs.iter().filter(|pair| !goes(pair)) {
            self.rules(pair, commands);
        }
        let gone: Vec<&RulePair> = self.pairs.iter().filter(|pair| goes(pair)).collect();
        for verb in ["-F", "-X"] {
            commands.extend(gone.iter().map(|pair| self.command(verb, pair.name, [])));
        }
        for pair in self.pairs.iter().filter(|pair| pair.hook.is_some()) {
            let policy =
                |chain: Option<&Chain>| chain.map_or(Policy::Accept, |chain| chain.policy());
            if policy(pair.old) != policy(pair.new) {
                commands.push(self.command("-P", pair.name, [policy(pair.new).name().into()]));
            }
        }
    }

    /// If a new rule jumps to a chain, first removes the old rules that jump to chains, because
    /// they could close a loop with it.
    fn unlink(&mut self, commands: &mut Vec<ShellCommand<'a>>) {
        let name =
            |table: Option<&'a Table>, chain: Option<&Chain>, rule: usize| -> Option<&'a str> {
                match chain?.rules.get(rule)?.target {
                    Target::Jump(chain) | Target::Goto(chain) => {
                        Some(&table?.chains[chain as usize].name)
                    }
                    _ => None,
                }
            };
        let (from, to) = (self.from, self.to);
        let links = |pair: &RulePair| {
            pair.steps.iter().any(|step| match step {
                CommandStep::Insert(at) | CommandStep::Replace(at) => {
                    name(to, pair.new, *at).is_some()
                }
                _ => false,
            })
        };
        if !self.pairs.iter().any(links) {
            return;
        }
        let mut pairs = std::mem::take(&mut self.pairs);
        for pair in &mut pairs {
            let mut at = pair.old.map_or(0, |chain| chain.rules.len());
            for place in (0..pair.steps.len()).rev() {
                let step = pair.steps[place];
                if matches!(step, CommandStep::Insert(_)) {
                    continue;
                }
                at -= 1;
                let led = name(from, pair.old, at);
                let leads = if let CommandStep::Replace(new) = step {
                    name(to, pair.new, new)
                } else {
                    None
                };
                if step == CommandStep::Keep || led.is_none() || led == leads {
                    continue;
                }
                commands.push(self.command("-D", pair.name, [(at + 1).to_string()]));
                match step {
                    CommandStep::Replace(new) => pair.steps[place] = CommandStep::Insert(new),
                    _ => drop(pair.steps.remove(place)),
                }
            }
        }
        self.pairs = pairs;
    }

    fn rules(&self, pair: &RulePair<'a>, commands: &mut Vec<ShellCommand<'a>>) {
        let mut length = pair
            .steps
            .iter()
            .filter(|step| !matches!(step, CommandStep::Insert(_)))
            .count();
        let mut number = 1;
        for step in &pair.steps {
            let at = number.to_string();
            let command = match step {
                CommandStep::Keep => None,
                CommandStep::Delete => Some((self.command("-D", pair.name, [at]), None)),
                CommandStep::Insert(new) if number > length => {
                    Some((self.command("-A", pair.name, []), Some(*new)))
                }
                CommandStep::Insert(new) => Some((self.command("-I", pair.name, [at]), Some(*new))),
                CommandStep::Replace(new) => {
                    Some((self.command("-R", pair.name, [at]), Some(*new)))
                }
            };
            commands.extend(command.map(|(command, new)| {
                let rule = new
                    .zip(pair.new)
                    .and_then(|(new, chain)| chain.rules.get(new));
                let rule = rule
                    .zip(self.to)
                    .map(|(rule, table)| (self.new, table, rule));
                ShellCommand { rule, ..command }
            }));
            match step {
                CommandStep::Delete => length -= 1,
                CommandStep::Insert(_) => (length, number) = (length + 1, number + 1),
                CommandStep::Keep | CommandStep::Replace(_) => number += 1,
            }
        }
    }
}

/// The rules of a chain as text; none without a chain.
fn print_rules(set: Option<&Ruleset>, table: Option<&Table>, chain: Option<&Chain>) -> Vec<String> {
    let (Some(set), Some(table), Some(chain)) = (set, table, chain) else {
        return Vec::new();
    };
    let rules = chain.rules.iter();
    rules.map(|rule| print::rule(set, table, rule)).collect()
}

/// The changes that turn one list into another. The common beginning and end stay, and as many
/// rules in between as possible.
fn steps(old: &[String], new: &[String]) -> Vec<CommandStep> {
    let same = |pairs: &mut dyn Iterator<Item = (&String, &String)>| {
        pairs.take_while(|(one, other)| one == other).count()
    };
    let start = same(&mut old.iter().zip(new));
    let end = same(&mut old[start..].iter().rev().zip(new[start..].iter().rev()));
    let (left, right) = (&old[start..old.len() - end], &new[start..new.len() - end]);
    let mut steps = vec![CommandStep::Keep; start];
    if left.len() * right.len() > MAX_PAIRS {
        let changed = left.len().min(right.len());
        steps.extend((0..changed).map(|at| CommandStep::Replace(start + at)));
        steps.extend((changed..right.len()).map(|at| CommandStep::Insert(start + at)));
        steps.extend((changed..left.len()).map(|_| CommandStep::Delete));
    } else {
        between(left, right, start, &mut steps);
    }
    steps.extend(std::iter::repeat_n(CommandStep::Keep, end));
    steps
}

/// The rules between. Their longest common subsequence stays.
fn between(left: &[String], right: &[String], start: usize, steps: &mut Vec<CommandStep>) {
    let width = right.len() + 1;
    // The number of remaining rules that can stay, from each position.
    let mut stay = vec![0_u32; (left.len() + 1) * width];
    for (one, old) in left.iter().enumerate().rev() {
        for (other, new) in right.iter().enumerate().rev() {
            let below = (one + 1) * width + other;
            let longest = stay[below].max(stay[one * width + other + 1]);
            stay[one * width + other] = if old == new {
                stay[below + 1] + 1
            } else {
                longest
            };
        }
    }
    let (mut one, mut other) = (0, 0);
    while one < left.len() || other < right.len() {
        let here = |one: usize, other: usize| stay[one * width + other];
        if one < left.len() && other < right.len() && left[one] == right[other] {
            steps.push(CommandStep::Keep);
            (one, other) = (one + 1, other + 1);
        } else if one < left.len()
            && other < right.len()
            && here(one + 1, other + 1) == here(one, other)
        {
            steps.push(CommandStep::Replace(start + other));
            (one, other) = (one + 1, other + 1);
        } else if one < left.len()
            && (other == right.len() || here(one + 1, other) >= here(one, other + 1))
        {
            steps.push(CommandStep::Delete);
            one += 1;
        } else {
            steps.push(CommandStep::Insert(start + other));
            other += 1;
        }
    }
}
