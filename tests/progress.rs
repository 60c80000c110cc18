//! How far a long run is, past the test runner: it keeps the output of a test to itself until the
//! test ends.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts what a run has done, and prints each tenth of a long run.
#[derive(Debug)]
pub struct Progress {
    what: &'static str,
    total: u64,
    usual: u64,
    done: AtomicU64,
}

impl Progress {
    /// A run of `total` of something. One of up to `usual` prints nothing: it is over soon.
    pub fn new(what: &'static str, total: u64, usual: u64) -> Self {
        Self {
            what,
            total,
            usual,
            done: AtomicU64::new(0),
        }
    }

    /// Counts what was just done.
    pub fn add(&self, count: u64) {
        let before = self.done.fetch_add(count, Relaxed);
        let after = before + count;
        let tenths = |done: u64| done * 10 / self.total.max(1);
        if self.total > self.usual && tenths(before) < tenths(after) {
            let Self { what, total, .. } = self;
            // The run goes on if standard error is closed.
            let _ = writeln!(std::io::stderr(), "{what}: {after} of {total}");
        }
    }
}
