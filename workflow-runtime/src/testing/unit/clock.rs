//! Time for one handler: it stands still while anything is done, and goes on in no time where the handler waits for it.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use crate::base::{Clock, ManualClock, Name, Sleep, Timestamp};

/// So often whoever waits has others go first, before time goes on.
const OTHERS_FIRST: u32 = 64;

/// How often it is looked whether what is real is over, and for how long: what takes longer may itself wait for whoever pauses.
const LOOK: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(10);

/// A clock that goes on by itself where a handler waits for time: in the pauses between attempts, in `cx.sleep`. It does not
/// while a step runs, so no timeout cuts off what is real.
#[derive(Debug, Clone)]
pub(super) struct UnitClock {
    clock: ManualClock,
    // Held only to read or change plain data.
    under_way: Arc<Mutex<UnderWay>>,
}

/// How often each call is there, by its key.
#[derive(Debug, Default)]
struct UnderWay {
    /// Attempts of steps that are real.
    running: BTreeMap<Name, usize>,
    /// What waits for time alone.
    pausing: BTreeMap<Name, usize>,
}

impl UnderWay {
    /// Whether a step runs that does not itself wait for time: in a pause of its own, or in a step that it calls.
    fn is_busy(&self) -> bool {
        let is_in = |call: &str, step: &str| call.strip_prefix(step).is_some_and(|rest| rest.starts_with(':'));
        let pauses = |step: &Name| self.pausing.keys().any(|call| is_in(call, step));
        self.running.keys().any(|step| !pauses(step))
    }
}

fn count(calls: &mut BTreeMap<Name, usize>, call: &Name, is_more: bool) {
    let times = calls.entry(call.clone()).or_insert(0);
    *times = if is_more { *times + 1 } else { times.saturating_sub(1) };
    if *times == 0 {
        calls.remove(call);
    }
}

impl UnitClock {
    pub(super) fn new(clock: ManualClock) -> Self {
        Self { clock, under_way: Arc::default() }
    }

    fn under_way(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An attempt of this call runs that is real, or runs no more.
    pub(super) fn running(&self, call: &Name, runs: bool) {
        count(&mut self.under_way().running, call, runs);
    }
}

/// What waits for time alone, until it is dropped.
struct Pausing {
    clock: UnitClock,
    call: Name,
}

impl Pausing {
    fn new(clock: &UnitClock, call: &Name) -> Self {
        count(&mut clock.under_way().pausing, call, true);
        Self { clock: clock.clone(), call: call.clone() }
    }
}

impl Drop for Pausing {
    fn drop(&mut self) {
        count(&mut self.clock.under_way().pausing, &self.call, false);
    }
}

impl Clock for UnitClock {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn sleep_until(&self, due: Timestamp) -> Sleep {
        self.clock.sleep_until(due)
    }

    fn pause_until(&self, due: Timestamp, call: &Name) -> Sleep {
        let (unit, call) = (self.clone(), call.clone());
        let clock = self.clock.clone();
        let mut pause = clock.sleep_until(due);
        let (mut pausing, mut polls, mut held) = (None, 0, None);
        Box::pin(poll_fn(move |context| {
            let is_over = match due {
                // What never ends waits for whatever cuts it off.
                Timestamp::MAX => false,
                _ => pause.as_mut().poll(context).is_ready(),
            };
            if is_over {
                pausing = None;
                return Poll::Ready(());
            }
            pausing.get_or_insert_with(|| Pausing::new(&unit, &call));
            context.waker().wake_by_ref();
            polls += 1;
            if polls <= OTHERS_FIRST {
                return Poll::Pending;
            }
            if unit.under_way().is_busy() && held.get_or_insert_with(Instant::now).elapsed() < LONGEST {
                thread::sleep(LOOK);
                return Poll::Pending;
            }
            held = None;
            match clock.next_due() {
                Some(next) => clock.advance_to(next),
                None => panic!(
                    "a mock hangs, and nothing cuts it off: give its step a `timeout` or a `heartbeat`, or the mock another answer"
                ),
            }
            Poll::Pending
        }))
    }
}
