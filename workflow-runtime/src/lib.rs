//! Annotated async functions become a state machine that the compiler checks as a whole graph, and that survives crashes.
//!

extern crate self as workflow_runtime;

mod base;
mod engine;
mod kernel;
mod machine;
pub mod record;
pub mod store;
pub mod stores;

pub mod driver {
    //! For those who drive executions by other means than the [`Engine`](crate::Engine): a queue, timers and a log of
    //! their own.
    //!
    //! A driver keeps, for each execution, a record, the journal of the visit and the inbox. It asks the [`Kernel`] what
    //! is next, runs a [`Turn`] where a handler is to run, has the kernel make of it what [`Finishing`] says, and makes
    //! the [`Advance`] durable in one go. Waiting, retrying and deciding are values; a driver needs to keep nothing in
    //! memory while an execution waits. [`Stepper`](crate::Stepper) is the smallest driver.

    pub use crate::kernel::{
        Advance, AfterPlan, Decided, HandlerPlan, Kernel, NewExecution, Next, OnPlan, Plan, RetryPolicy, StatePlan,
    };
    pub use crate::machine::{Failure, Finished, Finishing, HandlerCall, HandlerRun, Progress, Turn, TurnScope, plan};
}

pub use base::*;
pub use engine::{Engine, EngineBuilder, EngineError, Execution, SystemClock, block_on};
pub use kernel::{Advance, RetryPolicy};
pub use machine::{
    Accepts, After, Catch, CatchError, Cx, Decided, Decision, Described, Edge, EdgeKey, Event, Failure, Finished,
    Graph, Handle, Handled, HandlerCall, HandlerError, HandlerInfo, HandlerRun, Next, On, Outcome, Progress, Rest,
    RetryInfo, State, StateInfo, Stay, StepError, StepInfo, StepPanicked, StepPolicy, StepTimedOut, Stepper, TargetIn,
    Targets, Transition, Trigger, Turn, TurnScope, Wait, Workflow, WorkflowEvent, WorkflowState, goto,
};
pub use record::*;
pub use stores::MemoryStore;
#[cfg(feature = "sqlite")]
pub use stores::SqliteStore;
pub use workflow_macros::{after, catch, event, main, on, state, step, workflow};

/// What a program that declares workflows needs, to import as a whole: `use workflow_runtime::prelude::*;`.
///
/// The traits come without their names, so that they do not get in the way of types that are called `State` or `Event`.
pub mod prelude {
    pub use crate::{
        Accepts as _, Cx, Error, Event as _, Next, Outcome as _, Result, State as _, Stay, Transition as _, Wait,
        Workflow as _, WorkflowEvent as _, WorkflowState as _, after, catch, event, goto, main, on, state, step,
        workflow,
    };
}

#[doc(hidden)]
pub use machine::private as __private;
