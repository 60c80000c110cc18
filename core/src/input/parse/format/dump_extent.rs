//! Finds lines that name a table, declare a chain or append a rule. The output of `iptables-save`
//! and of `iptables -S` and the input of `iptables-restore` consist of such lines. This module also
//! distinguishes the three.

use std::collections::HashSet;

use crate::input::section::Format;

use super::super::call::{self, MAX_LINES_BEFORE_OUTPUT, prompted_call};
use super::super::fragment::{HookOrder, Lines};
use super::super::line_kind::LineKind;
use super::dump_lines;

/// The maximum number of consecutive foreign lines within a dump.
const MAX_FOREIGN_LINES: u32 = 3;
/// The maximum number of lines in which the end of a table is searched for.
const MAX_LINES_TO_COMMIT: usize = 200;

pub(super) fn save_end(lines: &Lines, first: usize) -> Option<usize> {
    end_of(lines, first, Format::Save)
}

pub(super) fn rules_end(lines: &Lines, first: usize) -> Option<usize> {
    end_of(lines, first, Format::Rules)
}

pub(super) fn restore_end(lines: &Lines, first: usize) -> Option<usize> {
    end_of(lines, first, Format::Restore)
}

/// The last line of a dump that begins at a line, if it has this format.
fn end_of(lines: &Lines, first: usize, format: Format) -> Option<usize> {
    let kind = LineKind::from_line(lines.get(first));
    if !kind.is_sure() || matches!(kind, LineKind::Listed(_) | LineKind::Columns) {
        return None;
    }
    let (found, last) = lines.dump_extent(first, find_extent);
    (found == format).then_some(last)
}

/// The format of a dump that begins at a line, and its last line.
fn find_extent(lines: &Lines, first: usize) -> (Format, usize) {
    let mut last = first;
    let (mut tables, mut names) = (Vec::new(), HashSet::new());
    // The names of the chains from this line on are not in that set yet. They are not needed within
    // a table.
    let mut unnamed = first;
    let (mut open, mut committed, mut counted, mut listed, mut changed, mut ruled) =
        (false, false, false, false, false, false);
    let (mut foreign, mut commit_at) = (0, 0);
    let mut hooks = HookOrder::default();
    for at in first..lines.len() {
        let line = lines.get(at);
        let kind = LineKind::from_line(line);
        match kind {
            LineKind::Header if at > first && (ruled || committed || !tables.is_empty()) => break,
            // The input of iptables-restore ends with its COMMIT.
            LineKind::Table(name) if tables.contains(&name) || committed && changed && !counted => {
                break;
            }
            LineKind::Table(name) => {
                tables.push(name);
                open = true;
                names.clear();
                unnamed = at;
            }
            // A chain that is declared again belongs to another table.
            LineKind::Chain(name) | LineKind::Policy(name)
                if !open && is_declared(lines, &mut names, &mut unnamed, at, name) =>
            {
                break;
            }
            LineKind::Chain(name) | LineKind::Policy(name) if !open && !hooks.goes_on(name) => {
                break;
            }
            LineKind::Chain(_) => counted = true,
            LineKind::Policy(_) => listed = true,
            LineKind::NewChain(_) => (listed, changed) = (true, true),
            LineKind::Change(_) => changed = true,
            LineKind::Rule(_) => ruled = true,
            LineKind::Commit => (open, committed) = (false, true),
            LineKind::Listed(_) | LineKind::Columns => break,
            LineKind::Blank => continue,
            LineKind::Comment if !open && prompted_call(line).is_some() => break,
            LineKind::Comment => {
                if line.contains("Completed on") {
                    last = at;
                }
                continue;
            }
            LineKind::Header => {}
            // The end of a wrapped rule.
            LineKind::Other if at <= last => continue,
            LineKind::Other if at == last + 1 && is_wrapped(lines, last) => {
                last = dump_lines::find_wrapped_end(lines, last, &(last..lines.len()));
                continue;
            }
            LineKind::Other => {
                let is_call = call::find(line).is_some();
                if is_call && !(open && matches!(next_sure_kind(lines, at), LineKind::Rule(_))) {
                    break;
                }
                foreign += 1;
                if foreign > MAX_FOREIGN_LINES {
                    if open && commit_at <= at {
                        commit_at = find_commit(lines, at).unwrap_or(0);
                    }
                    if !open || commit_at <= at {
                        break;
                    }
                }
                continue;
            }
        }
        (last, foreign) = (at, 0);
    }
    let is_saved =
        counted || committed || matches!(LineKind::from_line(lines.get(first)), LineKind::Header);
    let format = match tables.is_empty() {
        false if changed && !counted => Format::Restore,
        false if !counted && !listed && committed && is_announced(lines, first) => Format::Restore,
        false => Format::Save,
        true if is_saved && !listed => Format::Save,
        true => Format::Rules,
    };
    (format, last)
}

/// Whether a rule on a line continues on the next line.
fn is_wrapped(lines: &Lines, at: usize) -> bool {
    dump_lines::find_wrapped_end(lines, at, &(at..lines.len())) > at
}

/// Whether an earlier line announces the input of iptables-restore, which declares no built-in
/// chains.
fn is_announced(lines: &Lines, first: usize) -> bool {
    let announces = |line: &str| {
        line.contains("-restore")
            || line.contains("rules file")
            || line.contains("contents")
            || line.contains("input:")
    };
    (first.saturating_sub(3)..first).any(|at| announces(lines.get(at)))
}

/// Whether an earlier line, from `unnamed` on, declares the chain with this name.
fn is_declared<'a>(
    lines: &Lines<'a>,
    names: &mut HashSet<&'a str>,
    unnamed: &mut usize,
    at: usize,
    name: &'a str,
) -> bool {
    for line in *unnamed..at {
        if let LineKind::Chain(name) | LineKind::Policy(name) = LineKind::from_line(lines.get(line))
        {
            names.insert(name);
        }
    }
    *unnamed = at + 1;
    !names.insert(name)
}

/// The kind of the next line that certainly belongs to a dump, within a few lines.
fn next_sure_kind<'a>(lines: &Lines<'a>, at: usize) -> LineKind<'a> {
    let next = (at + 1..lines.len())
        .take(MAX_LINES_BEFORE_OUTPUT)
        .map(|at| LineKind::from_line(lines.get(at)));
    next.into_iter()
        .find(|kind| kind.is_sure())
        .unwrap_or(LineKind::Blank)
}

/// The line that closes the table which is open at a line.
fn find_commit(lines: &Lines, at: usize) -> Option<usize> {
    for ahead in (at + 1..lines.len()).take(MAX_LINES_TO_COMMIT) {
        match LineKind::from_line(lines.get(ahead)) {
            LineKind::Commit => return Some(ahead),
            LineKind::Table(_) | LineKind::Header | LineKind::Listed(_) => return None,
            _ => {}
        }
    }
    None
}
