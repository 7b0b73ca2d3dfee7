//! Takes one execution as far as it goes.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use tracing::{Instrument as _, Span};

use super::EngineError;
use super::active::Place;
use super::core::Core;
use super::migrating::Migrated;
use super::registry::{Machine, Versions};
use super::requests::taken_in;
use crate::base::Error;
use crate::kernel::{HandlerPlan, Kernel, Next, parking_told};
use crate::machine::{Finished, Finishing, HandlerCall, Progress, Turn, TurnScope, panic_text};
use crate::record::{Activity, ErrorKind, ErrorRecord, Status};
use crate::store::{Change, Commit, Fence, Refused, StoreError, Stored};

/// A chain of pure handlers is committed after this many transitions, so that it neither piles up nor is lost whole.
const LONGEST_CHAIN: usize = 100;

pub(super) struct Run {
    core: Arc<Core>,
    versions: Arc<Versions>,
    place: Place,
}

/// Why a run stops before its execution waits.
enum Stop {
    /// The engine stops.
    Engine,
    /// The store failed.
    Store(StoreError),
    /// A commit was refused: someone else has the store or the execution.
    Refused(Refused),
    /// What is stored of the execution is damaged, and it is parked for that.
    Damaged(ErrorRecord),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Run {
    pub(super) fn new(core: Arc<Core>, versions: Arc<Versions>, place: Place) -> Self {
        Self { core, versions, place }
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Gives the place up, unless somebody counts on it: then it is given back.
    pub(super) fn give_up(mut self) -> Option<Self> {
        if !self.place.release() {
            return Some(self);
        }
        let core = Arc::clone(&self.core);
        drop(self);
        core.alarm.place_freed();
        None
    }

    /// Goes as far as it gets: from what is known to be stored, or else from what it reads.
    pub(super) async fn run(mut self, mut known: Option<Box<Stored>>) {
        loop {
            let advanced = caught(pin!(self.advance(known.take()))).await;
            let stop = match advanced {
                Ok(Ok(()) | Err(Stop::Engine | Stop::Damaged(_))) => break,
                Ok(Err(stop)) => stop,
                Err(panic) => match self.park(&panic).await {
                    Ok(()) => continue,
                    Err(stop) => stop,
                },
            };
            match stop {
                Stop::Engine | Stop::Damaged(_) => {}
                Stop::Store(error) => self.core.fail(&error),
                // The place keeps others of this engine away, so the epoch is what is out of date.
                Stop::Refused(Refused::Fenced) => self.core.fail(&StoreError::TakenOver),
                Stop::Refused(refused) => {
                    tracing::warn!(execution = %self.place.key(), %refused, "the execution is left as it is");
                }
            }
            break;
        }
        let core = Arc::clone(&self.core);
        drop(self);
        core.alarm.place_freed();
    }

    /// Parks the execution for a panic of user code that no turn could catch.
    async fn park(&self, panic: &str) -> Result<(), Stop> {
        let Some(stored) = self.load().await? else { return Ok(()) };
        let mut execution = self.resumed(stored);
        if matches!(execution.record().status(), Status::Running | Status::Waiting | Status::Unwinding) {
            let message = format!("user code panicked outside of its handler: {panic}");
            tracing::error!(execution = %self.place.key(), message, "parked");
            execution.park(ErrorRecord { kind: ErrorKind::Panicked, message, sources: Vec::new() }, self.core.now());
            self.commit(&mut execution).await?;
        }
        Ok(())
    }

    /// Brings the execution to the present version, and nothing more. The run is given back, to go on.
    pub(super) async fn migrate(self) -> (Self, Result<Migrated, EngineError>) {
        let migrated = self.try_to_migrate().await.or_else(|stop| match stop {
            Stop::Engine => Err(self.core.stopped()),
            Stop::Store(error) => Err(EngineError::Store(error)),
            Stop::Refused(refused) => Err(EngineError::refused(refused, self.place.key())),
            Stop::Damaged(error) => Ok(Migrated::Failed(error)),
        });
        (self, migrated)
    }

    async fn try_to_migrate(&self) -> Result<Migrated, Stop> {
        let Some(stored) = self.load().await? else { return Ok(Migrated::Nothing) };
        let mut execution = self.resumed(stored);
        if self.versions.keeps(execution.record().version) && !execution.has_moved() {
            return Ok(Migrated::Kept);
        }
        let (plan, now) = (self.versions.present().plan(), self.core.now());
        match execution.try_to_migrate(plan, now) {
            Ok(false) => Ok(Migrated::Nothing),
            Ok(true) => {
                self.commit(&mut execution).await?;
                Ok(Migrated::Done)
            }
            Err(error) => {
                if execution.record().parked.is_none() {
                    execution.park(error.clone(), now);
                    self.commit(&mut execution).await?;
                }
                Ok(Migrated::Failed(error))
            }
        }
    }

    async fn advance(&mut self, known: Option<Box<Stored>>) -> Result<(), Stop> {
        let stored = match known {
            Some(stored) => *stored,
            None => match self.load().await? {
                Some(stored) => stored,
                None => return Ok(()),
            },
        };
        let mut execution = self.resumed(stored);
        if self.is_newer(&execution) {
            return Ok(());
        }
        let limits = &self.core.services.limits;
        if execution.is_queued() && !limits.has_ticket(self.place.key()) {
            // It waited when an engine was lost, and its call has no place in any line.
            execution.resume(self.core.now());
        }
        loop {
            if self.core.is_stopping() {
                self.commit(&mut execution).await?;
                return Err(Stop::Engine);
            }
            if self.place.signal().take() {
                self.look_at_inbox(&mut execution).await?;
            }
            if limits.takes_offer(self.place.key()) {
                execution.resume(self.core.now());
            }
            match self.pass_through(&mut execution) {
                Next::Run(handler) if handler.pure && execution.unsaved_history() < LONGEST_CHAIN => {
                    self.turn(&mut execution, &handler).await?;
                }
                Next::Run(handler) => {
                    self.commit(&mut execution).await?;
                    self.turn(&mut execution, &handler).await?;
                }
                Next::Wait { until } => {
                    self.settle_offers();
                    self.commit(&mut execution).await?;
                    if self.place.release() {
                        until.into_iter().for_each(|until| self.core.alarm.set(until));
                        return Ok(());
                    }
                }
                Next::ReadUndo => {
                    self.commit(&mut execution).await?;
                    let read = self.core.store.undo(self.place.key(), execution.record().undo_count);
                    let top = self.believe(read.await).await?;
                    execution.undo_read(top, self.core.now());
                }
                Next::Tell => self.tell(&mut execution).await?,
                Next::Parked | Next::Ended => {
                    self.settle_offers();
                    self.commit(&mut execution).await?;
                    self.core.watchers.tell_of(self.place.key(), execution.record());
                    if self.place.release() {
                        return Ok(());
                    }
                    // Somebody has asked for something by hand.
                    self.place.signal().take();
                    let Some(stored) = self.load().await? else { return Ok(()) };
                    execution = self.resumed(stored);
                }
            }
        }
    }

    /// The code that the execution goes on with.
    fn machine(&self, execution: &Kernel) -> &Arc<dyn Machine> {
        self.versions.of(execution)
    }

    /// Whether this build is too old for the execution, which is left alone then.
    fn is_newer(&self, execution: &Kernel) -> bool {
        let version = execution.record().version;
        let is_newer = self.core.is_newer(self.versions.present().name(), version);
        if is_newer {
            self.core.warn_of_newer(self.versions.present().name(), version);
        }
        is_newer
    }

    /// Goes through handlers without effects, as far as they fit into one commit, and says what is next.
    fn pass_through(&self, execution: &mut Kernel) -> Next {
        loop {
            let next = execution.decide(self.machine(execution).plan(), self.core.now());
            let Next::Run(handler) = &next else { return next };
            // What is in the journal is for a turn to look at.
            let is_fit = handler.pure && execution.journal().is_empty() && execution.unsaved_history() < LONGEST_CHAIN;
            if !is_fit || !self.run_pure(execution, handler) {
                return next;
            }
        }
    }

    /// Runs a handler without a turn. Says whether it has no effects, and so was run.
    fn run_pure(&self, execution: &mut Kernel, handler: &HandlerPlan) -> bool {
        let span = self.visit_span(execution, handler).entered();
        let call = HandlerCall::of(execution, &handler.name);
        let finished = self.machine(execution).run_pure(&call);
        let is_pure = finished.is_some();
        if let Some(mut finished) = finished {
            let failure = self.core.services.intercepted(self.place.key(), execution.record().visit, &call);
            if let Some(failure) = failure {
                finished.result = Err(failure);
            }
            self.finished(execution, finished);
        }
        drop(span);
        is_pure
    }

    fn visit_span(&self, execution: &Kernel, handler: &HandlerPlan) -> Span {
        let record = execution.record();
        tracing::info_span!(
            "visit",
            workflow = self.versions.present().name(),
            execution = %self.place.key().id,
            state = &*record.state,
            visit = record.visit,
            handler = &*handler.name,
        )
    }

    /// Delivers what the execution has to tell others. Whoever is gone need not know.
    async fn tell(&self, execution: &mut Kernel) -> Result<(), Stop> {
        self.commit(execution).await?;
        self.core.deliver(self.place.key(), execution.outgoing()).await?;
        execution.delivered();
        self.commit(execution).await
    }

    /// Runs one handler until it ends, waits or is interrupted.
    async fn turn(&self, execution: &mut Kernel, handler: &HandlerPlan) -> Result<(), Stop> {
        let span = self.visit_span(execution, handler);
        let call = HandlerCall::of(execution, &handler.name);
        let scope = TurnScope::of(execution, &handler.name, self.place.key().clone(), self.core.services.clone());
        let machine = self.machine(execution);
        let mut turn = machine.turn(call, scope, execution.journal().to_vec());
        turn.arrived(execution.receivable(machine.plan()));
        let driven = self.drive(execution, turn).instrument(span).await;
        self.settle_offers();
        driven
    }

    /// What the limits of steps have offered to this execution, and it did not want, is given to others.
    fn settle_offers(&self) {
        let (limits, now) = (&self.core.services.limits, self.core.now());
        limits.settle(self.place.key(), now);
        limits.tick(now).into_iter().for_each(|due| self.core.alarm.set(due));
    }

    async fn drive(&self, execution: &mut Kernel, mut turn: Turn) -> Result<(), Stop> {
        let mut interrupted = false;
        let mut looked = false;
        loop {
            let timer = match execution.record().activity {
                Activity::Entry if !interrupted => execution.record().next_timer(),
                _ => None,
            };
            // An event that was acknowledged goes before what the handler would do next. After a look it is the handler's
            // turn, or a flood of events would keep it where it is.
            let progress = tokio::select! {
                biased;
                () = self.place.signal().given(), if !looked => None,
                () = sleep_until(&self.core, timer), if timer.is_some() => None,
                progress = turn.next() => Some(progress),
                () = self.place.signal().given(), if looked => None,
            };
            looked = progress.is_none();
            let Some(progress) = progress else {
                if self.place.signal().take() && !self.core.is_stopping() {
                    let known = execution.last_event();
                    self.look_at_inbox(execution).await?;
                    turn.arrived(execution.receivable_after(known, self.machine(execution).plan()));
                }
                if execution.is_to_be_terminated() {
                    // Dropping the turn cuts off what runs.
                    return Ok(());
                }
                interrupted = self.interrupt(execution, &mut turn);
                self.core.requests.later(self.place.key());
                continue;
            };
            execution.at(self.core.now());
            match progress {
                Progress::Save(results) => {
                    execution.recorded(results);
                    self.commit(execution).await?;
                    turn.saved();
                }
                Progress::Execute(commands) => turn.answered(self.core.execute(commands).await?),
                Progress::Wait { due, results, events } => {
                    execution.recorded(results);
                    execution.suspended(due, events, self.machine(execution).plan(), self.core.now());
                    if turn.is_queued() {
                        execution.queued();
                    }
                    return Ok(());
                }
                Progress::Interrupted { results } => {
                    execution.recorded(results);
                    return self.commit(execution).await;
                }
                Progress::Finished(finished) => {
                    self.finished(execution, finished);
                    return Ok(());
                }
            }
        }
    }

    /// Interrupts the handler if there is a reason to.
    fn interrupt(&self, execution: &Kernel, turn: &mut Turn) -> bool {
        let reason =
            self.core.is_stopping() || execution.is_interrupted(self.machine(execution).plan(), self.core.now());
        if reason {
            turn.interrupt();
        }
        reason
    }

    fn finished(&self, execution: &mut Kernel, finished: Finished) {
        let machine = Arc::clone(self.machine(execution));
        let finishing = Finishing {
            plan: machine.plan(),
            catch: &|state, error| machine.catch(state, error),
            payload_limit: self.core.services.payload_limit,
            now: self.core.now(),
        };
        finishing.finish(execution, finished);
        tracing::debug!(state = &*execution.record().state, status = %execution.record().status(), "the handler ended");
    }

    async fn commit(&self, execution: &mut Kernel) -> Result<(), Stop> {
        let fence = Fence { visit: execution.stored_visit(), epoch: self.core.epoch };
        let mut advance = execution.take_changes();
        if advance.is_empty() {
            return Ok(());
        }
        advance.keep_history = self.core.keep_history.filter(|_| !advance.history.is_empty());
        // A store may answer at once, and an execution may go round for ever: the others of this thread have their turn.
        tokio::task::coop::consume_budget().await;
        let taken = taken_in(&advance.history);
        // Where the journal is dropped, an edge may have been left without its answer.
        let is_answer = !advance.replies.is_empty() || !advance.consumed.is_empty() || advance.drop_journal;
        let change = Change::Advance { fence, advance };
        let commit = Commit { key: self.place.key().clone(), change };
        match self.core.store.commit(vec![commit]).await?.pop() {
            Some(Err(refused)) => Err(Stop::Refused(refused)),
            Some(Ok(_)) | None => {
                self.core.requests.tell(self.place.key(), taken);
                if execution.record().status().is_over() {
                    self.core.requests.over(self.place.key());
                }
                if is_answer {
                    self.core.watchers.tell_of(self.place.key(), execution.record());
                }
                Ok(())
            }
        }
    }

    async fn look_at_inbox(&self, execution: &mut Kernel) -> Result<(), Stop> {
        let events = self.core.store.inbox(self.place.key(), execution.last_event());
        execution.arrived(self.believe(events.await).await?);
        Ok(())
    }

    fn resumed(&self, stored: Stored) -> Kernel {
        let execution = Kernel::new(stored.record, stored.journal, stored.inbox, stored.undo);
        execution.keeping_state_data(self.core.keep_state_data)
    }

    /// Reads the execution.
    async fn load(&self) -> Result<Option<Stored>, Stop> {
        let stored = self.core.store.load(self.place.key()).await;
        self.believe(stored).await
    }

    /// What was read of the execution. If that is damaged, the execution is parked, and its run is over: what it does on
    /// would be the work of one that counts as parked, and would not hear of what is asked of it.
    async fn believe<T>(&self, read: Result<T, StoreError>) -> Result<T, Stop> {
        match read {
            Ok(read) => Ok(read),
            Err(error @ StoreError::Corrupt { .. }) => {
                tracing::error!(%error, "a damaged execution is parked");
                let (key, record) = (self.place.key(), ErrorRecord::new(ErrorKind::Unreadable, &Error::from(error)));
                // Whoever waits for it is told before: it is not looked at again, and they would never be.
                let parent = self.core.store.parent(key).await?;
                let told = parent.and_then(|parent| parking_told(&parent, record.clone(), self.core.now()));
                self.core.deliver(key, told.as_slice()).await?;
                let change = Change::Quarantine { error: record.clone(), at: self.core.now() };
                self.core.store.commit(vec![Commit { key: key.clone(), change }]).await?;
                self.core.watchers.tell(key);
                Err(Stop::Damaged(record))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Handlers are caught in their turns. What is left is user code that runs because something of it is dropped, or because
/// its errors are looked at.
async fn caught<T>(mut work: Pin<&mut impl Future<Output = T>>) -> Result<T, String> {
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic_text(&*panic).to_owned())),
    })
    .await
}

impl Drop for Run {
    fn drop(&mut self) {
        // However it ends, nobody waits for it any longer.
        self.core.requests.later(self.place.key());
        // First the place, then the news of that: whoever finds the place taken is told after it.
        self.place.leave();
        self.core.watchers.tell_of_rest(self.place.key());
    }
}

async fn sleep_until(core: &Core, due: Option<crate::base::Timestamp>) {
    if let Some(due) = due {
        core.services.clock.sleep_until(due).await;
    }
}
