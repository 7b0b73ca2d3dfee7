//! Retry arithmetic.

use std::time::Duration;

use proptest::prelude::*;

use super::config;
use crate::kernel::{Jitter, RetryPolicy};

fn durations() -> impl Strategy<Value = Duration> {
    prop_oneof![
        Just(Duration::ZERO),
        Just(Duration::MAX),
        (0..100_000_u64).prop_map(Duration::from_millis),
        any::<u64>().prop_map(Duration::from_nanos),
        any::<u64>().prop_map(Duration::from_secs),
    ]
}

fn chances() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(1.0), Just(1.0 - f64::EPSILON), Just(f64::NAN), Just(-3.0), 0.0..1.0_f64]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn there_are_as_many_attempts_as_are_allowed(max in any::<u32>(), failed in any::<u32>(), chance in chances()) {
        let policy = RetryPolicy::new(max);
        prop_assert_eq!(policy.pause(failed, chance).is_some(), failed < max.max(1));
    }

    #[test]
    fn the_longest_pause_doubles_up_to_the_cap(base in durations(), cap in durations(), attempts in 1..80_u32) {
        let policy = RetryPolicy::new(u32::MAX).backoff(base, cap).jitter(Jitter::None);
        let mut expected = base.min(cap);
        for failed in 1..=attempts {
            prop_assert_eq!(policy.pause(failed, 0.5), Some(expected), "after {} failures", failed);
            // 2³¹ is as far as it goes: of what would double more often, nobody sees the next attempt.
            if failed < 32 {
                expected = expected.saturating_mul(2).min(cap);
            }
        }
    }

    #[test]
    fn chance_takes_its_part_of_a_pause_and_no_more(
        base in durations(), cap in durations(), failed in 0..100_u32, chance in chances(), more in chances(),
    ) {
        let pause = |jitter, chance| {
            RetryPolicy::new(u32::MAX).backoff(base, cap).jitter(jitter).pause(failed, chance).unwrap_or_default()
        };
        let longest = pause(Jitter::None, chance);
        let (full, equal) = (pause(Jitter::Full, chance), pause(Jitter::Equal, chance));
        prop_assert!(longest <= cap && full <= longest && equal <= longest, "{:?} {:?} {:?}", full, equal, longest);
        // A float has 53 bits, and a pause has more: what is lost is in the last of them.
        prop_assert!(equal.as_secs_f64() >= longest.as_secs_f64() / 2.0 * (1.0 - 1e-9));
        prop_assert!(equal >= full);
        if more >= chance {
            prop_assert!(pause(Jitter::Full, more) >= full && pause(Jitter::Equal, more) >= equal);
        }
    }
}
