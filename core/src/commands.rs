//! The commands of `iptables` that make one text's rules into another's.

use crate::capture::Backend;
use crate::packet::Family;
use crate::parse;
use crate::print;
use crate::ruleset::{Chain, Hook, Policy, Ruleset, Table, TableName, Target};

/// Lists that differ in more pairs of rules than this are compared by position only.
const MOST_PAIRS: usize = 1_000_000;

/// The commands, each a line for a shell. Rule sets are paired by family and backend.
///
/// Every command leaves rules that the kernel takes: chains are made before rules lead there, rules that lead elsewhere are
/// gone before others could close a loop with them, and policies come last.
pub fn commands(from: &[Ruleset], to: &[Ruleset]) -> Vec<String> {
    let mut commands = Vec::new();
    for (place, new) in to.iter().enumerate() {
        let alike = |set: &&Ruleset| (set.family, set.backend) == (new.family, new.backend);
        let nth = to[..place].iter().filter(alike).count();
        let empty = Ruleset::new(new.family, new.backend);
        let old = from.iter().filter(alike).nth(nth).unwrap_or(&empty);
        for name in TableName::ALL {
            if old.table(name).is_some() || new.table(name).is_some() {
                Change::new(old, new, name).run(&mut commands);
            }
        }
    }
    // Dumps are hostile, and a terminal may take these for keys.
    for command in commands.iter_mut().filter(|command| command.contains(char::is_control)) {
        *command = "# left out: a command with control characters in its words".into();
    }
    commands
}

/// What becomes of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Keep,
    Delete,
    /// The new rule of that place, from 0.
    Insert(usize),
    Replace(usize),
}

/// A chain of both sides.
struct Pair<'a> {
    name: &'a str,
    hook: Option<Hook>,
    old: Option<&'a Chain>,
    new: Option<&'a Chain>,
    steps: Vec<Step>,
}

/// The change of one table.
struct Change<'a> {
    lead: String,
    new: &'a Ruleset,
    from: Option<&'a Table>,
    to: Option<&'a Table>,
    pairs: Vec<Pair<'a>>,
}

impl<'a> Change<'a> {
    fn new(old: &'a Ruleset, new: &'a Ruleset, name: TableName) -> Self {
        let program = if new.family == Family::Ipv6 { "ip6tables" } else { "iptables" };
        let backend = match new.backend {
            Some(Backend::Legacy) => "-legacy",
            Some(Backend::Nft) => "-nft",
            None => "",
        };
        let (from, to) = (old.table(name), new.table(name));
        let chains = |table: Option<&'a Table>| table.map_or(&[][..], |table| &table.chains);
        let mut pairs: Vec<Pair> = Vec::new();
        let pair =
            |chain: &'a Chain| Pair { name: &chain.name, hook: chain.hook(), old: None, new: None, steps: Vec::new() };
        let mut places = std::collections::HashMap::new();
        for chain in chains(from) {
            places.insert(&*chain.name, pairs.len());
            pairs.push(Pair { old: Some(chain), ..pair(chain) });
        }
        for chain in chains(to) {
            match places.get(&*chain.name) {
                Some(place) => pairs[*place].new = Some(chain),
                None => pairs.push(Pair { new: Some(chain), ..pair(chain) }),
            }
        }
        for pair in &mut pairs {
            let text = |set: &Ruleset, table: Option<&Table>, chain: Option<&Chain>| match (table, chain) {
                (Some(table), Some(chain)) => {
                    chain.rules.iter().map(|rule| print::rule(set, table, rule)).collect::<Vec<String>>()
                }
                _ => Vec::new(),
            };
            pair.steps = steps(&text(old, from, pair.old), &text(new, to, pair.new));
        }
        Self { lead: format!("{program}{backend} -t {name}"), new, from, to, pairs }
    }

    fn run(mut self, commands: &mut Vec<String>) {
        let goes = |pair: &Pair| pair.new.is_none() && pair.hook.is_none();
        for pair in self.pairs.iter().filter(|pair| pair.old.is_none() && pair.hook.is_none()) {
            commands.push(format!("{} -N {}", self.lead, quoted(pair.name)));
        }
        self.unlink(commands);
        for pair in self.pairs.iter().filter(|pair| !goes(pair)) {
            self.rules(pair, commands);
        }
        let gone: Vec<&Pair> = self.pairs.iter().filter(|pair| goes(pair)).collect();
        for verb in ["-F", "-X"] {
            commands.extend(gone.iter().map(|pair| format!("{} {verb} {}", self.lead, quoted(pair.name))));
        }
        for pair in self.pairs.iter().filter(|pair| pair.hook.is_some()) {
            let policy = |chain: Option<&Chain>| chain.map_or(Policy::Accept, |chain| chain.policy());
            if policy(pair.old) != policy(pair.new) {
                commands.push(format!("{} -P {} {}", self.lead, pair.name, policy(pair.new).name()));
            }
        }
    }

    /// Where rules that lead to chains come new, takes those out first that led to others.
    fn unlink(&mut self, commands: &mut Vec<String>) {
        let name = |table: Option<&'a Table>, chain: Option<&Chain>, rule: usize| -> Option<&'a str> {
            match chain?.rules.get(rule)?.target {
                Target::Jump(chain) | Target::Goto(chain) => Some(&table?.chains[chain as usize].name),
                _ => None,
            }
        };
        let (from, to) = (self.from, self.to);
        let links = |pair: &Pair| {
            pair.steps.iter().any(|step| match step {
                Step::Insert(at) | Step::Replace(at) => name(to, pair.new, *at).is_some(),
                _ => false,
            })
        };
        if !self.pairs.iter().any(links) {
            return;
        }
        for pair in &mut self.pairs {
            let mut at = pair.old.map_or(0, |chain| chain.rules.len());
            for place in (0..pair.steps.len()).rev() {
                let step = pair.steps[place];
                if matches!(step, Step::Insert(_)) {
                    continue;
                }
                at -= 1;
                let led = name(from, pair.old, at);
                let leads = if let Step::Replace(new) = step { name(to, pair.new, new) } else { None };
                if step == Step::Keep || led.is_none() || led == leads {
                    continue;
                }
                commands.push(format!("{} -D {} {}", self.lead, quoted(pair.name), at + 1));
                match step {
                    Step::Replace(new) => pair.steps[place] = Step::Insert(new),
                    _ => drop(pair.steps.remove(place)),
                }
            }
        }
    }

    fn rules(&self, pair: &Pair, commands: &mut Vec<String>) {
        let (lead, chain) = (&self.lead, quoted(pair.name));
        let mut length = pair.steps.iter().filter(|step| !matches!(step, Step::Insert(_))).count();
        let mut number = 1;
        for step in &pair.steps {
            let new = |at: usize| {
                let rules = pair.new.zip(self.to).and_then(|(chain, table)| Some((chain.rules.get(at)?, table)));
                rules.map(|(rule, table)| words(&print::rule(self.new, table, rule))).unwrap_or_default()
            };
            let command = match step {
                Step::Keep => None,
                Step::Delete => Some((format!("-D {chain} {number}"), Some(String::new()))),
                Step::Insert(at) if number > length => Some((format!("-A {chain}"), new(*at))),
                Step::Insert(at) => Some((format!("-I {chain} {number}"), new(*at))),
                Step::Replace(at) => Some((format!("-R {chain} {number}"), new(*at))),
            };
            match command {
                Some((verb, Some(words))) => commands.push(format!("{lead} {verb}{words}")),
                Some((verb, None)) => {
                    commands.push(format!("# {lead} {verb}: its words cannot be written for a shell"))
                }
                None => {}
            }
            match step {
                Step::Delete => length -= 1,
                Step::Insert(_) => (length, number) = (length + 1, number + 1),
                Step::Keep | Step::Replace(_) => number += 1,
            }
        }
    }
}

/// How one list becomes another: what both begin and end with stays, and between, as many as can.
fn steps(old: &[String], new: &[String]) -> Vec<Step> {
    let same =
        |pairs: &mut dyn Iterator<Item = (&String, &String)>| pairs.take_while(|(one, other)| one == other).count();
    let start = same(&mut old.iter().zip(new));
    let end = same(&mut old[start..].iter().rev().zip(new[start..].iter().rev()));
    let (left, right) = (&old[start..old.len() - end], &new[start..new.len() - end]);
    let mut steps = vec![Step::Keep; start];
    if left.len() * right.len() > MOST_PAIRS {
        let changed = left.len().min(right.len());
        steps.extend((0..changed).map(|at| Step::Replace(start + at)));
        steps.extend((changed..right.len()).map(|at| Step::Insert(start + at)));
        steps.extend((changed..left.len()).map(|_| Step::Delete));
    } else {
        between(left, right, start, &mut steps);
    }
    steps.extend(std::iter::repeat_n(Step::Keep, end));
    steps
}

/// The longest common subsequence stays.
fn between(left: &[String], right: &[String], start: usize, steps: &mut Vec<Step>) {
    let width = right.len() + 1;
    // How many can stay of what is left from here on.
    let mut stay = vec![0_u32; (left.len() + 1) * width];
    for (one, old) in left.iter().enumerate().rev() {
        for (other, new) in right.iter().enumerate().rev() {
            let below = (one + 1) * width + other;
            let longest = stay[below].max(stay[one * width + other + 1]);
            stay[one * width + other] = if old == new { stay[below + 1] + 1 } else { longest };
        }
    }
    let (mut one, mut other) = (0, 0);
    while one < left.len() || other < right.len() {
        let here = |one: usize, other: usize| stay[one * width + other];
        if one < left.len() && other < right.len() && left[one] == right[other] {
            steps.push(Step::Keep);
            (one, other) = (one + 1, other + 1);
        } else if one < left.len() && other < right.len() && here(one + 1, other + 1) == here(one, other) {
            steps.push(Step::Replace(start + other));
            (one, other) = (one + 1, other + 1);
        } else if one < left.len() && (other == right.len() || here(one + 1, other) >= here(one, other + 1)) {
            steps.push(Step::Delete);
            one += 1;
        } else {
            steps.push(Step::Insert(start + other));
            other += 1;
        }
    }
}

/// The words of a printed rule for a shell, each with a blank before it; nothing where a quote stays open.
fn words(printed: &str) -> Option<String> {
    Some(parse::words(printed)?.iter().map(|word| format!(" {}", quoted(word))).collect())
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,+@%=".contains(c);
    match word {
        // iptables' own, and no shell's where it stands alone.
        "!" => word.into(),
        _ if !word.is_empty() && word.chars().all(plain) => word.into(),
        _ => format!("'{}'", word.replace('\'', "'\\''")),
    }
}
