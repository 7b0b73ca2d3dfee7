//! Finds out that a scenario does not end.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// How long a scenario may wait for one thing, unless it says otherwise.
const PATIENCE: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// How often the store may be written to while the scenario waits for one thing, unless it says otherwise.
const MOST_WRITES: u64 = 1_000_000;

/// Why a scenario is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stuck {
    /// So much time has passed.
    Time(Duration),
    /// So much was written.
    Writes(u64),
}

/// Watches over the progress of a scenario.
#[derive(Debug)]
pub(super) struct Watchdog {
    inner: Mutex<Inner>,
    written_out: Notify,
    changed: Notify,
}

#[derive(Debug)]
struct Inner {
    patience: Duration,
    most_writes: u64,
    /// When the scenario is given up.
    deadline: Instant,
    /// How often was written since it got on.
    writes: u64,
    restarts: u64,
    calls: u64,
}

impl Watchdog {
    pub(super) fn new() -> Self {
        let inner = Inner {
            patience: PATIENCE,
            most_writes: MOST_WRITES,
            deadline: Instant::now() + PATIENCE,
            writes: 0,
            restarts: 0,
            calls: 0,
        };
        Self { inner: Mutex::new(inner), written_out: Notify::new(), changed: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, patience: Duration, most_writes: u64) {
        let mut inner = self.lock();
        (inner.patience, inner.most_writes) = (patience, most_writes);
        inner.deadline = Instant::now() + patience;
        drop(inner);
        self.changed.notify_one();
    }

    pub(super) fn most_writes(&self) -> u64 {
        self.lock().most_writes
    }

    pub(super) fn patience(&self) -> Duration {
        self.lock().patience
    }

    /// The scenario has got on, and is about to wait for something that takes `at_least` this long.
    pub(super) fn progress(&self, at_least: Duration) {
        let mut inner = self.lock();
        inner.deadline = Instant::now() + inner.patience + at_least;
        (inner.writes, inner.restarts) = (0, 0);
    }

    /// The process is started again because its store has failed: how often that was, since the scenario got on.
    pub(super) fn restarted(&self) -> u64 {
        let mut inner = self.lock();
        inner.restarts += 1;
        inner.restarts
    }

    /// The store was called: the number of the call.
    pub(super) fn call(&self) -> u64 {
        let mut inner = self.lock();
        inner.calls += 1;
        inner.calls
    }

    /// The store was written to.
    pub(super) fn wrote(&self) {
        let mut inner = self.lock();
        inner.writes += 1;
        if inner.writes > inner.most_writes {
            drop(inner);
            self.written_out.notify_one();
        }
    }

    /// Ready when the scenario is to be given up.
    pub(super) async fn barks(&self) -> Stuck {
        loop {
            let deadline = self.lock().deadline;
            tokio::select! {
                biased;
                () = self.written_out.notified() => return Stuck::Writes(self.most_writes()),
                () = self.changed.notified() => {}
                () = tokio::time::sleep_until(deadline) => {}
            }
            if self.lock().deadline <= Instant::now() {
                return Stuck::Time(self.patience());
            }
        }
    }
}
