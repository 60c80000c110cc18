//! A process, as `/proc` shows it.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use chainwalk_core::packet::host;

use crate::capability::{missing, refusal, sudo_line};
use crate::failure::Failure;
use crate::machine::Machine;
use crate::user::Ids;

/// The maximum number of bytes read from a file of a process: 65,536 groups take 720 kB.
pub(crate) const MAX_FILE: usize = 1 << 20;

/// Reads at most `limit` bytes of a file.
pub(crate) fn read_limited(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(limit as u64)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A process, held by its directory in `/proc`. If it ends, another process may get its id, but
/// never this directory.
#[derive(Debug)]
pub(crate) struct ProcessEntry {
    pid: u32,
    directory: File,
}

/// The identity of a namespace. A path does not identify it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Identity {
    /// The file system of namespaces.
    pub(crate) device: u64,
    /// The inode number, as `ls -l /proc/PID/ns` shows it.
    pub(crate) inode: u64,
}

impl ProcessEntry {
    /// Opens a process.
    pub(crate) fn open(machine: &Machine, pid: u32) -> Result<Self, Failure> {
        match Self::hold(machine, pid) {
            Ok(process) => Ok(process),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Failure::Refused(
                format!("there is no process {pid} here; {}", why_unseen(machine)),
            )),
            Err(error) => Err(Failure::Refused(format!(
                "cannot read /proc/{pid}: {error}"
            ))),
        }
    }

    /// Like [`Self::open`], without a message if the process does not exist.
    pub(crate) fn hold(machine: &Machine, pid: u32) -> io::Result<Self> {
        File::open(machine.path(format!("proc/{pid}"))).map(|directory| Self { pid, directory })
    }

    /// The id on this machine.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// The path of one of its files: `comm`, `ns/net`.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        PathBuf::from(format!(
            "/proc/self/fd/{}/{file}",
            self.directory.as_raw_fd()
        ))
    }

    /// The text of one of its files, if it exists.
    pub(crate) fn read_file(&self, file: &str) -> Option<String> {
        read_limited(&self.path(file), MAX_FILE)
            .ok()
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The name of its command, without the arguments, which may contain secrets.
    pub(crate) fn command(&self) -> Option<String> {
        self.read_file("comm")
            .map(|name| name.trim_end_matches('\n').to_owned())
    }

    /// A handle of its network namespace. The standard library opens files in a way that commands
    /// do not inherit them.
    pub(crate) fn network_namespace(&self) -> Result<File, Failure> {
        File::open(self.path("ns/net")).map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => not_allowed(self.pid),
            // The process has ended, but its parent has not collected its status.
            _ => Failure::Refused(format!(
                "process {} has no network namespace any more: it has ended",
                self.pid
            )),
        })
    }

    /// The current network namespace of the process.
    pub(crate) fn identity(&self) -> io::Result<Identity> {
        Identity::at(&self.path("ns/net"))
    }

    /// A handle of the namespace that contains its host name.
    pub(crate) fn uts_namespace(&self) -> Option<File> {
        File::open(self.path("ns/uts")).ok()
    }

    /// Its name and credentials, translated with `ids`; `None` if it has ended.
    pub(crate) fn describe(&self, ids: &Ids) -> Option<host::Process> {
        let status = self.read_file("status")?;
        // Real, effective, saved and file-system id. The last one becomes the owner of a socket,
        // and the owner match compares it (`net/netfilter/xt_owner.c`).
        let fourth = |field: &str| numbers(&status, field)?.get(3).copied();
        let (uid, gid) = (fourth("Uid:")?, fourth("Gid:")?);
        let groups = numbers(&status, "Groups:").unwrap_or_default();
        let inside = ids.user_shown(uid);
        Some(host::Process {
            pid: self.pid,
            command: self.command()?,
            uid: inside,
            gid: ids.group_shown(gid),
            groups: groups
                .into_iter()
                .map(|group| ids.group_shown(group))
                .collect(),
            host_uid: (inside != uid).then_some(uid),
            proxy: None,
        })
    }

    /// The inode numbers of its sockets.
    pub(crate) fn sockets(&self) -> Vec<u64> {
        let links = fs::read_dir(self.path("fd"))
            .into_iter()
            .flatten()
            .flatten();
        links
            .filter_map(|link| {
                let target = fs::read_link(link.path()).ok()?;
                target
                    .to_str()?
                    .strip_prefix("socket:[")?
                    .strip_suffix(']')?
                    .parse()
                    .ok()
            })
            .collect()
    }
}

fn numbers(status: &str, field: &str) -> Option<Vec<u32>> {
    let values = status.lines().find_map(|line| line.strip_prefix(field))?;
    values
        .split_whitespace()
        .map(|word| word.parse().ok())
        .collect()
}

fn why_unseen(machine: &Machine) -> String {
    let mounts = fs::read_to_string(machine.path("proc/self/mounts")).unwrap_or_default();
    let hides = mounts.lines().any(|line| {
        let mut fields = line.split(' ');
        fields.nth(1) == Some("/proc")
            && fields
                .nth(1)
                .is_some_and(|options| options.contains("hidepid="))
    });
    if hides && missing().contains(&"SYS_PTRACE") {
        return format!(
            "or /proc hides it (it is mounted with hidepid, and the capability SYS_PTRACE is missing); on the node itself: {}",
            sudo_line()
        );
    }
    "`chainwalk-capture --list` shows every namespace with its processes; in a container the numbers are the node's only \
     where it shares the node's processes (hostPID)"
        .into()
}

/// The failure after a refusal of the kernel: the user is not root, or root lacks capabilities.
pub(crate) fn not_allowed(pid: u32) -> Failure {
    Failure::Refused(refusal(
        &format!("enter the network namespace of process {pid}"),
        &format!("--pid {pid}"),
    ))
}

impl Identity {
    /// The identity of an open namespace.
    pub(crate) fn of_namespace(namespace: &File) -> io::Result<Self> {
        namespace.metadata().map(|data| Self {
            device: data.dev(),
            inode: data.ino(),
        })
    }

    /// The identity of the namespace at a path.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|data| Self {
            device: data.dev(),
            inode: data.ino(),
        })
    }

    /// The identity of the network namespace of this program.
    pub(crate) fn own_network() -> io::Result<Self> {
        Self::at(Path::new("/proc/self/ns/net"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_found() {
        let process = ProcessEntry::open(&Machine::default(), std::process::id()).expect("it runs");
        assert_eq!(process.pid(), std::process::id());
        assert!(
            process
                .command()
                .is_some_and(|name| !name.is_empty() && !name.contains('\n'))
        );
        let namespace = process.network_namespace().expect("its own");
        assert_eq!(
            Identity::of_namespace(&namespace).expect("open"),
            Identity::own_network().expect("its own")
        );
        assert_eq!(
            process.identity().expect("it runs"),
            Identity::own_network().expect("its own")
        );
        let described = process.describe(&Ids::unchanged()).expect("it runs");
        assert_eq!(
            (described.uid, described.host_uid),
            (nix::unistd::geteuid().as_raw(), None)
        );
    }

    #[test]
    fn a_process_that_is_not_there_is_named() {
        // The maximum number of processes of the kernel is 2^22.
        let error = ProcessEntry::open(&Machine::default(), u32::MAX)
            .expect_err("there is no such process");
        let Failure::Refused(message) = error else {
            panic!("{error:?}")
        };
        assert!(
            message.contains("4294967295") && message.contains("--list"),
            "{message}"
        );
    }
}
