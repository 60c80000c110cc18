//! Assembles statements to tables and rule sets. Every format passes its statements to the
//! assembler: a table begins, a chain is declared, a rule is appended, a command is carried out.
//!
//! Tables of one family and backend form a rule set. If a rule set already has a table, another
//! table with the same name begins a new rule set.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::iptables::extension::{Id, Role};
use crate::iptables::table_name::TableName;
use crate::netfilter::backend::Backend;
use crate::netfilter::ruleset::{Chain, Counters, Off, Policy, Rule, Ruleset};
use crate::packet::Family;
use crate::text::diagnostic::{Code, Diagnostics, Fix, Problem, Severity, Span};
use crate::text::print_time::PrintTime;

use super::command::{self, Global, Verb};
use super::open_table::{self, OpenTable};
use super::rule::RuleReader;
use super::source_line::{Input, Reports, SourceLine};
use super::validate_table;
use super::words::{self, Rest, Word};

mod listed_rules;

pub(super) use listed_rules::ListedRule;

/// The maximum number of rule sets. It stops a text that opens one table again and again.
pub(super) const MAX_RULESETS: usize = 64;

/// More diagnostics of one severity are not kept.
const MAX_CLEANUPS: usize = 100;

/// The bytes of a text in which an address that shows the family is searched for, if no header
/// states the family.
const EVIDENCE_WINDOW: usize = 64 * 1024;

/// The origin of rules, known from their header, the command above them, or the capture that holds
/// them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DumpOrigin {
    pub(super) family: Option<Family>,
    pub(super) backend: Option<Backend>,
    /// The version of the program that printed the rules.
    pub(super) version: Option<String>,
    /// The time at which it printed them.
    pub(super) printed_at: Option<PrintTime>,
}

/// The table to which the next rule of a dump belongs.
enum CurrentTable {
    /// No table has begun, or the last one has ended.
    None,
    Open(OpenTable),
    /// A table that is not read: its lines are skipped.
    Skipped,
}

/// A command of iptables: which program, and how its failure counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Program {
    pub(super) family: Family,
    pub(super) backend: Option<Backend>,
    /// Whether a failure does not count: `iptables -D … || true`.
    pub(super) may_fail: bool,
    /// Whether the command certainly ran.
    pub(super) is_sure: bool,
}

/// Makes rule sets from statements.
pub(super) struct Assembler<'a, 'r> {
    source: u32,
    /// The origin that the surroundings of the text state. It is stronger than a header.
    stated: DumpOrigin,
    header: DumpOrigin,
    pub(super) rulesets: &'r mut Vec<Ruleset>,
    pub(super) reports: Reports<'a, 'r>,
    current: CurrentTable,
    /// The tables that commands made.
    live: Vec<OpenTable>,
    /// The number of chains of dumps so far.
    chains: usize,
    /// The beginning of the open table's line.
    opened_at: Span,
    /// The end of the open table's last line.
    last_line_end: Span,
    /// The tables that were changed since the last [`Self::take_touched`]: rule set and name.
    touched: Vec<(usize, TableName)>,
    /// The end of the text in which an address may show the family.
    evidence_end: usize,
    /// Whether any line states counters.
    pub(super) has_counters: bool,
    /// Whether the text is not a plain dump: a table has no COMMIT, a rule has no table, or a
    /// command prints rules.
    pub(super) needs_cleaning: bool,
    /// Commands that remove what the text did not make before, with what to report of them.
    cleanups: Vec<(u32, Span, Problem)>,
    words: Vec<Word<'static>>,
    rule: RuleReader,
}

impl<'a, 'r> Assembler<'a, 'r> {
    pub(super) fn new(
        input: &'a Input<'a>,
        source: u32,
        stated: Option<(Family, Option<Backend>)>,
        rulesets: &'r mut Vec<Ruleset>,
        diagnostics: &'r mut Diagnostics,
    ) -> Self {
        let (family, backend) =
            stated.map_or((None, None), |(family, backend)| (Some(family), backend));
        let stated = DumpOrigin {
            family,
            backend,
            ..DumpOrigin::default()
        };
        Self {
            source,
            header: stated.clone(),
            stated,
            rulesets,
            reports: Reports { input, diagnostics },
            current: CurrentTable::None,
            live: Vec::new(),
            chains: 0,
            opened_at: Span::default(),
            last_line_end: Span::default(),
            touched: Vec::new(),
            evidence_end: usize::MAX,
            has_counters: false,
            needs_cleaning: false,
            cleanups: Vec::new(),
            words: Vec::new(),
            rule: RuleReader::default(),
        }
    }

    /// The text that is being read.
    pub(super) fn source(&self) -> u32 {
        self.source
    }

    /// States the origin of the tables that follow. A capture is stronger than a header in its
    /// text.
    pub(super) fn begin_origin(&mut self, origin: DumpOrigin) {
        self.header = DumpOrigin {
            family: self.stated.family.or(origin.family),
            backend: self.stated.backend.or(origin.backend),
            version: origin.version,
            printed_at: origin.printed_at,
        };
    }

    /// Begins a part of the text without a header of its own. It ends at byte `end` of its text.
    pub(super) fn begin_fragment(&mut self, origin: DumpOrigin, text: &str, range: (usize, usize)) {
        let family = origin
            .family
            .or_else(|| find_family(&text[range.0..range.1]));
        self.evidence_end = range.1;
        self.begin_origin(DumpOrigin { family, ..origin });
    }

    /// The tables that were changed since the last call: rule set and name, in the order of the
    /// text.
    pub(super) fn take_touched(&mut self) -> Vec<(usize, TableName)> {
        std::mem::take(&mut self.touched)
    }

    /// Records that a table was changed.
    pub(super) fn touch(&mut self, ruleset: usize, table: TableName) {
        if self.touched.last() != Some(&(ruleset, table)) {
            self.touched.push((ruleset, table));
        }
    }

    /// Whether the lines of an unknown table are skipped.
    pub(super) fn is_skipping(&self) -> bool {
        matches!(self.current, CurrentTable::Skipped)
    }

    /// Records the end of a line of a dump, where a missing COMMIT belongs.
    pub(super) fn note_line(&mut self, line: &SourceLine) {
        let span = line.to_input(line.own_span(), self.reports.input);
        self.last_line_end = Span {
            start: span.end,
            end: span.end,
        };
    }

    /// `*nat`
    pub(super) fn begin_named_table(&mut self, line: &SourceLine, name: &str) {
        self.end_table(false);
        match TableName::from_text(name) {
            Some(table) => self.begin_table(line, table),
            None => {
                self.current = CurrentTable::Skipped;
                let message = format!("unknown table `{name}`; its lines are skipped");
                let problem = Problem::new(Code::UnknownTable, message)
                    .hint("the tables are raw, mangle, nat, filter and security");
                self.reports.of_line(line, problem);
            }
        }
    }

    /// Begins a table, whose first line is `line`.
    pub(super) fn begin_table(&mut self, line: &SourceLine, name: TableName) {
        self.end_table(false);
        let Some(ruleset) = self.ruleset_for(name, line) else {
            self.current = CurrentTable::Skipped;
            let message =
                format!("this text holds more than {MAX_RULESETS} rule sets; the rest is left out");
            let problem =
                Problem::new(Code::PartNotRead, message).hint("paste fewer dumps at once");
            return self.reports.of_line(line, problem);
        };
        let Ruleset {
            family, backend, ..
        } = self.rulesets[ruleset];
        let tables = &mut self.rulesets[ruleset].tables;
        tables.push(name.empty_table(family, line.number));
        let open = OpenTable::new(backend, ruleset, tables.len() - 1, name);
        let start = line.to_input(line.own_span(), self.reports.input).start;
        self.opened_at = Span { start, end: start };
        self.touch(ruleset, name);
        self.current = CurrentTable::Open(open);
    }

    /// The rule set of a table: the current one, unless the header has changed, it has this table
    /// already, or commands have made it.
    fn ruleset_for(&mut self, table: TableName, line: &SourceLine) -> Option<usize> {
        let header = &self.header;
        let place = self.rulesets.len().wrapping_sub(1);
        let is_made = self.live.iter().any(|open| open.ruleset == place);
        let has_other_time = |set: &Ruleset| match (set.printed_at, header.printed_at) {
            (Some(one), Some(other)) => !one.may_be_one_dump(other),
            _ => false,
        };
        let continues = |set: &Ruleset| {
            !is_made
                && !has_other_time(set)
                && set.source == self.source
                && header.family.is_none_or(|family| family == set.family)
                && header.backend == set.backend
                && set.table(table).is_none()
        };
        if let Some(set) = self.rulesets.last_mut().filter(|set| continues(set)) {
            set.printed_at = header.printed_at.or(set.printed_at);
            return Some(self.rulesets.len() - 1);
        }
        if self.rulesets.len() == MAX_RULESETS {
            return None;
        }
        let evidence = line
            .text
            .get(line.start..self.evidence_end.min(line.text.len()))
            .unwrap_or_default();
        let family = header
            .family
            .or_else(|| find_family(evidence))
            .unwrap_or(Family::Ipv4);
        let mut ruleset = Ruleset::new(family, header.backend);
        ruleset.version.clone_from(&header.version);
        ruleset.printed_at = header.printed_at;
        ruleset.source = self.source;
        self.rulesets.push(ruleset);
        Some(self.rulesets.len() - 1)
    }

    /// Declares a chain of the open table: `:OUTPUT ACCEPT [0:0]`, `-N X`.
    pub(super) fn declare_chain(
        &mut self,
        line: &SourceLine,
        name: &str,
        policy: Option<&str>,
        counters: Option<&str>,
    ) {
        if !matches!(self.current, CurrentTable::Open(_)) {
            return self.report_outside_table(line);
        }
        if name.is_empty() {
            let problem = Problem::new(Code::MissingArgument, "a chain without a name");
            return self.reports.of_line(
                line,
                problem.hint("write a name, as in `:OUTPUT ACCEPT [0:0]`"),
            );
        }
        let counters = counters.map(|text| parse_counters(text).ok_or(text));
        let Some(chain) = self.add_chain(line, name, "declared", counters.and_then(Result::ok))
        else {
            return;
        };
        let problem = match (chain.hook(), policy) {
            (Some(_), Some("ACCEPT")) | (None, Some("-")) => None,
            (Some(_), Some("DROP")) => {
                chain.set_policy(Policy::Drop);
                None
            }
            (Some(_), _) => Some(
                Problem::new(
                    Code::InvalidPolicy,
                    format!("chain `{name}` has no valid policy; ACCEPT is assumed"),
                )
                .hint("use ACCEPT or DROP"),
            ),
            (None, _) => Some(
                Problem::new(
                    Code::PolicyOnUserChain,
                    format!("chain `{name}` is not built-in and cannot have a policy"),
                )
                .hint("write `-` instead of the policy"),
            ),
        };
        let name_problem = open_table::printed_name_problem(name, self.header.backend);
        let counters_problem = match counters {
            Some(Err(text)) => {
                let problem =
                    Problem::new(Code::InvalidCounters, format!("invalid counters `{text}`"));
                Some(problem.hint("write them as in `[12:720]`"))
            }
            _ => None,
        };
        for problem in [problem, name_problem, counters_problem]
            .into_iter()
            .flatten()
        {
            self.reports.of_line(line, problem);
        }
    }

    /// Adds a chain to the open table, unless the table has a chain of this name. `verb` is the
    /// form of the line.
    fn add_chain(
        &mut self,
        line: &SourceLine,
        name: &str,
        verb: &str,
        counters: Option<Counters>,
    ) -> Option<&mut Chain> {
        let CurrentTable::Open(open) = &mut self.current else {
            return None;
        };
        let ruleset = &mut self.rulesets[open.ruleset];
        let table = &ruleset.tables[open.table];
        if let Some(known) = open.chains.find(&table.chains, name) {
            let first = table.chains[known as usize].line.unwrap_or(line.number);
            let message = format!("chain {name} is {verb} again; the first time is line {first}");
            let problem = Problem::new(Code::DuplicateChain, message);
            self.reports.of_line(line, problem);
            return None;
        }
        if self.chains == open_table::MAX_CHAINS {
            self.reports.of_line(line, open_table::too_many_chains());
            return None;
        }
        self.chains += 1;
        let counters = ruleset.count(counters);
        let chain = open.add(&mut ruleset.tables[open.table], name, Some(line.number));
        chain.counters = counters;
        Some(chain)
    }

    /// Appends a rule to the open table: `[12:720] -A OUTPUT …`.
    pub(super) fn append_rule(&mut self, line: &SourceLine) {
        if self.append_like_another(line).is_none() {
            self.append_by_words(line);
        }
    }

    /// Appends a rule with the form of an earlier rule.
    fn append_like_another(&mut self, line: &SourceLine) -> Option<()> {
        let CurrentTable::Open(open) = &mut self.current else {
            return None;
        };
        if !open.shapes.wants() {
            return None;
        }
        let (counters, words) = match line.line.strip_prefix('[') {
            Some(_) => line
                .line
                .split_once(' ')
                .map(|(counters, words)| (parse_counters(counters), words))?,
            None => (None, line.line),
        };
        // A rule that may have an error is parsed word by word.
        if counters.is_none() && words.len() < line.line.len() {
            return None;
        }
        let ruleset = &mut self.rulesets[open.ruleset];
        let (chain, rule) = open.find_match(ruleset, words)?;
        debug_assert!(
            self.rule.agrees(line, ruleset, open, (chain, &rule)),
            "a rule like another is what its words make: {}",
            line.line
        );
        self.has_counters |= counters.is_some();
        let span = line.to_input(line.own_span(), self.reports.input);
        let rule = Rule {
            line: line.number,
            span,
            counters: ruleset.count(counters),
            ..rule
        };
        open_table::append(&mut ruleset.tables[open.table].chains[chain], rule);
        Some(())
    }

    /// Appends any rule, word by word.
    fn append_by_words(&mut self, line: &SourceLine) {
        let mut words = reuse(std::mem::take(&mut self.words));
        match words::split(line.line, line.start, &mut words) {
            Ok(()) => self.append_words(line, &words),
            Err((span, problem)) => self.reports.in_line(line, span, problem),
        }
        self.words = reuse(words);
    }

    /// Appends the rule of some words: `-A`, the chain, the conditions and the target, with or
    /// without counters at the beginning.
    pub(super) fn append_words<'t>(&mut self, line: &SourceLine<'t>, mut words: &[Word<'t>]) {
        let mut counters = None;
        if let [first, rest @ ..] = words
            && first.text.starts_with('[')
        {
            counters = parse_counters(&first.text);
            self.has_counters = true;
            words = rest;
        }
        let CurrentTable::Open(open) = &mut self.current else {
            return self.report_outside_table(line);
        };
        let [command, name, ..] = words else {
            return self.reports.of_line(line, not_a_rule());
        };
        let ruleset = &mut self.rulesets[open.ruleset];
        let counters = ruleset.count(counters);
        let appends = command.is("-A") || command.is("--append");
        if appends && open.find(&ruleset.tables[open.table], &name.text).is_none() {
            if self.chains == open_table::MAX_CHAINS {
                return self.reports.of_line(line, open_table::too_many_chains());
            }
            let problem = match open_table::printed_name_problem(&name.text, ruleset.backend) {
                // No line can declare it.
                Some(problem)
                    if name.text.contains(char::is_whitespace) || name.text.is_empty() =>
                {
                    return self.reports.in_line(line, name.span, problem);
                }
                Some(problem) if problem.severity == Severity::Error => problem,
                _ => undeclared_chain(open.name, &name.text, line.own_span()),
            };
            self.reports.in_line(line, name.span, problem);
            self.chains += 1;
            open.add(&mut ruleset.tables[open.table], &name.text, None);
        }
        let reports = &mut self.reports;
        let mut is_faultless = true;
        let mut report = |span, problem| {
            is_faultless = false;
            reports.in_line(line, span, problem);
        };
        let site = open.rule_site(true);
        let read = self.rule.read_rule(
            Rest {
                text: line.text,
                words,
            },
            ruleset,
            site,
            &mut report,
        );
        let own = Span {
            start: command.span.start,
            end: line.own_span().end,
        };
        if is_faultless
            && open.shapes.wants()
            && let Some(shape) = self.rule.shape(line.text, own, &read, ruleset)
        {
            open.shapes.keep(shape);
        }
        let Some(command) = read.command else {
            return self.reports.of_line(line, not_a_rule());
        };
        let span = line.to_input(line.own_span(), self.reports.input);
        let placed = |rule: Rule| Rule {
            line: line.number,
            span,
            counters: rule.counters.or(counters),
            ..rule
        };
        let rules: Vec<Rule> = std::iter::once(read.rule)
            .chain(read.more)
            .map(placed)
            .collect();
        let reports = &mut self.reports;
        let mut report = |span, problem| reports.in_line(line, span, problem);
        if open.admits(ruleset, command, (line.number, rules.len()), &mut report) {
            open.run(ruleset, command, rules, &mut report);
        }
    }

    /// `#-A OUTPUT …`: a rule that is switched off.
    pub(super) fn note_disabled_rule(&mut self, line: &SourceLine) {
        let CurrentTable::Open(open) = &self.current else {
            return;
        };
        let Some(name) = disabled_rule(line.line).and_then(|rule| rule.split_whitespace().nth(1))
        else {
            return;
        };
        let ruleset = &mut self.rulesets[open.ruleset];
        let table = &ruleset.tables[open.table];
        let Some(chain) = open.chains.find(&table.chains, name) else {
            return;
        };
        let to_u32 = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let before = to_u32(table.chains[chain as usize].rules.len());
        let span = line.to_input(line.own_span(), self.reports.input);
        ruleset.off.push(Off {
            table: to_u32(open.table),
            chain,
            before,
            line: line.number,
            span,
        });
    }

    /// Carries out a command. `words` follow the program's name. Returns whether it succeeds;
    /// `None` if that is unknown.
    pub(super) fn run_command<'t>(
        &mut self,
        line: &SourceLine<'t>,
        program: Program,
        words: &[Word<'t>],
    ) -> Option<bool> {
        if self.mark_unknown_change(line, program, words) {
            return None;
        }
        let stated = words
            .iter()
            .skip_while(|word| !word.is("-t") && !word.is("--table"))
            .nth(1);
        let table = stated
            .and_then(|word| TableName::from_text(&word.text))
            .unwrap_or(TableName::Filter);
        let at = self.live_table(program, table, line.number);
        self.touch(self.live[at].ruleset, table);
        let open = &mut self.live[at];
        let ruleset = &mut self.rulesets[open.ruleset];
        let reports = &mut self.reports;
        let mut is_readable = true;
        let mut report = |span, problem: Problem| {
            is_readable &= problem.severity != Severity::Error;
            reports.in_line(line, span, problem);
        };
        let site = open.rule_site(false);
        let read = self.rule.read_rule(
            Rest {
                text: line.text,
                words,
            },
            ruleset,
            site,
            &mut report,
        );
        let Some(command) = read.command else {
            let problem = Problem::new(Code::NotARule, "this command has no action");
            report(
                line.own_span(),
                problem.hint("add an action, such as `-A CHAIN` or `-N CHAIN`"),
            );
            return None;
        };
        let span = line.to_input(line.own_span(), reports.input);
        let placed = |rule: Rule| Rule {
            line: line.number,
            span,
            ..rule
        };
        let rules: Vec<Rule> = std::iter::once(read.rule)
            .chain(read.more)
            .map(placed)
            .collect();
        let amount = (line.number, rules.len());
        let mut report = |span, problem| reports.in_line(line, span, problem);
        if !open.admits(ruleset, command, amount, &mut report) {
            return None;
        }
        let is_asking = matches!(command.verb, Verb::List | Verb::Check);
        let is_doubtful = is_asking || !program.is_sure || open.is_doubtful(ruleset, command);
        let status = if is_doubtful {
            open.status(ruleset, command, &rules[..1])
        } else {
            Some(true)
        };
        let has_unknown = is_asking && words.iter().any(|word| word.text.contains(['$', '`']));
        // A rule with an unknown value may have been refused, and a command gives a value of its own
        // in each run.
        let status = status.filter(|_| is_readable && !has_unknown);
        if is_asking {
            // The lines that follow may be the output.
            self.needs_cleaning |= command.verb == Verb::List;
            return status;
        }
        if !program.is_sure {
            let rules = is_readable.then_some(rules);
            open.run_conditionally(ruleset, command, rules, line.number);
            return status;
        }
        let takes_away = matches!(command.verb, Verb::Delete | Verb::DeleteChain | Verb::Flush);
        let is_silent = takes_away && (program.may_fail || status.is_none());
        let makes = matches!(command.verb, Verb::Append | Verb::Insert | Verb::NewChain);
        if makes && !self.cleanups.is_empty() {
            report_cleanups(reports, std::mem::take(&mut self.cleanups));
        }
        let cleans_up = takes_away && !open.has_had_rules;
        let cleanups = &mut self.cleanups;
        let mut has_failed = false;
        open.run(ruleset, command, rules, &mut |span, problem| {
            has_failed = true;
            let finds_nothing = matches!(problem.code, Code::NoSuchRule | Code::UnknownChain);
            if cleans_up && finds_nothing && !is_silent {
                if cleanups.len() < MAX_CLEANUPS {
                    cleanups.push(reports.place(line, span, problem));
                }
            } else if !is_silent {
                reports.in_line(line, span, problem);
            }
        });
        status.map(|succeeds| succeeds && !has_failed)
    }

    /// Marks the changes of a command that depend on a word which only a run of the script
    /// determines: `-A $CHAIN`. Returns whether it is such a command.
    fn mark_unknown_change(&mut self, line: &SourceLine, program: Program, words: &[Word]) -> bool {
        let is_unknown = |word: &Word| word.text.contains(['$', '`']);
        let Some(first) = words.iter().position(is_unknown) else {
            return false;
        };
        let stated = words
            .iter()
            .skip_while(|word| !word.is("-t") && !word.is("--table"))
            .nth(1);
        let table = match stated {
            Some(word) if is_unknown(word) => None,
            Some(word) => TableName::from_text(&word.text),
            None => Some(TableName::Filter),
        };
        let verb =
            words
                .iter()
                .enumerate()
                .find_map(|(at, word)| match command::global(&word.text) {
                    Some(Global::Verb(verb)) => Some((at, verb)),
                    _ => None,
                });
        let names = |at: usize| words.get(at).is_some_and(is_unknown);
        let is_unknown_change = match verb {
            _ if table.is_none() => true,
            // `iptables $ACTION INPUT …`
            None => true,
            Some((_, Verb::NewChain | Verb::List | Verb::Check)) => false,
            Some((at, Verb::Append | Verb::Flush | Verb::DeleteChain | Verb::Zero)) => {
                names(at + 1)
            }
            // The words may name any rule.
            Some((_, Verb::Delete)) => true,
            Some((at, _)) => names(at + 1) || names(at + 2),
        };
        if !is_unknown_change {
            return false;
        }
        let chain = verb
            .and_then(|(at, _)| words.get(at + 1))
            .map(|word| &*word.text);
        if let (Some(table), Some(chain)) = (table, chain) {
            let at = self.live_table(program, table, line.number);
            self.touch(self.live[at].ruleset, table);
            let open = &mut self.live[at];
            let ruleset = &mut self.rulesets[open.ruleset];
            let is_known = words
                .get(verb.map_or(0, |(at, _)| at + 2))
                .is_none_or(|word| !is_unknown(word));
            match open.find(&ruleset.tables[open.table], chain) {
                Some(chain) if is_known && verb.is_some_and(|(_, verb)| verb == Verb::Delete) => {
                    if !open.mark_deletable_rules(ruleset, chain as usize, line.number) {
                        return false;
                    }
                }
                // The script created a chain with this name.
                Some(_) if is_known => return false,
                Some(chain) => open.mark_chain(
                    ruleset,
                    chain as usize,
                    verb.map(|(_, verb)| verb),
                    line.number,
                ),
                None => open.mark_all_chains(ruleset, line.number),
            }
        } else {
            self.mark_unknown_command(program, table, line.number);
        }
        let message = "its value is not in this text: what the command changes is unknown";
        let problem =
            Problem::new(Code::UnknownVariable, message).hint("replace it with its value");
        self.reports.in_line(line, words[first].span, problem);
        true
    }

    /// Marks the chains that an unreadable command may have changed: those of a table, or of all
    /// tables.
    pub(super) fn mark_unknown_command(
        &mut self,
        program: Program,
        table: Option<TableName>,
        line: u32,
    ) {
        for name in TableName::ALL
            .into_iter()
            .filter(|name| table.is_none_or(|table| table == *name))
        {
            let at = self.live_table(program, name, line);
            self.touch(self.live[at].ruleset, name);
            let open = &mut self.live[at];
            open.mark_all_chains(&mut self.rulesets[open.ruleset], line);
        }
    }

    /// Marks all chains that commands made.
    pub(super) fn mark_live_tables(&mut self, line: u32) {
        for open in &mut self.live {
            open.mark_all_chains(&mut self.rulesets[open.ruleset], line);
        }
    }

    /// Carries out a command whose words a shell splits. Returns whether it succeeds; `None` if
    /// that is unknown.
    pub(super) fn run_shell_command(
        &mut self,
        line: &SourceLine,
        program: Program,
        words_at: usize,
    ) -> Option<bool> {
        let mut words = reuse(std::mem::take(&mut self.words));
        let status =
            match words::split_shell(&line.line[words_at..], line.start + words_at, &mut words) {
                Ok(()) => self.run_command(line, program, &words),
                Err((span, problem)) => {
                    self.reports.in_line(line, span, problem);
                    None
                }
            };
        self.words = reuse(words);
        status
    }

    /// The table that commands of a program change. It is created if it does not exist.
    fn live_table(&mut self, program: Program, name: TableName, line: u32) -> usize {
        let is_own = |ruleset: &Ruleset| {
            ruleset.family == program.family && ruleset.backend == program.backend
        };
        let of_program = self
            .live
            .iter()
            .map(|open| open.ruleset)
            .find(|place| is_own(&self.rulesets[*place]));
        let ruleset = of_program.unwrap_or_else(|| {
            let set = Ruleset {
                source: self.source,
                ..Ruleset::new(program.family, program.backend)
            };
            self.rulesets.push(set);
            self.rulesets.len() - 1
        });
        let tables = &mut self.rulesets[ruleset].tables;
        let held = self
            .live
            .iter()
            .position(|open| (open.ruleset, open.name) == (ruleset, name));
        held.unwrap_or_else(|| {
            let mut table = name.empty_table(program.family, line);
            let mut open = OpenTable::new(program.backend, ruleset, tables.len(), name);
            for hook in name.hooks() {
                open.add(&mut table, hook.name(), None);
            }
            tables.push(table);
            self.live.push(open);
            self.live.len() - 1
        })
    }

    fn report_outside_table(&mut self, line: &SourceLine) {
        self.needs_cleaning = true;
        let problem = Problem::new(
            Code::OutsideTable,
            "this line is outside any table; it is skipped",
        )
        .hint("add the line that names its table before it, such as `*nat`");
        self.reports.of_line(line, problem);
    }

    /// Ends the open table. `has_commit` states whether the input contains its end.
    pub(super) fn end_table(&mut self, has_commit: bool) {
        let CurrentTable::Open(open) = std::mem::replace(&mut self.current, CurrentTable::None)
        else {
            return;
        };
        let ruleset = &mut self.rulesets[open.ruleset];
        let reports = &mut self.reports;
        let mut report = |line, span, problem| reports.at(line, span, problem);
        validate_table::table(ruleset, open.table, &open.chains, &mut report);
        if !has_commit {
            self.needs_cleaning = true;
            let message = format!("table {}, opened here, has no COMMIT", open.name);
            let problem = Problem::new(Code::MissingCommit, message)
                .hint("check whether the end of the dump is missing")
                .fix(Fix {
                    label: "Add COMMIT".into(),
                    span: self.last_line_end,
                    replacement: "\nCOMMIT".into(),
                });
            report(ruleset.tables[open.table].line, self.opened_at, problem);
        }
    }

    /// Ends all tables. Returns the rule sets that commands made. Their tables get the order in
    /// which iptables prints them.
    pub(super) fn finish(mut self) -> Vec<usize> {
        self.end_table(false);
        for (line, span, problem) in std::mem::take(&mut self.cleanups) {
            self.reports.at(line, span, problem);
        }
        let mut made = Vec::new();
        for mut open in std::mem::take(&mut self.live) {
            if !made.contains(&open.ruleset) {
                made.push(open.ruleset);
            }
            let ruleset = &mut self.rulesets[open.ruleset];
            open.sort(&mut ruleset.tables[open.table]);
            let reports = &mut self.reports;
            let mut report = |line, span, problem| reports.at(line, span, problem);
            validate_table::table(ruleset, open.table, &open.chains, &mut report);
        }
        for ruleset in &made {
            order_tables(&mut self.rulesets[*ruleset]);
        }
        made
    }
}

/// Empties a list of words and keeps its memory for the words of another text.
fn reuse<'from, 'to>(mut words: Vec<Word<'from>>) -> Vec<Word<'to>> {
    words.clear();
    // The standard library collects in place if the layouts are equal.
    words.into_iter().map_while(|_| None).collect()
}

/// Reports commands that clean up before others make rules: the text does not show what they
/// remove, and they change nothing of what it shows.
fn report_cleanups(reports: &mut Reports, cleanups: Vec<(u32, Span, Problem)>) {
    for (line, span, problem) in cleanups {
        let message = format!("{}: the command changes nothing", problem.message);
        let problem = Problem {
            severity: Severity::Note,
            ..Problem::new(problem.code, message)
        };
        reports.at(
            line,
            span,
            problem.hint("it cleans up before the rules that follow"),
        );
    }
}

fn not_a_rule() -> Problem {
    Problem::new(Code::NotARule, "this line is not a rule")
        .hint("begin a rule with `-A` and the name of a chain")
}

/// The problem of a chain that a rule on a line names first.
fn undeclared_chain(table: TableName, name: &str, line: Span) -> Problem {
    let is_built_in = table.hooks().iter().any(|hook| hook.name() == name);
    let policy = if is_built_in { "ACCEPT" } else { "-" };
    let declares = format!(":{name} {policy} [0:0]");
    let fix = Fix {
        label: format!("Declare chain {name}"),
        span: Span {
            start: line.start,
            end: line.start,
        },
        replacement: format!("{declares}\n"),
    };
    let hint = format!("add a line {declares}");
    if is_built_in {
        // The kernel has it all the same, and iptables-restore takes such a rule.
        let message = format!("the policy of the built-in chain {name} is not shown");
        let problem = Problem::new(Code::UndeclaredChain, message)
            .hint(hint)
            .fix(fix);
        return Problem {
            severity: Severity::Note,
            ..problem
        };
    }
    Problem::new(
        Code::UndeclaredChain,
        format!("chain `{name}` is not declared"),
    )
    .hint(hint)
    .fix(fix)
}

/// The order in which iptables prints tables that commands made. Legacy prints the table that was
/// used first last. nft always prints the same order (measured with 1.8.9).
fn order_tables(ruleset: &mut Ruleset) {
    use TableName::{Filter, Mangle, Nat, Raw, Security};
    const NFT: [TableName; 5] = [Mangle, Security, Raw, Filter, Nat];
    match ruleset.backend {
        Some(Backend::Nft) => {
            ruleset.sort_tables_by_key(|_, table| NFT.iter().position(|name| table.is(*name)));
        }
        _ => ruleset.sort_tables_by_key(|place, _| std::cmp::Reverse(place)),
    }
}

/// The words after the `#` of a rule that is switched off: `-A OUTPUT …`, without counters.
pub(crate) fn disabled_rule(line: &str) -> Option<&str> {
    let line = line.trim_start_matches('#').trim_start();
    let rule = if line.starts_with('[') {
        line.split_once("] ").map_or("", |(_, rule)| rule)
    } else {
        line
    };
    rule.starts_with("-A ").then_some(rule)
}

/// `[12:720]`
pub(super) fn parse_counters(text: &str) -> Option<Counters> {
    let (packets, bytes) = text.strip_prefix('[')?.strip_suffix(']')?.split_once(':')?;
    Some(Counters {
        packets: packets.parse().ok()?,
        bytes: bytes.parse().ok()?,
    })
}

/// The family of the first address, protocol, match or target that only one family has.
pub(super) fn find_family(text: &str) -> Option<Family> {
    let mut end = text.len().min(EVIDENCE_WINDOW);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let window = text[..end]
        .split("# Generated by")
        .next()
        .unwrap_or_default();
    let mut opens = None;
    window.split_whitespace().find_map(|word| {
        let address = word.split('/').next().unwrap_or_default();
        if ["ipv6-icmp", "icmpv6", "icmp6"].contains(&word) || address.parse::<Ipv6Addr>().is_ok() {
            return Some(Family::Ipv6);
        }
        let role = opens.take();
        opens = match word {
            "-m" => Some(Role::Match),
            "-j" => Some(Role::Target),
            _ => None,
        };
        role.and_then(|role| Id::only_family(word, role))
            .or_else(|| {
                (word == "icmp" || address.parse::<Ipv4Addr>().is_ok()).then_some(Family::Ipv4)
            })
    })
}
