//! Determines the table of rules without a line `*table`, and the family of a restore's input.

use super::line_kind::LineKind;
use crate::iptables::extension::{Id, Role};
use crate::iptables::table_name::TableName;

/// The maximum number of lines to examine.
const MAX_LINES: usize = 5_000;

/// Built-in chains by name: (declared with a policy, named by a rule).
#[derive(Default)]
struct ChainEvidence<'a> {
    declared: Vec<&'a str>,
    used: Vec<&'a str>,
    targets: Vec<&'a str>,
}

/// The only table that fits these lines, with the reason; otherwise all tables that fit.
pub(super) fn table<'a>(
    lines: impl Iterator<Item = &'a str>,
) -> Result<(TableName, String), Vec<TableName>> {
    let mut seen = ChainEvidence::default();
    for line in lines.take(MAX_LINES) {
        match LineKind::from_line(line) {
            LineKind::Chain(name) if line.contains(" ACCEPT") || line.contains(" DROP") => {
                add(&mut seen.declared, name)
            }
            LineKind::Policy(name) => add(&mut seen.declared, name),
            LineKind::Rule(name) | LineKind::Change(name) => {
                add(&mut seen.used, name);
                let mut words = line.split_whitespace().skip_while(|word| *word != "-j");
                if let Some(target) = words.nth(1) {
                    add(&mut seen.targets, target);
                }
            }
            _ => {}
        }
    }
    let has = |table: TableName, name: &str| table.hooks().iter().any(|hook| hook.name() == name);
    let mut fit: Vec<TableName> = TableName::ALL.to_vec();
    fit.retain(|table| seen.declared.iter().all(|name| has(*table, name)));
    fit.retain(|table| {
        seen.used
            .iter()
            .filter(|name: &&&str| {
                TableName::Mangle
                    .hooks()
                    .iter()
                    .any(|hook| hook.name() == **name)
            })
            .all(|name| has(*table, name))
    });
    let mut why = "its built-in chains are that table's".to_owned();
    for target in &seen.targets {
        let tables = Id::named(target, Role::Target, None).map_or(&[][..], |id| id.get().tables);
        // All tables except one allow DROP, so it gives no information.
        if !tables.is_empty() && tables.len() < 4 && fit.len() > 1 {
            fit.retain(|table| tables.contains(table));
            why = format!("no other table with these chains allows {target}");
        }
    }
    let exact: Vec<TableName> = fit
        .iter()
        .copied()
        .filter(|table| table.hooks().len() == seen.declared.len())
        .collect();
    match (&fit[..], &exact[..]) {
        ([only], _) => Ok((*only, why)),
        (_, [only]) => Ok((*only, "it has just these built-in chains".to_owned())),
        // Of the two tables with these chains, security contains hardly any target other than
        // SECMARK.
        (_, [TableName::Filter, TableName::Security]) => Ok((
            TableName::Filter,
            "it has just these built-in chains, and is what iptables shows without -t".to_owned(),
        )),
        _ => Err(fit),
    }
}

fn add<'a>(list: &mut Vec<&'a str>, name: &'a str) {
    // Only built-in chains give information. A dump may have thousands of others.
    if list.len() < 64 && !list.contains(&name) {
        list.push(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: Result<TableName, usize>) {
        assert_eq!(
            table(text.lines())
                .map(|(table, _)| table)
                .map_err(|fit| fit.len()),
            want,
            "{text}"
        );
    }

    #[test]
    fn the_table_is_told_where_only_one_fits() {
        check(
            ":PREROUTING ACCEPT\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n:POSTROUTING ACCEPT",
            Ok(TableName::Nat),
        );
        check(
            "-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT",
            Ok(TableName::Filter),
        );
        check("-P PREROUTING ACCEPT\n-P OUTPUT ACCEPT", Ok(TableName::Raw));
        check("-A x -p tcp -j REDIRECT --to-ports 1", Ok(TableName::Nat));
        check(
            "-A PREROUTING -p tcp -j TPROXY --on-port 1",
            Ok(TableName::Mangle),
        );
        check("-A OUTPUT -j ACCEPT", Err(5));
    }
}
