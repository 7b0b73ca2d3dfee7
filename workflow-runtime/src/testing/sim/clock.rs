//! The time of a simulation: that of tokio's paused clock.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::base::{Clock, Name, Sleep, Timestamp};

/// tokio's timers reach about two years ahead; a sleep of more is made of several.
const LONGEST_NAP: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The clock of a simulation. It moves when everything waits, to the next time that somebody waits for.
#[derive(Debug, Clone)]
pub(super) struct SimClock {
    base: Instant,
    /// What it shows at `base`, in milliseconds.
    start: Arc<AtomicI64>,
}

impl SimClock {
    /// A clock that shows `start` now.
    pub(super) fn new(start: Timestamp) -> Self {
        Self { base: Instant::now(), start: Arc::new(AtomicI64::new(start.as_millis())) }
    }

    /// Has it show `start` at its beginning instead.
    pub(super) fn begin_at(&self, start: Timestamp) {
        self.start.store(start.as_millis(), Ordering::Relaxed);
    }

    /// What it showed at its beginning.
    pub(super) fn start(&self) -> Timestamp {
        Timestamp::from_millis(self.start.load(Ordering::Relaxed))
    }

    /// How long the simulation has lasted.
    pub(super) fn elapsed(&self) -> Duration {
        self.base.elapsed()
    }
}

impl Clock for SimClock {
    fn pause_until(&self, due: Timestamp, _: &Name) -> Sleep {
        match due {
            // What never ends is no time that the simulation could go on to.
            Timestamp::MAX => Box::pin(pending()),
            due => self.sleep_until(due),
        }
    }

    fn now(&self) -> Timestamp {
        self.start() + self.elapsed()
    }

    fn sleep_until(&self, due: Timestamp) -> Sleep {
        let clock = self.clone();
        Box::pin(async move {
            loop {
                let now = clock.now();
                if now >= due {
                    return;
                }
                tokio::time::sleep(due.since(now).min(LONGEST_NAP)).await;
            }
        })
    }
}
