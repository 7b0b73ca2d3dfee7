//! One turn: a handler, run over state and journal until it ends or waits.
//!
//! This is the seam between a machine and whatever drives it. The driver calls [`Turn::next`] until the handler has
//! finished or waits for something that is only time; what it gets is data, and what it does with it (a commit in a
//! table, an entry in a replicated log) is its own affair. Between two calls, and while the handler waits, nothing needs
//! to stay in memory: the next turn begins with the journal that this one left.
//!
//! A turn knows no async runtime. It finds out what a handler waits for by [its wakers](super::watch): if nobody else has
//! one when the handler is pending, and every branch that runs on its own is in the same position, nothing but time (or an
//! event) can end the wait.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::turn_state::TurnState;
use super::undo::run_lost_undo;
use super::watch::{Driver, Watch};
use super::{Cx, Decided, HandlerCall, HandlerRun, Services, Workflow};
use crate::base::{Error, Name, Sleep, Timestamp};
use crate::kernel::{CommandAnswer, CommandCall};
use crate::record::{ErrorKind, ErrorRecord, EventRecord, ExecutionKey, JournalEntry};

/// How often a handler is polled at the most before whoever polls the turn has its turn.
const MOST_LOOKS: u32 = 256;

/// Whose turn it is.
#[derive(Debug, Clone)]
pub struct TurnScope {
    /// The execution.
    pub key: ExecutionKey,
    /// The visit.
    pub visit: u64,
    /// The handler.
    pub handler: Name,
    /// Which taking of an edge it is for: [`edge_number`](crate::record::ExecutionRecord::edge_number).
    pub edge_number: u64,
    /// What the driver lends to it.
    pub services: Services,
}

/// Why a handler failed for good.
#[derive(Debug)]
pub struct Failure {
    /// What kind of failure.
    pub kind: ErrorKind,
    /// The error.
    pub error: Error,
}

impl Failure {
    pub(crate) fn failed(error: Error) -> Self {
        Self { kind: ErrorKind::Failed, error }
    }

    pub(crate) fn unreadable(error: Error) -> Self {
        Self { kind: ErrorKind::Unreadable, error }
    }

    /// The failure as it is kept.
    #[must_use]
    pub fn to_record(&self) -> ErrorRecord {
        ErrorRecord::new(self.kind, &self.error)
    }
}

/// What a turn hands back.
#[derive(Debug)]
pub enum Progress {
    /// Save these results, then say [`saved`](Turn::saved) and ask for more: the handler may not go on before.
    Save(Vec<JournalEntry>),
    /// Carry these commands out, say what became of them with [`answered`](Turn::answered), and ask for more. Everything
    /// that was recorded before them is saved.
    Execute(Vec<CommandCall>),
    /// The handler waits for nothing but this time or one of these events (or, with neither, for nothing that ever comes).
    /// Save the results, drop the turn, and begin another one when the time has come or an event has arrived.
    Wait {
        /// When a new turn has something to do.
        due: Option<Timestamp>,
        /// Results that are not saved yet.
        results: Vec<JournalEntry>,
        /// Names of the events that it waits for.
        events: Vec<Name>,
    },
    /// The handler was [interrupted](Turn::interrupt) and its running steps are over. Save the results, drop the turn.
    Interrupted {
        /// Results that are not saved yet.
        results: Vec<JournalEntry>,
    },
    /// The handler has ended.
    Finished(Finished),
}

/// What is left of a turn whose handler has ended.
#[derive(Debug)]
pub struct Finished {
    /// What the handler decided.
    pub result: Result<Decided, Failure>,
    /// Results that are not saved yet: they belong into one commit with what the decision leads to.
    pub results: Vec<JournalEntry>,
    /// How often steps were tried in this turn.
    pub attempts: u32,
    /// Journal keys of this handler that nothing asked for.
    pub unclaimed: Vec<Name>,
}

type HandlerFuture = Pin<Box<dyn Future<Output = Result<Decided, Failure>> + Send>>;

/// A handler under way.
pub struct Turn {
    handler: HandlerFuture,
    state: Arc<TurnState>,
    driver: Arc<Driver>,
    watch: Watch,
    alarm: Option<(Timestamp, Sleep)>,
}

impl fmt::Debug for Turn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Turn").field("scope", &self.state.scope).finish_non_exhaustive()
    }
}

impl Turn {
    /// Prepares the handler that `call` names, over what earlier turns of the visit have recorded. Nothing runs before
    /// [`next`](Self::next).
    #[must_use]
    pub fn new<W: Workflow>(workflow: Arc<W>, call: HandlerCall, scope: TurnScope, journal: Vec<JournalEntry>) -> Self {
        Self::of(scope, journal, |cx| async move {
            let cx = cx.serving(Arc::clone(&workflow));
            if let Some(failure) = cx.intercepted(&call) {
                return Err(failure);
            }
            let run = match &call.undo {
                Some(undo) => workflow.undo(&cx, undo).unwrap_or_else(|| run_lost_undo(undo)),
                None => workflow.run(&cx, &call),
            };
            match run {
                HandlerRun::Ready(result) => result,
                HandlerRun::Future(future) => future.await,
            }
        })
    }

    pub(super) fn of<F>(scope: TurnScope, journal: Vec<JournalEntry>, handler: impl FnOnce(Cx) -> F) -> Self
    where
        F: Future<Output = Result<Decided, Failure>> + Send + 'static,
    {
        let driver = Arc::new(Driver::default());
        let state = Arc::new(TurnState::new(scope, journal, Waker::from(Arc::clone(&driver))));
        let handler = Box::pin(handler(Cx::new(Arc::clone(&state))));
        let watch = Watch::new(Arc::clone(&driver));
        Self { handler, state, driver, watch, alarm: None }
    }

    /// Runs the handler until there is something to tell. It may be called again after [`Progress::Save`], once the
    /// results are [`saved`](Self::saved). Dropping the returned future loses nothing; dropping the turn stops the
    /// handler and every step that runs.
    pub async fn next(&mut self) -> Progress {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// Says that the results of the last [`Progress::Save`] are on disk.
    pub fn saved(&mut self) {
        self.state.saved();
    }

    /// Says what became of the commands of the last [`Progress::Execute`].
    pub fn answered(&mut self, answers: Vec<CommandAnswer>) {
        self.state.answered(answers);
    }

    /// Offers the handler what is in the inbox, before its first run and whenever something has arrived:
    /// [`receivable`](crate::kernel::Kernel::receivable). What it was offered before is passed over.
    pub fn arrived(&mut self, inbox: Vec<EventRecord>) {
        self.state.arrived(inbox);
    }

    /// Lets no further step start, and the handler end with [`Progress::Interrupted`] as soon as its running steps have.
    pub fn interrupt(&mut self) {
        self.state.interrupt();
    }

    /// Whether calls of it wait for the limits of their steps. Asked after [`Progress::Wait`], it says whether the handler is
    /// to be looked at again should these be forgotten.
    #[must_use]
    pub fn is_queued(&self) -> bool {
        self.state.has_queued()
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Progress> {
        self.driver.watch(context.waker());
        let mut looks = 0;
        loop {
            looks += 1;
            if looks > MOST_LOOKS {
                // A handler may wake itself to have others go first: tokio's budget does, and is given out a poll at a time.
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            self.driver.rest();
            if self.state.begin_poll() {
                return Poll::Ready(Progress::Interrupted { results: self.state.take_unsaved() });
            }
            let polled = self.poll_handler();
            let looked = self.state.end_poll();
            if let Poll::Ready(result) = polled {
                return Poll::Ready(self.finished(result));
            }
            if let Some(failure) = looked.failure {
                return Poll::Ready(self.finished(Err(failure)));
            }
            if looked.is_interrupted {
                continue;
            }
            let is_lent = self.watch.is_lent();
            let waits_only_for_us = !is_lent && !self.state.has_busy_branches();
            if self.driver.is_woken() {
                continue;
            }
            if looked.has_commands && !looked.has_unsaved {
                return Poll::Ready(Progress::Execute(self.state.take_commands()));
            }
            if waits_only_for_us && !looked.has_commands && !looked.is_held {
                if !self.state.suspend() {
                    continue;
                }
                let due = self.state.next_due();
                let (results, events) = (self.state.take_unsaved(), self.state.awaited());
                return Poll::Ready(Progress::Wait { due, results, events });
            }
            if looked.has_unsaved {
                return Poll::Ready(Progress::Save(self.state.take_unsaved()));
            }
            if self.poll_alarm(context).is_pending() {
                // Where only branches are busy, letting go would be the last handle that is dropped, and wake the turn at once.
                if is_lent {
                    self.watch.let_go(&self.state);
                }
                return Poll::Pending;
            }
        }
    }

    fn poll_handler(&mut self) -> Poll<Result<Decided, Failure>> {
        let waker = self.watch.take_up(&self.state);
        let mut context = Context::from_waker(&waker);
        let poll = catch_unwind(AssertUnwindSafe(|| self.handler.as_mut().poll(&mut context)));
        poll.unwrap_or_else(|panic| Poll::Ready(Err(panicked(&self.state.scope.handler, &*panic))))
    }

    /// Ready when a sleeper of the handler, which stays in memory for other reasons, has been woken.
    fn poll_alarm(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(due) = self.state.next_due() else { return Poll::Pending };
        if self.alarm.as_ref().is_none_or(|(set_for, _)| *set_for != due) {
            self.alarm = Some((due, self.state.scope.services.clock.sleep_until(due)));
        }
        let Some((_, sleep)) = &mut self.alarm else { return Poll::Pending };
        if sleep.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.alarm = None;
        self.state.wake_sleepers(due);
        Poll::Ready(())
    }

    fn finished(&mut self, result: Result<Decided, Failure>) -> Progress {
        Progress::Finished(Finished {
            result,
            results: self.state.take_unsaved(),
            attempts: self.state.attempts(),
            unclaimed: self.state.unclaimed(),
        })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // A branch of it that runs on another thread is stopped when it waits the next time; until then, it begins nothing.
        self.state.interrupt();
        self.driver.forget();
    }
}

/// What a panic of a handler comes to.
pub(super) fn panicked(handler: &str, panic: &(dyn std::any::Any + Send)) -> Failure {
    let text = format!("the handler `{handler}` panicked: {}", panic_text(panic));
    Failure { kind: ErrorKind::Panicked, error: Error::msg(text) }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&'static str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it gave no message")
}

#[cfg(test)]
#[path = "turn_tests.rs"]
mod tests;
