//! Where chance sends a connection: what the chance rules of one chain come to (kube-proxy's, of a service), without a walk for
//! each end.
//!
//! The chain is gone through once, from the first rule that cannot be told. What a rule that chance may let match leads to
//! is looked at by itself, from the packet as it stands there; where that is no new destination for sure, the rest stays untold.

use crate::condition::Answer;
use crate::extension::Behaviour;
use crate::ruleset::{Hook, Rule, Table, TableName, Target};
use crate::view::View;

use super::Walker;
use super::effects::Action;
use super::trace::{Endpoint, Outcome, Path, Place, Spread};

impl Walker<'_> {
    /// The destinations that chance chooses among, where the walk has just come to a rule of chance; nothing where those that
    /// can be told are fewer than two.
    pub(super) fn spread(&self) -> Option<Spread> {
        let here = self.path.steps.last().filter(|step| step.outcome == Outcome::Unknown)?.place;
        let settles_destination = matches!(self.view.hook, Hook::Prerouting | Hook::Output);
        // A second rule set may be asked before it: no dump says.
        if here.at.table != TableName::Nat || !settles_destination || self.schedule.layers.len() > 1 {
            return None;
        }
        let (_, table, chain) = here.at.find(self.rulesets);
        let mut spread = Spread { endpoints: Vec::new(), elsewhere: 1.0 };
        for (number, rule) in (0..).zip(&chain.rules).skip(here.rule? as usize) {
            let place = Place { rule: Some(number), ..here };
            let Some(chance) = self.likelihood(rule, place) else { break };
            if chance == 0.0 || observes(rule) {
                continue;
            }
            let Some(mut endpoint) = self.endpoint(table, rule, place) else { break };
            endpoint.probability = spread.elsewhere * chance;
            spread.elsewhere *= 1.0 - chance;
            spread.endpoints.push(endpoint);
            if chance == 1.0 {
                break;
            }
        }
        (spread.endpoints.len() > 1).then_some(spread)
    }

    /// How likely a rule matches a packet that has come to it; nothing where that is no matter of chance alone.
    fn likelihood(&self, rule: &Rule, place: Place) -> Option<f64> {
        match self.answer(rule, place.at.ruleset).0 {
            Answer::Yes => Some(1.0),
            Answer::No => Some(0.0),
            Answer::Drops { .. } => None,
            Answer::Unknown(_) if self.drops(rule, place.at.ruleset) => None,
            Answer::Unknown(_) => match self.settled.iter().find(|(settled, _)| *settled == place) {
                Some((_, matches)) => Some(f64::from(u8::from(*matches))),
                None => self.chance(rule, place.at.ruleset),
            },
        }
    }

    /// Where a rule sends the packet once it matches, if that is a new destination for sure.
    fn endpoint(&self, table: &Table, rule: &Rule, place: Place) -> Option<Endpoint> {
        let mut probe = Walker {
            view: self.view.clone(),
            path: Path { views: vec![self.view.clone()], ..Path::default() },
            settled: self.settled,
            ..Walker::new(self.rulesets, self.schedule, self.host, &self.packet, Vec::new())
        };
        let ruleset = place.at.ruleset;
        let (action, by) = match rule.target {
            Target::Jump(chain) | Target::Goto(chain) => probe.chain(ruleset, table, chain).ok()??,
            Target::Extension(id) => (probe.act(ruleset, id, rule, place).ok()?, place),
            Target::None | Target::Missing { .. } => return None,
        };
        let View { dst, dport, dport_span, .. } = probe.view;
        let is_told = probe.translated && !probe.doubtful && probe.assumes.is_empty() && dport_span.is_none();
        (is_told && matches!(action, Action::Accept)).then_some(Endpoint { place, by, dst, dport, probability: 0.0 })
    }
}

/// Whether a packet goes on behind a rule as if it had not matched.
fn observes(rule: &Rule) -> bool {
    match rule.target {
        Target::None => true,
        Target::Extension(id) => id.get().behaviour == Behaviour::Observes,
        _ => false,
    }
}
