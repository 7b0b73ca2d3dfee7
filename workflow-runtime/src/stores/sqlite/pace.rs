//! How the callers and the writer wait for each other.
//!
//! To put a thread to sleep and wake it takes as long as a group of one commit where syncs are quick, and a processor that has
//! gone to sleep meanwhile takes longer still. So whoever is about to sleep looks for what he waits for a moment longer. That
//! is done only where there is reason to hope: by the writer after a group of one call, as its caller is likely to come again;
//! by a caller if nobody else waits and the last group was quick. Where it comes to nothing, as on a machine whose processors
//! have other work, it is left alone for ever longer.

use std::hint;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use futures_channel::oneshot;

/// How long to look before going to sleep.
const MOMENT: Duration = Duration::from_micros(50);

/// How long others may keep the processor.
const LONG: Duration = Duration::from_millis(1);

/// The most times that it is left alone after it came to nothing.
const MOST_PASSED: usize = 1_024;

/// What is known of the calls that write.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Calls whose callers wait.
    under_way: AtomicUsize,
    /// Whether the last group took less than a moment.
    is_quick: AtomicBool,
    /// How the callers fare.
    callers: Hope,
    /// How the writer fares.
    writer: Hope,
    /// How it fares when it gives way.
    giving_way: Hope,
}

impl Pace {
    /// Says how long a group took.
    pub(super) fn took(&self, time: Duration) {
        self.is_quick.store(time < MOMENT, Ordering::Relaxed);
    }

    /// Counts a call until what is returned is dropped.
    pub(super) fn enter(self: &Arc<Self>) -> UnderWay {
        let is_alone = self.under_way.fetch_add(1, Ordering::Relaxed) == 0;
        UnderWay { pace: Arc::clone(self), is_alone }
    }

    /// Lets others on the processor who can run, unless they have kept it long of late: those who come with calls do not.
    pub(super) fn give_way(&self) {
        self.giving_way.attempt(|| {
            let begun = Instant::now();
            thread::yield_now();
            (begun.elapsed() < LONG).then_some(())
        });
    }

    /// The next call; `None` if no more can come. `is_soon` says that one is likely to come.
    pub(super) fn next<T>(&self, queue: &mpsc::Receiver<T>, is_soon: bool) -> Option<T> {
        let next = is_soon.then(|| self.writer.look(|| queue.try_recv().ok())).flatten();
        next.or_else(|| queue.recv().ok())
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
        self.pace.callers.look(|| answer.try_recv().ok().flatten())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.pace.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether something was worth it.
#[derive(Debug, Default)]
struct Hope {
    /// How often it is to be left alone.
    left_alone: AtomicUsize,
    /// How often it was left alone after it last came to nothing.
    passed: AtomicUsize,
}

impl Hope {
    /// Looks for a moment, unless that is to be left alone.
    fn look<T>(&self, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        self.attempt(|| {
            let begun = Instant::now();
            loop {
                match look() {
                    None if begun.elapsed() < MOMENT => hint::spin_loop(),
                    found => return found,
                }
            }
        })
    }

    /// Makes an attempt, unless that is to be left alone.
    fn attempt<T>(&self, attempt: impl FnOnce() -> Option<T>) -> Option<T> {
        let left_alone = self.left_alone.load(Ordering::Relaxed);
        if left_alone > 0 {
            self.left_alone.store(left_alone - 1, Ordering::Relaxed);
            return None;
        }
        let found = attempt();
        let passed = match found {
            Some(_) => 0,
            None => (2 * self.passed.load(Ordering::Relaxed) + 1).min(MOST_PASSED),
        };
        self.passed.store(passed, Ordering::Relaxed);
        self.left_alone.store(passed, Ordering::Relaxed);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_to_nothing_is_left_alone_for_ever_longer_and_not_for_good() {
        let hope = Hope::default();
        let mut looks = Vec::new();
        for time in 0..20 {
            hope.look(|| {
                if looks.last() != Some(&time) {
                    looks.push(time);
                }
                None::<()>
            });
        }
        assert_eq!(looks, [0, 2, 6, 14]);
        let mut passed = 0;
        while hope.look(|| Some(())).is_none() {
            passed += 1;
        }
        assert_eq!(passed, 10);
        assert_eq!(hope.look(|| Some(())), Some(()), "it is looked for each time while that is worth it");
    }

    #[test]
    fn a_caller_looks_only_if_it_is_alone_and_groups_are_quick() {
        let pace = Arc::new(Pace::default());
        let answered = || {
            let (sender, receiver) = oneshot::channel();
            sender.send(()).unwrap();
            receiver
        };
        assert_eq!(pace.enter().look(&mut answered()), None, "nobody knows how quick it is");
        pace.took(Duration::ZERO);
        let first = pace.enter();
        assert_eq!(first.look(&mut answered()), Some(()));
        assert_eq!(pace.enter().look(&mut answered()), None, "there is another");
        drop(first);
        assert_eq!(pace.enter().look(&mut answered()), Some(()));
        pace.took(MOMENT);
        assert_eq!(pace.enter().look(&mut answered()), None, "it takes too long");
    }
}
