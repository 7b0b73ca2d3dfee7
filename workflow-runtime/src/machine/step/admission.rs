//! Waiting for the limits of a step to let an attempt begin.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::StepCall;
use crate::base::{Name, Timestamp};
use crate::machine::limits::{CallId, Permit, StepQueue};
use crate::machine::turn_state::{TurnSleep, TurnState};

impl StepCall {
    /// Waits until the limits let an attempt begin. `None` if there are none.
    pub(super) async fn admitted(&self) -> Option<Permit> {
        let turn = self.cx.turn();
        let limits = &turn.scope.services.limits;
        let queue = limits.queue_of(self.cx.workflow(), &self.name, self.has_limits.then_some(self.policy.limits))?;
        if queue.is_free() {
            return None;
        }
        let holder = queue.holder();
        let call = CallId(self.cx.call_digest(&self.key));
        Some(Admission { turn: Arc::clone(turn), queue, call, holder, sleep: None, asked: false }.await)
    }

    /// Waits until everything recorded before is on disk. If the attempt is not to begin because the handler is interrupted,
    /// others may have its place.
    pub(super) async fn gate(&self, permit: &mut Option<Permit>) {
        let turn = self.cx.turn();
        let mut gate = turn.gate();
        poll_fn(|context| {
            if turn.is_interrupted() {
                *permit = None;
            }
            Pin::new(&mut gate).poll(context)
        })
        .await;
        if let Some(permit) = permit {
            permit.begin();
        }
    }
}

struct Admission {
    turn: Arc<TurnState>,
    queue: Arc<StepQueue>,
    call: CallId,
    holder: u64,
    sleep: Option<(Timestamp, TurnSleep)>,
    /// Whether the call may have a ticket.
    asked: bool,
}

impl Future for Admission {
    type Output = Permit;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Permit> {
        let admission = &mut *self;
        if admission.turn.is_suspended() {
            // What is offered now is for the next turn: an attempt that begins here would be lost.
            return Poll::Pending;
        }
        let clock = &admission.turn.scope.services.clock;
        loop {
            if !std::mem::replace(&mut admission.asked, true) {
                admission.turn.queues(true);
            }
            let waker = || admission.turn.waker(context);
            match admission.queue.poll(admission.call, admission.holder, clock, waker) {
                Ok(permit) => {
                    admission.asked = false;
                    admission.turn.queues(false);
                    return Poll::Ready(permit);
                }
                Err(due) => {
                    let sleep = match admission.sleep.take() {
                        Some((set_for, sleep)) if set_for == due => sleep,
                        _ => admission.turn.sleep_until(due, &Name::constant("~queued")),
                    };
                    let (_, sleep) = admission.sleep.insert((due, sleep));
                    if Pin::new(sleep).poll(context).is_pending() {
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if self.asked {
            self.turn.queues(false);
            let now = self.turn.scope.services.clock.now();
            match self.turn.is_suspended() {
                true => self.queue.suspend(self.call, self.holder, &self.turn.scope.key, now),
                false => self.queue.cancel(self.call, self.holder, now),
            }
        }
    }
}
