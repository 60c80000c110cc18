//! A rule as separate known and unknown conditions.

use crate::iptables::extension::Id;
use crate::iptables::print;
use crate::mesh::{self, ConditionField, ConditionValue, MeshKind, Network, RuleView};
use crate::netfilter::ruleset::{Clause, Rule, Ruleset, Table, Value};
use crate::packet::fields::PacketField;

/// A condition of a rule, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PartialCondition {
    /// The printed condition.
    Known(String),
    /// An address that is missing, or of which only the name is known.
    Gap {
        side: AddressSide,
        negated: bool,
        loopback: bool,
    },
    /// Another unknown condition.
    Lost,
}

/// The side of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AddressSide {
    Source,
    Destination,
}

impl AddressSide {
    fn flag(self) -> &'static str {
        match self {
            Self::Source => "-s",
            Self::Destination => "-d",
        }
    }

    fn field(self) -> ConditionField {
        ConditionField::Packet(match self {
            Self::Source => PacketField::Src,
            Self::Destination => PacketField::Dst,
        })
    }
}

/// A rule in parts.
#[derive(Clone, Debug)]
pub(super) struct Pieces<'a> {
    conditions: Vec<PartialCondition>,
    target: String,
    /// The known conditions and the effect.
    view: RuleView<'a>,
}

impl<'a> Pieces<'a> {
    pub(super) fn of(set: &'a Ruleset, table: &'a Table, rule: &Rule) -> Self {
        let mut conditions = Vec::new();
        for group in set.groups(rule) {
            match group[0].extension().name {
                _ if group[0].extension == Id::STRAY => conditions.push(gap(set, &group[0])),
                "unlisted" => conditions.extend(group.iter().map(|part| unlisted(set, part))),
                "comment" => {}
                _ => conditions.extend(
                    print::conditions(set, group)
                        .into_iter()
                        .map(PartialCondition::Known),
                ),
            }
        }
        let mut view = RuleView::from_iptables(set, table, rule);
        view.conditions.retain(|condition| {
            !matches!(
                condition.field,
                ConditionField::Unlisted | ConditionField::Stray
            )
        });
        Self {
            conditions,
            target: print::target(set, table, rule),
            view,
        }
    }

    pub(super) fn has_gap(&self) -> bool {
        self.conditions
            .iter()
            .any(|one| !matches!(one, PartialCondition::Known(_)))
    }

    /// The rule with its gaps filled from the form of the mesh's rules, and the mesh; `None` if a
    /// gap remains.
    pub(super) fn filled(&self, set: &Ruleset, chain: &str) -> Option<(String, Option<MeshKind>)> {
        let mut gaps = self
            .conditions
            .iter()
            .filter(|one| !matches!(one, PartialCondition::Known(_)));
        let Some(gap) = gaps.next() else {
            return Some((self.text(&[]), None));
        };
        let &PartialCondition::Gap {
            side,
            negated,
            loopback,
        } = gap
        else {
            return None;
        };
        if gaps.next().is_some() {
            return None;
        }
        let with = |address: Network| {
            let value = ConditionValue::Network(address);
            let mut view = self.view.clone();
            view.conditions.push(mesh::ViewedCondition {
                field: side.field(),
                negated,
                value,
            });
            view
        };
        let (mesh, own) = mesh::own_address(set, chain, loopback, &with)?;
        let not = if negated { "! " } else { "" };
        Some((
            self.text(&[format!("{not}{} {own}", side.flag())]),
            Some(mesh),
        ))
    }

    /// The printed rule with the values of its gaps.
    fn text(&self, gaps: &[String]) -> String {
        let known = self.conditions.iter().filter_map(|one| match one {
            PartialCondition::Known(text) => Some(text.as_str()),
            _ => None,
        });
        let words = gaps
            .iter()
            .map(String::as_str)
            .chain(known)
            .chain([&*self.target]);
        words
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Whether two rules may be equal: their known conditions agree, and each unknown condition of
    /// one has a counterpart in the other.
    pub(super) fn may_be(&self, other: &Self) -> bool {
        let (known, gaps) = self.conditions_beyond(other);
        let (other_known, other_gaps) = other.conditions_beyond(self);
        self.target == other.target && known <= other_gaps && other_known <= gaps
    }

    /// The number of its conditions that another rule does not have: the known ones and the gaps.
    fn conditions_beyond(&self, other: &Self) -> (usize, usize) {
        let own = self.conditions.iter();
        let (known, gaps): (Vec<&PartialCondition>, Vec<&PartialCondition>) = own
            .filter(|condition| !other.conditions.contains(condition))
            .partition(|condition| matches!(condition, PartialCondition::Known(_)));
        (known.len(), gaps.len())
    }
}

/// The gap for `! -d` with a missing address.
fn gap(set: &Ruleset, part: &Clause) -> PartialCondition {
    let Value::Text(text) = part.value else {
        return PartialCondition::Lost;
    };
    let words: Vec<&str> = set.text(text).split_whitespace().collect();
    let (negated, words) = match &words[..] {
        ["!", rest @ ..] => (true, rest),
        [rest @ .., "!"] => (true, rest),
        rest => (false, rest),
    };
    let side = match words {
        ["-s" | "--source" | "--src"] => AddressSide::Source,
        ["-d" | "--destination" | "--dst"] => AddressSide::Destination,
        _ => return PartialCondition::Lost,
    };
    PartialCondition::Gap {
        side,
        negated,
        loopback: false,
    }
}

/// The gap for a condition that a listing does not show.
fn unlisted(set: &Ruleset, part: &Clause) -> PartialCondition {
    let side = match part.opt().map(|opt| opt.flag) {
        Some("--source-name") => AddressSide::Source,
        Some("--destination-name") => AddressSide::Destination,
        _ => return PartialCondition::Lost,
    };
    let loopback = matches!(part.value, Value::Text(text) if set.text(text) == "localhost");
    PartialCondition::Gap {
        side,
        negated: part.negated,
        loopback,
    }
}
