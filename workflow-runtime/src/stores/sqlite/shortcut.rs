//! The shorter way to the file: a caller who is alone writes himself, where that takes less than to wake a thread.
//!
//! To hand a call to the writer's thread and the answer back wakes two threads. Where the disk is quick, that takes several times
//! as long as to write a commit; where it is not, the caller's thread must not be kept by it, as it has other tasks to run. So
//! the way is chosen by what the last groups were: many of one call each, and nearly all of them quick.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use super::desk::{Desk, NotBegun, WriteCall};
use super::health::Health;
use super::stats::Counters;
use super::worker::Worker;

/// What is quick: not longer than a task may well keep its thread between two waits.
const QUICK: Duration = if cfg!(test) { Duration::from_secs(1) } else { Duration::from_micros(50) };

/// What a disk takes that is waited for. What lies between may be a thread that was not let on the processor.
const SLOW: Duration = Duration::from_micros(500);

/// How many groups have to have been quick, ...
const ENOUGH: u32 = if cfg!(test) { 4 } else { 32 };

/// ... how many of them count, ...
const MOST: u32 = 2 * ENOUGH;

/// ... and how many of them are made up for by one that was neither quick nor slow.
const MADE_UP_FOR: u32 = 8;

/// Calls on the shorter way after which a caller lets other tasks run: nothing of it makes him wait.
const AT_A_STRETCH: u32 = 8;

/// Where is written, and what it takes.
pub(super) struct Writing {
    pub(super) desk: Mutex<Desk>,
    pub(super) health: Arc<Health>,
    pub(super) counters: Arc<Counters>,
    pub(super) shortcut: Shortcut,
}

/// Whether the way may be shortened.
#[derive(Debug, Default)]
pub(super) struct Shortcut {
    /// Calls that were handed to the writer and are not answered.
    under_way: AtomicUsize,
    /// How many groups of one call were quick, less what others have made up for.
    quick: AtomicU32,
    /// Calls on the shorter way.
    taken: AtomicU32,
}

/// What is left to do for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// It is answered, or will be.
    Done,
    /// It is answered, and other tasks should have a turn before its caller goes on.
    Enough,
}

/// Lets other tasks have a turn, once.
pub(super) async fn let_others_run() {
    let mut had_theirs = false;
    poll_fn(|context| {
        if std::mem::replace(&mut had_theirs, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Writing {
    /// Makes a call: here and now if that is the shorter way, and else by the writer.
    pub(super) fn make(&self, call: WriteCall, writer: &Worker<WriteCall>) -> Made {
        let call = match self.make_here(call) {
            Ok(made) => return made,
            Err(call) => call,
        };
        self.shortcut.under_way.fetch_add(1, Ordering::Relaxed);
        writer.send(call);
        Made::Done
    }

    /// The call comes back if it is not made.
    fn make_here(&self, call: WriteCall) -> Result<Made, WriteCall> {
        if !self.shortcut.is_open() {
            return Err(call);
        }
        let Ok(mut desk) = self.desk.try_lock() else { return Err(call) };
        if desk.is_untidy() {
            // The writer sees to that.
            return Err(call);
        }
        let written = desk.write(call, || None, true, (&self.health, &self.counters));
        let (calls, time) = written.map_err(|NotBegun { call, .. }| call)?;
        self.shortcut.took(calls, time);
        Ok(self.shortcut.taken())
    }
}

impl Shortcut {
    pub(super) fn is_open(&self) -> bool {
        self.quick.load(Ordering::Relaxed) >= ENOUGH && self.under_way.load(Ordering::Relaxed) == 0
    }

    /// Says how many calls a group was of, and how long it took.
    pub(super) fn took(&self, calls: usize, time: Duration) {
        // Two that count at once may count one for two: that is as good.
        let before = self.quick.load(Ordering::Relaxed);
        let quick = match calls {
            1 if time < QUICK => (before + 1).min(MOST),
            1 if time < SLOW => before.saturating_sub(MADE_UP_FOR),
            _ => 0,
        };
        self.quick.store(quick, Ordering::Relaxed);
    }

    /// Says that so many calls of those that were handed to the writer are answered.
    pub(super) fn answered(&self, calls: usize) {
        self.under_way.fetch_sub(calls, Ordering::Relaxed);
    }

    fn taken(&self) -> Made {
        match self.taken.fetch_add(1, Ordering::Relaxed) % AT_A_STRETCH {
            0 => Made::Enough,
            _ => Made::Done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_is_shorter_after_many_quick_groups_of_one_and_not_after_another() {
        let shortcut = Shortcut::default();
        let quick = || (0..ENOUGH).for_each(|_| shortcut.took(1, Duration::ZERO));
        assert!(!shortcut.is_open());
        quick();
        assert!(shortcut.is_open());
        shortcut.took(1, SLOW.max(QUICK));
        assert!(!shortcut.is_open(), "the disk has become slow");
        quick();
        shortcut.took(2, Duration::ZERO);
        assert!(!shortcut.is_open(), "two have come at once");
        quick();
        shortcut.under_way.fetch_add(2, Ordering::Relaxed);
        assert!(!shortcut.is_open(), "others wait, who would be overtaken");
        shortcut.answered(2);
        assert!(shortcut.is_open());
    }

    #[test]
    fn who_takes_it_lets_others_run_now_and_then() {
        let shortcut = Shortcut::default();
        let made: Vec<_> = (0..2 * AT_A_STRETCH).map(|_| shortcut.taken()).collect();
        assert_eq!(made.iter().filter(|made| **made == Made::Enough).count(), 2);
    }
}
