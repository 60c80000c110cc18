//! The process whose namespace is captured, as `/proc` shows it.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

use crate::failure::Failure;

/// A process, held by its directory in `/proc`: should it end, its number may be given to another process, but the
/// directory is never that one's.
pub(crate) struct Process {
    pid: u32,
    directory: File,
}

/// What makes a namespace this one and no other: a path does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    /// Its inode number, as `ls -l /proc/PID/ns` shows it.
    pub(crate) inode: u64,
}

impl Process {
    /// Takes hold of a process.
    pub(crate) fn open(pid: u32) -> Result<Self, Failure> {
        match File::open(format!("/proc/{pid}")) {
            Ok(directory) => Ok(Self { pid, directory }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Failure::Refused(format!(
                "there is no process {pid} here; `pgrep --list-full envoy` lists the proxies of this machine's pods, \
                 `crictl inspect CONTAINER` names a container's pid"
            ))),
            Err(error) => Err(Failure::Refused(format!("cannot read /proc/{pid}: {error}"))),
        }
    }

    /// Its number on this machine.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// The path of one of its files: `comm`, `net/tcp`.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}/{file}", self.directory.as_raw_fd()))
    }

    /// The text of one of its files, where there is one.
    pub(crate) fn read(&self, file: &str) -> Option<String> {
        fs::read(self.path(file)).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The name of its command, without arguments: those may hold secrets.
    pub(crate) fn command(&self) -> Option<String> {
        self.read("comm").map(|name| name.trim_end_matches('\n').to_owned())
    }

    /// A handle on its network namespace. The standard library opens files such that commands do not inherit them.
    pub(crate) fn network_namespace(&self) -> Result<File, Failure> {
        File::open(self.path("ns/net")).map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => not_allowed(self.pid),
            // A process that has ended, though its parent did not ask yet how.
            _ => Failure::Refused(format!("process {} has no network namespace any more: it has ended", self.pid)),
        })
    }

    /// A handle on the namespace that holds its host name.
    pub(crate) fn uts_namespace(&self) -> Option<File> {
        File::open(self.path("ns/uts")).ok()
    }
}

/// The kernel refused: not root, or a root without its usual powers.
pub(crate) fn not_allowed(pid: u32) -> Failure {
    Failure::Refused(if geteuid().is_root() {
        format!(
            "this root may not enter the network namespace of process {pid}: that needs the capabilities SYS_ADMIN, \
             SYS_PTRACE, NET_ADMIN and NET_RAW; run it on the node itself or in a privileged container"
        )
    } else {
        format!("only root may enter the network namespace of process {pid}: sudo chainwalk-capture --pid {pid}")
    })
}

impl Identity {
    /// Of an open namespace.
    pub(crate) fn of(namespace: &File) -> io::Result<Self> {
        namespace.metadata().map(|data| Self { device: data.dev(), inode: data.ino() })
    }

    /// Of the network namespace that this program runs in.
    pub(crate) fn own_network() -> io::Result<Self> {
        let path = Path::new("/proc/self/ns/net");
        fs::metadata(path).map(|data| Self { device: data.dev(), inode: data.ino() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_found() {
        let process = Process::open(std::process::id()).expect("it runs");
        assert_eq!(process.pid(), std::process::id());
        assert!(process.command().is_some_and(|name| !name.is_empty() && !name.contains('\n')));
        let namespace = process.network_namespace().expect("its own");
        assert_eq!(Identity::of(&namespace).expect("open"), Identity::own_network().expect("its own"));
    }

    #[test]
    fn a_process_that_is_not_there_is_named() {
        // The kernel counts processes to 2^22 at most.
        let Err(Failure::Refused(message)) = Process::open(u32::MAX) else { panic!("there is no such process") };
        assert!(message.contains("4294967295") && message.contains("pgrep"), "{message}");
    }
}
