//! One attempt of a step.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::StepCall;
use super::error::{Cut, StepError};
use super::scope::StepScope;
use crate::base::{Clock, Sleep};
use crate::machine::turn::panic_text;
use crate::record::{ErrorRecord, Json};

/// Why an attempt failed.
pub(super) enum Failed<E> {
    /// With an error of the step's own.
    Own(E),
    /// It was cut off.
    Cut(Cut),
}

impl<E: StepError> Failed<E> {
    pub(super) fn to_recorded(&self) -> (ErrorRecord, Option<Json>) {
        match self {
            Self::Own(error) => error.to_recorded(),
            Self::Cut(cut) => cut.to_recorded(),
        }
    }
}

impl StepCall {
    /// One attempt, with its limits in time, and with a panic turned into a failure.
    pub(super) async fn attempt<T, E>(
        &self,
        scope: &StepScope,
        mut attempt: Pin<&mut impl Future<Output = Result<T, E>>>,
    ) -> Result<T, Failed<E>> {
        let clock = &*self.cx.turn().scope.services.clock;
        let mut timeout = self.policy.timeout.map(|timeout| (timeout, clock.sleep_until(clock.now() + timeout)));
        let alarm = |every| Pulse { every, alarm: clock.sleep_until(clock.now() + every) };
        let mut pulse = self.policy.heartbeat.map(alarm);
        let ended = poll_fn(|context| {
            match catch_unwind(AssertUnwindSafe(|| attempt.as_mut().poll(context))) {
                Ok(Poll::Ready(result)) => return Poll::Ready(result.map_err(Failed::Own)),
                Ok(Poll::Pending) => {}
                Err(panic) => {
                    return Poll::Ready(Err(Failed::Cut(Cut::panicked(&self.name, panic_text(&*panic)))));
                }
            }
            if let Some((timeout, over)) = &mut timeout
                && over.as_mut().poll(context).is_ready()
            {
                return Poll::Ready(Err(Failed::Cut(Cut::timed_out(&self.name, *timeout))));
            }
            if let Some(pulse) = &mut pulse
                && pulse.poll_missed(scope, clock, context).is_ready()
            {
                return Poll::Ready(Err(Failed::Cut(Cut::heartbeat_missed(&self.name, pulse.every))));
            }
            Poll::Pending
        })
        .await;
        scope.heartbeat.end();
        ended
    }
}

/// Watches for signs of life.
struct Pulse {
    every: Duration,
    alarm: Sleep,
}

impl Pulse {
    /// Ready when the last sign of life is too long ago.
    fn poll_missed(&mut self, scope: &StepScope, clock: &dyn Clock, context: &mut Context<'_>) -> Poll<()> {
        while self.alarm.as_mut().poll(context).is_ready() {
            let due = scope.heartbeat.last() + self.every;
            if due <= clock.now() {
                return Poll::Ready(());
            }
            self.alarm = clock.sleep_until(due);
        }
        Poll::Pending
    }
}
