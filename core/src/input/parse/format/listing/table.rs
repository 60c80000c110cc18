//! Which table a listing shows: it does not say so itself.

use crate::iptables::extension::{Id, Role};
use crate::iptables::table_name::TableName;
use crate::text::diagnostic::{Code, Problem};

/// What a listing shows of its table.
#[derive(Default)]
pub(super) struct Evidence<'a> {
    /// The chains with a policy: built-in ones.
    pub(super) built_in: Vec<&'a str>,
    /// The targets in its rules that stand in some tables only.
    pub(super) targets: Vec<&'a str>,
}

/// How sure a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It is this one.
    Surely(TableName),
    /// It is the only one that fits what is shown.
    Only(TableName),
    /// It is the likeliest one of several.
    Likely(TableName),
}

impl Told {
    /// What is to be said of a table that is not shown for sure.
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

/// Likelier ones first: the one that iptables lists without `-t`, and then those that are asked for
/// most.
const LIKELY: [TableName; 5] = [
    TableName::Filter,
    TableName::Nat,
    TableName::Mangle,
    TableName::Raw,
    TableName::Security,
];

/// The tables that alone may hold a target; empty where that tells nothing.
pub(super) fn only_in(target: &str) -> &'static [TableName] {
    Id::named(target, Role::Target, None).map_or(&[], |id| id.get().tables)
}

/// Tells the table by its built-in chains and its targets.
pub(super) fn tell(evidence: &Evidence) -> Told {
    let has = |table: &TableName, name: &str| table.hooks().iter().any(|hook| hook.name() == name);
    let holds = |table: &TableName| evidence.built_in.iter().all(|name| has(table, name));
    let mut fit: Vec<TableName> = LIKELY.into_iter().filter(holds).collect();
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
        // Chains of two tables, which a listing does not mix.
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
