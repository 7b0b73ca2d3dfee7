//! What can go wrong when an engine is asked for something.

use super::ForkRefused;
use crate::base::InvalidId;
use crate::record::{AttributeKind, ControlAction, ErrorRecord, ExecutionKey, JsonError, Reason};
use crate::store::{Refused, StoreError};

/// An error of an engine. Each says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The id cannot be one.
    #[error(transparent)]
    InvalidId(#[from] InvalidId),
    /// The engine was not given this workflow.
    #[error("the engine does not know the workflow `{workflow}`: give it one with `.workflow(…)` before `.start()`")]
    UnknownWorkflow {
        /// The workflow's persisted name.
        workflow: String,
    },
    /// Two workflows have one name, and one version.
    #[error(
        "two workflows are called `{workflow}`, and executions are kept by that name: rename one of the types, or give the newer one of the two `version = …`"
    )]
    DuplicateWorkflow {
        /// The name.
        workflow: String,
    },
    /// An older version of a workflow was given without a word on what it is for.
    #[error(
        "the engine was given the versions {version} and {newest} of `{workflow}`, and does not know which executions of version {version} are to go on with: write `keep` or `keep(visit)` into `#[workflow(version = {version}, …)]`, or leave that version out"
    )]
    VersionNotKept {
        /// The name.
        workflow: String,
        /// The older version.
        version: u32,
        /// The newest one.
        newest: u32,
    },
    /// The execution is of a version of its workflow that this build is too old for, or that it has no way from.
    #[error(
        "the execution {key} is of version {version} of its workflow, and cannot be read as of version {known}: {error}"
    )]
    OtherVersion {
        /// Which.
        key: ExecutionKey,
        /// Its version.
        version: u32,
        /// The version of the workflow's type that it was asked for by.
        known: u32,
        /// Why not.
        error: ErrorRecord,
    },
    /// The workflow has no such step.
    #[error("the workflow `{workflow}` has no step `{step}`; it has {}", listed(known))]
    UnknownStep {
        /// The workflow's persisted name.
        workflow: String,
        /// What was asked for.
        step: String,
        /// The steps that it has.
        known: Vec<String>,
    },
    /// A step cannot have this limit.
    #[error("the step `{step}` of `{workflow}` cannot have this limit: {reason}")]
    InvalidLimit {
        /// The workflow's persisted name.
        workflow: String,
        /// The step.
        step: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no such execution.
    #[error("there is no execution {key} in this store: nobody has started it, or its id is another")]
    UnknownExecution {
        /// Which.
        key: ExecutionKey,
    },
    /// The execution has ended, so it takes no event.
    #[error("the execution {key} has ended")]
    Ended {
        /// Which.
        key: ExecutionKey,
    },
    /// The answer was given by code whose types were others.
    #[error("the answer of the execution {key} to the event `{event}` cannot be read")]
    UnreadableAnswer {
        /// Which.
        key: ExecutionKey,
        /// The event's persisted name.
        event: String,
        /// Why.
        #[source]
        source: JsonError,
    },
    /// No edge of the state takes the event, and it is one that is not kept for later.
    #[error("the state `{state}` of the execution {key} takes no event `{event}`")]
    Rejected {
        /// Which.
        key: ExecutionKey,
        /// The event's persisted name.
        event: String,
        /// The state that it is in.
        state: String,
    },
    /// The edge that took the event failed before it had answered, and another edge went on.
    #[error("the edge of the execution {key} that took the event `{event}` failed: {error}")]
    EdgeFailed {
        /// Which.
        key: ExecutionKey,
        /// The event's persisted name.
        event: String,
        /// Why it failed.
        error: ErrorRecord,
    },
    /// The event was taken or dropped, and there will be no answer: its type says `drop`, its edge was interrupted by hand, or
    /// the execution took it with code that did not answer yet.
    #[error("the execution {key} has done with the event `{event}` and did not answer it")]
    Unanswered {
        /// Which.
        key: ExecutionKey,
        /// The event's persisted name.
        event: String,
    },
    /// The execution failed, and waits for a person.
    #[error("the execution {key} is parked: {error}; mend what is wrong, then call `retry`")]
    Parked {
        /// Which.
        key: ExecutionKey,
        /// Why it failed.
        error: ErrorRecord,
    },
    /// The execution was cancelled before it came to an end state.
    #[error("the execution {key} was cancelled: {reason}")]
    Cancelled {
        /// Which.
        key: ExecutionKey,
        /// Why, and by whom.
        reason: Reason,
    },
    /// The execution was terminated before it came to an end state, and nothing was undone.
    #[error("the execution {key} was terminated: {reason}")]
    Terminated {
        /// Which.
        key: ExecutionKey,
        /// Why, and by whom.
        reason: Reason,
    },
    /// The execution is not parked, so there is nothing to try again.
    #[error("the execution {key} is not parked: there is nothing to retry or skip")]
    NotParked {
        /// Which.
        key: ExecutionKey,
    },
    /// The execution has no such failed step, or several calls of it have failed.
    #[error("the execution {key} has no single failed step `{step}`: name one of {}", names(failed))]
    NoFailedStep {
        /// Which.
        key: ExecutionKey,
        /// The step that was named.
        step: String,
        /// The journal keys of the steps that have failed.
        failed: Vec<String>,
    },
    /// Nothing came of what was asked for by hand.
    #[error("nothing came of the request to {action} the execution {key}: {why}")]
    Refused {
        /// Which.
        key: ExecutionKey,
        /// What was asked for.
        action: ControlAction,
        /// Why nothing came of it.
        why: String,
    },
    /// An execution cannot be forked.
    #[error("the execution {from} cannot be forked at the visit {visit}: {why}")]
    CannotFork {
        /// Which was to be forked.
        from: ExecutionKey,
        /// At which visit.
        visit: u64,
        /// Why not.
        why: ForkRefused,
    },
    /// A query asks for an attribute that there is not.
    #[error("{}", unknown_attribute(workflow.as_deref(), attribute, known))]
    UnknownAttribute {
        /// The workflow; `None` if the query names none, and so has no attributes to ask for.
        workflow: Option<String>,
        /// The attribute that was asked for.
        attribute: String,
        /// The attributes that there are.
        known: Vec<String>,
    },
    /// A query asks for an attribute by a value of another kind.
    #[error("the attribute `{attribute}` is {expected}, and the query has {found} for it")]
    WrongAttribute {
        /// The attribute.
        attribute: String,
        /// What it is.
        expected: AttributeKind,
        /// What the query has.
        found: AttributeKind,
    },
    /// The data is over the limit.
    #[error(
        "the data of `{name}` is {len} bytes long, over the limit of {limit}: keep a reference to it instead, or raise the limit with `.payload_limit(…)`"
    )]
    PayloadTooLarge {
        /// The state or event.
        name: String,
        /// Its length in bytes.
        len: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The data has no JSON form.
    #[error("the data of `{name}` cannot be saved")]
    Unwritable {
        /// The state or event.
        name: String,
        /// Why.
        #[source]
        source: JsonError,
    },
    /// What is stored does not have the shape that the code expects.
    #[error("the state `{state}` of the execution {key} cannot be read by this code")]
    Unreadable {
        /// Which execution.
        key: ExecutionKey,
        /// The persisted name of its state.
        state: String,
        /// Why; `None` if the workflow has no such state.
        #[source]
        source: Option<JsonError>,
    },
    /// The engine stops, or has stopped.
    #[error(
        "the engine is shutting down and takes nothing more; what was acknowledged goes on when an engine is started on the store again"
    )]
    ShuttingDown,
    /// There is no tokio runtime here.
    #[error(
        "an engine needs a tokio runtime: put `#[workflow_runtime::main]` on `async fn main`, or use `workflow_runtime::block_on`"
    )]
    NoRuntime,
    /// The execution was written to by someone else at the same time.
    #[error("another engine works on the execution {key}")]
    Fenced {
        /// Which.
        key: ExecutionKey,
    },
    /// Something is wrong with a schedule.
    #[error(transparent)]
    Schedule(#[from] super::ScheduleError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn unknown_attribute(workflow: Option<&str>, attribute: &str, known: &[String]) -> String {
    match workflow {
        None => format!("`{attribute}` is an attribute of some workflow: say of which, with `Query::of::<…>()`"),
        Some(workflow) if known.is_empty() => format!(
            "no state of `{workflow}` has an attribute `{attribute}`, or any: put `#[index]` on the field that is to be searched by"
        ),
        Some(workflow) => format!("no state of `{workflow}` has an attribute `{attribute}`: there is {}", names(known)),
    }
}

/// Names to choose from.
fn names(names: &[String]) -> String {
    if names.is_empty() {
        return "none, as no step of it has failed".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Names in a sentence.
fn listed(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}

impl EngineError {
    pub(super) fn unreadable_answer(key: ExecutionKey, event: &str, source: JsonError) -> Self {
        Self::UnreadableAnswer { key, event: event.to_owned(), source }
    }

    pub(super) fn unwritable(name: &str, source: JsonError) -> Self {
        Self::Unwritable { name: name.to_owned(), source }
    }

    pub(super) fn refused(refused: Refused, key: &ExecutionKey) -> Self {
        let key = key.clone();
        match refused {
            Refused::Unknown => Self::UnknownExecution { key },
            Refused::Ended => Self::Ended { key },
            Refused::Fenced => Self::Fenced { key },
        }
    }
}
