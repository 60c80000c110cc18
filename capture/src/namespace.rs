//! Enters namespaces, on a thread that ends with the visit.
//!
//! A namespace belongs to a thread, and commands inherit that of the thread that starts them. So the rest of the program
//! stays where it was. Only the network and the host name are entered, never the mount namespace: nothing from a
//! container's file system is read or run.

use std::fs::{self, File};
use std::panic;
use std::thread;

use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};

/// Runs `job` inside a network namespace.
pub(crate) fn inside<T: Send>(network: &File, job: impl FnOnce() -> T + Send) -> Result<T, Errno> {
    on_own_thread(|| {
        setns(network, CloneFlags::CLONE_NEWNET)?;
        Ok(job())
    })
}

/// The host name in a UTS namespace: a pod's name.
pub(crate) fn hostname(uts: &File) -> Option<String> {
    on_own_thread(|| {
        setns(uts, CloneFlags::CLONE_NEWUTS).ok()?;
        // This file shows what the reading thread's namespace holds.
        let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
        Some(name.trim_end().to_owned()).filter(|name| !name.is_empty() && name != "(none)")
    })
}

fn on_own_thread<T: Send>(job: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(job).join()).unwrap_or_else(|panic| panic::resume_unwind(panic))
}
