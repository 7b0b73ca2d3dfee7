//! The queue of one step: who may begin an attempt, and who waits for it.
//!
//! | ticket | what happens | does next |
//! |---|---|---|
//! | none | a call asks | waits at the end, and is offered at once if nobody is before it and the limits allow |
//! | waits | it is the first, and the limits allow | offered: the attempt counts as begun, and the call is woken |
//! | offered | the call asks again | a permit |
//! | waits, offered | the call is dropped | none; what was offered goes to the next |
//! | waits, offered | the turn of the call ends | the same, on behalf of the execution |
//! | offered | a turn of the execution has ended that did not ask | none; what was offered goes to the next |

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::task::Waker;
use std::time::Duration;

use super::LimitState;
use super::index::Suspended;
use crate::base::sync::{AtomicBool, Mutex, MutexGuard};
use crate::base::{Clock, Timestamp};
use crate::kernel::{Admission, AttemptEnd, Limiter, StepLimits};
use crate::record::ExecutionKey;

/// Which call of which execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::machine) struct CallId(pub(in crate::machine) u128);

pub(in crate::machine) struct StepQueue {
    // Held only to change plain data. Wakers are woken and drivers told after it is given back.
    state: Mutex<State>,
    /// Whether there are no limits at present: asked by every attempt of the step, on whatever thread.
    is_free: AtomicBool,
    suspended: Arc<Suspended>,
}

impl fmt::Debug for StepQueue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("StepQueue").finish_non_exhaustive()
    }
}

struct State {
    limiter: Limiter,
    next_ticket: u64,
    next_holder: u64,
    waiting: BTreeMap<u64, Ticket>,
    tickets: HashMap<CallId, u64>,
    offered: HashMap<CallId, Offer>,
}

struct Ticket {
    call: CallId,
    waiter: Waiter,
    /// Whoever asked last for the call: one that asked before has nothing to say any more.
    holder: u64,
}

struct Offer {
    admission: Admission,
    waiter: Waiter,
    holder: u64,
    /// A turn has been begun for it.
    taken: bool,
}

/// Who waits.
#[derive(Clone)]
enum Waiter {
    Task(Waker),
    Execution(ExecutionKey),
}

/// Who is to hear that it is their turn.
type Told = Vec<(CallId, Waiter)>;

impl StepQueue {
    pub(super) fn new(limits: StepLimits, suspended: Arc<Suspended>) -> Self {
        let state = State {
            limiter: Limiter::new(limits),
            next_ticket: 0,
            next_holder: 0,
            waiting: BTreeMap::new(),
            tickets: HashMap::new(),
            offered: HashMap::new(),
        };
        Self { is_free: AtomicBool::new(limits.is_none()), state: Mutex::new(state), suspended }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is made in one go, so a panic elsewhere cannot have left it half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, told: Told) {
        for (_, waiter) in told {
            match waiter {
                Waiter::Task(waker) => waker.wake(),
                Waiter::Execution(execution) => self.suspended.tell(&execution),
            }
        }
    }

    pub(super) fn limits(&self) -> StepLimits {
        self.lock().limiter.limits()
    }

    /// Whether everything is let through.
    pub(in crate::machine) fn is_free(&self) -> bool {
        self.is_free.load(Ordering::Acquire)
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut StepLimits), now: Timestamp) -> Result<StepLimits, String> {
        let mut state = self.lock();
        let mut limits = state.limiter.limits();
        change(&mut limits);
        limits.check()?;
        state.limiter.set(limits);
        self.is_free.store(limits.is_none(), Ordering::Release);
        let told = state.pump(now);
        drop(state);
        self.tell(told);
        Ok(limits)
    }

    pub(super) fn state(&self, workflow: &str, step: String, now: Timestamp) -> LimitState {
        let state = self.lock();
        LimitState {
            workflow: workflow.to_owned(),
            step,
            limits: state.limiter.limits(),
            at_once: state.limiter.at_once(),
            in_use: state.limiter.in_use().saturating_sub(u32::try_from(state.offered.len()).unwrap_or(u32::MAX)),
            waiting: state.waiting.len() + state.offered.len(),
            breaker: state.limiter.breaker(now),
        }
    }

    /// A number for one who asks, to tell it from others who ask for the same call.
    pub(in crate::machine) fn holder(&self) -> u64 {
        let mut state = self.lock();
        state.next_holder += 1;
        state.next_holder
    }

    /// Asks for a call to be let through. If it is not, `waker` is woken when it is to ask again; at the time that comes
    /// back, it asks again by itself.
    pub(in crate::machine) fn poll(
        self: &Arc<Self>,
        call: CallId,
        holder: u64,
        clock: &Arc<dyn Clock>,
        waker: impl FnOnce() -> Waker,
    ) -> Result<Permit, Timestamp> {
        let now = clock.now();
        let mut state = self.lock();
        if !state.offered.contains_key(&call) {
            let ticket = match state.tickets.get(&call) {
                Some(ticket) => *ticket,
                None => {
                    state.next_ticket += 1;
                    let ticket = state.next_ticket;
                    state.tickets.insert(call, ticket);
                    ticket
                }
            };
            state.waiting.insert(ticket, Ticket { call, waiter: Waiter::Task(waker()), holder });
        }
        let mut told = state.pump(now);
        let result = match state.offered.remove(&call) {
            Some(offer) => {
                // It is here, and need not be woken.
                told.retain(|(other, _)| *other != call);
                Ok(Permit {
                    queue: Arc::clone(self),
                    clock: Arc::clone(clock),
                    admission: offer.admission,
                    begun: now,
                    ended: false,
                })
            }
            None => Err(state.again_at(now, self.suspended.can_tell())),
        };
        drop(state);
        self.tell(told);
        result
    }

    /// The call is dropped.
    pub(in crate::machine) fn cancel(&self, call: CallId, holder: u64, now: Timestamp) {
        let mut state = self.lock();
        state.forget(call, |of| of == holder, now);
        let told = state.pump(now);
        drop(state);
        self.tell(told);
    }

    /// The turn of the call ends: `execution` keeps its place.
    pub(in crate::machine) fn suspend(
        self: &Arc<Self>,
        call: CallId,
        holder: u64,
        execution: &ExecutionKey,
        now: Timestamp,
    ) {
        if !self.suspended.can_tell() {
            return self.cancel(call, holder, now);
        }
        let mut state = self.lock();
        let ticket = state.tickets.get(&call).copied();
        let mut offered = false;
        if let Some(ticket) = ticket.and_then(|ticket| state.waiting.get_mut(&ticket)) {
            if ticket.holder != holder {
                return;
            }
            ticket.waiter = Waiter::Execution(execution.clone());
        } else if let Some(offer) = state.offered.get_mut(&call) {
            if offer.holder != holder {
                return;
            }
            offer.waiter = Waiter::Execution(execution.clone());
            offered = true;
        } else {
            return;
        }
        drop(state);
        self.suspended.insert(execution, self, call);
        // An offer may also have come between the two; then it has been told, and looks again for nothing at worst.
        if offered {
            self.suspended.tell(execution);
        }
    }

    /// Whether the call of an execution that is not in memory has been offered a place.
    pub(super) fn take_offer(&self, call: CallId) -> bool {
        let mut state = self.lock();
        match state.offered.get_mut(&call) {
            Some(offer) => {
                offer.taken = true;
                true
            }
            None => false,
        }
    }

    /// A turn has ended. Whether the call still has a ticket on behalf of its execution.
    pub(super) fn settle(&self, call: CallId, now: Timestamp) -> bool {
        let mut state = self.lock();
        if state.offered.get(&call).is_some_and(|offer| offer.taken) {
            state.forget(call, |_| true, now);
            let told = state.pump(now);
            drop(state);
            self.tell(told);
            return false;
        }
        let waits = state.tickets.get(&call).and_then(|ticket| state.waiting.get(ticket));
        let waiter = waits.map(|ticket| &ticket.waiter).or(state.offered.get(&call).map(|offer| &offer.waiter));
        matches!(waiter, Some(Waiter::Execution(_)))
    }

    pub(super) fn tick(&self, now: Timestamp) -> Option<Timestamp> {
        let mut state = self.lock();
        let told = state.pump(now);
        let next = state.next(now);
        drop(state);
        self.tell(told);
        next
    }

    fn end(&self, admission: Admission, end: AttemptEnd, now: Timestamp) {
        let mut state = self.lock();
        state.limiter.end(admission, end, now);
        let told = state.pump(now);
        drop(state);
        self.tell(told);
    }
}

impl State {
    /// Lets through as many of those who wait as the limits allow.
    fn pump(&mut self, now: Timestamp) -> Told {
        let mut told = Vec::new();
        while let Some(first) = self.waiting.first_entry() {
            let Ok(admission) = self.limiter.admit(now) else { break };
            let Ticket { call, waiter, holder } = first.remove();
            self.tickets.remove(&call);
            told.push((call, waiter.clone()));
            self.offered.insert(call, Offer { admission, waiter, holder, taken: false });
        }
        told
    }

    /// When the first of those who wait may be let through, if only time is in its way.
    fn next(&mut self, now: Timestamp) -> Option<Timestamp> {
        if self.waiting.is_empty() {
            return None;
        }
        match self.limiter.admit(now) {
            Ok(admission) => {
                // Only asked: `pump` would have let it through.
                self.limiter.end(admission, AttemptEnd::NeverBegan, now);
                Some(now)
            }
            Err(due) => due,
        }
    }

    /// When one who waits asks again by itself. Those who can be told need not come before it is their turn, and so not all
    /// at once; but they do come, as what is in memory may be lost.
    fn again_at(&mut self, now: Timestamp, can_be_told: bool) -> Timestamp {
        const PATIENCE: Duration = Duration::from_secs(60);
        let before = u32::try_from(self.waiting.len().saturating_sub(1)).unwrap_or(u32::MAX);
        match self.next(now) {
            Some(due) if before == 0 || !can_be_told => due,
            due => due.unwrap_or(now) + PATIENCE + (PATIENCE / 1_000).saturating_mul(before),
        }
    }

    fn forget(&mut self, call: CallId, is_of: impl Fn(u64) -> bool, now: Timestamp) {
        let ticket = self.tickets.get(&call).copied();
        if let Some(ticket) = ticket
            && self.waiting.get(&ticket).is_some_and(|waiting| is_of(waiting.holder))
        {
            self.tickets.remove(&call);
            self.waiting.remove(&ticket);
        }
        if self.offered.get(&call).is_some_and(|offer| is_of(offer.holder))
            && let Some(offer) = self.offered.remove(&call)
        {
            self.limiter.end(offer.admission, AttemptEnd::NeverBegan, now);
        }
    }
}

/// The right to run one attempt. Dropping it gives it up.
#[derive(Debug)]
pub(in crate::machine) struct Permit {
    queue: Arc<StepQueue>,
    clock: Arc<dyn Clock>,
    admission: Admission,
    begun: Timestamp,
    ended: bool,
}

impl Permit {
    /// The attempt has begun after all that was to be done before.
    pub(in crate::machine) fn begin(&mut self) {
        self.begun = self.clock.now();
    }

    /// The attempt has ended. `overload` says that it took too long.
    pub(in crate::machine) fn end(mut self, failed: bool, overload: bool) {
        let now = self.clock.now();
        self.ended = true;
        let end = AttemptEnd::Ran { took: now.since(self.begun), failed, overload };
        self.queue.end(self.admission, end, now);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.ended {
            self.queue.end(self.admission, AttemptEnd::Dropped, self.clock.now());
        }
    }
}
