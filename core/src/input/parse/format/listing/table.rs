//! Determines the table of a listing, which does not name it.

use crate::iptables::extension::{Id, Role};
use crate::iptables::table_name::TableName;
use crate::text::diagnostic::{Code, Problem};

/// The properties of a listing that determine its table.
#[derive(Default)]
pub(super) struct Evidence<'a> {
    /// The chains with a policy: built-in ones.
    pub(super) built_in: Vec<&'a str>,
    /// The targets that are valid only in some tables.
    pub(super) targets: Vec<&'a str>,
}

/// The certainty of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The listing determines the table.
    Surely(TableName),
    /// Only one table fits the listing.
    Only(TableName),
    /// Several tables fit; this is the likeliest.
    Likely(TableName),
}

impl Told {
    /// Returns the report for an uncertain table.
    pub(super) fn problem(self) -> Option<Problem> {
        let (code, table, why) = match self {
            Self::Surely(_) => return None,
            Self::Only(table) => (
                Code::InferredTable,
                table,
                "because no other table has its chains and targets",
            ),
            Self::Likely(table) => (
                Code::AssumedTable,
                table,
                "the most likely one with its chains",
            ),
        };
        let problem = Problem::new(
            code,
            format!("the listing does not name its table; {table} is assumed, {why}"),
        );
        Some(problem.hint(format!(
            "add the command before it, such as `iptables -t {table} -L -v -n`"
        )))
    }
}

/// The tables by likelihood: first the default of `iptables -L`, then the most used ones.
const LIKELY: [TableName; 5] = [
    TableName::Filter,
    TableName::Nat,
    TableName::Mangle,
    TableName::Raw,
    TableName::Security,
];

/// The tables that allow a target; empty if the target is valid in all of them.
pub(super) fn only_in(target: &str) -> &'static [TableName] {
    Id::named(target, Role::Target, None).map_or(&[], |id| id.get().tables)
}

/// Determines the table from its built-in chains and its targets.
pub(super) fn tell(evidence: &Evidence) -> Told {
    let has = |table: &TableName, name: &str| table.hooks().iter().any(|hook| hook.name() == name);
    let mut fit: Vec<TableName> = LIKELY
        .into_iter()
        .filter(|table: &TableName| evidence.built_in.iter().all(|name| has(table, name)))
        .collect();
    for target in &evidence.targets {
        let tables = only_in(target);
        if fit.iter().any(|table| tables.contains(table)) {
            fit.retain(|table| tables.contains(table));
        }
    }
    let whole = |table: &&TableName| table.hooks().len() == evidence.built_in.len();
    match (fit.iter().find(whole), &fit[..]) {
        (Some(table), _) => Told::Surely(*table),
        (None, [only]) => Told::Only(*only),
        (None, [likeliest, ..]) => Told::Likely(*likeliest),
        // The chains belong to two tables, which one listing never mixes.
        (None, []) => Told::Likely(TableName::Filter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_and_targets_tell_the_table() {
        let tell = |built_in: &[&'static str], targets: &[&'static str]| {
            tell(&Evidence {
                built_in: built_in.to_vec(),
                targets: targets.to_vec(),
            })
        };
        assert_eq!(
            tell(&["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"], &[]),
            Told::Surely(TableName::Nat)
        );
        assert_eq!(
            tell(&["INPUT", "FORWARD", "OUTPUT"], &[]),
            Told::Surely(TableName::Filter)
        );
        assert_eq!(
            tell(&["INPUT", "FORWARD", "OUTPUT"], &["SECMARK"]),
            Told::Surely(TableName::Security)
        );
        assert_eq!(
            tell(&["PREROUTING", "OUTPUT"], &[]),
            Told::Surely(TableName::Raw)
        );
        assert_eq!(
            tell(&["PREROUTING", "OUTPUT", "POSTROUTING"], &[]),
            Told::Likely(TableName::Nat)
        );
        assert_eq!(tell(&[], &["REDIRECT"]), Told::Only(TableName::Nat));
        assert_eq!(tell(&["OUTPUT"], &[]), Told::Likely(TableName::Filter));
        assert_eq!(
            tell(&["PREROUTING", "FORWARD", "X"], &[]),
            Told::Likely(TableName::Filter)
        );
    }
}
