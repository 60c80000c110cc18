//! Reads the rules of a listing, line by line.

use std::ops::Range;

use crate::input::section::ListedChain;
use crate::iptables::extension::{Id, Role};
use crate::packet::Family;
use crate::text::diagnostic::{Code, Problem, Span};

use super::super::super::assemble::ListedRule;
use super::super::super::reading::Reading;
use super::super::super::source_line::SourceLine;
use super::super::super::words::Word;
use super::columns::{At, Columns, ListedRow};
use super::head::Head;
use super::losses::Loss;
use super::phrases::{self, Phrases};

/// Reads one table that the assembler has begun.
pub(super) struct TableReader<'p, 'x, 'a, 'r> {
    pub(super) reading: &'x mut Reading<'a, 'r>,
    pub(super) family: Family,
    pub(super) phrases: &'p Phrases,
}

impl<'a> TableReader<'_, '_, 'a, '_> {
    /// Declares the chains, so that jumps resolve.
    pub(super) fn declare_chains(&mut self, lines: Range<usize>) {
        for at in lines {
            let Some(head) = Head::from_line(self.reading.lines.get(at)) else {
                continue;
            };
            let line = self.reading.line(at);
            let assembler = &mut self.reading.assembler;
            assembler.declare_listed_chain(&line, head.name, head.policy, head.counters);
            if head.rounded {
                self.report_loss(Loss::Rounded, &line, line.own_span());
            }
        }
    }

    /// Appends the rules.
    pub(super) fn read_rules(&mut self, lines: Range<usize>) {
        let mut columns: Option<Columns> = None;
        let mut chain = None;
        let mut joined = None;
        let mut has_reported_head = false;
        for at in lines.clone() {
            // The previous row includes this line.
            if joined == Some(at) || self.reading.lines.get(at).trim().is_empty() {
                continue;
            }
            let line = self.reading.line(at);
            if let Some(head) = Head::from_line(line.line) {
                chain = self.reading.assembler.find_chain(head.name);
                self.reading.listings.chains.push(ListedChain {
                    line: line.number,
                    references: head.references,
                    is_numbered: true,
                });
                continue;
            }
            if let Some(head) = Columns::of_head(line.line) {
                columns = Some(head);
                continue;
            }
            let fits = columns.or_else(|| Columns::of_row(line.line));
            let row = fits.and_then(|fits| fits.split_row(line.line));
            columns = columns.or(fits);
            if row.is_none() && is_note(line.line) {
                continue;
            }
            if row.is_none() && !fits.unwrap_or_default().resembles(line.line) {
                let problem = Problem::new(
                    Code::UnknownLine,
                    "this line is not part of a listing; it is skipped",
                )
                .hint("put target, protocol, source and destination in columns");
                self.report(&line, line.own_span(), problem);
                continue;
            }
            let Some(chain) = chain else {
                if !std::mem::replace(&mut has_reported_head, true) {
                    let message = "the line that names the chain of this rule is missing: the rule is skipped, and so are \
                                   those after it without such a line";
                    let problem = Problem::new(Code::OutsideChain, message)
                        .hint("add that line before it, such as `Chain OUTPUT (policy ACCEPT)`");
                    self.report(&line, line.own_span(), problem);
                }
                continue;
            };
            let number = row.as_ref().and_then(|row| row.number);
            if let Some(number) = number {
                self.fill_to(number, chain, &line);
            }
            let expected = self.reading.assembler.count_rules(chain) + 1;
            if number.is_none_or(|number| number as usize != expected)
                && let Some(listed) = self.reading.listings.chains.last_mut()
            {
                listed.is_numbered = false;
            }
            let next = Some(at + 1).filter(|next| lines.contains(next));
            let continued =
                next.and_then(|next| self.continued(&line, next, fits.unwrap_or_default()));
            if let Some(whole) = continued {
                joined = next;
                if let Some(row) = fits.and_then(|fits| fits.split_row(whole.line)) {
                    self.append_rule(&whole, chain, &row);
                    continue;
                }
            }
            match row {
                Some(row) => self.append_rule(&line, chain, &row),
                None => self.append_damaged(&line, chain),
            }
        }
    }

    /// Joins a row with the next line, if a mail program or terminal wrapped the row. All words of
    /// the next line must be words of the rule.
    fn continued(
        &mut self,
        line: &SourceLine<'a>,
        next: usize,
        columns: Columns,
    ) -> Option<SourceLine<'a>> {
        let text = self.reading.lines.get(next);
        let is_own = text.trim().is_empty()
            || Head::from_line(text).is_some()
            || Columns::of_head(text).is_some()
            || columns.split_row(text).is_some()
            || !text.trim_start().starts_with(|first: char| {
                first.is_ascii_alphabetic() || matches!(first, '/' | '!' | '[')
            });
        if is_own {
            return None;
        }
        let range = (line.start, self.reading.lines.range(next).1);
        let input = self.reading.assembler.reports.input;
        let whole = SourceLine::of_mapped(self.reading.cleaned, range, input);
        let row = columns.split_row(whole.line)?;
        let (_, tail) = read_goto(&whole, &row);
        let read = self.read_phrases(&whole, tail, self.target_of(&row))?;
        (read.unread.is_empty() && read.unread_target.is_none()).then_some(whole)
    }

    /// The extension that the row names as its target.
    fn target_of(&self, row: &ListedRow) -> Option<Id> {
        let (_, name) = row.target?;
        Id::named(name, Role::Target, Some(self.family))
    }

    /// Reads the words of a row after its columns.
    fn read_phrases(
        &mut self,
        line: &SourceLine<'a>,
        tail: usize,
        target: Option<Id>,
    ) -> Option<phrases::ReadPhrases<'a>> {
        let ruleset = self.reading.assembler.open_ruleset()?;
        Some(
            self.phrases
                .read_phrases((line.line, tail, line.start), target, ruleset),
        )
    }

    /// Adds a placeholder for each missing rule before `number`, so that later rules keep their
    /// numbers.
    fn fill_to(&mut self, number: u32, chain: usize, line: &SourceLine) {
        let first = self.reading.assembler.count_rules(chain) as u64 + 1;
        if u64::from(number) <= first || u64::from(number) - first > MAX_MISSING_RULES {
            return;
        }
        let last = number - 1;
        let rules = if u64::from(last) == first {
            format!("rule {first} is")
        } else {
            format!("rules {first} to {last} are")
        };
        let problem = Problem::new(
            Code::MissingRules,
            format!("{rules} not shown; their conditions and effects are unknown"),
        )
        .hint("paste the listing with all its lines");
        self.report(line, line.own_span(), problem);
        for missing in first..=u64::from(last) {
            let words = format!("rule {missing} is not shown");
            let assembler = &mut self.reading.assembler;
            assembler.append_unknown_rule(line, chain, &words);
        }
    }

    /// Keeps a rule without one of its columns. The missing column is unknown, so the rule may do
    /// anything to any packet.
    fn append_damaged(&mut self, line: &SourceLine, chain: usize) {
        let problem = Problem::new(
            Code::DamagedRow,
            "this rule does not fit the columns; its conditions and effects are unknown",
        )
        .hint("put target, protocol, source and destination in columns");
        self.report(line, line.own_span(), problem);
        let assembler = &mut self.reading.assembler;
        assembler.append_unknown_rule(line, chain, line.line);
    }

    fn report(&mut self, line: &SourceLine, span: Span, problem: Problem) {
        self.reading.assembler.reports.in_line(line, span, problem);
    }

    fn report_loss(&mut self, loss: Loss, line: &SourceLine, span: Span) {
        if let Some(problem) = self.reading.listings.losses.problem(loss) {
            self.report(line, span, problem);
        }
    }

    fn report_unread(&mut self, line: &SourceLine, span: Span) {
        let words = span.slice(line.text);
        if let Some(problem) = self.reading.listings.losses.unread_problem(words) {
            self.report(line, span, problem);
        }
    }

    /// Appends the rule of a row.
    fn append_rule(&mut self, line: &SourceLine<'a>, chain: usize, row: &ListedRow<'a>) {
        let (goto, tail) = read_goto(line, row);
        let leads_to_chain = |name| goto || self.reading.assembler.find_chain(name).is_some();
        let target = row
            .target
            .filter(|(_, name)| !leads_to_chain(name))
            .and_then(|_| self.target_of(row));
        let Some(mut read) = self.read_phrases(line, tail, target) else {
            return;
        };
        // Somebody added a note at the end of the row.
        read.unread
            .retain(|span| !span.slice(line.text).starts_with(['#', '<', '←']));

        move_named_owners(&mut read);
        // iptables could not print the options of the target.
        let is_last = |span: &Span| span.slice(line.text) == "[unsupported revision]";
        if target.is_some() && read.unread.last().is_some_and(is_last) {
            read.unread_target = read.unread.pop();
        }

        let mut words = header(line, row, self.family);
        if let Some(port) = read.matches.windows(2).find(|pair| is_named_port(pair)) {
            self.report_loss(Loss::Services, line, port[1].span);
        }
        words.extend(read.matches);
        self.add_unlisted(line, row, &read.unread, &mut words);
        let unread_target = row.target.zip(read.unread_target);
        if let (Some(at), None) = (row.target, &unread_target) {
            words.push(bare(if goto { "-g" } else { "-j" }, span_of(line, at)));
            words.push(bare(at.1, span_of(line, at)));
            words.extend(read.options);
        }
        let listed = ListedRule {
            words,
            unread_target: unread_target
                .map(|((_, name), span)| name_target(name, span.slice(line.text))),
            counters: row.counters,
        };
        self.reading
            .assembler
            .append_listed_rule(line, chain, listed);
        if let Some((_, span)) = unread_target {
            self.report_unread(line, span);
        }
        if let Some(at) = row.rounded {
            self.report_loss(Loss::Rounded, line, span_of(line, at));
        }
    }

    /// Adds the conditions that the line does not show, and unknown words as conditions.
    fn add_unlisted(
        &mut self,
        line: &SourceLine<'a>,
        row: &ListedRow<'a>,
        unread: &[Span],
        words: &mut Vec<Word<'a>>,
    ) {
        let open = words.len();
        if row.interfaces.is_none() {
            words.push(bare("--interfaces", line.own_span()));
            self.report_loss(Loss::Interfaces, line, line.own_span());
        }
        for (flag, at) in [
            ("--source-name", row.source),
            ("--destination-name", row.destination),
        ] {
            let (negated, name) = negation(at.1);
            if is_named(name) {
                let span = span_of(line, at);
                words.extend(negated.then(|| bare("!", span)));
                words.extend([bare(flag, span), value(name, span)]);
                if at.1.is_empty() {
                    self.report_loss(Loss::TakenOut, line, line.own_span());
                } else {
                    self.report_loss(Loss::Addresses, line, span);
                }
            }
        }
        for span in unread {
            words.extend([bare("--words", *span), value(span.slice(line.text), *span)]);
            self.report_unread(line, *span);
        }
        if words.len() > open {
            let opening = [
                bare("-m", line.own_span()),
                bare(Id::UNLISTED.get().name, line.own_span()),
            ];
            words.splice(open..open, opening);
        }
    }
}

/// Whether a row goes to its chain with `-g`, and the place of its other words.
fn read_goto(line: &SourceLine, row: &ListedRow) -> (bool, usize) {
    let after = line.line[row.tail..].trim_start();
    match after.strip_prefix("[goto]") {
        Some(rest) => (true, line.line.len() - rest.len()),
        None => (false, row.tail),
    }
}

/// The range of a word in its line.
fn span_of(line: &SourceLine, (at, word): At) -> Span {
    Span::new(line.start + at, line.start + at + word.len())
}

/// Moves names of users and groups to the unknown words. Without `-n` a listing shows names, which
/// do not determine the ids.
fn move_named_owners(read: &mut phrases::ReadPhrases) {
    let is_name = |pair: &[Word]| {
        ["--uid-owner", "--gid-owner"].contains(&&*pair[0].text)
            && !pair[1].text.starts_with(|sign: char| sign.is_ascii_digit())
    };
    while let Some(at) = read.matches.windows(2).position(is_name) {
        let negated = usize::from(at > 0 && read.matches[at - 1].is("!"));
        read.unread.push(read.matches[at].span);
        read.matches.drain(at - negated..at + 2);
    }
    // iptables rejects `-m owner` without options.
    let is_bare = |at: usize| {
        read.matches[at].is("-m")
            && read
                .matches
                .get(at + 1)
                .is_some_and(|word| word.is("owner"))
            && read.matches.get(at + 2).is_none_or(|word| word.is("-m"))
    };
    if let Some(at) = (0..read.matches.len()).find(|at| is_bare(*at)) {
        read.matches.drain(at..at + 2);
    }
}

/// A larger gap in the numbers is an error, not rules that somebody removed.
const MAX_MISSING_RULES: u64 = 10_000;

/// Whether a line is a bracketed note that somebody put between the rows: `(empty)`, `[...]`.
fn is_note(line: &str) -> bool {
    let line = line
        .trim()
        .trim_start_matches(|character: char| character.is_ascii_digit())
        .trim_start();
    line.starts_with(['(', '[', '<', '.', '…']) && line.ends_with([')', ']', '>', '.', '…'])
}

/// The columns as options.
fn header<'a>(line: &SourceLine<'a>, row: &ListedRow<'a>, family: Family) -> Vec<Word<'a>> {
    let mut words = Vec::new();
    let everybody = if family == Family::Ipv4 {
        "0.0.0.0/0"
    } else {
        "::/0"
    };
    let mut add = |flag: &'static str, at: At<'a>, any: &[&str]| {
        let (negated, text) = negation(at.1);
        let span = span_of(line, at);
        if any.contains(&text) && !negated {
            return;
        }
        let text = if text == "anywhere" { everybody } else { text };
        words.extend(negated.then(|| bare("!", span)));
        words.extend([bare(flag, span), value(text, span)]);
    };
    add("-p", row.protocol, &["all", "0"]);
    if let Some([incoming, outgoing]) = row.interfaces {
        add("-i", incoming, &["any", "*"]);
        add("-o", outgoing, &["any", "*"]);
    }
    for (flag, at) in [("-s", row.source), ("-d", row.destination)] {
        if !is_named(negation(at.1).1) {
            add(flag, at, &["anywhere", everybody]);
        }
    }
    if let Some(at) = row.fragment.filter(|(_, word)| *word != "--") {
        words.extend(at.1.starts_with('!').then(|| bare("!", span_of(line, at))));
        words.push(bare("-f", span_of(line, at)));
    }
    words
}

fn bare<'a>(text: &'a str, span: Span) -> Word<'a> {
    Word {
        text: text.into(),
        span,
        quoted: false,
    }
}

/// Marks a word as a value, even if it looks like an option.
fn value<'a>(text: &'a str, span: Span) -> Word<'a> {
    Word {
        text: text.into(),
        span,
        quoted: true,
    }
}

fn negation(word: &str) -> (bool, &str) {
    word.strip_prefix('!')
        .map_or((false, word), |rest| (true, rest))
}

/// Whether a word in a column of addresses is a name, or empty because somebody removed the
/// address.
fn is_named(word: &str) -> bool {
    let address = word.split('/').next().unwrap_or_default();
    let is_address = address.contains(':')
        || !address.is_empty()
            && address
                .bytes()
                .all(|byte: u8| byte.is_ascii_digit() || byte == b'.');
    word != "anywhere" && !is_address
}

/// Whether an option's value is a port written as a service name.
fn is_named_port(pair: &[Word]) -> bool {
    let flag = ["--sport", "--dport", "--sports", "--dports", "--ports"].contains(&&*pair[0].text);
    flag && pair[1].text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// The words of a target after its name, as the listing shows them.
fn name_target(name: &str, words: &str) -> String {
    if words.starts_with(name) {
        words.to_owned()
    } else {
        format!("{name} {words}")
    }
}
