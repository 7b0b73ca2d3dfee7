//! Layer 2: the kernel. Pure and synchronous: a record goes in, changes and a next thing to do come out. No clock, no
//! store, no task and no user code is known here, so every rule of the engine can be tested as a table.

mod adaptive;
mod advance;
mod answers;
mod breaker;
mod children;
mod command;
mod control;
mod decided;
mod execution;
mod flags;
mod forking;
mod inbox;
mod join;
mod journal;
mod limiter;
mod migrating;
#[cfg(test)]
mod model;
mod plan;
mod progress;
#[cfg(test)]
mod properties;
mod rate;
mod retry;
mod searching;
mod stack;
#[cfg(test)]
mod tests;
mod timers;
mod unknown;
mod unwind;
#[cfg(test)]
mod unwind_tests;

pub use advance::Advance;
pub use breaker::{BreakerPolicy, BreakerState};
pub(crate) use children::{parking_told, report_key};
pub use command::{Acknowledged, Command, CommandAnswer, CommandCall, CommandRefused, StartCommand};
pub use decided::Decided;
pub use execution::{Kernel, NewExecution, Next};
pub use join::JoinRule;
pub(crate) use join::{Join, Verdict};
pub(crate) use limiter::{Admission, AttemptEnd, Limiter};
pub use limiter::{AtOnce, StepLimits};
pub use plan::EventPolicy;
pub use plan::{
    AfterPlan, HandlerPlan, Migrate, MigratedState, OnFailure, OnPlan, Plan, StatePlan, TimerOf, TimerRule,
};
pub(crate) use progress::progress;
pub use progress::{BranchProgress, BranchStatus, ParallelProgress};
pub use rate::{InvalidRate, Rate};
pub use retry::{Jitter, RetryPolicy};
pub(crate) use searching::QUEUED;
