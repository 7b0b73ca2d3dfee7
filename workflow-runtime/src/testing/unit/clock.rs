//! Time for one handler: it stands still while anything is done, and goes on in no time where the handler waits for it.

use std::future::poll_fn;
use std::task::Poll;

use crate::base::{Clock, ManualClock, Sleep, Timestamp};

/// So often whoever waits has others go first, before time goes on.
const OTHERS_FIRST: u32 = 64;

/// A clock that goes on by itself where a handler waits for time: in the pauses between attempts, in `cx.sleep`. It does not
/// while a step runs, so no timeout cuts off what is real.
#[derive(Debug, Clone)]
pub(super) struct UnitClock(pub(super) ManualClock);

impl Clock for UnitClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn sleep_until(&self, due: Timestamp) -> Sleep {
        self.0.sleep_until(due)
    }

    fn pause_until(&self, due: Timestamp) -> Sleep {
        let clock = self.0.clone();
        let mut pause = clock.sleep_until(due);
        let mut polls = 0;
        Box::pin(poll_fn(move |context| {
            let is_over = match due {
                // What never ends waits for whatever cuts it off.
                Timestamp::MAX => false,
                _ => pause.as_mut().poll(context).is_ready(),
            };
            if is_over {
                return Poll::Ready(());
            }
            polls += 1;
            if polls > OTHERS_FIRST {
                match clock.next_due() {
                    Some(next) => clock.advance_to(next),
                    None => panic!(
                        "a mock hangs, and nothing cuts it off: give its step a `timeout` or a `heartbeat`, or the mock another answer"
                    ),
                }
            }
            context.waker().wake_by_ref();
            Poll::Pending
        }))
    }
}
