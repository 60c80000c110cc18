//! The format of `iptables-save`: `*table`, `:CHAIN POLICY [packets:bytes]`, `-A CHAIN …`, `COMMIT`, line by line; and
//! lines that call `iptables`, which are carried out one after the other.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::iptables::extension::{Id, Role};
use crate::iptables::table_name::TableName;
use crate::netfilter::backend::Backend;
use crate::netfilter::ruleset::{Counters, Off, Policy, Rule, Ruleset};
use crate::packet::Family;
use crate::text::diagnostic::{Code, Diagnostics, Fix, Problem, Severity, Span};

use super::command::Verb;
use super::edit::{self, Open};
use super::rule::{RuleReader, Site};
use super::unsupported_input;
use super::validate_table;
use super::words::{self, Word};

/// More rule sets than any node has; a text that opens the same table again and again does not open more.
const MOST_RULESETS: usize = 64;

/// How far to look for an address that tells the family, where no header does.
const EVIDENCE_WINDOW: usize = 64 * 1024;

/// What a header line says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Header {
    family: Option<Family>,
    backend: Option<Backend>,
    version: Option<String>,
}

/// How a text is to be read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Manner<'m> {
    /// What its surroundings say of it.
    pub(super) stated: Option<(Family, Option<Backend>)>,
    /// Whether to stop at the first line that is no dump's, or that has an error.
    pub(super) strict: bool,
    /// Lines, from 1, whose commands may find nothing to delete.
    pub(super) may_fail: &'m [u32],
    /// The number to say of each line, where it is not its own.
    pub(super) numbers: Option<&'m [u32]>,
}

/// A table that a line opened or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Touched {
    /// The line, from 1.
    pub(super) line: u32,
    /// Its rule set's place.
    pub(super) ruleset: usize,
    pub(super) table: TableName,
}

/// What became of a text.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Whether each of its lines is a dump's, in its place.
    pub(super) clean: bool,
    /// The tables, in the order of the lines.
    pub(super) touched: Vec<Touched>,
    /// The rule sets that commands made.
    pub(super) made: Vec<usize>,
    /// Whether any line states counters.
    pub(super) counted: bool,
    /// Whether a comment is a message of iptables.
    pub(super) message: bool,
}

/// Reads one text.
pub(super) fn read(
    text: &str,
    source: u32,
    manner: Manner,
    rulesets: &mut Vec<Ruleset>,
    diagnostics: &mut Diagnostics,
) -> Outcome {
    let Manner { stated, strict, may_fail, numbers } = manner;
    let (family, backend) = stated.map_or((None, None), |(family, backend)| (Some(family), backend));
    let header = Header { family, backend, version: None };
    let mut reader = Reader {
        text,
        source,
        stated: header.clone(),
        header,
        rulesets,
        diagnostics,
        open: None,
        live: Vec::new(),
        chains: 0,
        strayed: false,
        foreign: false,
        may_fail,
        at: 0,
        opened_at: 0,
        last: Span::default(),
        outcome: Outcome::default(),
        words: Vec::new(),
        rule: RuleReader::default(),
    };
    let mut start = 0;
    for (at, line) in (1..).zip(lines(text)) {
        reader.at = at;
        let number = numbers.and_then(|numbers| numbers.get(at as usize - 1)).copied().unwrap_or(at);
        reader.line(number, start, line);
        start += line.len() + 1;
        if strict && (reader.foreign || reader.diagnostics.errors) {
            return reader.outcome;
        }
    }
    reader.close_table(None);
    reader.close_live();
    Outcome { clean: !reader.foreign, ..reader.outcome }
}

/// Whether the last line of a text that says anything is of a table: so its COMMIT is missing.
pub(super) fn ends_open(text: &str) -> bool {
    let lines = text.rsplit('\n').map(str::trim_start);
    let says = |line: &&str| !line.is_empty() && !line.starts_with('#');
    lines.into_iter().find(says).is_some_and(|line| line.starts_with(['*', ':', '-', '[']))
}

/// Lines without their ends; memchr is several times faster here than `str::lines`.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut start = 0;
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).chain(std::iter::once(text.len()));
    ends.map(move |end| {
        let line = &text[start..end];
        start = end + 1;
        line
    })
}

struct Reader<'a, 'r> {
    text: &'a str,
    source: u32,
    stated: Header,
    header: Header,
    rulesets: &'r mut Vec<Ruleset>,
    diagnostics: &'r mut Diagnostics,
    open: Option<Open>,
    /// The tables that commands have made.
    live: Vec<Open>,
    /// Chains of dumps so far.
    chains: usize,
    /// Whether the reader is inside a table it does not know.
    strayed: bool,
    /// Whether a line was no dump's, or stood where none may.
    foreign: bool,
    may_fail: &'r [u32],
    /// The line being read, from 1, whatever number it goes by.
    at: u32,
    /// Where the line of the open table begins.
    opened_at: usize,
    /// The end of its last line.
    last: Span,
    outcome: Outcome,
    words: Vec<Word<'a>>,
    rule: RuleReader,
}

impl<'a> Reader<'a, '_> {
    fn line(&mut self, number: u32, start: usize, line: &'a str) {
        let rest = line.trim_start();
        let start = start + (line.len() - rest.len());
        let trimmed = rest.trim_end();
        let span = Span::new(start, start + trimmed.len());
        if matches!(trimmed.as_bytes(), [b'*' | b':' | b'-' | b'[', ..]) {
            self.last = Span { start: span.end, end: span.end };
        }
        match trimmed.as_bytes() {
            [] => {}
            [b'#', ..] => {
                self.comment(trimmed);
                self.off(number, span, trimmed);
            }
            [b'*', ..] => self.table(number, span, trimmed[1..].trim()),
            _ if self.strayed => self.strayed = trimmed != "COMMIT",
            [b':', ..] => self.chain(number, span, &trimmed[1..]),
            [b'-' | b'[', ..] => self.append(number, span, trimmed),
            b"COMMIT" => self.close_table(Some(number)),
            _ if edit::called(trimmed).is_some() => {
                // A command that goes on on the next line is no line by itself.
                self.foreign |= trimmed.ends_with('\\');
                self.call(number, span, trimmed);
            }
            _ => {
                self.foreign = true;
                let problem = Problem::new(Code::UnknownLine, "this line is not part of a dump and is left out");
                let hint = "a dump has lines that begin with #, *, :, -A, or COMMIT";
                self.say(number, span, problem.hint(hint));
            }
        }
    }

    fn say(&mut self, line: u32, span: Span, problem: Problem) {
        self.diagnostics.push(self.text, line, span, problem);
    }

    /// `# Generated by iptables-nft-save v1.8.9 (nf_tables) on …`
    fn comment(&mut self, line: &str) {
        let Some(by) = line.trim_start_matches('#').trim_start().strip_prefix("Generated by ") else {
            self.outcome.message |= unsupported_input::is_message(line);
            return;
        };
        let mut words = by.split_whitespace();
        let program = words.next().unwrap_or_default();
        let version = words.next().and_then(|word| word.strip_prefix('v')).map(str::to_owned);
        let kind = words.next().unwrap_or_default();
        // `xtables-save` (1.8.0 to 1.8.2) does not say which family it serves.
        let family = match program {
            _ if program.starts_with("ip6tables") => Some(Family::Ipv6),
            _ if program.starts_with("iptables") => Some(Family::Ipv4),
            _ => None,
        };
        let nft = program.contains("-nft") || program == "xtables-save" || kind == "(nf_tables)";
        let legacy = program.contains("-legacy") || kind == "(legacy)";
        let backend = match (nft, legacy) {
            (true, _) => Some(Backend::Nft),
            (_, true) => Some(Backend::Legacy),
            _ => None,
        };
        self.header = Header {
            // A capture knows better than the header of a program that serves both families.
            family: self.stated.family.or(family),
            backend: self.stated.backend.or(backend),
            version,
        };
    }

    /// `#-A OUTPUT …`: a rule that is switched off.
    fn off(&mut self, number: u32, span: Span, line: &str) {
        let Some(open) = &self.open else { return };
        let Some(name) = off(line).and_then(|rule| rule.split_whitespace().nth(1)) else { return };
        let ruleset = &mut self.rulesets[open.ruleset];
        let table = &ruleset.tables[open.table];
        let Some(chain) = open.chains.find(&table.chains, name) else { return };
        let to_u32 = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let before = to_u32(table.chains[chain as usize].rules.len());
        ruleset.off.push(Off { table: to_u32(open.table), chain, before, line: number, span });
    }

    fn table(&mut self, number: u32, span: Span, name: &str) {
        self.close_table(None);
        let Some(name) = TableName::from_text(name) else {
            self.strayed = true;
            let problem =
                Problem::new(Code::UnknownTable, format!("`{name}` is no table of iptables; its lines are left out"))
                    .hint("the tables are raw, mangle, nat, filter and security");
            return self.say(number, span, problem);
        };
        self.strayed = false;
        let Some(ruleset) = self.ruleset_for(name, span) else {
            self.strayed = true;
            let problem = Problem::new(
                Code::LimitExceeded,
                format!("this text holds more than {MOST_RULESETS} rule sets; the rest is left out"),
            )
            .hint("paste fewer dumps at once");
            return self.say(number, span, problem);
        };
        let Ruleset { family, backend, .. } = self.rulesets[ruleset];
        let tables = &mut self.rulesets[ruleset].tables;
        tables.push(name.empty_table(family, number));
        self.opened_at = span.start as usize;
        self.outcome.touched.push(Touched { line: self.at, ruleset, table: name });
        self.open = Some(Open::new(backend, ruleset, tables.len() - 1, name));
    }

    /// The rule set that a table belongs to: the current one, unless the header has changed or it has this table already.
    fn ruleset_for(&mut self, table: TableName, span: Span) -> Option<usize> {
        let header = self.header.clone();
        let continues = |set: &Ruleset| {
            set.source == self.source
                && header.family.is_none_or(|family| family == set.family)
                && header.backend == set.backend
                && set.table(table).is_none()
        };
        if self.rulesets.last().is_some_and(continues) {
            return Some(self.rulesets.len() - 1);
        }
        if self.rulesets.len() == MOST_RULESETS {
            return None;
        }
        let family = header.family.unwrap_or_else(|| family_by_evidence(&self.text[span.end as usize..]));
        let mut ruleset = Ruleset::new(family, header.backend);
        ruleset.version = header.version;
        ruleset.source = self.source;
        self.rulesets.push(ruleset);
        Some(self.rulesets.len() - 1)
    }

    /// `:OUTPUT ACCEPT [0:0]`
    fn chain(&mut self, number: u32, span: Span, line: &str) {
        // Only these part the words of a restore.
        let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
        let name = words.next().unwrap_or_default();
        let policy = words.next();
        let counters = words.next();
        let Some(open) = &mut self.open else { return self.homeless(number, span) };
        let ruleset = &mut self.rulesets[open.ruleset];
        let table = &ruleset.tables[open.table];
        if name.is_empty() {
            let problem = Problem::new(Code::MissingArgument, "a chain without a name")
                .hint("write it like :OUTPUT ACCEPT [0:0]");
            return self.say(number, span, problem);
        }
        if let Some(known) = open.chains.find(&table.chains, name) {
            let first = table.chains[known as usize].line.unwrap_or(number);
            let problem = Problem::new(
                Code::DuplicateChain,
                format!("chain {name} is declared again; the first time is line {first}"),
            );
            return self.say(number, span, problem);
        }
        if self.chains == edit::MOST_CHAINS {
            return self.say(number, span, edit::too_many_chains());
        }
        self.chains += 1;
        let counters = counters.map(|text| counters_of(text).ok_or(text));
        let counted = ruleset.count(counters.and_then(Result::ok));
        let chain = open.add(&mut ruleset.tables[open.table], name, Some(number));
        chain.counters = counted;
        let problem = match (chain.hook(), policy) {
            (Some(_), Some("ACCEPT")) | (None, Some("-")) => None,
            (Some(_), Some("DROP")) => {
                chain.set_policy(Policy::Drop);
                None
            }
            (Some(_), _) => Some(
                Problem::new(Code::InvalidPolicy, format!("{name} needs a policy: taken as ACCEPT"))
                    .hint("a policy is ACCEPT or DROP"),
            ),
            (None, _) => Some(
                Problem::new(
                    Code::PolicyOnUserChain,
                    format!("{name} is not built into this table and cannot have a policy"),
                )
                .hint("a user's chain has - in this place"),
            ),
        };
        if let Some(problem) = problem {
            self.say(number, span, problem);
        }
        if let Some(problem) = edit::printed_name_problem(name, self.header.backend) {
            self.say(number, span, problem);
        }
        if let Some(Err(text)) = counters {
            let problem = Problem::new(Code::InvalidCounters, format!("`{text}` are no counters"))
                .hint("write them like [12:720]");
            self.say(number, span, problem);
        }
    }

    /// `[12:720] -A OUTPUT …`
    fn append(&mut self, number: u32, span: Span, line: &'a str) {
        if self.append_alike(number, span, line).is_none() {
            self.append_any(number, span, line);
        }
    }

    /// Adds a rule that looks like one before it.
    fn append_alike(&mut self, number: u32, span: Span, line: &'a str) -> Option<()> {
        let open = self.open.as_mut().filter(|open| open.shapes.wants())?;
        let (counters, words) = match line.strip_prefix('[') {
            Some(_) => line.split_once(' ').map(|(counters, words)| (counters_of(counters), words))?,
            None => (None, line),
        };
        // What may be wrong is read in full.
        if counters.is_none() && words.len() < line.len() {
            return None;
        }
        let ruleset = &mut self.rulesets[open.ruleset];
        let (chain, rule) = open.alike(ruleset, words)?;
        debug_assert!(
            self.rule.agrees(self.text, span, ruleset, open, (chain, &rule)),
            "a rule like another is what its words make: {line}"
        );
        self.outcome.counted |= counters.is_some();
        let rule = Rule { line: number, span, counters: ruleset.count(counters), ..rule };
        edit::append(&mut ruleset.tables[open.table].chains[chain], rule);
        Some(())
    }

    /// Adds any rule, word by word.
    fn append_any(&mut self, number: u32, span: Span, line: &'a str) {
        let start = span.start as usize;
        if let Err((span, problem)) = words::split(line, start, &mut self.words) {
            return self.say(number, span, problem);
        }
        let mut words = &self.words[..];
        let mut counters = None;
        if let [first, rest @ ..] = words
            && first.text.starts_with('[')
        {
            counters = counters_of(&first.text);
            self.outcome.counted = true;
            words = rest;
        }
        if self.open.is_none() {
            return self.homeless(number, span);
        }
        let [command, name, ..] = words else {
            let hint = "a rule begins with -A and the name of a chain";
            return self.say(number, span, Problem::new(Code::NotARule, "this line is not a rule").hint(hint));
        };
        let Some(open) = &mut self.open else { return };
        let ruleset = &mut self.rulesets[open.ruleset];
        let counters = ruleset.count(counters);
        let appends = command.is("-A") || command.is("--append");
        if appends && open.find(&ruleset.tables[open.table], &name.text).is_none() {
            if self.chains == edit::MOST_CHAINS {
                return self.say(number, span, edit::too_many_chains());
            }
            let problem = match edit::printed_name_problem(&name.text, ruleset.backend) {
                // No line can declare it.
                Some(problem) if name.text.contains(char::is_whitespace) || name.text.is_empty() => {
                    return self.say(number, name.span, problem);
                }
                Some(problem) if problem.severity == Severity::Error => problem,
                _ => undeclared(open.name, &name.text, span),
            };
            self.diagnostics.push(self.text, number, name.span, problem);
            self.chains += 1;
            open.add(&mut ruleset.tables[open.table], &name.text, None);
        }
        let mut said = false;
        let mut say = |span, problem| {
            said = true;
            self.diagnostics.push(self.text, number, span, problem);
        };
        let site = Site { table: open.table, name: open.name, chains: &open.chains, printed: true };
        let line = self.rule.read(self.text, words, ruleset, site, &mut say);
        let own = Span { start: command.span.start, end: span.end };
        let shape = if said || !open.shapes.wants() { None } else { self.rule.shape(self.text, own, &line, ruleset) };
        if let Some(shape) = shape {
            open.shapes.keep(shape);
        }
        let mut say = |span, problem| self.diagnostics.push(self.text, number, span, problem);
        let Some(command) = line.command else {
            let hint = "a rule begins with -A and the name of a chain";
            return say(span, Problem::new(Code::NotARule, "this line is not a rule").hint(hint));
        };
        let placed = |rule: Rule| Rule { line: number, span, counters: rule.counters.or(counters), ..rule };
        open.run(ruleset, command, placed(line.rule), line.more.into_iter().map(placed).collect(), &mut say);
    }

    /// `iptables -t nat -A OUTPUT …`
    fn call(&mut self, number: u32, span: Span, line: &'a str) {
        let Some((offset, family, backend)) = edit::called(line) else { return };
        let may_fail = self.may_fail.binary_search(&self.at).is_ok();
        if let Err((span, problem)) = words::split_shell(&line[offset..], span.start as usize + offset, &mut self.words)
        {
            return self.say(number, span, problem);
        }
        let words = &self.words[..];
        let stated = words.iter().skip_while(|word| !word.is("-t") && !word.is("--table")).nth(1);
        let table = stated.and_then(|word| TableName::from_text(&word.text)).unwrap_or(TableName::Filter);
        let at = live(&mut self.live, self.rulesets, (family, backend), table, (self.source, number));
        let open = &mut self.live[at];
        let touched = Touched { line: self.at, ruleset: open.ruleset, table };
        if self.outcome.touched.last().is_none_or(|last| (last.ruleset, last.table) != (open.ruleset, table)) {
            self.outcome.touched.push(touched);
        }
        let ruleset = &mut self.rulesets[open.ruleset];
        let mut say = |span, problem| self.diagnostics.push(self.text, number, span, problem);
        let site = Site { table: open.table, name: open.name, chains: &open.chains, printed: false };
        let line = self.rule.read(self.text, words, ruleset, site, &mut say);
        let Some(command) = line.command else {
            let problem =
                Problem::new(Code::NotARule, "this line says nothing to do").hint("such as -A CHAIN, or -N CHAIN");
            return say(span, problem);
        };
        let lists = matches!(command.verb, Verb::List | Verb::Check);
        let placed = |rule: Rule| Rule { line: number, span, ..rule };
        let (rule, more) = (placed(line.rule), line.more.into_iter().map(placed).collect());
        let takes_away = matches!(command.verb, Verb::Delete | Verb::DeleteChain | Verb::Flush);
        if may_fail && takes_away {
            open.run(ruleset, command, rule, more, &mut |_, _| {});
        } else if !lists {
            open.run(ruleset, command, rule, more, &mut say);
        }
    }

    fn homeless(&mut self, number: u32, span: Span) {
        self.foreign = true;
        let problem = Problem::new(Code::OutsideTable, "this line stands outside any table and is left out")
            .hint("add the line that names its table above it, such as *nat");
        self.say(number, span, problem);
    }

    /// Puts the tables that commands have made into the order in which iptables prints them.
    fn close_live(&mut self) {
        let mut made = Vec::new();
        for mut open in std::mem::take(&mut self.live) {
            if !made.contains(&open.ruleset) {
                made.push(open.ruleset);
            }
            let ruleset = &mut self.rulesets[open.ruleset];
            open.sort(&mut ruleset.tables[open.table]);
            let mut say = |line, span, problem| self.diagnostics.push(self.text, line, span, problem);
            validate_table::table(ruleset, open.table, &open.chains, &mut say);
        }
        for ruleset in &made {
            order_tables(&mut self.rulesets[*ruleset]);
        }
        self.outcome.made = made;
    }

    /// `COMMIT`, or whatever ends a table that lacks it.
    fn close_table(&mut self, commit: Option<u32>) {
        let Some(open) = self.open.take() else { return };
        let ruleset = &mut self.rulesets[open.ruleset];
        let line = ruleset.tables[open.table].line;
        let mut say = |line, span, problem| self.diagnostics.push(self.text, line, span, problem);
        validate_table::table(ruleset, open.table, &open.chains, &mut say);
        if commit.is_none() {
            self.foreign = true;
            let name = open.name;
            let problem = Problem::new(Code::MissingCommit, format!("table {name}, opened here, has no COMMIT"))
                .hint("the end of the dump may be missing")
                .fix(Fix { label: "Add COMMIT".into(), span: self.last, replacement: "\nCOMMIT".into() });
            say(line, Span::new(self.opened_at, self.opened_at), problem);
        }
    }
}

/// What to say of a chain that a rule on a line names first.
fn undeclared(table: TableName, name: &str, line: Span) -> Problem {
    let policy = if table.hooks().iter().any(|hook| hook.name() == name) { "ACCEPT" } else { "-" };
    let declares = format!(":{name} {policy} [0:0]");
    let fix = Fix {
        label: format!("Declare chain {name}"),
        span: Span { start: line.start, end: line.start },
        replacement: format!("{declares}\n"),
    };
    Problem::new(Code::UndeclaredChain, format!("chain {name} is not declared"))
        .hint(format!("add a line {declares}"))
        .fix(fix)
}

/// The table that commands of one program change, made where it is not there yet.
fn live(
    live: &mut Vec<Open>,
    rulesets: &mut Vec<Ruleset>,
    (family, backend): (Family, Option<Backend>),
    name: TableName,
    (source, line): (u32, u32),
) -> usize {
    let is_of = |ruleset: &Ruleset| ruleset.family == family && ruleset.backend == backend;
    let of_program = live.iter().map(|open| open.ruleset).find(|ruleset| is_of(&rulesets[*ruleset]));
    let ruleset = of_program.unwrap_or_else(|| {
        rulesets.push(Ruleset { source, ..Ruleset::new(family, backend) });
        rulesets.len() - 1
    });
    let held = live.iter().position(|open| (open.ruleset, open.name) == (ruleset, name));
    held.unwrap_or_else(|| {
        let mut table = name.empty_table(family, line);
        let mut open = Open::new(backend, ruleset, rulesets[ruleset].tables.len(), name);
        for hook in name.hooks() {
            open.add(&mut table, hook.name(), None);
        }
        rulesets[ruleset].tables.push(table);
        live.push(open);
        live.len() - 1
    })
}

/// The order in which iptables prints tables that commands made: legacy the one that was used first last, nft always the
/// same (measured with 1.8.9).
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

/// What is behind the `#` of a rule that is switched off: `-A OUTPUT …`, without counters.
pub(crate) fn off(line: &str) -> Option<&str> {
    let line = line.trim_start_matches('#').trim_start();
    let rule = if line.starts_with('[') { line.split_once("] ").map_or("", |(_, rule)| rule) } else { line };
    rule.starts_with("-A ").then_some(rule)
}

/// `[12:720]`
pub(super) fn counters_of(text: &str) -> Option<Counters> {
    let (packets, bytes) = text.strip_prefix('[')?.strip_suffix(']')?.split_once(':')?;
    Some(Counters { packets: packets.parse().ok()?, bytes: bytes.parse().ok()? })
}

/// The family of the first address, protocol, match or target that only one family has; IPv4 if there is none.
pub(super) fn family_by_evidence(text: &str) -> Family {
    let mut end = text.len().min(EVIDENCE_WINDOW);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let window = text[..end].split("# Generated by").next().unwrap_or_default();
    let mut opens = None;
    let evidence = window.split_whitespace().find_map(|word| {
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
            .or_else(|| (word == "icmp" || address.parse::<Ipv4Addr>().is_ok()).then_some(Family::Ipv4))
    });
    evidence.unwrap_or(Family::Ipv4)
}
