//! Gaps: points of a chain at which the kernel may hold rules that the input does not show, or
//! shows damaged.

use super::ruleset::Rule;

/// Why rules may be missing at one point of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapReason {
    /// The input does not show the chain, or shows only some of its rules.
    NotShown,
    /// The input shows the table without this built-in chain. People often omit chains that have no
    /// rules.
    Omitted,
    /// It is unknown whether a command of the input ran. It may have changed the chain.
    Conditional,
    /// A message of iptables reports that it cannot show the table.
    Incompatible,
    /// The chain belongs to native nftables, and the reader does not read its rules.
    NativeNftables,
    /// A line of the input marks omitted lines, such as `...`.
    Elided,
    /// The input ends within the table.
    CutOff,
    /// The input ends within a line that may go on, and shows no other sign of a missing part. People
    /// also lose a line end where they copy a whole dump.
    OpenEnd,
    /// The text exceeds a limit of the reader, which has not read all of it.
    NotRead,
    /// A listing counts more references to a chain than it shows.
    Uncounted,
    /// A line that may be a rule cannot be read.
    Unreadable,
    /// The rule after the gap, or the declaration of the chain, has an error. The kernel cannot
    /// hold it in this form.
    Damaged,
}

/// A point of a chain at which the kernel may hold other rules than the input shows.
///
/// A walk that reaches a gap is undetermined at this point: see `walk/chain.rs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The number of rules before the gap: the position of the next rule, from 0.
    pub before: u32,
    /// Why.
    pub reason: GapReason,
    /// The line of the input that shows the gap, from 1; `None` if no line shows it.
    pub line: Option<u32>,
    /// The rules that the kernel may hold at the gap, each any number of times or never. Empty if
    /// they are unknown.
    pub possible: Vec<Rule>,
}

impl GapReason {
    /// Whether a walk assumes that the kernel holds no rules there.
    pub(crate) fn is_assumed_empty(self) -> bool {
        matches!(self, Self::Omitted | Self::OpenEnd)
    }

    /// Whether the input does not show the chain itself.
    pub(crate) fn hides_chain(self) -> bool {
        matches!(self, Self::NotShown | Self::Omitted | Self::Incompatible)
    }
}

impl Gap {
    /// A gap that may hold any rule.
    pub(crate) fn new(before: u32, reason: GapReason, line: Option<u32>) -> Self {
        Self {
            before,
            reason,
            line,
            possible: Vec::new(),
        }
    }

    /// Merges another gap at the same position. If one of the two may hold any rule, so may the
    /// result.
    pub(crate) fn merge(&mut self, other: Self) {
        // An omitted chain is evaluated as empty, so any other reason is stronger.
        match (
            self.reason.is_assumed_empty(),
            other.reason.is_assumed_empty(),
        ) {
            (true, false) => *self = other,
            (false, true) => {}
            _ if self.possible.is_empty() => {}
            _ if other.possible.is_empty() => *self = other,
            _ => self.possible.extend(other.possible),
        }
    }

    /// Prints the reason as a clause about a chain with this name: "chain INPUT is not shown, or
    /// not all of its rules are".
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
                let place = if line.is_empty() {
                    line
                } else {
                    format!(" ({line})")
                };
                format!("the rules of chain {chain}{place} are native nftables, which are not read")
            }
            GapReason::Elided => {
                format!("{line} is in place of rules of {chain} that are left out")
            }
            GapReason::OpenEnd => {
                format!("the text ends without a line end: more of chain {chain} may follow")
            }
            GapReason::NotRead => format!(
                "the text is too long, and {line} is the first that is not read: rules of {chain} \
                 may be missing"
            ),
            GapReason::Uncounted => format!(
                "{line} counts more references to its chain than the text shows: rules of {chain} \
                 may be missing"
            ),
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
