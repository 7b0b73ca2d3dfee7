//! Schedules: executions that are started at the times of a timetable.
//!
//! A schedule is itself an execution, of the built-in workflow in [`workflow`]: so it is durable, goes on after a crash,
//! and costs nothing while it waits. What it does when is plain data in [`plan`]; the times are those of [`timetable`].

mod cron;
mod error;
mod handle;
mod plan;
mod spec;
mod timetable;
mod workflow;
mod zone;

pub use error::ScheduleError;
pub use handle::{ScheduleHandle, ScheduleInfo, ScheduledRun};
pub use plan::RunEnd;
pub use spec::{CatchUp, Interval, Overlap, Schedule, StartsNothing, StartsWorkflow};

/// The workflow that every engine has.
pub(super) fn built_in() -> std::sync::Arc<dyn super::registry::Machine> {
    super::registry::register(workflow::WorkflowSchedule)
}
