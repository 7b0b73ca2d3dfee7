//! What a person does to an execution: each request is an event in its inbox, which the kernel takes before anything else.

use std::sync::Arc;

use serde::Serialize;

use super::core::Core;
use super::requests::Taken;
use super::{EngineError, Execution};
use crate::machine::{Workflow, WorkflowState as _};
use crate::record::{
    ControlAction, ExecutionKey, JournalEntry, Json, JsonError, MoveOrder, NewEvent, Reason, SkipOrder,
};
use crate::store::{Change, Commit, Committed, Stored};

/// Control by hand. Each of these is on disk when it is answered, so that it is carried out also after a crash; each leaves a
/// row in the history that says who asked for it and why.
///
/// An execution that rests, or is parked, has carried it out when the call returns. While a handler runs, it is
/// interrupted: a step that runs is not cut off, and the call returns without waiting for it. To one of a version that this
/// build is too old for, nothing happens before a build that has it is started: then it carries out what was asked for.
impl<W: Workflow> Execution<W> {
    /// Cancels it: by the edge that its state has for the event [`Cancel`](crate::Cancel), if it has one, whatever runs.
    /// Else it is closed as cancelled where it is, and [`outcome`](Self::outcome) is [`EngineError::Cancelled`]. Asked a
    /// second time while it is being cancelled, nothing changes; if that has failed, and it is parked for it, it is tried again.
    ///
    /// ```
    /// # use workflow_runtime::prelude::*;
    /// # use workflow_runtime::{Cancel, Engine};
    /// #[state] pub struct Asked { what: String }
    /// #[state(end)] pub struct Withdrawn { why: String }
    /// pub struct Request;
    ///
    /// #[workflow(start = Asked)]
    /// impl Request {
    ///     #[on(allow(endless_wait))]
    ///     fn withdrawn(&self, _: Asked, cancel: Cancel) -> Withdrawn { Withdrawn { why: cancel.reason } }
    /// }
    ///
    /// # workflow_runtime::block_on(async {
    /// let engine = Engine::in_memory().workflow(Request).start().await?;
    /// let request = engine.start::<Request>("request-1", Asked { what: "a raise".into() }).await?;
    /// request.cancel("found another job").await?;
    /// let RequestOutcome::Withdrawn(withdrawn) = request.outcome().await?;
    /// assert_eq!(withdrawn.why, "found another job");
    /// # workflow_runtime::Result::<()>::Ok(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`EngineError::UnknownExecution`], [`EngineError::Ended`], [`EngineError::ShuttingDown`], or that of the store.
    pub async fn cancel(&self, reason: impl Into<Reason>) -> Result<(), EngineError> {
        let reason = reason.into();
        self.request(ControlAction::Cancel, &reason, &reason).await
    }

    /// Stops it for a person: it is parked where it is, and nothing happens to it until [`retry`](Self::retry),
    /// [`skip`](Self::skip), [`move_to`](Self::move_to), [`cancel`](Self::cancel) or [`terminate`](Self::terminate).
    /// Events queue, timers stand still.
    ///
    /// # Errors
    /// As [`cancel`](Self::cancel); [`EngineError::Refused`] if it is parked already.
    pub async fn park(&self, reason: impl Into<Reason>) -> Result<(), EngineError> {
        let reason = reason.into();
        self.request(ControlAction::Park, &reason, &reason).await
    }

    /// Has it try again what it was parked for: in the same visit, with the results of the steps that succeeded, and with
    /// all attempts for those that did not.
    ///
    /// # Errors
    /// [`EngineError::NotParked`], [`EngineError::UnknownExecution`], [`EngineError::ShuttingDown`], or that of the store.
    pub async fn retry(&self) -> Result<(), EngineError> {
        self.retry_because(Reason::default()).await
    }

    /// As [`retry`](Self::retry), with a reason for the history.
    ///
    /// # Errors
    /// As [`retry`](Self::retry).
    pub async fn retry_because(&self, reason: impl Into<Reason>) -> Result<(), EngineError> {
        let reason = reason.into();
        self.load_parked().await?;
        self.request(ControlAction::Retry, &reason, &reason).await
    }

    /// Gives a failed step of a parked execution its result, and has the execution go on as [`retry`](Self::retry) does: the
    /// handler gets `result` where it calls the step.
    ///
    /// `step` is the name of the step or, where several of its calls have failed, the key of one in the journal, as
    /// [`failed_steps`](Self::failed_steps) has it. `result` is what the step returns on success (without `Ok`); a
    /// `serde_json::Value` of the same shape will do. If the step cannot read it, the execution is parked again.
    ///
    /// # Errors
    /// [`EngineError::NotParked`]; [`EngineError::NoFailedStep`], which names those that have failed;
    /// [`EngineError::Unwritable`], [`EngineError::PayloadTooLarge`], and as [`cancel`](Self::cancel).
    pub async fn skip<T: Serialize + ?Sized>(
        &self,
        step: &str,
        result: &T,
        reason: impl Into<Reason>,
    ) -> Result<(), EngineError> {
        let reason = reason.into();
        let result = Json::encode(result).map_err(|error| EngineError::unwritable(step, error))?;
        self.core().check_size(step, &result)?;
        let failed = self.failed_steps().await?;
        let mut asked = failed.iter().filter(|entry| entry.key == step || entry.step() == step);
        let (Some(entry), None) = (asked.next(), asked.next()) else {
            let failed = failed.iter().map(|entry| entry.key.to_string()).collect();
            return Err(EngineError::NoFailedStep { key: self.key().clone(), step: step.to_owned(), failed });
        };
        let order = SkipOrder { reason: reason.clone(), key: entry.key.to_string(), result };
        self.request(ControlAction::Skip, &reason, &order).await
    }

    /// The calls of steps that have failed, for good or so far, of an execution that is parked: those that
    /// [`skip`](Self::skip) may give a result.
    ///
    /// # Errors
    /// [`EngineError::NotParked`], [`EngineError::UnknownExecution`], or that of the store.
    pub async fn failed_steps(&self) -> Result<Vec<JournalEntry>, EngineError> {
        let stored = self.load_parked().await?;
        Ok(stored.journal.into_iter().filter(JournalEntry::has_failed).collect())
    }

    /// Takes it to another state, with data by hand: as a transition does, whatever it did before, also from a state in
    /// which it is parked. The journal of the visit is dropped; nothing is undone.
    ///
    /// This goes past what the workflow allows: whether the state makes sense there is for the person to know.
    ///
    /// # Errors
    /// [`EngineError::Unwritable`], [`EngineError::PayloadTooLarge`], and as [`cancel`](Self::cancel).
    pub async fn move_to(&self, state: W::State, reason: impl Into<Reason>) -> Result<(), EngineError> {
        let reason = reason.into();
        let data = state.encode().map_err(|error| EngineError::unwritable(state.name(), error))?;
        self.core().check_size(state.name(), &data)?;
        let order = MoveOrder { reason: reason.clone(), state: state.name().to_owned(), data };
        self.request(ControlAction::Move, &reason, &order).await
    }

    /// Ends it where it is, at once: steps that run are cut off, **nothing is undone**, no code of the workflow runs any
    /// more. [`outcome`](Self::outcome) is [`EngineError::Terminated`]. Where what it has done is to be undone,
    /// [`cancel`](Self::cancel) it.
    ///
    /// # Errors
    /// As [`cancel`](Self::cancel).
    pub async fn terminate(&self, reason: impl Into<Reason>) -> Result<(), EngineError> {
        let reason = reason.into();
        self.request(ControlAction::Terminate, &reason, &reason).await
    }

    async fn load_parked(&self) -> Result<Stored, EngineError> {
        let stored = self.load().await?;
        match stored.record.parked {
            Some(_) => Ok(stored),
            None => Err(EngineError::NotParked { key: self.key().clone() }),
        }
    }

    async fn request(
        &self,
        action: ControlAction,
        reason: &Reason,
        payload: &impl Serialize,
    ) -> Result<(), EngineError> {
        let core = self.core();
        let event = request_event(core, action, reason, payload)
            .map_err(|error| EngineError::unwritable(action.event_name(), error))?;
        request(core, self.key(), action, event).await
    }
}

/// The event that asks for `action`.
pub(super) fn request_event(
    core: &Core,
    action: ControlAction,
    reason: &Reason,
    payload: &impl Serialize,
) -> Result<NewEvent, JsonError> {
    let name = action.event_name();
    let event_id = match &reason.once {
        Some(once) => format!("{name}:{once}"),
        None => format!("{name}:{:032x}", fastrand::u128(..)),
    };
    Ok(NewEvent { event_id, name: name.into(), payload: Json::encode(payload)?, sent_at: core.now() })
}

async fn request(
    core: &Arc<Core>,
    key: &ExecutionKey,
    action: ControlAction,
    event: NewEvent,
) -> Result<(), EngineError> {
    let (own, key) = (Arc::clone(core), key.clone());
    core.see_through(async move {
        let event_id = event.event_id.clone();
        let answer = own.requests.ask(&key, &event_id);
        let committed = own.commit_one(Commit { key: key.clone(), change: Change::Deliver { event } }).await;
        if !matches!(committed, Ok(Committed::Applied)) {
            drop(answer);
            own.requests.gone(&key);
            return committed.map(|_| ());
        }
        own.requests.delivered(&key, &event_id);
        if !own.activate(&key) {
            return Ok(());
        }
        match (answer.await, action) {
            // It is what was asked for that is under way.
            (Ok(Taken::Done | Taken::Later) | Err(_), _) | (Ok(Taken::Refused(_)), ControlAction::Cancel) => Ok(()),
            (Ok(Taken::Over), _) => Err(EngineError::Ended { key }),
            (Ok(Taken::Refused(_)), ControlAction::Retry) => Err(EngineError::NotParked { key }),
            (Ok(Taken::Refused(why)), action) => Err(EngineError::Refused { key, action, why }),
        }
    })
    .await
}
