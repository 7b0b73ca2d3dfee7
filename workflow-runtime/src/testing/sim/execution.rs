//! One execution in a simulation, as the scenario sees it.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::time::Duration;

use serde::Serialize;

use super::Sim;
use crate::base::{ExecutionId, Name};
use crate::engine::{AskError, Engine, EngineError, Execution};
use crate::kernel::ParallelProgress;
use crate::machine::{Accepts, Asks, Workflow, WorkflowState as _};
use crate::record::{ControlAction, ExecutionRecord, JournalEntry, Json, Reason};
use crate::store::HistoryRow;

/// An execution of `W` in a [`Sim`]: what [`Execution`] is for an engine.
///
/// What is asked for is asked for when everything else has come to rest, and again after a crash, with the same name: so it
/// is done once, and who waits for an answer gets one.
///
/// Its methods are called as those of an [`Execution`], and take the same, but for two: [`history`](Self::history) is all of it, and
/// [`retry`](Self::retry) is given a reason, as `Execution::retry_because` is.
pub struct SimExecution<W> {
    sim: Sim,
    id: ExecutionId,
    workflow: PhantomData<fn() -> W>,
}

impl<W> Clone for SimExecution<W> {
    fn clone(&self) -> Self {
        Self { sim: self.sim.clone(), id: self.id.clone(), workflow: PhantomData }
    }
}

impl<W: Workflow> fmt::Debug for SimExecution<W> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SimExecution({})", self.name())
    }
}

impl<W: Workflow> SimExecution<W> {
    pub(super) fn new(sim: Sim, id: ExecutionId) -> Self {
        Self { sim, id, workflow: PhantomData }
    }

    /// The caller's name for it.
    #[must_use]
    pub fn id(&self) -> &ExecutionId {
        &self.id
    }

    fn name(&self) -> String {
        format!("{}/{}", W::NAME, self.id)
    }

    /// Asks for something until a process lives long enough to say what came of it. `ask` is told whether it was asked before.
    async fn ask_for<R, F: Future<Output = Result<R, X>>, X: From<EngineError>>(
        &self,
        what: &str,
        ask: impl Fn(Execution<W>, bool) -> F,
    ) -> Result<R, X> {
        let (what, id) = (format!("{what} {}", self.name()), self.id.clone());
        let asked = |engine: Engine, again| {
            let asked = engine.execution::<W>(&id).map(|execution| ask(execution, again));
            async move { asked?.await }
        };
        self.sim.repeat(what, Duration::ZERO, asked).await
    }

    /// Sends it an event, as [`Execution::send`] does. It is one event, also if it is sent again after a crash.
    ///
    /// # Errors
    /// As there.
    #[expect(clippy::needless_pass_by_value, reason = "an event is given away")]
    pub fn send<E>(&self, event: E) -> impl Future<Output = Result<(), EngineError>> + use<W, E>
    where
        W: Accepts<E>,
    {
        self.deliver(Message::new::<W, E>(&self.sim, None, &event))
    }

    /// Sends it an event with the sender's name for this message, as [`Execution::send_once`] does.
    ///
    /// # Errors
    /// As there.
    #[expect(clippy::needless_pass_by_value, reason = "an event is given away")]
    pub fn send_once<I: AsRef<str>, E>(
        &self,
        event_id: I,
        event: E,
    ) -> impl Future<Output = Result<(), EngineError>> + use<W, I, E>
    where
        W: Accepts<E>,
    {
        self.deliver(Message::new::<W, E>(&self.sim, Some(event_id.as_ref()), &event))
    }

    /// Sends it an event by its name. `key` tells it from others of its kind.
    #[cfg(feature = "proptest")]
    pub(in crate::testing) fn send_named(
        &self,
        name: &str,
        payload: Json,
        key: Option<String>,
    ) -> impl Future<Output = Result<(), EngineError>> + use<W> {
        let id = match key {
            Some(key) => ExecutionId::new(format!("{name}:{key}")).map(|id| id.as_str().to_owned()),
            None => Ok(self.sim.next_id()),
        };
        self.deliver(id.map(|id| Message { id, name: name.into(), payload }).map_err(EngineError::from))
    }

    fn deliver(&self, message: Result<Message, EngineError>) -> impl Future<Output = Result<(), EngineError>> + use<W> {
        let own = self.clone();
        async move {
            let message = message?;
            let what = format!("to send `{}` to", message.name);
            own.ask_for(&what, |execution, _| {
                let message = message.clone();
                async move { execution.send_encoded(message.id, &message.name, message.payload).await }
            })
            .await
        }
    }

    /// Sends it an event and waits for the answer, as [`Execution::ask`] does.
    ///
    /// # Errors
    /// As there.
    #[expect(clippy::needless_pass_by_value, reason = "an event is given away")]
    pub fn ask<E>(&self, event: E) -> impl Future<Output = Result<W::Reply, AskError<W::Refusal>>> + use<W, E>
    where
        W: Asks<E>,
    {
        self.ask_with(Message::new::<W, E>(&self.sim, None, &event))
    }

    /// Sends it an event with the sender's name for this message and waits for the answer, as [`Execution::ask_once`] does.
    ///
    /// # Errors
    /// As there.
    #[expect(clippy::needless_pass_by_value, reason = "an event is given away")]
    pub fn ask_once<I: AsRef<str>, E>(
        &self,
        event_id: I,
        event: E,
    ) -> impl Future<Output = Result<W::Reply, AskError<W::Refusal>>> + use<W, I, E>
    where
        W: Asks<E>,
    {
        self.ask_with(Message::new::<W, E>(&self.sim, Some(event_id.as_ref()), &event))
    }

    fn ask_with<E>(
        &self,
        message: Result<Message, EngineError>,
    ) -> impl Future<Output = Result<W::Reply, AskError<W::Refusal>>> + use<W, E>
    where
        W: Asks<E>,
    {
        let own = self.clone();
        async move {
            let message = message?;
            let what = format!("for the answer to `{}` of", message.name);
            own.ask_for(&what, |execution, _| {
                let message = message.clone();
                async move { execution.ask_encoded::<E>(message.id, message.payload).await }
            })
            .await
        }
    }

    /// Waits for its end, and gives the end state, as [`Execution::outcome`] does. Time passes meanwhile.
    ///
    /// # Errors
    /// As there: [`EngineError::Parked`], [`EngineError::Cancelled`] and [`EngineError::Terminated`] are ends, too.
    pub async fn outcome(&self) -> Result<W::Outcome, EngineError> {
        self.ask_for("for the outcome of", |execution, _| async move { execution.outcome().await }).await
    }

    /// The state that it is in, as last committed.
    ///
    /// # Errors
    /// As [`Execution::state`].
    pub async fn state(&self) -> Result<W::State, EngineError> {
        self.ask_for("for the state of", |execution, _| async move { execution.state().await }).await
    }

    /// Its whole record, as last committed.
    ///
    /// # Errors
    /// As [`Execution::record`].
    pub async fn record(&self) -> Result<ExecutionRecord, EngineError> {
        self.ask_for("for the record of", |execution, _| async move { execution.record().await }).await
    }

    /// Its whole history, oldest first.
    ///
    /// # Errors
    /// As [`Execution::history`].
    pub async fn history(&self) -> Result<Vec<HistoryRow>, EngineError> {
        self.ask_for("for the history of", |execution, _| async move { execution.history(0, usize::MAX).await }).await
    }

    /// How far its parallel calls are.
    ///
    /// # Errors
    /// As [`Execution::progress`].
    pub async fn progress(&self) -> Result<Vec<ParallelProgress>, EngineError> {
        self.ask_for("for the progress of", |execution, _| async move { execution.progress().await }).await
    }

    /// Cancels it, as [`Execution::cancel`] does.
    ///
    /// # Errors
    /// As there.
    pub async fn cancel(&self, reason: impl Into<Reason>) -> Result<(), EngineError> {
        self.control(ControlAction::Cancel, reason, |execution, reason| async move { execution.cancel(reason).await })
            .await
    }

    /// Parks it, as [`Execution::park`] does.
    ///
    /// # Errors
    /// As there.
    pub async fn park(&self, reason: impl Into<Reason>) -> Result<(), EngineError> {
        self.control(ControlAction::Park, reason, |execution, reason| async move { execution.park(reason).await }).await
    }

    /// Has a parked execution tried again, as [`Execution::retry`] does.
    ///
    /// # Errors
    /// As there.
    pub async fn retry(&self, reason: impl Into<Reason>) -> Result<(), EngineError> {
        self.control(
            ControlAction::Retry,
            reason,
            |execution, reason| async move { execution.retry_because(reason).await },
        )
        .await
    }

    /// Has a parked execution tried again, as [`Execution::retry_because`] does: the same as [`retry`](Self::retry), which is always given
    /// a reason here.
    ///
    /// # Errors
    /// As there.
    pub async fn retry_because(&self, reason: impl Into<Reason>) -> Result<(), EngineError> {
        self.retry(reason).await
    }

    /// Skips the failed step of a parked execution, as [`Execution::skip`] does.
    ///
    /// # Errors
    /// As there.
    pub async fn skip<T: Serialize>(
        &self,
        step: &str,
        output: T,
        reason: impl Into<Reason>,
    ) -> Result<(), EngineError> {
        let step = step.to_owned();
        let output = Json::encode(&output).map_err(|error| Engine::unwritable(&step, error))?;
        self.control(ControlAction::Skip, reason, move |execution, reason| {
            let (step, output) = (step.clone(), output.clone());
            async move { execution.skip(&step, &output, reason).await }
        })
        .await
    }

    /// The steps that keep a parked execution from going on, as [`Execution::failed_steps`] has them.
    ///
    /// # Errors
    /// As there.
    pub async fn failed_steps(&self) -> Result<Vec<JournalEntry>, EngineError> {
        self.ask_for("for the failed steps of", |execution, _| async move { execution.failed_steps().await }).await
    }

    /// Puts it into another state, as [`Execution::move_to`] does.
    ///
    /// # Errors
    /// As there.
    pub async fn move_to(&self, state: W::State, reason: impl Into<Reason>) -> Result<(), EngineError> {
        let name = state.name();
        let data = state.encode().map_err(|error| Engine::unwritable(name, error))?;
        self.control(ControlAction::Move, reason, move |execution, reason| {
            let state = W::State::decode(name, &data);
            async move {
                let state = state.and_then(Result::ok).ok_or_else(|| execution.unreadable_state(name))?;
                execution.move_to(state, reason).await
            }
        })
        .await
    }

    /// Ends it where it is, as [`Execution::terminate`] does.
    ///
    /// # Errors
    /// As there.
    pub async fn terminate(&self, reason: impl Into<Reason>) -> Result<(), EngineError> {
        self.control(
            ControlAction::Terminate,
            reason,
            |execution, reason| async move { execution.terminate(reason).await },
        )
        .await
    }

    async fn control<F: Future<Output = Result<(), EngineError>>>(
        &self,
        action: ControlAction,
        reason: impl Into<Reason>,
        ask: impl Fn(Execution<W>, Reason) -> F,
    ) -> Result<(), EngineError> {
        let mut reason: Reason = reason.into();
        let once = reason.once.get_or_insert_with(|| self.sim.next_id()).clone();
        let ask = &ask;
        self.ask_for(&format!("to {action}"), |execution, again| {
            let (reason, once) = (reason.clone(), once.clone());
            async move {
                // What was asked for before the crash may have been done: asked again, it would be refused for that.
                if again && execution.was_asked(action, &once).await? {
                    return Ok(());
                }
                ask(execution, reason).await
            }
        })
        .await
    }
}

/// An event as it is sent, with the name that it keeps however often it is sent.
#[derive(Clone)]
struct Message {
    id: String,
    name: Name,
    payload: Json,
}

impl Message {
    fn new<W: Workflow + Accepts<E>, E>(sim: &Sim, id: Option<&str>, event: &E) -> Result<Self, EngineError> {
        let id = match id {
            Some(id) => ExecutionId::new(id)?.as_str().to_owned(),
            None => Execution::<W>::id_of(event).unwrap_or_else(|| Ok(sim.next_id()))?,
        };
        let name = W::event_name();
        let payload = W::encode_event(event).map_err(|error| Engine::unwritable(name, error))?;
        Ok(Self { id, name: Name::constant(name), payload })
    }
}
