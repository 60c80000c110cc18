//! The evaluation of one table at one hook: rule by rule, without recursion.

use crate::iptables::extension::lower;
use crate::iptables::print;
use crate::netfilter::backend::Backend;
use crate::netfilter::base::ChainType;
use crate::netfilter::condition::{Answer, Parameters};
use crate::netfilter::effect::Effect;
use crate::netfilter::gap::{Gap, GapReason};
use crate::netfilter::place::{ChainPlace, Place};
use crate::netfilter::ruleset::{Chain, Policy, Rule, Ruleset, Table};
use crate::netfilter::statement::{Condition, Statement, Surroundings};
use crate::packet::hook::Hook;
use crate::text::shell;

use super::effects::{EffectAction, EffectContext};
use super::trace::{Assumption, Outcome, Question, Step};
use super::{MAX_STEPS, Stop, Walker};

/// A chain whose evaluation has begun.
struct ChainFrame {
    chain: u32,
    next: u32,
    /// The number of gaps of the chain before the current rule.
    gaps: usize,
    /// Whether the packet returns to this chain. It does not if a goto left the chain.
    resumes: bool,
    caller: Option<u32>,
}

/// The result of a rule.
enum RuleEnd {
    /// The next rule follows.
    Next,
    /// The chain ends.
    Return,
    /// Another chain is next.
    Enter {
        chain: u32,
        /// Whether the packet returns to this chain.
        returns: bool,
    },
    /// The base chain ends with a verdict.
    Verdict(EffectAction),
}

/// The result of the conditions of a rule.
enum Tested {
    Matched,
    Failed,
    /// A condition dropped the packet.
    Dropped,
    /// Undetermined, but without consequences: the rule only counts or logs.
    Passed,
}

impl<'a> Walker<'a> {
    /// Evaluates a base chain. Returns the verdict of a rule or of the policy.
    pub(super) fn base_chain(&mut self, at: ChainPlace) -> Result<(EffectAction, Place), Stop> {
        let (_, _, chain) = at.find(self.rulesets);
        if let Some(ended) = self.chain(at)? {
            return Ok(ended);
        }
        let here = Place { at, rule: None };
        self.push(here, Outcome::Policy, None, None);
        let action = match chain.policy() {
            Policy::Accept => EffectAction::Accept,
            Policy::Drop => EffectAction::Drop,
        };
        Ok((action, here))
    }

    /// Evaluates a chain and the chains that it calls. Returns the verdict of a rule, or `None` if
    /// the packet reaches the end of the chain or returns from it.
    pub(super) fn chain(
        &mut self,
        first: ChainPlace,
    ) -> Result<Option<(EffectAction, Place)>, Stop> {
        let (_, table, own) = first.find(self.rulesets);
        let kind = own.base.map(|base| base.kind);
        let place = |chain| ChainPlace { chain, ..first };
        let mut open = vec![false; table.chains.len()];
        open[first.chain as usize] = true;
        let mut frames = vec![ChainFrame {
            chain: first.chain,
            next: 0,
            gaps: 0,
            resumes: true,
            caller: None,
        }];
        while let Some(frame) = frames.last_mut() {
            let chain = &table.chains[frame.chain as usize];
            let length = chain.rules.len();
            let is_at_end = frame.next as usize >= length;
            while let Some(gap) = chain
                .gaps
                .get(frame.gaps)
                .filter(|gap| gap.before <= frame.next || is_at_end)
            {
                frame.gaps += 1;
                self.pass_gap(gap, chain, place(frame.chain), kind)?;
            }
            let to_next_gap = chain
                .gaps
                .get(frame.gaps)
                .map_or(length, |gap| length.min(gap.before as usize));
            self.skim(&chain.rules[..to_next_gap], place(frame.chain), frame);
            if frame.next as usize == to_next_gap && frame.gaps < chain.gaps.len() {
                continue;
            }
            let Some(rule) = chain.rules.get(frame.next as usize) else {
                leave(&mut frames, &mut open);
                continue;
            };
            let here = Place {
                at: place(frame.chain),
                rule: Some(frame.next),
            };
            let caller = frame.caller;
            frame.next += 1;
            let (next, resumes) = match self.rule(rule, here, caller)? {
                RuleEnd::Next => continue,
                RuleEnd::Return => {
                    // A packet that returns from a base chain meets its policy, also an unknown one.
                    let policy_gap = chain.gaps[frame.gaps..].last().filter(|gap| {
                        let is_at_end = gap.before as usize >= length;
                        let is_open = gap.possible.is_empty();
                        is_at_end && is_open && gap.reason == GapReason::Conditional
                    });
                    if let Some(gap) = policy_gap.filter(|_| chain.base.is_some()) {
                        self.pass_gap(gap, chain, place(frame.chain), kind)?;
                    }
                    leave(&mut frames, &mut open);
                    continue;
                }
                RuleEnd::Verdict(action) => return Ok(Some((action, here))),
                RuleEnd::Enter { chain, returns } => (chain, returns),
            };
            if open[next as usize] {
                let (from, to) = (&chain.name, &table.chains[next as usize].name);
                return Err(Stop::Broken(format!(
                    "chain {from} leads back into {to}: the kernel refuses such a loop"
                )));
            }
            let step = u32::try_from(self.path.steps.len() - 1)
                .expect("steps are fewer than rules times hooks");
            open[next as usize] = true;
            frames
                .last_mut()
                .expect("the chain that jumps is open")
                .resumes = resumes;
            frames.push(ChainFrame {
                chain: next,
                next: 0,
                gaps: 0,
                resumes: true,
                caller: Some(step),
            });
        }
        Ok(None)
    }

    /// Evaluates a gap in a chain. `kind` is the type of the base chain that led to it. If a
    /// missing rule acts on the packet, the rest of the path is unknown.
    fn pass_gap(
        &mut self,
        gap: &'a Gap,
        chain: &Chain,
        at: ChainPlace,
        kind: Option<ChainType>,
    ) -> Result<(), Stop> {
        let ruleset = &self.rulesets[at.ruleset as usize];
        let (_, table, _) = at.find(self.rulesets);
        let acting = gap
            .possible
            .iter()
            .find(|rule| self.may_act(rule, at.ruleset));
        if acting.is_none() && !gap.possible.is_empty() {
            return Ok(());
        }
        let line = acting.map(|rule| rule.line).or(gap.line);
        let described = Gap::new(gap.before, gap.reason, line).describe(&chain.name);
        let because = match command_that_shows(gap.reason, ruleset, table, &chain.name) {
            Some(command) => format!("{described} (`{command}` shows it)"),
            None => described,
        };
        // At these hooks nat changes only the source, and the destination is already settled.
        let changes_source_only = kind == Some(ChainType::Nat)
            && matches!(self.view.hook, Hook::Input | Hook::Postrouting);
        if changes_source_only || gap.reason.is_assumed_empty() {
            self.assume(format!(
                "{because}: evaluated as empty, in table {}",
                table.label()
            ));
            return Ok(());
        }
        let Some(&shown_rules_decide) = self.script.get(self.assumed.len()) else {
            self.path.missing = Some(because);
            return Err(Stop::Fork);
        };
        let place = Place { at, rule: None };
        let hook = self.view.hook;
        self.assumed.push(Assumption {
            place,
            hook,
            question: Question::MissingRule,
            matches: !shown_rules_decide,
            because: because.clone(),
            chance: None,
        });
        if shown_rules_decide {
            Ok(())
        } else {
            Err(Stop::Broken(because))
        }
    }

    /// Whether a rule that the kernel may hold can change the path of the packet.
    fn may_act(&mut self, rule: &'a Rule, ruleset: u32) -> bool {
        let statements = lower::statements(&self.rulesets[ruleset as usize], rule);
        let (conditions, actions) = split(&statements);
        if self.answer(conditions, ruleset).0 == Answer::No {
            return false;
        }
        let is_passive =
            actions.iter().all(Statement::is_passive) && !self.drops(conditions, ruleset);
        // It is unknown whether the rule counts the packet.
        self.doubtful |= is_passive;
        !is_passive
    }

    /// Evaluates the statements of a rule until one breaks it or ends the chain, and records the
    /// step.
    fn rule(&mut self, rule: &'a Rule, place: Place, caller: Option<u32>) -> Result<RuleEnd, Stop> {
        if self.path.steps.len() >= MAX_STEPS {
            return Err(Stop::Broken(format!(
                "the walk takes more than {MAX_STEPS} steps"
            )));
        }
        let statements = lower::statements(&self.rulesets[place.at.ruleset as usize], rule);
        let (conditions, actions) = split(&statements);
        match self.test(conditions, actions, place, caller)? {
            Tested::Matched => {}
            Tested::Failed | Tested::Passed => return Ok(RuleEnd::Next),
            Tested::Dropped => return Ok(RuleEnd::Verdict(EffectAction::Drop)),
        }
        for statement in actions {
            match statement {
                // The recorded step counts the packet, and the conditions were evaluated before.
                Statement::Counter | Statement::Condition(_) => {}
                Statement::Effect(effect) => match self.act(effect, place)? {
                    EffectAction::Continue => {}
                    EffectAction::Return => return Ok(RuleEnd::Return),
                    EffectAction::Unknown(reason) => return Err(Stop::Broken(reason)),
                    action => return Ok(RuleEnd::Verdict(action)),
                },
                Statement::Jump { chain, returns } => {
                    return Ok(RuleEnd::Enter {
                        chain: *chain,
                        returns: *returns,
                    });
                }
                Statement::MissingChain(name) => {
                    return Err(Stop::Broken(format!(
                        "the rule jumps to {name}, a chain that the text does not define"
                    )));
                }
            }
        }
        Ok(RuleEnd::Next)
    }

    /// Records the rules that the prefilter rejects. It is a separate function, because it runs a
    /// quarter faster than inside its large caller.
    #[inline(never)]
    fn skim(&mut self, rules: &'a [Rule], at: ChainPlace, frame: &mut ChainFrame) {
        let set = &self.rulesets[at.ruleset as usize];
        let Self {
            glance,
            packet,
            view,
            host,
            path,
            current,
            ..
        } = self;
        let context = Surroundings {
            packet,
            view,
            host,
            ruleset: set,
        }
        .context(Parameters::None);
        glance.turn_to(at.ruleset, *current);
        let met = frame.next as usize;
        let ahead = rules.get(met..).unwrap_or_default();
        let ahead = &ahead[..ahead.len().min(MAX_STEPS.saturating_sub(path.steps.len()))];
        let (hook, outcome, view) = (view.hook, Outcome::NoMatch, *current);
        let place = |rule| Place {
            at,
            rule: Some(rule),
        };
        let caller = frame.caller;
        // The first of the rules that failed by the same condition and are not recorded yet, and
        // their number.
        let mut first = Step {
            hook,
            place: place(frame.next),
            outcome,
            condition: None,
            view,
            after: view,
            caller,
        };
        let mut alike = 0;
        let mut rest = ahead;
        while let Some((rule, behind)) = rest.split_first() {
            let fails = glance.fails(set.matches(rule), &context);
            if fails != first.condition {
                path.steps.push_run(first, alike);
                frame.next += alike;
                first = Step {
                    place: place(frame.next),
                    condition: fails,
                    ..first
                };
                alike = 0;
            }
            if fails.is_none() {
                break;
            }
            alike += 1;
            rest = behind;
            // If several rules in a row compare an address, more of them may follow.
            if alike % 8 == 0 && fails == Some(0) {
                let (others, behind) = rest.split_at(glance.strangers(rest, &set.parts, rule));
                alike += u32::try_from(others.len()).expect("rules are fewer than steps");
                rest = behind;
            }
        }
        path.steps.push_run(first, alike);
        frame.next += alike;
        debug_assert!(
            self.would_fail(&rules[met..frame.next as usize], at),
            "the prefilter agrees with the whole rule"
        );
    }

    /// Whether the full evaluation of the last recorded rules gives the recorded results.
    fn would_fail(&self, rules: &'a [Rule], at: ChainPlace) -> bool {
        let mut asked = rules
            .iter()
            .rev()
            .map(|rule| self.answer_of(rule, at.ruleset));
        let mut steps = self.path.steps.iter().rev();
        asked.all(|answer| Some(answer) == steps.next().map(|step| (Answer::No, step.condition)))
    }

    /// Tests the conditions of a rule, and records the step.
    fn test(
        &mut self,
        conditions: &[Statement<'a>],
        actions: &[Statement<'a>],
        place: Place,
        caller: Option<u32>,
    ) -> Result<Tested, Stop> {
        let ruleset = place.at.ruleset;
        let (answer, condition) = self.answer(conditions, ruleset);
        let because = match answer {
            Answer::Yes => {
                self.push(place, Outcome::Match, None, caller);
                return Ok(Tested::Matched);
            }
            Answer::No => {
                self.push(place, Outcome::NoMatch, condition, caller);
                return Ok(Tested::Failed);
            }
            Answer::Drops { negated } => {
                let outcome = if negated {
                    Outcome::Match
                } else {
                    Outcome::NoMatch
                };
                self.push(place, outcome, condition, caller);
                return Ok(Tested::Dropped);
            }
            Answer::Unknown(because) => because,
        };
        let drops = self.drops(conditions, ruleset);
        let ending = |matches: bool| match (matches, drops) {
            (true, false) => (Outcome::Match, Tested::Matched),
            (true, true) => (Outcome::NoMatch, Tested::Dropped),
            (false, _) => (Outcome::NoMatch, Tested::Failed),
        };
        if let Some((_, matches)) = self.settled.iter().find(|(settled, _)| *settled == place) {
            self.assume_answer(place, *matches);
            let (outcome, tested) = ending(*matches);
            self.push(place, outcome, condition, caller);
            return Ok(tested);
        }
        if actions.iter().all(Statement::is_passive) && !drops {
            self.doubtful |= !self.rehearses;
            self.push(place, Outcome::Unknown, condition, caller);
            return Ok(Tested::Passed);
        }
        let Some(&matches) = self.script.get(self.assumed.len()) else {
            self.push(place, Outcome::Unknown, condition, caller);
            return Err(Stop::Fork);
        };
        let chance = self
            .chance(conditions, ruleset)
            .map(|chance| if matches { chance } else { 1.0 - chance });
        let (hook, because) = (self.view.hook, because.into_owned());
        self.assumed.push(Assumption {
            place,
            hook,
            question: Question::Matches,
            matches,
            because,
            chance,
        });
        let (outcome, tested) = ending(matches);
        self.push(place, outcome, condition, caller);
        Ok(tested)
    }

    /// Whether a rule matches, from its conditions.
    pub(super) fn answer_of(&self, rule: &'a Rule, ruleset: u32) -> (Answer, Option<u16>) {
        let statements = lower::statements(&self.rulesets[ruleset as usize], rule);
        self.answer(split(&statements).0, ruleset)
    }

    /// Evaluates the conditions. All must hold. A condition that certainly fails decides, even if
    /// others are undetermined. After a condition that drops, nftables evaluates nothing
    /// (`__nft_match_eval`), but legacy continues to the end of the rule (`ipt_do_table`).
    pub(super) fn answer(
        &self,
        conditions: &[Statement<'a>],
        ruleset: u32,
    ) -> (Answer, Option<u16>) {
        let around = self.surroundings(ruleset);
        let mut unknown = None;
        let mut dropped = false;
        for condition in only_conditions(conditions) {
            let clause = condition.clause;
            match condition.evaluate(around) {
                Answer::Yes => {}
                Answer::No if dropped => return (Answer::Drops { negated: false }, Some(clause)),
                Answer::No => return (Answer::No, Some(clause)),
                // After an undetermined condition, the kernel may not evaluate it.
                Answer::Drops { .. } if unknown.is_some() => {}
                Answer::Drops { negated }
                    if negated && around.ruleset.backend != Some(Backend::Nft) =>
                {
                    dropped = true
                }
                Answer::Drops { .. } => return (Answer::Drops { negated: false }, Some(clause)),
                Answer::Unknown(reason) => {
                    unknown.get_or_insert((reason, clause));
                }
            }
        }
        match unknown {
            _ if dropped => (Answer::Drops { negated: true }, None),
            Some((reason, clause)) => (Answer::Unknown(reason), Some(clause)),
            None => (Answer::Yes, None),
        }
    }

    fn surroundings(&self, ruleset: u32) -> Surroundings<'_> {
        let ruleset = &self.rulesets[ruleset as usize];
        Surroundings {
            packet: &self.packet,
            view: &self.view,
            host: self.host,
            ruleset,
        }
    }

    /// Whether one of the conditions would drop the packet.
    pub(super) fn drops(&self, conditions: &[Statement<'a>], ruleset: u32) -> bool {
        let around = self.surroundings(ruleset);
        only_conditions(conditions)
            .any(|condition| matches!(condition.evaluate(around), Answer::Drops { .. }))
    }

    /// Performs an effect. Undetermined parts take their answer from the script.
    pub(super) fn act(&mut self, effect: &Effect, place: Place) -> Result<EffectAction, Stop> {
        let (because, yes, no) = match self.perform(effect) {
            EffectAction::Depends { because, yes, no } => (because, yes, no),
            action => return Ok(action),
        };
        let Some(&holds) = self.script.get(self.assumed.len()) else {
            self.path.doubt = Some(because);
            return Err(Stop::Fork);
        };
        let hook = self.view.hook;
        let question = Question::Target;
        self.assumed.push(Assumption {
            place,
            hook,
            question,
            matches: holds,
            because,
            chance: None,
        });
        Ok(if holds { *yes } else { *no })
    }

    /// The probability that undetermined conditions hold, if only chance decides.
    pub(super) fn chance(&self, conditions: &[Statement<'a>], ruleset: u32) -> Option<f64> {
        let around = self.surroundings(ruleset);
        let undetermined = only_conditions(conditions)
            .filter(|one| matches!(one.evaluate(around), Answer::Unknown(_)));
        undetermined
            .map(|condition| condition.chance)
            .try_fold(1.0, |all, chance| Some(all * chance?))
    }

    /// Lists an answer that the caller gave for a rule.
    fn assume_answer(&mut self, place: Place, matches: bool) {
        let (_, table, chain) = place.at.find(self.rulesets);
        let matches = if matches { "matches" } else { "does not match" };
        let number = place.rule.map_or(0, |rule| rule + 1);
        self.assume(format!(
            "rule {number} of {} (table {}) {matches}: you settled it",
            chain.name,
            table.label()
        ));
    }

    fn perform(&mut self, effect: &Effect) -> EffectAction {
        let mut view = self.view.clone();
        let mut context = EffectContext {
            view: &mut view,
            packet: &self.packet,
            host: self.host,
            assumes: &mut self.assumes,
            translates: false,
            doubtful: false,
        };
        let action = context.perform(effect.clone());
        self.translated |= context.translates;
        self.doubtful |= context.doubtful;
        if view != self.view {
            self.show(view);
            self.path.steps.changed_to(self.current);
        }
        action
    }

    fn push(
        &mut self,
        place: Place,
        outcome: Outcome,
        condition: Option<u16>,
        caller: Option<u32>,
    ) {
        let (hook, view) = (self.view.hook, self.current);
        self.path.steps.push(Step {
            hook,
            place,
            outcome,
            condition,
            view,
            after: view,
            caller,
        });
    }
}

/// The command that prints the missing part.
fn command_that_shows(
    reason: GapReason,
    ruleset: &Ruleset,
    table: &Table,
    chain: &str,
) -> Option<String> {
    match reason {
        GapReason::Conditional => None,
        GapReason::Incompatible => Some("nft list ruleset".to_owned()),
        _ => Some(format!(
            "{} -t {} -S {}",
            print::program(ruleset),
            table.iptables()?,
            shell::quote(chain)
        )),
    }
}

/// Splits the statements of a rule after its leading conditions.
pub(super) fn split<'s, 'r>(
    statements: &'s [Statement<'r>],
) -> (&'s [Statement<'r>], &'s [Statement<'r>]) {
    let first = statements
        .iter()
        .position(|statement| !matches!(statement, Statement::Condition(_)));
    statements.split_at(first.unwrap_or(statements.len()))
}

fn only_conditions<'s, 'r>(
    conditions: &'s [Statement<'r>],
) -> impl Iterator<Item = &'s Condition<'r>> {
    conditions.iter().filter_map(|statement| match statement {
        Statement::Condition(condition) => Some(condition),
        _ => None,
    })
}

/// Returns to the calling chain. Chains that a goto left are skipped.
fn leave(frames: &mut Vec<ChainFrame>, open: &mut [bool]) {
    while let Some(frame) = frames.pop() {
        open[frame.chain as usize] = false;
        if frames.last().is_none_or(|caller| caller.resumes) {
            return;
        }
    }
}
