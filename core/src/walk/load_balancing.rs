//! The probabilities of the destinations that the chance rules of one chain choose from, such as
//! kube-proxy's rules of a service. No separate walk is needed for each destination.
//!
//! The chain is evaluated once, from the first undetermined rule. The action of each rule that
//! chance may let match is evaluated by itself, with the packet at this point. If the action is not
//! certainly a new destination, the rest is undetermined.

use crate::iptables::extension::lower;
use crate::netfilter::base::ChainType;
use crate::netfilter::condition::Answer;
use crate::netfilter::place::{ChainPlace, Place};
use crate::netfilter::statement::Statement;
use crate::packet::hook::Hook;
use crate::packet::view::View;

use super::Walker;
use super::chain::split;
use super::effects::EffectAction;
use super::trace::{ChanceDistribution, Endpoint, Outcome, Path};

impl<'a> Walker<'a> {
    /// The destinations that chance chooses from, if the walk has just reached a chance rule;
    /// `None` if fewer than two are determined.
    pub(super) fn distribution(&self) -> Option<ChanceDistribution> {
        let step = self
            .path
            .steps
            .last()
            .filter(|step| step.outcome == Outcome::Unknown)?;
        let here = step.place;
        let kind = self
            .path
            .base_chain(self.rulesets, step)
            .map(|base| base.kind);
        let settles_destination = matches!(self.view.hook, Hook::Prerouting | Hook::Output);
        // A second rule set may be evaluated first: no dump shows the order.
        if kind != Some(ChainType::Nat) || !settles_destination || self.schedule.layers.len() > 1 {
            return None;
        }
        let (_, _, chain) = here.at.find(self.rulesets);
        let mut spread = ChanceDistribution {
            endpoints: Vec::new(),
            elsewhere: 1.0,
        };
        for (number, rule) in (0..).zip(&chain.rules).skip(here.rule? as usize) {
            let place = Place {
                rule: Some(number),
                ..here
            };
            let statements = lower::statements(&self.rulesets[here.at.ruleset as usize], rule);
            let (conditions, actions) = split(&statements);
            let Some(chance) = self.likelihood(conditions, place) else {
                break;
            };
            if chance == 0.0 || actions.iter().all(Statement::is_passive) {
                continue;
            }
            let Some(mut endpoint) = self.endpoint(actions, place) else {
                break;
            };
            endpoint.probability = spread.elsewhere * chance;
            spread.elsewhere *= 1.0 - chance;
            spread.endpoints.push(endpoint);
            if chance == 1.0 {
                break;
            }
        }
        (spread.endpoints.len() > 1).then_some(spread)
    }

    /// The probability that the conditions of a rule hold; `None` if not only chance decides.
    fn likelihood(&self, conditions: &[Statement<'a>], place: Place) -> Option<f64> {
        let ruleset = place.at.ruleset;
        match self.answer(conditions, ruleset).0 {
            Answer::Yes => Some(1.0),
            Answer::No => Some(0.0),
            Answer::Drops { .. } => None,
            Answer::Unknown(_) if self.drops(conditions, ruleset) => None,
            Answer::Unknown(_) => {
                match self.settled.iter().find(|(settled, _)| *settled == place) {
                    Some((_, matches)) => Some(f64::from(u8::from(*matches))),
                    None => self.chance(conditions, ruleset),
                }
            }
        }
    }

    /// The destination that a matching rule sets, if it certainly sets one.
    fn endpoint(&self, actions: &[Statement<'a>], place: Place) -> Option<Endpoint> {
        let mut probe = Walker {
            view: self.view.clone(),
            path: Path {
                views: vec![self.view.clone()],
                ..Path::default()
            },
            settled: self.settled,
            ..Walker::new(
                self.rulesets,
                self.schedule,
                self.host,
                &self.packet,
                Vec::new(),
            )
        };
        let (action, by) = actions.iter().find_map(|statement| match statement {
            Statement::Jump { chain, .. } => probe
                .chain(ChainPlace {
                    chain: *chain,
                    ..place.at
                })
                .ok()
                .flatten(),
            Statement::Effect(effect) => {
                probe.act(effect, place).ok().map(|action| (action, place))
            }
            Statement::Condition(_) | Statement::Counter | Statement::MissingChain(_) => None,
        })?;
        let View {
            dst,
            dport,
            dport_span,
            ..
        } = probe.view;
        let is_told =
            probe.translated && !probe.doubtful && probe.assumes.is_empty() && dport_span.is_none();
        (is_told && matches!(action, EffectAction::Accept)).then_some(Endpoint {
            place,
            by,
            dst,
            dport,
            probability: 0.0,
        })
    }
}
