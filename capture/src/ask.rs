//! Runs a command and stores its output, within limits.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// The limits of a command.
#[derive(Debug)]
pub(crate) struct Limits<'a> {
    /// The time at which the command is stopped.
    pub(crate) deadline: Instant,
    /// The memory for its standard output.
    pub(crate) allowance: &'a Allowance,
}

/// The memory for the standard output of several commands: a part for each, and a part that they
/// share.
#[derive(Debug)]
pub(crate) struct Allowance {
    each: usize,
    shared: AtomicUsize,
}

impl Allowance {
    pub(crate) const fn new(each: usize, shared: usize) -> Self {
        Self {
            each,
            shared: AtomicUsize::new(shared),
        }
    }

    /// The number of the `more` bytes that fit after `held` bytes.
    fn take(&self, held: usize, more: usize) -> usize {
        let own = self.each.saturating_sub(held).min(more);
        let mut taken = 0;
        // The update never fails.
        let _ = self
            .shared
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left: usize| {
                taken = left.min(more - own);
                Some(left - taken)
            });
        own + taken
    }
}

/// The maximum of standard error that is stored, in bytes.
pub(crate) const MAX_STDERR: usize = 64 << 10;

/// The limit that stopped a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutputLimit {
    /// It ran too long.
    Time,
    /// It printed too much.
    Bytes,
}

/// The output of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ToolAnswer {
    /// `None` if a signal ended it.
    pub(crate) exit_code: Option<i32>,
    /// Its standard output, up to the limit.
    pub(crate) stdout: Vec<u8>,
    /// Its standard error, at most [`MAX_STDERR`] bytes.
    pub(crate) stderr: Vec<u8>,
    /// Whether standard error was longer.
    pub(crate) stderr_is_cut: bool,
    /// The limit that stopped it.
    pub(crate) stopped: Option<OutputLimit>,
}

/// The interval between checks whether a command has ended that has closed its output.
const POLL_INTERVAL: Duration = Duration::from_millis(1);

/// Runs `command` with an empty environment and an empty standard input.
pub(crate) fn run(command: &mut Command, limits: &Limits) -> io::Result<ToolAnswer> {
    let mut child = command
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C")
        .current_dir("/")
        // Standard input is closed below. A foreign root directory may have no /dev/null.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A process group of its own, so that its child processes end with it.
        .process_group(0)
        .spawn()?;
    drop(child.stdin.take());
    let answer = listen(&mut child, limits);
    if !matches!(answer, Ok(ToolAnswer { stopped: None, .. })) {
        let group = i32::try_from(child.id())
            .expect("the kernel's own process numbers are positive `i32`s");
        // The group may have ended in the meantime.
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        child.wait()?;
    }
    answer
}

/// One of the two pipes.
struct Stream {
    pipe: Option<File>,
    bytes: Vec<u8>,
}

impl Stream {
    fn new(pipe: Option<impl Into<OwnedFd>>) -> Self {
        Self {
            pipe: pipe.map(|pipe| File::from(pipe.into())),
            bytes: Vec::new(),
        }
    }

    /// Reads the available bytes, as far as `fits` allows for the stored and the new ones. Returns
    /// false if bytes remain.
    fn read(&mut self, fits: impl Fn(usize, usize) -> usize) -> io::Result<bool> {
        let Some(pipe) = &mut self.pipe else {
            return Ok(true);
        };
        let mut buffer = [0; 16 * 1024];
        let read = pipe.read(&mut buffer)?;
        if read == 0 {
            self.pipe = None;
        }
        let fits = fits(self.bytes.len(), read);
        self.bytes.extend_from_slice(&buffer[..fits]);
        Ok(fits == read)
    }
}

fn listen(child: &mut Child, limits: &Limits) -> io::Result<ToolAnswer> {
    let deadline = limits.deadline;
    let mut streams = [
        Stream::new(child.stdout.take()),
        Stream::new(child.stderr.take()),
    ];
    let (mut stopped, mut stderr_is_cut) = (None, false);
    while stopped.is_none() && streams.iter().any(|stream| stream.pipe.is_some()) {
        let ready = wait_for_any(&streams, deadline)?;
        // A command that never stops printing must not delay the deadline.
        if Instant::now() >= deadline {
            stopped = Some(OutputLimit::Time);
        }
        let [stdout, stderr] = &mut streams;
        if ready[0] && !stdout.read(|held, more| limits.allowance.take(held, more))? {
            stopped = Some(OutputLimit::Bytes);
        }
        if ready[1] && !stderr.read(|held, more| more.min(MAX_STDERR - held))? {
            stderr_is_cut = true;
        }
    }
    let (mut exit_code, mut naps) = (None, 0);
    while stopped.is_none() {
        if let Some(status) = child.try_wait()? {
            exit_code = status.code();
            break;
        }
        if Instant::now() >= deadline {
            stopped = Some(OutputLimit::Time);
        }
        // Most commands end at once.
        if naps < 20 {
            thread::yield_now()
        } else {
            thread::sleep(POLL_INTERVAL)
        }
        naps += 1;
    }
    let [stdout, stderr] = streams.map(|stream| stream.bytes);
    Ok(ToolAnswer {
        exit_code,
        stdout,
        stderr,
        stderr_is_cut,
        stopped,
    })
}

/// Waits until a pipe has data or is closed, or until the deadline. Returns the ready pipes.
fn wait_for_any(streams: &[Stream; 2], deadline: Instant) -> io::Result<[bool; 2]> {
    let mut ready = [false; 2];
    let left = deadline.saturating_duration_since(Instant::now());
    // The wait is rounded up, because less than a millisecond would be no wait.
    let left = PollTimeout::try_from(left.as_millis() + 1).unwrap_or(PollTimeout::MAX);
    let open = || {
        (0..)
            .zip(streams)
            .filter_map(|(at, stream)| Some((at, stream.pipe.as_ref()?)))
    };
    let mut watched: Vec<PollFd> = open()
        .map(|(_, pipe)| PollFd::new(pipe.as_fd(), PollFlags::POLLIN))
        .collect();
    match poll(&mut watched, left) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(error) => return Err(error.into()),
    }
    for ((at, _), watched) in open().zip(&watched) {
        // A closed pipe counts as ready: reading it returns the end.
        ready[at] = watched.any().unwrap_or(false);
    }
    Ok(ready)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn shell_within(script: &str, time: Duration, bytes: usize) -> ToolAnswer {
        let limits = Limits {
            deadline: Instant::now() + time,
            allowance: &Allowance::new(bytes, 0),
        };
        run(Command::new("/bin/sh").args(["-c", script]), &limits)
            .expect("every system has a shell")
    }

    fn shell(script: &str) -> ToolAnswer {
        shell_within(script, LONG, 1 << 20)
    }

    #[test]
    fn both_outputs_and_the_exit_code() {
        let answer = shell("echo rules; echo warning >&2; exit 3");
        let expected = ToolAnswer {
            exit_code: Some(3),
            stdout: b"rules\n".into(),
            stderr: b"warning\n".into(),
            stderr_is_cut: false,
            stopped: None,
        };
        assert_eq!(answer, expected);
    }

    #[test]
    fn more_than_a_pipe_holds() {
        let answer = shell("head -c 500000 /dev/zero; head -c 60000 /dev/zero >&2");
        assert_eq!(
            (answer.stdout.len(), answer.stderr.len(), answer.exit_code),
            (500_000, 60_000, Some(0))
        );
    }

    #[test]
    fn a_clean_environment() {
        let answer = shell(
            "pwd; read line || echo no input; set | grep -v -e ^PWD -e ^IFS -e ^PS -e ^OPT -e ^PPID",
        );
        let text = String::from_utf8(answer.stdout).expect("ASCII");
        assert!(text.starts_with("/\nno input\n"), "{text}");
        assert!(
            text.contains("LC_ALL='C'") || text.contains("LC_ALL=C"),
            "{text}"
        );
        assert!(!text.contains("CARGO"), "{text}");
    }

    #[test]
    fn one_that_hangs_is_stopped_with_its_children() {
        // The child holds the pipe open. Both processes must end.
        let answer = shell_within(
            "echo first; sleep 1000 & echo $!; wait",
            Duration::from_secs(1),
            1 << 20,
        );
        assert_eq!(
            (answer.exit_code, answer.stopped),
            (None, Some(OutputLimit::Time))
        );
        let text = String::from_utf8(answer.stdout).expect("ASCII");
        let child = text
            .lines()
            .nth(1)
            .expect("the shell says its child's number");
        let runs = || {
            std::fs::read_to_string(format!("/proc/{child}/stat"))
                .is_ok_and(|stat| !stat.contains(") Z "))
        };
        let start = Instant::now();
        while runs() && start.elapsed() < LONG {
            thread::yield_now(); // killed, though perhaps not gone yet
        }
        assert!(!runs(), "process {child} is still there");
    }

    #[test]
    fn one_that_closes_its_output_and_hangs_is_stopped() {
        let answer = shell_within(
            "exec sleep 1000 >&- 2>&-",
            Duration::from_millis(50),
            1 << 20,
        );
        assert_eq!(
            (answer.exit_code, answer.stopped),
            (None, Some(OutputLimit::Time))
        );
    }

    #[test]
    fn one_that_never_stops_talking_is_stopped() {
        let answer = shell_within("exec yes", LONG, 100_000);
        assert_eq!(
            (answer.stdout.len(), answer.stopped),
            (100_000, Some(OutputLimit::Bytes))
        );
        let answer = shell_within("exec yes >&2", Duration::from_millis(200), 100_000);
        assert_eq!(
            (answer.stderr.len(), answer.stopped),
            (MAX_STDERR, Some(OutputLimit::Time))
        );
        assert!(answer.stderr_is_cut);
    }

    #[test]
    fn who_needs_more_takes_of_the_shared_part() {
        let allowance = Allowance::new(10, 5);
        assert_eq!(
            [(0, 8), (8, 8), (16, 8)].map(|(held, more)| allowance.take(held, more)),
            [8, 7, 0]
        );
        assert_eq!(
            [(0, 8), (8, 8)].map(|(held, more)| allowance.take(held, more)),
            [8, 2]
        );
    }

    #[test]
    fn one_that_is_not_there_is_an_error() {
        let limits = Limits {
            deadline: Instant::now() + LONG,
            allowance: &Allowance::new(0, 0),
        };
        assert!(run(&mut Command::new("/nonexistent"), &limits).is_err());
    }
}
