//! Why an execution and the code do not fit.

use std::fmt;

use serde::Serialize;

/// Why an execution does not go on with this code as it stands, or may not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Misfit {
    /// The code has no such workflow.
    UnknownWorkflow,
    /// What is stored of it cannot be believed.
    Damaged {
        /// Which part of it.
        what: String,
    },
    /// The workflow has no such state.
    UnknownState,
    /// It is of a newer version of the workflow: this code leaves it alone.
    NewerVersion {
        /// The version.
        version: u32,
    },
    /// It is of an older version of the workflow, and cannot be brought to the present one: it would be parked.
    CannotMigrate {
        /// The version.
        version: u32,
        /// Why.
        error: String,
    },
    /// The data of the state does not have the shape that the code expects.
    UnreadableState {
        /// Why.
        error: String,
    },
    /// The state that it enters when all is undone is not there, or cannot be read.
    UnfitTarget {
        /// The state.
        target: String,
        /// Why, if it is there.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// It is in the middle of a handler that the state does not have.
    NoHandler {
        /// The handler.
        handler: String,
    },
    /// It waits, and the state has no entry handler, and no edge for an event or a timer.
    NoWayOut,
    /// Steps have results under a handler that the state does not have: they would not be found, and run again.
    LostResults {
        /// The handler.
        handler: String,
    },
    /// The recorded result of a step cannot be read.
    UnreadableResult {
        /// The step.
        step: String,
        /// Why.
        error: String,
    },
    /// It may have to undo a step which is not there, or has no `undo`.
    NoUndo {
        /// The step.
        step: String,
    },
    /// An event waits for it that no state of the workflow takes.
    UnknownEvent {
        /// The event.
        event: String,
    },
    /// An event waits for it whose payload cannot be read.
    UnreadableEvent {
        /// The event.
        event: String,
        /// Why.
        error: String,
    },
    /// What has started it is of a workflow that the code does not have.
    UnknownParent {
        /// The workflow.
        workflow: String,
    },
    /// It has started, or has something to tell, an execution of a workflow that the code does not have.
    UnknownChild {
        /// The workflow.
        workflow: String,
    },
}

/// What cannot be told from outside, and may be as it should.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(tag = "unknown", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unknown {
    /// A step has a result, and is no method of the workflow.
    Step {
        /// The step.
        step: String,
    },
    /// A timer is set for a handler that the state does not have.
    Timer {
        /// The handler.
        handler: String,
        /// The handlers of timers that the state has, and that are not set.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        instead: Vec<String>,
    },
    /// It waits, and a timer that the state has is not set, as the code had none when the state was entered.
    NewTimer {
        /// The handler.
        handler: String,
    },
    /// More is to be undone than the newest, and the store cannot read it, or it has changed too fast.
    OlderUndos,
}

impl fmt::Display for Misfit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownWorkflow => {
                formatter.write_str("this program has no such workflow: give it one with `.workflow(…)`")
            }
            Self::Damaged { what } => write!(formatter, "what is stored cannot be believed ({what})"),
            Self::UnknownState => {
                formatter.write_str("the workflow has no such state: give the one that replaces it `was = \"…\"`")
            }
            Self::NewerVersion { version } => {
                write!(formatter, "it is of version {version} of the workflow, which is newer: it is left alone")
            }
            Self::CannotMigrate { version, error } => {
                write!(formatter, "it cannot be brought here from version {version} of the workflow: {error}")
            }
            Self::UnreadableState { error } => write!(formatter, "the data of the state cannot be read: {error}"),
            Self::UnfitTarget { target, error: None } => {
                write!(formatter, "it is to enter `{target}` once all is undone, and there is no such state")
            }
            Self::UnfitTarget { target, error: Some(error) } => {
                write!(
                    formatter,
                    "the data of `{target}`, which it is to enter once all is undone, cannot be read: {error}"
                )
            }
            Self::NoHandler { handler } => {
                write!(
                    formatter,
                    "it is in the middle of the handler `{handler}`, which the state does not have: bring it back"
                )
            }
            Self::NoWayOut => formatter.write_str("it waits, and the state has nothing that ends that"),
            Self::LostResults { handler } => write!(
                formatter,
                "steps have results under the handler `{handler}`, which the state does not have: they would run again"
            ),
            Self::UnreadableResult { step, error } => {
                write!(formatter, "the recorded result of `{step}` cannot be read: {error}")
            }
            Self::NoUndo { step } => {
                write!(formatter, "it may have to undo `{step}`, which is not there or has no `undo`: bring both back")
            }
            Self::UnknownEvent { event } => {
                write!(formatter, "the event `{event}` waits for it, and no state takes that")
            }
            Self::UnreadableEvent { event, error } => {
                write!(formatter, "the event `{event}` waits for it, and cannot be read: {error}")
            }
            Self::UnknownParent { workflow } => {
                write!(formatter, "`{workflow}`, which has started it, is no workflow of this program")
            }
            Self::UnknownChild { workflow } => {
                write!(formatter, "`{workflow}`, of which it has started one, is no workflow of this program")
            }
        }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step { step } => write!(
                formatter,
                "`{step}` has a result and is no method of the workflow: found if a function with `#[step]` or `cx.step` has that name"
            ),
            Self::Timer { handler, instead } if instead.is_empty() => write!(
                formatter,
                "a timer is set for `{handler}`, which the state does not have: when it is due, nothing is run. If the edge is meant to be gone, that is right"
            ),
            Self::Timer { handler, instead } => write!(
                formatter,
                "a timer is set for `{handler}`, which the state does not have, and none for `{}`: when it is due, nothing of `{handler}` is run, and what the state has is set then, or when the execution is touched before, counted from when the state was entered. If the edge is the same, call it `{handler}` again",
                instead.join("`, `")
            ),
            Self::NewTimer { handler } => write!(
                formatter,
                "no timer is set for `{handler}`, which the state has by now: that is done when the execution is next touched, by an event or by hand. A new version of the workflow has `migrate` set it for all"
            ),
            Self::OlderUndos => formatter.write_str(
                "more is to be undone than the newest steps, and could not be read: try again when less goes on",
            ),
        }
    }
}
