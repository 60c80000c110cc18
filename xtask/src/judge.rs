//! `cargo xtask judge`: runs the suites with random input once, with ten times as many cases and a
//! new seed.

use std::{
    env,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, ensure};

use crate::{
    cargo::{cargo, run},
    packages,
    progress::{print_progress, seconds},
};

/// A suite, and the variables that control it.
struct JudgePart {
    name: &'static str,
    describes: &'static str,
    /// The test, as arguments of `cargo test`.
    test: &'static [&'static str],
    /// The variable for the number of cases, and its value.
    amount: (&'static str, &'static str),
    /// The variable for the seed.
    seed: &'static str,
}

const PARTS: [JudgePart; 6] = [
    JudgePart {
        name: "kernel",
        describes: "20,000 packets through random rule sets, walked and sent through the kernel",
        test: &["-p", "chainwalk-tests", "--test", "kernel"],
        amount: ("CHAINWALK_PACKETS", "20000"),
        seed: "CHAINWALK_SEED",
    },
    JudgePart {
        name: "commands",
        describes: "20,000 commands, given to iptables and to Chainwalk",
        test: &["-p", "chainwalk-tests", "--test", "commands"],
        amount: ("CHAINWALK_COMMANDS", "20000"),
        seed: "CHAINWALK_SEED",
    },
    JudgePart {
        name: "listings",
        describes: "the rules of 20,000 commands, listed by iptables and read back",
        test: &["-p", "chainwalk-tests", "--test", "listings"],
        amount: ("CHAINWALK_COMMANDS", "20000"),
        seed: "CHAINWALK_SEED",
    },
    JudgePart {
        name: "scripts",
        describes: "2,000 random scripts, run by bash and read by Chainwalk",
        test: &["-p", "chainwalk-core", "--test", "bash"],
        amount: ("CHAINWALK_SCRIPTS", "2000"),
        seed: "CHAINWALK_SEED",
    },
    JudgePart {
        name: "damage",
        describes: "20,000 damaged texts, compared with the whole ones",
        test: &["-p", "chainwalk-core", "--test", "partial"],
        amount: ("CHAINWALK_PARTIAL", "20000"),
        seed: "CHAINWALK_SEED",
    },
    JudgePart {
        name: "properties",
        describes: "20,000 random texts for each property of reading, printing and walking",
        test: &["-p", "chainwalk-core", "--test", "properties"],
        amount: ("PROPTEST_CASES", "20000"),
        seed: "PROPTEST_RNG_SEED",
    },
];

/// Runs all parts, or only `wanted`. A failed part does not stop the others. The environment may
/// set a seed.
pub(crate) fn judge(wanted: &[String]) -> Result<()> {
    for part in wanted {
        let names = PARTS.map(|part| part.name);
        ensure!(
            names.contains(&part.as_str()),
            "unknown part {part:?}: choose from {}",
            names.join(", ")
        );
    }
    packages::ensure(&[])?;
    let parts: Vec<&JudgePart> = PARTS
        .iter()
        .filter(|part| wanted.is_empty() || wanted.iter().any(|name| name == part.name))
        .collect();
    let new_seed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
        .to_string();
    let started = Instant::now();
    let mut failed = Vec::new();
    for (number, part) in (1..).zip(&parts) {
        let seed = env::var(part.seed).unwrap_or_else(|_| new_seed.clone());
        print_progress(format_args!(
            "\n== {number}/{} {}: {}, seed {seed} ==",
            parts.len(),
            part.name,
            part.describes
        ));
        let part_started = Instant::now();
        let mut test = cargo(&["test"]);
        test.args(part.test)
            .env(part.amount.0, part.amount.1)
            .env(part.seed, &seed);
        let result = run(&mut test).with_context(|| format!("repeat it with {}={seed}", part.seed));
        let outcome = if result.is_ok() { "ok" } else { "FAILED" };
        print_progress(format_args!(
            "== {}: {outcome}, {} ==",
            part.name,
            seconds(part_started.elapsed())
        ));
        if let Err(error) = result {
            print_progress(format_args!("{error:#}"));
            failed.push(part.name);
        }
    }
    print_progress(format_args!("\ntotal {}", seconds(started.elapsed())));
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}
