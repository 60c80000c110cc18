//! Asks every backend of both families for its rules.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use chainwalk_core::capture::{Backend, CapturedNftables, CapturedRules};
use chainwalk_core::packet::Family;

use crate::ask::{Answer, Limit, Limits, run};
use crate::capability;
use crate::failure::Failure;
use crate::machine::Machine;
use crate::namespace;
use crate::nf_tables;
use crate::tool::{self, Tool};

/// A node with a hundred thousand rules takes some seconds and some ten megabytes.
pub(crate) const SECONDS: u64 = 30;
const BYTES: usize = 64 << 20;
/// For a line that names a version.
const SMALL_LIMITS: Limits = Limits { time: Duration::from_secs(5), bytes: 4096 };

/// This machine's tools.
pub(crate) struct Toolbox {
    saves: Vec<Tool>,
    nft: Option<PathBuf>,
    /// What they see as `/`, where that is not the machine's own.
    root: Option<PathBuf>,
    limits: Limits,
}

/// What files said of themselves: each is asked once.
type Versions = Mutex<Vec<(PathBuf, Option<String>)>>;

/// What the tools said.
#[derive(Default)]
pub(crate) struct Said {
    pub(crate) rulesets: Vec<CapturedRules>,
    pub(crate) nftables: Option<CapturedNftables>,
}

impl Toolbox {
    /// Looks for them, below `root` where one is given. Each may run for so many seconds.
    pub(crate) fn open(root: Option<&Path>, seconds: u64) -> Result<Self, Failure> {
        let root = root.map(own_root).transpose()?;
        let look = || {
            let version = |path: &Path| {
                let answer = run(path, &["--version"], SMALL_LIMITS);
                answer.map(|answer| String::from_utf8_lossy(&answer.stdout).into_owned()).unwrap_or_default()
            };
            Ok((tool::find(&tool::DIRECTORIES, version), tool::find_nft(&tool::DIRECTORIES)))
        };
        let (saves, nft) = within(root.as_deref(), look).map_err(|error| {
            let refused = error.kind() == io::ErrorKind::PermissionDenied;
            let hint = if refused { capability::hint() } else { String::new() };
            let root = root.as_deref().unwrap_or(Path::new("/")).display();
            Failure::Refused(format!("cannot use the tools below {root}: {error}{hint}"))
        })?;
        if saves.is_empty() {
            let place = root.map_or("this machine".into(), |root| root.display().to_string());
            return Err(Failure::Refused(format!(
                "{place} has no iptables-save: install the package `iptables` (Fedora, RHEL: `iptables-nft`); for rules of \
                 the older backend Alpine and Fedora need `iptables-legacy`, too; where nothing may be installed, \
                 --tools-root names another system's directory, such as a toolbox's"
            )));
        }
        Ok(Self { saves, nft, root, limits: Limits { time: Duration::from_secs(seconds), bytes: BYTES } })
    }

    /// What they print in the network namespace of the calling thread, all asked at the same time. A warning tells what is
    /// missing, a note what is only to be known.
    pub(crate) fn ask(&self, machine: &Machine, warnings: &mut Vec<String>, notes: &mut Vec<String>) -> Said {
        let ask_nft = nf_tables::check(&machine.root);
        if let Err(reason) = ask_nft {
            warnings.push(format!("nf_tables was not asked: {reason}"));
        }
        let ask_nft = ask_nft.is_ok();
        let versions = Versions::default();
        let asked: Vec<&Tool> = self.saves.iter().filter(|tool| tool.backend == Backend::Legacy || ask_nft).collect();
        let (answers, listing) = thread::scope(|scope| {
            let listing = scope.spawn(|| self.nft.as_deref().filter(|_| ask_nft).map(|nft| self.list(nft)));
            let saves: Vec<_> = asked.iter().map(|tool| scope.spawn(|| self.save(tool, &versions))).collect();
            let answers: Vec<_> = saves.into_iter().map(|save| save.join().expect("reading does not panic")).collect();
            (answers, listing.join().expect("reading does not panic"))
        });
        let mut said = Said::default();
        for (tool, (answer, version)) in asked.iter().zip(answers) {
            match answer {
                Ok(answer) => said.rulesets.push(self.take(tool, answer, version, warnings)),
                Err(error) => warnings.push(format!("{} could not be run: {error}", tool.name)),
            }
        }
        said.nftables = listing.and_then(|(words, answer)| self.take_listing(words, answer, warnings));
        warn_of_legacy_tables(&said.rulesets, warnings);
        if ask_nft {
            tell_native_tables(&said, warnings, notes);
        }
        said
    }

    /// Plain `-save -c`: `iptables-legacy -L` and `-t` create the tables that they are asked for, this creates none.
    fn save(&self, tool: &Tool, versions: &Versions) -> (io::Result<Answer>, Option<String>) {
        let answer = within(self.root.as_deref(), || run(&tool.path, &["-c"], self.limits));
        let text =
            answer.as_ref().map(|answer| String::from_utf8_lossy(&answer.stdout[..answer.stdout.len().min(200)]));
        let stated = text.ok().and_then(|text| stated_version(&text));
        // Where there are no rules, nothing states it.
        let version = stated.or_else(|| {
            let mut versions = versions.lock().unwrap_or_else(PoisonError::into_inner);
            let known = versions.iter().position(|(file, _)| *file == tool.file).unwrap_or(versions.len());
            if known == versions.len() {
                versions.push((tool.file.clone(), self.version(tool)));
            }
            versions[known].1.as_deref().map(|words| called(words, tool.family))
        });
        (answer, version)
    }

    fn version(&self, tool: &Tool) -> Option<String> {
        let answer = within(self.root.as_deref(), || run(&tool.path, &["--version"], SMALL_LIMITS)).ok()?;
        let text = String::from_utf8_lossy(&answer.stdout).trim_end().to_owned();
        (answer.exit_code == Some(0) && !text.is_empty()).then_some(text)
    }

    /// As JSON; an nft that was built without that lists in its own language.
    fn list(&self, nft: &Path) -> (&'static [&'static str], io::Result<Answer>) {
        const JSON: &[&str] = &["-j", "list", "ruleset"];
        const PLAIN: &[&str] = &["list", "ruleset"];
        let ask = |arguments: &[&str]| within(self.root.as_deref(), || run(nft, arguments, self.limits));
        match ask(JSON) {
            Ok(answer) if answer.exit_code != Some(0) && contains(&answer.stderr, "JSON support not compiled") => {
                (PLAIN, ask(PLAIN))
            }
            answer => (JSON, answer),
        }
    }

    fn take(&self, tool: &Tool, answer: Answer, version: Option<String>, warnings: &mut Vec<String>) -> CapturedRules {
        warnings.extend(self.complaint(&tool.name, &answer));
        let mut text = text(answer.stdout, &tool.name, warnings);
        if answer.stopped.is_some() {
            // The last line may be half a line.
            text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
        }
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
        answer: io::Result<Answer>,
        warnings: &mut Vec<String>,
    ) -> Option<CapturedNftables> {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                warnings.push(format!("nft could not be run: {error}"));
                return None;
            }
        };
        warnings.extend(self.complaint("nft", &answer));
        let text = text(answer.stdout, "nft", warnings);
        let version = text.split_once("\"version\": \"").and_then(|(_, rest)| rest.split_once('"'));
        Some(CapturedNftables {
            command: ["nft"].iter().chain(words).map(ToString::to_string).collect(),
            version: version.map(|(version, _)| version.to_owned()),
            exit_code: answer.exit_code,
            text,
            stderr: String::from_utf8_lossy(&answer.stderr).into_owned(),
        })
    }

    /// What was wrong with an answer.
    fn complaint(&self, name: &str, answer: &Answer) -> Option<String> {
        complaint(name, answer, self.limits, &capability::hint())
    }
}

/// Runs `job` with another `/`, or with the own one.
fn within<T: Send>(root: Option<&Path>, job: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    match root {
        Some(root) => namespace::below(root, job),
        None => job(),
    }
}

/// What root runs must not be what a container has written: its file system is refused.
fn own_root(root: &Path) -> Result<PathBuf, Failure> {
    let wrong = |reason: &str| Failure::Refused(format!("--tools-root {}: {reason}", root.display()));
    let containers = "this is a container's file system, and whoever runs the container may have put anything there";
    let is_proc = |path: &Path| path.components().nth(1) == Some(Component::Normal("proc".as_ref()));
    let real = root.canonicalize().map_err(|error| wrong(&error.to_string()))?;
    // `/proc/PID/root` leads into a container, though its real path is that of the container's own `/`.
    let absolute = std::path::absolute(root).map_err(|error| wrong(&error.to_string()))?;
    if is_proc(&absolute) || is_proc(&real) || CONTAINERS.iter().any(|directory| real.starts_with(directory)) {
        return Err(wrong(containers));
    }
    let data = real.metadata().map_err(|error| wrong(&error.to_string()))?;
    if !data.is_dir() {
        return Err(wrong("it is no directory"));
    }
    let is_root_own = std::os::unix::fs::MetadataExt::uid(&data) == 0;
    if !is_root_own || std::os::unix::fs::PermissionsExt::mode(&data.permissions()) & 0o022 != 0 {
        return Err(wrong("others than root may write there"));
    }
    Ok(real)
}

/// Where the runtimes keep the file systems of containers.
const CONTAINERS: [&str; 6] = [
    "/run/containerd",
    "/var/lib/containerd",
    "/var/lib/containers/storage",
    "/var/lib/docker",
    "/run/k3s",
    "/var/lib/kubelet/pods",
];

/// What a file says of itself when it is called by the name of this family: `ip6tables-save v1.8.9 (legacy)`.
fn called(words: &str, family: Family) -> String {
    match words.split_once("tables-") {
        Some(("ip" | "ip6", rest)) => format!("{}-{rest}", tool::program(family)),
        _ => words.to_owned(),
    }
}

/// `# Generated by iptables-save v1.8.9 on Sun Nov 22 20:21:08 2026`.
fn stated_version(text: &str) -> Option<String> {
    let line = text.lines().next()?.strip_prefix("# Generated by ")?;
    line.split_once(" on ").map(|(version, _)| version.to_owned())
}

fn contains(bytes: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(bytes).contains(text)
}

/// What was wrong with an answer.
fn complaint(name: &str, answer: &Answer, limits: Limits, hint: &str) -> Option<String> {
    let stderr = String::from_utf8_lossy(&answer.stderr);
    let said = stderr.lines().next().map(|line| format!(": {line}")).unwrap_or_default();
    match (answer.stopped, answer.exit_code) {
        (Some(Limit::Time), _) => {
            Some(format!("{name} was stopped after {} s: its rules are not complete", limits.time.as_secs()))
        }
        (Some(Limit::Bytes), _) => {
            Some(format!("{name} was stopped after {} MiB: its rules are not complete", limits.bytes >> 20))
        }
        (None, Some(0)) => None,
        (None, Some(code)) => Some(format!("{name} failed with exit code {code}{said}{hint}")),
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
fn tell_native_tables(said: &Said, warnings: &mut Vec<String>, notes: &mut Vec<String>) {
    // Where this fails, nft's save commands have failed and said why.
    let tables = nf_tables::tables().unwrap_or_default();
    let nft = said.rulesets.iter().filter(|rules| rules.backend == Backend::Nft);
    let asked: Vec<Family> = nft.map(|rules| rules.family).collect();
    let names = nf_tables::unprinted(&tables, &asked).join(", ");
    if names.is_empty() {
        return;
    }
    if said.nftables.as_ref().is_some_and(|listing| listing.exit_code == Some(0)) {
        notes.push(format!(
            "nf_tables holds tables that iptables-nft-save does not print: {names}; they stand in the capture's `nftables` \
             only, which no walk takes into account"
        ));
    } else {
        warnings.push(format!(
            "nf_tables holds tables that iptables-nft-save does not print, so they are not in this capture: {names} (`nft \
             list ruleset` prints them: install the package `nftables`)"
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
        let limits = Limits { time: Duration::from_secs(30), bytes: BYTES };
        let complaint = |answer| complaint("iptables-nft-save", &answer, limits, " (hint)");
        assert_eq!(complaint(answer(Some(0), None)), None);
        let failed = complaint(answer(Some(4), None)).expect("it failed");
        assert_eq!(failed, "iptables-nft-save failed with exit code 4: Permission denied (hint)");
        for limit in [Limit::Time, Limit::Bytes] {
            let stopped = complaint(answer(None, Some(limit))).expect("it was stopped");
            assert!(stopped.ends_with("its rules are not complete"), "{stopped}");
        }
        assert!(complaint(answer(None, None)).is_some_and(|text| text.contains("signal")));
    }

    #[test]
    fn a_dump_states_its_version() {
        let text = "# Generated by iptables-nft-save v1.8.9 (nf_tables) on Sun Nov 22 20:21:08 2026\n*nat\n";
        assert_eq!(stated_version(text).as_deref(), Some("iptables-nft-save v1.8.9 (nf_tables)"));
        assert_eq!(stated_version("*nat\n"), None);
        assert_eq!(stated_version(""), None);
    }

    #[test]
    fn a_version_is_said_by_the_name_that_was_called() {
        let words = "iptables-save v1.8.9 (legacy)";
        assert_eq!(called(words, Family::Ipv6), "ip6tables-save v1.8.9 (legacy)");
        assert_eq!(called(&called(words, Family::Ipv6), Family::Ipv4), words);
        assert_eq!(called("v1", Family::Ipv4), "v1");
    }

    #[test]
    fn no_container_lends_its_tools() {
        for (root, reason) in [
            ("/proc/self/root", "container's file system"),
            ("/nonexistent", "No such file"),
            ("/etc/passwd", "no directory"),
            ("/tmp", "others than root may write"),
        ] {
            let refused = own_root(Path::new(root)).expect_err("refused").to_string();
            assert!(refused.contains(reason), "{refused}");
        }
        assert_eq!(own_root(Path::new("/usr")), Ok("/usr".into()));
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
