//! A rule set with its namespace, the names of its rules and ends, and tests of outcomes.

use crate::analysis::explain::{self, Fate, Headline};
use crate::analysis::findings::dead_rules;
use crate::input::parse;
use crate::iptables::print;
use crate::iptables::table_name::TableName;
use crate::mesh::{self, Mesh};
use crate::netfilter::place::{ChainPlace, Place};
use crate::netfilter::ruleset::Ruleset;
use crate::packet::Packet;
use crate::packet::hook::Hook;
use crate::packet::host::Host;
use crate::walk::steps::StepRuns;
use crate::walk::trace::{Outcome, Step, Trace, VerdictKind};
use crate::walk::walk;

/// A rule set of a lesson.
#[derive(Debug)]
pub struct World {
    /// Its name in the lesson.
    pub name: String,
    /// Its text.
    pub text: String,
    /// The namespace of its walks.
    pub host: Host,
    /// Whether the lesson or the sample states the namespace.
    pub host_known: bool,
    /// Its rules.
    pub rulesets: Vec<Ruleset>,
    /// The mesh that made the rules.
    pub mesh: Option<Mesh>,
}

impl World {
    /// Parses a rule set.
    ///
    /// # Errors
    /// If iptables would refuse it, or if it is not understood.
    pub(super) fn new(name: &str, text: &str, host: Option<Host>) -> Result<Self, String> {
        let parsed = parse::parse(text);
        if let Some(worst) = parsed
            .diagnostics
            .iter()
            .max_by_key(|remark| remark.severity)
        {
            return Err(format!("rules {name}: line {worst}"));
        }
        if parsed.rulesets.is_empty() {
            return Err(format!("rules {name}: there are no rules in it"));
        }
        let mesh = parsed.rulesets.iter().find_map(mesh::recognise);
        let host_known = host.is_some();
        let host = host.unwrap_or_else(Host::pod);
        Ok(Self {
            name: name.into(),
            text: text.into(),
            host,
            host_known,
            rulesets: parsed.rulesets,
            mesh,
        })
    }

    /// The text of these rules after commands, each as `-I CHAIN 1 …`, with `-t TABLE` before it if
    /// the table is not nat.
    ///
    /// # Errors
    /// If iptables would refuse a command.
    pub fn changed<'a>(&self, commands: impl Iterator<Item = &'a str>) -> Result<String, String> {
        let mut lines: Vec<&str> = self.text.lines().collect();
        for command in commands
            .map(str::trim)
            .filter(|command| !command.is_empty())
        {
            let (table, command) = match command
                .strip_prefix("-t ")
                .and_then(|rest| rest.split_once(' '))
            {
                Some((table, command)) => (table, command),
                None => ("nat", command),
            };
            let start = lines
                .iter()
                .position(|line| line.strip_prefix('*') == Some(table));
            let end = start.and_then(|start| {
                Some(start + lines[start..].iter().position(|line| *line == "COMMIT")?)
            });
            lines.insert(
                end.ok_or_else(|| format!("there is no table {table} to change"))?,
                command,
            );
        }
        let parsed = parse::parse(lines.join("\n"));
        match parsed.diagnostics.first() {
            Some(remark) => Err(remark.to_string()),
            None => Ok(parsed
                .rulesets
                .iter()
                .map(|set| print::save(set, false))
                .collect()),
        }
    }

    /// Walks a packet.
    pub fn walk(&self, packet: &Packet) -> Trace {
        walk(&self.rulesets, None, &self.host, packet)
    }

    /// The outcome of a walk, in the words of the page.
    pub(super) fn headline(&self, trace: &Trace) -> Headline {
        explain::verdict(&self.rulesets, trace, self.mesh.as_ref())
    }

    /// The outcome of a walk in three sentences.
    pub(super) fn tell(&self, trace: &Trace) -> String {
        let headline = self.headline(trace);
        format!(
            "{} {} {}.",
            headline.lead,
            headline.reason,
            explain::capital(&headline.end)
        )
    }

    /// The rule or policy with a name: `ISTIO_OUTPUT 4`, `mangle PREROUTING 1`, `OUTPUT policy`.
    pub(super) fn place(&self, name: &str) -> Result<Place, String> {
        let words: Vec<&str> = name.split_whitespace().collect();
        let (tables, chain, number) = match words[..] {
            [table, chain, number] => (
                TableName::from_text(table).into_iter().collect(),
                chain,
                number,
            ),
            [chain, number] => (NAT_FIRST.to_vec(), chain, number),
            _ => {
                return Err(format!(
                    "invalid rule name `{name}`: write CHAIN NUMBER, such as `ISTIO_OUTPUT 4`"
                ));
            }
        };
        let wanted = number.parse::<u32>().ok();
        for (ruleset, set) in (0..).zip(&self.rulesets) {
            for table in tables.iter().filter_map(|name| set.table_place(*name)) {
                let Some((place, chain)) = set.tables[table as usize].chain(chain) else {
                    continue;
                };
                let rule = match wanted {
                    Some(wanted) if (1..=chain.rules.len()).contains(&(wanted as usize)) => {
                        Some(wanted - 1)
                    }
                    None if number == "policy" && chain.hook().is_some() => None,
                    _ => continue,
                };
                return Ok(Place {
                    at: ChainPlace {
                        ruleset,
                        table,
                        chain: place,
                    },
                    rule,
                });
            }
        }
        Err(format!("rules {} have no `{name}`", self.name))
    }

    /// The text of a rule, as `iptables-save` prints it.
    pub(super) fn text(&self, place: Place) -> Option<String> {
        let (ruleset, table, chain) = place.at.find(&self.rulesets);
        Some(format!(
            "-A {} {}",
            chain.name,
            print::rule(ruleset, table, place.rule(&self.rulesets)?)
        ))
    }

    /// "rule 4 of ISTIO_OUTPUT", with the table if another table has such a chain.
    pub(super) fn name(&self, place: Place) -> String {
        let (ruleset, table, chain) = place.at.find(&self.rulesets);
        let others = ruleset.tables.iter().filter(|other| !other.is_like(table));
        let alone = others.into_iter().all(|other| {
            other
                .chain(&chain.name)
                .is_none_or(|(_, one)| one.rules.is_empty())
        });
        let name = explain::place(&self.rulesets, place);
        let (first, rest) = name.split_at(1);
        let of = if alone {
            String::new()
        } else {
            format!(" in table {}", table.label())
        };
        format!("{}{rest}{of}", first.to_ascii_lowercase())
    }

    /// The sentence about the step of a rule in a walk.
    pub(super) fn describe_rule(&self, trace: &Trace, place: Place) -> String {
        let path = trace.shown();
        if let Some(step) = best(&path.steps, place) {
            return explain::step(&self.rulesets, trace, path, &step);
        }
        let who = explain::capital(&self.name(place));
        let (ruleset, table, chain) = place.at.find(&self.rulesets);
        let says = match place.rule(&self.rulesets) {
            Some(rule) => format!("says: {}", explain::rule(ruleset, table, rule)),
            None => format!("is {}.", chain.policy().name()),
        };
        let before = path.steps.iter().any(|step| step.place.at == place.at);
        let why = if before {
            "leaves the chain before it"
        } else {
            "never comes into that chain"
        };
        format!("{who} {says} This packet {why}.")
    }

    /// Whether no packet can match a rule.
    pub(super) fn is_dead(&self, place: Place) -> bool {
        let (ruleset, table, _) = place.at.find(&self.rulesets);
        dead_rules(ruleset, table)
            .iter()
            .any(|dead| (dead.chain, Some(dead.rule)) == (place.at.chain, place.rule))
    }

    /// Parses a test: `port 15001`, `rule ISTIO_OUTPUT 4`, `skips PREROUTING nat`.
    pub(super) fn test(&self, text: &str) -> Result<LessonTest, String> {
        let (word, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        let rest = rest.trim();
        Ok(match (word, rest) {
            ("captured", "") => LessonTest::Fate(Fate::Captured),
            ("direct", "") => LessonTest::Fate(Fate::Direct),
            ("dropped", "") => LessonTest::Fate(Fate::Dropped),
            ("depends", "") => LessonTest::Fate(Fate::Unknown),
            ("port", number) => LessonTest::Port(
                number
                    .parse()
                    .map_err(|_| format!("invalid port `{number}`"))?,
            ),
            ("sent", name) if self.host.interface(name).is_some() => LessonTest::Sent(name.into()),
            ("sent", name) => return Err(format!("there is no interface `{name}`")),
            ("rule", name) => LessonTest::Rule(self.place(name)?),
            ("matches", name) => LessonTest::Matches(self.place(name)?),
            ("misses", name) => LessonTest::Misses(self.place(name)?),
            ("unmet", name) => LessonTest::Unmet(self.place(name)?),
            ("passes", name) => LessonTest::Passes(station(name)?),
            ("skips", name) => LessonTest::Skips(station(name)?),
            _ => {
                return Err(format!(
                    "unknown end `{text}`: write captured, direct, dropped, depends, port N, sent \
                    INTERFACE, rule CHAIN N, \
                     matches CHAIN N, misses CHAIN N, unmet CHAIN N, passes HOOK TABLE or skips HOOK TABLE"
                ));
            }
        })
    }

    /// Words a test as an answer.
    pub(super) fn describe_test(&self, test: &LessonTest) -> String {
        match test {
            LessonTest::Fate(Fate::Captured) => "It is captured".into(),
            LessonTest::Fate(Fate::Direct) => "It goes where its sender wanted".into(),
            LessonTest::Fate(Fate::Dropped) => "It is dropped".into(),
            LessonTest::Fate(Fate::Unknown) => "The rules alone do not determine it".into(),
            LessonTest::Port(port) => {
                match self.mesh.as_ref().and_then(|mesh| mesh.listener(*port)) {
                    Some(who) => format!("At {who}, on port {port}"),
                    None => format!("At port {port} of this pod"),
                }
            }
            LessonTest::Sent(name) => format!("It leaves by {name}"),
            LessonTest::Rule(place)
            | LessonTest::Matches(place)
            | LessonTest::Misses(place)
            | LessonTest::Unmet(place) => explain::capital(&self.name(*place)),
            LessonTest::Passes((hook, table)) | LessonTest::Skips((hook, table)) => {
                format!("Table {table} at {hook}")
            }
        }
    }
}

/// The tables to search for a rule without a table name.
const NAT_FIRST: [TableName; 5] = [
    TableName::Nat,
    TableName::Mangle,
    TableName::Filter,
    TableName::Raw,
    TableName::Security,
];

/// `PREROUTING nat`.
pub(super) fn station(name: &str) -> Result<(Hook, TableName), String> {
    let (hook, table) = name.split_once(' ').unwrap_or((name, ""));
    let hook = Hook::ALL.into_iter().find(|one| one.name() == hook);
    let table = TableName::from_text(table.trim());
    hook.zip(table).ok_or_else(|| {
        format!("unknown hook and table `{name}`: write both, as in `PREROUTING nat`")
    })
}

/// The most informative step of a rule: one at which it matched, if there is one.
fn best(steps: &StepRuns, place: Place) -> Option<Step> {
    let mut asked = steps.iter().filter(|step| step.place == place);
    let first = asked.clone().next()?;
    asked
        .find(|step| step.outcome != Outcome::NoMatch)
        .or(Some(first))
}

/// A condition on a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LessonTest {
    /// The outcome is captured, direct, dropped, or undetermined.
    Fate(Fate),
    /// The packet is delivered to this port.
    Port(u16),
    /// The packet leaves through this interface.
    Sent(String),
    /// This rule or policy decides.
    Rule(Place),
    /// This rule matches the packet.
    Matches(Place),
    /// This rule is evaluated and does not match.
    Misses(Place),
    /// This rule is never evaluated.
    Unmet(Place),
    /// A table is evaluated at a hook.
    Passes((Hook, TableName)),
    /// A table is not evaluated at a hook.
    Skips((Hook, TableName)),
}

impl LessonTest {
    /// Whether a walk through these rule sets meets the condition.
    pub fn holds(&self, rulesets: &[Ruleset], trace: &Trace) -> bool {
        let verdict = trace.verdict();
        let steps = &trace.shown().steps;
        let passes = |(hook, table): &(Hook, TableName)| {
            let mut tables = steps
                .runs()
                .iter()
                .map(|run| (run.first.hook, run.first.place.at.table(rulesets)));
            tables.any(|(at, asked)| at == *hook && asked.is(*table))
        };
        match self {
            Self::Fate(fate) => Fate::from_verdict(verdict) == *fate,
            Self::Port(port) => verdict
                .is_some_and(|end| end.kind == VerdictKind::Delivered && end.port == Some(*port)),
            Self::Sent(name) => verdict.is_some_and(|end| {
                matches!(end.kind, VerdictKind::Sent | VerdictKind::Forwarded)
                    && end.interface.as_ref() == Some(name)
            }),
            Self::Rule(place) => verdict.is_some_and(|end| end.decided_by == Some(*place)),
            Self::Matches(place) => best(steps, *place)
                .is_some_and(|step| matches!(step.outcome, Outcome::Match | Outcome::Policy)),
            Self::Misses(place) => {
                best(steps, *place).is_some_and(|step| step.outcome == Outcome::NoMatch)
            }
            Self::Unmet(place) => best(steps, *place).is_none(),
            Self::Passes(station) => passes(station),
            Self::Skips(station) => !passes(station),
        }
    }
}
