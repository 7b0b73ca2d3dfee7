//! What a turn and the contexts in its handler share: the journal, and what the handler waits for.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};

use super::turn_inbox::TurnInbox;
use super::{Failure, TurnScope};
use crate::base::{Sleep, Timestamp};
use crate::record::{JournalEntry, JournalResult, ParallelEnd};

pub(super) struct TurnState {
    pub(super) scope: TurnScope,
    /// Whether nobody drives this turn, as in a unit test that calls one handler: results are kept, but not saved.
    detached: bool,
    /// How many branches run on their own and do not wait for the turn alone.
    busy: Arc<AtomicUsize>,
    /// How many calls wait for the limits of their steps.
    queued: AtomicUsize,
    // Held only to read or change plain data, never over an await or a call of user code.
    inner: Mutex<Inner>,
}

#[derive(Default)]
pub(super) struct Inner {
    pub(super) journal: HashMap<String, JournalEntry>,
    /// Keys that were in the journal at the beginning and that no call has asked for.
    unclaimed: BTreeSet<String>,
    /// How often each call was made, by all of its key but the count.
    calls: BTreeMap<String, u32>,
    /// What is to be handed to the driver, in the order in which it was recorded.
    unsaved: BTreeMap<u64, JournalEntry>,
    /// Where in there a key is.
    unsaved_keys: HashMap<String, u64>,
    /// How many entries were recorded, how many of them handed to the driver, and how many are on disk.
    recorded: u64,
    handed: u64,
    saved: u64,
    /// The last entry that a step may not start before.
    decisive: u64,
    /// Events, and commands to others.
    pub(super) inbox: TurnInbox,
    pub(super) interrupted: bool,
    /// The turn has ended because its handler waits.
    suspended: bool,
    in_flight: usize,
    attempts: u32,
    failure: Option<Failure>,
    next_waiter: u64,
    /// Steps that may not start before what came before them is saved.
    at_gate: BTreeMap<u64, Option<Waker>>,
    sleepers: BTreeMap<(Timestamp, u64), Option<Waker>>,
    /// What the handler is polled with, and each branch that runs on its own, by what tells wakers apart.
    roots: HashMap<usize, Root>,
    /// Wakes whoever polls the turn; nobody does, if the context is detached.
    turn: Option<Waker>,
    /// Whether the turn polls its handler, and so sees by itself what comes of that.
    polled: bool,
}

/// The waker of a future that is polled by us.
struct Root {
    waker: Waker,
    /// What our own futures keep instead; the handler is polled whenever the turn is woken, and they keep none.
    quiet: Option<Waker>,
}

impl fmt::Debug for TurnState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TurnState").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl TurnState {
    pub(super) fn new(scope: TurnScope, journal: Vec<JournalEntry>, turn: Waker) -> Self {
        Self::with(scope, journal, Some(turn))
    }

    fn with(scope: TurnScope, journal: Vec<JournalEntry>, turn: Option<Waker>) -> Self {
        let unclaimed = journal.iter().map(|entry| entry.key.clone()).collect();
        let journal = journal.into_iter().map(|entry| (entry.key.clone(), entry)).collect();
        let detached = turn.is_none();
        let inner = Inner { journal, unclaimed, turn, ..Inner::default() };
        Self { scope, detached, busy: Arc::default(), queued: AtomicUsize::new(0), inner: Mutex::new(inner) }
    }

    /// That of a context which no turn drives.
    pub(super) fn detached(scope: TurnScope) -> Self {
        Self::with(scope, Vec::new(), None)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change below is made in one go, so a panic elsewhere cannot have left it half done.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key of a call that is made now.
    pub(super) fn claim(&self, call: &str) -> String {
        let mut inner = self.lock();
        let count = inner.calls.entry(call.to_owned()).or_insert(0);
        let key = format!("{call}:{count}");
        *count += 1;
        inner.unclaimed.remove(&key);
        key
    }

    /// Counts the calls inside of this step from the beginning, as after a crash.
    pub(super) fn begin_attempt(&self, step: &str) {
        let inside = |call: &str| call.strip_prefix(step).is_some_and(|rest| rest.starts_with(':'));
        let mut inner = self.lock();
        let from = format!("{step}:");
        let calls: Vec<String> =
            inner.calls.range(from..).map(|(call, _)| call.clone()).take_while(|call| inside(call)).collect();
        for call in calls {
            inner.calls.remove(&call);
        }
    }

    /// Whether a call was made whose key begins with this one.
    pub(super) fn has_calls_in(&self, key: &str) -> bool {
        let from = format!("{key}:");
        self.lock().calls.range(from.clone()..).next().is_some_and(|(call, _)| call.starts_with(&from))
    }

    pub(super) fn recorded(&self, key: &str) -> Option<JournalEntry> {
        self.lock().journal.get(key).cloned()
    }

    /// Records what no step may start before it is on disk.
    pub(super) fn record(&self, entry: JournalEntry) {
        self.keep(entry, true);
    }

    /// Records what is of interest only to people, or can be found out again: it is saved together with something else, or
    /// when there is time.
    pub(super) fn record_aside(&self, entry: JournalEntry) {
        self.keep(entry, false);
    }

    fn keep(&self, entry: JournalEntry, decisive: bool) {
        let mut inner = self.lock();
        inner.journal.insert(entry.key.clone(), entry.clone());
        if self.detached {
            return;
        }
        inner.recorded += 1;
        let number = inner.recorded;
        if decisive {
            inner.decisive = number;
        }
        // Two results of one call between two commits: the later one is all that matters.
        if let Some(older) = inner.unsaved_keys.insert(entry.key.clone(), number) {
            inner.unsaved.remove(&older);
        }
        inner.unsaved.insert(number, entry);
        let turn = inner.turn();
        drop(inner);
        turn.into_iter().for_each(Waker::wake);
    }

    /// Says whether the turn polls its handler.
    pub(super) fn is_polled(&self, polled: bool) {
        self.lock().polled = polled;
    }

    /// Ends the turn with `failure`, whatever the handler does.
    pub(super) fn fail(&self, failure: Failure) {
        if self.detached {
            #[expect(clippy::panic, reason = "there is no turn to end: a unit test would hang")]
            {
                panic!("{:?}", failure.error);
            }
        }
        let mut inner = self.lock();
        inner.failure.get_or_insert(failure);
        let turn = inner.turn();
        drop(inner);
        turn.into_iter().for_each(Waker::wake);
    }

    pub(super) fn take_failure(&self) -> Option<Failure> {
        self.lock().failure.take()
    }

    pub(super) fn interrupt(&self) {
        self.lock().interrupted = true;
    }

    /// The turn ends because its handler waits: what the handler holds is dropped on its behalf, not given up.
    pub(super) fn suspend(&self) {
        self.lock().suspended = true;
    }

    /// A call begins to wait for the limits of its step, or does so no longer.
    pub(super) fn queues(&self, waits: bool) {
        match waits {
            true => self.queued.fetch_add(1, Ordering::Relaxed),
            false => self.queued.fetch_sub(1, Ordering::Relaxed),
        };
    }

    pub(super) fn has_queued(&self) -> bool {
        self.queued.load(Ordering::Relaxed) > 0
    }

    pub(super) fn is_suspended(&self) -> bool {
        self.lock().suspended
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.lock().interrupted
    }

    /// Counts a step as running until the guard is dropped. `None` if an interruption has come in between: then it is not
    /// to start.
    pub(super) fn attempt(self: &Arc<Self>, interruptible: bool) -> Option<InFlight> {
        let mut inner = self.lock();
        if inner.interrupted {
            return None;
        }
        inner.attempts = inner.attempts.saturating_add(1);
        let counted = !interruptible;
        inner.in_flight += usize::from(counted);
        drop(inner);
        Some(InFlight { state: Arc::clone(self), counted })
    }

    pub(super) fn has_in_flight(&self) -> bool {
        self.lock().in_flight > 0
    }

    pub(super) fn attempts(&self) -> u32 {
        self.lock().attempts
    }

    pub(super) fn unclaimed(&self) -> Vec<String> {
        let inner = self.lock();
        let told = |key: &&String| {
            let entry = inner.journal.get(*key).filter(|entry| entry.is_of(&self.scope.handler));
            entry.is_some_and(|entry| is_of_interest(&entry.result))
        };
        // Nobody asks for what is inside of a step that is recorded itself.
        let is_inside_of_claimed = |key: &str| {
            let outer = |(end, _)| key.get(..end).is_some_and(|outer| inner.is_claimed(outer));
            key.match_indices(':').any(outer)
        };
        inner.unclaimed.iter().filter(told).filter(|key| !is_inside_of_claimed(key)).cloned().collect()
    }

    /// Says with which waker the handler or a branch is polled.
    pub(super) fn polled_with(&self, waker: Waker, quiet: Option<Waker>) {
        let place = waker.data().addr();
        // The old one is dropped after the lock, as its drop may wake.
        let _old = self.lock().roots.insert(place, Root { waker, quiet });
    }

    /// Says that a waker is left to those who have it.
    pub(super) fn no_longer_polled_with(&self, waker: &Waker) {
        let _old = self.lock().roots.remove(&waker.data().addr());
    }

    /// The count of the branches that do not wait for the turn alone.
    pub(super) fn busy(&self) -> &Arc<AtomicUsize> {
        &self.busy
    }

    pub(super) fn has_busy_branches(&self) -> bool {
        self.busy.load(Ordering::SeqCst) > 0
    }

    /// Has the turn poll its handler again.
    pub(super) fn wake_turn(&self) {
        let turn = self.lock().turn.clone();
        turn.into_iter().for_each(Waker::wake);
    }

    /// What one of our own futures keeps to be woken by, if it has to be told.
    pub(super) fn waker_for(&self, context: &Context<'_>) -> Option<Waker> {
        self.lock().foreign_waker(context)
    }

    pub(super) fn has_unsaved(&self) -> bool {
        !self.lock().unsaved.is_empty()
    }

    /// Hands out what is to be saved; the gate stays shut until [`saved`](Self::saved).
    pub(super) fn take_unsaved(&self) -> Vec<JournalEntry> {
        let mut inner = self.lock();
        inner.handed = inner.recorded;
        inner.unsaved_keys.clear();
        std::mem::take(&mut inner.unsaved).into_values().collect()
    }

    /// What was handed out is on disk: steps at the gate may start.
    pub(super) fn saved(&self) {
        let wakers: Vec<_> = {
            let mut inner = self.lock();
            inner.saved = inner.handed;
            inner.at_gate.values_mut().filter_map(Option::take).collect()
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(super) fn has_waiters_at_gate(&self) -> bool {
        !self.lock().at_gate.is_empty()
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.lock().sleepers.keys().next().map(|(due, _)| *due)
    }

    /// Wakes those whose time has come and who are polled through wakers of their own.
    pub(super) fn wake_sleepers(&self, now: Timestamp) {
        let wakers: Vec<_> = {
            let mut inner = self.lock();
            inner.sleepers.range_mut(..=(now, u64::MAX)).filter_map(|(_, waker)| waker.take()).collect()
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Ready when everything recorded before is on disk and no interruption forbids a new step.
    pub(super) fn gate(self: &Arc<Self>) -> Gate {
        Gate { state: Arc::clone(self), before: None, waiter: None }
    }

    /// A waker, for others to keep, that has a future of ours polled again. It is none of the turn's own, so that a turn
    /// whose handler waits for nothing else can end.
    pub(super) fn waker(self: &Arc<Self>, context: &Context<'_>) -> Waker {
        if self.detached {
            return context.waker().clone();
        }
        let foreign = self.lock().foreign_waker(context);
        Waker::from(Arc::new(LooseWake { turn: Arc::downgrade(self), foreign }))
    }

    /// Ready when the clock shows `due`.
    pub(super) fn sleep_until(self: &Arc<Self>, due: Timestamp) -> TurnSleep {
        let detached = self.detached.then(|| self.scope.services.clock.sleep_until(due));
        TurnSleep { state: Arc::clone(self), due, waiter: None, detached }
    }
}

impl Inner {
    /// Whether what was asked for has all that is inside of it with it.
    fn is_claimed(&self, key: &str) -> bool {
        let whole = |entry: &JournalEntry| match &entry.result {
            // The branches that were stopped are not asked for again.
            JournalResult::Parallel(call) => {
                call.end.as_ref().is_some_and(|end| *end == ParallelEnd::TimedOut || !end.by().is_empty())
            }
            JournalResult::Branch(_) => false,
            _ => true,
        };
        self.journal.get(key).is_some_and(whole) && !self.unclaimed.contains(key)
    }

    /// Wakes the turn, once the lock is given back, if this happens in a task of its own: only the turn saves results,
    /// sets the alarm and ends.
    pub(super) fn turn(&self) -> Option<Waker> {
        self.turn.as_ref().filter(|_| !self.polled).cloned()
    }

    /// A waker to keep for `context`, unless the turn itself polls on: a future that polls its children by wakers of
    /// its own, as `FuturesUnordered` does, has to be told.
    pub(super) fn foreign_waker(&self, context: &Context<'_>) -> Option<Waker> {
        match self.roots.get(&context.waker().data().addr()) {
            Some(root) if root.waker.will_wake(context.waker()) => root.quiet.clone(),
            _ => Some(context.waker().clone()),
        }
    }

    pub(super) fn waiter(&mut self, waiter: &mut Option<u64>) -> u64 {
        *waiter.get_or_insert_with(|| {
            self.next_waiter += 1;
            self.next_waiter
        })
    }
}

/// Wakes the turn, and whoever polls the future inside of it.
struct LooseWake {
    turn: Weak<TurnState>,
    foreign: Option<Waker>,
}

impl Wake for LooseWake {
    fn wake(self: Arc<Self>) {
        if let Some(foreign) = &self.foreign {
            foreign.wake_by_ref();
        }
        let turn = self.turn.upgrade().and_then(|turn| turn.lock().turn.clone());
        turn.into_iter().for_each(Waker::wake);
    }
}

/// Whether somebody wants to know that nobody asked for it: not where it says nothing that was done.
fn is_of_interest(result: &JournalResult) -> bool {
    !matches!(result, JournalResult::Sleeping { .. } | JournalResult::Parallel(_) | JournalResult::Branch(_))
}

/// A step that runs. Dropping it says that it runs no more.
#[derive(Debug)]
pub(super) struct InFlight {
    state: Arc<TurnState>,
    counted: bool,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.counted {
            let mut inner = self.state.lock();
            inner.in_flight -= 1;
            let turn = inner.turn().filter(|_| inner.interrupted);
            drop(inner);
            turn.into_iter().for_each(Waker::wake);
        }
    }
}

pub(super) struct Gate {
    state: Arc<TurnState>,
    /// The entry that has to be on disk: the last one that was recorded when it was first asked.
    before: Option<u64>,
    waiter: Option<u64>,
}

impl Future for Gate {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let gate = &mut *self;
        let mut inner = gate.state.lock();
        let before = *gate.before.get_or_insert(inner.decisive);
        if inner.saved >= before && !inner.interrupted {
            return Poll::Ready(());
        }
        let waiter = inner.waiter(&mut gate.waiter);
        let waker = inner.foreign_waker(context);
        inner.at_gate.insert(waiter, waker);
        Poll::Pending
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if let Some(waiter) = self.waiter {
            self.state.lock().at_gate.remove(&waiter);
        }
    }
}

pub(super) struct TurnSleep {
    state: Arc<TurnState>,
    due: Timestamp,
    waiter: Option<u64>,
    detached: Option<Sleep>,
}

impl Future for TurnSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let sleep = &mut *self;
        if let Some(clock) = &mut sleep.detached {
            return clock.as_mut().poll(context);
        }
        if sleep.state.scope.services.clock.now() >= sleep.due {
            return Poll::Ready(());
        }
        let mut inner = sleep.state.lock();
        let waiter = inner.waiter(&mut sleep.waiter);
        let waker = inner.foreign_waker(context);
        inner.sleepers.insert((sleep.due, waiter), waker);
        let turn = inner.turn();
        drop(inner);
        turn.into_iter().for_each(Waker::wake);
        Poll::Pending
    }
}

impl Drop for TurnSleep {
    fn drop(&mut self) {
        if let Some(waiter) = self.waiter {
            self.state.lock().sleepers.remove(&(self.due, waiter));
        }
    }
}
