//! What a turn and the contexts in its handler share: the journal, and what the handler waits for.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};

use super::turn_inbox::TurnInbox;
use super::turn_journal::TurnJournal;
use super::{Failure, TurnScope};
use crate::base::sync::{AtomicUsize, Mutex, MutexGuard};
use crate::base::{Name, Quick, Sleep, Timestamp};
use crate::record::JournalEntry;

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
    pub(super) journal: TurnJournal,
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
    roots: HashMap<usize, Root, Quick>,
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

/// What a turn looks at when it has polled its handler. Whatever changes after that wakes the turn.
pub(super) struct Looked {
    pub(super) failure: Option<Failure>,
    /// No step is to begin any more, and none runs.
    pub(super) is_interrupted: bool,
    pub(super) has_unsaved: bool,
    pub(super) has_commands: bool,
    /// A step runs, or waits at the gate.
    pub(super) is_held: bool,
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
        let detached = turn.is_none();
        let inner = Inner { journal: TurnJournal::new(journal), turn, ..Inner::default() };
        Self { scope, detached, busy: Arc::default(), queued: AtomicUsize::new(0), inner: Mutex::new(inner) }
    }

    /// That of a context which no turn drives, with what is recorded.
    pub(super) fn detached(scope: TurnScope, journal: Vec<JournalEntry>) -> Self {
        Self::with(scope, journal, None)
    }

    /// Whether nobody drives it.
    pub(super) fn is_detached(&self) -> bool {
        self.detached
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change below is made in one go, so a panic elsewhere cannot have left it half done.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what is recorded under the key of an old name. Says whether anything is.
    pub(super) fn claim_old(&self, key: &str) -> bool {
        self.lock().journal.claim_old(key)
    }

    /// The key of a call that is made now.
    pub(super) fn claim(&self, call: &[&str]) -> Name {
        self.lock().journal.claim(call)
    }

    /// Counts the calls inside of this step from the beginning, as after a crash.
    pub(super) fn begin_attempt(&self, step: &str) {
        self.lock().journal.begin_attempt(step);
    }

    /// Whether a call was made whose key begins with this one.
    pub(super) fn has_calls_in(&self, key: &str) -> bool {
        self.lock().journal.has_calls_in(key)
    }

    pub(super) fn recorded(&self, key: &str) -> Option<JournalEntry> {
        self.lock().journal.get(key).cloned()
    }

    /// The details that the last heartbeat of a step has left. `key` is where they are, if there are any.
    pub(super) fn details(&self, key: impl FnOnce() -> String) -> Option<JournalEntry> {
        self.lock().journal.details(key).cloned()
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

    /// Records this as [`record`](Self::record) does, unless something is recorded under its key: gives what is recorded.
    pub(super) fn record_once(&self, entry: JournalEntry) -> JournalEntry {
        let inner = self.lock();
        match inner.journal.get(&entry.key) {
            Some(older) => older.clone(),
            None => {
                self.keep_in(inner, entry.clone(), true);
                entry
            }
        }
    }

    fn keep(&self, entry: JournalEntry, decisive: bool) {
        self.keep_in(self.lock(), entry, decisive);
    }

    fn keep_in(&self, mut inner: MutexGuard<'_, Inner>, entry: JournalEntry, decisive: bool) {
        if self.detached {
            return inner.journal.keep_only(entry);
        }
        inner.journal.keep(entry, decisive);
        let turn = inner.turn();
        drop(inner);
        turn.into_iter().for_each(Waker::wake);
    }

    /// Says that the turn polls its handler now, unless an interruption is all that is left to tell: says whether it is.
    pub(super) fn begin_poll(&self) -> bool {
        let mut inner = self.lock();
        let is_over = inner.interrupted && inner.in_flight == 0;
        inner.polled = !is_over;
        is_over
    }

    /// Says that the turn has polled its handler, and looks at what came of it.
    pub(super) fn end_poll(&self) -> Looked {
        let mut inner = self.lock();
        inner.polled = false;
        Looked {
            failure: inner.failure.take(),
            is_interrupted: inner.interrupted && inner.in_flight == 0,
            has_unsaved: inner.journal.has_unsaved(),
            has_commands: inner.inbox.has_commands(),
            is_held: !inner.at_gate.is_empty() || inner.in_flight > 0,
        }
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

    pub(super) fn interrupt(&self) {
        self.lock().interrupted = true;
    }

    /// The turn ends because its handler waits: what the handler holds is dropped on its behalf, not given up.
    ///
    /// Not if a branch has been woken meanwhile, on whatever thread: says whether it does. A branch counts as busy before it
    /// is polled, so from here on each of them sees that the turn is over.
    pub(super) fn suspend(&self) -> bool {
        let mut inner = self.lock();
        inner.suspended = !self.has_busy_branches() && inner.in_flight == 0;
        inner.suspended
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
    pub(super) fn attempt(&self, interruptible: bool) -> Option<InFlight<'_>> {
        let mut inner = self.lock();
        if inner.interrupted {
            return None;
        }
        inner.attempts = inner.attempts.saturating_add(1);
        let counted = !interruptible;
        inner.in_flight += usize::from(counted);
        drop(inner);
        Some(InFlight { state: self, counted })
    }

    pub(super) fn attempts(&self) -> u32 {
        self.lock().attempts
    }

    pub(super) fn unclaimed(&self) -> Vec<Name> {
        self.lock().journal.unclaimed(&self.scope.handler)
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

    /// Hands out what is to be saved; the gate stays shut until [`saved`](Self::saved).
    pub(super) fn take_unsaved(&self) -> Vec<JournalEntry> {
        self.lock().journal.take_unsaved()
    }

    /// What was handed out is on disk: steps at the gate may start.
    pub(super) fn saved(&self) {
        let wakers: Vec<_> = {
            let mut inner = self.lock();
            inner.journal.saved();
            inner.at_gate.values_mut().filter_map(Option::take).collect()
        };
        wakers.into_iter().for_each(Waker::wake);
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

    /// Ready when the clock shows `due`. It is the call of this key that waits.
    pub(super) fn sleep_until(self: &Arc<Self>, due: Timestamp, call: &Name) -> TurnSleep {
        let detached = self.detached.then(|| self.scope.services.clock.pause_until(due, call));
        TurnSleep { state: Arc::clone(self), due, waiter: None, detached }
    }

    /// Ready when the clock shows `due`, which is the end of what is done meanwhile.
    pub(super) fn cut_off_at(self: &Arc<Self>, due: Timestamp) -> TurnSleep {
        let detached = self.detached.then(|| self.scope.services.clock.sleep_until(due));
        TurnSleep { state: Arc::clone(self), due, waiter: None, detached }
    }
}

impl Inner {
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

/// A step that runs. Dropping it says that it runs no more.
#[derive(Debug)]
pub(super) struct InFlight<'a> {
    state: &'a TurnState,
    counted: bool,
}

impl Drop for InFlight<'_> {
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
        let before = *gate.before.get_or_insert(inner.journal.decisive());
        if inner.journal.is_saved(before) && !inner.interrupted {
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
