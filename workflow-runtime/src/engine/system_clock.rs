//! The real time.

use std::time::{Duration, SystemTime};

use crate::base::{Clock, Sleep, Timestamp};

/// The clock of the machine, with tokio's timers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

/// A sleep looks at the clock again after this long: timers count real time, but a clock can be set.
const LONGEST_NAP: Duration = Duration::from_secs(60);

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }

    fn sleep_until(&self, due: Timestamp) -> Sleep {
        let clock = *self;
        Box::pin(async move {
            loop {
                let now = clock.now();
                if now >= due {
                    return;
                }
                tokio::time::sleep(due.since(now).min(LONGEST_NAP)).await;
            }
        })
    }
}
