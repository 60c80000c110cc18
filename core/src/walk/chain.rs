//! One table at one hook: rule by rule, without recursion.

use crate::capture::Backend;
use crate::condition::{Answer, Context, test};
use crate::extension::{Behaviour, Id, Options};
use crate::ruleset::{Policy, Rule, Table, Target};

use super::effects::{Action, EffectContext};
use super::quirk::{self, BothPorts};
use super::trace::{Assumption, ChainPlace, Outcome, Place, Step};
use super::{MOST_STEPS, Stop, Walker};

/// A chain that is being walked.
struct Frame {
    chain: u32,
    next: u32,
    /// Whether the packet comes back to it: not if it was left by goto.
    resumes: bool,
    caller: Option<u32>,
}

/// How a rule's question ended.
enum Asked {
    Matched,
    Failed,
    /// It failed, and its match dropped the packet.
    Dropped,
    /// It cannot be told, and does not matter: the rule only counts or logs.
    Passed,
}

impl Walker<'_> {
    /// Evaluates a base chain. Returns the verdict of a rule or of the policy.
    pub(super) fn base_chain(&mut self, at: ChainPlace) -> Result<(Action, Place), Stop> {
        let (_, table, chain) = at.find(self.rulesets);
        if let Some(ended) = self.chain(at.ruleset, table, at.chain)? {
            return Ok(ended);
        }
        let here = Place { at, rule: None };
        self.push(here, Outcome::Policy, None, None);
        let action = match chain.policy() {
            Policy::Accept => Action::Accept,
            Policy::Drop => Action::Drop,
        };
        Ok((action, here))
    }

    /// Walks a chain and those that it calls. What comes back is a rule's verdict, or nothing where the packet comes to the end
    /// of the chain, or returns from it.
    pub(super) fn chain(&mut self, ruleset: u32, table: &Table, first: u32) -> Result<Option<(Action, Place)>, Stop> {
        let place = |chain| ChainPlace { ruleset, table: table.name, chain };
        let mut open = vec![false; table.chains.len()];
        open[first as usize] = true;
        let mut frames = vec![Frame { chain: first, next: 0, resumes: true, caller: None }];
        while let Some(frame) = frames.last_mut() {
            let chain = &table.chains[frame.chain as usize];
            self.skim(&chain.rules, place(frame.chain), frame);
            let Some(rule) = chain.rules.get(frame.next as usize) else {
                leave(&mut frames, &mut open);
                continue;
            };
            let here = Place { at: place(frame.chain), rule: Some(frame.next) };
            let caller = frame.caller;
            frame.next += 1;
            match self.ask(rule, here, caller)? {
                Asked::Matched => {}
                Asked::Failed | Asked::Passed => continue,
                Asked::Dropped => return Ok(Some((Action::Drop, here))),
            }
            let step = u32::try_from(self.path.steps.len() - 1).expect("steps are fewer than rules times hooks");
            let (next, resumes) = match rule.target {
                Target::None => continue,
                Target::Jump(chain) => (chain, true),
                Target::Goto(chain) => (chain, false),
                Target::Missing { name, .. } => {
                    let name = self.rulesets[ruleset as usize].missing(name);
                    return Err(Stop::Broken(format!(
                        "the rule jumps to {name}, a chain that the text does not define"
                    )));
                }
                Target::Extension(id) => match self.act(ruleset, id, rule, here)? {
                    Action::Continue => continue,
                    Action::Return => {
                        leave(&mut frames, &mut open);
                        continue;
                    }
                    Action::Unknown(reason) => return Err(Stop::Broken(reason)),
                    ended => return Ok(Some((ended, here))),
                },
            };
            if open[next as usize] {
                let (from, to) = (&chain.name, &table.chains[next as usize].name);
                return Err(Stop::Broken(format!("chain {from} leads back into {to}: the kernel refuses such a loop")));
            }
            open[next as usize] = true;
            frames.last_mut().expect("the chain that jumps is open").resumes = resumes;
            frames.push(Frame { chain: next, next: 0, resumes: true, caller: Some(step) });
        }
        Ok(None)
    }

    /// Passes the rules that fail at a glance, and records them. By itself, since that is a quarter faster than within its
    /// large caller.
    #[inline(never)]
    fn skim(&mut self, rules: &[Rule], at: ChainPlace, frame: &mut Frame) {
        let set = &self.rulesets[at.ruleset as usize];
        let Self { glance, packet, view, host, path, current, .. } = self;
        let context = Context { packet, view, host, ruleset: set, group: &[] };
        glance.turn_to(at.ruleset, *current);
        let met = frame.next as usize;
        let ahead = rules.get(met..).unwrap_or_default();
        let ahead = &ahead[..ahead.len().min(MOST_STEPS.saturating_sub(path.steps.len()))];
        let (hook, outcome, view) = (view.hook, Outcome::NoMatch, *current);
        let place = |rule| Place { at, rule: Some(rule) };
        let caller = frame.caller;
        // The first of those that failed alike and are not recorded yet, and how many they are.
        let mut first = Step { hook, place: place(frame.next), outcome, condition: None, view, after: view, caller };
        let mut alike = 0;
        let mut rest = ahead;
        while let Some((rule, behind)) = rest.split_first() {
            let fails = glance.fails(set.matches(rule), &context);
            if fails != first.condition {
                path.steps.push_run(first, alike);
                frame.next += alike;
                first = Step { place: place(frame.next), condition: fails, ..first };
                alike = 0;
            }
            if fails.is_none() {
                break;
            }
            alike += 1;
            rest = behind;
            // Where several ask for an address, more may.
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
            "a glance tells what the whole rule would"
        );
    }

    /// Whether these rules, the last that were recorded, answer in full as they were recorded.
    fn would_fail(&self, rules: &[Rule], at: ChainPlace) -> bool {
        let mut asked = rules.iter().rev().map(|rule| self.answer(rule, at.ruleset));
        let mut steps = self.path.steps.iter().rev();
        asked.all(|answer| Some(answer) == steps.next().map(|step| (Answer::No, step.condition)))
    }

    /// Asks one rule, and records the step.
    fn ask(&mut self, rule: &Rule, place: Place, caller: Option<u32>) -> Result<Asked, Stop> {
        if self.path.steps.len() >= MOST_STEPS {
            return Err(Stop::Broken(format!("the walk takes more than {MOST_STEPS} steps")));
        }
        let (answer, condition) = self.answer(rule, place.at.ruleset);
        let because = match answer {
            Answer::Yes => {
                self.push(place, Outcome::Match, None, caller);
                return Ok(Asked::Matched);
            }
            Answer::No => {
                self.push(place, Outcome::NoMatch, condition, caller);
                return Ok(Asked::Failed);
            }
            Answer::Drops { negated } => {
                let outcome = if negated { Outcome::Match } else { Outcome::NoMatch };
                self.push(place, outcome, condition, caller);
                return Ok(Asked::Dropped);
            }
            Answer::Unknown(because) => because,
        };
        let drops = self.drops(rule, place.at.ruleset);
        let ending = |matches: bool| match (matches, drops) {
            (true, false) => (Outcome::Match, Asked::Matched),
            (true, true) => (Outcome::NoMatch, Asked::Dropped),
            (false, _) => (Outcome::NoMatch, Asked::Failed),
        };
        if let Some((_, matches)) = self.settled.iter().find(|(settled, _)| *settled == place) {
            self.assume_answer(place, *matches);
            let (outcome, asked) = ending(*matches);
            self.push(place, outcome, condition, caller);
            return Ok(asked);
        }
        let observes = match rule.target {
            Target::None => true,
            Target::Extension(id) => id.get().behaviour == Behaviour::Observes,
            _ => false,
        };
        if observes && !drops {
            self.doubtful = true;
            self.push(place, Outcome::Unknown, condition, caller);
            return Ok(Asked::Passed);
        }
        let Some(&matches) = self.script.get(self.assumed.len()) else {
            self.push(place, Outcome::Unknown, condition, caller);
            return Err(Stop::Fork);
        };
        let chance = self.chance(rule, place.at.ruleset).map(|chance| if matches { chance } else { 1.0 - chance });
        let (hook, because) = (self.view.hook, because.into_owned());
        self.assumed.push(Assumption { place, hook, matches, target: false, because, chance });
        let (outcome, asked) = ending(matches);
        self.push(place, outcome, condition, caller);
        Ok(asked)
    }

    /// All conditions must hold. One that surely fails settles it, whatever cannot be told of the others. Behind a match
    /// that drops, nftables asks nothing (`__nft_match_eval`); legacy goes on to the end of the rule (`ipt_do_table`).
    pub(super) fn answer(&self, rule: &Rule, ruleset: u32) -> (Answer, Option<u16>) {
        let rules = &self.rulesets[ruleset as usize];
        let mut unknown = None;
        let mut dropped = false;
        let mut place = 0;
        for group in rules.groups(rule) {
            let context = Context { packet: &self.packet, view: &self.view, host: self.host, ruleset: rules, group };
            let joint = quirk::both_ports(group).map(|pair| {
                let [source, destination] = pair.map(|at| test(&group[at], &context));
                (pair, BothPorts::of(rules).join(&source, &destination))
            });
            for (at, part) in group.iter().enumerate() {
                let answer = match &joint {
                    Some((pair, answer)) if pair.contains(&at) => answer.clone(),
                    _ => test(part, &context),
                };
                match answer {
                    Answer::Yes => {}
                    Answer::No if dropped => return (Answer::Drops { negated: false }, Some(place)),
                    Answer::No => return (Answer::No, Some(place)),
                    // Behind what cannot be told it is not sure to be asked.
                    Answer::Drops { .. } if unknown.is_some() => {}
                    Answer::Drops { negated } if negated && rules.backend != Some(Backend::Nft) => dropped = true,
                    Answer::Drops { .. } => return (Answer::Drops { negated: false }, Some(place)),
                    Answer::Unknown(reason) => {
                        unknown.get_or_insert((reason, place));
                    }
                }
                place += 1;
            }
        }
        match unknown {
            _ if dropped => (Answer::Drops { negated: true }, None),
            Some((reason, place)) => (Answer::Unknown(reason), Some(place)),
            None => (Answer::Yes, None),
        }
    }

    /// Whether one of the rule's matches drops the packet, if it is asked.
    pub(super) fn drops(&self, rule: &Rule, ruleset: u32) -> bool {
        let rules = &self.rulesets[ruleset as usize];
        rules.groups(rule).any(|group| {
            let context = Context { packet: &self.packet, view: &self.view, host: self.host, ruleset: rules, group };
            group.iter().any(|part| matches!(test(part, &context), Answer::Drops { .. }))
        })
    }

    /// Applies a target; what no dump can tell of it is answered from the script.
    pub(super) fn act(&mut self, ruleset: u32, id: Id, rule: &Rule, place: Place) -> Result<Action, Stop> {
        let (because, yes, no) = match self.apply(ruleset, id, rule) {
            Action::Depends { because, yes, no } => (because, yes, no),
            action => return Ok(action),
        };
        let Some(&holds) = self.script.get(self.assumed.len()) else {
            self.path.doubt = Some(because);
            return Err(Stop::Fork);
        };
        let hook = self.view.hook;
        self.assumed.push(Assumption { place, hook, matches: holds, target: true, because, chance: None });
        Ok(if holds { *yes } else { *no })
    }

    /// How likely a rule matches that cannot be told, where chance alone decides.
    pub(super) fn chance(&self, rule: &Rule, ruleset: u32) -> Option<f64> {
        let rules = &self.rulesets[ruleset as usize];
        let mut all = 1.0;
        for group in rules.groups(rule) {
            let context = Context { packet: &self.packet, view: &self.view, host: self.host, ruleset: rules, group };
            for part in group.iter().filter(|part| matches!(test(part, &context), Answer::Unknown(_))) {
                all *= part.extension().chance?(part)?;
            }
        }
        Some(all)
    }

    /// Says that a rule was answered from outside.
    fn assume_answer(&mut self, place: Place, matches: bool) {
        let (_, table, chain) = place.at.find(self.rulesets);
        let matches = if matches { "matches" } else { "does not match" };
        let number = place.rule.map_or(0, |rule| rule + 1);
        self.assume(format!("rule {number} of {} (table {}) {matches}: you settled it", chain.name, table.name));
    }

    fn apply(&mut self, ruleset: u32, id: Id, rule: &Rule) -> Action {
        let rules = &self.rulesets[ruleset as usize];
        let options = Options { parts: rules.parameters(rule), ruleset: rules };
        let mut view = self.view.clone();
        let mut context = EffectContext {
            view: &mut view,
            packet: &self.packet,
            host: self.host,
            assumes: &mut self.assumes,
            translates: false,
            doubtful: false,
        };
        let action = match id.get().lower {
            Some(lower) => context.perform(lower(&options)),
            None => Action::Continue,
        };
        self.translated |= context.translates;
        self.doubtful |= context.doubtful;
        if view != self.view {
            self.show(view);
            self.path.steps.changed_to(self.current);
        }
        action
    }

    fn push(&mut self, place: Place, outcome: Outcome, condition: Option<u16>, caller: Option<u32>) {
        let (hook, view) = (self.view.hook, self.current);
        self.path.steps.push(Step { hook, place, outcome, condition, view, after: view, caller });
    }
}

/// Goes back to the chain that called this one, past those that were left by goto.
fn leave(frames: &mut Vec<Frame>, open: &mut [bool]) {
    while let Some(frame) = frames.pop() {
        open[frame.chain as usize] = false;
        if frames.last().is_none_or(|caller| caller.resumes) {
            return;
        }
    }
}
