//! One attempt of a step.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use super::StepCall;
use super::error::{Cut, StepPanicked, StepTimedOut};
use crate::machine::turn::panic_text;

/// How an attempt ended.
pub(super) enum Attempt<T, E> {
    Ended(Result<T, E>),
    Cut(Cut),
}

impl StepCall {
    /// One attempt, with its time limit, and with a panic turned into a failure.
    pub(super) async fn attempt<T, E>(&self, attempt: impl Future<Output = Result<T, E>>) -> Attempt<T, E> {
        let clock = &self.cx.turn().scope.services.clock;
        let mut limit = self.policy.timeout.map(|timeout| (timeout, clock.sleep_until(clock.now() + timeout)));
        let mut attempt = pin!(attempt);
        poll_fn(|context| {
            match catch_unwind(AssertUnwindSafe(|| attempt.as_mut().poll(context))) {
                Ok(Poll::Ready(result)) => return Poll::Ready(Attempt::Ended(result)),
                Ok(Poll::Pending) => {}
                Err(panic) => {
                    let message = panic_text(&*panic).to_owned();
                    let cut = StepPanicked { step: self.policy.name.to_owned(), message };
                    return Poll::Ready(Attempt::Cut(Cut::Panicked(cut)));
                }
            }
            let Some((timeout, over)) = &mut limit else { return Poll::Pending };
            over.as_mut().poll(context).map(|()| {
                let timeout_millis = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
                Attempt::Cut(Cut::TimedOut(StepTimedOut { step: self.policy.name.to_owned(), timeout_millis }))
            })
        })
        .await
    }
}
