//! Counterfactuals: the changes of one packet field or of one rule that change the outcome. Each
//! one that is offered has been walked.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::vec::IntoIter;

use crate::analysis::constants::Constants;
use crate::analysis::explain;
use crate::mesh::Mesh;
use crate::netfilter::condition::Subject;
use crate::netfilter::place::Place;
use crate::netfilter::ruleset::{Clause, CompactBox, Ruleset, Target, Value};
use crate::packet::fields::{PacketField, PacketShape, Trial};
use crate::packet::host::Host;
use crate::packet::{Family, Origin, Packet, Protocol};
use crate::walk::trace::{Outcome, Trace, Verdict, VerdictKind};
use crate::walk::walk;

/// The maximum number of steps of all walks together. Further candidates are not tried.
const MAX_STEPS: usize = 300_000;
/// The maximum number of results: more than a user reads.
const MAX_OFFERED: usize = 12;
/// Rules of larger sets are not changed, because each change copies the set.
const MAX_RULES: usize = 5_000;

/// The number of rules to change: the last ones that the packet met.
const MAX_CHANGED_RULES: usize = 200;

/// A change of the packet or of a rule.
#[derive(Clone, Debug, PartialEq)]
pub enum Alteration {
    /// Another value of one field, with the changed packet.
    Field(PacketField, Box<Packet>),
    /// A rule is removed.
    Gone(Place),
    /// A condition of a rule has another value, in words.
    Value(Place, String),
}

/// A change that changes the outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Counterfactual {
    /// The change.
    pub change: Alteration,
    /// The outcome after the change.
    pub verdict: Verdict,
}

impl Counterfactual {
    /// A sentence: "Had the uid been 1338 and not 1337, rule 9 of ISTIO_OUTPUT would have sent it
    /// to Envoy on 15001."
    pub fn sentence(&self, rulesets: &[Ruleset], packet: &Packet, mesh: Option<&Mesh>) -> String {
        let had = match &self.change {
            Alteration::Field(field, other) => {
                let [old, new] = [packet, &**other].map(|packet| field.describe(packet));
                let noun = field
                    .row()
                    .trial
                    .as_ref()
                    .map_or(field.name(), |trial| trial.noun);
                format!("Had the {noun} been {new} and not {old}")
            }
            Alteration::Gone(place) => format!(
                "Without {}",
                explain::lower(&explain::place(rulesets, *place))
            ),
            Alteration::Value(place, says) => {
                format!(
                    "Had {} asked whether {says}",
                    explain::lower(&explain::place(rulesets, *place))
                )
            }
        };
        format!(
            "{had}, {}.",
            would(rulesets, &self.verdict, mesh, packet.origin)
        )
    }
}

/// "rule 9 of ISTIO_OUTPUT would have sent it to Envoy on 15001".
fn would(rulesets: &[Ruleset], verdict: &Verdict, mesh: Option<&Mesh>, from: Origin) -> String {
    let who = verdict.decided_by.map_or("routing".into(), |place| {
        explain::lower(&explain::place(rulesets, place))
    });
    let by = verdict
        .interface
        .as_deref()
        .map(|name| format!(" by {name}"))
        .unwrap_or_default();
    let on = verdict
        .port
        .map(|port| format!(" on {port}"))
        .unwrap_or_default();
    let does = match verdict.kind {
        VerdictKind::Delivered if verdict.redirected => {
            let listener = verdict
                .port
                .and_then(|port| mesh?.listener(port))
                .unwrap_or("this host");
            format!("sent it to {listener}{on}")
        }
        VerdictKind::Delivered if from == Origin::Local => {
            format!("let it reach {}", explain::reached(verdict))
        }
        VerdictKind::Delivered => format!("let it in{on}"),
        VerdictKind::Sent | VerdictKind::Forwarded => format!("let it out{by}"),
        VerdictKind::Dropped => "dropped it".into(),
        VerdictKind::Rejected => "rejected it".into(),
        VerdictKind::Queued => "handed it to a program".into(),
        VerdictKind::Unroutable => "left it without a route".into(),
    };
    format!("{who} would have {does}")
}

/// Whether two outcomes differ in kind, in interface, or in the port that rules redirect to. A
/// different port counts only if a rule chose it, because a packet that was sent to another port
/// arrives there.
fn flips(one: &Verdict, other: &Verdict) -> bool {
    let led = |verdict: &Verdict| verdict.redirected.then_some(verdict.port);
    (one.kind, led(one), &one.interface) != (other.kind, led(other), &other.interface)
}

/// The counterfactuals, and whether all candidates were tried.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flips {
    /// The results. Changes of the fields that the decisive rule compares come first.
    pub offered: Vec<Counterfactual>,
    /// Whether no limit skipped a candidate.
    pub tried_all: bool,
}

/// Finds the changes that change the outcome of a packet. An undetermined outcome has none.
///
/// `constants` are those of the rules for the packet's family. They do not depend on the packet.
pub fn find(rulesets: &[Ruleset], constants: &Constants, host: &Host, trace: &Trace) -> Flips {
    let mut search = CounterfactualSearch::new(rulesets, constants, host, trace);
    search.go_on(rulesets, host, trace, usize::MAX);
    search.found()
}

/// The fields that the decisive rule compares.
fn decisive(rulesets: &[Ruleset], verdict: &Verdict) -> Vec<PacketField> {
    let Some(place) = verdict.decided_by else {
        return Vec::new();
    };
    let (ruleset, _, _) = place.at.find(rulesets);
    let parts = place
        .rule(rulesets)
        .map_or(&[][..], |rule| ruleset.matches(rule));
    parts
        .iter()
        .filter_map(Clause::subject)
        .flat_map(|subject| subject.fields().to_vec())
        .collect()
}

/// A search for counterfactuals that runs in turns, because a large rule set has thousands of
/// candidates.
#[derive(Debug)]
pub struct CounterfactualSearch {
    /// The candidates that were not tried yet.
    candidates: IntoIter<Candidate>,
    /// The steps of all walks.
    steps: usize,
    found: Flips,
}

impl CounterfactualSearch {
    /// Collects the candidates for a packet. Changes of the fields that the decisive rule compares
    /// come first.
    pub fn new(rulesets: &[Ruleset], constants: &Constants, host: &Host, trace: &Trace) -> Self {
        let candidates = trace.verdict().map_or_else(Vec::new, |verdict| {
            let decisive = decisive(rulesets, verdict);
            let (first, rest) = candidates(constants, host, &trace.packet)
                .into_iter()
                .partition::<Vec<_>, _>(|candidate| decisive.contains(&candidate.field));
            [first, rest].concat()
        });
        Self {
            candidates: candidates.into_iter(),
            steps: 0,
            found: Flips {
                tried_all: true,
                ..Flips::default()
            },
        }
    }

    /// Tries candidates until their walks have taken `steps` steps. The arguments are those of
    /// [`Self::new`]. Returns whether the search is complete.
    pub fn go_on(
        &mut self,
        rulesets: &[Ruleset],
        host: &Host,
        trace: &Trace,
        steps: usize,
    ) -> bool {
        let Some(verdict) = trace.verdict() else {
            return true;
        };
        let walks = Walks {
            host,
            trace,
            verdict,
        };
        let end = self.steps.saturating_add(steps);
        while let Some(candidate) = self.candidates.next() {
            let Some(packet) = candidate.changed(&trace.packet) else {
                continue;
            };
            let change = Alteration::Field(candidate.field, Box::new(packet.clone()));
            if !self.try_one(&walks, rulesets, &packet, change) {
                self.candidates = Vec::new().into_iter();
            } else if self.steps >= end {
                return false;
            }
        }
        if rulesets.iter().map(Ruleset::rules).sum::<usize>() <= MAX_RULES {
            self.rules(&walks, rulesets);
        }
        // Changes of the packet come before changes of the rules.
        self.found.offered.sort_by_key(|flip| match flip.change {
            Alteration::Field(..) => 0,
            Alteration::Gone(_) => 1,
            Alteration::Value(..) => 2,
        });
        true
    }

    /// The results of a complete search.
    pub fn found(self) -> Flips {
        self.found
    }

    /// Walks, and keeps the change if it changes the outcome. One change is kept for each field or
    /// rule and each new outcome. Returns whether another candidate is worth trying.
    fn try_one(
        &mut self,
        walks: &Walks,
        rulesets: &[Ruleset],
        packet: &Packet,
        change: Alteration,
    ) -> bool {
        let worth = self.found.offered.len() < MAX_OFFERED;
        if !worth || self.steps > MAX_STEPS {
            self.found.tried_all &= !worth || self.steps <= MAX_STEPS;
            return false;
        }
        let trace = walk(rulesets, None, walks.host, packet);
        self.steps += crate::analysis::senders::taken(&trace);
        let Some(verdict) = trace
            .verdict()
            .filter(|verdict| flips(walks.verdict, verdict))
        else {
            return true;
        };
        let same = |one: &Counterfactual| match (&one.change, &change) {
            (Alteration::Field(a, _), Alteration::Field(b, _)) => {
                a == b && !flips(&one.verdict, verdict)
            }
            _ => false,
        };
        if !self.found.offered.iter().any(same) {
            self.found.offered.push(Counterfactual {
                change,
                verdict: verdict.clone(),
            });
        }
        true
    }

    /// Tries changes of the rules that the packet met: removing a rule, or changing a condition so
    /// that it holds for the packet.
    fn rules(&mut self, walks: &Walks, rulesets: &[Ruleset]) {
        let packet = &walks.trace.packet;
        let mut changed = rulesets.to_vec();
        let mut done = Vec::new();
        for step in walks
            .trace
            .shown()
            .steps
            .iter()
            .rev()
            .take(MAX_CHANGED_RULES)
        {
            let at = step.place.at;
            if done.contains(&step.place) {
                continue;
            }
            done.push(step.place);
            let Some(rule) = step.place.rule(rulesets).cloned() else {
                continue;
            };
            let set = at.ruleset as usize;
            match (step.outcome, step.condition) {
                (Outcome::Match, _) if rule.target != Target::None => {
                    // Removing a rule that only counts changes nothing.
                    set_target(&mut changed[set], step.place, Target::None);
                    self.try_one(walks, &changed, packet, Alteration::Gone(step.place));
                    set_target(&mut changed[set], step.place, rule.target);
                }
                (Outcome::NoMatch, Some(condition)) => {
                    let part = rule.first as usize + usize::from(condition);
                    let old = changed[set].parts[part].value.clone();
                    let view = &walks.trace.shown().views[step.view as usize];
                    let seen = Packet {
                        src: Some(view.src),
                        dst: view.dst,
                        dport: view.dport,
                        mark: view.mark,
                        ..packet.clone()
                    };
                    let Some(value) = asking_for(&seen, &changed[set].parts[part]) else {
                        continue;
                    };
                    changed[set].parts[part].value = value;
                    let says = explain::condition(&changed[set], &changed[set].parts[part])
                        .unwrap_or_default();
                    let change = Alteration::Value(step.place, says);
                    self.try_one(walks, &changed, packet, change);
                    changed[set].parts[part].value = old;
                }
                _ => {}
            }
        }
    }
}

fn set_target(ruleset: &mut Ruleset, place: Place, target: Target) {
    let table = ruleset.tables.get_mut(place.at.table as usize);
    let chain = table.map(|table| &mut table.chains[place.at.chain as usize]);
    if let (Some(chain), Some(rule)) = (chain, place.rule) {
        chain.rules[rule as usize].target = target;
    }
}

/// The value with which this condition would hold for the packet.
fn asking_for(packet: &Packet, part: &Clause) -> Option<Value> {
    let subject = part.subject()?;
    if let Value::Net4(..) | Value::Net6(..) = part.value {
        let is_source = subject == Subject::Packet(PacketField::Src);
        let address = if is_source { packet.src? } else { packet.dst };
        return match address {
            _ if part.negated => None,
            IpAddr::V4(v4) => Some(Value::Net4(v4, u32::MAX.into())),
            IpAddr::V6(v6) => Some(Value::Net6(CompactBox::new((v6, u128::MAX.into())))),
        };
    }
    let Subject::Packet(field) = subject else {
        return None;
    };
    let number = field.number(packet)?;
    let number = if part.negated {
        number.checked_add(1)?
    } else {
        number
    };
    match part.value {
        Value::Range(..) => Some(Value::Range(number, number)),
        Value::Number(_) => Some(Value::Number(number)),
        Value::List(_) => Some(Value::List(CompactBox::new(vec![(number, number)]))),
        Value::Masked { mask, .. } => Some(Value::Masked {
            value: number & mask,
            mask,
        }),
        _ => None,
    }
}

/// The walk to change, and its outcome.
struct Walks<'a> {
    host: &'a Host,
    trace: &'a Trace,
    verdict: &'a Verdict,
}

/// A packet that differs in one field, as a value: few of many candidates become packets.
#[derive(Clone, Debug)]
struct Candidate {
    field: PacketField,
    value: CandidateValue,
}

#[derive(Clone, Debug)]
enum CandidateValue {
    Number(u32),
    Address(IpAddr),
    InInterface(String),
}

impl Candidate {
    fn number(field: PacketField, value: u32) -> Self {
        let value = CandidateValue::Number(value);
        Self { field, value }
    }

    fn address(field: PacketField, address: IpAddr) -> Self {
        let value = CandidateValue::Address(address);
        Self { field, value }
    }

    /// The changed packet, if it is another valid packet that has the field.
    fn changed(&self, packet: &Packet) -> Option<Packet> {
        let changed = match &self.value {
            CandidateValue::Number(value) => self.field.with_number(packet, *value)?,
            CandidateValue::Address(address) => self.field.with_address(packet, *address),
            CandidateValue::InInterface(name) => Packet {
                in_interface: Some(name.clone()),
                ..packet.clone()
            },
        };
        let is_valid = changed != *packet
            && changed.check().is_ok()
            && self.field.applies(&PacketShape::from_packet(&changed));
        is_valid.then_some(changed)
    }
}

/// Every packet that differs in one field. The values are the constants of the rules and the values
/// next to them.
fn candidates(constants: &Constants, host: &Host, packet: &Packet) -> Vec<Candidate> {
    // The usual protocols come before neighbors, which few people know by number.
    let mut candidates = [Protocol::TCP, Protocol::UDP]
        .map(|protocol| Candidate::number(PacketField::Protocol, protocol.0.into()))
        .to_vec();
    candidates.extend(number_candidates(constants));
    candidates.extend(address_candidates(constants, host, packet.family()));
    if packet.origin == Origin::Inbound {
        let named = constants
            .names(Subject::Packet(PacketField::InInterface))
            .into_iter()
            .map(|name| name.replace('+', "0"));
        let own = host
            .interfaces
            .iter()
            .map(|interface| interface.name.clone());
        candidates.extend(named.chain(own).map(|name| Candidate {
            field: PacketField::InInterface,
            value: CandidateValue::InInterface(name),
        }));
    }
    candidates
}

/// The numbers that rules compare, field by field in the order of the fields' names.
fn number_candidates(constants: &Constants) -> Vec<Candidate> {
    let mut tried: Vec<(Subject, &Trial)> = constants
        .subjects()
        .filter_map(|subject| {
            let field = subject.fields().first()?;
            Some((subject, field.row().trial.as_ref()?))
        })
        .collect();
    tried.sort_by_key(|(_, trial)| trial.noun.to_ascii_lowercase());
    let mut candidates = Vec::new();
    for (subject, trial) in tried {
        let numbers = if trial.neighbors {
            constants.numbers(subject)
        } else {
            let ranges = constants.ranges(subject).into_iter();
            ranges.map(|(low, _)| low).collect()
        };
        // A usual value means more to a reader than a neighbor.
        let values: Vec<u32> = trial.usual.iter().copied().chain(numbers).collect();
        for field in subject.fields() {
            candidates.extend(values.iter().map(|value| Candidate::number(*field, *value)));
        }
    }
    candidates
}

fn address_candidates(constants: &Constants, host: &Host, family: Family) -> Vec<Candidate> {
    // A packet leaves through an interface of a rule if its destination is routed there. These
    // destinations come first, because readers know them.
    let own = host
        .interfaces
        .iter()
        .flat_map(|interface| &interface.addresses)
        .map(|prefix| prefix.address);
    let via = host.routes.iter().filter_map(|route| route.via);
    let mut tried = BTreeSet::new();
    let mut candidates: Vec<Candidate> = own
        .chain(constants.addresses(Subject::Packet(PacketField::Dst)))
        .chain(via)
        .chain(outside(family))
        .filter(|dst| Family::of_address(*dst) == family && tried.insert(*dst))
        .map(|dst| Candidate::address(PacketField::Dst, dst))
        .collect();
    let sources = constants.addresses(Subject::Packet(PacketField::Src));
    candidates.extend(sources.map(|src| Candidate::address(PacketField::Src, src)));
    candidates
}

fn outside(family: Family) -> Option<IpAddr> {
    match family {
        Family::Ipv4 => "93.184.216.34".parse().ok(),
        Family::Ipv6 => "2001:db8::34".parse().ok(),
    }
}
