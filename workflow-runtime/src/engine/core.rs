//! What the parts of an engine share.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::{AbortHandle, JoinHandle};

use super::EngineError;
use super::active::{ActiveSet, Claim};
use super::registry::{Machine, Registry};
use super::requests::Requests;
use super::run::Run;
use super::scheduler::{Alarm, Offered};
use super::tasks::Tasks;
use super::watchers::Watchers;
use crate::base::{ExecutionId, Timestamp};
use crate::kernel::Plan;
use crate::machine::{Services, Workflow};
use crate::record::{ExecutionKey, Json};
use crate::store::{Commit, Committed, Epoch, Refused, Store, StoreError, Stored};

#[derive(Debug)]
pub(super) struct Core {
    pub(super) store: Arc<dyn Store>,
    pub(super) epoch: Epoch,
    pub(super) registry: Registry,
    /// What turns are lent.
    pub(super) services: Services,
    pub(super) drain_timeout: Duration,
    pub(super) active: Arc<ActiveSet>,
    pub(super) alarm: Alarm,
    pub(super) offered: Offered,
    /// Those who wait for what they asked for by hand.
    pub(super) requests: Requests,
    /// They are told when an execution has ended or was parked, and when the engine stops.
    pub(super) watchers: Watchers,
    /// How many rows of history an execution keeps, if not all.
    pub(super) keep_history: Option<u64>,
    /// Whether the history has the data of states.
    pub(super) keep_state_data: bool,
    tasks: Tasks,
    stopping: AtomicBool,
    failure: OnceLock<StoreError>,
    /// The newer versions that were told of: one warning is enough for all executions of one.
    // Held only to look up and insert.
    told_newer: Mutex<BTreeSet<(Arc<str>, u32)>>,
    scheduler: OnceLock<AbortHandle>,
}

/// An execution cannot be looked at now, as no place is free, or the engine stops.
pub(super) struct NotNow;

/// What a [`Core`] is made of.
pub(super) struct Parts {
    pub(super) store: Arc<dyn Store>,
    pub(super) epoch: Epoch,
    pub(super) registry: Registry,
    /// What turns are lent.
    pub(super) services: Services,
    pub(super) drain_timeout: Duration,
    pub(super) max_active: usize,
    pub(super) keep_history: Option<u64>,
    pub(super) keep_state_data: bool,
    pub(super) runtime: Handle,
    /// Whether blocking calls run where everything else does.
    pub(super) one_thread: bool,
}

impl Core {
    pub(super) fn new(parts: Parts) -> Self {
        let tasks = Tasks::new(parts.runtime, parts.one_thread);
        let mut services = parts.services;
        services.spawner = Some(Arc::new(tasks.clone()));
        Self {
            store: parts.store,
            epoch: parts.epoch,
            registry: parts.registry,
            services,
            drain_timeout: parts.drain_timeout,
            active: Arc::new(ActiveSet::new(parts.max_active)),
            alarm: Alarm::new(),
            offered: Offered::default(),
            requests: Requests::default(),
            watchers: Watchers::default(),
            keep_history: parts.keep_history,
            keep_state_data: parts.keep_state_data,
            tasks,
            stopping: AtomicBool::new(false),
            failure: OnceLock::new(),
            told_newer: Mutex::default(),
            scheduler: OnceLock::new(),
        }
    }

    pub(super) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    pub(super) fn now(&self) -> Timestamp {
        self.services.clock.now()
    }

    pub(super) fn key<W: Workflow>(&self, id: ExecutionId) -> Result<ExecutionKey, EngineError> {
        match self.registry.get(W::NAME) {
            Some((workflow, _)) => Ok(ExecutionKey { workflow: Arc::clone(workflow), id }),
            None => Err(EngineError::UnknownWorkflow { workflow: W::NAME.to_owned() }),
        }
    }

    pub(super) fn machine(&self, workflow: &str) -> Result<&Arc<dyn Machine>, EngineError> {
        match self.registry.get(workflow) {
            Some((_, versions)) => Ok(versions.present()),
            None => Err(EngineError::UnknownWorkflow { workflow: workflow.to_owned() }),
        }
    }

    /// What the kernel needs of the version that `W` is.
    pub(super) fn plan_of<W: Workflow>(&self) -> Result<&Plan, EngineError> {
        match self.registry.get(W::NAME) {
            Some((_, versions)) => Ok(versions.of_version(W::VERSION).plan()),
            None => Err(EngineError::UnknownWorkflow { workflow: W::NAME.to_owned() }),
        }
    }

    pub(super) fn check_size(&self, name: &str, data: &Json) -> Result<(), EngineError> {
        let (len, limit) = (data.text().len(), self.services.payload_limit);
        if len > limit {
            return Err(EngineError::PayloadTooLarge { name: name.to_owned(), len, limit });
        }
        Ok(())
    }

    pub(super) async fn commit(&self, commits: Vec<Commit>) -> Result<Vec<Result<Committed, Refused>>, EngineError> {
        if self.is_stopping() {
            return Err(self.stopped());
        }
        Ok(self.store.commit(commits).await?)
    }

    pub(super) async fn commit_one(&self, commit: Commit) -> Result<Committed, EngineError> {
        let key = commit.key.clone();
        let result = self.commit(vec![commit]).await?.pop().unwrap_or(Err(Refused::Unknown));
        result.map_err(|refused| EngineError::refused(refused, &key))
    }

    /// Does `work` to its end, also if the caller goes away in the middle: a commit that is under way cannot be taken
    /// back, and what it wrote has to be looked at.
    pub(super) async fn see_through<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, EngineError>> + Send + 'static,
    ) -> Result<T, EngineError> {
        match self.tasks.run(work).await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                Err(_) => Err(self.stopped()),
            },
        }
    }

    /// Commits what makes an execution due, and has it looked at. Says whether that was new.
    pub(super) async fn commit_and_activate(self: &Arc<Self>, commit: Commit) -> Result<Committed, EngineError> {
        let core = Arc::clone(self);
        self.see_through(async move {
            let key = commit.key.clone();
            let committed = core.commit_one(commit).await?;
            core.activate(&key);
            Ok(committed)
        })
        .await
    }

    /// Has an execution looked at: now if there is a place, else when one is free. It is read from the store by whoever
    /// has the place: what a caller knows of it may be out of date by then. Says whether it is looked at now.
    pub(super) fn activate(self: &Arc<Self>, key: &ExecutionKey) -> bool {
        match self.claim(key) {
            Ok(run) => {
                run.into_iter().for_each(|run| self.begin(run, None));
                true
            }
            Err(NotNow) => false,
        }
    }

    /// A run with a place for an execution, to be [begun](Self::begin); none if it runs already, which is told to look
    /// again.
    pub(super) fn claim(self: &Arc<Self>, key: &ExecutionKey) -> Result<Option<Run>, NotNow> {
        if self.is_stopping() {
            return Err(NotNow);
        }
        let Some((_, versions)) = self.registry.get(&key.workflow) else { return Err(NotNow) };
        match self.active.claim(key) {
            Claim::Granted(place) => Ok(Some(Run::new(Arc::clone(self), Arc::clone(versions), place))),
            Claim::Running => Ok(None),
            Claim::Full => {
                self.alarm.backlog();
                if self.active.free() > 0 {
                    self.alarm.ring();
                }
                Err(NotNow)
            }
        }
    }

    /// Gives a run its task. It goes on with what is known to be stored, if that was written or read since it has its place:
    /// then nobody else can have written. Else it reads what is stored.
    pub(super) fn begin(&self, run: Run, known: Option<Box<Stored>>) {
        let (set, signal) = (Arc::clone(&self.active), Arc::clone(run.place().signal()));
        // A run is some thousand bytes: from here on, a pointer is moved.
        set.has_task(&signal, self.tasks.start(Box::pin(run.run(known))));
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// The error for those who ask something of an engine that stops.
    pub(super) fn stopped(&self) -> EngineError {
        match self.failure.get() {
            Some(error) => EngineError::Store(error.clone()),
            None => EngineError::ShuttingDown,
        }
    }

    /// The store failed: nothing can go on before it is opened again.
    pub(super) fn fail(&self, error: &StoreError) {
        if self.failure.set(error.clone()).is_ok() {
            tracing::error!(%error, "the store failed, and the engine stops; what was acknowledged is safe");
        }
        self.stop();
    }

    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.active.signal_all();
        self.alarm.ring();
        self.watchers.tell_all();
        self.requests.all_later();
    }

    pub(super) async fn shutdown(&self) -> Result<(), EngineError> {
        self.stop();
        let deadline = self.services.clock.sleep_until(self.now() + self.drain_timeout);
        tokio::select! {
            biased;
            () = self.active.idle() => {}
            () = deadline => {
                tracing::warn!(left = self.active.len(), "the drain timeout is over: what still runs is stopped where it is");
            }
        }
        self.abort();
        self.stopped_for_good().await
    }

    pub(super) async fn stopped_for_good(&self) -> Result<(), EngineError> {
        // Not before the last task is gone: until then, it holds the store.
        self.tasks.gone().await;
        match self.failure.get() {
            Some(error) => Err(EngineError::Store(error.clone())),
            None => Ok(()),
        }
    }

    /// A run with a place for an execution, once there is one; none if it runs already, which is told to look again.
    pub(super) async fn claim_in_turn(self: &Arc<Self>, key: &ExecutionKey) -> Option<Run> {
        let (_, versions) = self.registry.get(&key.workflow)?;
        let place = self.active.claim_in_turn(key).await?;
        Some(Run::new(Arc::clone(self), Arc::clone(versions), place))
    }

    /// Whether an execution of this version is to be migrated.
    pub(super) fn is_behind(&self, key: &ExecutionKey, version: u32) -> bool {
        let versions = self.registry.get(&key.workflow).map(|(_, versions)| versions);
        versions.is_some_and(|versions| version < versions.present().plan().version() && !versions.keeps(version))
    }

    /// Whether this build is too old for executions of this version.
    pub(super) fn is_newer(&self, workflow: &str, version: u32) -> bool {
        let known = self.registry.get(workflow).map(|(_, versions)| versions.present().plan().version());
        known.is_some_and(|known| version > known)
    }

    /// Whether an execution of this version goes on with code of its own.
    pub(super) fn is_kept(&self, key: &ExecutionKey, version: u32) -> bool {
        self.registry.get(&key.workflow).is_some_and(|(_, versions)| versions.keeps(version))
    }

    /// Runs `work` as a task of the engine.
    pub(super) fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.tasks.run(work)
    }

    /// Says once for each version that its executions are left alone.
    pub(super) fn warn_of_newer(&self, workflow: &str, version: u32) {
        let mut told = self.told_newer.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert((workflow.into(), version)) {
            tracing::warn!(
                workflow,
                version,
                "executions of a newer version are left alone: this build is too old for them, and they go on with one that has their version"
            );
        }
    }

    pub(super) fn abort(&self) {
        self.stop();
        if let Some(scheduler) = self.scheduler.get() {
            scheduler.abort();
        }
        self.active.abort_all();
    }

    /// Starts the task that finds what is due.
    pub(super) fn start_scheduler(self: &Arc<Self>) {
        let core = Arc::downgrade(self);
        self.services.limits.on_offer(move |execution| {
            if let Some(core) = core.upgrade() {
                core.offered.add(execution);
                core.alarm.ring();
            }
        });
        let task = self.tasks.start(super::scheduler::schedule(Arc::clone(self)));
        // Set once, when the engine starts.
        let _ = self.scheduler.set(task);
    }
}
