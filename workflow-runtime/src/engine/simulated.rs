//! What a simulation does to an engine, and asks of it, that a program cannot.

use super::{AskError, Engine, EngineError, Execution};
use crate::base::{ExecutionId, Timestamp};
use crate::machine::{Accepts, Asks, Workflow};
use crate::record::{ControlAction, Json, JsonError};
use crate::store::Committed;

impl Engine {
    /// Stops everything where it is, as the end of the process would.
    pub(crate) fn crash(&self) {
        self.core.abort();
    }

    /// As [`start`](Self::start), with a state that is encoded.
    pub(crate) async fn start_encoded<W: Workflow>(
        &self,
        id: ExecutionId,
        data: Json,
        at: Option<Timestamp>,
    ) -> Result<(), EngineError> {
        let commit = self.new_encoded::<W>(self.core.key::<W>(id)?, data, at)?;
        self.core.start_all(vec![commit]).await?;
        Ok(())
    }

    pub(crate) fn unwritable(name: &str, error: JsonError) -> EngineError {
        EngineError::unwritable(name, error)
    }

    /// Whether it can do nothing any more, and why.
    pub(crate) fn failure(&self) -> Option<EngineError> {
        self.core.is_stopping().then(|| self.core.stopped())
    }

    /// The events that edges of a state take, by their names.
    pub(crate) fn events_of(&self, workflow: &str, state: &str) -> Vec<String> {
        let Ok(machine) = self.core.machine(workflow) else { return Vec::new() };
        let Some(state) = machine.plan().state(state) else { return Vec::new() };
        state.on.iter().filter_map(|edge| edge.events.first().cloned()).collect()
    }
}

impl<W: Workflow> Execution<W> {
    /// The name that an event has by its key, if it has one.
    pub(crate) fn id_of<E>(event: &E) -> Option<Result<String, EngineError>>
    where
        W: Accepts<E>,
    {
        let key = W::event_key(event)?;
        let id = ExecutionId::new(format!("{}:{key}", W::event_name()));
        Some(id.map(|id| id.as_str().to_owned()).map_err(EngineError::from))
    }

    /// As [`send_once`](Self::send_once), with an event that is encoded.
    pub(crate) async fn send_encoded(&self, event_id: String, name: &str, payload: Json) -> Result<(), EngineError> {
        self.deliver_encoded(event_id, name, payload).await.map(drop)
    }

    /// As [`ask_once`](Self::ask_once), with an event that is encoded.
    pub(crate) async fn ask_encoded<E>(&self, event_id: String, payload: Json) -> Result<W::Reply, AskError<W::Refusal>>
    where
        W: Asks<E>,
    {
        let watch = self.core().watchers.watch(self.key());
        let is_new = self.deliver_encoded(event_id.clone(), W::event_name(), payload).await? == Committed::Applied;
        self.decoded_answer::<E>(W::event_name(), &event_id, watch, is_new).await
    }

    /// Whether a request of this name has reached it.
    pub(crate) async fn was_asked(&self, action: ControlAction, once: &str) -> Result<bool, EngineError> {
        let event_id = format!("{}:{once}", action.event_name());
        Ok(self.core().store().event(self.key(), &event_id).await?.is_some())
    }

    pub(crate) fn unreadable_state(&self, state: &str) -> EngineError {
        EngineError::Unreadable { key: self.key().clone(), state: state.to_owned(), source: None }
    }
}
