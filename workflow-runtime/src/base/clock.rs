//! Time as something that can be replaced: a due time is decided by whoever holds the clock.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::{Name, Timestamp};

/// A future that is ready when its due time has come.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where an engine takes the time from.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The present.
    fn now(&self) -> Timestamp;

    /// Waits until [`now`](Self::now) is at least `due`; ready at once if it is already.
    fn sleep_until(&self, due: Timestamp) -> Sleep;

    /// Waits until `due` where nothing is done meanwhile: between two attempts of a step, in a handler's own sleep. A clock for
    /// tests may let the time pass there. `call` is the key of the call that waits.
    #[doc(hidden)]
    fn pause_until(&self, due: Timestamp, call: &Name) -> Sleep {
        let _ = call;
        self.sleep_until(due)
    }
}

/// A clock that stands still until it is told to move: for tests, where thirty days pass in no time.
///
/// Clones share one time.
///
/// ```
/// use std::time::Duration;
/// use workflow_runtime::{Clock, ManualClock, Timestamp};
///
/// let clock = ManualClock::new(Timestamp::from_millis(0));
/// clock.advance(Duration::from_secs(60 * 60 * 24 * 30));
/// assert_eq!(clock.now().to_string(), "1970-01-31T00:00:00Z");
/// ```
#[derive(Debug, Clone)]
pub struct ManualClock {
    // Held only to read or change plain data, never over an await.
    shared: Arc<Mutex<ManualTime>>,
}

#[derive(Debug)]
struct ManualTime {
    now: Timestamp,
    next_sleeper: u64,
    sleepers: BTreeMap<(Timestamp, u64), Waker>,
}

impl Default for ManualClock {
    /// A clock that shows the Unix epoch.
    fn default() -> Self {
        Self::new(Timestamp::EPOCH)
    }
}

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { shared: Arc::new(Mutex::new(ManualTime { now, next_sleeper: 0, sleepers: BTreeMap::new() })) }
    }

    /// Moves the time forward by `duration` and wakes what is due.
    pub fn advance(&self, duration: Duration) {
        let due = self.now() + duration;
        self.advance_to(due);
    }

    /// Moves the time forward to `due` and wakes what is due by then; a time in the past changes nothing.
    pub fn advance_to(&self, due: Timestamp) {
        let woken = {
            let mut time = self.lock();
            let now = time.now.max(due);
            time.now = now;
            let later = time.sleepers.split_off(&(now, u64::MAX));
            std::mem::replace(&mut time.sleepers, later)
        };
        for waker in woken.into_values() {
            waker.wake();
        }
    }

    /// The earliest time that someone sleeps for, if anyone does: where to advance to next.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.lock().sleepers.keys().next().map(|(due, _)| *due)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, ManualTime> {
        // Plain data: a panic elsewhere cannot have left it half changed.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.lock().now
    }

    fn sleep_until(&self, due: Timestamp) -> Sleep {
        Box::pin(ManualSleep { clock: self.clone(), due, key: None })
    }
}

struct ManualSleep {
    clock: ManualClock,
    due: Timestamp,
    key: Option<(Timestamp, u64)>,
}

impl Future for ManualSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let sleep = &mut *self;
        let mut time = sleep.clock.lock();
        if time.now >= sleep.due {
            return Poll::Ready(());
        }
        let key = *sleep.key.get_or_insert_with(|| {
            time.next_sleeper += 1;
            (sleep.due, time.next_sleeper)
        });
        time.sleepers.insert(key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for ManualSleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.clock.lock().sleepers.remove(&key);
        }
    }
}
