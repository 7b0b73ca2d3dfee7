//! What a person may do to an execution, in a [`Stepper`]: as with an engine.

use serde::Serialize;

use super::{Rest, Stepper};
use crate::base::{Error, Result};
use crate::machine::{Workflow, WorkflowState as _};
use crate::record::{ControlAction, HistoryKind, JournalEntry, Json, MoveOrder, Reason, SkipOrder};

impl<W: Workflow> Stepper<W> {
    /// Cancels it, as [`Execution::cancel`](crate::Execution::cancel) does, then [runs](Self::run) it.
    ///
    /// # Errors
    /// If it has ended.
    pub async fn cancel(&mut self, reason: impl Into<Reason>) -> Result<Rest> {
        self.request(ControlAction::Cancel, &reason.into()).await
    }

    /// Stops it for a person, as [`Execution::park`](crate::Execution::park) does.
    ///
    /// # Errors
    /// If it has ended, or is parked already.
    pub async fn park(&mut self, reason: impl Into<Reason>) -> Result<Rest> {
        self.request(ControlAction::Park, &reason.into()).await
    }

    /// Has it try again what it was parked for, then [runs](Self::run) it.
    ///
    /// # Errors
    /// If it is not parked.
    pub async fn retry(&mut self) -> Result<Rest> {
        self.request(ControlAction::Retry, &Reason::default()).await
    }

    /// Gives a failed step its result, as [`Execution::skip`](crate::Execution::skip) does, then [runs](Self::run) it.
    ///
    /// # Errors
    /// If it is not parked, if no step or several of this name have failed, or if the result cannot be saved.
    pub async fn skip<T: Serialize + ?Sized>(
        &mut self,
        step: &str,
        result: &T,
        reason: impl Into<Reason>,
    ) -> Result<Rest> {
        let failed: Vec<_> = self.execution.journal().iter().filter(|entry| entry.has_failed()).collect();
        let mut asked = failed.iter().filter(|entry| entry.key == step || entry.step() == step);
        let (Some(entry), None) = (asked.next(), asked.next()) else {
            let failed: Vec<_> = failed.iter().map(|entry: &&JournalEntry| entry.key.as_str()).collect();
            return Err(Error::msg(format!("it has no single failed step `{step}`: name one of {failed:?}")));
        };
        let order = SkipOrder { reason: reason.into(), key: entry.key.to_string(), result: Json::encode(result)? };
        self.request(ControlAction::Skip, &order).await
    }

    /// Takes it to another state, as [`Execution::move_to`](crate::Execution::move_to) does, then [runs](Self::run) it.
    ///
    /// # Errors
    /// If it has ended, or the data of the state cannot be saved.
    pub async fn move_to(&mut self, state: W::State, reason: impl Into<Reason>) -> Result<Rest> {
        let (state, data) = (state.name().to_owned(), state.encode()?);
        self.request(ControlAction::Move, &MoveOrder { reason: reason.into(), state, data }).await
    }

    /// Ends it where it is, as [`Execution::terminate`](crate::Execution::terminate) does.
    ///
    /// # Errors
    /// If it has ended.
    pub async fn terminate(&mut self, reason: impl Into<Reason>) -> Result<Rest> {
        self.request(ControlAction::Terminate, &reason.into()).await
    }

    async fn request(&mut self, action: ControlAction, payload: &impl Serialize) -> Result<Rest> {
        self.receive(action.event_name(), Json::encode(payload)?, None)?;
        let before = self.history.len();
        let rest = self.run().await?;
        let rows = self.history.iter().skip(before);
        let mut refused = rows.filter_map(|row| match &row.kind {
            HistoryKind::Control { refused, .. } => refused.as_deref(),
            _ => None,
        });
        match refused.next() {
            Some(why) => Err(Error::msg(format!("nothing came of the request to {action} the execution: {why}"))),
            None => Ok(rest),
        }
    }
}
