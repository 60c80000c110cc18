//! A walk as plain data: positions, not sentences.

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

use super::steps::Steps;

/// What became of a rule when the packet met it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It matched: the kernel's counter gains one.
    Match,
    /// A condition failed.
    NoMatch,
    /// A dump cannot tell.
    Unknown,
    /// The policy of a built-in chain was applied.
    Policy,
}

/// The packet met one rule or policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where on the packet's way.
    pub hook: Hook,
    /// Which rule.
    pub place: Place,
    /// What became of it.
    pub outcome: Outcome,
    /// The condition that failed or cannot be told, as its place among the rule's matches.
    pub condition: Option<u16>,
    /// The packet as the rule saw it: a place in [`Path::views`].
    pub view: u32,
    /// The packet behind the rule; differs from `view` where its target changed something.
    pub after: u32,
    /// The step whose jump or goto led into this chain.
    pub caller: Option<u32>,
}

/// A routing decision on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteNote {
    /// How many steps came before it.
    pub step: u32,
    /// Why the packet was routed here.
    pub why: RouteReason,
    /// Where it goes now: an interface, or `None` for this host.
    pub interface: Option<String>,
}

/// Why a packet was routed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteReason {
    /// A process sends it.
    Sent,
    /// Table mangle changed its addresses or its mark in OUTPUT.
    Mangled,
    /// Table nat changed its destination in OUTPUT.
    Translated,
    /// It came back in by `lo`.
    Looped,
    /// The copy of a broadcast or multicast came back in by the interface that it was sent by.
    Copied,
    /// It arrived.
    Arrived,
}

/// How a packet ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum VerdictKind {
    /// To a socket here, or to the kernel itself.
    Delivered,
    /// Left by an interface.
    Sent,
    /// Passed on to another host.
    Forwarded,
    /// Gone without a word.
    Dropped,
    /// Gone, and the sender was told.
    Rejected,
    /// In the hands of a program.
    Queued,
    /// Never left: the sender got an error.
    Unroutable,
}

/// Who dropped a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DroppedBy {
    /// A rule: its `DROP`, or one of its matches (`hotdrop` in the kernel).
    Rule,
    /// A policy.
    Policy,
    /// Routing.
    Routing,
    /// A target that could not do its work.
    Target,
}

/// The end of a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How it ends.
    pub kind: VerdictKind,
    /// Delivered: the port of the socket that gets it.
    pub port: Option<u16>,
    /// Delivered: the address of that socket, as the packet names it.
    pub address: Option<IpAddr>,
    /// Sent or forwarded: the interface.
    pub interface: Option<String>,
    /// Dropped: by what.
    pub by: Option<DroppedBy>,
    /// Why routing ended it, or what the sender is told.
    pub reason: Option<String>,
    /// The rule or policy that decided.
    pub decided_by: Option<Place>,
    /// Whether a rule sent it to another socket or host than the sender meant.
    pub redirected: bool,
}

impl Verdict {
    /// Whether the packet meets the same fate: everything but who decided.
    pub fn same_end(&self, other: &Self) -> bool {
        let without = |verdict: &Self| Self {
            decided_by: None,
            ..verdict.clone()
        };
        without(self) == without(other)
    }
}

/// What became of the copy that this host itself gets of a broadcast or multicast that it sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// How the copy ends.
    pub verdict: Verdict,
    /// The copy as it ends: a place in [`Path::views`].
    pub view: u32,
}

/// One way a packet can go: all steps, and the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// Every rule and policy it met, in order.
    pub steps: Steps,
    /// The packet at its stations; steps refer to them.
    pub views: Vec<View>,
    /// Every routing decision.
    pub routes: Vec<RouteNote>,
    /// How it ends; `None` where it depends on what a dump cannot tell, or where the walk had to
    /// stop.
    pub verdict: Option<Verdict>,
    /// What became of the copy of a broadcast or multicast; its steps stand among the others.
    pub copy: Option<Copied>,
    /// Why the walk had to stop before an end.
    pub stopped: Option<String>,
    /// What no dump can tell of the target that the walk came to last.
    pub doubt: Option<String>,
    /// The missing part of the input that the walk came to last.
    pub missing: Option<String>,
}

impl Path {
    /// The packet as it ends.
    ///
    /// # Panics
    /// Never: a walk begins with a view.
    pub fn result(&self) -> &View {
        self.views.last().expect("a walk begins with a view")
    }

    /// The base chain from which the packet came to a step.
    pub(super) fn base_chain(&self, rulesets: &[Ruleset], step: Step) -> Option<BaseChain> {
        let mut first = step;
        while let Some(caller) = first.caller {
            first = self.steps.at(caller as usize);
        }
        first.place.at.find(rulesets).2.base
    }
}

/// What is undetermined at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether the rule matches.
    Matches,
    /// Whether what `because` asks of the rule's target is so; the rule matches for sure.
    Target,
    /// Whether a rule that the input does not show acts on the packet. The place names the chain.
    MissingRule,
    /// Whether the rule translated the packet's connection when it began.
    Translated,
    /// Whether the bridge that the packet arrives by passes it on to another port. The place names
    /// a rule that asks for ports.
    Bridged,
}

/// What one branch takes a rule's answer to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Assumption {
    /// The rule.
    pub place: Place,
    /// Where it was asked.
    pub hook: Hook,
    /// What is undetermined.
    pub question: Question,
    /// The assumed answer to it.
    pub matches: bool,
    /// Why nobody can tell.
    pub because: String,
    /// How likely it is, where chance alone decides (`-m statistic --mode random`).
    pub chance: Option<f64>,
}

/// One of the ways an uncertain walk can go.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// What it takes for granted, in the order of the walk.
    pub assumes: Vec<Assumption>,
    /// Which backend's rules run first, where both have some and it matters.
    pub first: Option<Backend>,
    /// The way.
    pub path: Path,
}

impl Branch {
    /// How likely it is, where chance alone decides all that it assumes.
    pub fn probability(&self) -> Option<f64> {
        let chances = self.assumes.iter().map(|assumption| assumption.chance);
        chances
            .reduce(|all, chance| Some(all? * chance?))
            .flatten()
            .filter(|_| self.first.is_none())
    }
}

/// Where chance sends a connection: the destinations that the chance rules of one chain choose
/// among.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// In the order of the rules; at least two.
    pub endpoints: Vec<Endpoint>,
    /// How likely it is that it goes to none of them, or that where it goes cannot be told; from 0
    /// to 1.
    pub elsewhere: f64,
}

/// A destination that chance may choose.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// The rule that chance lets match.
    pub place: Place,
    /// The rule that then writes the destination.
    pub by: Place,
    /// The new destination.
    pub dst: IpAddr,
    /// Its port, where the protocol has them.
    pub dport: Option<u16>,
    /// How likely it is, of all packets that come to the first of these rules; from 0 to 1.
    pub probability: f64,
}

/// A walk.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// The packet, with the source that routing chose filled in.
    pub packet: Packet,
    /// The namespace that it was walked in.
    pub host: Host,
    /// The rule sets that it was walked through.
    pub rulesets: Vec<u32>,
    /// The way; where it is uncertain, up to and including the first rule that cannot be told.
    pub path: Path,
    /// What is taken for granted, each in a sentence.
    pub assumes: Vec<String>,
    /// Whether the kernel's answer is this one, given `assumes` and the host.
    pub certain: bool,
    /// Where it is uncertain: the ways it can go, at most 64.
    pub branches: Vec<Branch>,
    /// How many more ways were begun and not followed.
    pub branches_left_out: usize,
    /// Where the first rule that cannot be told is one of chance, and chooses among destinations:
    /// all of them, however many.
    pub spread: Option<Spread>,
}

impl Trace {
    /// The verdict, where all branches agree on one.
    pub fn verdict(&self) -> Option<&Verdict> {
        let Some(first) = self.branches.first() else {
            return self.path.verdict.as_ref();
        };
        let first = first.path.verdict.as_ref()?;
        let agree = |branch: &Branch| {
            branch
                .path
                .verdict
                .as_ref()
                .is_some_and(|verdict| verdict.same_end(first))
        };
        (self.branches_left_out == 0 && self.branches.iter().all(agree)).then_some(first)
    }

    /// Whether chance alone decides which of the branches a packet goes.
    pub fn is_chance_alone(&self) -> bool {
        self.branches
            .iter()
            .all(|branch| branch.probability().is_some())
    }

    /// The way to show: the only one, or the first of several.
    pub fn shown(&self) -> &Path {
        self.branches
            .first()
            .map_or(&self.path, |branch| &branch.path)
    }
}
