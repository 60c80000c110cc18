//! Ends the program if an operation that cannot be interrupted takes too long.
//!
//! `ask` stops a tool. Reading `/proc` or a path can also block forever: a process can delay the
//! kernel with a file system that it serves itself.

use std::process;
use std::sync::mpsc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The time to assemble the capture after the tools were stopped.
const GRACE: Duration = Duration::from_secs(2);
/// The maximum wait for the reader of the last message.
const MESSAGE_WAIT: Duration = Duration::from_secs(1);

/// Monitors the time limit.
pub(crate) struct Watchdog {
    limit: Duration,
    shared: Arc<WatchdogShared>,
}

struct WatchdogShared {
    state: Mutex<WatchdogState>,
    changed: Condvar,
}

struct WatchdogState {
    /// The deadline; `None` during output, which takes as long as its reader.
    deadline: Option<Instant>,
    /// Whether output has begun.
    has_printed: bool,
}

impl WatchdogShared {
    fn lock(&self) -> MutexGuard<'_, WatchdogState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watchdog {
    /// Starts the clock. `expired` reports the timeout and returns the exit code. Its argument is
    /// whether output has begun.
    pub(crate) fn start(
        limit: Duration,
        expired: impl FnOnce(bool) -> u8 + Send + 'static,
    ) -> Self {
        let state = WatchdogState {
            deadline: Some(Instant::now() + limit),
            has_printed: false,
        };
        let shared = Arc::new(WatchdogShared {
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let watched = Arc::clone(&shared);
        thread::spawn(move || {
            let has_printed = wait(&watched);
            let (sender, receiver) = mpsc::channel();
            // Standard error may be a full pipe.
            thread::spawn(move || sender.send(expired(has_printed)));
            let code = receiver.recv_timeout(MESSAGE_WAIT).unwrap_or(1);
            process::exit(code.into());
        });
        Self { limit, shared }
    }

    /// The time at which the tools must be stopped.
    pub(crate) fn deadline(&self) -> Instant {
        self.shared
            .lock()
            .deadline
            .unwrap_or_else(|| Instant::now() + self.limit)
    }

    /// Restarts the clock.
    pub(crate) fn restart(&self) {
        self.shared.lock().deadline = Some(Instant::now() + self.limit);
        self.shared.changed.notify_all();
    }

    /// Stops the clock during output.
    pub(crate) fn pause(&self) {
        let mut state = self.shared.lock();
        *state = WatchdogState {
            deadline: None,
            has_printed: true,
        };
    }
}

/// Returns when the time is over.
fn wait(shared: &WatchdogShared) -> bool {
    let mut state = shared.lock();
    loop {
        state = match state
            .deadline
            .map(|deadline| (deadline + GRACE).saturating_duration_since(Instant::now()))
        {
            None => shared
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner),
            Some(Duration::ZERO) => return state.has_printed,
            Some(left) => {
                shared
                    .changed
                    .wait_timeout(state, left)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
        };
    }
}
