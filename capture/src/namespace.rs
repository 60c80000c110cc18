//! Enters namespaces on a thread that ends afterwards.
//!
//! A namespace belongs to a thread, and commands inherit that of the thread that starts them. The
//! rest of the program therefore stays in its own namespace. Only the network and the host name are
//! entered, and never the mount namespace of a container. Nothing from a container's file system is
//! read or executed.

use std::env;
use std::fs::{self, File};
use std::io;
use std::panic;
use std::path::Path;
use std::thread;

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::chroot;

use crate::process::Identity;

/// Runs `job` in a network namespace. Its own namespace requires no capability, as in the ephemeral
/// container of a pod.
pub(crate) fn inside<T: Send>(network: &File, job: impl FnOnce() -> T + Send) -> Result<T, Errno> {
    let is_own = Identity::of_namespace(network)
        .is_ok_and(|it| Identity::own_network().is_ok_and(|own| own == it));
    on_own_thread(|| {
        if !is_own {
            setns(network, CloneFlags::CLONE_NEWNET)?;
        }
        Ok(job())
    })
}

/// The host name in a UTS namespace: the name of a pod.
pub(crate) fn hostname(uts: &File) -> Option<String> {
    on_own_thread(|| {
        setns(uts, CloneFlags::CLONE_NEWUTS).ok()?;
        // This file shows the namespace of the reading thread.
        let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
        Some(name.trim_end().to_owned()).filter(|name| !name.is_empty() && name != "(none)")
    })
}

/// Makes `root` this process's `/`, in which tools find their libraries. It contains a `/proc`,
/// where save commands look for the names of tables. Without it, they would print nothing and
/// report no error. No other process sees the mount.
pub(crate) fn change_root(root: &Path) -> io::Result<()> {
    // The new mount namespace takes the current directory along, even if `root` is a path through
    // another process's files.
    env::set_current_dir(root)?;
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(
        None::<&str>,
        "/",
        None::<&str>,
        MsFlags::MS_REC | MsFlags::MS_PRIVATE,
        None::<&str>,
    )?;
    mount(
        Some("/proc"),
        "proc",
        None::<&str>,
        MsFlags::MS_BIND | MsFlags::MS_REC,
        None::<&str>,
    )?;
    chroot(".")?;
    env::set_current_dir("/")
}

/// Runs `job` on a thread of its own.
pub(crate) fn on_own_thread<T: Send>(job: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(job).join())
        .unwrap_or_else(|panic| panic::resume_unwind(panic))
}
