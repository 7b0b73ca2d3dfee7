//! When the writer gives way, so that more calls come into a group.

use std::thread;
use std::time::{Duration, Instant};

/// How long others may keep the processor.
const LONG: Duration = Duration::from_millis(1);

/// The most times that it is left alone after others have kept the processor.
const MOST_PASSED: usize = 1_024;

/// How the writer fares when it gives way.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// How often it is to be left alone.
    left_alone: usize,
    /// How often it was left alone after others last kept the processor.
    passed: usize,
}

impl Pace {
    /// Lets others on the processor who can run, unless they have kept it long of late: those who come with calls do not.
    pub(super) fn give_way(&mut self) {
        self.attempt(|| {
            let begun = Instant::now();
            thread::yield_now();
            begun.elapsed() < LONG
        });
    }

    /// Makes an attempt, unless that is to be left alone: for ever longer while attempts come to nothing.
    fn attempt(&mut self, attempt: impl FnOnce() -> bool) {
        if self.left_alone > 0 {
            self.left_alone -= 1;
            return;
        }
        self.passed = if attempt() { 0 } else { (2 * self.passed + 1).min(MOST_PASSED) };
        self.left_alone = self.passed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_to_nothing_is_left_alone_for_ever_longer_and_not_for_good() {
        let mut pace = Pace::default();
        let mut attempts = Vec::new();
        for time in 0..32 {
            pace.attempt(|| {
                attempts.push(time);
                time >= 30
            });
        }
        assert_eq!(attempts, [0, 2, 6, 14, 30, 31], "and each time while it is worth it");
    }
}
