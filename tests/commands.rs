//! Compares Chainwalk with iptables: both get commands that are made from the tables of the
//! extensions. Both must accept or refuse the same ones, and print the accepted ones in the same
//! words. Requires root and iptables 1.8.9.
//!
//! `CHAINWALK_COMMANDS=20000` tries more. `CHAINWALK_SEED=2` tries others.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Instant;

use chainwalk_core::input::parse;
use chainwalk_core::iptables::print;
use chainwalk_core::text::diagnostic::Severity;
use chainwalk_tests::judge::{Judge, each};
use chainwalk_tests::namespace::require;
use chainwalk_tests::progress::Progress;
use chainwalk_tests::random::command::{Command, commands};
use chainwalk_tests::random::{number, runner};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::Config;

#[path = "commands/explained.rs"]
mod explained;

/// The default number of commands of a run.
const COMMANDS: u64 = 2000;
const SEED: u64 = 1;
/// The maximum number of differences that a failure prints.
const SHOWN: usize = 40;

/// The result of a command: the printed rules, or the reason for the refusal.
type Answer = Result<Vec<String>, String>;

/// A command with different results in Chainwalk and iptables.
struct Difference {
    line: String,
    about: &'static str,
    ours: Answer,
    theirs: Answer,
}

/// The results of the commands of one backend and family.
#[derive(Default)]
struct Outcome {
    accepted: u64,
    refused: u64,
    explained: BTreeMap<&'static str, u64>,
    differences: Vec<Difference>,
}

impl Outcome {
    fn join(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.refused += other.refused;
        for (why, count) in other.explained {
            *self.explained.entry(why).or_default() += count;
        }
        self.differences.extend(other.differences);
    }
}

/// The result of iptables.
fn answer(judge: &Judge, command: &Command) -> Answer {
    let place = [command.table.name(), command.chain.name()];
    let mut words = vec!["-t", place[0], "-A", place[1]];
    words.extend(command.words.iter().map(String::as_str));
    judge.run("", &words)?;
    let listed = judge
        .run("", &["-t", place[0], "-S", place[1]])
        .expect("a chain can be listed");
    judge
        .run("", &["-t", place[0], "-F", place[1]])
        .expect("a chain can be emptied");
    Ok(listed
        .lines()
        .filter(|line| line.starts_with("-A "))
        .map(str::to_owned)
        .collect())
}

/// The result of Chainwalk.
fn ours(line: &str) -> Answer {
    let parsed = parse::parse(line);
    let error = parsed
        .diagnostics
        .iter()
        .find(|diagnostic| diagnostic.severity == Severity::Error);
    if let Some(error) = error {
        return Err(error.to_string());
    }
    let printed: String = parsed
        .rulesets
        .iter()
        .map(|ruleset| print::save(ruleset, false))
        .collect();
    Ok(printed
        .lines()
        .filter(|line| line.starts_with("-A "))
        .map(str::to_owned)
        .collect())
}

/// Whether both results agree. The text of a refusal does not count.
fn agree(ours: &Answer, theirs: &Answer) -> bool {
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => ours == theirs,
        (Err(_), Err(_)) => true,
        _ => false,
    }
}

fn judge(judge: &Judge, (seed, count): (u64, u64), progress: &Progress) -> Outcome {
    let mut runner = runner(seed, Config::default());
    let all = commands(judge.family);
    let mut outcome = Outcome::default();
    for _ in 0..count {
        let command = all
            .new_tree(&mut runner)
            .expect("no command is rejected")
            .current();
        let line = format!("{} {command}", judge.program(""));
        let (ours, theirs) = (ours(&line), answer(judge, &command));
        match &theirs {
            Ok(_) => outcome.accepted += 1,
            Err(_) => outcome.refused += 1,
        }
        progress.add(1);
        if agree(&ours, &theirs) {
            continue;
        }
        match explained::why(&line, &ours, &theirs) {
            Some(why) => *outcome.explained.entry(why).or_default() += 1,
            None => outcome.differences.push(Difference {
                line,
                about: command.uses[0],
                ours,
                theirs,
            }),
        }
    }
    outcome
}

fn report(differences: &[Difference]) -> String {
    let mut by_extension: BTreeMap<&str, Vec<&Difference>> = BTreeMap::new();
    for difference in differences {
        by_extension
            .entry(difference.about)
            .or_default()
            .push(difference);
    }
    let mut out = format!("{} differences\n", differences.len());
    for (name, list) in &by_extension {
        let _ = write!(out, " {name} {}", list.len());
    }
    for difference in by_extension
        .values()
        .flat_map(|list| list.iter().take(3))
        .take(SHOWN)
    {
        let say = |answer: &Answer| match answer {
            Ok(rules) => rules.join("\n          "),
            Err(refused) => format!("refused: {}", refused.lines().next().unwrap_or_default()),
        };
        let (ours, theirs) = (say(&difference.ours), say(&difference.theirs));
        let _ = write!(
            out,
            "\n{}\n    ours: {ours}\n  theirs: {theirs}",
            difference.line
        );
    }
    out
}

#[test]
fn iptables_takes_refuses_and_prints_the_same() {
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
    let progress = Progress::new("commands", count, COMMANDS);
    let results = each("commands", |iptables| {
        judge(iptables, (seed, count.div_ceil(4)), &progress)
    });
    let mut outcome = Outcome::default();
    results.into_iter().for_each(|result| outcome.join(result));
    assert!(
        outcome.differences.is_empty(),
        "seed {seed}: {}",
        report(&outcome.differences)
    );
    // Written directly to standard error, because the test runner hides the output of successful
    // tests.
    let (accepted, refused) = (outcome.accepted, outcome.refused);
    let explained = outcome
        .explained
        .iter()
        .map(|(why, count)| format!("\n  {count} {why}"))
        .collect::<String>();
    let seconds = started.elapsed().as_secs();
    writeln!(
        std::io::stderr(),
        "commands: {accepted} taken, {refused} refused, by both, but for{explained}\n  seed {seed}, {seconds} s"
    )
    .expect("it can be said");
    assert!(
        accepted + refused >= count && accepted * 5 > count * 2,
        "too few commands are ones that iptables takes"
    );
}
