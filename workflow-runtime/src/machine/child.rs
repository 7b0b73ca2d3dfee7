//! Executions that a handler starts.

use std::fmt;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::commands::{carried_out, digest, refused, written};
use super::turn_inbox::report_slot;
use super::turn_state::TurnState;
use super::{Cx, Failure, State as _, Workflow, read_outcome};
use crate::base::{Error, ExecutionId, Name, Timestamp};
use crate::kernel::{Command, CommandRefused, StartCommand, report_key};
use crate::record::{
    ChildEnd, ChildReport, ErrorRecord, ExecutionKey, JournalEntry, JournalResult, Json, JsonError, ParentRecord,
    Reason,
};

impl Cx {
    /// Starts an execution of `C` in the same engine, and waits for its end, durably: the execution leaves memory until the
    /// child has come to one. What it came to is one of its end states.
    ///
    /// The child is an execution like any other, with a row, a history and events of its own. Its id is the caller's to
    /// choose, and is unique among all executions of `C`, as for [`Engine::start`]: derive it from the own one,
    /// `format!("{}-invoice", cx.id())`. Called again in a later visit with the id of a child that has ended, it gives what
    /// that came to.
    ///
    /// Several calls may be waited for at once, in a `#[parallel]` function or by `join!`: the children run side by side.
    ///
    /// | if | then |
    /// |---|---|
    /// | the child ends | the call gives its outcome |
    /// | it is cancelled or terminated | the call gives a [`ChildError`], which a `#[catch]` may take |
    /// | it is parked | the call goes on waiting until somebody has it go on; with [`fail_when_parked`](ChildCall::fail_when_parked), it gives a [`ChildError`] |
    /// | the caller leaves the state first, or ends, or is cancelled or terminated | the child is cancelled; with [`abandon`](ChildCall::abandon), it goes on |
    ///
    /// # Errors
    /// [`ChildError`].
    ///
    /// ```
    /// use workflow_runtime::prelude::*;
    ///
    /// #[state] pub struct Billing { cents: u64 }
    /// #[state(end)] pub struct Paid;
    /// #[state(end)] pub struct Unpaid;
    /// pub struct Invoice;
    ///
    /// #[workflow(start = Billing)]
    /// impl Invoice {
    ///     #[state]
    ///     fn bill(&self, billing: Billing) -> Next<(Paid, Unpaid)> {
    ///         if billing.cents < 100_000 { goto(Paid) } else { goto(Unpaid) }
    ///     }
    /// }
    ///
    /// #[state] pub struct Ordered { cents: u64 }
    /// #[state(end)] pub struct Shipped;
    /// #[state(end)] pub struct Refused;
    /// pub struct Order;
    ///
    /// #[workflow(start = Ordered)]
    /// impl Order {
    ///     #[state]
    ///     async fn pay(&self, cx: &Cx, order: Ordered) -> Result<Next<(Shipped, Refused)>> {
    ///         let invoice = format!("{}-invoice", cx.id());
    ///         Ok(match cx.call::<Invoice>(invoice, Billing { cents: order.cents }).await? {
    ///             InvoiceOutcome::Paid(_) => goto(Shipped),
    ///             InvoiceOutcome::Unpaid(_) => goto(Refused),
    ///         })
    ///     }
    /// }
    ///
    /// # workflow_runtime::block_on(async {
    /// let engine = workflow_runtime::Engine::in_memory().workflow(Order).workflow(Invoice).start().await?;
    /// let order = engine.start::<Order>("order-1", Ordered { cents: 500 }).await?;
    /// assert!(matches!(order.outcome().await?, OrderOutcome::Shipped(_)));
    /// # workflow_runtime::Result::<()>::Ok(())
    /// # }).unwrap();
    /// ```
    ///
    /// [`Engine::start`]: crate::Engine::start
    pub fn call<C: Workflow>(&self, id: impl AsRef<str>, start: C::Start) -> ChildCall<C::Outcome> {
        let child = NewChild { cancel_when_left: true, ..NewChild::new::<C>(self, "call", id.as_ref(), start) };
        ChildCall { child: Some(child), running: None, outcome: read_outcome::<C> }
    }

    /// Starts an execution of `C` in the same engine and goes on: nobody waits for its end. When this is ready, the start
    /// is on disk; it gives the child's id.
    ///
    /// The id is the caller's to choose, and is unique among all executions of `C`, as for [`Engine::start`]: derive it
    /// from the own one, `format!("{}-invoice", cx.id())`. Spawning an id again that this execution has spawned is
    /// no error, and changes nothing.
    ///
    /// # Errors
    /// [`CommandRefused`] says why it cannot be started: the engine does not know `C`, the id belongs to an execution that
    /// another one started, or the data is too large. That is recorded, so the handler may act on it.
    ///
    /// [`Engine::start`]: crate::Engine::start
    ///
    /// ```
    /// # use workflow_runtime::prelude::*;
    /// # #[state] pub struct Billing { cents: u64 }
    /// # #[state(end)] pub struct Billed;
    /// # pub struct Invoice;
    /// # #[workflow(start = Billing)]
    /// # impl Invoice { #[state] fn bill(&self, _: Billing) -> Billed { Billed } }
    /// # #[state] pub struct Shipping { cents: u64 }
    /// # #[state(end)] pub struct Shipped;
    /// # pub struct Order;
    /// #[workflow(start = Shipping)]
    /// impl Order {
    ///     #[state]
    ///     async fn ship(&self, cx: &Cx, order: Shipping) -> Result<Shipped> {
    ///         cx.spawn::<Invoice>(format!("{}-invoice", cx.id()), Billing { cents: order.cents }).await?;
    ///         Ok(Shipped)
    ///     }
    /// }
    /// ```
    pub fn spawn<C: Workflow>(&self, id: impl AsRef<str>, start: C::Start) -> ChildSpawn {
        ChildSpawn { child: Some(NewChild::new::<C>(self, "spawn", id.as_ref(), start)), running: None }
    }
}

/// Why a child came to none of its end states, or was not started. A `#[catch]` handler can take it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChildError {
    /// It was not started.
    #[error(transparent)]
    Refused(CommandRefused),
    /// It was cancelled.
    #[error("the child {child} was cancelled: {reason}")]
    Cancelled {
        /// Which: workflow and id.
        child: String,
        /// Why, and who did it.
        reason: Reason,
    },
    /// It was terminated.
    #[error("the child {child} was terminated: {reason}")]
    Terminated {
        /// Which: workflow and id.
        child: String,
        /// Why, and who did it.
        reason: Reason,
    },
    /// It failed and waits for a person, for which the call [does not wait](ChildCall::fail_when_parked).
    #[error("the child {child} is parked: {error}")]
    Parked {
        /// Which: workflow and id.
        child: String,
        /// Why it failed.
        error: ErrorRecord,
    },
}

/// A call of a child, whose outcome is `O`: see [`Cx::call`].
// Its type has none of the bounds of the method, so that a call of what is no workflow is told of once.
#[must_use = "nothing is started unless this is awaited"]
pub struct ChildCall<O> {
    child: Option<NewChild>,
    running: Option<Running<O, ChildError>>,
    outcome: ReadOutcome<O>,
}

/// The outcome that is this end state, with this data.
type ReadOutcome<O> = fn(u32, &str, &Json) -> Result<O, Error>;

impl<O> ChildCall<O> {
    /// Has the child go on where the caller does not wait for its end: by default it is cancelled then.
    pub fn abandon(mut self) -> Self {
        self.child.iter_mut().for_each(|child| child.cancel_when_left = false);
        self
    }

    /// Has the call fail with [`ChildError::Parked`] when the child is parked: by default it waits until somebody has the
    /// child go on.
    pub fn fail_when_parked(mut self) -> Self {
        self.child.iter_mut().for_each(|child| child.fail_when_parked = true);
        self
    }

    /// Has the child begin at `at`, or at once if that is over.
    pub fn at(mut self, at: Timestamp) -> Self {
        self.child.iter_mut().for_each(|child| child.at = Some(at));
        self
    }
}

impl<O: DeserializeOwned + 'static> Future for ChildCall<O> {
    type Output = Result<O, ChildError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let call = &mut *self;
        if let Some(child) = call.child.take() {
            call.running = Some(Box::pin(child.call(call.outcome)));
        }
        call.running.as_mut().map_or(Poll::Pending, |running| running.as_mut().poll(context))
    }
}

/// A child that is to be started: see [`Cx::spawn`].
#[must_use = "nothing is started unless this is awaited"]
pub struct ChildSpawn {
    child: Option<NewChild>,
    running: Option<Running<ExecutionId, CommandRefused>>,
}

impl ChildSpawn {
    /// Has the child cancelled when this execution leaves the state that it is in: by default it goes on whatever becomes
    /// of this one.
    pub fn cancel_when_left(mut self) -> Self {
        self.child.iter_mut().for_each(|child| child.cancel_when_left = true);
        self
    }

    /// Has the child begin at `at`, or at once if that is over.
    pub fn at(mut self, at: Timestamp) -> Self {
        self.child.iter_mut().for_each(|child| child.at = Some(at));
        self
    }
}

impl Future for ChildSpawn {
    type Output = Result<ExecutionId, CommandRefused>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let spawn = &mut *self;
        if let Some(child) = spawn.child.take() {
            spawn.running = Some(Box::pin(child.spawn()));
        }
        spawn.running.as_mut().map_or(Poll::Pending, |running| running.as_mut().poll(context))
    }
}

type Running<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl<O> fmt::Debug for ChildCall<O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ChildCall").field("child", &self.child).finish_non_exhaustive()
    }
}

impl fmt::Debug for ChildSpawn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ChildSpawn").field("child", &self.child).finish_non_exhaustive()
    }
}

/// A child that is to be started by a call whose place in the journal is taken.
#[derive(Debug)]
struct NewChild {
    turn: Arc<TurnState>,
    key: Name,
    workflow: &'static str,
    version: u32,
    id: Result<ExecutionId, CommandRefused>,
    state: &'static str,
    data: Result<Json, JsonError>,
    at: Option<Timestamp>,
    cancel_when_left: bool,
    fail_when_parked: bool,
}

impl NewChild {
    #[expect(clippy::needless_pass_by_value, reason = "as with `Engine::start`")]
    fn new<C: Workflow>(cx: &Cx, verb: &str, id: &str, start: C::Start) -> Self {
        let key = cx.claim(&format!("{verb}:{}:{}", C::NAME, digest([id])));
        Self {
            turn: Arc::clone(cx.turn()),
            key,
            workflow: C::NAME,
            version: C::VERSION,
            id: ExecutionId::new(id).map_err(|error| CommandRefused::InvalidId { message: error.to_string() }),
            state: C::Start::NAME,
            data: start.encode(),
            at: None,
            cancel_when_left: false,
            fail_when_parked: false,
        }
    }

    async fn spawn(self) -> Result<ExecutionId, CommandRefused> {
        let id = self.id.clone()?;
        let turn = Arc::clone(&self.turn);
        match self.started(&id, false).await {
            JournalResult::Failed { error, value } => Err(refused(&turn, &error, value.as_ref()).await),
            _ => Ok(id),
        }
    }

    async fn call<O: DeserializeOwned>(self, outcome: ReadOutcome<O>) -> Result<O, ChildError> {
        let id = self.id.clone().map_err(ChildError::Refused)?;
        let (turn, key) = (Arc::clone(&self.turn), self.key.clone());
        let child = format!("{}/{id}", self.workflow);
        let end = match self.started(&id, true).await {
            JournalResult::Failed { error, value } => {
                return Err(ChildError::Refused(refused(&turn, &error, value.as_ref()).await));
            }
            // Somebody has given the call its result by hand.
            JournalResult::Done(outcome) => Ending::ByHand(outcome),
            _ => Ending::Reported(reported(&turn, &key).await),
        };
        let outcome = match end {
            Ending::ByHand(by_hand) => by_hand.decode().map_err(Error::from),
            Ending::Reported(Err(error)) => Err(error.into()),
            Ending::Reported(Ok(ChildEnd::Ended { state, data, version })) => outcome(version, &state, &data),
            Ending::Reported(Ok(ChildEnd::Cancelled { reason })) => {
                return Err(ChildError::Cancelled { child, reason });
            }
            Ending::Reported(Ok(ChildEnd::Terminated { reason })) => {
                return Err(ChildError::Terminated { child, reason });
            }
            Ending::Reported(Ok(ChildEnd::Parked { error })) => return Err(ChildError::Parked { child, error }),
        };
        // What was recorded does not fit the code: that is for a person to mend.
        let fail = |error: Error| {
            turn.fail(Failure::unreadable(error.context(format!("what the child {child} came to cannot be read"))));
        };
        if let Ok(outcome) = outcome.map_err(fail) {
            return Ok(outcome);
        }
        pending().await
    }

    /// What is recorded of the start.
    async fn started(self, id: &ExecutionId, reports: bool) -> JournalResult {
        let Self { turn, key, workflow, version, state, data, at, cancel_when_left, fail_when_parked, .. } = self;
        let Some(data) = written(&turn, state, data) else { return pending().await };
        let scope = &turn.scope;
        let parent = ParentRecord {
            workflow: scope.key.workflow.to_string(),
            id: scope.key.id.to_string(),
            child: format!("{workflow}/{id}"),
            visit: scope.visit,
            edge: scope.edge_number,
            call: key.clone(),
            reports,
            reports_parking: fail_when_parked,
        };
        let execution = ExecutionKey { workflow: workflow.into(), id: id.clone() };
        let start = StartCommand { version, parent: Some(parent), at, ..StartCommand::new(execution, state, data) };
        let (workflow, id) = (workflow.to_owned(), id.to_string());
        let done = JournalResult::Child { workflow, id, cancel_when_left, asked_in: None };
        if let JournalResult::Child { workflow, id, cancel_when_left: true, .. } = &done
            && turn.recorded(&key).is_none()
        {
            // A crash may come between the start and the note of it, and then something that leaves this visit at once.
            let (workflow, id, asked_in) = (workflow.clone(), id.clone(), Some(scope.visit));
            let asked = JournalResult::Child { workflow, id, cancel_when_left: true, asked_in };
            turn.record(JournalEntry::new(key.clone(), 0, asked));
        }
        carried_out(&turn, key, Command::Start(Box::new(start)), done).await
    }
}

/// Where what a child came to is known from.
enum Ending {
    ByHand(Json),
    Reported(Result<ChildEnd, JsonError>),
}

/// What the child of the call with this key tells.
async fn reported(turn: &Arc<TurnState>, key: &str) -> Result<ChildEnd, JsonError> {
    let end = |payload: &Json| payload.decode::<ChildReport>().map(|report| report.end);
    let report_key = report_key(key);
    match turn.recorded(&report_key) {
        Some(JournalEntry { result: JournalResult::Done(end), .. }) => end.decode(),
        Some(JournalEntry { result: JournalResult::Received { payload, .. }, .. }) => end(&payload),
        _ => end(&turn.receive(report_key, vec![report_slot(key)]).await),
    }
}
