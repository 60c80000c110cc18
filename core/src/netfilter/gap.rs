//! Gaps: points of a chain at which the kernel may hold rules that the input does not show, or
//! shows damaged.

use super::ruleset::Rule;

/// Why rules may be missing at one point of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapReason {
    /// The input does not show the chain, or shows single rules of it only.
    NotShown,
    /// The input shows the table and not this built-in chain, which people leave out where it has
    /// no rules.
    Omitted,
    /// A command of the input may have run or not, and may have changed the chain.
    Conditional,
    /// iptables itself says that it cannot show the table.
    Incompatible,
    /// The chain is one of native nftables, whose rules are not read.
    NativeNftables,
    /// A line of the input says that lines were left out, such as `...`.
    Elided,
    /// The input ends within the table.
    CutOff,
    /// A line that may be a rule cannot be read.
    Unreadable,
    /// The rule that follows, or the chain's own line, has an error: the kernel does not hold it in
    /// this form.
    Damaged,
}

/// A point of a chain at which the kernel may hold other rules than the input shows.
///
/// A walk that comes to a gap is undetermined there: see `walk/chain.rs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The rule that follows, from 0; the number of rules where none does.
    pub before: u32,
    /// Why.
    pub reason: GapReason,
    /// The line of the input that shows it, from 1; `None` where no line does.
    pub line: Option<u32>,
    /// All rules that the kernel may hold there, each any number of times or not at all. Empty
    /// where they are not known.
    pub possible: Vec<Rule>,
}

impl GapReason {
    /// Whether the input does not show the chain itself.
    pub(crate) fn hides_chain(self) -> bool {
        matches!(self, Self::NotShown | Self::Omitted | Self::Incompatible)
    }
}

impl Gap {
    /// A gap of which nothing is known but its reason.
    pub(crate) fn new(before: u32, reason: GapReason, line: Option<u32>) -> Self {
        Self {
            before,
            reason,
            line,
            possible: Vec::new(),
        }
    }

    /// Adds another gap at this place. If one of the two may hold any rule, the gap may.
    pub(crate) fn merge(&mut self, other: Self) {
        // An omitted chain is evaluated as empty: any other reason is stronger.
        match (
            self.reason == GapReason::Omitted,
            other.reason == GapReason::Omitted,
        ) {
            (true, false) => *self = other,
            (false, true) => {}
            _ if self.possible.is_empty() => {}
            _ if other.possible.is_empty() => *self = other,
            _ => self.possible.extend(other.possible),
        }
    }

    /// The reason in a clause, for a chain of that name: "chain INPUT is not shown, or not all of
    /// its rules are".
    pub fn describe(&self, chain: &str) -> String {
        let line = self
            .line
            .map(|line| format!("line {line}"))
            .unwrap_or_default();
        match self.reason {
            GapReason::NotShown => {
                format!("chain {chain} is not shown, or not all of its rules are")
            }
            GapReason::Omitted => format!("the text has its table without chain {chain}"),
            GapReason::Conditional => {
                format!("the text does not determine what the command on {line} does to {chain}")
            }
            GapReason::Incompatible => {
                format!(
                    "{line} says that iptables cannot show the table: rules of {chain} are missing"
                )
            }
            GapReason::NativeNftables => {
                format!(
                    "the rules of chain {chain} ({line}) are native nftables, which are not read"
                )
            }
            GapReason::Elided => {
                format!("{line} is in place of rules of {chain} that are left out")
            }
            GapReason::CutOff => format!(
                "the text ends before the end of the table: rules of {chain} may be missing"
            ),
            GapReason::Unreadable => format!("{line} may be a rule of {chain}, and cannot be read"),
            GapReason::Damaged => {
                format!("{line} has an error: what the kernel holds there in {chain} is unknown")
            }
        }
    }
}
