//! Finds the decisive rule: the one to name in a sentence about a verdict.
//!
//! For a dropped packet, it is the rule or policy that dropped it. For a packet with a new
//! destination, it is the rule that led to the rewrite. Otherwise it is the rule that let the
//! packet leave: the last `ACCEPT`, or the last `RETURN` that only the policy follows.

use crate::iptables::extension::lower;
use crate::netfilter::base::{BaseChain, ChainType};
use crate::netfilter::effect::{Behavior, Effect};
use crate::netfilter::place::Place;
use crate::netfilter::ruleset::{Chain, Ruleset, Target};
use crate::packet::hook::Hook;

use super::steps::Run;
use super::trace::{Outcome, Path, Step, Verdict, VerdictKind};

/// Completes a verdict: the decisive rule, and whether rules chose the destination instead of the
/// sender.
pub(super) fn settle(rulesets: &[Ruleset], path: &Path, verdict: Verdict) -> Verdict {
    let lives = matches!(
        verdict.kind,
        VerdictKind::Delivered | VerdictKind::Sent | VerdictKind::Forwarded
    );
    let redirected = lives && rewrite(rulesets, path).is_some();
    Verdict {
        decided_by: place(rulesets, path, &verdict),
        redirected,
        ..verdict
    }
}

/// The steps of the path, without those of the copy. A run of equal failures is represented by its
/// last step.
fn own_steps(path: &Path) -> impl DoubleEndedIterator<Item = Step> + Clone {
    path.steps
        .runs()
        .iter()
        .map(Run::last)
        .filter(|step| !path.views[step.view as usize].copied)
}

/// The decisive rule or policy, or `None` if none was evaluated.
fn place(rulesets: &[Ruleset], path: &Path, verdict: &Verdict) -> Option<Place> {
    let last =
        own_steps(path).rfind(|step| matches!(step.outcome, Outcome::Match | Outcome::Policy));
    match verdict.kind {
        VerdictKind::Dropped if verdict.by == Some(super::DroppedBy::Routing) => None,
        // The condition of a match that drops does not hold.
        VerdictKind::Dropped => own_steps(path).next_back().map(|step| step.place),
        VerdictKind::Rejected | VerdictKind::Queued => last.map(|step| step.place),
        VerdictKind::Unroutable => rewrite(rulesets, path),
        VerdictKind::Delivered | VerdictKind::Sent | VerdictKind::Forwarded => {
            rewrite(rulesets, path)
                .or_else(|| let_out(rulesets, path))
                .or_else(|| policy(rulesets, path))
        }
    }
}

fn effect(rulesets: &[Ruleset], place: Place) -> Option<Effect> {
    lower::effect(&rulesets[place.at.ruleset as usize], place.rule(rulesets)?)
}

/// The rule that set the destination, even to the same value.
fn rewrite(rulesets: &[Ruleset], path: &Path) -> Option<Place> {
    own_steps(path)
        .rfind(|step: &Step| {
            // In POSTROUTING and INPUT, NETMAP changes the source.
            matches!(step.hook, Hook::Prerouting | Hook::Output)
                && step.outcome == Outcome::Match
                && effect(rulesets, step.place)
                    .is_some_and(|effect| effect.behavior() == Behavior::Redirect)
        })
        .map(|step| lift(rulesets, path, step))
}

/// Replaces a rule by the rule that called its chain, if the chain is only a name for one action
/// (`ISTIO_REDIRECT`). Such a chain decides nothing.
fn lift(rulesets: &[Ruleset], path: &Path, step: Step) -> Place {
    let (ruleset, _, chain) = step.place.at.find(rulesets);
    match step.caller {
        Some(caller) if is_named_action(ruleset, chain) => {
            lift(rulesets, path, path.steps.at(caller as usize))
        }
        _ => step.place,
    }
}

/// Whether the chain has exactly one terminal rule and no rule that leads to another chain.
fn is_named_action(ruleset: &Ruleset, chain: &Chain) -> bool {
    let leads = |target: Target| !matches!(target, Target::None | Target::Extension(_));
    let mut ends = 0;
    chain.hook().is_none()
        && chain.rules.iter().all(|rule| {
            let behavior = lower::behavior(ruleset, rule);
            ends += u32::from(matches!(
                behavior,
                Some(Behavior::Terminal | Behavior::Redirect)
            ));
            ends < 2 && !leads(rule.target) && behavior != Some(Behavior::Return)
        })
        && ends == 1
}

/// The rule that let the packet continue unchanged. A rule of a nat chain is preferred, because nat
/// is where the packet would have been redirected.
fn let_out(rulesets: &[Ruleset], path: &Path) -> Option<Place> {
    let runs = path.steps.runs();
    let mut base = None;
    let base_chains = runs.iter().map(|run| {
        if run.first.caller.is_none() {
            base = run.first.place.at.find(rulesets).2.base;
        }
        base
    });
    let base_chains: Vec<Option<BaseChain>> = base_chains.collect();
    let found: Vec<(usize, &Run)> = runs
        .iter()
        .enumerate()
        .filter(|(at, run): &(usize, &Run)| {
            let step = run.first;
            if step.outcome != Outcome::Match || path.views[step.view as usize].copied {
                return false;
            }
            match effect(rulesets, step.place) {
                Some(Effect::Accept) => true,
                Some(Effect::Return) => {
                    let station = base_chains[*at].map(BaseChain::station);
                    let rest = runs.iter().zip(&base_chains).skip(at + 1);
                    let mut same =
                        rest.take_while(|(_, base)| base.map(BaseChain::station) == station);
                    same.all(|(next, _)| next.first.outcome != Outcome::Match)
                }
                _ => false,
            }
        })
        .collect();
    let is_nat = |base: Option<BaseChain>| base.is_some_and(|base| base.kind == ChainType::Nat);
    let in_nat = found.iter().rfind(|(at, _)| is_nat(base_chains[*at]));
    in_nat.or(found.last()).map(|(_, run)| run.first.place)
}

/// The policy to name if no rule decided: that of a nat chain at the packet's first hook, otherwise
/// the last one.
fn policy(rulesets: &[Ruleset], path: &Path) -> Option<Place> {
    let mut policies = own_steps(path).filter(|step| step.outcome == Outcome::Policy);
    let in_nat = policies.clone().find(|step: &Step| {
        let (_, _, chain) = step.place.at.find(rulesets);
        chain.base.is_some_and(|base| base.kind == ChainType::Nat)
    });
    in_nat
        .or_else(|| policies.next_back())
        .map(|step| step.place)
}
