//! A schedule, as its owner sees it.

use std::fmt;
use std::sync::Arc;

use super::plan::{Active, RunEnd};
use super::spec::{LONGEST_NAME, MOST_TICKS, just_before};
use super::workflow::{Order, WorkflowSchedule, WorkflowScheduleState, run_id};
use super::{CatchUp, Overlap, Schedule, ScheduleError, StartsWorkflow};
use crate::base::{ExecutionId, Timestamp};
use crate::engine::{Engine, EngineError, Execution};
use crate::machine::Event as _;
use crate::record::NewEvent;
use crate::store::{Change, Commit, Query};

/// How many of the next ticks are told.
const NEXT_TICKS: usize = 5;

impl Engine {
    /// Makes a schedule, or changes the one of this name. When this returns, it is on disk: it ticks whenever an engine
    /// runs on the store, until it is [deleted](ScheduleHandle::delete).
    ///
    /// The same schedule again changes nothing, so a program may do this whenever it starts. One that differs takes effect
    /// at once; where the times differ, the next tick is told from now. Whether it is paused, what runs and what waits stay
    /// as they are.
    ///
    /// In lists, it is an execution of the workflow `WorkflowSchedule`, which every engine has.
    ///
    /// # Errors
    /// [`EngineError::Schedule`] says what is wrong with it; [`EngineError::UnknownWorkflow`] if the engine was not given
    /// the workflow; [`EngineError::PayloadTooLarge`], [`EngineError::Unwritable`], [`EngineError::ShuttingDown`], or that of the
    /// store.
    pub async fn schedule(
        &self,
        name: impl AsRef<str>,
        schedule: Schedule<StartsWorkflow>,
    ) -> Result<ScheduleHandle, EngineError> {
        let handle = self.schedule_handle(name)?;
        let spec = schedule.into_spec()?;
        self.core.machine(&spec.workflow)?;
        self.core.check_size(&spec.state, &spec.data)?;
        let active = Active::new(spec.clone(), self.core.now())?;
        let name = handle.name().clone();
        self.start::<WorkflowSchedule>(&name, active).await?;
        match handle.state().await? {
            WorkflowScheduleState::Active(active) if active.spec == spec => {}
            _ => handle.order(Order::Define { spec: Box::new(spec) }).await?,
        }
        Ok(handle)
    }

    /// The schedule of this name. Whether there is one shows when it is used.
    ///
    /// # Errors
    /// [`ScheduleError::Name`] if nothing can be called that.
    pub fn schedule_handle(&self, name: impl AsRef<str>) -> Result<ScheduleHandle, EngineError> {
        let name = name.as_ref();
        let refused = || EngineError::Schedule(ScheduleError::Name { name: name.to_owned() });
        if name.len() > LONGEST_NAME {
            return Err(refused());
        }
        let id = ExecutionId::new(name).map_err(|_| refused())?;
        Ok(ScheduleHandle { execution: self.execution::<WorkflowSchedule>(id.as_str())? })
    }

    /// Every schedule, in the order of the names.
    ///
    /// # Errors
    /// That of the store.
    pub async fn schedules(&self) -> Result<Vec<ScheduleInfo>, EngineError> {
        let mut infos = Vec::new();
        let mut query = Query::of::<WorkflowSchedule>();
        loop {
            let page = self.list(&query).await?;
            for summary in &page.executions {
                match self.schedule_handle(summary.key().id.as_str())?.describe().await {
                    Ok(info) => infos.push(info),
                    Err(EngineError::Schedule(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            match page.next {
                Some(next) => query = query.after(next),
                None => return Ok(infos),
            }
        }
    }
}

/// A schedule in an [`Engine`]: to pause it, trigger it, look at it. It is only a name, and costs nothing.
///
/// What is asked of it is on disk when the call returns, and is done as soon as an engine runs it.
#[derive(Clone)]
pub struct ScheduleHandle {
    execution: Execution<WorkflowSchedule>,
}

impl fmt::Debug for ScheduleHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ScheduleHandle({})", self.name())
    }
}

impl ScheduleHandle {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &ExecutionId {
        self.execution.id()
    }

    /// Has it tick no more until it is resumed. What runs goes on, and what waits for its turn starts; pausing it again
    /// changes nothing.
    ///
    /// # Errors
    /// [`ScheduleError::Unknown`], [`EngineError::ShuttingDown`], or that of the store.
    pub async fn pause(&self) -> Result<(), EngineError> {
        self.active().await?;
        self.order(Order::Pause).await
    }

    /// Has it tick again, from now on: the ticks in between start nothing. Resuming it again changes nothing.
    ///
    /// # Errors
    /// As [`pause`](Self::pause).
    pub async fn resume(&self) -> Result<(), EngineError> {
        self.active().await?;
        self.order(Order::Resume).await
    }

    /// Starts one execution, whether it is paused or not: at once, or when what runs has ended, unless overlaps are allowed.
    /// The answer is the id that it has or will have. Two triggers within one millisecond are one.
    ///
    /// # Errors
    /// As [`pause`](Self::pause).
    pub async fn trigger_now(&self) -> Result<ExecutionId, EngineError> {
        self.active().await?;
        let at = self.execution.core().now();
        self.order(Order::Trigger { at }).await?;
        Ok(run_id(self.name(), at)?)
    }

    /// Starts an execution for each tick from `from` to `until`, both included, that has none: one after the other, unless
    /// overlaps are allowed. The answer is how many ticks there are, at most 1,000.
    ///
    /// # Errors
    /// [`ScheduleError::NoTick`], [`ScheduleError::TooManyTicks`], [`ScheduleError::NotPast`] where `until` lies in the
    /// future; and as [`pause`](Self::pause).
    pub async fn backfill(&self, from: Timestamp, until: Timestamp) -> Result<usize, EngineError> {
        let active = self.active().await?;
        let now = self.execution.core().now();
        if until > now {
            return Err(ScheduleError::NotPast { until, now }.into());
        }
        match active.timetable()?.between(just_before(from), until, MOST_TICKS + 1).len() {
            0 => Err(ScheduleError::NoTick { from, until }.into()),
            many if many > MOST_TICKS => Err(ScheduleError::TooManyTicks { from, until }.into()),
            ticks => {
                self.order(Order::Backfill { from, until }).await?;
                Ok(ticks)
            }
        }
    }

    /// Ends it. What runs goes on; what waits for its turn does not start. [`Engine::schedule`] makes it again, from
    /// nothing.
    ///
    /// # Errors
    /// As [`pause`](Self::pause).
    pub async fn delete(&self) -> Result<(), EngineError> {
        self.active().await?;
        self.order(Order::Delete).await
    }

    /// How it stands, as last committed.
    ///
    /// # Errors
    /// [`ScheduleError::Unknown`], or that of the store.
    pub async fn describe(&self) -> Result<ScheduleInfo, EngineError> {
        let active = self.active().await?;
        let id = |tick: &Timestamp| run_id(self.name(), *tick);
        let next = match active.next {
            Some(next) => active.timetable()?.between(just_before(next), Timestamp::MAX, NEXT_TICKS),
            None => Vec::new(),
        };
        let recent = active.recent.iter().map(|run| {
            Ok(ScheduledRun {
                id: id(&run.tick)?,
                scheduled_at: run.tick,
                started_at: run.started_at,
                ended_at: run.ended_at,
                end: run.end.clone(),
            })
        });
        let recent = recent.collect::<Result<_, EngineError>>()?;
        let running = active.running.iter().map(id).collect::<Result<_, _>>()?;
        Ok(ScheduleInfo {
            name: self.name().clone(),
            workflow: active.spec.workflow.clone(),
            times: active.spec.times.to_string(),
            overlap: active.spec.overlap,
            catch_up: active.spec.catch_up,
            is_paused: active.paused,
            next,
            running,
            queued: active.queue.iter().copied().collect(),
            recent,
            skipped: active.skipped,
            missed: active.missed,
        })
    }

    async fn active(&self) -> Result<Active, EngineError> {
        match self.state().await? {
            WorkflowScheduleState::Active(active) => Ok(active),
            WorkflowScheduleState::Deleted(_) | WorkflowScheduleState::Forgotten(_) => Err(self.unknown()),
        }
    }

    async fn state(&self) -> Result<WorkflowScheduleState, EngineError> {
        let record = self.execution.record().await.map_err(|error| self.renamed(error))?;
        if record.status().is_over() {
            return Err(ScheduleError::Ended { name: self.name().to_string() }.into());
        }
        self.execution.state().await.map_err(|error| self.renamed(error))
    }

    async fn order(&self, order: Order) -> Result<(), EngineError> {
        let event_id = format!("{:032x}", fastrand::u128(..));
        let core = Arc::clone(self.execution.core());
        let payload = order.encode().map_err(|error| EngineError::unwritable(Order::NAME, error))?;
        core.check_size(Order::NAME, &payload)?;
        let event = NewEvent { event_id, name: Order::NAME.into(), payload, sent_at: core.now() };
        let key = self.execution.key().clone();
        let own = Arc::clone(&core);
        let sent = core.see_through(async move {
            let event_id = event.event_id.clone();
            let answer = own.requests.ask(&key, &event_id);
            own.commit_one(Commit { key: key.clone(), change: Change::Deliver { event } }).await?;
            own.requests.delivered(&key, &event_id);
            if own.activate(&key) {
                // It is on disk: whether it is done by now is a courtesy to who looks at the schedule next.
                let _ = answer.await;
            }
            Ok(())
        });
        sent.await.map_err(|error| self.renamed(error))
    }

    fn unknown(&self) -> EngineError {
        ScheduleError::Unknown { name: self.name().to_string() }.into()
    }

    fn renamed(&self, error: EngineError) -> EngineError {
        match error {
            EngineError::UnknownExecution { .. } => self.unknown(),
            error => error,
        }
    }
}

/// How a schedule stands.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ScheduleInfo {
    /// Its name.
    pub name: ExecutionId,
    /// The workflow that it starts, by its persisted name.
    pub workflow: String,
    /// When it ticks, for people: `` `0 2 * * *` in Europe/Berlin ``, `every 1h`.
    pub times: String,
    /// What becomes of a tick while the execution before it has not ended.
    pub overlap: Overlap,
    /// What becomes of the ticks that fell due while no engine ran.
    pub catch_up: CatchUp,
    /// Whether it ticks no more until it is resumed.
    pub is_paused: bool,
    /// The next five ticks; none while it is paused.
    pub next: Vec<Timestamp>,
    /// The executions that have not ended.
    pub running: Vec<ExecutionId>,
    /// The ticks that wait for their turn.
    pub queued: Vec<Timestamp>,
    /// The last ten executions, oldest first.
    pub recent: Vec<ScheduledRun>,
    /// How many ticks started nothing because of an overlap, since it was made.
    pub skipped: u64,
    /// How many times ticks were passed over that fell due while no engine ran, since it was made.
    pub missed: u64,
}

/// An execution that a schedule has started, or tried to.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ScheduledRun {
    /// Its id.
    pub id: ExecutionId,
    /// The time that it was scheduled for.
    pub scheduled_at: Timestamp,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it ended, if it has.
    pub ended_at: Option<Timestamp>,
    /// How it ended, if it has.
    pub end: Option<RunEnd>,
}
