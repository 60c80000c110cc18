//! The location of this machine's `/proc`, `/sys`, `/lib/modules` and `/run/netns`.

use std::path::{Path, PathBuf};

/// The machine whose namespaces are read. The kernel's files about the running thread
/// (`/proc/thread-self`, `/proc/sys/net`) are not part of it, because they have only one location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    /// `/`, or the directory at which a machine's directories are mounted.
    pub(crate) root: PathBuf,
}

impl Machine {
    /// A path of the machine, given without its leading slash.
    pub(crate) fn path(&self, below: impl AsRef<Path>) -> PathBuf {
        self.root.join(below)
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self { root: "/".into() }
    }
}
