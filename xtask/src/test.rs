//! `cargo xtask test`: runs all checks of a change. Fast checks and likely failures come first.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail};

use crate::{
    cargo::{cargo, root, run},
    cycles, dependency_rules, dist, layers, packages,
    progress::{print_progress, seconds},
    target,
};

/// The results of the tests of all stages.
#[derive(Debug, Default, PartialEq, Clone, Copy)]
struct TestCount {
    passed: usize,
    failed: usize,
}

type Stage = (&'static str, fn(&mut TestCount) -> Result<()>);

/// The stages. `--fast` runs only the first ones.
const STAGES: [Stage; 10] = [
    ("format", |_| run(&mut cargo(&["fmt", "--all", "--check"]))),
    ("lints", |_| lints()),
    ("unit and property tests", |count| {
        run_tests(
            &mut cargo(&["test", "--workspace", "--exclude", "chainwalk-tests"]),
            count,
        )
    }),
    ("dependencies and layers", |_| {
        dependency_rules::check()?;
        layers::check()?;
        cycles::check()
    }),
    ("documentation", |_| documentation()),
    ("examples", |_| {
        run(&mut cargo(&[
            "build",
            "--release",
            "-p",
            "chainwalk-core",
            "--examples",
        ]))
    }),
    ("dist", |_| dist::build(true)),
    ("programs for the kernel and browser tests", |_| {
        packages::ensure(&[])
    }),
    ("kernel, capture and browser tests", run_suites),
    (
        "core and kernel tests on the code paths of release builds",
        run_on_release_paths,
    ),
];
const FAST: usize = 3;

/// Runs the stages until one fails.
pub(crate) fn test(fast: bool) -> Result<()> {
    let started = Instant::now();
    let mut count = TestCount::default();
    let stages = if fast { &STAGES[..FAST] } else { &STAGES };
    target::ensure_components()?;
    target::ensure(target::WASM)?;
    let ran = run_stages(stages, &mut count);
    if ran.is_err() && count.failed == 0 {
        // Counts the failed stage. Otherwise the last line would look like success.
        count.failed = 1;
    }
    print_progress(format_args!(
        "\n{} passed, {} failed",
        count.passed, count.failed
    ));
    print_progress(format_args!("total {}", seconds(started.elapsed())));
    ran
}

fn run_stages(stages: &[Stage], count: &mut TestCount) -> Result<()> {
    for (number, (name, stage)) in (1..).zip(stages) {
        print_progress(format_args!("\n== {number}/{} {name} ==", stages.len()));
        let started = Instant::now();
        let ended = stage(count);
        let result = if ended.is_ok() { "ok" } else { "FAILED" };
        print_progress(format_args!(
            "== {number}/{} {name}: {result}, {} ==",
            stages.len(),
            seconds(started.elapsed())
        ));
        ended.with_context(|| format!("{name}: failed"))?;
    }
    Ok(())
}

/// Runs clippy for WebAssembly on the page, and for this machine on every other package. The fuzzer
/// must compile.
fn lints() -> Result<()> {
    let strict = ["--", "-D", "warnings"];
    run(cargo(&[
        "clippy",
        "--workspace",
        "--exclude",
        "chainwalk-web",
        "--all-targets",
    ])
    .args(strict))?;
    run(cargo(&[
        "clippy",
        "-p",
        "chainwalk-web",
        "--target",
        target::WASM,
        "--all-targets",
    ])
    .args(strict))?;
    // The fuzzer is not a member of the workspace. A check does not link, so it needs no libFuzzer.
    let mut fuzzer = cargo(&["check", "--locked", "--manifest-path", "fuzz/Cargo.toml"]);
    run(fuzzer.env("CUSTOM_LIBFUZZER_PATH", "unused/libfuzzer.a"))
}

/// Includes private items and links to them, because developers read it.
fn documentation() -> Result<()> {
    let packages = [
        "-p",
        "chainwalk-core",
        "-p",
        "chainwalk-capture",
        "-p",
        "chainwalk-http",
        "-p",
        "chainwalk-session",
        "-p",
        "xtask",
    ];
    let mut doc = cargo(&["doc", "--no-deps", "--document-private-items"]);
    doc.args(packages);
    run(doc.env(
        "RUSTDOCFLAGS",
        "-D warnings -A rustdoc::private-intra-doc-links",
    ))
}

/// Runs the suites that require root, a kernel and a browser. The environment names the built
/// files.
fn run_suites(count: &mut TestCount) -> Result<()> {
    let dist = root().join("dist");
    let mut suites = cargo(&["test", "-p", "chainwalk-tests"]);
    suites
        .env("CHAINWALK_CAPTURE", dist.join("chainwalk-capture"))
        .env("CHAINWALK_DIST", dist);
    run_tests(&mut suites, count)
}

/// Runs core's tests again on the fast paths of a release build. A debug build compares each result
/// of the template cache and of the prefilter with the slow path (`debug_assert!`). Only core and
/// these tests are compiled again.
fn run_on_release_paths(count: &mut TestCount) -> Result<()> {
    const RELEASE_PATHS: [&str; 3] = [
        "test",
        "--config",
        "profile.dev.package.chainwalk-core.debug-assertions=false",
    ];
    run_tests(
        cargo(&RELEASE_PATHS).args(["-p", "chainwalk-core", "--tests"]),
        count,
    )?;
    run_tests(
        cargo(&RELEASE_PATHS).args(["-p", "chainwalk-tests", "--test", "kernel"]),
        count,
    )
}

/// Runs `cargo test`, prints its output as it comes, and counts the results.
fn run_tests(cargo: &mut Command, count: &mut TestCount) -> Result<()> {
    let mut tests = cargo
        .arg("--no-fail-fast")
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run cargo")?;
    let printed = tests.stdout.take().expect("it was asked for");
    for line in BufReader::new(printed).split(b'\n') {
        let line = line.context("cannot read what the tests print")?;
        let line = String::from_utf8_lossy(&line);
        print_progress(&line);
        if let Some(result) = count_of(&line) {
            count.passed += result.passed;
            count.failed += result.failed;
        }
    }
    if !tests.wait()?.success() {
        bail!("cargo test failed");
    }
    Ok(())
}

/// Parses `test result: ok. 3 passed; 0 failed; 0 ignored; …`.
fn count_of(line: &str) -> Option<TestCount> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let number = |what: &str| {
        let part = counts
            .split("; ")
            .find_map(|part| part.strip_suffix(what))?;
        part.trim().parse().ok()
    };
    Some(TestCount {
        passed: number("passed")?,
        failed: number("failed")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_counted() {
        let line = "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 1 filtered out; finished in 0.01s";
        assert_eq!(
            count_of(line),
            Some(TestCount {
                passed: 12,
                failed: 3
            })
        );
        assert_eq!(
            count_of("test result: ok. 0 passed; 0 failed"),
            Some(TestCount::default())
        );
        assert_eq!(count_of("test parse::reads_a_rule ... ok"), None);
        assert_eq!(count_of("test result: odd"), None);
    }
}
