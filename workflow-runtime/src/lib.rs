//! Workflows.

extern crate self as workflow_runtime;

mod base;
mod engine;
mod kernel;
mod machine;
mod record;
pub mod store;
pub mod stores;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use base::*;
pub use engine::{Engine, EngineBuilder, EngineError, Execution, SystemClock, block_on};
pub use kernel::{Advance, RetryPolicy};
pub use machine::{
    Accepts, After, Catch, CatchError, Cx, Decided, Decision, Described, Edge, EdgeKey, Event, Failure, Finished, Graph,
    Handle, Handled, HandlerCall, HandlerError, HandlerInfo, HandlerRun, Next, On, Outcome, Progress, Rest, RetryInfo, State,
    StateInfo, Stay, StepError, StepInfo, StepPanicked, StepPolicy, StepTimedOut, Stepper, TargetIn, Targets, Transition, Trigger,
    Turn, TurnScope, Wait, Workflow, WorkflowEvent, WorkflowState, goto,
};
pub use record::*;
pub use stores::MemoryStore;
#[cfg(feature = "sqlite")]
pub use stores::SqliteStore;

#[doc(hidden)]
pub use machine::private as __private;
