//! The built-in workflow that a schedule is an execution of.

use workflow_runtime::prelude::*;

use super::plan::{Active, Deleted, Forgotten, RunEnd};
use super::spec::Spec;
use crate::base::{ExecutionId, Timestamp};
use crate::kernel::{Command, CommandRefused, StartCommand};
use crate::machine::Event;
use crate::record::{CHILD_EVENT, ChildReport, ControlAction, ExecutionKey, Json, JsonError, NewEvent, Reason};

/// A schedule: starts executions at its times. Made by `Engine::schedule`.
#[derive(Debug)]
pub(super) struct WorkflowSchedule;

/// What is asked of a schedule.
#[event]
pub(super) enum Order {
    /// Be as defined, whatever it was.
    Define { spec: Box<Spec> },
    /// Tick no more.
    Pause,
    /// Tick again.
    Resume,
    /// Start one, as a tick of this time.
    Trigger { at: Timestamp },
    /// Make up for the ticks of this range.
    Backfill { from: Timestamp, until: Timestamp },
    /// Be no more.
    Delete,
}

/// An execution that the schedule has started has ended.
pub(super) struct RunReport(ChildReport);

impl Event for RunReport {
    const NAME: &'static str = CHILD_EVENT;
    const WAS: &'static [&'static str] = &[];
    const DOC: &'static str = "An execution that the schedule has started has ended.";

    fn encode(&self) -> Result<Json, JsonError> {
        Json::encode(&self.0)
    }

    fn decode(json: &Json) -> Result<Self, JsonError> {
        json.decode().map(Self)
    }
}

#[workflow(start = Active, vis = pub(super), allow(endless_wait))]
impl WorkflowSchedule {
    /// A tick is due.
    #[at(next)]
    async fn tick(&self, cx: &Cx, mut schedule: Active) -> Result<Stay<Active>> {
        let replaces = schedule.fall_due(cx.now())?;
        if replaces {
            for tick in schedule.running.clone() {
                cancel(cx, &schedule, tick).await?;
            }
        }
        Ok(Stay(start_all(cx, schedule).await?))
    }

    /// An execution has ended, so another one may begin.
    #[on]
    async fn ended(&self, cx: &Cx, mut schedule: Active, report: RunReport) -> Result<Stay<Active>> {
        let ChildReport { call, end, .. } = report.0;
        if let (Some(tick), Some(end)) = (tick_of(&call), RunEnd::of_child(end)) {
            schedule.ended(tick, cx.now(), end);
        }
        Ok(Stay(start_all(cx, schedule).await?))
    }

    /// Its owner wants something of it.
    #[on]
    async fn ordered(&self, cx: &Cx, mut schedule: Active, order: Order) -> Result<Next<(Stay<Active>, Deleted)>> {
        match order {
            Order::Define { spec } => schedule.redefine(*spec, cx.now())?,
            Order::Pause => schedule.pause(),
            Order::Resume => schedule.resume(cx.now())?,
            Order::Trigger { at } => schedule.enqueue(at),
            Order::Backfill { from, until } => schedule.backfill(from, until)?,
            Order::Delete => return Ok(goto(Deleted {})),
        }
        Ok(goto(Stay(start_all(cx, schedule).await?)))
    }

    /// It is made again.
    #[on]
    async fn revived(&self, cx: &Cx, _: Deleted, order: Order) -> Result<Next<(Active, Wait)>> {
        match order {
            Order::Define { spec } => Ok(goto(Active::new(*spec, cx.now())?)),
            Order::Pause | Order::Resume | Order::Trigger { .. } | Order::Backfill { .. } | Order::Delete => {
                Ok(goto(Wait))
            }
        }
    }

    /// Every workflow has an end, if a far one: a name is free to be used again until then.
    #[after("36500d")]
    fn forgotten(&self, _: Deleted) -> Forgotten {
        Forgotten {}
    }
}

/// Starts what may start.
async fn start_all(cx: &Cx, mut schedule: Active) -> Result<Active> {
    while let Some(tick) = schedule.take_startable() {
        let end = start(cx, &schedule, tick).await?;
        schedule.started(tick, cx.now(), end);
    }
    Ok(schedule)
}

/// Starts the execution of a tick. What it came to already, if it does not run.
async fn start(cx: &Cx, schedule: &Active, tick: Timestamp) -> Result<Option<RunEnd>> {
    let Spec { workflow, version, state, .. } = &schedule.spec;
    let call = tick.to_string();
    let key = run_key(cx, workflow, tick)?;
    // The report belongs to no call that waits, but to an edge of the state.
    let parent = cx.parent_of(&key, call.clone());
    let start = StartCommand::new(key, state, schedule.data());
    let command = StartCommand { version: *version, parent: Some(parent), ..start };
    Ok(match cx.command(&format!("start:{call}"), Command::Start(Box::new(command))).await {
        Ok(None) => None,
        Ok(Some(end)) => Some(RunEnd::of_child(end).unwrap_or(RunEnd::Existed)),
        Err(CommandRefused::IdTaken { .. }) => Some(RunEnd::Existed),
        Err(refused) => {
            tracing::error!(schedule = %cx.id(), %tick, %refused, "the schedule could not start an execution");
            Some(RunEnd::Refused { message: refused.to_string() })
        }
    })
}

/// Cancels the execution of a tick. If it has ended meanwhile, its report is on the way.
async fn cancel(cx: &Cx, schedule: &Active, tick: Timestamp) -> Result<()> {
    let to = run_key(cx, &schedule.spec.workflow, tick)?;
    let action = ControlAction::Cancel.event_name();
    let event = NewEvent {
        event_id: format!("{action}:replaced"),
        name: action.into(),
        payload: Json::encode(&Reason::new("its schedule replaced it").by(cx.id().as_str()))?,
        sent_at: cx.now(),
    };
    if let Err(refused) = cx.command(&format!("cancel:{tick}"), Command::Deliver { to, event }).await {
        tracing::debug!(schedule = %cx.id(), %tick, %refused, "there is nothing to cancel");
    }
    Ok(())
}

fn run_key(cx: &Cx, workflow: &str, tick: Timestamp) -> Result<ExecutionKey> {
    Ok(ExecutionKey { workflow: workflow.into(), id: run_id(cx.id(), tick)? })
}

/// The id of the execution of a tick.
pub(super) fn run_id(schedule: &ExecutionId, tick: Timestamp) -> Result<ExecutionId, crate::base::InvalidId> {
    ExecutionId::new(format!("{schedule}/{tick}"))
}

/// The tick whose execution is called so.
fn tick_of(call: &str) -> Option<Timestamp> {
    let time: jiff::Timestamp = call.parse().ok()?;
    Some(Timestamp::from_millis(time.as_millisecond()))
}
