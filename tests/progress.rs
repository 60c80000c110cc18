//! Prints the progress of a long run directly to standard error, because the test runner hides the
//! output of a test until its end.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts the work of a run, and prints each tenth of a long run.
#[derive(Debug)]
pub struct Progress {
    what: &'static str,
    total: u64,
    usual: u64,
    done: AtomicU64,
}

impl Progress {
    /// A run of `total` items. A run of up to `usual` items prints nothing, because it is short.
    pub fn new(what: &'static str, total: u64, usual: u64) -> Self {
        Self {
            what,
            total,
            usual,
            done: AtomicU64::new(0),
        }
    }

    /// Counts finished items.
    pub fn add(&self, count: u64) {
        let before = self.done.fetch_add(count, Relaxed);
        let after = before + count;
        let tenths = |done: u64| done * 10 / self.total.max(1);
        if self.total > self.usual && tenths(before) < tenths(after) {
            let Self { what, total, .. } = self;
            // A closed standard error does not stop the run.
            let _ = writeln!(std::io::stderr(), "{what}: {after} of {total}");
        }
    }
}
