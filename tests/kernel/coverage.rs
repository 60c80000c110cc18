//! Records which extensions the packets of a run met. Nothing is skipped silently.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chainwalk_core::iptables::extension::{Extension, Id, Role};
use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::netfilter::ruleset::{Ruleset, Target};
use chainwalk_core::packet::{Origin, Packet};
use chainwalk_core::walk::trace::{Outcome, Trace};
use chainwalk_tests::namespace::program;

/// Targets that cannot be compared: the kernel lacks them, they need something outside the rules,
/// or no walk with them is certain.
const UNJUDGED: [&str; 8] = [
    "CLUSTERIP",
    "HMARK",
    "LED",
    "RATEEST",
    "SECMARK",
    "SET",
    "TEE",
    "ULOG",
];

/// Extensions that no rule set uses explicitly: the header's conditions are in every rule, and text
/// that is kept as written cannot be compared.
const NOT_ASKED: [Id; 5] = [
    Id::HEADER,
    Id::OPAQUE_MATCH,
    Id::OPAQUE_TARGET,
    Id::STRAY,
    Id::UNLISTED,
];

/// Extensions whose protocols and headers the suite does not send.
const NOT_SENT: [&str; 2] = ["frag", "srh"];

/// Counts by kind and name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Coverage {
    pub(crate) packets: u64,
    pub(crate) rulesets: u64,
    rules: u64,
    dead: u64,
    counts: BTreeMap<(&'static str, String), u64>,
}

impl Coverage {
    pub(crate) fn add_ruleset(&mut self, ruleset: &Ruleset, backend: Backend) {
        self.rulesets += 1;
        self.rules += ruleset.rules() as u64;
        self.count("rule sets", program(backend, ruleset.family, "restore"));
    }

    pub(crate) fn add(&mut self, rulesets: &[Ruleset], packet: &Packet, trace: &Trace) {
        self.packets += 1;
        let origin = match packet.origin {
            Origin::Local => "sent",
            Origin::Inbound => "arriving",
        };
        self.count("packets", origin.into());
        let sure = if trace.certain {
            "certain"
        } else {
            "one of several"
        };
        self.count("answers", sure.into());
        self.count("protocols", packet.protocol.to_string());
        let hooks: BTreeSet<_> = trace
            .path
            .steps
            .iter()
            .map(|step| (step.hook, step.place.at.table(rulesets).label()))
            .collect();
        for (hook, table) in hooks {
            self.count("hooks and tables", format!("{hook} {table}"));
        }
        for step in trace.path.steps.iter() {
            let Some(rule) = step.place.rule(rulesets) else {
                self.count("steps", "policy".into());
                continue;
            };
            let parts = rulesets[step.place.at.ruleset as usize].matches(rule);
            let names: BTreeSet<&str> = match (step.outcome, step.condition) {
                (Outcome::Match, _) => parts.iter().map(|part| part.extension().name).collect(),
                (_, Some(failed)) => [parts[usize::from(failed)].extension().name].into(),
                _ => continue,
            };
            let (outcome, what) = match step.outcome {
                Outcome::Match => ("match", "matches that held"),
                _ => ("no match", "matches that failed"),
            };
            self.count("steps", outcome.into());
            for name in names {
                self.count(what, name.into());
            }
            if step.outcome == Outcome::Unknown {
                self.count("steps", "one of several".into());
            }
            if step.outcome == Outcome::Match {
                let target = match rule.target {
                    Target::None => "(only counts)",
                    Target::Jump(_) => "(jump)",
                    Target::Goto(_) => "(goto)",
                    Target::Extension(id) => id.get().name,
                    Target::Missing { .. } => "(missing)",
                };
                self.count("targets", target.into());
            }
        }
        if let Some(verdict) = trace.verdict() {
            let by = verdict
                .by
                .map(|by| format!(" by {by:?}").to_lowercase())
                .unwrap_or_default();
            self.count("verdicts", format!("{:?}{by}", verdict.kind).to_lowercase());
        }
    }

    /// Counts the rules that are reported as dead.
    pub(crate) fn add_dead(&mut self, rules: usize) {
        self.dead += rules as u64;
    }

    fn count(&mut self, what: &'static str, name: String) {
        *self.counts.entry((what, name)).or_default() += 1;
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.packets += other.packets;
        self.rulesets += other.rulesets;
        self.rules += other.rules;
        self.dead += other.dead;
        for (what, count) in other.counts {
            *self.counts.entry(what).or_default() += count;
        }
    }

    /// The extensions that no packet met: matches must have held, and targets must have acted.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        let met = |id: &Id| {
            let extension = id.get();
            let what = if extension.role == Role::Target {
                "targets"
            } else {
                "matches that held"
            };
            self.counts.contains_key(&(what, extension.name.to_owned()))
        };
        let unjudged = |extension: &Extension| {
            extension.role == Role::Target && UNJUDGED.contains(&extension.name)
        };
        let judged = |extension: &Extension| {
            extension.unknowable.is_none()
                && !NOT_SENT.contains(&extension.name)
                && !unjudged(extension)
        };
        Id::all()
            .filter(|id: &Id| !NOT_ASKED.contains(id) && judged(id.get()))
            .filter(|id| !met(id))
            .map(|id| id.get().name)
            .collect()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} packets through {} rule sets of {} rules",
            self.packets, self.rulesets, self.rules
        )?;
        writeln!(
            f,
            "  called dead, and none of them counted: {} rules",
            self.dead
        )?;
        let mut last = "";
        for ((what, name), count) in &self.counts {
            if last != *what {
                write!(f, "{}{what}:", if last.is_empty() { "  " } else { "\n  " })?;
                last = what;
            } else {
                f.write_str(",")?;
            }
            write!(f, " {name} {count}")?;
        }
        Ok(())
    }
}
