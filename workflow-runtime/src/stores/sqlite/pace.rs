//! How the callers and the writer wait for each other.
//!
//! To put a thread to sleep and wake it takes longer than a group of one commit where syncs are quick, and the processor that
//! has gone to sleep meanwhile takes longer still. So whoever is about to sleep looks for what he waits for a moment longer,
//! giving way to every other thread that could run. That is done only where there is reason to hope: by the writer after a
//! group of one call, as its caller is likely to come again; by a caller if nobody else waits and the last group was quick.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use futures_channel::oneshot;

/// How long to look before going to sleep.
const MOMENT: Duration = Duration::from_micros(50);

/// What is known of the calls that write.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Calls whose callers wait.
    under_way: AtomicUsize,
    /// Whether the last group took less than a moment.
    is_quick: AtomicBool,
}

impl Pace {
    pub(super) fn took(&self, time: Duration) {
        self.is_quick.store(time < MOMENT, Ordering::Relaxed);
    }

    /// Counts a call until what is returned is dropped.
    pub(super) fn enter(self: &Arc<Self>) -> UnderWay {
        let is_alone = self.under_way.fetch_add(1, Ordering::Relaxed) == 0;
        UnderWay { pace: Arc::clone(self), is_alone }
    }
}

/// A call whose caller waits.
pub(super) struct UnderWay {
    pace: Arc<Pace>,
    /// Whether no other call was under way when it was made.
    is_alone: bool,
}

impl UnderWay {
    /// Looks for the answer for a moment, if it is worth it.
    pub(super) fn look<T>(&self, answer: &mut oneshot::Receiver<T>) -> Option<T> {
        if !self.is_alone || !self.pace.is_quick.load(Ordering::Relaxed) {
            return None;
        }
        // If the writer is gone, that is found out by waiting.
        for_a_moment(|| answer.try_recv().ok().flatten())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.pace.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The next call; `None` if no more can come. `is_soon` says that one is likely to come.
pub(super) fn next<T>(queue: &mpsc::Receiver<T>, is_soon: bool) -> Option<T> {
    let next = is_soon.then(|| for_a_moment(|| queue.try_recv().ok())).flatten();
    next.or_else(|| queue.recv().ok())
}

fn for_a_moment<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    loop {
        match look() {
            None if begun.elapsed() < MOMENT => thread::yield_now(),
            found => return found,
        }
    }
}
