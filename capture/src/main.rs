//! Prints the packet-filter rules of a network namespace, and what stands around them, as JSON.
//!
//! # Layout
//! - `main`: tasks, output, errors; `option`: the one table of options; `failure`: why it ends without a capture
//! - `node` (every namespace of the machine), `find` (the one that is meant), `list` (the table of all)
//! - `capture`: the whole, from
//!   - `process` (a process held by its directory in `/proc`) and `cgroup` (its pod and container)
//!   - `namespace`: entering, on a thread of its own
//!   - `ruleset`: what the tools print: `tool` finds them, `ask` runs them, `nf_tables` says whether it is safe
//!   - `host`: `interface`, `route` and `rule` over `netlink`; `multicast`, `sysctl` and `socket` (with `user`) from `/proc`
//!   - `time`
//! - `json`: the capture as text
//! - `machine`: where `/proc` and `/sys` are; `capability`: what is missing where the kernel refuses
//!
//! Asking changes nothing in the namespace and loads no kernel module; `nf_tables`, `ruleset` and `socket` say how.

#![forbid(unsafe_code)]

mod ask;
mod capability;
mod capture;
mod cgroup;
mod failure;
mod find;
mod host;
mod interface;
mod json;
mod list;
mod machine;
mod multicast;
mod namespace;
mod netlink;
mod nf_tables;
mod node;
mod option;
mod process;
mod route;
mod rule;
mod ruleset;
mod socket;
mod sysctl;
mod time;
mod tool;
mod user;

use std::fs::File;
use std::io::{self, IsTerminal, Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use chainwalk_core::capture::Capture;
use chainwalk_core::{link, redact};

use crate::capture::{Captured, TOOL, capture};
use crate::failure::Failure;
use crate::find::{Who, find};
use crate::json::json;
use crate::machine::Machine;
use crate::node::{Held, Node};
use crate::option::Given;
use crate::ruleset::{SECONDS, Toolbox};

/// The JSON Schema of what this program prints.
const SCHEMA: &str = include_str!("../schema.json");

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Task {
    /// One namespace, or all.
    Capture(Option<Who>),
    List,
    Print(String),
}

/// How it is done.
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

/// Everything was read.
const WHOLE: u8 = 0;
/// Nothing was.
const FAILED: u8 = 1;
/// The command line is wrong.
const USAGE: u8 = 2;
/// A part is missing, and warnings say which.
const PARTLY: u8 = 3;

fn main() -> ExitCode {
    let code = run().unwrap_or_else(|failure| {
        complain(&failure.to_string());
        match failure {
            Failure::Usage(_) => USAGE,
            Failure::Refused(_) => FAILED,
        }
    });
    code.into()
}

fn run() -> Result<u8, Failure> {
    let (task, settings) = task(option::read(lexopt::Parser::from_env())?)?;
    match task {
        Task::Print(text) => print(&text).map(|()| WHOLE),
        Task::List => {
            let node = Node::scan(&settings.machine);
            print_lines(&list::table(&settings.machine, node.spaces.iter().map(|space| (space, None))))?;
            Ok(told_unreadable(&node))
        }
        Task::Capture(Some(who)) => {
            let held = find(&who, &settings.machine)?;
            let tools = settings.tools()?;
            one(&held, &settings, &tools)
        }
        Task::Capture(None) => all(&settings),
    }
}

/// Each namespace by itself: that one cannot be read is no reason to keep the others back.
fn all(settings: &Settings) -> Result<u8, Failure> {
    let node = Node::scan(&settings.machine);
    let tools = settings.tools()?;
    let (mut code, mut done) = (told_unreadable(&node), 0);
    for (number, space) in node.spaces.iter().enumerate() {
        progress(number + 1, node.spaces.len());
        match space.hold(&settings.machine, None).and_then(|held| one(&held, settings, &tools)) {
            Ok(one) => {
                done += 1;
                code = code.max(one);
            }
            Err(failure) => {
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

/// Captures and prints one.
fn one(held: &Held, settings: &Settings, tools: &Toolbox) -> Result<u8, Failure> {
    let Captured { mut capture, is_partial } = capture(held, &settings.machine, tools)?;
    for warning in &capture.warnings {
        complain(&format!("warning: {warning}"));
    }
    if settings.redact {
        capture = redact::redact(&capture, secret()?).capture;
    }
    match &settings.output {
        Output::Json => print(&json(&capture, io::stdout().is_terminal()))?,
        Output::Text => {
            let texts: String = capture.rulesets.iter().map(|rules| rules.text.as_str()).collect();
            print_lines(&texts)?;
        }
        Output::Link(page) => print(&link_to(page, capture)?)?,
    }
    Ok(if is_partial { PARTLY } else { WHOLE })
}

/// Without nft's listing: the page reads the rules that the save commands printed, and a link has to be short.
fn link_to(page: &str, mut capture: Capture) -> Result<String, Failure> {
    capture.nftables = None;
    let link = link::link(page, json(&capture, false).trim_end()).ok_or_else(|| {
        Failure::Refused(format!(
            "this capture is too large for a link (more than {} characters): write it into a file instead, without --link \
             and with `> capture.json`, and drop that into the page",
            link::MOST
        ))
    })?;
    Ok(link + "\n")
}

impl Settings {
    fn tools(&self) -> Result<Toolbox, Failure> {
        Toolbox::open(self.tools_root.as_deref(), self.seconds)
    }
}

/// What the neutral addresses are chosen by: it is forgotten, so that nobody can go back.
fn secret() -> Result<[u8; 16], Failure> {
    let mut secret = [0; 16];
    let read = File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut secret));
    read.map(|()| secret).map_err(|error| Failure::Refused(format!("cannot read /dev/urandom: {error}")))
}

/// Some processes are closed to everyone. That this program lacks something is another matter.
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
    let processes = if node.unreadable == 1 { "1 process" } else { &format!("{} processes", node.unreadable) };
    complain(&format!("warning: {processes} did not show the namespace that they are in{hint}"));
    if hint.is_empty() { WHOLE } else { PARTLY }
}

fn task(given: Vec<Given>) -> Result<(Task, Settings), Failure> {
    let mut settings = Settings {
        machine: Machine::default(),
        tools_root: None,
        seconds: SECONDS,
        redact: false,
        output: Output::Json,
    };
    let mut tasks = Vec::new();
    for Given { name, value } in given {
        match name {
            "help" => return Ok((Task::Print(option::help()), settings)),
            "version" => return Ok((Task::Print(format!("{TOOL}\n")), settings)),
            "root" => settings.machine.root = value.into(),
            "tools-root" => settings.tools_root = Some(value.into()),
            "timeout" => settings.seconds = number(name, &value)?,
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
        (Some(Task::Capture(None)), 0) if settings.output != Output::Json => {
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

fn task_of(name: &str, value: String) -> Result<Task, Failure> {
    let who = match name {
        "schema" => return Ok(Task::Print(SCHEMA.to_owned())),
        "man" => return Ok(Task::Print(option::man())),
        "completions" => {
            let wrong = || Failure::Usage(format!("there are no completions for `{value}`: bash, fish, zsh"));
            return option::completions(&value).map(Task::Print).ok_or_else(wrong);
        }
        "list" => return Ok(Task::List),
        "all" => return Ok(Task::Capture(None)),
        "pid" => Who::Pid(number(name, &value)?),
        "pod-ip" => Who::Address(
            value
                .parse()
                .map_err(|_| Failure::Usage(format!("`{value}` is no address, such as --pod-ip 10.244.1.5")))?,
        ),
        "pod-uid" => Who::Pod(value),
        // A few digits fit many containers.
        "container" if value.rsplit("://").next().is_none_or(|id| id.len() < 4) => {
            return Err(Failure::Usage(format!("`{value}` is too short for a container's id: give 4 digits or more")));
        }
        "container" => Who::Container(value),
        "netns" => Who::Path(value.into()),
        "name" if value.is_empty() => return Err(Failure::Usage("--name takes a text, such as --name envoy".into())),
        "name" => Who::Name(value),
        other => unreachable!("the table has no option `{other}` besides these"),
    };
    Ok(Task::Capture(Some(who)))
}

fn number<T: std::str::FromStr + PartialEq + Default>(name: &str, text: &str) -> Result<T, Failure> {
    text.parse().ok().filter(|number| *number != T::default()).ok_or_else(|| {
        Failure::Usage(format!("`{text}` is no number: --{name} takes one above 0, such as --{name} 4711"))
    })
}

fn page(url: String) -> Result<String, Failure> {
    let is_url = url.contains(':') && !url.chars().any(|c| c.is_control() || c.is_whitespace());
    is_url.then_some(url).ok_or_else(|| {
        Failure::Usage("--link takes the address of the playground, such as https://example.org/chainwalk/".into())
    })
}

/// Text of other processes: a terminal must not obey it; a file or a pipe gets it as it is.
fn print_lines(text: &str) -> Result<(), Failure> {
    if io::stdout().is_terminal() { print(&without_control(text)) } else { print(text) }
}

fn without_control(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// To standard output. That nobody reads on is no error: `chainwalk-capture … | head`.
fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::Refused(format!("cannot write the output: {error}")))
        }
        _ => Ok(()),
    }
}

/// To standard error. Text of other processes may be in it: a terminal must not obey that.
fn complain(message: &str) {
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(io::stderr(), "chainwalk-capture: {}", without_control(message).trim_end());
}

/// For whoever waits at a terminal.
fn progress(number: usize, of: usize) {
    if io::stderr().is_terminal() {
        let _ = writeln!(io::stderr(), "chainwalk-capture: namespace {number} of {of}");
    }
}

#[cfg(test)]
mod tests {
    use chainwalk_core::capture::Target;
    use chainwalk_core::host::Host;

    use super::*;

    fn check(arguments: &[&str], expected: Result<Task, &str>) {
        let parser = lexopt::Parser::from_args(arguments);
        match (option::read(parser).and_then(task), expected) {
            (Ok((task, _)), Ok(expected)) => assert_eq!(task, expected),
            (Err(Failure::Usage(message)), Err(part)) => assert!(message.contains(part), "{message}"),
            (other, expected) => panic!("{arguments:?}: {other:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn arguments() {
        let capture = |who| Ok(Task::Capture(Some(who)));
        check(&["--pid", "4711"], capture(Who::Pid(4711)));
        check(&["--pid=4711", "--redact", "--timeout", "5"], capture(Who::Pid(4711)));
        check(&["--pod-ip", "fd00::5"], capture(Who::Address("fd00::5".parse().expect("valid"))));
        check(&["--container", "containerd://3f6e"], capture(Who::Container("containerd://3f6e".into())));
        check(&["--netns", "/run/netns/x", "--text"], capture(Who::Path("/run/netns/x".into())));
        check(&["--all"], Ok(Task::Capture(None)));
        check(&["--list"], Ok(Task::List));
        check(&["--schema"], Ok(Task::Print(SCHEMA.into())));
        check(&["--pid", "1", "--help"], Ok(Task::Print(option::help())));
        check(&["-V"], Ok(Task::Print(format!("{TOOL}\n"))));
        check(&[], Err("--pid PID"));
        check(&["--pid"], Err("--pid"));
        for wrong in ["envoy", "0", "-1", "4294967296"] {
            check(&["--pid", wrong], Err("is no number"));
        }
        check(&["--pid", "1", "--pid", "2"], Err("twice"));
        check(&["--pid", "1", "--all"], Err("one namespace"));
        check(&["--all", "--text"], Err("JSON Lines"));
        check(&["--pid", "1", "--text", "--link", "https://x/"], Err("--text and --link"));
        check(&["--pid", "1", "--link", "here"], Err("https://"));
        check(&["--container", "docker://3f"], Err("too short"));
        check(&["--pod-ip", "10.0.0"], Err("no address"));
        check(&["--completions", "tcsh"], Err("bash, fish, zsh"));
        check(&["4711"], Err("4711"));
        check(&["--frobnicate"], Err("--frobnicate"));
    }

    #[test]
    fn every_option_is_taken() {
        for known in &option::OPTIONS {
            // That no name is missing in `task_of`: it would panic.
            let value = if known.name == "link" { "https://x/" } else { "9999" }.to_owned();
            let _ = task(vec![Given { name: known.name, value }]);
        }
    }

    #[test]
    fn nothing_in_the_output_moves_a_terminal() {
        let command = "a\u{1b}[31m\u{9b}31m\u{7f}\n".to_owned();
        let capture = Capture {
            schema_version: 1,
            tool: TOOL.into(),
            captured_at: time::now(),
            target: Target { pid: Some(1), command: Some(command.clone()), ..Target::default() },
            kernel: None,
            redacted: false,
            rulesets: Vec::new(),
            nftables: None,
            host: Host::default(),
            warnings: Vec::new(),
        };
        for is_terminal in [false, true] {
            let text = json(&capture, is_terminal);
            assert!(text.chars().all(|character| character == '\n' || !character.is_control()), "{text:?}");
            assert_eq!(text.lines().count() == 1, !is_terminal);
            let read: Capture = serde_json::from_str(&text).expect("it is JSON");
            assert_eq!(read.target.command, Some(command.clone()));
        }
    }
}
