//! Where this machine's `/proc`, `/sys`, `/lib/modules` and `/run/netns` are looked for.

use std::path::{Path, PathBuf};

/// The machine whose namespaces are asked. What the kernel says of the running thread itself
/// (`/proc/thread-self`, `/proc/sys/net`) is no part of it: that has one place only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    /// `/`, or where a machine's directories are mounted.
    pub(crate) root: PathBuf,
}

impl Machine {
    /// A path of the machine, given without its first slash.
    pub(crate) fn path(&self, below: impl AsRef<Path>) -> PathBuf {
        self.root.join(below)
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self { root: "/".into() }
    }
}
