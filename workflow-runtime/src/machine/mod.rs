//! Layer 3: what generated code implements, and what runs one handler.
//!
//! The attributes write impls of the traits in [`handler`] and [`workflow`] for the user's types. A [`Turn`] runs one
//! handler over its state and journal until it ends or waits, and hands back data: that is the whole seam between a
//! machine and whatever drives it. No store, no runtime and no task is known here.

mod attribute;
mod cancel;
mod child;
mod commands;
mod context;
mod digest;
mod edge_table;
mod fields;
mod finish;
mod flag;
mod graph;
mod graph_check;
mod graph_names;
mod graph_told;
#[allow(missing_docs, reason = "the probe is for generated code alone")]
mod group;
mod handler;
#[allow(missing_docs, reason = "for generated code alone")]
mod handler_probes;
mod intercept;
mod limits;
#[cfg(all(test, loom))]
mod loom_tests;
#[allow(missing_docs, reason = "some of it is for generated code alone")]
mod migrating;
mod migrating_told;
#[allow(missing_docs, reason = "most of it is for generated code alone")]
mod parallel;
mod plan;
#[allow(missing_docs, reason = "for generated code alone")]
pub mod private;
#[allow(missing_docs, reason = "for generated code alone")]
mod probes;
#[allow(missing_docs, reason = "most of it is for generated code alone")]
mod pure;
mod pure_handlers;
mod readers;
mod receive;
mod render;
mod reply;
#[allow(missing_docs, reason = "for generated code alone")]
mod saved;
mod scheduled;
mod sending;
mod services;
mod spawner;
mod state;
mod step;
mod stepper;
mod target;
mod timer;
mod turn;
mod turn_inbox;
mod turn_journal;
mod turn_state;
#[allow(missing_docs, reason = "for generated code alone")]
mod type_place;
#[allow(missing_docs, reason = "for generated code alone")]
mod undo;
#[cfg(any(test, feature = "testing"))]
mod unit;
mod uuid;
mod variants;
mod watch;
mod workflow;

pub use crate::kernel::Decided;
pub(crate) use crate::kernel::EventPolicy;
pub use attribute::{Attribute, AttributeInfo};
pub use cancel::Cancel;
pub use child::{ChildCall, ChildError, ChildSpawn};
pub use context::Cx;
#[cfg(any(test, feature = "testing"))]
pub(crate) use digest::ArgumentsWanted;
pub use finish::{Caught, Finishing};
pub use flag::Flags;
pub use graph::ParallelInfo;
pub use graph::{Edge, EventInfo, Graph, GroupInfo, HandlerInfo, RetryInfo, StateInfo, StepInfo, Trigger};
pub use group::{Group, Source};
pub use handler::{After, Catch, CatchError, Described, EdgeKey, Handle, HandlerError, On, Timer};
pub use intercept::{Answer, Answering, HandlerSeen, Interceptor, StepSeen};
pub(crate) use limits::UnknownStep;
pub use limits::{LimitState, Limits};
pub use migrating::{Keep, StateOf, VersionStates};
pub(crate) use migrating::{newer, read_outcome, read_state};
pub(crate) use parallel::ParallelPolicy;
pub use parallel::{Branches, JoinMissed, ParallelTimedOut};
pub use plan::plan;
pub use pure::NotTaken;
pub use pure_handlers::PureHandlers;
pub(crate) use readers::ResultReaders;
#[cfg(any(test, feature = "testing"))]
pub(crate) use render::{escape_mermaid, label_of_stay, label_to};
pub use reply::{Asks, NoRefusal, Reply, refuse, reply};
#[cfg(any(test, feature = "testing"))]
pub(crate) use saved::Saved;
pub(crate) use saved::SavedTypes;
pub use sending::Sending;
pub use services::Services;
pub use spawner::{AbortOnDrop, SpawnError, Spawned, SpawnedCall, SpawnedFuture, Spawner};
pub use state::{Event, State};
pub use step::AdHocStep;
#[cfg(feature = "proptest")]
pub(crate) use step::NOT_ITS_ERROR;
use step::StepCall;
pub use step::{StepError, StepHeartbeatMissed, StepPanicked, StepPolicy, StepTimedOut};
pub use stepper::{Rest, Stepper, Visit};
pub use target::{Next, Stay, TargetIn, Targets, Unwind, Wait, goto, unwind};
pub(crate) use turn::panic_text;
pub use turn::{Failure, Finished, Progress, Turn, TurnScope};
pub use workflow::{
    Accepts, Decision, Handled, HandlerCall, HandlerRun, Outcome, Transition, Workflow, WorkflowEvent, WorkflowState,
};
