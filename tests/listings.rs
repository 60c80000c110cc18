//! Compares listings with iptables: rules made from the tables of the extensions are loaded, listed
//! in every way, and parsed. The result must equal the rules of `iptables-save`, except for the
//! losses of a listing. Requires root and iptables 1.8.9.
//!
//! `CHAINWALK_COMMANDS=20000` tries more. `CHAINWALK_SEED=2` tries others.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Instant;

use chainwalk_core::input::parse;
use chainwalk_core::iptables::print;
use chainwalk_core::iptables::table_name::TableName;
use chainwalk_tests::judge::{Judge, each};
use chainwalk_tests::namespace::require;
use chainwalk_tests::progress::Progress;
use chainwalk_tests::random::command::commands;
use chainwalk_tests::random::{number, runner};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::Config;

#[path = "listings/losses.rs"]
mod losses;

/// The default number of commands of a run. iptables accepts about four in ten.
const COMMANDS: u64 = 2000;
const SEED: u64 = 1;
/// The maximum number of differences that a failure prints.
const SHOWN: usize = 40;
/// The counters of each rule: more bytes than a listing without `-x` prints in full.
const COUNTED: [&str; 2] = ["1234", "6789012"];

/// One way to list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    options: &'static [&'static str],
    verbose: bool,
    numeric: bool,
    exact: bool,
}

const WAYS: [Way; 5] = [
    Way {
        options: &["-v", "-n", "-x", "--line-numbers"],
        verbose: true,
        numeric: true,
        exact: true,
    },
    Way {
        options: &["-v", "-n"],
        verbose: true,
        numeric: true,
        exact: false,
    },
    Way {
        options: &["-v", "-x"],
        verbose: true,
        numeric: false,
        exact: true,
    },
    Way {
        options: &["-n", "--line-numbers"],
        verbose: false,
        numeric: true,
        exact: false,
    },
    Way {
        options: &[],
        verbose: false,
        numeric: false,
        exact: false,
    },
];

/// A rule with different results from a listing and from a dump.
struct Difference {
    way: Way,
    saved: String,
    listed: String,
    line: String,
}

#[derive(Default)]
struct Outcome {
    rules: usize,
    read: usize,
    lost: BTreeMap<&'static str, u64>,
    differences: Vec<Difference>,
}

impl Outcome {
    fn join(&mut self, other: Self) {
        self.rules += other.rules;
        self.read += other.read;
        for (why, count) in other.lost {
            *self.lost.entry(why).or_default() += count;
        }
        self.differences.extend(other.differences);
    }
}

/// The rules of a text by chain, each with its counters.
fn rules(text: &str) -> BTreeMap<String, Vec<String>> {
    let parsed = parse::parse(text);
    let mut chains: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let printed: String = parsed
        .rulesets
        .iter()
        .map(|ruleset| print::save(ruleset, true))
        .collect();
    for line in printed.lines().filter(|line| line.starts_with('[')) {
        let chain = line.split(' ').nth(2).unwrap_or_default().to_owned();
        chains.entry(chain).or_default().push(line.to_owned());
    }
    chains
}

/// Loads random rules.
fn load(judge: &Judge, (seed, count): (u64, u64), progress: &Progress) {
    let mut runner = runner(seed, Config::default());
    let all = commands(judge.family);
    for _ in 0..count {
        let command = all
            .new_tree(&mut runner)
            .expect("no command is rejected")
            .current();
        // iptables accepts them for some options and then prints an option without a value: no text
        // or a part of the bits of a negative number.
        if command
            .words
            .iter()
            .any(|word| word == "-1" || word.is_empty())
        {
            continue;
        }
        let mut words = vec!["-t", command.table.name(), "-A", command.chain.name()];
        words.extend(command.words.iter().map(String::as_str));
        words.extend(["-c", COUNTED[0], COUNTED[1]]);
        // Another test covers refused commands.
        let _ = judge.run("", &words);
        progress.add(1);
    }
}

fn judge(judge: &Judge, work: (u64, u64), progress: &Progress) -> Outcome {
    load(judge, work, progress);
    let mut outcome = Outcome::default();
    for table in TableName::ALL {
        let Ok(saved) = judge.run("-save", &["-c", "-t", table.name()]) else {
            continue;
        };
        let saved = rules(&saved);
        outcome.rules += saved.values().map(Vec::len).sum::<usize>();
        for way in WAYS {
            let options = [&["-t", table.name(), "-L"], way.options].concat();
            let text = judge.run("", &options).expect("a table can be listed");
            let asked = format!("$ {} {}\n{text}", judge.program(""), options.join(" "));
            let listed = rules(&asked);
            for (chain, rules) in &saved {
                let others = listed.get(chain).map_or(&[][..], Vec::as_slice);
                let lines = rows(&text, chain);
                for place in 0..rules.len().max(others.len()) {
                    let get = |list: &[String]| list.get(place).cloned().unwrap_or_default();
                    compare(way, (get(rules), get(others)), get(&lines), &mut outcome);
                }
            }
        }
    }
    outcome
}

/// The rows of a chain's rules in a listing.
fn rows(text: &str, chain: &str) -> Vec<String> {
    let head = format!("Chain {chain} (");
    let lines = text
        .lines()
        .skip_while(|line| !line.starts_with(&head))
        .skip(2);
    lines
        .take_while(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

fn compare(way: Way, (saved, listed): (String, String), line: String, outcome: &mut Outcome) {
    outcome.read += 1;
    let (known, read) = (losses::shown(way, &saved), losses::read(way, &listed));
    if known == read {
        return;
    }
    match losses::why(way, &known, &read) {
        Some(why) => *outcome.lost.entry(why).or_default() += 1,
        None => outcome.differences.push(Difference {
            way,
            saved,
            listed,
            line,
        }),
    }
}

fn report(differences: &[Difference]) -> String {
    let mut out = format!("{} differences", differences.len());
    let mut seen: Vec<String> = Vec::new();
    for one in differences {
        // One difference of each kind is enough.
        let words: Vec<&str> = one
            .saved
            .split(' ')
            .filter(|word| word.starts_with("--") || word.len() > 2)
            .collect();
        let kind = words
            .iter()
            .filter(|word| word.starts_with("--"))
            .copied()
            .collect::<String>();
        if seen.len() < SHOWN && !seen.contains(&kind) {
            seen.push(kind);
            let Difference {
                way,
                saved,
                listed,
                line,
            } = one;
            let _ = write!(
                out,
                "\n{:?}\n    line: {line}\n   saved: {saved}\n  listed: {listed}",
                way.options
            );
        }
    }
    out
}

#[test]
fn a_listing_reads_as_the_rules_that_it_shows() {
    require(&[
        "ip",
        "iptables-legacy",
        "iptables-nft",
        "ip6tables-legacy",
        "ip6tables-nft",
    ]);
    let (seed, count) = (
        number("CHAINWALK_SEED", SEED),
        number("CHAINWALK_COMMANDS", COMMANDS),
    );
    let started = Instant::now();
    let progress = Progress::new("commands to be listed", count, COMMANDS);
    let results = each("listings", |iptables| {
        judge(iptables, (seed, count.div_ceil(4)), &progress)
    });
    let mut outcome = Outcome::default();
    results.into_iter().for_each(|result| outcome.join(result));
    assert!(
        outcome.differences.is_empty(),
        "seed {seed}: {}",
        report(&outcome.differences)
    );
    let (rules, read) = (outcome.rules, outcome.read);
    let lost = outcome
        .lost
        .iter()
        .map(|(why, count)| format!("\n  {count} {why}"))
        .collect::<String>();
    // Written directly to standard error, because the test runner hides the output of successful
    // tests.
    writeln!(
        std::io::stderr(),
        "listings: {rules} rules, listed {read} times, read as they are, but for{lost}\n  seed {seed}, {} s",
        started.elapsed().as_secs()
    )
    .expect("it can be said");
    assert!(
        rules as u64 * 4 > count,
        "too few commands are ones that iptables takes"
    );
}
