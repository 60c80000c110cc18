//! Kinds of damage that people and tools do to a dump.

use super::random::Random;

/// A damaged text.
pub(crate) struct Damage {
    pub(crate) kind: &'static str,
    pub(crate) text: String,
    /// The tables that lost rules; empty if nothing is lost.
    pub(crate) tables: Vec<String>,
}

type Change = fn(&[&str], &mut Random) -> (String, Vec<String>);

const CHANGES: [(&str, Change); 10] = [
    ("quoted", |lines, _| {
        (each(lines, |line| format!("> {line}")), Vec::new())
    }),
    ("log prefix", |lines, _| {
        (
            each(lines, |line| {
                format!("2026-03-03T10:00:01.000000000Z stdout F {line}")
            }),
            Vec::new(),
        )
    }),
    ("indented", |lines, _| {
        (each(lines, |line| format!("    {line}")), Vec::new())
    }),
    ("double-spaced", |lines, _| {
        (each(lines, |line| format!("{line}\n")), Vec::new())
    }),
    ("prose", prose),
    ("wrapped", wrapped),
    ("cut", cut),
    ("cut at a line", cut_at_a_line),
    ("elided", elided),
    ("corrupted", corrupted),
];

/// Damages a dump in one way.
pub(crate) fn apply(dump: &str, random: &mut Random) -> Damage {
    let lines: Vec<&str> = dump.lines().collect();
    let (kind, change) = *random.pick(&CHANGES);
    let (text, tables) = change(&lines, random);
    Damage { kind, text, tables }
}

fn each(lines: &[&str], change: impl Fn(&str) -> String) -> String {
    lines.iter().map(|line| change(line) + "\n").collect()
}

fn rules(lines: &[&str]) -> Vec<usize> {
    let is_rule = |line: &str| line.starts_with("-A") || line.starts_with('[');
    (0..lines.len()).filter(|at| is_rule(lines[*at])).collect()
}

/// The tables that begin in these lines, or are open there.
fn tables_from(lines: &[&str], at: usize) -> Vec<String> {
    let begins = |line: &&&str| line.starts_with('*');
    let open = lines[..at].iter().rev().find(begins);
    let after = lines[at..].iter().filter(begins);
    open.into_iter()
        .chain(after)
        .map(|line| line[1..].to_owned())
        .collect()
}

fn prose(lines: &[&str], random: &mut Random) -> (String, Vec<String>) {
    let at = random.below(lines.len());
    let words = *random.pick(&[
        "this is the part that I do not understand:",
        "Here are the rules of the pod.",
        "why does it not match?",
    ]);
    let mut all = lines.to_vec();
    all.insert(at, words);
    (all.join("\n") + "\n", Vec::new())
}

/// Wraps one rule to the next line.
fn wrapped(lines: &[&str], random: &mut Random) -> (String, Vec<String>) {
    let at = *random.pick(&rules(lines));
    let blanks: Vec<usize> = lines[at]
        .match_indices(" -")
        .map(|(place, _)| place)
        .filter(|place| *place > 12)
        .collect();
    let mut all: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    if !blanks.is_empty() {
        let blank = *random.pick(&blanks);
        all[at] = format!("{}\n{}", &lines[at][..blank], &lines[at][blank + 1..]);
    }
    (all.join("\n") + "\n", Vec::new())
}

fn cut(lines: &[&str], random: &mut Random) -> (String, Vec<String>) {
    let at = *random.pick(&rules(lines));
    let line = lines[at];
    let end = 1 + random.below(line.len() - 1);
    (
        format!("{}\n{}", lines[..at].join("\n"), &line[..end]),
        tables_from(lines, at),
    )
}

fn cut_at_a_line(lines: &[&str], random: &mut Random) -> (String, Vec<String>) {
    let at = *random.pick(&rules(lines));
    (lines[..at].join("\n") + "\n", tables_from(lines, at))
}

/// Replaces some rules of one table with an elision mark.
fn elided(lines: &[&str], random: &mut Random) -> (String, Vec<String>) {
    let at = *random.pick(&rules(lines));
    let more = random.below(3);
    let end = (at..lines.len())
        .take(more + 1)
        .take_while(|place| lines[*place].starts_with(['-', '[']))
        .count()
        + at;
    let sign = *random.pick(&["...", "[...]", "[snip]", "(some more rules, left out)"]);
    let all: Vec<&str> = lines[..at]
        .iter()
        .copied()
        .chain([sign])
        .chain(lines[end..].iter().copied())
        .collect();
    let table = lines[..at]
        .iter()
        .rev()
        .find(|line| line.starts_with('*'))
        .map(|line| line[1..].to_owned());
    (all.join("\n") + "\n", table.into_iter().collect())
}

/// Replaces a word of a rule with one that iptables refuses.
fn corrupted(lines: &[&str], random: &mut Random) -> (String, Vec<String>) {
    let at = *random.pick(&rules(lines));
    let mut words: Vec<String> = lines[at].split(' ').map(str::to_owned).collect();
    // A comment may contain any word, and an interface may have any name.
    let may_be_any = |place: usize| {
        words[place].contains('"') || ["-i", "-o"].contains(&words[place - 1].as_str())
    };
    let has_comment = lines[at].contains("--comment");
    let places: Vec<usize> = (2..words.len())
        .filter(|place| !has_comment && !may_be_any(*place))
        .collect();
    let table = lines[..at]
        .iter()
        .rev()
        .find(|line| line.starts_with('*'))
        .map(|line| line[1..].to_owned());
    if places.is_empty() {
        return (lines.join("\n") + "\n", Vec::new());
    }
    let place = *random.pick(&places);
    words[place] = format!("{}~", words[place]);
    let line = words.join(" ");
    let mut all: Vec<&str> = lines.to_vec();
    all[at] = &line;
    (all.join("\n") + "\n", table.into_iter().collect())
}
