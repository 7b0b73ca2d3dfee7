//! When a parallel call is decided.

use proptest::prelude::*;

use super::config;
use crate::kernel::{Join, JoinRule, Verdict};

fn rules() -> impl Strategy<Value = JoinRule> {
    prop_oneof![
        Just(JoinRule::All),
        Just(JoinRule::Settle),
        Just(JoinRule::Any),
        (0..40_u64).prop_map(JoinRule::Quorum),
        (0..=10_000_u32).prop_map(JoinRule::AtLeast),
    ]
}

fn verdict(rule: JoinRule, total: Option<u64>, ended: &[bool]) -> Verdict {
    let mut join = Join::new(rule, total);
    ended.iter().for_each(|succeeded| join.ended(*succeeded));
    join.verdict()
}

proptest! {
    #![proptest_config(config())]

    /// Only a race asks who was the first.
    #[test]
    fn the_order_of_ends_decides_nothing(
        rule in rules(), ended in prop::collection::vec(any::<bool>(), 0..40), mut shuffled in Just(()).prop_perturb(|(), rng| rng),
    ) {
        let mut other = ended.clone();
        for index in (1..other.len()).rev() {
            other.swap(index, shuffled.random_range(0..=index));
        }
        let total = Some(ended.len() as u64);
        prop_assert_eq!(verdict(rule, total, &ended), verdict(rule, total, &other));
        prop_assert_ne!(verdict(rule, total, &ended), Verdict::Open, "all have ended");
    }

    /// What is decided stays so, whatever ends later and whenever the number of branches is told.
    #[test]
    fn a_verdict_is_final(
        rule in prop_oneof![rules(), Just(JoinRule::Race)], ended in prop::collection::vec(any::<bool>(), 0..40), told in 0..41_usize,
    ) {
        let mut join = Join::new(rule, None);
        let mut verdict = Verdict::Open;
        for place in 0..=ended.len() {
            if place == told.min(ended.len()) {
                join.total(ended.len() as u64);
            }
            // Whoever ends a race ends it: nobody asks again.
            if verdict == Verdict::Open || rule != JoinRule::Race {
                let next = join.verdict();
                prop_assert!(verdict == Verdict::Open || verdict == next, "{:?} became {:?} at {}", verdict, next, place);
                verdict = next;
            }
            if let Some(succeeded) = ended.get(place) {
                join.ended(*succeeded);
            }
        }
        prop_assert_ne!(verdict, Verdict::Open);
    }

    /// One more success in place of a failure never makes of a success a failure.
    #[test]
    fn more_successes_do_no_harm(rule in rules(), ended in prop::collection::vec(any::<bool>(), 1..40), place in any::<prop::sample::Index>()) {
        let total = Some(ended.len() as u64);
        let mut better = ended.clone();
        better[place.index(ended.len())] = true;
        if verdict(rule, total, &ended) == Verdict::Succeeded {
            prop_assert_eq!(verdict(rule, total, &better), Verdict::Succeeded);
        }
    }

    #[test]
    fn numbers_of_any_size_are_counted(rule in prop_oneof![rules(), any::<u64>().prop_map(JoinRule::Quorum), any::<u32>().prop_map(JoinRule::AtLeast)], total in any::<u64>(), ended in prop::collection::vec(any::<bool>(), 0..4)) {
        // More can end than were counted, if the code is another one after a crash.
        let _ = verdict(rule, Some(total), &ended);
        let _ = verdict(rule, Some(0), &ended);
    }
}
