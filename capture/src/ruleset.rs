//! Asks every backend of both families for its rules.

use std::fs;
use std::path::Path;
use std::time::Duration;

use chainwalk_core::capture::{Backend, CapturedRules};
use chainwalk_core::packet::Family;

use crate::ask::{Answer, Limit, Limits, run};
use crate::nf_tables;
use crate::tool::{self, Tool};

/// A node with a hundred thousand rules takes some seconds and some ten megabytes.
const LIMITS: Limits = Limits { time: Duration::from_secs(30), bytes: 64 << 20 };
/// For a line that names a version.
const SMALL_LIMITS: Limits = Limits { time: Duration::from_secs(5), bytes: 4096 };

/// This machine's save commands.
pub(crate) fn tools() -> Vec<Tool> {
    tool::find(&tool::DIRECTORIES, |path| {
        let answer = run(path, &["--version"], SMALL_LIMITS);
        answer.map(|answer| String::from_utf8_lossy(&answer.stdout).into_owned()).unwrap_or_default()
    })
}

/// What they print in the network namespace of the calling thread.
pub(crate) fn rulesets(tools: &[Tool], warnings: &mut Vec<String>) -> Vec<CapturedRules> {
    let ask_nft = nf_tables::check(Path::new("/"));
    if let Err(reason) = ask_nft {
        warnings.push(format!("nf_tables was not asked: {reason}"));
    }
    let ask_nft = ask_nft.is_ok();
    let is_asked = |tool: &&Tool| tool.backend == Backend::Legacy || ask_nft;
    let rulesets: Vec<_> = tools.iter().filter(is_asked).filter_map(|tool| ask(tool, warnings)).collect();
    warn_of_legacy_tables(&rulesets, warnings);
    if ask_nft {
        warn_of_native_tables(&rulesets, warnings);
    }
    rulesets
}

/// Plain `-save -c`: `iptables-legacy -L` and `-t` create the tables that they are asked for, this creates none.
fn ask(tool: &Tool, warnings: &mut Vec<String>) -> Option<CapturedRules> {
    let command = [tool.name.clone(), "-c".to_owned()];
    let answer = match run(&tool.path, &["-c"], LIMITS) {
        Ok(answer) => answer,
        Err(error) => {
            warnings.push(format!("{} could not be run: {error}", tool.name));
            return None;
        }
    };
    warnings.extend(complaint(&tool.name, &answer));
    let mut text = text(answer.stdout, &tool.name, warnings);
    if answer.stopped.is_some() {
        // The last line may be half a line.
        text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
    }
    Some(CapturedRules {
        family: tool.family,
        backend: tool.backend,
        command: command.into(),
        exit_code: answer.exit_code,
        text,
        stderr: String::from_utf8_lossy(&answer.stderr).into_owned(),
    })
}

/// What was wrong with an answer.
fn complaint(name: &str, answer: &Answer) -> Option<String> {
    let stderr = String::from_utf8_lossy(&answer.stderr);
    let said = stderr.lines().next().map(|line| format!(": {line}")).unwrap_or_default();
    match (answer.stopped, answer.exit_code) {
        (Some(Limit::Time), _) => {
            Some(format!("{name} was stopped after {} s: its rules are not complete", LIMITS.time.as_secs()))
        }
        (Some(Limit::Bytes), _) => {
            Some(format!("{name} was stopped after {} MiB: its rules are not complete", LIMITS.bytes >> 20))
        }
        (None, Some(0)) => None,
        (None, Some(code)) => Some(format!("{name} failed with exit code {code}{said}")),
        (None, None) => Some(format!("{name} was ended by a signal{said}")),
    }
}

/// A rule's comment may hold any bytes; JSON holds text.
fn text(bytes: Vec<u8>, name: &str, warnings: &mut Vec<String>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| {
        warnings.push(format!("{name} printed bytes that are no UTF-8: they are replaced by \u{fffd}"));
        String::from_utf8_lossy(error.as_bytes()).into_owned()
    })
}

/// Says where ip_tables holds tables that no command here could print.
fn warn_of_legacy_tables(rulesets: &[CapturedRules], warnings: &mut Vec<String>) {
    for (family, file) in [(Family::Ipv4, "ip_tables_names"), (Family::Ipv6, "ip6_tables_names")] {
        // The thread's own: `/proc/net` is that of the program's first thread.
        let names = fs::read_to_string(format!("/proc/thread-self/net/{file}")).unwrap_or_default();
        let is_printed = rulesets.iter().any(|rules| (rules.family, rules.backend) == (family, Backend::Legacy));
        if !names.is_empty() && !is_printed {
            let names: Vec<&str> = names.lines().collect();
            warnings.push(format!(
                "{family} has legacy tables ({}) that are not in this capture: {} is missing on this machine",
                names.join(", "),
                tool::name(family, Some(Backend::Legacy))
            ));
        }
    }
}

/// Says which tables of nf_tables are not iptables' own, or could not be printed.
fn warn_of_native_tables(rulesets: &[CapturedRules], warnings: &mut Vec<String>) {
    // Where this fails, nft's save commands have failed and said why.
    let tables = nf_tables::tables().unwrap_or_default();
    let nft = rulesets.iter().filter(|rules| rules.backend == Backend::Nft);
    let asked: Vec<Family> = nft.map(|rules| rules.family).collect();
    let names = nf_tables::unprinted(&tables, &asked);
    if !names.is_empty() {
        warnings.push(format!(
            "nf_tables holds tables that iptables-nft-save does not print, so they are not in this capture: {} \
             (`nft list ruleset` prints them)",
            names.join(", ")
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(exit_code: Option<i32>, stopped: Option<Limit>) -> Answer {
        Answer { exit_code, stdout: Vec::new(), stderr: b"Permission denied\nmore".into(), stopped }
    }

    #[test]
    fn a_failed_command_is_complained_of() {
        let complaint = |answer| complaint("iptables-nft-save", &answer);
        assert_eq!(complaint(answer(Some(0), None)), None);
        let failed = complaint(answer(Some(4), None)).expect("it failed");
        assert_eq!(failed, "iptables-nft-save failed with exit code 4: Permission denied");
        for limit in [Limit::Time, Limit::Bytes] {
            let stopped = complaint(answer(None, Some(limit))).expect("it was stopped");
            assert!(stopped.ends_with("its rules are not complete"), "{stopped}");
        }
        assert!(complaint(answer(None, None)).is_some_and(|text| text.contains("signal")));
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced_and_said() {
        let mut warnings = Vec::new();
        assert_eq!(text(b"a \xff b".into(), "x", &mut warnings), "a \u{fffd} b");
        assert_eq!(warnings.len(), 1);
        assert_eq!(text("a ü".into(), "x", &mut warnings), "a ü");
        assert_eq!(warnings.len(), 1);
    }
}
