//! The record of a walk as plain data: positions instead of sentences.

use std::net::IpAddr;

use serde::Serialize;

use crate::netfilter::backend::Backend;
use crate::netfilter::base::BaseChain;
use crate::netfilter::place::Place;
use crate::netfilter::ruleset::Ruleset;
use crate::packet::Packet;
use crate::packet::hook::Hook;
use crate::packet::host::Host;
use crate::packet::view::View;

use super::steps::StepRuns;

/// The result of a rule for the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It matched: the kernel's counter increases by one.
    Match,
    /// A condition failed.
    NoMatch,
    /// The input does not determine whether it matches.
    Unknown,
    /// The policy of a built-in chain was applied.
    Policy,
}

/// The evaluation of one rule or policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The hook.
    pub hook: Hook,
    /// The rule or policy.
    pub place: Place,
    /// The result.
    pub outcome: Outcome,
    /// The condition that failed or is undetermined, as its position among the rule's matches.
    pub condition: Option<u16>,
    /// The packet before the rule: a position in [`Path::views`].
    pub view: u32,
    /// The packet after the rule. It differs from `view` if the target changed the packet.
    pub after: u32,
    /// The step whose jump or goto led into this chain.
    pub caller: Option<u32>,
}

/// A routing decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteNote {
    /// The number of steps before it.
    pub step: u32,
    /// The reason for the decision.
    pub why: RouteReason,
    /// The chosen interface, or `None` for this host.
    pub interface: Option<String>,
}

/// The reason for a routing decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteReason {
    /// A process sends it.
    Sent,
    /// Table mangle changed its addresses or its mark in OUTPUT.
    Mangled,
    /// Table nat changed its destination in OUTPUT.
    Translated,
    /// It returned through `lo`.
    Looped,
    /// The copy of a broadcast or multicast arrived on the interface that it was sent through.
    Copied,
    /// It arrived.
    Arrived,
}

/// The kind of outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum VerdictKind {
    /// A local socket, or the kernel itself, receives the packet.
    Delivered,
    /// The packet leaves through an interface.
    Sent,
    /// The packet is forwarded to another host.
    Forwarded,
    /// The packet is silently dropped.
    Dropped,
    /// The packet is dropped, and the sender gets an error.
    Rejected,
    /// The packet is queued to a user-space program (NFQUEUE).
    Queued,
    /// The packet was never sent: the sender got an error.
    Unroutable,
}

/// The cause of a drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DroppedBy {
    /// A rule: its `DROP`, or one of its matches (`hotdrop` in the kernel).
    Rule,
    /// A policy.
    Policy,
    /// Routing.
    Routing,
    /// A target that could not perform its effect.
    Target,
}

/// The outcome of a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The kind of outcome.
    pub kind: VerdictKind,
    /// Delivered: the port of the receiving socket.
    pub port: Option<u16>,
    /// Delivered: the address of the receiving socket, as the packet names it.
    pub address: Option<IpAddr>,
    /// Sent or forwarded: the interface.
    pub interface: Option<String>,
    /// Dropped: the cause.
    pub by: Option<DroppedBy>,
    /// The reason of routing, or the error that the sender gets.
    pub reason: Option<String>,
    /// The decisive rule or policy.
    pub decided_by: Option<Place>,
    /// Whether a rule sent the packet to another socket or host than the sender intended.
    pub redirected: bool,
}

impl Verdict {
    /// Whether the outcome is the same, except for the decisive rule.
    pub fn same_end(&self, other: &Self) -> bool {
        let without = |verdict: &Self| Self {
            decided_by: None,
            ..verdict.clone()
        };
        without(self) == without(other)
    }
}

/// The outcome of the copy that this host itself gets of a broadcast or multicast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The outcome of the copy.
    pub verdict: Verdict,
    /// The final copy: a position in [`Path::views`].
    pub view: u32,
}

/// One path of a packet: all steps, and the outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// Every rule and policy that it met, in order.
    pub steps: StepRuns,
    /// The packet at each point of the path. The steps refer to these views.
    pub views: Vec<View>,
    /// Every routing decision.
    pub routes: Vec<RouteNote>,
    /// The outcome; `None` if it is undetermined, or if the walk had to stop.
    pub verdict: Option<Verdict>,
    /// The outcome of the copy of a broadcast or multicast. Its steps are among the others.
    pub copy: Option<Copied>,
    /// The reason why the walk had to stop before an outcome.
    pub stopped: Option<String>,
    /// The undetermined part of the last target.
    pub doubt: Option<String>,
    /// The missing part of the input that the walk reached last.
    pub missing: Option<String>,
}

impl Path {
    /// The final packet.
    ///
    /// # Panics
    /// Never: a walk begins with a view.
    pub fn result(&self) -> &View {
        self.views.last().expect("a walk begins with a view")
    }

    /// The base chain that led to a step.
    pub(super) fn base_chain(&self, rulesets: &[Ruleset], step: Step) -> Option<BaseChain> {
        let mut first = step;
        while let Some(caller) = first.caller {
            first = self.steps.at(caller as usize);
        }
        first.place.at.find(rulesets).2.base
    }
}

/// The kind of an undetermined fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether the rule matches.
    Matches,
    /// Whether the question of `because` about the rule's target has the answer yes. The rule
    /// itself certainly matches.
    Target,
    /// Whether a rule that the input does not show acts on the packet. The position names the
    /// chain.
    MissingRule,
    /// Whether the rule translated the packet's connection at its beginning.
    Translated,
    /// Whether the bridge forwards the packet to another port. The position names a rule that tests
    /// ports.
    Bridged,
}

/// The answer to a question that one branch assumes.
#[derive(Clone, Debug, PartialEq)]
pub struct Assumption {
    /// The rule.
    pub place: Place,
    /// The hook of the evaluation.
    pub hook: Hook,
    /// The undetermined fact.
    pub question: Question,
    /// The assumed answer.
    pub matches: bool,
    /// The reason why the input does not determine it.
    pub because: String,
    /// The probability of the answer, if only chance decides (`-m statistic --mode random`).
    pub chance: Option<f64>,
}

/// One way in which an uncertain walk can go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// Its assumptions, in the order of the walk.
    pub assumes: Vec<Assumption>,
    /// The backend whose rules run first, if both have rules and the order matters.
    pub first: Option<Backend>,
    /// The path.
    pub path: Path,
}

impl Branch {
    /// The probability of the branch, if only chance decides all its assumptions.
    pub fn probability(&self) -> Option<f64> {
        let chances = self.assumes.iter().map(|assumption| assumption.chance);
        chances
            .reduce(|all, chance| Some(all? * chance?))
            .flatten()
            .filter(|_| self.first.is_none())
    }
}

/// The destinations that the chance rules of one chain choose from, with their probabilities.
#[derive(Clone, Debug, PartialEq)]
pub struct ChanceDistribution {
    /// At least two destinations, in the order of the rules.
    pub endpoints: Vec<Endpoint>,
    /// The probability that the connection goes to none of them, or to an undetermined destination;
    /// from 0 to 1.
    pub elsewhere: f64,
}

/// A destination that chance may choose.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// The chance rule that matches.
    pub place: Place,
    /// The rule that sets the destination.
    pub by: Place,
    /// The new destination.
    pub dst: IpAddr,
    /// The new port, if the protocol has ports.
    pub dport: Option<u16>,
    /// The probability for a packet that reaches the first of these rules, from 0 to 1.
    pub probability: f64,
}

/// The record of a walk.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// The packet, including the source that routing chose.
    pub packet: Packet,
    /// The namespace of the walk.
    pub host: Host,
    /// The rule sets of the walk.
    pub rulesets: Vec<u32>,
    /// The path. If the walk is uncertain, it ends with the first undetermined rule.
    pub path: Path,
    /// The assumptions, each as a sentence.
    pub assumes: Vec<String>,
    /// Whether the kernel gives the same answer, given `assumes` and the host.
    pub certain: bool,
    /// If the walk is uncertain: the possible paths, at most 64.
    pub branches: Vec<Branch>,
    /// The number of further paths that were not followed.
    pub branches_left_out: usize,
    /// If the first undetermined rule is a chance rule that chooses a destination: all
    /// destinations, without a limit on their number.
    pub spread: Option<ChanceDistribution>,
}

impl Trace {
    /// The verdict, if all branches agree.
    pub fn verdict(&self) -> Option<&Verdict> {
        let Some(first) = self.branches.first() else {
            return self.path.verdict.as_ref();
        };
        let first = first.path.verdict.as_ref()?;
        (self.branches_left_out == 0
            && self.branches.iter().all(|branch: &Branch| {
                branch
                    .path
                    .verdict
                    .as_ref()
                    .is_some_and(|verdict| verdict.same_end(first))
            }))
        .then_some(first)
    }

    /// Whether only chance decides between the branches.
    pub fn is_chance_alone(&self) -> bool {
        self.branches
            .iter()
            .all(|branch| branch.probability().is_some())
    }

    /// The path to show: the only one, or the first of several.
    pub fn shown(&self) -> &Path {
        self.branches
            .first()
            .map_or(&self.path, |branch| &branch.path)
    }
}
