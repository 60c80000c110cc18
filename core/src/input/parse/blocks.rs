//! Where in a cleaned text rules stand, and in which form.

use std::collections::HashSet;

use super::block::{Asked, Block, Lines, What};
use super::call::{self, Call, Program};
use super::kind::Kind;
use super::listing;
use super::script;
use crate::packet::hook::Hook;

/// Foreign lines in a row that do not end a dump.
const MOST_FOREIGN: u32 = 3;
/// Lines between two commands of one script.
const MOST_BETWEEN: usize = 30;
/// How far ahead the end of a table is looked for.
const AHEAD: usize = 200;
/// Lines between a command and what it printed.
const MOST_WARNINGS: usize = 4;

/// More parts with rules than any text has.
const MOST_BLOCKS: usize = 10_000;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) blocks: Vec<Block>,
    /// Commands that asked for rules.
    pub(super) asked: Vec<(usize, Asked)>,
    /// Lines that are neither rules nor blank.
    pub(super) other: usize,
    /// The first line that was not looked at: there were too many blocks before it.
    pub(super) rest: Option<usize>,
}

impl Found {
    /// The command whose output begins at a line. Of several commands on one line, each has a block of its own.
    fn asked_above(&self, lines: &Lines, at: usize) -> Option<Asked> {
        let (line, _) = self.asked.last()?;
        let commands = self.asked.iter().rev().take_while(|(asked, _)| asked == line).count();
        let answered = self.blocks.iter().rev().take_while(|block| block.first > *line).count();
        let after = self.blocks.last().map_or(*line, |block| block.last.max(*line));
        let others = (after..at).filter(|line| !lines.get(*line).trim().is_empty()).count();
        let first = self.asked.len() - commands;
        let (_, asked) = self.asked.get(first + answered).filter(|_| others <= MOST_WARNINGS)?;
        Some(asked.clone())
    }
}

/// The commands of a line that print rules, as `;` and `&&` part them.
fn calls_of(line: &str) -> impl Iterator<Item = Call<'_>> {
    let first = call::find(line);
    let mut parts = first.map_or("", |call| call.rest).split(['&', ';']);
    let own = parts.next().unwrap_or_default();
    let first = first.map(|call| Call { rest: own, ..call });
    first.into_iter().chain(parts.filter_map(call::find)).filter(|call| call.program != Program::Change)
}

/// Lines of prose between two chains of one listing.
const MAX_PROSE_LINES: usize = 3;

/// The longest listing, in lines, to which chains after prose are added.
const MAX_JOINED_LINES: usize = 2_000;

/// Whether a listing continues the one before it: other chains, in the order of their hooks, and hardly a word
/// between them.
fn goes_on(lines: &Lines, before: &Block, first: usize, last: usize) -> bool {
    let prose = (before.last + 1..first).filter(|at| !lines.get(*at).trim().is_empty()).count();
    // Longer ones are not gone through again and again.
    let is_long = before.last - before.first > MAX_JOINED_LINES;
    if before.what != What::Listing || prose > MAX_PROSE_LINES || is_long {
        return false;
    }
    let chains = |from: usize, to: usize| {
        (from..=to).filter_map(|at| match Kind::of(lines.get(at)) {
            Kind::Listed(name) => Some(name),
            _ => None,
        })
    };
    let mut seen = HashSet::new();
    let mut hooks = HookOrder::default();
    let mut is_next = |name| seen.insert(name) && hooks.goes_on(name);
    chains(before.first, before.last).chain(chains(first, last)).all(&mut is_next)
}

/// Finds the blocks of a text.
pub(super) fn find(lines: &Lines) -> Found {
    let mut found = Found::default();
    let mut at = 0;
    while at < lines.len() {
        if found.blocks.len() == MOST_BLOCKS {
            found.rest = Some(at);
            break;
        }
        let line = lines.get(at);
        let kind = Kind::of(line);
        let (what, last) = match kind {
            Kind::Listed(_) | Kind::Columns => (What::Listing, listing_end(lines, at)),
            kind if kind.is_sure() => rules(lines, at),
            Kind::Comment if prompted_call(line).is_some() => {
                if let Some(call) = prompted_call(line) {
                    found.asked.push((at, Asked::of(&call)));
                }
                at += 1;
                continue;
            }
            Kind::Other | Kind::Comment if script::calls(line) => (What::Script, script_end(lines, at)),
            Kind::Other => {
                match call::find(line).filter(|call| call.program != Program::Change) {
                    Some(_) => found.asked.extend(calls_of(line).map(|call| (at, Asked::of(&call)))),
                    None => found.other += 1,
                }
                at += 1;
                continue;
            }
            _ => {
                at += 1;
                continue;
            }
        };
        let asked = found.asked_above(lines, at);
        match found.blocks.last_mut() {
            Some(before) if asked.is_none() && what == What::Listing && goes_on(lines, before, at, last) => {
                before.last = last;
            }
            _ => found.blocks.push(Block { what, first: at, last, asked }),
        }
        at = last + 1;
    }
    found
}

/// The command that root typed after the prompt `# `, if it prints rules. Any other line that begins so is a comment.
fn prompted_call(line: &str) -> Option<Call<'_>> {
    let command = line.trim_start().strip_prefix("# ")?;
    let call = call::find(command)?;
    let first = command[..call.at].trim();
    let is_typed = first.is_empty() || first == "sudo";
    (is_typed && !matches!(call.program, Program::Change | Program::Restore)).then_some(call)
}

/// The built-in chains of a table so far. iptables prints them in the order of their hooks, so that one out of order
/// begins another table.
#[derive(Default)]
struct HookOrder {
    last: Option<Hook>,
}

impl HookOrder {
    /// Whether a chain can follow those before it in one table.
    fn goes_on(&mut self, chain: &str) -> bool {
        let Some(hook) = Hook::ALL.into_iter().find(|hook| hook.name() == chain) else { return true };
        let is_behind = self.last.is_none_or(|last| last < hook);
        self.last = Some(hook);
        is_behind
    }
}

/// The last row of a listing of one table.
fn listing_end(lines: &Lines, first: usize) -> usize {
    let mut last = first;
    let mut seen = HashSet::new();
    let mut hooks = HookOrder::default();
    let mut blank = false;
    for at in first..lines.len() {
        let line = lines.get(at);
        match Kind::of(line) {
            Kind::Blank => blank = true,
            // A chain that comes again is another table's.
            Kind::Listed(name) if !seen.insert(name) || !hooks.goes_on(name) => break,
            Kind::Listed(_) => {
                (last, blank) = (at, false);
            }
            Kind::Columns => (last, blank) = (at, false),
            Kind::Other if call::find(line).is_none() && (!blank || listing::is_row(line)) => {
                (last, blank) = (at, false);
            }
            // A note between chains or rows.
            Kind::Comment if prompted_call(line).is_none() => {}
            _ => break,
        }
    }
    last
}

/// The form of rules that begin at a line, and their last line.
fn rules(lines: &Lines, first: usize) -> (What, usize) {
    let mut last = first;
    let (mut tables, mut names) = (Vec::new(), HashSet::new());
    // The names of the chains from this line on are not in that set yet: within a table nobody asks.
    let mut unnamed = first;
    let (mut open, mut committed, mut counted, mut listed, mut changed, mut ruled) =
        (false, false, false, false, false, false);
    let (mut foreign, mut commit_at) = (0, 0);
    let mut hooks = HookOrder::default();
    for at in first..lines.len() {
        let line = lines.get(at);
        let kind = Kind::of(line);
        match kind {
            Kind::Header if at > first && (ruled || committed || !tables.is_empty()) => break,
            // What iptables-restore was given ends with its COMMIT.
            Kind::Table(name) if tables.contains(&name) || committed && changed && !counted => break,
            Kind::Table(name) => {
                tables.push(name);
                open = true;
                names.clear();
                unnamed = at;
            }
            // A chain that comes again is another table's.
            Kind::Chain(name) | Kind::Policy(name) if !open && is_known(lines, &mut names, &mut unnamed, at, name) => {
                break;
            }
            Kind::Chain(name) | Kind::Policy(name) if !open && !hooks.goes_on(name) => break,
            Kind::Chain(_) => counted = true,
            Kind::Policy(_) => listed = true,
            Kind::NewChain(_) => (listed, changed) = (true, true),
            Kind::Change(_) => changed = true,
            Kind::Rule(_) => ruled = true,
            Kind::Commit => (open, committed) = (false, true),
            Kind::Listed(_) | Kind::Columns => break,
            Kind::Blank => continue,
            Kind::Comment if !open && prompted_call(line).is_some() => break,
            Kind::Comment => {
                if line.contains("Completed on") {
                    last = at;
                }
                continue;
            }
            Kind::Header => {}
            Kind::Other => {
                let call = call::find(line);
                if call.is_some() && !(open && matches!(next_sure(lines, at), Kind::Rule(_))) {
                    break;
                }
                foreign += 1;
                if foreign > MOST_FOREIGN {
                    if open && commit_at <= at {
                        commit_at = commit_ahead(lines, at).unwrap_or(0);
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
    let dump = counted || committed || matches!(Kind::of(lines.get(first)), Kind::Header);
    let what = match tables.is_empty() {
        false if changed && !counted => What::Restore,
        false => What::Dump,
        true if dump && !listed => What::Dump,
        true => What::Rules,
    };
    (what, last)
}

/// Whether the name of the chain at a line stands above it, from `unnamed` on.
fn is_known<'a>(
    lines: &Lines<'a>,
    names: &mut HashSet<&'a str>,
    unnamed: &mut usize,
    at: usize,
    name: &'a str,
) -> bool {
    for line in *unnamed..at {
        if let Kind::Chain(name) | Kind::Policy(name) = Kind::of(lines.get(line)) {
            names.insert(name);
        }
    }
    *unnamed = at + 1;
    !names.insert(name)
}

/// What the next line that is a dump's is, within a few lines.
fn next_sure<'a>(lines: &Lines<'a>, at: usize) -> Kind<'a> {
    let next = (at + 1..lines.len()).take(MOST_WARNINGS).map(|at| Kind::of(lines.get(at)));
    next.into_iter().find(|kind| kind.is_sure()).unwrap_or(Kind::Blank)
}

/// The line that closes the table which is open at a line.
fn commit_ahead(lines: &Lines, at: usize) -> Option<usize> {
    for ahead in (at + 1..lines.len()).take(AHEAD) {
        match Kind::of(lines.get(ahead)) {
            Kind::Commit => return Some(ahead),
            Kind::Table(_) | Kind::Header | Kind::Listed(_) => return None,
            _ => {}
        }
    }
    None
}

/// The last command of a script.
fn script_end(lines: &Lines, first: usize) -> usize {
    let mut last = first;
    let mut at = first;
    while at < lines.len() && at - last <= MOST_BETWEEN {
        let line = lines.get(at);
        if let Some(end) = script::heredoc(line).and_then(|word| lines.closing(at, word)) {
            (at, last) = (end, end);
        } else if script::calls(line) {
            // A command goes on behind a backslash.
            while lines.get(at).ends_with('\\') && at + 1 < lines.len() {
                at += 1;
            }
            last = at;
        } else if Kind::of(line).is_sure() {
            break;
        }
        at += 1;
    }
    last
}
