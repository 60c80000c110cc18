//! Prints the packet-filter rules of a process's network namespace, and what stands around them, as JSON.
//!
//! # Layout
//! - `main`: arguments, output, errors; `failure`: why it ends without a capture
//! - `capture`: the whole, from
//!   - `process` (a process held by its directory in `/proc`) and `cgroup` (its pod and container)
//!   - `namespace`: entering, on a thread of its own
//!   - `ruleset`: what the save commands print: `tool` finds them, `ask` runs them, `nf_tables` says whether it is safe
//!   - `host`: `interface`, `route` and `rule` over `netlink`; `sysctl` and `socket` (with `user`) from `/proc`
//!   - `time`
//!
//! Asking changes nothing in the namespace and loads no kernel module; `nf_tables`, `ruleset` and `socket` say how.

#![forbid(unsafe_code)]

mod ask;
mod capture;
mod cgroup;
mod failure;
mod host;
mod interface;
mod namespace;
mod netlink;
mod nf_tables;
mod process;
mod route;
mod rule;
mod ruleset;
mod socket;
mod sysctl;
mod time;
mod tool;
mod user;

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};
use std::process::ExitCode;

use chainwalk_core::capture::Capture;
use lexopt::prelude::*;

use crate::capture::{TOOL, capture};
use crate::failure::Failure;

/// The JSON Schema of what this program prints.
const SCHEMA: &str = include_str!("../schema.json");

const HELP: &str = "\
Prints the packet-filter rules of a process's network namespace as JSON: what every
iptables backend holds, with addresses, routes and the settings that decide where a
packet goes. Changes nothing. Open the output in Chainwalk.

Usage: sudo chainwalk-capture --pid PID > capture.json

Options:
  --pid PID   a process in the network namespace, as this machine numbers it
  --schema    print the JSON Schema of the output
  --help      print this
  --version   print name and version

How to find PID, on the pod's node:
  crictl inspect CONTAINER        the field `pid`
  pgrep --list-full envoy         all Envoys; /proc/PID/cgroup names a process's pod

Exit code: 0 done, also with warnings (standard error, and in the JSON); 1 no capture;
2 wrong usage.
";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Task {
    Capture { pid: u32 },
    Schema,
    Help,
    Version,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&failure.to_string());
            match failure {
                Failure::Usage(_) => ExitCode::from(2),
                Failure::Refused(_) => ExitCode::from(1),
            }
        }
    }
}

fn run() -> Result<(), Failure> {
    match task(lexopt::Parser::from_env())? {
        Task::Help => print(HELP),
        Task::Version => print(&format!("{TOOL}\n")),
        Task::Schema => print(SCHEMA),
        Task::Capture { pid } => {
            let capture = capture(pid)?;
            for warning in &capture.warnings {
                complain(&format!("warning: {warning}"));
            }
            print(&json(&capture, io::stdout().is_terminal()))
        }
    }
}

fn task(mut arguments: lexopt::Parser) -> Result<Task, Failure> {
    let mut task = None;
    while let Some(argument) = arguments.next()? {
        let next = match argument {
            Long("help") | Short('h') => return Ok(Task::Help),
            Long("version") | Short('V') => return Ok(Task::Version),
            Long("schema") => Task::Schema,
            Long("pid") => Task::Capture { pid: pid(&arguments.value()?.string()?)? },
            other => return Err(other.unexpected().into()),
        };
        if task.replace(next).is_some() {
            return Err(Failure::Usage("give one of --pid and --schema, once; see `chainwalk-capture --help`".into()));
        }
    }
    task.ok_or_else(|| Failure::Usage("say whose namespace: --pid PID; see `chainwalk-capture --help`".into()))
}

fn pid(text: &str) -> Result<u32, Failure> {
    text.parse()
        .ok()
        .filter(|&pid| pid != 0)
        .ok_or_else(|| Failure::Usage(format!("`{text}` is no process number: --pid takes one, such as --pid 4711")))
}

/// One line for programs, several for eyes.
fn json(capture: &Capture, is_terminal: bool) -> String {
    let text = if is_terminal { serde_json::to_string_pretty(capture) } else { serde_json::to_string(capture) };
    let text = text.expect("a capture has text keys only, and no value that JSON cannot state");
    let mut escaped = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        match character {
            // JSON leaves these as they are, and a terminal may obey them. They stand within strings only.
            '\u{7f}'..='\u{9f}' => {
                write!(escaped, "\\u{:04x}", u32::from(character)).expect("a String takes any text");
            }
            other => escaped.push(other),
        }
    }
    escaped.push('\n');
    escaped
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

/// To standard error, as one line. Text of other processes may be in it: a terminal must not obey that.
fn complain(message: &str) {
    let line: String = message.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(io::stderr(), "chainwalk-capture: {line}");
}

#[cfg(test)]
mod tests {
    use chainwalk_core::capture::Target;
    use chainwalk_core::host::Host;

    use super::*;

    fn check(arguments: &[&str], expected: Result<Task, &str>) {
        let parser = lexopt::Parser::from_args(arguments);
        match (task(parser), expected) {
            (Ok(task), Ok(expected)) => assert_eq!(task, expected),
            (Err(Failure::Usage(message)), Err(part)) => assert!(message.contains(part), "{message}"),
            (other, expected) => panic!("{arguments:?}: {other:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn arguments() {
        check(&["--pid", "4711"], Ok(Task::Capture { pid: 4711 }));
        check(&["--pid=4711"], Ok(Task::Capture { pid: 4711 }));
        check(&["--schema"], Ok(Task::Schema));
        check(&["--pid", "1", "--help"], Ok(Task::Help));
        check(&["-V"], Ok(Task::Version));
        check(&[], Err("--pid PID"));
        check(&["--pid"], Err("--pid"));
        check(&["--pid", "envoy"], Err("`envoy` is no process number"));
        check(&["--pid", "0"], Err("no process number"));
        check(&["--pid", "-1"], Err("no process number"));
        check(&["--pid", "4294967296"], Err("no process number"));
        check(&["--pid", "1", "--pid", "2"], Err("once"));
        check(&["4711"], Err("4711"));
        check(&["--all"], Err("--all"));
    }

    #[test]
    fn nothing_in_the_output_moves_a_terminal() {
        let command = "a\u{1b}[31m\u{9b}31m\u{7f}\n".to_owned();
        let capture = Capture {
            schema_version: 1,
            tool: TOOL.into(),
            captured_at: time::now(),
            target: Target { pid: 1, command: Some(command.clone()), ..Target::default() },
            rulesets: Vec::new(),
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
