//! One execution, as its caller sees it.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::core::Core;
use super::watchers::Watch;
use super::{Engine, EngineError};
use crate::base::ExecutionId;
use crate::machine::{Accepts, EventPolicy, Outcome as _, Sending, Workflow, WorkflowState as _, newer, read_state};
use crate::record::{
    Activity, Answer, Closed, ErrorKind, ErrorRecord, ExecutionKey, ExecutionRecord, Json, NewEvent, Status,
};
use crate::store::{Change, Commit, Committed, HistoryRow, StoreError, Stored};

/// An execution of `W` in an [`Engine`]: to send it events, look at it, and wait for its end.
///
/// It is only a name and costs nothing; cloning gives another of it. Dropping it does not stop the execution.
pub struct Execution<W> {
    engine: Engine,
    key: ExecutionKey,
    is_new: bool,
    workflow: PhantomData<fn() -> W>,
}

impl<W> Clone for Execution<W> {
    fn clone(&self) -> Self {
        Self { engine: self.engine.clone(), key: self.key.clone(), is_new: self.is_new, workflow: PhantomData }
    }
}

impl<W> fmt::Debug for Execution<W> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Execution({})", self.key)
    }
}

impl<W: Workflow> Execution<W> {
    pub(super) fn new(engine: Engine, key: ExecutionKey) -> Self {
        Self { engine, key, is_new: false, workflow: PhantomData }
    }

    /// The same, from a call that has begun it, or has not.
    pub(super) fn begun(self, is_new: bool) -> Self {
        Self { is_new, ..self }
    }

    /// Whether the call that gave this has begun the execution. `false` if there was one of its id already, which
    /// [`start`](Engine::start) leaves as it is, whatever that one was started with; also for a start that is made again
    /// because nobody heard the answer to the first. Where an id may be taken by something else, this tells.
    ///
    /// ```
    /// # use workflow_runtime::prelude::*;
    /// # use workflow_runtime::Engine;
    /// # #[state] pub struct Asked { what: String }
    /// # #[state(end)] pub struct Answered;
    /// # #[event] pub struct Answer;
    /// # pub struct Question;
    /// # #[workflow(start = Asked)]
    /// # impl Question { #[on(allow(endless_wait))] fn answered(&self, _: Asked, _: Answer) -> Answered { Answered } }
    /// # workflow_runtime::block_on(async {
    /// let engine = Engine::in_memory().workflow(Question).start().await?;
    /// let first = engine.start::<Question>("q", Asked { what: "the time".into() }).await?;
    /// let second = engine.start::<Question>("q", Asked { what: "the way".into() }).await?;
    /// assert!(first.is_new() && !second.is_new());
    /// assert!(matches!(second.state().await?, QuestionState::Asked(asked) if asked.what == "the time"));
    /// # workflow_runtime::Result::<()>::Ok(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// The caller's name for it.
    #[must_use]
    pub fn id(&self) -> &ExecutionId {
        &self.key.id
    }

    pub(super) fn key(&self) -> &ExecutionKey {
        &self.key
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.engine.core
    }

    /// Sends it an event. When this returns, the event is on disk; it stays in the inbox until an edge of the state that
    /// the execution is in, or comes to, takes it.
    ///
    /// Sent twice, it is two events: where a repetition is possible, give it an id with [`send_once`](Self::send_once), or give
    /// its type a `#[event(key = "…")]`: then a second one with the same key is a repetition.
    ///
    /// # Errors
    /// [`EngineError::UnknownExecution`], [`EngineError::Ended`], [`EngineError::PayloadTooLarge`],
    /// [`EngineError::Unwritable`], [`EngineError::ShuttingDown`], or that of the store. [`EngineError::Rejected`] if the event
    /// is one with `#[event(reject)]`, and no edge of the present state takes it; if the state changes while the event is on its
    /// way, that is noted in the history. [`EngineError::InvalidId`] if its key cannot be one.
    #[expect(clippy::needless_pass_by_value, reason = "an event is given away")]
    pub fn send<E>(&self, event: E) -> Sending<'_, Result<(), EngineError>>
    where
        W: Accepts<E>,
    {
        self.deliver(self.event_id(&event), &event, drop)
    }

    /// Sends it an event with the sender's name for this message, such as the id of a payment: a second one of the same
    /// name to this execution is taken for a repetition, and changes nothing.
    ///
    /// # Errors
    /// As [`send`](Self::send); [`EngineError::InvalidId`] if the name cannot be one.
    #[expect(clippy::needless_pass_by_value, reason = "an event is given away")]
    pub fn send_once<E>(&self, event_id: impl AsRef<str>, event: E) -> Sending<'_, Result<(), EngineError>>
    where
        W: Accepts<E>,
    {
        let event_id = ExecutionId::new(event_id).map(|event_id| event_id.as_str().to_owned());
        self.deliver(event_id.map_err(EngineError::from), &event, drop)
    }

    /// Waits for its end, and gives the end state.
    ///
    /// # Errors
    /// [`EngineError::Parked`] if it fails and waits for a person; [`EngineError::Cancelled`] or
    /// [`EngineError::Terminated`] if it was closed before its end; [`EngineError::OtherVersion`] if it is of a version that
    /// this build is too old for, as no other program ends it while this one has the store; [`EngineError::UnknownExecution`],
    /// [`EngineError::Unreadable`], [`EngineError::ShuttingDown`], or that of the store.
    pub async fn outcome(&self) -> Result<W::Outcome, EngineError> {
        loop {
            // Before the look, so that nothing is missed in between.
            let watch = self.engine.core.watchers.watch(&self.key);
            if !self.is_running(&watch) {
                let Stored { record, inbox, .. } = self.load_or_parked().await?;
                if let Some(end) = self.end(&record) {
                    return end;
                }
                // Somebody has done something by hand, and what comes of it is to be seen yet.
                let has_control = inbox.iter().any(|event| event.event.control().is_some());
                if record.status() == Status::Parked && !has_control {
                    let error = record.parked.map(|parked| parked.error).unwrap_or_else(no_reason);
                    return Err(EngineError::Parked { key: self.key.clone(), error });
                }
                if self.engine.core.is_stopping() {
                    return Err(self.engine.core.stopped());
                }
                self.check_not_newer(&record)?;
            }
            if let Some(record) = watch.told().await
                && let Some(end) = self.end(&record)
            {
                return end;
            }
        }
    }

    /// Whether it runs now, so that there is nothing to read yet: then `watch` is told when it does not any more.
    pub(super) fn is_running(&self, watch: &Watch<'_>) -> bool {
        let core = &self.engine.core;
        if core.is_stopping() || !core.active.is_active(&self.key) {
            return false;
        }
        watch.mark_unread();
        core.active.is_active(&self.key)
    }

    /// What came out of it, if it is over.
    fn end(&self, record: &ExecutionRecord) -> Option<Result<W::Outcome, EngineError>> {
        match (record.status(), &record.closed) {
            (_, Some(Closed::Cancelled { reason })) => {
                Some(Err(EngineError::Cancelled { key: self.key.clone(), reason: reason.clone() }))
            }
            (_, Some(Closed::Terminated { reason })) => {
                Some(Err(EngineError::Terminated { key: self.key.clone(), reason: reason.clone() }))
            }
            (Status::Ended, None) => Some(
                self.read_state(record)
                    .and_then(|state| W::Outcome::from_state(state).map_err(|_| self.unreadable(record, None))),
            ),
            _ => None,
        }
    }

    /// The state that it is in, as last committed: no code of the workflow runs. That of an older version, which has not been
    /// migrated yet, is what its migrations make of it; nothing is written for that.
    ///
    /// # Errors
    /// [`EngineError::UnknownExecution`], [`EngineError::Unreadable`], [`EngineError::OtherVersion`], or that of the store.
    pub async fn state(&self) -> Result<W::State, EngineError> {
        let record = self.record().await?;
        self.read_state(&record)
    }

    /// Its whole record, as last committed: how it stands, since when, what it waits for, why it is parked.
    ///
    /// # Errors
    /// [`EngineError::UnknownExecution`], or that of the store.
    pub async fn record(&self) -> Result<ExecutionRecord, EngineError> {
        Ok(self.load_or_parked().await?.record)
    }

    /// What is stored of it; a damaged one counts as parked.
    async fn load_or_parked(&self) -> Result<Stored, EngineError> {
        match self.load().await {
            Err(EngineError::Store(error @ StoreError::Corrupt { .. })) => {
                let error = ErrorRecord::new(ErrorKind::Unreadable, &crate::base::Error::from(error));
                Err(EngineError::Parked { key: self.key.clone(), error })
            }
            loaded => loaded,
        }
    }

    /// Its history, oldest first: the rows after the one with the place `after` (0 for the beginning), at most `limit`.
    ///
    /// # Errors
    /// [`EngineError::UnknownExecution`], or that of the store.
    pub async fn history(&self, after: u64, limit: usize) -> Result<Vec<HistoryRow>, EngineError> {
        let rows = self.engine.core.store().history(&self.key, after, limit).await?;
        if rows.is_empty() && after == 0 && limit > 0 {
            // Every execution has a first row.
            self.record().await?;
        }
        Ok(rows)
    }

    /// The name of a message that its sender gave none: its key, or else one that nothing else has.
    pub(super) fn event_id<E>(&self, event: &E) -> Result<String, EngineError>
    where
        W: Accepts<E>,
    {
        match W::event_key(event) {
            Some(key) => Ok(ExecutionId::new(format!("{}:{key}", W::event_name()))?.as_str().to_owned()),
            None => Ok(format!("{:032x}", fastrand::u128(..))),
        }
    }

    /// Puts an event into the inbox, and says what `told` makes of that.
    pub(super) fn deliver<E, T: Send + 'static>(
        &self,
        event_id: Result<String, EngineError>,
        event: &E,
        told: fn(Committed) -> T,
    ) -> Sending<'_, Result<T, EngineError>>
    where
        W: Accepts<E>,
    {
        let (name, payload) = (W::event_name(), W::encode_event(event));
        Sending::new(async move {
            let (event_id, payload) = (event_id?, payload.map_err(|error| EngineError::unwritable(name, error))?);
            self.deliver_encoded(event_id, name, payload).await.map(told)
        })
    }

    pub(super) async fn deliver_encoded(
        &self,
        event_id: String,
        name: &str,
        payload: Json,
    ) -> Result<Committed, EngineError> {
        let core = &self.engine.core;
        core.check_size(name, &payload)?;
        self.check_taken(name, &event_id).await?;
        let event = NewEvent { event_id, name: name.into(), payload, sent_at: core.now() };
        core.commit_and_activate(Commit { key: self.key.clone(), change: Change::Deliver { event } }).await
    }

    /// Refuses an event with the policy `reject` that the present state does not take, unless it is a repetition.
    async fn check_taken(&self, name: &str, event_id: &str) -> Result<(), EngineError> {
        let core = &self.engine.core;
        let plan = core.plan_of::<W>()?;
        if plan.policy(name) != EventPolicy::Reject {
            return Ok(());
        }
        let Some(Stored { record, .. }) = core.store().load(&self.key).await? else { return Ok(()) };
        let rests = matches!(record.activity, Activity::Entry | Activity::Waiting) && record.parked.is_none();
        let rests = rests && record.version == W::VERSION;
        let takes = plan.state(&record.state).is_none_or(|state| state.on(name).is_some());
        if !rests || takes || record.waits_for.iter().any(|event| event == name) {
            return Ok(());
        }
        match core.store().event(&self.key, event_id).await?.map(|known| known.answer) {
            None | Some(Some(Answer::Rejected { .. })) => {
                Err(EngineError::Rejected { key: self.key.clone(), event: name.to_owned(), state: record.state.into() })
            }
            Some(_) => Ok(()),
        }
    }

    pub(super) async fn load_stored(&self) -> Result<Stored, EngineError> {
        self.load_or_parked().await
    }

    pub(super) async fn load(&self) -> Result<Stored, EngineError> {
        let stored = self.engine.core.store().load(&self.key).await?;
        stored.ok_or_else(|| EngineError::UnknownExecution { key: self.key.clone() })
    }

    /// Refuses one that this engine has no code for, as it is of a newer version: nothing happens to it here.
    pub(super) fn check_not_newer(&self, record: &ExecutionRecord) -> Result<(), EngineError> {
        let (version, known) = (record.version, self.engine.core.machine(&self.key.workflow)?.plan().version());
        if version <= known {
            return Ok(());
        }
        let error = ErrorRecord::new(ErrorKind::Migration, &newer(version, known));
        Err(EngineError::OtherVersion { key: self.key.clone(), version, known, error })
    }

    fn read_state(&self, record: &ExecutionRecord) -> Result<W::State, EngineError> {
        if record.version != W::VERSION {
            return read_state::<W>(record.version, &record.state, &record.data).map_err(|error| {
                let error = ErrorRecord::new(ErrorKind::Migration, &error);
                EngineError::OtherVersion { key: self.key.clone(), version: record.version, known: W::VERSION, error }
            });
        }
        match W::State::decode(&record.state, &record.data) {
            Some(state) => state.map_err(|error| self.unreadable(record, Some(error))),
            None => Err(self.unreadable(record, None)),
        }
    }

    fn unreadable(&self, record: &ExecutionRecord, source: Option<crate::record::JsonError>) -> EngineError {
        EngineError::Unreadable { key: self.key.clone(), state: record.state.to_string(), source }
    }
}

fn no_reason() -> ErrorRecord {
    ErrorRecord { kind: ErrorKind::Unreadable, message: "no reason is recorded".to_owned(), sources: Vec::new() }
}
