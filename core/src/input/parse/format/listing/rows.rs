//! The rules of a listing, line by line.

use crate::iptables::extension::{Id, Role};
use crate::netfilter::ruleset::{Part, Policy, Rule, Ruleset, Target, Value};
use crate::packet::Family;
use crate::text::diagnostic::{Code, DiagnosticSink, Problem, Span};

use super::super::super::open_table::{OpenTable, printed_name_problem};
use super::super::super::rule::Site;
use super::super::super::words::Word;
use super::columns::{At, Columns, Row};
use super::head::Head;
use super::line::Line;
use super::listed_tables::Listings;
use super::losses::Loss;
use super::phrases::{self, Phrases};

/// Reads one table.
pub(super) struct TableReader<'a, 'r, 's> {
    /// All of the text.
    pub(super) text: &'a str,
    pub(super) ruleset: &'r mut Ruleset,
    pub(super) open: OpenTable,
    pub(super) phrases: &'r Phrases,
    pub(super) listings: &'r mut Listings,
    pub(super) say: &'r mut DiagnosticSink<'s>,
}

impl<'a> TableReader<'a, '_, '_> {
    /// Makes the chains, so that jumps find them.
    pub(super) fn chains(&mut self, lines: &[Line<'a>]) {
        for line in lines {
            let Some(head) = Head::of(line.text) else {
                continue;
            };
            let table = &mut self.ruleset.tables[self.open.table];
            if let Some(known) = self.open.chains.find(&table.chains, head.name) {
                let first = table.chains[known as usize].line.unwrap_or(line.number);
                let problem = format!(
                    "chain {} is listed again; the first time is line {first}",
                    head.name
                );
                (self.say)(
                    line.number,
                    line.span(),
                    Problem::new(Code::DuplicateChain, problem),
                );
                continue;
            }
            let counters = self.ruleset.count(head.counters);
            let table = &mut self.ruleset.tables[self.open.table];
            let chain = self.open.add(table, head.name, Some(line.number));
            chain.set_policy(head.policy.unwrap_or(Policy::Accept));
            chain.counters = counters;
            if let Some(problem) = printed_name_problem(head.name, self.ruleset.backend) {
                (self.say)(line.number, line.span(), problem);
            }
            if head.rounded {
                self.lost(Loss::Rounded, line, line.span());
            }
        }
    }

    pub(super) fn rules(&mut self, lines: &[Line<'a>]) {
        let mut columns: Option<Columns> = None;
        let mut chain = None;
        let mut joined = None;
        let mut has_reported_head = false;
        for (at, line) in lines
            .iter()
            .enumerate()
            .filter(|(_, line)| !line.text.trim().is_empty())
        {
            // The line before has taken it.
            if joined == Some(line.number) {
                continue;
            }
            if let Some(head) = Head::of(line.text) {
                let chains = &self.ruleset.tables[self.open.table].chains;
                chain = self
                    .open
                    .chains
                    .find(chains, head.name)
                    .map(|place| place as usize);
                continue;
            }
            if let Some(head) = Columns::of_head(line.text) {
                columns = Some(head);
                continue;
            }
            let fits = columns.or_else(|| Columns::of_row(line.text));
            let row = fits.and_then(|fits| fits.read(line.text));
            columns = columns.or(fits);
            if row.is_none() && is_note(line.text) {
                continue;
            }
            if row.is_none() && !fits.unwrap_or_default().resembles(line.text) {
                let problem = Problem::new(
                    Code::UnknownLine,
                    "this line is not part of a listing and is left out",
                )
                .hint("a rule has its target, protocol, source and destination in columns");
                (self.say)(line.number, line.span(), problem);
                continue;
            }
            let Some(chain) = chain else {
                if !std::mem::replace(&mut has_reported_head, true) {
                    let message = "the line that names the chain of this rule is missing: the rule is skipped, and so are \
                                   those after it without such a line";
                    let problem = Problem::new(Code::OutsideChain, message)
                        .hint("add that line above it, such as: Chain OUTPUT (policy ACCEPT)");
                    (self.say)(line.number, line.span(), problem);
                }
                continue;
            };
            if let Some(number) = row.as_ref().and_then(|row| row.number) {
                self.fill_to(number, chain, line);
            }
            let continued = lines
                .get(at + 1)
                .and_then(|next| self.continued(line, next, fits.unwrap_or_default()));
            if let Some(whole) = continued {
                joined = lines.get(at + 1).map(|next| next.number);
                if let Some(row) = fits.and_then(|fits| fits.read(whole.text)) {
                    let rule = self.rule(&whole, &row);
                    self.ruleset.tables[self.open.table].chains[chain]
                        .rules
                        .push(rule);
                    continue;
                }
            }
            let rule = match row {
                Some(row) => self.rule(line, &row),
                None => self.damaged(line),
            };
            self.ruleset.tables[self.open.table].chains[chain]
                .rules
                .push(rule);
        }
    }

    /// A row joined with the line after it, if a mail or a terminal has wrapped the row. All words
    /// of that line must be words of the rule.
    fn continued(
        &mut self,
        line: &Line<'a>,
        next: &Line<'a>,
        columns: Columns,
    ) -> Option<Line<'a>> {
        let is_own = |text: &str| {
            text.trim().is_empty()
                || Head::of(text).is_some()
                || Columns::of_head(text).is_some()
                || columns.read(text).is_some()
                || !text.trim_start().starts_with(|first: char| {
                    first.is_ascii_alphabetic() || matches!(first, '/' | '!')
                })
        };
        if is_own(next.text) {
            return None;
        }
        let end = next.start + next.text.len();
        let whole = Line {
            text: self.text.get(line.start..end)?,
            ..*line
        };
        let row = columns.read(whole.text)?;
        let target = row
            .target
            .and_then(|(_, name)| Id::named(name, Role::Target, Some(self.ruleset.family)));
        let read = self
            .phrases
            .read((whole.text, row.tail, whole.start), target, self.ruleset);
        (read.unread.is_empty() && read.unread_target.is_none()).then_some(whole)
    }

    /// Adds a rule for each number before `number` that the listing does not show, so that the
    /// others keep their numbers.
    fn fill_to(&mut self, number: u32, chain: usize, line: &Line<'a>) {
        let held = |reader: &Self| {
            reader.ruleset.tables[reader.open.table].chains[chain]
                .rules
                .len() as u64
                + 1
        };
        let first = held(self);
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
            format!("{rules} not shown: what they ask and do is unknown"),
        )
        .hint("paste the listing with all of its lines");
        (self.say)(line.number, line.span(), problem);
        while held(self) < u64::from(number) {
            let rule = self.unknown_rule(&format!("rule {} is not shown", held(self)), line);
            self.ruleset.tables[self.open.table].chains[chain]
                .rules
                .push(rule);
        }
    }

    /// Keeps a rule of which a column is gone, nobody knows which: it may do anything to any
    /// packet.
    fn damaged(&mut self, line: &Line<'a>) -> Rule {
        let problem = Problem::new(
            Code::DamagedRow,
            "this rule does not fit the columns: what it asks and does is unknown",
        )
        .hint("a rule has its target, protocol, source and destination in columns");
        (self.say)(line.number, line.span(), problem);
        self.unknown_rule(line.text.trim(), line)
    }

    /// A rule that may do anything to any packet.
    fn unknown_rule(&mut self, words: &str, line: &Line<'a>) -> Rule {
        let text = self.ruleset.keep(words);
        let first = u32::try_from(self.ruleset.parts.len())
            .expect("parts are fewer than bytes of a text below 4 GiB");
        let (option, _) = Id::UNLISTED
            .get()
            .option("--words")
            .expect("it is in the table");
        let part = |extension, option| Part {
            extension,
            option,
            negated: false,
            opens: true,
            value: Value::Text(text),
        };
        self.ruleset.parts.extend([
            part(Id::UNLISTED, option),
            part(Id::OPAQUE_TARGET, Part::BARE),
        ]);
        let target = Target::Extension(Id::OPAQUE_TARGET);
        let kept = Rule {
            first,
            matches: 1,
            parameters: 1,
            target,
            ..Rule::default()
        };
        Rule {
            line: line.number,
            span: line.span(),
            ..kept
        }
    }

    fn lost(&mut self, loss: Loss, line: &Line, span: Span) {
        self.listings.losses.say(loss, line.number, span, self.say);
    }

    /// Reads the line of one rule.
    fn rule(&mut self, line: &Line<'a>, row: &Row<'a>) -> Rule {
        let behind = line.text[row.tail..].trim_start();
        let (goto, tail) = match behind.strip_prefix("[goto]") {
            Some(rest) => (true, line.text.len() - rest.len()),
            None => (false, row.tail),
        };
        let chains = &self.ruleset.tables[self.open.table].chains;
        let is_known = |name| goto || self.open.chains.find(chains, name).is_some();
        let named = |name| Id::named(name, Role::Target, Some(self.ruleset.family));
        let target = row
            .target
            .filter(|(_, name)| !is_known(*name))
            .and_then(|(_, name)| named(name));
        let mut read = self
            .phrases
            .read((line.text, tail, line.start), target, self.ruleset);
        // A note that somebody has put at the end of the row.
        read.unread
            .retain(|span| !span.of(self.text).starts_with(['#', '<', '←']));

        move_named_owners(&mut read);
        // iptables could not print the options of the target.
        let is_last = |span: &Span| span.of(self.text) == "[unsupported revision]";
        if target.is_some() && read.unread.last().is_some_and(is_last) {
            read.unread_target = read.unread.pop();
        }

        let mut words = header(line, row, self.ruleset.family);
        if let Some(port) = read.matches.windows(2).find(|pair| is_named_port(pair)) {
            self.lost(Loss::Services, line, port[1].span);
        }
        words.extend(read.matches);
        self.unlisted(line, row, &read.unread, &mut words);
        if let (Some(at), None) = (row.target, read.unread_target) {
            words.push(bare(if goto { "-g" } else { "-j" }, line.word(at)));
            words.push(bare(at.1, line.word(at)));
            words.extend(read.options);
        }
        let site = Site {
            table: self.open.table,
            name: self.open.name,
            chains: &self.open.chains,
            printed: false,
        };
        let mut say = |span, problem| (self.say)(line.number, span, problem);
        let mut rule = self
            .listings
            .rules
            .read(self.text, &words, self.ruleset, site, &mut say)
            .rule;
        if let (Some((_, name)), Some(span)) = (row.target, read.unread_target) {
            self.listings
                .losses
                .unread(span.of(self.text), line.number, span, self.say);
            keep_target(name, span.of(self.text), &mut rule, self.ruleset);
        }
        if let Some(at) = row.rounded {
            self.lost(Loss::Rounded, line, line.word(at));
        }
        Rule {
            line: line.number,
            span: line.span(),
            counters: self.ruleset.count(row.counters),
            ..rule
        }
    }

    /// Adds what the line does not show, or in words that are not understood.
    fn unlisted(
        &mut self,
        line: &Line<'a>,
        row: &Row<'a>,
        unread: &[Span],
        words: &mut Vec<Word<'a>>,
    ) {
        let open = words.len();
        if row.interfaces.is_none() {
            words.push(bare("--interfaces", line.span()));
            self.lost(Loss::Interfaces, line, line.span());
        }
        for (flag, at) in [
            ("--source-name", row.source),
            ("--destination-name", row.destination),
        ] {
            let (negated, name) = negation(at.1);
            if is_named(name) {
                let span = line.word(at);
                words.extend(negated.then(|| bare("!", span)));
                words.extend([bare(flag, span), value(name, span)]);
                let loss = if at.1.is_empty() {
                    Loss::TakenOut
                } else {
                    Loss::Addresses
                };
                self.lost(loss, line, if at.1.is_empty() { line.span() } else { span });
            }
        }
        for span in unread {
            let text = span.of(self.text);
            words.extend([bare("--words", *span), value(text, *span)]);
            self.listings
                .losses
                .unread(text, line.number, *span, self.say);
        }
        if words.len() > open {
            let opening = [
                bare("-m", line.span()),
                bare(Id::UNLISTED.get().name, line.span()),
            ];
            words.splice(open..open, opening);
        }
    }
}

/// Moves the names of users and groups to the words that are not understood: a listing without `-n`
/// prints names for ids, and their ids are unknown.
fn move_named_owners(read: &mut phrases::Read) {
    let is_name = |pair: &[Word]| {
        ["--uid-owner", "--gid-owner"].contains(&&*pair[0].text)
            && !pair[1].text.starts_with(|sign: char| sign.is_ascii_digit())
    };
    while let Some(at) = read.matches.windows(2).position(is_name) {
        let negated = usize::from(at > 0 && read.matches[at - 1].is("!"));
        read.unread.push(read.matches[at].span);
        read.matches.drain(at - negated..at + 2);
    }
    // iptables has no `-m owner` without options.
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

/// More rules than this before a number are no rules that somebody left out.
const MAX_MISSING_RULES: u64 = 10_000;

/// Whether a line is a note in brackets that somebody has put among the rows: `(empty)`, `[...]`.
fn is_note(line: &str) -> bool {
    let line = line
        .trim()
        .trim_start_matches(|character: char| character.is_ascii_digit())
        .trim_start();
    line.starts_with(['(', '[', '<', '.', '…']) && line.ends_with([')', ']', '>', '.', '…'])
}

/// What stands in the columns, as options.
fn header<'a>(line: &Line<'a>, row: &Row<'a>, family: Family) -> Vec<Word<'a>> {
    let mut words = Vec::new();
    let everybody = if family == Family::Ipv4 {
        "0.0.0.0/0"
    } else {
        "::/0"
    };
    let mut add = |flag: &'static str, at: At<'a>, any: &[&str]| {
        let (negated, text) = negation(at.1);
        let span = line.word(at);
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
        words.extend(at.1.starts_with('!').then(|| bare("!", line.word(at))));
        words.push(bare("-f", line.word(at)));
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

/// A word that is no option, whatever it looks like.
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

/// Whether a word in the columns of addresses is a name: or is empty, where an address was taken
/// out.
fn is_named(word: &str) -> bool {
    let address = word.split('/').next().unwrap_or_default();
    let is_digit = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    let is_address = address.contains(':') || !address.is_empty() && address.bytes().all(is_digit);
    word != "anywhere" && !is_address
}

/// Whether an option and its value are a port by the name of its service.
fn is_named_port(pair: &[Word]) -> bool {
    let flag = ["--sport", "--dport", "--sports", "--dports", "--ports"].contains(&&*pair[0].text);
    flag && pair[1].text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// Keeps a target as the listing has it: with its name in front.
fn keep_target(name: &str, words: &str, rule: &mut Rule, ruleset: &mut Ruleset) {
    let kept = if words.starts_with(name) {
        words.to_owned()
    } else {
        format!("{name} {words}")
    };
    let value = Value::Text(ruleset.keep(&kept));
    let part = Part {
        extension: Id::OPAQUE_TARGET,
        option: Part::BARE,
        negated: false,
        opens: true,
        value,
    };
    ruleset.parts.push(part);
    rule.parameters = 1;
    rule.target = Target::Extension(Id::OPAQUE_TARGET);
}
