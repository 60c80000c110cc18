//! Writes the lines of blocks as the reader of dumps takes them: tables that lack their line get it, what `iptables -S`
//! printed is written as `iptables-save` would.

use std::ops::Range;

use super::block::{Asked, Block, Lines, What};
use super::call::Program;
use super::guess;
use super::kind::Kind;
use super::source_map::Cleaned;
use crate::iptables::table_name::TableName;
use crate::netfilter::backend::Backend;
use crate::packet::Family;
use crate::text::diagnostic::{Code, Fix, Problem, Span};

/// The text, and what there is to say of it in terms of the cleaned one.
#[derive(Debug, Default)]
pub(super) struct Normal<'a> {
    pub(super) out: Cleaned<'a>,
    pub(super) said: Vec<(Span, Problem)>,
    /// Lines of the new text, from 1, whose commands may fail without a word.
    pub(super) may_fail: Vec<u32>,
    /// For each block the lines of the new text that it made, from 1, the last one not included.
    pub(super) made: Vec<(u32, u32)>,
    /// Lines so far.
    pub(super) lines: u32,
}

/// Writes lines.
pub(super) struct Writer<'a, 'n, 's> {
    pub(super) cleaned: &'a Cleaned<'a>,
    pub(super) lines: &'a Lines<'a>,
    pub(super) normal: &'n mut Normal<'s>,
}

impl<'a> Writer<'a, '_, '_> {
    pub(super) fn say(&mut self, span: Span, problem: Problem) {
        self.normal.said.push((span, problem));
    }

    /// Adds a line that stands for nothing in particular at a byte of the source.
    pub(super) fn put(&mut self, text: &str, from: usize) {
        self.normal.out.put(text, from, 0);
    }

    pub(super) fn copy(&mut self, start: usize, end: usize) {
        self.normal.out.copy(self.cleaned, start, end);
    }

    pub(super) fn end_line(&mut self, from: usize) {
        self.normal.out.end_line(from);
        self.normal.lines += 1;
    }

    /// The number of the line that is being written, from 1.
    pub(super) fn number(&self) -> u32 {
        self.normal.lines + 1
    }

    fn copy_line(&mut self, line: usize) {
        let (start, end) = self.lines.range(line);
        self.copy(start, end);
        self.end_line(self.cleaned.origin(end));
    }

    /// Writes a block of a dump, or of what `iptables -S` printed.
    pub(super) fn dump(&mut self, block: &Block) {
        let headed = (block.first..=block.last).any(|at| Kind::of(self.lines.get(at)) == Kind::Header);
        let start = self.cleaned.origin(self.lines.range(block.first).0);
        // The reader begins without a header; and what stands at its first byte is said of the whole line.
        let needed = block.asked.is_some() || self.normal.lines > 0 || !self.cleaned.begins_line(start);
        if !headed && needed {
            self.put(&header(block.asked.as_ref()), start);
            self.end_line(start);
        }
        let mut first = block.first;
        let mut named = false;
        for at in block.first..=block.last {
            match Kind::of(self.lines.get(at)) {
                Kind::Header => self.copy_line(at),
                Kind::Table(_) => {
                    self.part(block, named, first..at);
                    (first, named) = (at, true);
                }
                Kind::Commit => {
                    self.part(block, named, first..at + 1);
                    (first, named) = (at + 1, false);
                }
                _ => {}
            }
        }
        self.part(block, named, first..block.last + 1);
    }

    /// The lines of a part that are its own. They are not listed: in a large text that would take as much memory as it.
    fn own(&self, part: &Range<usize>) -> impl DoubleEndedIterator<Item = usize> + Clone + use<'a> {
        let lines = self.lines;
        let not = |kind: Kind| matches!(kind, Kind::Blank | Kind::Comment | Kind::Header);
        part.clone().filter(move |at| !not(Kind::of(lines.get(*at))))
    }

    /// Writes the lines of one table.
    fn part(&mut self, block: &Block, named: bool, part: Range<usize>) {
        let mut own = self.own(&part);
        let (Some(first), last) = (own.clone().next(), own.next_back().unwrap_or(part.start)) else { return };
        let rules = |kind: Kind| kind.is_sure() && !matches!(kind, Kind::Commit);
        if !named && !self.own(&part).any(|at| rules(Kind::of(self.lines.get(at)))) {
            // A COMMIT by itself, and what stands around it.
            return;
        }
        if !named && !self.name(block, first, &part) {
            return;
        }
        // In the order of their lines.
        let first = self.late(&part);
        first.iter().for_each(|at| self.chain_line(*at));
        let mut taken = 0;
        for at in self.own(&part).filter(|at| first.binary_search(at).is_err()) {
            if at < taken {
                continue;
            }
            let last = self.wrapped_to(at, &part);
            match last > at {
                true => self.wrapped_rule(at, last),
                false => self.chain_line(at),
            }
            taken = last + 1;
        }
        if block.what == What::Rules {
            let from = self.cleaned.origin(self.lines.range(last).1);
            self.put("COMMIT", from);
            self.end_line(from);
        }
    }

    /// Writes the line that names the table of lines without one, where only one table can be meant.
    fn name(&mut self, block: &Block, first: usize, part: &Range<usize>) -> bool {
        let lines = self.lines;
        let guessed = guess::table(self.own(part).map(|at| lines.get(at)));
        let asked = block.asked.as_ref().filter(|asked| asked.program == Program::Rules).and_then(|asked| asked.table);
        let (start, end) = lines.range(first);
        let span = Span::new(start, end);
        let fix = |table: TableName| Fix {
            label: format!("Read them as table {table}"),
            span: Span::new(start, start),
            replacement: format!("*{table}\n"),
        };
        let table = match (asked, guessed) {
            (Some(table), _) => table,
            // `iptables -S` has no such line.
            (None, Ok((table, why))) => {
                let printed = block.what == What::Rules
                    && self.own(part).any(|at| matches!(Kind::of(lines.get(at)), Kind::Policy(_)));
                if !printed {
                    let problem = Problem::new(
                        Code::MissingTableLine,
                        format!("the line that names the table is missing: read as table {table}, since {why}"),
                    )
                    .hint(format!("a line *{table} belongs above this one"))
                    .fix(fix(table));
                    self.say(span, problem);
                }
                table
            }
            (None, Err(fit)) => {
                let names: Vec<&str> = fit.iter().map(|table| table.name()).collect();
                let what = "these lines stand outside any table and are left out";
                let problem = match names.len() {
                    0 => Problem::new(Code::OutsideTable, format!("{what}: they fit none")),
                    5 => Problem::new(Code::OutsideTable, what),
                    _ => Problem::new(Code::OutsideTable, format!("{what}: it may be {}", names.join(" or "))),
                };
                let problem = problem.hint("add the line that names their table above them, such as *nat");
                self.say(span, fit.into_iter().fold(problem, |problem, table| problem.fix(fix(table))));
                return false;
            }
        };
        let from = self.cleaned.origin(start);
        self.put(&format!("*{table}"), from);
        self.end_line(from);
        true
    }

    /// The lines to be written before the others, where chains are declared below rules of theirs.
    fn late(&mut self, part: &Range<usize>) -> Vec<usize> {
        let lines = self.lines;
        let mut ruled = std::collections::HashSet::new();
        let mut any = false;
        let mut last = "";
        for at in self.own(part) {
            match Kind::of(lines.get(at)) {
                // The rules of a chain mostly stand together.
                Kind::Rule(name) if name != last => {
                    last = name;
                    ruled.insert(name);
                }
                Kind::Chain(name) | Kind::Policy(name) | Kind::NewChain(name) if ruled.contains(name) => {
                    any = true;
                    let (start, end) = lines.range(at);
                    let problem = Problem::new(
                        Code::LateChain,
                        format!("chain {name} is declared below its rules: read as if above"),
                    )
                    .hint("iptables-restore wants the chain's line first");
                    self.say(Span::new(start, end), problem);
                }
                _ => {}
            }
        }
        if !any {
            return Vec::new();
        }
        let own = self.own(part);
        let of = |is: fn(Kind) -> bool| own.clone().filter(move |at| is(Kind::of(lines.get(*at))));
        let tables = of(|kind| matches!(kind, Kind::Table(_)));
        tables.chain(of(|kind| matches!(kind, Kind::Chain(_) | Kind::Policy(_) | Kind::NewChain(_)))).collect()
    }

    /// The last line of a rule that a mail or a terminal has wrapped; the line itself for any other.
    fn wrapped_to(&self, first: usize, part: &Range<usize>) -> usize {
        let lines = self.lines;
        // Most rules have another one after them.
        let next_is_own = first + 1 >= part.end || Kind::of(lines.get(first + 1)).is_sure();
        if next_is_own || !matches!(Kind::of(lines.get(first)), Kind::Rule(_)) {
            return first;
        }
        let (mut last, mut text) = (first, lines.get(first).to_owned());
        while last + 1 < part.end && last - first < MAX_CONTINUATION_LINES && continues(&text, lines.get(last + 1)) {
            last += 1;
            text.push(' ');
            text.push_str(lines.get(last));
        }
        // An unclosed quote takes no other lines.
        if opens_quote(&text) { first } else { last }
    }

    /// Writes the lines of a wrapped rule as one.
    fn wrapped_rule(&mut self, first: usize, last: usize) {
        for at in first..=last {
            let (start, end) = self.lines.range(at);
            if at > first {
                self.put(" ", self.cleaned.origin(start));
            }
            let line = self.lines.get(at);
            let blank = line.len() - line.trim_start().len();
            self.copy(start + blank, end);
        }
        let end = self.lines.range(last).1;
        self.end_line(self.cleaned.origin(end));
    }

    /// Writes a line, as `iptables-save` would.
    fn chain_line(&mut self, at: usize) {
        let (start, end) = self.lines.range(at);
        let line = self.lines.get(at);
        let from = self.cleaned.origin(start);
        match Kind::of(line) {
            Kind::Table(name) if line.len() != 1 + name.len() => self.put(&format!("*{name}"), from),
            Kind::Policy(name) => {
                // `-P OUTPUT ACCEPT -c 12 720`
                let mut words = line.split_whitespace().skip(2);
                let policy = words.next().unwrap_or_default();
                let counters: Vec<&str> = words.filter(|word| *word != "-c").take(2).collect();
                let counters = match counters[..] {
                    [packets, bytes] => format!(" [{packets}:{bytes}]"),
                    _ => String::new(),
                };
                self.normal.out.put(&format!(":{name} {policy}{counters}"), from, end - start);
            }
            Kind::NewChain(name) => self.normal.out.put(&format!(":{name} -"), from, end - start),
            _ => self.copy(start, end),
        }
        self.end_line(self.cleaned.origin(end));
    }
}

/// Lines that continue one wrapped rule.
const MAX_CONTINUATION_LINES: usize = 8;

/// Whether a line goes on with the rule before it.
fn continues(rule: &str, next: &str) -> bool {
    if Kind::of(next).is_sure() {
        return false;
    }
    if opens_quote(rule) {
        return true;
    }
    let next = next.trim_start();
    let is_option = next.starts_with("! ")
        || next.starts_with('-') && next[1..].starts_with(|c: char| c == '-' || c.is_ascii_alphabetic());
    let has_target = [" -j ", " -g ", " --jump ", " --goto "].iter().any(|flag| rule.contains(flag));
    // A value on the line after its option.
    let wants_value = rule.split_whitespace().next_back().is_some_and(|word| word.starts_with('-'));
    let is_short = !next.is_empty() && next.split_whitespace().count() <= 40;
    is_short && (is_option && (!has_target || next.starts_with("--")) || wants_value && !next.starts_with('#'))
}

fn opens_quote(rule: &str) -> bool {
    let plain = rule.replace("\\\\", "").replace("\\\"", "");
    plain.matches('"').count() % 2 == 1
}

/// The line that tells the reader family and backend.
fn header(asked: Option<&Asked>) -> String {
    let program = match asked {
        None => "-",
        Some(asked) => match (asked.family, asked.backend) {
            (Family::Ipv4, None) => "iptables-save",
            (Family::Ipv4, Some(Backend::Legacy)) => "iptables-legacy-save",
            (Family::Ipv4, Some(Backend::Nft)) => "iptables-nft-save",
            (Family::Ipv6, None) => "ip6tables-save",
            (Family::Ipv6, Some(Backend::Legacy)) => "ip6tables-legacy-save",
            (Family::Ipv6, Some(Backend::Nft)) => "ip6tables-nft-save",
        },
    };
    format!("# Generated by {program}")
}
