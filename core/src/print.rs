//! A rule set as `iptables-save` prints it, from the parsed fields.

use std::fmt::Write;

use crate::extension::{Id, Kind, Options, Role};
use crate::ruleset::{Part, Rule, Ruleset, Table, Target, Value};

/// Prints a rule set, without comment lines. Policies always carry counters; rules do with `counters`.
pub fn save(ruleset: &Ruleset, counters: bool) -> String {
    let mut out = String::new();
    for table in &ruleset.tables {
        // Writing to a string cannot fail.
        let _ = write_table(ruleset, table, counters, &mut out);
    }
    out
}

fn write_table(ruleset: &Ruleset, table: &Table, counters: bool, out: &mut String) -> std::fmt::Result {
    writeln!(out, "*{}", table.name)?;
    for chain in &table.chains {
        let policy = if chain.hook.is_some() { chain.policy.name() } else { "-" };
        writeln!(out, ":{} {policy} {}", chain.name, chain.counters.unwrap_or_default())?;
    }
    for chain in &table.chains {
        for rule in &chain.rules {
            if counters {
                write!(out, "{} ", rule.counters.unwrap_or_default())?;
            }
            write!(out, "-A {}", chain.name)?;
            write_rule(ruleset, table, rule, out)?;
            out.push('\n');
        }
    }
    writeln!(out, "COMMIT")
}

/// A rule behind `-A CHAIN`, without the blank in front.
pub fn rule(ruleset: &Ruleset, table: &Table, rule: &Rule) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_rule(ruleset, table, rule, &mut out);
    out.trim_start().into()
}

/// The conditions of one match, as printed, the first with the `-m` that opens it: one for each part, or a single one
/// where the extension prints all its options together.
pub fn conditions(ruleset: &Ruleset, group: &[Part]) -> Vec<String> {
    let prints_itself = group.first().is_some_and(|first| first.extension().print.is_some());
    let pieces = if prints_itself { group.chunks(group.len().max(1)) } else { group.chunks(1) };
    let print = |piece: &[Part]| {
        let mut out = String::new();
        write_group(ruleset, piece, &mut out);
        out.trim_start().to_owned()
    };
    pieces.map(print).collect()
}

/// What a rule does, as printed: `-j REDIRECT --to-ports 15001`; empty for a rule that only counts.
pub fn target(ruleset: &Ruleset, table: &Table, rule: &Rule) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_target(ruleset, table, rule, &mut out);
    out.trim_start().into()
}

fn write_rule(ruleset: &Ruleset, table: &Table, rule: &Rule, out: &mut String) -> std::fmt::Result {
    for group in ruleset.groups(rule) {
        write_group(ruleset, group, out);
    }
    write_target(ruleset, table, rule, out)
}

fn write_target(ruleset: &Ruleset, table: &Table, rule: &Rule, out: &mut String) -> std::fmt::Result {
    match rule.target {
        Target::None => Ok(()),
        Target::Jump(chain) => write!(out, " -j {}", table.chains[chain as usize].name),
        Target::Goto(chain) => write!(out, " -g {}", table.chains[chain as usize].name),
        Target::Missing { name, goto } => write!(out, " {} {}", if goto { "-g" } else { "-j" }, ruleset.text(name)),
        Target::Extension(id) => {
            if id != Id::OPAQUE_TARGET {
                write!(out, " -j {}", id.get().name)?;
            }
            write_group(ruleset, ruleset.parameters(rule), out);
            Ok(())
        }
    }
}

/// All options of one match, with its `-m`, or of the target.
fn write_group(ruleset: &Ruleset, group: &[Part], out: &mut String) {
    let own = group.first().and_then(|first| Some((first.extension(), first.extension().print?)));
    let Some((extension, print)) = own else {
        group.iter().for_each(|part| write_part(ruleset, part, out));
        return;
    };
    if extension.role == Role::Match {
        out.push_str(" -m ");
        out.push_str(extension.name);
    }
    print(&Options { parts: group, ruleset }, out);
}

fn write_part(ruleset: &Ruleset, part: &Part, out: &mut String) {
    let extension = part.extension();
    let Some(opt) = part.opt() else { return write_bare(ruleset, part, out) };
    if part.opens && extension.role == Role::Match {
        out.push_str(" -m ");
        out.push_str(extension.name);
    }
    let hidden = |default| match part.value {
        Value::Number(number) => number == default && !part.negated,
        Value::Range(0, last) => last == default,
        Value::Masked { mask, .. } => mask == default && !part.negated,
        _ => false,
    };
    // An interface of any name is never printed, not even behind a `!`.
    let any_interface = matches!((&opt.kind, &part.value), (Kind::Interface, Value::Text(text))
        if extension.role == Role::Header && ruleset.text(*text) == "+");
    if any_interface || opt.unprinted.is_some_and(hidden) {
        return;
    }
    out.push_str(if part.negated { " ! " } else { " " });
    out.push_str(opt.flag);
    opt.kind.print(&part.value, ruleset, out);
}

/// A match without options, or something that is kept as it was written.
fn write_bare(ruleset: &Ruleset, part: &Part, out: &mut String) {
    match &part.value {
        Value::Text(text) => {
            let lead = match part.extension {
                Id::OPAQUE_TARGET => " -j ",
                Id::OPAQUE_MATCH => " -m ",
                _ => " ",
            };
            out.push_str(lead);
            out.push_str(ruleset.text(*text));
        }
        _ => {
            out.push_str(" -m ");
            out.push_str(part.extension().name);
        }
    }
}
