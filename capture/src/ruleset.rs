//! Reads the rules of every backend and family.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use chainwalk_core::input::capture::{CapturedNftables, CapturedRules};
use chainwalk_core::netfilter::backend::Backend;
use chainwalk_core::packet::Family;

use crate::ask::{Allowance, Limits, MAX_STDERR, OutputLimit, ToolAnswer};
use crate::capability;
use crate::failure::Failure;
use crate::launch;
use crate::machine::Machine;
use crate::nf_tables;
use crate::tool::{self, Tool};
use crate::tools_root::ToolsRoot;

/// The time limit in seconds. A node with a hundred thousand rules takes a few seconds and a few
/// tens of megabytes.
pub(crate) const SECONDS: u64 = 30;
/// The bytes stored of each save command, and those that long outputs share. Together with the
/// listing and the host, the memory of this program stays below 200 MB.
const SAVES: (usize, usize) = (6 << 20, 32 << 20);
/// Redaction stores the rules twice, and every name in them once more.
const REDACTED_SAVES: (usize, usize) = (2 << 20, 8 << 20);
/// In JSON, a rule takes about 500 bytes.
const LISTING: usize = 24 << 20;
/// The maximum output of a command that prints its version.
const VERSION: usize = 4096;
const VERSION_TIME: Duration = Duration::from_secs(5);

/// The tools of this machine.
pub(crate) struct Toolbox {
    saves: Vec<Tool>,
    nft: Option<PathBuf>,
    /// The directory that they see as `/`, if it is not the machine's own.
    root: Option<ToolsRoot>,
    scope: Scope,
}

/// The parts that the output contains.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    /// Whether the listing of nft is printed.
    pub(crate) lists: bool,
    /// Whether the rules are redacted.
    pub(crate) redacts: bool,
    /// The time limit.
    pub(crate) seconds: u64,
}

/// The versions that programs reported. Each program is called once.
type Versions = Mutex<Vec<(PathBuf, Option<String>)>>;

/// The output of the tools.
#[derive(Default)]
pub(crate) struct Said {
    pub(crate) rulesets: Vec<CapturedRules>,
    pub(crate) nftables: Option<CapturedNftables>,
}

impl Toolbox {
    /// Finds the tools, under `root` if one is given.
    pub(crate) fn open(
        root: Option<ToolsRoot>,
        scope: Scope,
        deadline: Instant,
    ) -> Result<Self, Failure> {
        let look_up: &tool::LookUp = match &root {
            Some(root) => &|path| root.executable(path),
            None => &tool::own_executable,
        };
        let saves = tool::find(look_up, &|path| {
            version(root.as_ref(), path, deadline).unwrap_or_default()
        })?;
        let nft = if scope.lists {
            tool::find_nft(look_up)?
        } else {
            None
        };
        if saves.is_empty() {
            let place = root.map_or("this machine".into(), |root| {
                root.given.display().to_string()
            });
            return Err(Failure::Refused(format!(
                "{place} has no iptables-save: install the package `iptables` (Fedora, RHEL: `iptables-nft`); for rules of \
                 the older backend Alpine and Fedora need `iptables-legacy`, too; where nothing may be installed, \
                 --tools-root names another system's directory, such as a toolbox's"
            )));
        }
        Ok(Self {
            saves,
            nft,
            root,
            scope,
        })
    }

    /// Runs all tools at the same time in the network namespace of the calling thread, until the
    /// deadline. A warning reports a missing part, and a note reports a fact.
    pub(crate) fn ask(
        &self,
        machine: &Machine,
        deadline: Instant,
        warnings: &mut Vec<String>,
        notes: &mut Vec<String>,
    ) -> Said {
        let ask_nft = nf_tables::check(&machine.root);
        if let Err(reason) = ask_nft {
            warnings.push(format!("nf_tables was not asked: {reason}"));
        }
        let ask_nft = ask_nft.is_ok();
        let versions = Versions::default();
        let (each, shared) = if self.scope.redacts {
            REDACTED_SAVES
        } else {
            SAVES
        };
        let allowance = Allowance::new(each, shared);
        let limits = Limits {
            deadline,
            allowance: &allowance,
        };
        let asked: Vec<&Tool> = self
            .saves
            .iter()
            .filter(|tool| tool.backend == Backend::Legacy || ask_nft)
            .collect();
        let (answers, listing) = thread::scope(|scope| {
            let listing = scope.spawn(|| {
                self.nft
                    .as_deref()
                    .filter(|_| ask_nft)
                    .map(|nft| self.list(nft, deadline))
            });
            let saves: Vec<_> = asked
                .iter()
                .map(|tool| scope.spawn(|| self.save(tool, &limits, &versions)))
                .collect();
            let answers: Vec<_> = saves
                .into_iter()
                .map(|save| save.join().expect("reading does not panic"))
                .collect();
            (answers, listing.join().expect("reading does not panic"))
        });
        let mut said = Said::default();
        for (tool, (answer, version)) in asked.iter().zip(answers) {
            match answer {
                Ok(answer) => said
                    .rulesets
                    .push(self.take(tool, answer, version, warnings)),
                Err(error) => warnings.push(format!("{} could not be run: {error}", tool.name)),
            }
        }
        said.nftables =
            listing.and_then(|(words, answer)| self.take_listing(words, answer, warnings));
        warn_of_legacy_tables(&said.rulesets, warnings);
        if ask_nft {
            tell_native_tables(&said, self.scope.lists, warnings, notes);
        }
        said
    }

    /// Runs the plain `-save -c`. `iptables-legacy -L` and `-t` create the tables that they read;
    /// this command creates none.
    fn save(
        &self,
        tool: &Tool,
        limits: &Limits,
        versions: &Versions,
    ) -> (io::Result<ToolAnswer>, Option<String>) {
        let answer = run(self.root.as_ref(), &tool.path, &["-c"], limits);
        let text = answer
            .as_ref()
            .map(|answer| String::from_utf8_lossy(&answer.stdout[..answer.stdout.len().min(200)]));
        let stated = text.ok().and_then(|text| stated_version(&text));
        // Without rules, the output does not state the version.
        let version = stated.or_else(|| {
            let mut versions = versions.lock().unwrap_or_else(PoisonError::into_inner);
            let known = versions
                .iter()
                .position(|(file, _)| *file == tool.file)
                .unwrap_or(versions.len());
            if known == versions.len() {
                versions.push((
                    tool.file.clone(),
                    version(self.root.as_ref(), &tool.path, limits.deadline),
                ));
            }
            versions[known]
                .1
                .as_deref()
                .map(|words| called(words, tool.family))
        });
        (answer, version)
    }

    /// Lists nf_tables as JSON, or in nft's own language if that fails. An nft may be built without
    /// JSON. JSON also takes two times more memory, and its single line is useless if it is
    /// truncated.
    fn list(
        &self,
        nft: &Path,
        deadline: Instant,
    ) -> (&'static [&'static str], io::Result<ToolAnswer>) {
        const JSON: &[&str] = &["-j", "list", "ruleset"];
        const PLAIN: &[&str] = &["list", "ruleset"];
        let ask = |arguments: &[&str]| {
            let allowance = Allowance::new(LISTING, 0);
            run(
                self.root.as_ref(),
                nft,
                arguments,
                &Limits {
                    deadline,
                    allowance: &allowance,
                },
            )
        };
        match ask(JSON) {
            Ok(answer)
                if answer.exit_code != Some(0) && answer.stopped != Some(OutputLimit::Time) =>
            {
                drop(answer);
                (PLAIN, ask(PLAIN))
            }
            answer => (JSON, answer),
        }
    }

    fn take(
        &self,
        tool: &Tool,
        answer: ToolAnswer,
        version: Option<String>,
        warnings: &mut Vec<String>,
    ) -> CapturedRules {
        warnings.extend(self.complaints(&tool.name, &answer));
        let text = text(
            answer.stdout,
            answer.stopped.is_some(),
            &tool.name,
            warnings,
        );
        CapturedRules {
            family: tool.family,
            backend: tool.backend,
            command: vec![tool.name.clone(), "-c".to_owned()],
            version,
            exit_code: answer.exit_code,
            text,
            stderr: String::from_utf8_lossy(&answer.stderr).into_owned(),
        }
    }

    fn take_listing(
        &self,
        words: &[&str],
        answer: io::Result<ToolAnswer>,
        warnings: &mut Vec<String>,
    ) -> Option<CapturedNftables> {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                warnings.push(format!("nft could not be run: {error}"));
                return None;
            }
        };
        warnings.extend(self.complaints("nft", &answer));
        let text = text(answer.stdout, answer.stopped.is_some(), "nft", warnings);
        let version = text
            .split_once("\"version\": \"")
            .and_then(|(_, rest)| rest.split_once('"'));
        Some(CapturedNftables {
            command: ["nft"]
                .iter()
                .chain(words)
                .map(ToString::to_string)
                .collect(),
            version: version.map(|(version, _)| version.to_owned()),
            exit_code: answer.exit_code,
            text,
            stderr: String::from_utf8_lossy(&answer.stderr).into_owned(),
        })
    }

    /// The problems of an answer.
    fn complaints(&self, name: &str, answer: &ToolAnswer) -> Vec<String> {
        complaints(name, answer, self.scope.seconds, &capability::hint())
    }
}

/// Runs a tool with another `/`, or with the machine's own.
fn run(
    root: Option<&ToolsRoot>,
    tool: &Path,
    arguments: &[&str],
    limits: &Limits,
) -> io::Result<ToolAnswer> {
    let root = root.map_or_else(|| "/".into(), ToolsRoot::path);
    launch::run(&root, tool, arguments, limits)
}

/// The version that a tool prints.
fn version(root: Option<&ToolsRoot>, tool: &Path, deadline: Instant) -> Option<String> {
    let now = Instant::now();
    if now >= deadline {
        return None;
    }
    let limits = Limits {
        deadline: deadline.min(now + VERSION_TIME),
        allowance: &Allowance::new(VERSION, 0),
    };
    let answer = run(root, tool, &["--version"], &limits).ok()?;
    let text = String::from_utf8_lossy(&answer.stdout)
        .trim_end()
        .to_owned();
    (answer.exit_code == Some(0) && !text.is_empty()).then_some(text)
}

/// The version that a program reports under the name of this family:
/// `ip6tables-save v1.8.9 (legacy)`.
fn called(words: &str, family: Family) -> String {
    match words.split_once("tables-") {
        Some(("ip" | "ip6", rest)) => format!("{}-{rest}", tool::program(family)),
        _ => words.to_owned(),
    }
}

/// Parses the version from `# Generated by iptables-save v1.8.9 on Sun Nov 22 20:21:08 2026`.
fn stated_version(text: &str) -> Option<String> {
    let line = text.lines().next()?.strip_prefix("# Generated by ")?;
    line.split_once(" on ")
        .map(|(version, _)| version.to_owned())
}

/// The problems of an answer.
fn complaints(name: &str, answer: &ToolAnswer, seconds: u64, hint: &str) -> Vec<String> {
    let stderr = String::from_utf8_lossy(&answer.stderr);
    let said = stderr
        .lines()
        .next()
        .map(|line| format!(": {line}"))
        .unwrap_or_default();
    let mut complaints = match (answer.stopped, answer.exit_code) {
        (Some(OutputLimit::Time), _) => vec![format!(
            "{name} was stopped after {seconds} s: its rules are not complete"
        )],
        (Some(OutputLimit::Bytes), _) => {
            let size = answer.stdout.len() >> 20;
            vec![format!(
                "{name} was stopped after {size} MiB: its rules are not complete"
            )]
        }
        (None, Some(0)) => Vec::new(),
        (None, Some(code)) => vec![format!("{name} failed with exit code {code}{said}{hint}")],
        (None, None) => vec![format!("{name} was ended by a signal{said}")],
    };
    if answer.stderr_is_cut {
        complaints.push(format!(
            "{name} wrote more than {} kB to standard error: the rest is left out",
            MAX_STDERR >> 10
        ));
    }
    complaints
}

/// Converts an output to text. The comment of a rule may contain any bytes, but JSON contains text.
/// If the output `is_cut`, its last line may be incomplete and is removed.
fn text(bytes: Vec<u8>, is_cut: bool, name: &str, warnings: &mut Vec<String>) -> String {
    let (mut text, is_cut) = match String::from_utf8(bytes) {
        Ok(text) => (text, is_cut),
        // The cut may have split a character, which is removed with its line.
        Err(error) => {
            let bytes = error.as_bytes();
            let whole = if is_cut {
                bytes
                    .iter()
                    .rposition(|&byte| byte == b'\n')
                    .map_or(0, |end| end + 1)
            } else {
                bytes.len()
            };
            replaced(&bytes[..whole], is_cut, name, warnings)
        }
    };
    if is_cut {
        text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
    }
    text
}

/// Replaces invalid bytes with U+FFFD, which takes three bytes. The text is at most 4 MiB longer
/// than the bytes.
fn replaced(
    bytes: &[u8],
    mut is_cut: bool,
    name: &str,
    warnings: &mut Vec<String>,
) -> (String, bool) {
    const MORE: usize = 4 << 20;
    let (mut text, mut is_changed) = (String::with_capacity(bytes.len()), false);
    for chunk in bytes.utf8_chunks() {
        if text.len() + chunk.valid().len() > bytes.len() + MORE {
            warnings.push(format!(
                "{name} printed too many bytes that are no UTF-8: its rules are not complete"
            ));
            is_cut = true;
            break;
        }
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
            is_changed = true;
        }
    }
    if is_changed {
        warnings.push(format!(
            "{name} printed bytes that are no UTF-8: they are replaced by \u{fffd}"
        ));
    }
    (text, is_cut)
}

/// Warns if ip_tables has tables that no command printed.
fn warn_of_legacy_tables(rulesets: &[CapturedRules], warnings: &mut Vec<String>) {
    for (family, file) in [
        (Family::Ipv4, "ip_tables_names"),
        (Family::Ipv6, "ip6_tables_names"),
    ] {
        // This must be the thread's own file: `/proc/net` is that of the program's first thread.
        let names = fs::read_to_string(format!("/proc/thread-self/net/{file}")).unwrap_or_default();
        let is_printed = rulesets
            .iter()
            .any(|rules| (rules.family, rules.backend) == (family, Backend::Legacy));
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

/// Reports the tables of nf_tables that are not iptables' own, or that could not be printed.
fn tell_native_tables(
    said: &Said,
    lists: bool,
    warnings: &mut Vec<String>,
    notes: &mut Vec<String>,
) {
    // If this fails, nft's save commands have failed with a message.
    let tables = nf_tables::tables().unwrap_or_default();
    let nft = said
        .rulesets
        .iter()
        .filter(|rules| rules.backend == Backend::Nft);
    let asked: Vec<Family> = nft.map(|rules| rules.family).collect();
    let names = nf_tables::unprinted(&tables, &asked).join(", ");
    if names.is_empty() {
        return;
    }
    if said
        .nftables
        .as_ref()
        .is_some_and(|listing| listing.exit_code == Some(0))
    {
        notes.push(format!(
            "nf_tables holds tables that iptables-nft-save does not print: {names}; they stand in the capture's `nftables` \
             only, which no walk takes into account"
        ));
    } else {
        let hint = if lists {
            "`nft list ruleset` prints them: install the package `nftables`"
        } else {
            "only the plain JSON holds the listing of nft: leave out --redact, --text and --link"
        };
        warnings.push(format!(
            "nf_tables holds tables that iptables-nft-save does not print, so they are not in this capture: {names} ({hint})"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(exit_code: Option<i32>, stopped: Option<OutputLimit>) -> ToolAnswer {
        let stderr = b"Permission denied\nmore".into();
        ToolAnswer {
            exit_code,
            stdout: Vec::new(),
            stderr,
            stderr_is_cut: false,
            stopped,
        }
    }

    #[test]
    fn a_failed_command_is_complained_of() {
        let complaints = |answer| complaints("iptables-nft-save", &answer, 30, " (hint)");
        assert_eq!(complaints(answer(Some(0), None)), [""; 0]);
        let failed = complaints(answer(Some(4), None));
        assert_eq!(
            failed,
            ["iptables-nft-save failed with exit code 4: Permission denied (hint)"]
        );
        for limit in [OutputLimit::Time, OutputLimit::Bytes] {
            let stopped = complaints(answer(None, Some(limit)));
            assert!(
                stopped.len() == 1 && stopped[0].ends_with("its rules are not complete"),
                "{stopped:?}"
            );
        }
        assert!(complaints(answer(None, None))[0].contains("signal"));
        let cut = complaints(ToolAnswer {
            stderr_is_cut: true,
            ..answer(Some(0), None)
        });
        assert!(cut[0].contains("standard error"), "{cut:?}");
    }

    #[test]
    fn a_dump_states_its_version() {
        let text = "# Generated by iptables-nft-save v1.8.9 (nf_tables) on Sun Nov 22 20:21:08 2026\n*nat\n";
        assert_eq!(
            stated_version(text).as_deref(),
            Some("iptables-nft-save v1.8.9 (nf_tables)")
        );
        assert_eq!(stated_version("*nat\n"), None);
        assert_eq!(stated_version(""), None);
    }

    #[test]
    fn a_version_is_said_by_the_name_that_was_called() {
        let words = "iptables-save v1.8.9 (legacy)";
        assert_eq!(
            called(words, Family::Ipv6),
            "ip6tables-save v1.8.9 (legacy)"
        );
        assert_eq!(called(&called(words, Family::Ipv6), Family::Ipv4), words);
        assert_eq!(called("v1", Family::Ipv4), "v1");
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced_and_said() {
        let mut warnings = Vec::new();
        assert_eq!(
            text(b"a \xff b".into(), false, "x", &mut warnings),
            "a \u{fffd} b"
        );
        assert_eq!(warnings.len(), 1);
        assert_eq!(text("a ü".into(), false, "x", &mut warnings), "a ü");
        // A cut may split a character.
        assert_eq!(text(b"a\nb\xc3".into(), true, "x", &mut warnings), "a\n");
        assert_eq!(warnings.len(), 1);
    }

    #[test]
    fn bytes_that_are_no_text_do_not_fill_the_memory() {
        let mut warnings = Vec::new();
        let text = text(b"\xff\n".repeat(4 << 20), false, "x", &mut warnings);
        assert!(
            text.len() <= 12 << 20 && text.ends_with("\u{fffd}\n"),
            "{}",
            text.len()
        );
        assert!(warnings[0].contains("not complete"), "{warnings:?}");
    }
}
