//! Retry arithmetic: how long to wait before an attempt.

use std::time::Duration;

/// When a step that failed is tried again: exponential backoff with full jitter.
///
/// After the `n`-th failed attempt the pause is a random time between zero and `base × 2ⁿ⁻¹`, at most `cap`. The jitter
/// is "full" so that executions that failed together do not come back together (M. Brooker, "Exponential Backoff And
/// Jitter", AWS Architecture Blog, 2015).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first included.
    pub max: u32,
    /// The longest pause after the first failed attempt.
    pub base: Duration,
    /// The longest pause at all.
    pub cap: Duration,
}

impl RetryPolicy {
    /// The pause after `failed` failed attempts, where `chance` is a random number from 0 up to 1; `None` if no attempt
    /// is left.
    #[must_use]
    pub fn pause(&self, failed: u32, chance: f64) -> Option<Duration> {
        if failed >= self.max {
            return None;
        }
        let doublings = failed.saturating_sub(1).min(u32::BITS - 1);
        let ceiling = self.base.saturating_mul(1 << doublings).min(self.cap);
        Some(ceiling.mul_f64(chance.clamp(0.0, 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy = RetryPolicy { max: 5, base: Duration::from_millis(200), cap: Duration::from_secs(1) };

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
    fn a_huge_count_does_not_overflow() {
        let policy = RetryPolicy { max: u32::MAX, base: Duration::MAX, cap: Duration::from_secs(30) };
        assert_eq!(policy.pause(u32::MAX - 1, 1.0), Some(Duration::from_secs(30)));
    }
}
