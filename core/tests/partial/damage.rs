//! Ways in which people and tools damage a dump.

use std::collections::BTreeSet;

use super::dump::{Dump, Form, Line, Role};
use super::random::Random;

/// Rules that a damaged text lost: of one chain, or of a whole table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lost {
    pub(crate) table: String,
    pub(crate) chain: Option<String>,
}

/// A damaged text.
pub(crate) struct Damage {
    pub(crate) kind: &'static str,
    pub(crate) text: String,
    /// Empty where nothing is lost.
    pub(crate) lost: BTreeSet<Lost>,
}

/// Damages a dump; `None` where this kind of damage does not fit the dump.
type Change = fn(&Dump, &mut Random) -> Option<(String, BTreeSet<Lost>)>;

const CHANGES: [(&str, Change); 14] = [
    ("quoted", |dump, _| each(dump, |line| format!("> {line}"))),
    ("log prefix", |dump, _| {
        each(dump, |line| {
            format!("2026-03-03T10:00:01.000000000Z stdout F {line}")
        })
    }),
    ("pod prefix", |dump, _| {
        each(dump, |line| format!("[pod/web-0/istio-init] {line}"))
    }),
    ("indented", |dump, _| {
        each(dump, |line| format!("    {line}"))
    }),
    ("double-spaced", |dump, _| {
        each(dump, |line| format!("{line}\n"))
    }),
    ("prose", prose),
    ("wrapped", wrapped),
    ("reordered", reordered),
    ("chain by chain", chain_by_chain),
    ("cut", cut),
    ("cut at a line", cut_at_a_line),
    ("elided", elided),
    ("removed", removed),
    ("corrupted", corrupted),
];

/// Damages a dump in one of the ways that fit it.
pub(crate) fn apply(dump: &Dump, random: &mut Random) -> Damage {
    loop {
        let (kind, change) = *random.pick(&CHANGES);
        if let Some((text, lost)) = change(dump, random) {
            return Damage { kind, text, lost };
        }
    }
}

fn text_of<'l>(lines: impl IntoIterator<Item = &'l str>) -> String {
    lines.into_iter().flat_map(|line| [line, "\n"]).collect()
}

fn each(dump: &Dump, change: impl Fn(&str) -> String) -> Option<(String, BTreeSet<Lost>)> {
    let lines = dump.lines.iter().map(|line| change(&line.text) + "\n");
    Some((lines.collect(), BTreeSet::new()))
}

/// The text with other lines in place of some.
fn replace(dump: &Dump, from: usize, to: usize, lines: &[&str]) -> String {
    let own = |lines: &'_ [Line]| text_of(lines.iter().map(|line| &*line.text));
    own(&dump.lines[..from]) + &text_of(lines.iter().copied()) + &own(&dump.lines[to..])
}

fn lost_from(lines: &[Line]) -> BTreeSet<Lost> {
    let rules = lines.iter().filter(|line| line.role == Role::Rule);
    rules
        .map(|line| Lost {
            table: line.table.clone(),
            chain: line.chain.clone(),
        })
        .collect()
}

fn prose(dump: &Dump, random: &mut Random) -> Option<(String, BTreeSet<Lost>)> {
    let at = random.below(dump.lines.len());
    let words = *random.pick(&[
        "this is the part that I do not understand:",
        "Here are the rules of the pod.",
        "why does it not match?",
        "# what is this for?",
    ]);
    Some((replace(dump, at, at, &[words]), BTreeSet::new()))
}

/// One rule continues on the next line.
fn wrapped(dump: &Dump, random: &mut Random) -> Option<(String, BTreeSet<Lost>)> {
    let at = *random.pick(&dump.rules());
    let line = dump.lines[at].text.trim_end();
    let (sign, first) = match dump.form {
        Form::Listing => (" ", 60),
        _ => (" -", 13),
    };
    let blanks: Vec<usize> = line
        .match_indices(sign)
        .map(|(place, _)| place)
        .filter(|place| *place >= first)
        .collect();
    if blanks.is_empty() {
        return None;
    }
    let (start, end) = line.split_at(*random.pick(&blanks));
    Some((
        replace(dump, at, at + 1, &[start, end.trim_start()]),
        BTreeSet::new(),
    ))
}

/// The chains of one table in another order.
fn reordered(dump: &Dump, random: &mut Random) -> Option<(String, BTreeSet<Lost>)> {
    let mut text = String::new();
    for (head, mut chains, tail) in dump.tables() {
        text += &text_of(head.iter().map(|line| &*line.text));
        while !chains.is_empty() {
            let chain = chains.remove(random.below(chains.len()));
            text += &text_of(chain.iter().map(|line| &*line.text));
        }
        text += &text_of(tail.iter().map(|line| &*line.text));
    }
    Some((text, BTreeSet::new()))
}

/// One command for each chain.
fn chain_by_chain(dump: &Dump, random: &mut Random) -> Option<(String, BTreeSet<Lost>)> {
    let mut chains = dump.chains()?;
    let mut text = String::new();
    while !chains.is_empty() {
        let place = if random.below(2) == 0 {
            0
        } else {
            random.below(chains.len())
        };
        let (command, lines) = chains.remove(place);
        text += &format!(
            "{command}\n{}",
            text_of(lines.iter().map(|line| &*line.text))
        );
    }
    Some((text, BTreeSet::new()))
}

fn cut(dump: &Dump, random: &mut Random) -> Option<(String, BTreeSet<Lost>)> {
    let at = *random.pick(&dump.rules());
    let line = &dump.lines[at].text;
    let end = 1 + random.below(line.len() - 1);
    if !line.is_char_boundary(end) {
        return None;
    }
    let text = text_of(dump.lines[..at].iter().map(|line| &*line.text)) + &line[..end];
    Some((text, lost_at_the_end(dump, at)))
}

/// The losses of a text that ends at a line: rules of that chain and of later chains, and the later
/// tables.
fn lost_at_the_end(dump: &Dump, at: usize) -> BTreeSet<Lost> {
    let mut lost = lost_from(&dump.lines[at..]);
    let own = &dump.lines[at].table;
    let tables = dump.lines[at..].iter().map(|line| &line.table);
    lost.extend(tables.filter(|table| *table != own).map(|table| Lost {
        table: table.clone(),
        chain: None,
    }));
    lost
}

/// The text ends after a line, so that a COMMIT is missing, or a reference.
fn cut_at_a_line(dump: &Dump, random: &mut Random) -> Option<(String, BTreeSet<Lost>)> {
    let at = *random.pick(&dump.rules());
    let is_seen = match dump.form {
        Form::Save => true,
        Form::Rules => false,
        Form::Listing => dump.contradicts(at, dump.lines.len()),
    };
    let text = text_of(dump.lines[..at].iter().map(|line| &*line.text));
    is_seen.then(|| (text, lost_at_the_end(dump, at)))
}

/// Some rules that follow one another.
fn few_rules(dump: &Dump, random: &mut Random) -> (usize, usize) {
    let at = *random.pick(&dump.rules());
    let more = random.below(3);
    let rules = dump.lines[at..].iter().take(more + 1);
    let count = rules.take_while(|line| line.role == Role::Rule).count();
    (at, at + count)
}

/// A sign replaces some rules of one table.
fn elided(dump: &Dump, random: &mut Random) -> Option<(String, BTreeSet<Lost>)> {
    let (at, end) = few_rules(dump, random);
    let sign = *random.pick(&["...", "[...]", "[snip]", "(some more rules, left out)"]);
    Some((
        replace(dump, at, end, &[sign]),
        lost_from(&dump.lines[at..end]),
    ))
}

/// Rows are missing, so that numbers or references contradict.
fn removed(dump: &Dump, random: &mut Random) -> Option<(String, BTreeSet<Lost>)> {
    let (at, end) = few_rules(dump, random);
    let chain = |at: usize| &dump.lines[at].chain;
    let is_followed = dump
        .lines
        .get(end)
        .is_some_and(|line| line.role == Role::Rule && line.chain == *chain(at));
    let is_seen = dump.has_numbers && is_followed || dump.contradicts(at, end);
    (dump.form == Form::Listing && is_seen)
        .then(|| (replace(dump, at, end, &[]), lost_from(&dump.lines[at..end])))
}

/// A word of a rule becomes one that iptables refuses.
fn corrupted(dump: &Dump, random: &mut Random) -> Option<(String, BTreeSet<Lost>)> {
    let at = *random.pick(&dump.rules());
    let line = &dump.lines[at].text;
    // A comment and a prefix may hold any word.
    if line.contains("--comment") || line.contains("/*") || line.contains('"') {
        return None;
    }
    let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    // An interface may have any name.
    let interfaces = 5 + usize::from(dump.has_numbers);
    let filled: Vec<usize> = (0..words.len())
        .filter(|at| !words[*at].is_empty())
        .collect();
    let is_free = |place: usize| match dump.form {
        Form::Listing => (interfaces..interfaces + 3).any(|at| filled.get(at) == Some(&place)),
        _ => place < 2 || ["-i", "-o"].contains(&words[place - 1].as_str()),
    };
    let places: Vec<usize> = filled
        .iter()
        .copied()
        .filter(|place| !is_free(*place))
        .collect();
    if places.is_empty() {
        return None;
    }
    let place = *random.pick(&places);
    words[place] += "~";
    let lost = lost_from(&dump.lines[at..=at]);
    Some((replace(dump, at, at + 1, &[&words.join(" ")]), lost))
}
