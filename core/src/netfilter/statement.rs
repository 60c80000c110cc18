//! The statements of a rule. The kernel evaluates them in order until one breaks the rule or ends
//! it.
//!
//! A rule language lowers a rule when the walk reaches it. The prefilter skips most rules of a
//! large chain, so lowered rules are never stored.

use std::borrow::Cow;

use crate::netfilter::condition::{Answer, Context, Field, Parameters, Subject, test_field};
use crate::netfilter::effect::{Behavior, Effect};
use crate::netfilter::ruleset::{Ruleset, Value};
use crate::packet::Packet;
use crate::packet::fields::PacketField;
use crate::packet::host::Host;
use crate::packet::value::FieldValue;
use crate::packet::view::View;

/// One step of the evaluation of a rule.
#[derive(Clone, Debug)]
pub enum Statement<'r> {
    /// Breaks the rule unless the condition holds.
    Condition(Condition<'r>),
    /// Counts the packet.
    Counter,
    /// Changes the packet, or gives a verdict.
    Effect(Effect),
    /// Continues in another chain of the table.
    Jump {
        /// The position of the chain in the table.
        chain: u32,
        /// Whether the packet returns to this chain.
        returns: bool,
    },
    /// Continues in a chain that the input does not define.
    MissingChain(&'r str),
}

impl Statement<'_> {
    /// Whether the packet continues unchanged after the statement. Then only the counter depends on
    /// it.
    pub fn is_passive(&self) -> bool {
        match self {
            Self::Counter | Self::Effect(Effect::UpdateSet) => true,
            Self::Effect(effect) => effect.behavior() == Behavior::Passive,
            _ => false,
        }
    }
}

impl<'r> Statement<'r> {
    /// The value that a packet must have in a field to pass the statement.
    pub fn required(&self, field: PacketField) -> Option<&'r Value> {
        match self {
            Self::Condition(Condition {
                test: Test::Compare(comparison),
                ..
            }) if !comparison.negated => {
                let is_compared = comparison.field.subject == Subject::Packet(field);
                is_compared.then_some(comparison.value)
            }
            _ => None,
        }
    }
}

/// A condition of a rule.
#[derive(Clone, Debug)]
pub struct Condition<'r> {
    /// The clause of the condition: a position among the rule's clauses that test the packet.
    pub clause: u16,
    /// A field that the packet must have. If the packet lacks it, the condition fails, negated or
    /// not.
    pub requires: Option<&'static Field>,
    /// The test itself.
    pub test: Test<'r>,
    /// The probability that the condition holds, from 0 to 1, if only chance decides.
    pub chance: Option<f64>,
    /// The options of the match that change how its fields are read.
    pub parameters: Parameters,
}

/// The test of a condition.
#[derive(Clone, Debug)]
pub enum Test<'r> {
    /// Holds for every packet.
    Always,
    /// Compares a field.
    Compare(Comparison<'r>),
    /// Holds if one of two comparisons does. If `reason` is given and only one of them holds, the
    /// result is undetermined.
    Either(Box<[Comparison<'r>; 2]>, Option<&'static str>),
    /// Undetermined, for this reason.
    Undetermined(Cow<'r, str>),
}

/// A comparison of a field with a value.
#[derive(Clone, Copy, Debug)]
pub struct Comparison<'r> {
    /// The field.
    pub field: &'static Field,
    /// A value, or a set of values.
    pub value: &'r Value,
    /// Whether the field must not have it.
    pub negated: bool,
}

/// The packet and its environment, as conditions read them.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The fields that no rule changes.
    pub packet: &'a Packet,
    /// The packet at this point.
    pub view: &'a View,
    /// The namespace.
    pub host: &'a Host,
    /// The rule set of the rule.
    pub ruleset: &'a Ruleset,
}

impl<'a> Surroundings<'a> {
    /// The context in which a match with these parameters reads its fields.
    pub fn context(self, parameters: Parameters) -> Context<'a> {
        let Surroundings {
            packet,
            view,
            host,
            ruleset,
        } = self;
        Context {
            packet,
            view,
            host,
            ruleset,
            parameters,
            wanted: &Value::None,
            negated: false,
        }
    }
}

impl Condition<'_> {
    /// Whether it holds for every packet.
    pub fn holds_always(&self) -> bool {
        self.requires.is_none() && self.chance.is_none() && matches!(self.test, Test::Always)
    }

    /// Whether the packet meets the condition.
    pub fn evaluate(&self, around: Surroundings) -> Answer {
        let context = around.context(self.parameters);
        let required = self
            .requires
            .map_or(Answer::Yes, |field| is_present(field, &context));
        if required != Answer::Yes {
            return required;
        }
        match &self.test {
            Test::Always => Answer::Yes,
            Test::Compare(comparison) => comparison.evaluate(&context),
            Test::Either(comparisons, reason) => {
                let [one, other] = comparisons
                    .each_ref()
                    .map(|comparison| comparison.evaluate(&context));
                either(one, other, *reason)
            }
            Test::Undetermined(reason) => Answer::Unknown(reason.clone().into_owned().into()),
        }
    }
}

impl Comparison<'_> {
    fn evaluate(&self, context: &Context) -> Answer {
        test_field(self.field, self.value, self.negated, context)
    }
}

fn either(one: Answer, other: Answer, reason: Option<&'static str>) -> Answer {
    match (one, other) {
        (drops @ Answer::Drops { .. }, _) | (_, drops @ Answer::Drops { .. }) => drops,
        (Answer::Yes, Answer::Yes) => Answer::Yes,
        (Answer::No, Answer::No) => Answer::No,
        (Answer::Yes, _) | (_, Answer::Yes) if reason.is_none() => Answer::Yes,
        (unknown @ Answer::Unknown(_), _) | (_, unknown @ Answer::Unknown(_)) => unknown,
        _ => Answer::Unknown(reason.unwrap_or_default().into()),
    }
}

/// Whether the packet has the field.
pub(crate) fn is_present(field: &Field, context: &Context) -> Answer {
    match (field.read)(context) {
        FieldValue::Unknown(reason) => Answer::Unknown(reason),
        FieldValue::Drops(_) => Answer::Drops { negated: false },
        FieldValue::Number(0) | FieldValue::Absent(_) | FieldValue::Never(_) => Answer::No,
        _ => Answer::Yes,
    }
}
