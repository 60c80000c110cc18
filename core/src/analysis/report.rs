//! The public JSON of a walk.

use std::borrow::Cow;
use std::net::IpAddr;

use serde::Serialize;

use crate::analysis::explain;
use crate::netfilter::place::Place;
use crate::netfilter::ruleset::Ruleset;
use crate::packet::Packet;
use crate::packet::hook::Hook;
use crate::packet::view::View;
use crate::text::visible;
use crate::walk::trace::{
    Assumption, Branch, DroppedBy, Endpoint, Outcome, Path, Question, Step, Trace, Verdict,
    VerdictKind,
};

/// A trace as JSON, on one line.
///
/// # Panics
/// If the trace does not belong to these rule sets.
pub fn json(rulesets: &[Ruleset], trace: &Trace) -> String {
    let report = Report::new(rulesets, trace);
    visible::escape_json(
        serde_json::to_string(&report)
            .expect("a report holds no maps with keys that are not strings"),
    )
}

/// A packet as JSON, on one line.
///
/// # Panics
/// Never: JSON can represent every packet.
pub fn packet(packet: &Packet) -> String {
    visible::escape_json(serde_json::to_string(packet).expect("a packet holds no maps"))
}

#[derive(Serialize)]
struct Report<'a> {
    packet: &'a Packet,
    /// The rule set of the walk; the first of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    ruleset: Option<u32>,
    certain: bool,
    verdict_certain: bool,
    assumes: &'a [String],
    steps: Vec<ReportStep<'a>>,
    verdict: Option<ReportVerdict<'a>>,
    /// The outcome of the copy that this host gets of a broadcast or multicast.
    #[serde(skip_serializing_if = "Option::is_none")]
    copy: Option<ReportVerdict<'a>>,
    result: Option<PacketEnds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    branches: Vec<ReportBranch<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    branches_left_out: Option<usize>,
    /// The destinations that chance chooses from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    endpoints: Vec<ReportEndpoint<'a>>,
    /// The probability that chance chooses none of them, or that the destination is undetermined.
    #[serde(skip_serializing_if = "Option::is_none")]
    elsewhere: Option<f64>,
}

#[derive(Serialize)]
struct ReportEndpoint<'a> {
    table: Cow<'a, str>,
    /// The chance rule that matches.
    chain: &'a str,
    rule: Option<u32>,
    dst: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    dport: Option<u16>,
    probability: f64,
}

#[derive(Serialize)]
struct ReportStep<'a> {
    hook: Hook,
    table: Cow<'a, str>,
    chain: &'a str,
    rule: Option<u32>,
    line: Option<u32>,
    /// Present only if the walk uses more than one rule set.
    #[serde(skip_serializing_if = "Option::is_none")]
    ruleset: Option<u32>,
    outcome: Outcome,
    action: Option<&'a str>,
    why: String,
}

#[derive(Serialize)]
struct DecidedBy<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    ruleset: Option<u32>,
    table: Cow<'a, str>,
    chain: &'a str,
    rule: Option<u32>,
}

#[derive(Serialize)]
struct ReportVerdict<'a> {
    kind: VerdictKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interface: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<DroppedBy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    redirected: bool,
    decided_by: Option<DecidedBy<'a>>,
}

/// The final packet.
#[derive(Serialize)]
struct PacketEnds {
    src: IpAddr,
    dst: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    sport: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dport: Option<u16>,
    /// If nat chooses a port at random: its range, instead of the port.
    #[serde(skip_serializing_if = "Option::is_none")]
    sport_span: Option<(u16, u16)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dport_span: Option<(u16, u16)>,
    mark: u32,
    dscp: u8,
    ecn: u8,
    ttl: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    mss: Option<u16>,
}

#[derive(Serialize)]
struct ReportBranch<'a> {
    assumes: Vec<ReportAssumption<'a>>,
    /// The backend whose rules run first, if both have rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<crate::netfilter::backend::Backend>,
    /// The probability, if only chance decides all assumptions.
    #[serde(skip_serializing_if = "Option::is_none")]
    probability: Option<f64>,
    steps: Vec<ReportStep<'a>>,
    verdict: Option<ReportVerdict<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    copy: Option<ReportVerdict<'a>>,
    result: PacketEnds,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<&'a str>,
}

#[derive(Serialize)]
struct ReportAssumption<'a> {
    ruleset: u32,
    table: Cow<'a, str>,
    chain: &'a str,
    rule: Option<u32>,
    hook: Hook,
    matches: bool,
    /// The rule matches, and `because` is a question about its target.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    target: bool,
    /// `matches` states whether a rule acts that the input does not show. `rule` is null.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    missing_rule: bool,
    /// `matches` states whether the rule translated the packet's connection at its beginning.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    translated: bool,
    /// `matches` states whether the bridge forwards the packet to another port.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    bridged: bool,
    because: &'a str,
}

/// The data that every part of a report needs.
#[derive(Clone, Copy)]
struct Source<'a> {
    rulesets: &'a [Ruleset],
    trace: &'a Trace,
    /// Whether places name their rule set.
    several: bool,
}

impl<'a> Report<'a> {
    fn new(rulesets: &'a [Ruleset], trace: &'a Trace) -> Self {
        let source = Source {
            rulesets,
            trace,
            several: trace.rulesets.len() > 1,
        };
        let verdict = trace.verdict();
        Self {
            packet: &trace.packet,
            ruleset: trace.rulesets.first().copied(),
            certain: trace.certain,
            verdict_certain: verdict.is_some(),
            assumes: &trace.assumes,
            steps: source.steps(&trace.path),
            verdict: verdict.map(|verdict| source.verdict(verdict)),
            copy: verdict
                .and(trace.shown().copy.as_ref())
                .map(|copy| source.verdict(&copy.verdict)),
            result: verdict.map(|_| ends(trace.shown())),
            stopped: trace.path.stopped.as_deref(),
            branches: trace
                .branches
                .iter()
                .map(|branch| source.branch(branch))
                .collect(),
            branches_left_out: (trace.branches_left_out > 0).then_some(trace.branches_left_out),
            endpoints: trace
                .spread
                .iter()
                .flat_map(|spread| &spread.endpoints)
                .map(|end| source.endpoint(end))
                .collect(),
            elsewhere: trace.spread.as_ref().map(|spread| spread.elsewhere),
        }
    }
}

fn ends(path: &Path) -> PacketEnds {
    let &View {
        src,
        dst,
        sport,
        dport,
        sport_span,
        dport_span,
        mark,
        dscp,
        ecn,
        ttl,
        mss,
        ..
    } = path.result();
    PacketEnds {
        src,
        dst,
        sport,
        dport,
        sport_span,
        dport_span,
        mark,
        dscp,
        ecn,
        ttl,
        mss,
    }
}

impl<'a> Source<'a> {
    fn named(&self, place: Place) -> Option<u32> {
        self.several.then_some(place.at.ruleset)
    }

    fn steps(&self, path: &'a Path) -> Vec<ReportStep<'a>> {
        path.steps
            .iter()
            .map(|step| self.step(path, &step))
            .collect()
    }

    fn step(&self, path: &'a Path, step: &Step) -> ReportStep<'a> {
        let (ruleset, table, chain) = step.place.at.find(self.rulesets);
        let (line, action) = match step.place.rule(self.rulesets) {
            Some(rule) => (
                Some(rule.line),
                crate::iptables::extension::action(ruleset, table, rule),
            ),
            None => (chain.line, Some(chain.policy().name())),
        };
        ReportStep {
            hook: step.hook,
            table: table.label(),
            chain: &chain.name,
            rule: step.place.rule.map(|rule| rule + 1),
            line,
            ruleset: self.named(step.place),
            outcome: step.outcome,
            action,
            why: explain::why(self.rulesets, self.trace, path, step),
        }
    }

    fn verdict(&self, verdict: &'a Verdict) -> ReportVerdict<'a> {
        ReportVerdict {
            kind: verdict.kind,
            port: verdict.port,
            address: verdict.address,
            interface: verdict.interface.as_deref(),
            by: verdict.by,
            reason: verdict.reason.as_deref(),
            redirected: verdict.redirected,
            decided_by: verdict.decided_by.map(|place| {
                let (_, table, chain) = place.at.find(self.rulesets);
                DecidedBy {
                    ruleset: self.named(place),
                    table: table.label(),
                    chain: &chain.name,
                    rule: place.rule.map(|rule| rule + 1),
                }
            }),
        }
    }

    fn branch(&self, branch: &'a Branch) -> ReportBranch<'a> {
        ReportBranch {
            assumes: branch
                .assumes
                .iter()
                .map(|assumption| self.assumption(assumption))
                .collect(),
            first: branch.first,
            probability: branch.probability(),
            steps: self.steps(&branch.path),
            verdict: branch
                .path
                .verdict
                .as_ref()
                .map(|verdict| self.verdict(verdict)),
            copy: branch
                .path
                .copy
                .as_ref()
                .map(|copy| self.verdict(&copy.verdict)),
            result: ends(&branch.path),
            stopped: branch.path.stopped.as_deref(),
        }
    }

    fn endpoint(&self, endpoint: &Endpoint) -> ReportEndpoint<'a> {
        let (_, table, chain) = endpoint.place.at.find(self.rulesets);
        let &Endpoint {
            place,
            dst,
            dport,
            probability,
            ..
        } = endpoint;
        ReportEndpoint {
            table: table.label(),
            chain: &chain.name,
            rule: place.rule.map(|rule| rule + 1),
            dst,
            dport,
            probability,
        }
    }

    fn assumption(&self, assumption: &'a Assumption) -> ReportAssumption<'a> {
        let (_, table, chain) = assumption.place.at.find(self.rulesets);
        ReportAssumption {
            ruleset: assumption.place.at.ruleset,
            table: table.label(),
            chain: &chain.name,
            rule: assumption.place.rule.map(|rule| rule + 1),
            hook: assumption.hook,
            matches: assumption.matches,
            target: assumption.question == Question::Target,
            missing_rule: assumption.question == Question::MissingRule,
            translated: assumption.question == Question::Translated,
            bridged: assumption.question == Question::Bridged,
            because: &assumption.because,
        }
    }
}
