//! Prints the packet-filter rules of a network namespace and its environment as JSON.
//!
//! # Layout
//! - `main`: tasks, output, errors; `option`: the table of options; `failure`: the reasons to end
//!   without a capture
//! - `node` (every namespace of the machine), `find` (the one that the user names), `list` (the
//!   table of all)
//! - `capture` assembles the whole from
//!   - `process` (a process held by its directory in `/proc`), `cgroup` (its pod and container) and
//!     `proof` (whether their names can be trusted)
//!   - `namespace`: enters namespaces on separate threads
//!   - `ruleset`: the output of the tools. `tool` and `tools_root` find them, `launch` starts them
//!     within limits, `ask` reads their output, `nf_tables` checks whether it is safe
//!   - `host`: `interface`, `route` and `rule` over `netlink`; `multicast`, `sysctl` and `socket`
//!     (with `user`) from `/proc`; `other_processing`, which acts next to the rules:
//!     `traffic_control`, `ipvs` and `xfrm`
//! - `json`: the capture as JSON; `dump`: its rules as text
//! - `watchdog`: ends the program if it takes too long
//! - `machine`: the location of `/proc` and `/sys`; `mount`: the mounts there; `capability`: the
//!   missing capabilities after a refusal of the kernel
//!
//! A capture changes nothing in the namespace and loads no kernel module. `nf_tables`, `ruleset`,
//! `socket` and `xfrm` describe how.

#![forbid(unsafe_code)]

mod ask;
mod capability;
mod capture;
mod cgroup;
mod dump;
mod failure;
mod find;
mod host;
mod interface;
mod ipvs;
mod json;
mod launch;
mod list;
mod machine;
mod mount;
mod multicast;
mod namespace;
mod netlink;
mod nf_tables;
mod node;
mod option;
mod other_processing;
mod process;
mod proof;
mod route;
mod rule;
mod ruleset;
mod socket;
mod sysctl;
mod tool;
mod tools_root;
mod traffic_control;
mod user;
mod watchdog;
mod xfrm;

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use chainwalk_core::input::capture::Capture;
use chainwalk_core::share::{link, redact};
use chainwalk_core::text::visible::escape_invisible;

use crate::capture::{Captured, TOOL, capture};
use crate::failure::Failure;
use crate::find::{PodSelector, find};
use crate::machine::Machine;
use crate::node::{Held, Node};
use crate::option::GivenOption;
use crate::ruleset::{SECONDS, Scope, Toolbox};
use crate::tools_root::ToolsRoot;
use crate::watchdog::Watchdog;

/// The JSON Schema of the output.
const SCHEMA: &str = include_str!("../schema.json");

/// The task of the command line.
#[derive(Debug, PartialEq, Eq)]
enum CaptureTask {
    /// One namespace, or all.
    Capture(Option<PodSelector>),
    List,
    Print(String),
}

/// The settings of a task.
#[derive(Debug, PartialEq, Eq)]
struct Settings {
    machine: Machine,
    tools_root: Option<PathBuf>,
    seconds: u64,
    redact: bool,
    output: Output,
}

#[derive(Debug, PartialEq, Eq)]
enum Output {
    Json,
    Text,
    Link(String),
}

/// The capture is complete.
const WHOLE: u8 = 0;
/// There is no capture.
const FAILED: u8 = 1;
/// The command line is invalid.
const USAGE: u8 = 2;
/// A part is missing, and warnings name it.
const PARTLY: u8 = 3;

fn main() -> ExitCode {
    if let Some(code) = launch::launch() {
        return code;
    }
    let code = run().unwrap_or_else(|failure| {
        complain(&failure.to_string());
        match failure {
            Failure::Usage(_) => USAGE,
            Failure::Refused(_) => FAILED,
            Failure::Ambiguous(_, table) => {
                // A closed standard error has no reader.
                let _ = io::stderr().write_all(table.as_bytes());
                FAILED
            }
        }
    });
    code.into()
}

fn run() -> Result<u8, Failure> {
    let (task, settings) = task(option::parse_arguments(lexopt::Parser::from_env())?)?;
    let seconds = settings.seconds;
    let watchdog = Watchdog::start(Duration::from_secs(seconds), move |has_printed| {
        complain(&format!(
            "stopped after {seconds} s: reading or redacting took too long (see --timeout)"
        ));
        if has_printed { PARTLY } else { FAILED }
    });
    match task {
        CaptureTask::Print(text) => print(&text).map(|()| WHOLE),
        CaptureTask::List => {
            let node = Node::scan(&settings.machine);
            // The time limit applies to each namespace. A busy node with hundreds of them may take
            // longer for the table.
            let spaces = node.spaces.iter().inspect(|_| watchdog.restart());
            let table = list::table(&settings.machine, spaces.map(|space| (space, None)));
            watchdog.pause();
            print(&table)?;
            Ok(told_unreadable(&node))
        }
        CaptureTask::Capture(Some(who)) => {
            let held = find(&who, &settings.machine)?;
            watchdog.restart();
            let tools = settings.tools(watchdog.deadline())?;
            one(&held, &settings, &tools, &watchdog)
        }
        CaptureTask::Capture(None) => all(&settings, &watchdog),
    }
}

/// Captures each namespace. If one cannot be read, the others are still printed.
fn all(settings: &Settings, watchdog: &Watchdog) -> Result<u8, Failure> {
    let node = Node::scan(&settings.machine);
    let tools = settings.tools(watchdog.deadline())?;
    let (mut code, mut done) = (told_unreadable(&node), 0);
    for (number, space) in node.spaces.iter().enumerate() {
        progress(number + 1, node.spaces.len());
        watchdog.restart();
        match space
            .hold(&settings.machine, None)
            .and_then(|held| one(&held, settings, &tools, watchdog))
        {
            Ok(one) => {
                done += 1;
                code = code.max(one);
            }
            Err(failure) => {
                let failure = failure.to_string();
                let failure = if settings.redact {
                    redact::message(&failure, secret()?)
                } else {
                    failure
                };
                complain(&format!("namespace {}: {failure}", space.identity.inode));
                code = PARTLY;
            }
        }
    }
    if done == 0 {
        return Err(Failure::Refused("no namespace could be read".into()));
    }
    Ok(code)
}

/// Captures and prints one namespace.
fn one(
    held: &Held,
    settings: &Settings,
    tools: &Toolbox,
    watchdog: &Watchdog,
) -> Result<u8, Failure> {
    let Captured {
        mut capture,
        is_partial,
    } = capture(held, &settings.machine, tools, watchdog.deadline())?;
    if settings.redact {
        let redacted = redact::redact(&capture, secret()?);
        capture = redacted
            .map_err(|refusal| Failure::Refused(refusal.to_string()))?
            .capture;
    }
    for warning in &capture.warnings {
        complain(&format!("warning: {warning}"));
    }
    let mut code = if is_partial { PARTLY } else { WHOLE };
    match &settings.output {
        Output::Json => {
            watchdog.pause();
            let is_terminal = io::stdout().is_terminal();
            print_by(|out| json::write(&capture, is_terminal, out))?;
        }
        Output::Text => {
            watchdog.pause();
            let mut escaped = 0;
            print_by(|out| {
                escaped = capture
                    .rulesets
                    .iter()
                    .map(|rules| dump::write(&rules.text, out))
                    .sum::<io::Result<usize>>()?;
                Ok(())
            })?;
            if escaped > 0 {
                complain(&format!(
                    "warning: {escaped} invisible characters of the rules are written as <U+…>: these rules are not what the \
                     kernel holds; the JSON is (leave out --text)"
                ));
                code = PARTLY;
            }
        }
        Output::Link(page) => {
            let link = link_to(page, capture)?;
            watchdog.pause();
            print(&link)?;
        }
    }
    Ok(code)
}

/// The page reads the rules that the save commands printed, and a link must be short.
fn link_to(page: &str, capture: Capture) -> Result<String, Failure> {
    let mut json = Vec::new();
    let written = json::write(
        &capture,
        false,
        &mut Bounded {
            bytes: &mut json,
            left: MAX_LINKED,
        },
    );
    let text = String::from_utf8(json).ok().filter(|_| written.is_ok());
    let link = text.and_then(|text| link::link(page, text.trim_end())).ok_or_else(|| {
        Failure::Refused(format!(
            "this capture is too large for a link (more than {} characters): write it into a file instead, without --link \
             and with `> capture.json`, and drop that into the page",
            link::MAX_LINK_CHARACTERS
        ))
    })?;
    Ok(link + "\n")
}

/// The maximum length of a text that the page decompresses from a link.
const MAX_LINKED: usize = 4 << 20;

/// Accepts at most `left` more bytes.
struct Bounded<'a> {
    bytes: &'a mut Vec<u8>,
    left: usize,
}

impl io::Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self
            .left
            .checked_sub(bytes.len())
            .ok_or(io::ErrorKind::FileTooLarge)?;
        self.bytes.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Settings {
    fn tools(&self, deadline: Instant) -> Result<Toolbox, Failure> {
        let root = self
            .tools_root
            .as_deref()
            .map(|root| ToolsRoot::open(root, &self.machine))
            .transpose()?;
        // No other output contains the listing.
        let lists = self.output == Output::Json && !self.redact;
        Toolbox::open(
            root,
            Scope {
                lists,
                redacts: self.redact,
                seconds: self.seconds,
            },
            deadline,
        )
    }
}

/// The secret that selects the neutral addresses. It is not stored, so the replacement cannot be
/// reversed.
fn secret() -> Result<[u8; 16], Failure> {
    let mut secret = [0; 16];
    let read = File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut secret));
    read.map(|()| secret)
        .map_err(|error| Failure::Refused(format!("cannot read /dev/urandom: {error}")))
}

/// Reports unreadable processes. Some processes are closed to everyone. If this program lacks a
/// capability, another message reports it.
fn told_unreadable(node: &Node) -> u8 {
    if node.unreadable == 0 {
        return WHOLE;
    }
    let is_root = nix::unistd::geteuid().is_root();
    let hint = if is_root {
        capability::hint()
    } else {
        format!(" (only root may see them all: {})", capability::sudo_line())
    };
    let processes = if node.unreadable == 1 {
        "1 process"
    } else {
        &format!("{} processes", node.unreadable)
    };
    complain(&format!(
        "warning: {processes} did not show the namespace that they are in{hint}"
    ));
    if hint.is_empty() { WHOLE } else { PARTLY }
}

/// One year. Beyond it, the kernel's clock may overflow.
const MAX_SECONDS: u64 = 365 * 86_400;

fn task(given: Vec<GivenOption>) -> Result<(CaptureTask, Settings), Failure> {
    let mut settings = Settings {
        machine: Machine::default(),
        tools_root: None,
        seconds: SECONDS,
        redact: false,
        output: Output::Json,
    };
    let mut tasks = Vec::new();
    for GivenOption { name, value } in given {
        match name {
            "help" => return Ok((CaptureTask::Print(option::help()), settings)),
            "version" => return Ok((CaptureTask::Print(format!("{TOOL}\n")), settings)),
            "root" => settings.machine.root = value.into(),
            "tools-root" => settings.tools_root = Some(value.into()),
            "timeout" => settings.seconds = number::<u64>(name, &value)?.min(MAX_SECONDS),
            "redact" => settings.redact = true,
            "text" | "link" if settings.output != Output::Json => {
                return Err(Failure::Usage("give one of --text and --link".into()));
            }
            "text" => settings.output = Output::Text,
            "link" => settings.output = Output::Link(page(value)?),
            _ => tasks.push(task_of(name, value)?),
        }
    }
    match (tasks.pop(), tasks.len()) {
        (Some(CaptureTask::Capture(None)), 0) if settings.output != Output::Json => {
            Err(Failure::Usage("--all prints JSON Lines: --text and --link are for one namespace".into()))
        }
        (Some(task), 0) => Ok((task, settings)),
        (None, _) => Err(Failure::Usage(
            "say which namespace: --pid PID, --pod-ip ADDR, --pod-uid UID, --name TEXT, …, or --list to see them; see \
             `chainwalk-capture --help`"
                .into(),
        )),
        _ => Err(Failure::Usage("say one namespace, or --all; see `chainwalk-capture --help`".into())),
    }
}

fn task_of(name: &str, value: String) -> Result<CaptureTask, Failure> {
    let who = match name {
        "schema" => return Ok(CaptureTask::Print(SCHEMA.to_owned())),
        "man" => return Ok(CaptureTask::Print(option::man())),
        "completions" => {
            return option::completions(&value)
                .map(CaptureTask::Print)
                .ok_or_else(|| {
                    Failure::Usage(format!(
                        "there are no completions for `{value}`: bash, fish, zsh"
                    ))
                });
        }
        "list" => return Ok(CaptureTask::List),
        "all" => return Ok(CaptureTask::Capture(None)),
        "pid" => PodSelector::Pid(number(name, &value)?),
        "pod-ip" => PodSelector::Address(value.parse().map_err(|_| {
            Failure::Usage(format!(
                "`{value}` is not an address, such as --pod-ip 10.244.1.5"
            ))
        })?),
        "pod-uid" => PodSelector::Pod(value),
        // A few digits fit many containers.
        "container" if value.rsplit("://").next().is_none_or(|id| id.len() < 4) => {
            return Err(Failure::Usage(format!(
                "`{value}` is too short for a container's id: give 4 digits or more"
            )));
        }
        "container" => PodSelector::Container(value),
        "netns" => PodSelector::Path(value.into()),
        "name" if value.is_empty() => {
            return Err(Failure::Usage(
                "--name takes a text, such as --name envoy".into(),
            ));
        }
        "name" => PodSelector::Name(value),
        other => unreachable!("the table has no option `{other}` besides these"),
    };
    Ok(CaptureTask::Capture(Some(who)))
}

fn number<T: std::str::FromStr + PartialEq + Default>(
    name: &str,
    text: &str,
) -> Result<T, Failure> {
    text.parse()
        .ok()
        .filter(|number| *number != T::default())
        .ok_or_else(|| {
            Failure::Usage(format!(
                "`{text}` is not a number: --{name} takes one above 0, such as --{name} 4711"
            ))
        })
}

fn page(url: String) -> Result<String, Failure> {
    let is_url = url.contains(':') && !url.chars().any(|c| c.is_control() || c.is_whitespace());
    is_url.then_some(url).ok_or_else(|| {
        Failure::Usage(
            "--link takes the address of the playground, such as https://example.org/chainwalk/"
                .into(),
        )
    })
}

/// Prints to standard output. A closed reader is not an error: `chainwalk-capture … | head`.
fn print(text: &str) -> Result<(), Failure> {
    print_by(|out| out.write_all(text.as_bytes()))
}

fn print_by(write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = BufWriter::with_capacity(BUFFER, io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Refused(format!(
            "cannot write the output: {error}"
        ))),
        _ => Ok(()),
    }
}

const BUFFER: usize = 64 << 10;

/// Prints one line to standard error. It may contain text of other processes, which must not
/// control the terminal or look like a line of its own.
fn complain(message: &str) {
    // If standard error is closed, nothing can be reported.
    let _ = writeln!(
        io::stderr(),
        "chainwalk-capture: {}",
        escape_invisible(message.trim_end())
    );
}

/// Shows the progress on a terminal.
fn progress(number: usize, of: usize) {
    if io::stderr().is_terminal() {
        let _ = writeln!(
            io::stderr(),
            "chainwalk-capture: namespace {number} of {of}"
        );
    }
}

#[cfg(test)]
mod tests {
    use chainwalk_core::input::capture::CaptureTarget;
    use chainwalk_core::packet::host::Host;

    use super::*;

    fn check(arguments: &[&str], expected: Result<CaptureTask, &str>) {
        let parser = lexopt::Parser::from_args(arguments);
        match (option::parse_arguments(parser).and_then(task), expected) {
            (Ok((task, _)), Ok(expected)) => assert_eq!(task, expected),
            (Err(Failure::Usage(message)), Err(part)) => {
                assert!(message.contains(part), "{message}")
            }
            (other, expected) => panic!("{arguments:?}: {other:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn arguments() {
        let capture = |who| Ok(CaptureTask::Capture(Some(who)));
        check(&["--pid", "4711"], capture(PodSelector::Pid(4711)));
        check(
            &["--pid=4711", "--redact", "--timeout", "5"],
            capture(PodSelector::Pid(4711)),
        );
        check(
            &["--pod-ip", "fd00::5"],
            capture(PodSelector::Address("fd00::5".parse().expect("valid"))),
        );
        check(
            &["--container", "containerd://3f6e"],
            capture(PodSelector::Container("containerd://3f6e".into())),
        );
        check(
            &["--netns", "/run/netns/x", "--text"],
            capture(PodSelector::Path("/run/netns/x".into())),
        );
        check(&["--all"], Ok(CaptureTask::Capture(None)));
        check(&["--list"], Ok(CaptureTask::List));
        check(&["--schema"], Ok(CaptureTask::Print(SCHEMA.into())));
        check(
            &["--pid", "1", "--help"],
            Ok(CaptureTask::Print(option::help())),
        );
        check(&["-V"], Ok(CaptureTask::Print(format!("{TOOL}\n"))));
        check(&[], Err("--pid PID"));
        check(&["--pid"], Err("--pid"));
        for wrong in ["envoy", "0", "-1", "4294967296"] {
            check(&["--pid", wrong], Err("is not a number"));
        }
        check(&["--pid", "1", "--pid", "2"], Err("twice"));
        check(&["--pid", "1", "--all"], Err("one namespace"));
        check(&["--all", "--text"], Err("JSON Lines"));
        check(
            &["--pid", "1", "--text", "--link", "https://x/"],
            Err("--text and --link"),
        );
        check(&["--pid", "1", "--link", "here"], Err("https://"));
        check(&["--container", "docker://3f"], Err("too short"));
        check(&["--pod-ip", "10.0.0"], Err("is not an address"));
        check(&["--completions", "tcsh"], Err("bash, fish, zsh"));
        check(&["4711"], Err("4711"));
        check(&["--frobnicate"], Err("--frobnicate"));
    }

    #[test]
    fn every_option_is_taken() {
        for known in &option::OPTIONS {
            // Checks that `task_of` knows every name: it would panic.
            let value = if known.name == "link" {
                "https://x/"
            } else {
                "9999"
            }
            .to_owned();
            let _ = task(vec![GivenOption {
                name: known.name,
                value,
            }]);
        }
    }

    #[test]
    fn nothing_in_the_output_moves_a_terminal() {
        let command = "a\u{1b}[31m\u{9b}31m\u{7f}\n".to_owned();
        let capture = Capture {
            schema_version: 1,
            tool: TOOL.into(),
            captured_at: capture::now(),
            target: CaptureTarget {
                pid: Some(1),
                command: Some(command.clone()),
                ..CaptureTarget::default()
            },
            kernel: None,
            redacted: false,
            rulesets: Vec::new(),
            nftables: None,
            host: Host::default(),
            warnings: Vec::new(),
            left_out: Vec::new(),
        };
        for is_terminal in [false, true] {
            let mut text = Vec::new();
            json::write(&capture, is_terminal, &mut text).expect("a Vec takes any bytes");
            let text = String::from_utf8(text).expect("JSON is UTF-8");
            assert!(
                text.chars()
                    .all(|character| character == '\n' || !character.is_control()),
                "{text:?}"
            );
            assert_eq!(text.lines().count() == 1, !is_terminal);
            let read: Capture = serde_json::from_str(&text).expect("it is JSON");
            assert_eq!(read.target.command, Some(command.clone()));
        }
    }
}
