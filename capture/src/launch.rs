//! Starts a tool with limits that the tool inherits.
//!
//! Such limits must be set between fork and exec, where safe Rust cannot run code. This program
//! therefore runs itself again, as `chainwalk-capture --launch PARENT ROOT PROGRAM ARGUMENTS…`.
//! That process limits itself and then becomes the tool.

use std::convert::Infallible;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use nix::sys::prctl::set_pdeathsig;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::getppid;

use crate::ask::{self, Limits, ToolAnswer};
use crate::namespace;

/// The first argument of a launcher.
const LAUNCH: &str = "--launch";
/// The maximum address space of a tool. nft takes 790 MB to list 100,000 rules as JSON, which is
/// more than the program stores of them, and 320 MB in its own language (measured).
const MAX_ADDRESS_SPACE: u64 = 1 << 30;
/// The exit code of a launcher that could not start its tool, as in `timeout` and `chroot`.
const NOT_STARTED: u8 = 125;
/// The first word of the launcher's message.
const PREFIX: &str = "launcher: ";

/// Runs a tool with `root` as its `/`.
pub(crate) fn run(
    root: &Path,
    program: &Path,
    arguments: &[&str],
    limits: &Limits,
) -> io::Result<ToolAnswer> {
    let mut command = Command::new("/proc/self/exe");
    command
        .args([LAUNCH, &std::process::id().to_string()])
        .arg(root)
        .arg(program)
        .args(arguments);
    let answer = ask::run(&mut command, limits)?;
    match answer.stderr.strip_prefix(PREFIX.as_bytes()) {
        Some(reason) if answer.exit_code == Some(NOT_STARTED.into()) => Err(io::Error::other(
            String::from_utf8_lossy(reason).trim_end().to_owned(),
        )),
        _ => Ok(answer),
    }
}

/// Becomes the tool, if this process is a launcher.
pub(crate) fn launch() -> Option<ExitCode> {
    let mut arguments = env::args_os().skip(1);
    if arguments.next()? != LAUNCH {
        return None;
    }
    let Err(error) = start(arguments);
    // The parent reports this message. A closed pipe means that the parent has ended.
    let _ = writeln!(io::stderr(), "{PREFIX}{error}");
    Some(NOT_STARTED.into())
}

fn start(mut arguments: impl Iterator<Item = OsString>) -> io::Result<Infallible> {
    let (Some(parent), Some(root), Some(program)) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err(io::Error::other("arguments are missing"));
    };
    set_pdeathsig(Signal::SIGKILL)?;
    // The parent may have ended before that.
    if parent.to_str().and_then(|pid| pid.parse().ok()) != Some(getppid().as_raw()) {
        return Err(io::Error::other("the parent has ended"));
    }
    if root != OsStr::new("/") {
        namespace::change_root(Path::new(&root))?;
    }
    setrlimit(Resource::RLIMIT_AS, MAX_ADDRESS_SPACE, MAX_ADDRESS_SPACE)?;
    // A tool that runs out of memory must not write a core file to the node.
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    Err(Command::new(program).args(arguments).exec())
}
