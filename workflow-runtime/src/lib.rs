//! Workflows.

extern crate self as workflow_runtime;

mod base;
mod kernel;
mod machine;
mod record;

pub use base::*;
pub use kernel::RetryPolicy;
pub use machine::{
    Accepts, After, Catch, CatchError, Cx, Decided, Decision, Described, Edge, EdgeKey, Event, Failure, Finished, Graph,
    Handle, Handled, HandlerCall, HandlerError, HandlerInfo, HandlerRun, Next, On, Outcome, Progress, RetryInfo, State,
    StateInfo, Stay, StepError, StepInfo, StepPanicked, StepPolicy, StepTimedOut, TargetIn, Targets, Transition, Trigger,
    Turn, TurnScope, Wait, Workflow, WorkflowEvent, WorkflowState, goto,
};
pub use record::*;
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
