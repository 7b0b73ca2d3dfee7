//! Layer 5: the engine, which runs the executions of one store. All tokio code is here.
//!
//! An execution that has something to do has a task of its own, up to a limit; one that waits has none, and no memory
//! either. [`run`] takes one execution as far as it goes, [`scheduler`] finds in the store what is due, [`active`] keeps
//! the two from doing the same execution twice. What is to be done is the kernel's to decide; this layer carries it out.

mod active;
mod ask;
mod block_on;
mod builder;
mod bulk;
mod checking;
#[cfg(feature = "command")]
mod command;
mod commands;
mod control;
mod core;
mod error;
mod forking;
mod handle;
mod limits;
#[cfg(all(test, loom))]
mod loom_tests;
mod migrating;
mod progress;
mod queued;
mod registry;
mod requests;
mod run;
mod schedule;
mod scheduler;
mod searching;
#[cfg(any(test, feature = "testing"))]
mod simulated;
mod starting;
mod system_clock;
mod tasks;
mod watchers;

use std::sync::Arc;
use std::time::Duration;

pub use ask::AskError;
pub use block_on::block_on;
pub use builder::EngineBuilder;
pub use bulk::BulkReport;
pub use checking::{CheckGroup, CheckReport, FitGroup, Misfit, Unknown};
#[cfg(all(feature = "command", any(test, feature = "testing")))]
pub(crate) use command::reads_command;
pub use error::EngineError;
pub use forking::{ForkRefused, ForkableVisits};
pub use handle::Execution;
pub use limits::Limit;
pub use migrating::MigrationReport;
pub use schedule::{
    CatchUp, Interval, Overlap, RunEnd, Schedule, ScheduleError, ScheduleHandle, ScheduleInfo, ScheduledRun,
    StartsNothing, StartsWorkflow,
};
pub use searching::{StuckBecause, StuckExecution, StuckPage};
pub use system_clock::SystemClock;

use self::core::Core;
use crate::base::{ExecutionId, Timestamp};
use crate::kernel::Kernel;
use crate::machine::{State as _, Workflow};
use crate::record::{ExecutionKey, HistoryRecord, Json};
use crate::store::{Change, Commit, StateCount, Store};

/// Runs the executions of one store. See [`EngineBuilder`] for what can be set.
///
/// Cloning is cheap, and a clone is the same engine. When the last clone is dropped, everything that runs is stopped
/// where it is, and goes on from there when an engine is started on the store again; [`shutdown`](Self::shutdown) lets
/// running steps finish first.
///
/// ```
/// use workflow_runtime::prelude::*;
/// use workflow_runtime::Engine;
///
/// #[state]
/// pub struct Draft { text: String }
/// #[state(end)]
/// pub struct Published { words: usize }
///
/// pub struct Article;
///
/// #[workflow(start = Draft)]
/// impl Article {
///     #[state]
///     fn publish(&self, draft: Draft) -> Published {
///         Published { words: draft.text.split_whitespace().count() }
///     }
/// }
///
/// #[workflow_runtime::main]
/// async fn main() -> Result<()> {
///     let engine = Engine::in_memory().workflow(Article).start().await?;
///     let article = engine.start::<Article>("a-first-one", Draft { text: "so it begins".into() }).await?;
///     let ArticleOutcome::Published(published) = article.outcome().await?;
///     assert_eq!(published.words, 3);
///     engine.shutdown().await?;
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Engine {
    core: Arc<Core>,
    /// Stops everything when the last clone is gone: the tasks themselves keep `core` alive.
    _stop: Arc<StopOnDrop>,
}

#[derive(Debug)]
struct StopOnDrop(Arc<Core>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Engine {
    /// An engine on the SQLite file `path`, which is made if it is not there.
    #[cfg(feature = "sqlite")]
    pub fn sqlite(path: impl Into<std::path::PathBuf>) -> EngineBuilder {
        EngineBuilder::on_sqlite(path.into())
    }

    /// An engine whose executions are gone when the process is: for tests, and to try things out.
    pub fn in_memory() -> EngineBuilder {
        EngineBuilder::on_store(Arc::new(crate::stores::MemoryStore::new()))
    }

    /// An engine on `store`.
    pub fn on(store: Arc<dyn Store>) -> EngineBuilder {
        EngineBuilder::on_store(store)
    }

    fn new(core: Arc<Core>) -> Self {
        Self { _stop: Arc::new(StopOnDrop(Arc::clone(&core))), core }
    }

    /// Starts an execution of `W` with the caller's name for it, in the state `start`. When this returns, the start is on
    /// disk.
    ///
    /// If there is an execution of this id, whatever it was started with and wherever it is now, it is left as it is and
    /// given back: a start can be repeated safely. [`Execution::is_new`] says which of the two it was.
    ///
    /// # Errors
    /// [`EngineError::InvalidId`], [`EngineError::UnknownWorkflow`] if the engine was not given `W`,
    /// [`EngineError::PayloadTooLarge`], [`EngineError::Unwritable`], [`EngineError::ShuttingDown`], or that of the store.
    pub async fn start<W: Workflow>(&self, id: impl AsRef<str>, start: W::Start) -> Result<Execution<W>, EngineError> {
        let execution = self.execution::<W>(id)?;
        let commit = self.new_execution::<W>(execution.key().clone(), &start, None)?;
        let is_new = self.core.start_all(vec![commit]).await? > 0;
        Ok(execution.begun(is_new))
    }

    /// As [`start`](Self::start), but it begins at `at`: until then the execution is only a row, which is listed as waiting
    /// until that time, and can be sent events, cancelled or moved. A time that is over is at once.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_at<W: Workflow>(
        &self,
        id: impl AsRef<str>,
        start: W::Start,
        at: Timestamp,
    ) -> Result<Execution<W>, EngineError> {
        let execution = self.execution::<W>(id)?;
        let commit = self.new_execution::<W>(execution.key().clone(), &start, Some(at))?;
        let is_new = self.core.start_all(vec![commit]).await? > 0;
        Ok(execution.begun(is_new))
    }

    /// As [`start_at`](Self::start_at), `delay` from now.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_after<W: Workflow>(
        &self,
        id: impl AsRef<str>,
        start: W::Start,
        delay: Duration,
    ) -> Result<Execution<W>, EngineError> {
        self.start_at(id, start, self.core.now() + delay).await
    }

    /// Starts many executions of `W`, in commits of up to 1,000, and says how many of them are new.
    ///
    /// # Errors
    /// As [`start`](Self::start); those before the one that is refused have been started, a thousand at a time.
    pub async fn start_all<W: Workflow, I: AsRef<str>>(
        &self,
        executions: impl IntoIterator<Item = (I, W::Start)>,
    ) -> Result<usize, EngineError> {
        const BATCH: usize = 1_000;
        let mut executions = executions.into_iter();
        let mut new = 0;
        loop {
            let mut commits = Vec::new();
            for (id, start) in executions.by_ref().take(BATCH) {
                let key = self.core.key::<W>(ExecutionId::new(id)?)?;
                commits.push(self.new_execution::<W>(key, &start, None)?);
            }
            if commits.is_empty() {
                return Ok(new);
            }
            new += self.core.start_all(commits).await?;
        }
    }

    /// The execution of `W` with this id. Whether there is one shows when it is used.
    ///
    /// # Errors
    /// [`EngineError::InvalidId`], or [`EngineError::UnknownWorkflow`] if the engine was not given `W`.
    pub fn execution<W: Workflow>(&self, id: impl AsRef<str>) -> Result<Execution<W>, EngineError> {
        let key = self.core.key::<W>(ExecutionId::new(id)?)?;
        Ok(Execution::new(self.clone(), key))
    }

    /// How many executions of `W` are in each state.
    ///
    /// # Errors
    /// That of the store.
    pub async fn counts<W: Workflow>(&self) -> Result<Vec<StateCount>, EngineError> {
        Ok(self.core.store().counts(Some(W::NAME)).await?)
    }

    /// How many executions have a task at present: those that wait have none.
    #[must_use]
    pub fn active(&self) -> usize {
        self.core.active.len()
    }

    /// Stops: starts nothing more, lets running steps finish and saves their results, for as long as the
    /// [drain timeout](EngineBuilder::drain_timeout) allows, then stops what is left where it is. Nothing is lost either
    /// way. Whoever waits for an outcome gets [`EngineError::ShuttingDown`].
    ///
    /// # Errors
    /// The failure of the store that stopped the engine before, if one did.
    pub async fn shutdown(&self) -> Result<(), EngineError> {
        self.core.shutdown().await
    }

    /// Ready when the engine has stopped: told to by [`shutdown`](Self::shutdown) or, with
    /// [`shutdown_on_ctrl_c`](EngineBuilder::shutdown_on_ctrl_c), by a signal, or because its store failed. A service waits
    /// here at the end of its `main`.
    ///
    /// # Errors
    /// The failure of the store, if that was the reason.
    pub async fn stopped(&self) -> Result<(), EngineError> {
        self.core.stopped_for_good().await
    }

    fn new_execution<W: Workflow>(
        &self,
        key: ExecutionKey,
        start: &W::Start,
        at: Option<Timestamp>,
    ) -> Result<Commit, EngineError> {
        let data = start.encode().map_err(|error| EngineError::unwritable(W::Start::NAME, error))?;
        self.new_encoded::<W>(key, data, at)
    }

    fn new_encoded<W: Workflow>(
        &self,
        key: ExecutionKey,
        data: Json,
        at: Option<Timestamp>,
    ) -> Result<Commit, EngineError> {
        let plan = self.core.plan_of::<W>()?;
        self.core.check_size(W::Start::NAME, &data)?;
        let now = self.core.now();
        let new = Kernel::start_at(crate::base::Name::constant(W::Start::NAME), data, plan, at.unwrap_or(now), now)
            .of_version(W::VERSION)
            .keeping_state_data(self.core.keep_state_data);
        let history: Vec<HistoryRecord> = vec![new.history];
        Ok(Commit { key, change: Change::Create { record: Box::new(new.record), history } })
    }
}
