//! Annotated async functions become a state machine that the compiler checks as a whole graph, and a small runtime runs
//! it so that it survives crashes. The default is one SQLite file beside the program.
//!
//! ```
//! use workflow_runtime::prelude::*;
//! use workflow_runtime::{Engine, Stepper};
//!
//! #[state]
//! pub struct Asked { amount: u64 }
//! #[state(end)]
//! pub struct Granted { amount: u64 }
//! #[state(end)]
//! pub struct Refused;
//! #[event]
//! pub struct Verdict { yes: bool }
//!
//! /// A request that a person decides.
//! pub struct Request;
//!
//! #[workflow(start = Asked)]
//! impl Request {
//!     #[on]
//!     fn decided(&self, asked: Asked, verdict: Verdict) -> Next<(Granted, Refused)> {
//!         if verdict.yes { goto(Granted { amount: asked.amount }) } else { goto(Refused) }
//!     }
//!
//!     #[after("3d")]
//!     fn ignored(&self, _: Asked) -> Refused {
//!         Refused
//!     }
//! }
//!
//! # workflow_runtime::block_on(async {
//! // In a unit test: in memory, on a clock that is moved by hand.
//! let mut request = Stepper::start(Request, Asked { amount: 5 })?;
//! request.send(Verdict { yes: true }).await?;
//! assert!(matches!(request.outcome()?, Some(RequestOutcome::Granted(_))));
//!
//! // For real: `Engine::sqlite("requests.db")` goes on with what is in the file.
//! let engine = Engine::in_memory().workflow(Request).start().await?;
//! let request = engine.start::<Request>("request-1", Asked { amount: 5 }).await?;
//! request.send(Verdict { yes: false }).await?;
//! assert!(matches!(request.outcome().await?, RequestOutcome::Refused(_)));
//! # workflow_runtime::Result::<()>::Ok(())
//! # }).unwrap();
//! ```
//!
//! # Where to look
//!
//! | for | see |
//! |---|---|
//! | what can be written | the attributes [`workflow`], [`state`], [`event`], [`on`], [`after`], [`at`], [`every`], [`catch`], [`step`], [`parallel`] |
//! | what a handler is given and returns | [`Cx`]; [`Next`] and [`goto`], [`Unwind`] and [`unwind`], [`Stay`], [`Wait`], [`Error`] |
//! | running executions | [`Engine`], [`Execution`], [`EngineError`] |
//! | testing without an engine | [`Stepper`], [`ManualClock`], [`Cx::detached`] |
//! | the graph, as data and as a picture | [`Graph`] |
//! | libraries that work with any workflow | [`Workflow`] and the traits beside it |
//! | another store | [`store::Store`] and its conformance suite |
//! | another engine | [`driver`] |
//! | one handler or step by itself, mocks | `testing::cx`, `testing::when`, with the feature `testing` |
//! | whether new code reads what is stored | [`lock!`], [`lock_command!`] and `testing::lock`, with that feature; [`EngineBuilder::check`] |
//! | a crash at every point, virtual time, stores that fail | `testing`, with the feature of that name |
//!
//! # Features
//!
//! * `sqlite` (default): the embedded store. Without it, executions live in memory alone.
//! * `command`: `EngineBuilder::command`, which looks after a store by arguments.
//! * `testing`: the module `testing`, for dev-dependencies: `crash_everywhere`, `Sim`, `FaultyStore`, and the conformance suite
//!   for those who write a store.
//! * `proptest`: with it, `testing::walk`, random walks that shrink.
//!
//! # What a handler may do
//!
//! A handler is run again after a crash, and after every pause between two attempts of a step, with the results of its steps
//! taken from the journal. So its effects belong into [steps](step); and what it hands to its steps should not depend on
//! chance or the time of day but through [`Cx::random`] and [`Cx::now`], which are recorded. Nor should what it does hang on a
//! configuration that may change between two runs: [`Cx::flag`] records which way was taken.

extern crate self as workflow_runtime;

mod base;
mod engine;
mod kernel;
mod machine;
pub mod record;
pub mod store;
pub mod stores;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub mod driver {
    //! For those who drive executions by other means than the [`Engine`](crate::Engine): a queue, timers and a log of
    //! their own.
    //!
    //! A driver keeps, for each execution, a record, the journal of the visit and the inbox. It asks the [`Kernel`] what
    //! is next, runs a [`Turn`] where a handler is to run, has the kernel make of it what [`Finishing`] says, and makes
    //! the [`Advance`] durable in one go. Waiting, retrying and deciding are values; a driver needs to keep nothing in
    //! memory while an execution waits. [`Stepper`](crate::Stepper) is the smallest driver.

    pub use crate::kernel::{
        Acknowledged, Advance, AfterPlan, Command, CommandAnswer, CommandCall, CommandRefused, Decided, HandlerPlan,
        Kernel, Migrate, MigratedState, NewExecution, Next, OnFailure, OnPlan, Plan, RetryPolicy, StartCommand,
        StatePlan, TimerOf, TimerRule,
    };
    pub use crate::machine::{
        AbortOnDrop, Answer, Answering, Caught, Failure, Finished, Finishing, HandlerCall, HandlerRun, HandlerSeen,
        Interceptor, Limits, Progress, PureHandlers, Services, SpawnError, Spawned, SpawnedCall, SpawnedFuture,
        Spawner, StepSeen, Turn, TurnScope, plan,
    };
}

pub use base::*;
pub use engine::AskError;
pub use engine::BulkReport;
pub use engine::Limit;
pub use engine::MigrationReport;
pub use engine::{
    CatchUp, Interval, Overlap, RunEnd, Schedule, ScheduleError, ScheduleHandle, ScheduleInfo, ScheduledRun,
    StartsNothing, StartsWorkflow,
};
pub use engine::{CheckGroup, CheckReport, FitGroup, Misfit, Unknown};
pub use engine::{Engine, EngineBuilder, EngineError, Execution, SystemClock, block_on};
pub use engine::{ForkRefused, ForkableVisits};
pub use engine::{StuckBecause, StuckExecution, StuckPage};
pub use kernel::CommandRefused;
pub use kernel::EventPolicy;
pub use kernel::{Advance, Jitter, OnFailure, RetryPolicy};
pub use kernel::{AtOnce, BreakerPolicy, BreakerState, InvalidRate, Rate, StepLimits};
pub use kernel::{BranchProgress, BranchStatus, JoinRule, ParallelProgress};
pub use machine::Flags;
pub use machine::ParallelInfo;
pub use machine::{
    Accepts, After, Branches, Cancel, Catch, CatchError, Cx, Decided, Decision, Described, Edge, EdgeKey, Event,
    EventInfo, Failure, Finished, Graph, Handle, Handled, HandlerCall, HandlerError, HandlerInfo, HandlerRun,
    JoinMissed, Next, NotTaken, On, Outcome, ParallelTimedOut, Progress, Rest, RetryInfo, Sending, State, StateInfo,
    Stay, StepError, StepInfo, StepPanicked, StepPolicy, StepTimedOut, Stepper, TargetIn, Targets, Transition, Trigger,
    Turn, TurnScope, Unwind, Visit, Wait, Workflow, WorkflowEvent, WorkflowState, goto, unwind,
};
pub use machine::{AdHocStep, LimitState, StepHeartbeatMissed};
pub use machine::{Asks, NoRefusal, Reply, refuse, reply};
pub use machine::{Attribute, AttributeInfo};
pub use machine::{ChildCall, ChildError, ChildSpawn};
pub use machine::{Group, GroupInfo, Source, Timer};
pub use machine::{Keep, StateOf, VersionStates};
pub use record::*;
pub use stores::MemoryStore;
#[cfg(feature = "sqlite")]
pub use stores::SqliteStore;
pub use workflow_macros::{after, at, catch, event, every, main, migrate, on, parallel, state, step, workflow};

/// What a program that declares workflows needs, to import as a whole: `use workflow_runtime::prelude::*;`.
///
/// The traits come without their names, so that they do not get in the way of types that are called `State` or `Event`.
pub mod prelude {
    pub use crate::{
        Accepts as _, Context as _, Cx, Error, Event as _, Next, Outcome as _, Result, State as _, Stay,
        Transition as _, Unwind, Wait, Workflow as _, WorkflowEvent as _, WorkflowState as _, after, at, catch, event,
        every, goto, main, migrate, on, parallel, state, step, unwind, workflow,
    };
    pub use crate::{Asks as _, Reply, refuse, reply};
}

#[doc(hidden)]
pub use machine::private as __private;

/// A test that holds workflows to their locks: `workflow_runtime::lock!(Fulfilment, Refund);`, anywhere in a crate that has the feature
/// `testing` of this one under its `dev-dependencies`. Steps that are functions of their own are named with the workflow:
/// `lock!(Backup: [read_all, pack])`.
///
/// It is a `#[test]` with the name `schema_lock`. See [`testing::lock`](mod@crate::testing::lock) for what it does.
#[cfg(any(test, feature = "testing"))]
#[macro_export]
macro_rules! lock {
    (@with [$($target:tt)*] $($workflow:ty $(: [$($step:expr),* $(,)?])?),+ $(,)?) => {
        $($target)*::default()
            .beside(::core::option_env!("CARGO_MANIFEST_DIR"))
            $(.of($crate::testing::lock::Code::of::<$workflow>()$($(.step($step))*)?))+
    };
    (@with $($_:tt)*) => {
        ::core::compile_error!(
            "name the types of workflows, and in brackets the steps of each that are functions of their own: `Fulfilment, Backup: [read_all, pack]`"
        )
    };
    ($($workflows:tt)*) => {
        #[test]
        fn schema_lock() {
            $crate::lock!(@with [$crate::testing::lock::Checks] $($workflows)*).finish();
        }
    };
}

/// A program that holds workflows to their locks, with the arguments of [`lock!`]: the whole of `examples/lock.rs`, as examples have the
/// dev-dependencies.
///
/// ```
/// # mod shop {
/// #     use workflow_runtime::prelude::*;
/// #     #[state] pub struct Asked;
/// #     #[state(end)] pub struct Answered;
/// #     #[event] pub struct Answer;
/// #     pub struct Question;
/// #     #[workflow(start = Asked)]
/// #     impl Question { #[on(allow(endless_wait))] fn answered(&self, _: Asked, _: Answer) -> Answered { Answered } }
/// # }
/// # mod of_the_example {
/// workflow_runtime::lock_command!(shop::Question);
/// # use super::shop;
/// # }
/// # fn main() {}
/// ```
///
/// | `cargo run --example lock` | |
/// |---|---|
/// | (nothing), `-- check` | compares, and writes nothing: for CI |
/// | `-- record` | writes what fits, and locks that are missing |
/// | `-- accept Fulfilment` | writes what does not fit, too |
/// | `-- show` | prints the locks that the code has |
/// | `-- --help` | says what there is |
///
/// Exit code: 0 if all fit, 1 if something does not, 2 if that could not be found out. The program runs without cargo, too; `--dir` says
/// where the locks are. An example sees what is `pub` in the library of its package; where there is none, `#[path = "../src/workflow.rs"] mod
/// workflow;` has it see a file. Where several packages of a workspace have one, the files need other names: `examples/shop-lock.rs`.
/// See [`testing::lock`](mod@crate::testing::lock) for what fits.
#[cfg(any(test, feature = "testing"))]
#[macro_export]
macro_rules! lock_command {
    ($($workflows:tt)*) => {
        fn main() -> ::std::process::ExitCode {
            $crate::lock!(@with [$crate::testing::lock::LockCommand] $($workflows)*).run()
        }
    };
}

/// Says that a test of locks needs the feature `testing`.
#[cfg(not(any(test, feature = "testing")))]
#[doc(hidden)]
#[macro_export]
macro_rules! lock {
    ($($workflow:tt)*) => {
        #[cfg(test)]
        ::core::compile_error!(
            "`lock!` needs the feature `testing`: write `workflow-runtime = { …, features = [\"testing\"] }` under `[dev-dependencies]`"
        );
    };
}

/// Says that a command for locks needs the feature `testing`.
#[cfg(not(any(test, feature = "testing")))]
#[doc(hidden)]
#[macro_export]
macro_rules! lock_command {
    ($($workflow:tt)*) => {
        ::core::compile_error!(
            "`lock_command!` needs the feature `testing`: write `workflow-runtime = { …, features = [\"testing\"] }` under `[dev-dependencies]`, and this in `examples/lock.rs`"
        );

        fn main() {}
    };
}

/// A test that reports what all tests take of workflows: `workflow_runtime::coverage!(Fulfilment, at_least = 90);`, anywhere in a crate that
/// has the feature `testing` of this one under its `dev-dependencies`.
///
/// It is a `#[test]` with the name `workflow_coverage`, which does nothing unless a report is asked for:
///
/// ```sh
/// WORKFLOW_COVERAGE=record cargo test
/// WORKFLOW_COVERAGE=report cargo test workflow_coverage
/// ```
///
/// Several workflows may be named, each of which has to reach so many per cent; without `at_least` they are reported alone. What a
/// test has a reason not to take is left out by name: `coverage!(Fulfilment, Refund, at_least = 95, without = ["gave_up"])`. See
/// [`testing::coverage`](mod@crate::testing::coverage) for what counts.
#[cfg(any(test, feature = "testing"))]
#[macro_export]
macro_rules! coverage {
    (@of [$($workflow:ty,)+] [$percent:expr] [$($name:expr),*]) => {
        #[test]
        fn workflow_coverage() {
            $crate::testing::coverage::Checks::new($percent, &[$($name),*])
                $(.check::<$workflow>())+
                .finish();
        }
    };
    (@of [$($workflow:ty,)+] [$_:expr] [$($name:expr),*] at_least = $percent:expr $(, $($rest:tt)*)?) => {
        $crate::coverage!(@of [$($workflow,)+] [$percent] [$($name),*] $($($rest)*)?);
    };
    (@of [$($workflow:ty,)+] [$percent:expr] [] without = [$($name:expr),* $(,)?] $(, $($rest:tt)*)?) => {
        $crate::coverage!(@of [$($workflow,)+] [$percent] [$($name),*] $($($rest)*)?);
    };
    (@of [$($workflow:ty,)*] [$percent:expr] [$($name:expr),*] $key:ident = $($rest:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "`", ::core::stringify!($key), " = …` is not understood here: `coverage!` takes workflows, and then `at_least = 90` and `without = [\"gave_up\"]`, each at most once"
        ));
    };
    (@of [$($workflow:ty,)*] [$percent:expr] [$($name:expr),*] $next:ty $(, $($rest:tt)*)?) => {
        $crate::coverage!(@of [$($workflow,)* $next,] [$percent] [$($name),*] $($($rest)*)?);
    };
    (@of $($_:tt)*) => {
        ::core::compile_error!("write the workflows, and what is demanded of them: `coverage!(Fulfilment, at_least = 90)`");
    };
    ($($all:tt)*) => {
        $crate::coverage!(@of [] [0] [] $($all)*);
    };
}

/// Says that a report on what tests take needs the feature `testing`.
#[cfg(not(any(test, feature = "testing")))]
#[doc(hidden)]
#[macro_export]
macro_rules! coverage {
    ($($workflow:tt)*) => {
        #[cfg(test)]
        ::core::compile_error!(
            "`coverage!` needs the feature `testing`: write `workflow-runtime = { …, features = [\"testing\"] }` under `[dev-dependencies]`"
        );
    };
}

/// The programs of the README, which have to compile where everything is enabled that they use.
#[cfg(all(doctest, feature = "sqlite", feature = "testing", feature = "proptest"))]
#[doc = include_str!("../../README.md")]
pub struct Readme;
