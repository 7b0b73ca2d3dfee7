//! Timers that repeat.

use std::time::Duration;

use proptest::prelude::*;

use super::config;
use crate::base::Timestamp;
use crate::kernel::{AfterPlan, HandlerPlan, Kernel, Next, Plan, StatePlan, TimerRule};
use crate::record::Json;

proptest! {
    #![proptest_config(config())]

    /// Whatever was missed, one comes; and the next one is in the future, a whole number of periods after the entry.
    #[test]
    fn what_repeats_keeps_to_its_periods(
        period in prop_oneof![0..5_u64, 0..10_000_000_u64, any::<u64>()], late in prop_oneof![0..1_000_u64, 0..1_u64 << 42],
    ) {
        let handler = HandlerPlan { name: "again".into(), pure: true };
        let after = vec![AfterPlan { rule: TimerRule::Every(Duration::from_millis(period)), handler: handler.clone() }];
        let mut plan = Plan::default();
        plan.add("waiting", &[], StatePlan { after, ..StatePlan::default() });
        let entered = Timestamp::from_millis(1_000);
        let now = entered + Duration::from_millis(late);
        let new = Kernel::start("waiting", Json::null(), &plan, entered);
        let mut execution = Kernel::begun(new.record);
        let next = execution.decide(&plan, now);
        let due = execution.record().timers[0].due;
        let first = entered + Duration::from_millis(period);
        if first > now {
            prop_assert_eq!(next, Next::Wait { until: Some(first) });
            return Ok(());
        }
        prop_assert_eq!(next, Next::Run(handler));
        let period = period.max(1);
        prop_assert!(due > now, "{:?} is not after {:?}", due, now);
        let since = u64::try_from(due.since(first).as_millis()).unwrap();
        prop_assert_eq!(since % period, 0);
        prop_assert!(due.since(now) <= Duration::from_millis(period), "one was passed over");
    }
}
