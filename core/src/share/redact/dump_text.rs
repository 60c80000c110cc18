//! The lines of a dump, word by word: the properties of addresses that the rules need, and the
//! lines with neutral words.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::rc::Rc;

use crate::input::parse::words::{self, Word};
use crate::iptables::table_name::TableName;
use crate::mesh;
use crate::packet::host::Prefix;
use crate::packet::{self, Family};
use crate::text::visible::is_invisible;

use super::address_map::{AddressMap, mask_of};
use super::neutral_names::COMMENT;
use super::vocabulary::{ValueKind, Vocabulary, is_mesh_comment};
use super::{Redactor, Refusal};

/// A comment without a closing quote may extend over this many lines.
const MAX_COMMENT_LINES: usize = 16;

/// One line of a dump, or several if a quoted text contains line ends.
enum DumpLine<'a> {
    /// `*nat`
    Table(&'a str),
    /// `:OUTPUT ACCEPT [0:0]`
    Chain(&'a str),
    /// `[0:0] -A OUTPUT …`: the words, and whether a quote at the end is not closed.
    Rule(Vec<Word<'a>>, bool),
    Commit,
    /// `# …`
    Comment(&'a str),
    Blank,
    /// Anything else. No dump contains it.
    Foreign,
}

/// The lines of a text, and whether a line end follows each.
fn lines(text: &str) -> impl Iterator<Item = (DumpLine<'_>, bool)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.find('\n').unwrap_or(rest.len());
        let (line, end) = match rest[..end].trim_start().starts_with(['-', '[']) {
            true => rule(rest, end),
            false => (other(rest[..end].trim()), end),
        };
        let ends = end < rest.len();
        rest = &rest[(end + usize::from(ends))..];
        Some((line, ends))
    })
}

/// The rule at the start of a text whose first line ends at `end`, and the position of its end.
fn rule(text: &str, end: usize) -> (DumpLine<'_>, usize) {
    let mut words = Vec::new();
    let mut last = end;
    for _ in 0..MAX_COMMENT_LINES {
        if words::split(text[..last].trim_end(), 0, &mut words).is_ok() {
            return (DumpLine::Rule(words, false), last);
        }
        match text[last..]
            .get(1..)
            .map(|rest| rest.find('\n').unwrap_or(rest.len()))
        {
            Some(more) => last += 1 + more,
            None => break,
        }
    }
    // The words before the quote are complete.
    let is_open = words::split(text[..end].trim_end(), 0, &mut words).is_err();
    (DumpLine::Rule(words, is_open), end)
}

fn other(line: &str) -> DumpLine<'_> {
    match line.as_bytes() {
        [] => DumpLine::Blank,
        [b'*', ..] => DumpLine::Table(line[1..].trim()),
        [b':', ..] => DumpLine::Chain(&line[1..]),
        [b'#', ..] => DumpLine::Comment(line),
        b"COMMIT" => DumpLine::Commit,
        _ => DumpLine::Foreign,
    }
}

/// The role of a word in a rule.
#[derive(Clone, Copy)]
enum WordRole<'w> {
    /// `!`
    Bang,
    /// A known option.
    Option(&'static str),
    /// An option that no extension has.
    UnknownOption,
    /// The value of an option, which may follow a `=` in the same word.
    Value {
        flag: &'static str,
        kind: ValueKind,
        negated: bool,
        text: &'w str,
        attached: bool,
    },
    /// A further word.
    Further(&'w str),
}

/// The words of a rule with their roles, as the rule parser determines them.
fn roles<'w>(
    words: &'w [Word<'_>],
    vocabulary: &Vocabulary,
) -> impl Iterator<Item = (&'w Word<'w>, WordRole<'w>)> {
    let (mut expected, mut negated) = (None, false);
    words.iter().map(move |word| {
        let parted = if word.text.starts_with("--") {
            word.text.split_once('=')
        } else {
            None
        };
        let (flag, attached) =
            parted.map_or((&*word.text, None), |(flag, value)| (flag, Some(value)));
        let option = if word.is_option() {
            vocabulary.option(flag)
        } else {
            None
        };
        if word.is("!") {
            negated = true;
            return (word, WordRole::Bang);
        }
        if let Some((flag, kind)) = expected.take() {
            let any = matches!(
                kind,
                ValueKind::Name(_)
                    | ValueKind::Interface
                    | ValueKind::Chain
                    | ValueKind::Match
                    | ValueKind::Target
            );
            if any || option.is_none() {
                let negated = std::mem::take(&mut negated);
                return (
                    word,
                    WordRole::Value {
                        flag,
                        kind,
                        negated,
                        text: &word.text,
                        attached: false,
                    },
                );
            }
        }
        let role = match (option, attached) {
            (Some((flag, kind)), Some(text)) => WordRole::Value {
                flag,
                kind,
                negated: std::mem::take(&mut negated),
                text,
                attached: true,
            },
            (Some((flag, ValueKind::Flag)), None) => WordRole::Option(flag),
            (Some((flag, kind)), None) => {
                expected = Some((flag, kind));
                return (word, WordRole::Option(flag));
            }
            (None, _) if word.is_option() => WordRole::UnknownOption,
            (None, _) => WordRole::Further(&word.text),
        };
        negated = false;
        (word, role)
    })
}

/// A piece of an address option's value.
enum WordPiece<'a> {
    /// An address, with its mask as written and as bits.
    Address(IpAddr, Option<(&'a str, IpAddr, u128)>),
    /// The text between addresses.
    Other(&'a str),
}

/// The pieces of an address option's value, such as `10.0.0.1-10.0.0.9:80`; `None` if the value is
/// not one.
fn split_value(value: &str) -> Option<Vec<WordPiece<'_>>> {
    let is_part = |c: char| c.is_ascii_hexdigit() || c == ':' || c == '.';
    let (mut pieces, mut rest, mut found) = (Vec::new(), value, false);
    while !rest.is_empty() {
        let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let run = &rest[..length];
        // A port may follow an IPv4 address.
        let candidates = [run, run.split(':').next().unwrap_or(run)];
        let read = |text: &str| {
            text.parse::<IpAddr>()
                .ok()
                .map(|address| (address, text.len()))
        };
        match candidates.into_iter().find_map(read) {
            Some((address, length)) => {
                found = true;
                rest = &rest[length..];
                let end = rest
                    .strip_prefix('/')
                    .map(|mask| mask.find(|c| !is_part(c)).unwrap_or(mask.len()));
                // After an address and its mask, only a port or another address may follow.
                let mask = end.and_then(|end| {
                    let written = &rest[1..=end];
                    let (mask, bits) = mask_of(written, Family::of_address(address))?;
                    Some((written, mask, bits))
                });
                rest = &rest[mask.map_or(0, |(written, ..)| 1 + written.len())..];
                pieces.push(WordPiece::Address(address, mask));
            }
            None => {
                let length = if length == 0 {
                    rest.chars().next().map_or(0, char::len_utf8)
                } else {
                    length
                };
                let other = &rest[..length];
                if !other
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || b":-,/[]".contains(&byte))
                {
                    return None;
                }
                pieces.push(WordPiece::Other(other));
                rest = &rest[length..];
            }
        }
    }
    // A value may consist of numbers and ports alone.
    (found || !value.contains("::") && value.matches(':').count() < 3).then_some(pieces)
}

/// The networks of a NETMAP rule.
struct Copying {
    place: String,
    source: Option<Prefix>,
    destination: Option<Prefix>,
    to: Prefix,
    chain: String,
}

/// The properties that can be learned only after all hosts and ranges.
#[derive(Default)]
pub(super) struct Pending {
    masks: Vec<(String, IpAddr, IpAddr)>,
    copying: Vec<(Copying, WordEnds)>,
    eui64: Option<String>,
}

/// The addresses that NETMAP changes in the rules of a chain.
#[derive(Clone, Copy, Default)]
struct WordEnds {
    source: bool,
    destination: bool,
}

impl Redactor {
    /// Learns the names of chains and the properties of addresses that the rules of a text need.
    /// `whose` names the origin of the rules.
    pub(super) fn learn(
        &mut self,
        text: &str,
        whose: &str,
        pending: &mut Pending,
    ) -> Result<(), Refusal> {
        let (mut table, mut rules) = (String::new(), HashMap::<String, usize>::new());
        let (mut jumps, mut copying) = (Vec::<(String, String)>::new(), Vec::new());
        for (line, _) in lines(text) {
            match line {
                DumpLine::Table(name) => {
                    pending
                        .copying
                        .extend(with_ends(std::mem::take(&mut copying), &jumps));
                    (table, jumps) = (name.to_owned(), Vec::new());
                    rules.clear();
                }
                DumpLine::Chain(declared) => {
                    if let Some(name) = declared.split_whitespace().next() {
                        self.names.keep(name);
                    }
                }
                DumpLine::Rule(words, _) => {
                    let rule = RuleWords::collect(&words, &self.vocabulary);
                    let number = rules.entry(rule.chain.to_owned()).or_default();
                    *number += 1;
                    let number = *number;
                    let place = || {
                        let table = if TableName::from_text(&table).is_some() {
                            &*table
                        } else {
                            "(unknown)"
                        };
                        format!("rule {number} of {} in table {table}{whose}", rule.chain)
                    };
                    self.names.keep(rule.chain);
                    rule.learn(&mut self.addresses, pending, &place)?;
                    jumps.extend(
                        rule.target
                            .map(|target| (rule.chain.to_owned(), target.to_owned())),
                    );
                    copying.extend(rule.copying(&place));
                }
                _ => {}
            }
        }
        pending.copying.extend(with_ends(copying, &jumps));
        Ok(())
    }

    /// Learns the properties that require all hosts and ranges.
    pub(super) fn settle(&mut self, pending: Pending) -> Result<(), Refusal> {
        self.addresses.settle();
        for (place, address, mask) in pending.masks {
            self.addresses
                .learn_mask(address, mask)
                .map_err(|why| Refusal::new(&place, "a mask with holes", why))?;
        }
        for (
            rule,
            WordEnds {
                source,
                destination,
            },
        ) in pending.copying
        {
            for named in [(source, rule.source), (destination, rule.destination)]
                .into_iter()
                .filter(|(is, _)| *is)
            {
                let learned = self.addresses.learn_copy(named.1, rule.to);
                learned.map_err(|why| Refusal::new(&rule.place, "NETMAP", why))?;
            }
        }
        match pending.eui64.filter(|_| self.addresses.ties_identifiers()) {
            Some(place) => Err(Refusal::new(
                &place,
                "eui64",
                "compares bits that another rule compares, too",
            )),
            None => Ok(()),
        }
    }

    /// A dump with neutral addresses and names.
    pub(super) fn dump(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for (line, ends) in lines(text) {
            match line {
                DumpLine::Table(name) => {
                    out.push('*');
                    match TableName::from_text(name) {
                        Some(table) => out.push_str(table.name()),
                        None => out.push_str(&self.names.neutral("table", name)),
                    }
                }
                DumpLine::Chain(declared) => self.chain(declared, &mut out),
                DumpLine::Rule(words, is_open) => self.rule(&words, is_open, &mut out),
                DumpLine::Commit => out.push_str("COMMIT"),
                DumpLine::Comment(comment) => self.comment(comment, &mut out),
                DumpLine::Blank => {}
                DumpLine::Foreign => out.push('#'),
            }
            if ends {
                out.push('\n');
            }
        }
        out
    }

    fn chain(&mut self, declared: &str, out: &mut String) {
        let mut words = declared.split_whitespace();
        out.push(':');
        out.push_str(&self.chain_name(words.next().unwrap_or_default()));
        let policy = words.next().map(|policy| {
            if ["ACCEPT", "DROP"].contains(&policy) {
                policy
            } else {
                "-"
            }
        });
        let counters = words.next().map(|counters| {
            if is_counters(counters) {
                counters
            } else {
                "[?]"
            }
        });
        for word in policy.into_iter().chain(counters) {
            out.push(' ');
            out.push_str(word);
        }
    }

    /// Keeps the comment lines that the tools write. Any other comment line becomes empty.
    fn comment(&mut self, line: &str, out: &mut String) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match &words[..] {
            ["#", "Generated", "by", program, rest @ ..] if PROGRAMS.contains(program) => {
                out.push_str("# Generated by ");
                out.push_str(program);
                let is_version = |word: &str| {
                    word.strip_prefix('v').is_some_and(|version| {
                        version.bytes().all(|b| b.is_ascii_digit() || b == b'.')
                    })
                };
                for word in rest
                    .iter()
                    .take(2)
                    .filter(|word| is_version(word) || BACKENDS.contains(word))
                {
                    out.push(' ');
                    out.push_str(word);
                }
            }
            ["#", "Completed", ..] => out.push_str("# Completed"),
            [
                "#",
                "Warning:",
                tables,
                "tables",
                "present,",
                "use",
                program,
                "to",
                "see",
                "them",
            ] if PROGRAMS.contains(program) && program.strip_suffix("-save") == Some(tables) => {
                out.push_str(line);
            }
            [
                "#",
                "Table",
                name,
                "is",
                "incompatible,",
                "use",
                "'nft'",
                "tool.",
            ] => {
                let name = name.trim_matches(['`', '\'']);
                let name = match TableName::from_text(name) {
                    Some(table) => table.name().to_owned(),
                    None => self.names.neutral("table", name),
                };
                out.push_str(&format!(
                    "# Table `{name}' is incompatible, use 'nft' tool."
                ));
            }
            _ => out.push('#'),
        }
    }

    fn rule(&mut self, words: &[Word], is_open: bool, out: &mut String) {
        let (counters, words) = match words {
            [first, rest @ ..] if first.text.starts_with('[') => (Some(&*first.text), rest),
            _ => (None, words),
        };
        if let Some(counters) = counters {
            out.push_str(if is_counters(counters) {
                counters
            } else {
                "[?]"
            });
            out.push(' ');
        }
        let vocabulary = Rc::clone(&self.vocabulary);
        let mut first = true;
        for (word, role) in roles(words, &vocabulary) {
            if !std::mem::take(&mut first) {
                out.push(' ');
            }
            match role {
                WordRole::Bang => out.push('!'),
                WordRole::Option(flag) => out.push_str(flag),
                WordRole::UnknownOption
                    if word.text[1..].bytes().all(|byte| byte.is_ascii_digit()) =>
                {
                    out.push_str(&word.text);
                }
                WordRole::UnknownOption => {
                    let name = self
                        .names
                        .neutral("option", word.text.trim_start_matches('-'));
                    out.push_str("--");
                    out.push_str(&name);
                }
                WordRole::Value {
                    flag,
                    kind,
                    text,
                    attached,
                    ..
                } => {
                    if attached {
                        out.push_str(flag);
                        out.push('=');
                    }
                    let neutral = self.value(kind, text, &vocabulary);
                    push_value(word, text, neutral.as_deref(), out);
                }
                WordRole::Further(text) => {
                    let is_plain = vocabulary.is_plain(text, false);
                    let neutral = (!is_plain).then(|| self.names.neutral("word", text));
                    push_value(word, text, neutral.as_deref(), out);
                }
            }
        }
        if is_open {
            out.push_str(" \"open");
        }
    }

    /// The neutral value of an option; `None` if the value is kept.
    fn value(&mut self, kind: ValueKind, text: &str, vocabulary: &Vocabulary) -> Option<String> {
        let number = || text.bytes().all(|byte| byte.is_ascii_digit());
        match kind {
            ValueKind::Flag => Some(self.names.neutral("word", text)),
            ValueKind::Plain | ValueKind::Hexadecimal => {
                let is_plain = vocabulary.is_plain(text, kind == ValueKind::Hexadecimal);
                (!is_plain).then(|| self.names.neutral("word", text))
            }
            ValueKind::Address => Some(self.address_value(text)),
            ValueKind::Mask => {
                let family = if text.contains(':') {
                    Family::Ipv6
                } else {
                    Family::Ipv4
                };
                let is_mask = mask_of(text, family)
                    .is_some_and(|(_, bits)| bits.leading_ones() == bits.count_ones());
                (!is_mask && !vocabulary.is_plain(text, false))
                    .then(|| self.names.neutral("word", text))
            }
            ValueKind::Mac => Some(self.mac(text)),
            ValueKind::Interface => {
                let neutral = self.interface(text);
                (neutral != text).then_some(neutral)
            }
            ValueKind::Chain => Some(self.chain_name(text)),
            ValueKind::Match | ValueKind::Target if vocabulary.is_extension(text, kind) => None,
            ValueKind::Match => Some(self.names.neutral("match", text)),
            ValueKind::Target if self.names.keeps(text) => Some(self.chain_name(text)),
            ValueKind::Target if mesh::CHAINS.iter().any(|chains| chains.contains(&text)) => None,
            ValueKind::Target => Some(self.names.neutral("target", text)),
            ValueKind::NumberOrName(_) if number() => None,
            ValueKind::Name(COMMENT) if is_mesh_comment(text) => None,
            ValueKind::Name(_) if vocabulary.is_common(text) => None,
            ValueKind::Name(kind) | ValueKind::Text(kind) | ValueKind::NumberOrName(kind) => {
                Some(self.names.neutral_value(kind, text))
            }
            ValueKind::Program(program) => Some(format!("\"{program}\"")),
        }
    }

    /// Replaces addresses, networks and ranges. A value that is none of these is replaced as the
    /// name of a host.
    fn address_value(&mut self, text: &str) -> String {
        let Some(pieces) = split_value(text) else {
            return self.names.neutral("host", text);
        };
        let mut out = String::new();
        for piece in pieces {
            match piece {
                WordPiece::Other(other) => out.push_str(other),
                WordPiece::Address(address, None) => {
                    out.push_str(&self.addresses.neutral(address).to_string())
                }
                WordPiece::Address(address, Some((written, _, mask))) => {
                    out.push_str(&self.addresses.masked(address, mask).to_string());
                    out.push('/');
                    out.push_str(written);
                }
            }
        }
        out
    }

    /// The name of a chain. It is kept if a dump can contain it.
    fn chain_name(&mut self, name: &str) -> String {
        let is_name = |c: char| !c.is_whitespace() && !is_invisible(c) && !"\"'\\".contains(c);
        if name.chars().all(is_name) {
            name.to_owned()
        } else {
            self.names.neutral("chain", name)
        }
    }

    /// The name or pattern of an interface. It is kept if the kernel accepts it.
    pub(super) fn interface(&mut self, name: &str) -> String {
        let stem = name.strip_suffix('+').unwrap_or(name);
        match stem.is_empty()
            || packet::is_interface(stem)
                && stem
                    .chars()
                    .all(|c: char| !"\"'\\".contains(c) && !is_invisible(c))
        {
            true => name.to_owned(),
            // With a slash, it stays invalid.
            false => self.names.neutral("interface", name).replacen('-', "/", 1),
        }
    }
}

/// The programs that write dumps.
const PROGRAMS: [&str; 7] = [
    "iptables-save",
    "ip6tables-save",
    "iptables-nft-save",
    "ip6tables-nft-save",
    "iptables-legacy-save",
    "ip6tables-legacy-save",
    "xtables-save",
];

/// The word after the version.
const BACKENDS: [&str; 2] = ["(nf_tables)", "(legacy)"];

/// `[12:720]`
fn is_counters(text: &str) -> bool {
    let inner = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    inner.is_some_and(|inner| {
        inner
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b':')
    })
}

/// Writes a word unchanged, or its neutral text.
fn push_value(word: &Word, text: &str, neutral: Option<&str>, out: &mut String) {
    match neutral {
        Some("") => out.push_str("\"\""),
        Some(neutral) => out.push_str(neutral),
        None if word.quoted => {
            out.push('"');
            out.push_str(text);
            out.push('"');
        }
        None => out.push_str(text),
    }
}

/// The words of a rule that concern addresses.
#[derive(Default)]
struct RuleWords<'w> {
    chain: &'w str,
    /// The chain or target that it jumps to.
    target: Option<&'w str>,
    addresses: Vec<(&'static str, &'w str, bool)>,
    has_eui64: bool,
}

impl<'w> RuleWords<'w> {
    fn collect(words: &'w [Word<'_>], vocabulary: &Vocabulary) -> Self {
        let mut rule = Self::default();
        for (_, role) in roles(words, vocabulary) {
            let WordRole::Value {
                flag,
                kind,
                negated,
                text,
                ..
            } = role
            else {
                continue;
            };
            match kind {
                ValueKind::Chain if rule.chain.is_empty() => rule.chain = text,
                ValueKind::Target => rule.target = Some(text),
                ValueKind::Match => rule.has_eui64 |= text == "eui64",
                ValueKind::Address => rule.addresses.push((flag, text, negated)),
                _ => {}
            }
        }
        rule
    }

    fn learn(
        &self,
        addresses: &mut AddressMap,
        pending: &mut Pending,
        place: &dyn Fn() -> String,
    ) -> Result<(), Refusal> {
        for (flag, text, _) in &self.addresses {
            let pieces = split_value(text).unwrap_or_default();
            for piece in pieces.windows(3) {
                if let [
                    WordPiece::Address(first, None),
                    WordPiece::Other("-"),
                    WordPiece::Address(last, None),
                ] = piece
                {
                    addresses
                        .learn_range(*first, *last)
                        .map_err(|why| Refusal::new(&place(), flag, why))?;
                }
            }
            for piece in pieces {
                if let WordPiece::Address(address, Some((_, mask, bits))) = piece
                    && bits.leading_ones() != bits.count_ones()
                {
                    pending.masks.push((place(), address, mask));
                }
            }
        }
        if self.has_eui64 && pending.eui64.is_none() {
            pending.eui64 = Some(place());
        }
        match self.target {
            Some("SNPT" | "DNPT") if !self.addresses.is_empty() => Err(Refusal::new(
                &place(),
                "NPT",
                "computes with the bits of addresses",
            )),
            _ => Ok(()),
        }
    }

    /// The networks of a NETMAP.
    fn copying(&self, place: &dyn Fn() -> String) -> Option<Copying> {
        let named = |flag: &str| {
            let mut named = self
                .addresses
                .iter()
                .filter(|(own, _, negated)| *own == flag && !negated);
            named.find_map(|(_, text, _)| match split_value(text)?[..] {
                [WordPiece::Address(address, mask)] => {
                    let length = mask.map_or(Family::of_address(address).bits(), |(_, _, bits)| {
                        u8::try_from(bits.leading_ones()).unwrap_or(128)
                    });
                    Some(Prefix { address, length })
                }
                _ => None,
            })
        };
        let to = named("--to").filter(|_| self.target == Some("NETMAP"))?;
        let ends = [
            ["-s", "--source", "--src"],
            ["-d", "--destination", "--dst"],
        ];
        let [source, destination] = ends.map(|flags| flags.into_iter().find_map(named));
        Some(Copying {
            place: place(),
            source,
            destination,
            to,
            chain: self.chain.to_owned(),
        })
    }
}

/// The NETMAP rules of a table, each with the addresses that it changes: the destination for
/// arriving and local packets, the source for leaving and delivered packets.
fn with_ends(copying: Vec<Copying>, jumps: &[(String, String)]) -> Vec<(Copying, WordEnds)> {
    if copying.is_empty() {
        return Vec::new();
    }
    let reached = |starts: [&str; 2]| {
        let (mut reached, mut open): (HashSet<&str>, Vec<&str>) = (HashSet::new(), starts.into());
        let mut next = HashMap::<&str, Vec<&str>>::new();
        for (from, to) in jumps {
            next.entry(from).or_default().push(to);
        }
        while let Some(chain) = open.pop() {
            if reached.insert(chain) {
                open.extend(next.get(chain).into_iter().flatten());
            }
        }
        copying
            .iter()
            .map(|rule| reached.contains(&*rule.chain))
            .collect::<Vec<bool>>()
    };
    let (destination, source) = (
        reached(["PREROUTING", "OUTPUT"]),
        reached(["INPUT", "POSTROUTING"]),
    );
    let ends = destination
        .into_iter()
        .zip(source)
        .map(|(destination, source)| WordEnds {
            source,
            destination,
        });
    copying.into_iter().zip(ends.collect::<Vec<_>>()).collect()
}
