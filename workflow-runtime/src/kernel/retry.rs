//! Retry arithmetic: how long to wait before an attempt.

use std::fmt;
use std::time::Duration;

/// When a step that failed is tried again: exponential backoff with jitter.
///
/// After the `n`-th failed attempt the pause is at most `base × 2ⁿ⁻¹`, and at most `cap`; how much of that it is, the
/// [`Jitter`] says.
///
/// ```
/// use std::time::Duration;
/// use workflow_runtime::{Jitter, RetryPolicy};
///
/// let policy = RetryPolicy::new(5)
///     .backoff(Duration::from_millis(200), Duration::from_secs(30))
///     .jitter(Jitter::None);
/// assert_eq!(policy.pause(1, 0.5), Some(Duration::from_millis(200)));
/// assert_eq!(policy.pause(2, 0.5), Some(Duration::from_millis(400)));
/// assert_eq!(policy.pause(5, 0.5), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Attempts in all, the first included.
    pub max: u32,
    /// The longest pause after the first failed attempt.
    pub base: Duration,
    /// The longest pause at all.
    pub cap: Duration,
    /// Which part of the longest pause is left to chance.
    pub jitter: Jitter,
}

/// Which part of a pause is left to chance, so that executions that failed together do not come back together
/// (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Jitter {
    /// All of it: a pause lasts between nothing and the longest.
    #[default]
    Full,
    /// Half of it: a pause lasts between half of the longest and the longest.
    Equal,
    /// Nothing: a pause is always the longest.
    None,
}

impl Jitter {
    /// The part of the longest pause that `chance`, from 0 to 1, comes to.
    fn part(self, chance: f64) -> f64 {
        match self {
            Self::Full => chance,
            Self::Equal => 0.5 + chance / 2.0,
            Self::None => 1.0,
        }
    }
}

impl fmt::Display for Jitter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Full => "full",
            Self::Equal => "equal",
            Self::None => "none",
        })
    }
}

impl RetryPolicy {
    /// Up to `max` attempts in all, with pauses of up to 100 ms, doubled from attempt to attempt up to a minute, and full
    /// jitter. A `max` of 0 counts as 1.
    #[must_use]
    pub const fn new(max: u32) -> Self {
        let max = if max == 0 { 1 } else { max };
        Self { max, base: Duration::from_millis(100), cap: Duration::from_secs(60), jitter: Jitter::Full }
    }

    /// The same, with pauses of up to `base` after the first failure, doubled from attempt to attempt up to `cap`.
    #[must_use]
    pub const fn backoff(mut self, base: Duration, cap: Duration) -> Self {
        self.base = base;
        self.cap = cap;
        self
    }

    /// The same, with this jitter.
    #[must_use]
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// The pause after `failed` failed attempts, where `chance` is a random number from 0 up to 1; `None` if no attempt
    /// is left.
    #[must_use]
    pub fn pause(&self, failed: u32, chance: f64) -> Option<Duration> {
        if failed >= self.max {
            return None;
        }
        let doublings = failed.saturating_sub(1).min(u32::BITS - 1);
        let ceiling = self.base.saturating_mul(1 << doublings).min(self.cap);
        let part = self.jitter.part(chance.clamp(0.0, 1.0));
        // A float may be no number, and the longest durations round to more than there are.
        let pause = Duration::try_from_secs_f64(ceiling.as_secs_f64() * part).ok().filter(|_| part < 1.0);
        Some(pause.map_or(ceiling, |pause| pause.min(ceiling)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy = RetryPolicy::new(5).backoff(Duration::from_millis(200), Duration::from_secs(1));

    #[test]
    fn the_ceiling_doubles_up_to_the_cap() {
        let ceilings: Vec<_> = (1..5).map(|failed| POLICY.pause(failed, 1.0).map(|pause| pause.as_millis())).collect();
        assert_eq!(ceilings, [Some(200), Some(400), Some(800), Some(1000)]);
    }

    #[test]
    fn no_attempt_is_left_after_the_last() {
        assert_eq!(POLICY.pause(5, 0.5), None);
        assert_eq!(POLICY.pause(6, 0.5), None);
    }

    #[test]
    fn chance_scales_the_pause_and_never_exceeds_it() {
        assert_eq!(POLICY.pause(1, 0.0), Some(Duration::ZERO));
        assert_eq!(POLICY.pause(1, 0.5), Some(Duration::from_millis(100)));
        assert_eq!(POLICY.pause(1, 7.0), Some(Duration::from_millis(200)));
    }

    #[test]
    fn equal_jitter_leaves_half_of_the_pause_to_chance() {
        let policy = POLICY.jitter(Jitter::Equal);
        assert_eq!(policy.pause(2, 0.0), Some(Duration::from_millis(200)));
        assert_eq!(policy.pause(2, 0.5), Some(Duration::from_millis(300)));
        assert_eq!(policy.pause(2, 1.0), Some(Duration::from_millis(400)));
    }

    #[test]
    fn without_jitter_a_pause_is_the_longest_whatever_chance_says() {
        let policy = POLICY.jitter(Jitter::None);
        for chance in [0.0, 0.3, 1.0] {
            assert_eq!(policy.pause(3, chance), Some(Duration::from_millis(800)));
        }
    }

    #[test]
    fn no_attempts_at_all_are_one() {
        assert_eq!(RetryPolicy::new(0), RetryPolicy::new(1));
    }

    #[test]
    fn a_huge_count_does_not_overflow() {
        let policy = RetryPolicy::new(u32::MAX).backoff(Duration::MAX, Duration::from_secs(30));
        assert_eq!(policy.pause(u32::MAX - 1, 1.0), Some(Duration::from_secs(30)));
    }
}
