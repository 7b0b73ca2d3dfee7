//! What an execution has done to others: data, which its driver carries out.

use serde::{Deserialize, Serialize};

use crate::base::{Name, Timestamp};
use crate::record::{ChildEnd, ExecutionKey, FIRST_VERSION, Json, NewEvent, ParentRecord};

/// Something that a driver does for one execution to another one. Doing it twice is doing it once.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Command {
    /// Begins an execution, unless there is one of this key.
    Start(Box<StartCommand>),
    /// Puts an event into the inbox of an execution, unless one of its id was there before.
    Deliver {
        /// Whose inbox.
        to: ExecutionKey,
        /// The event.
        event: NewEvent,
    },
}

/// An execution that is to begin.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StartCommand {
    /// Which.
    pub key: ExecutionKey,
    /// The version of the workflow that this state is one of.
    pub version: u32,
    /// The persisted name of the state that it starts in.
    pub state: Name,
    /// The data of that state.
    pub data: Json,
    /// When it begins; `None` for at once.
    pub at: Option<Timestamp>,
    /// Who starts it, if that matters to it.
    pub parent: Option<ParentRecord>,
}

impl StartCommand {
    /// An execution of the first version that begins at once, and that nobody waits for.
    #[must_use]
    pub fn new(key: ExecutionKey, state: impl Into<Name>, data: Json) -> Self {
        Self { key, version: FIRST_VERSION, state: state.into(), data, at: None, parent: None }
    }
}

/// What became of a [`Command`] that was carried out.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Acknowledged {
    /// The execution began, or the event was put into the inbox.
    Applied,
    /// An execution of this key, or an event of this id, was there already.
    Existed,
    /// The child was there already, and has come to its end before this call: nobody else is going to tell of it.
    HadEnded(ChildEnd),
}

/// Why a [`Command`] was not carried out. It is recorded, and given to the handler as an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CommandRefused {
    /// The engine was not given this workflow.
    #[error("the engine does not know the workflow `{workflow}`: give it one with `.workflow(…)` before `.start()`")]
    UnknownWorkflow {
        /// Its persisted name.
        workflow: String,
    },
    /// There is no such execution.
    #[error("there is no execution {execution}")]
    UnknownExecution {
        /// Which: workflow and id.
        execution: String,
    },
    /// The execution has ended, so it takes no event.
    #[error("the execution {execution} has ended")]
    Ended {
        /// Which: workflow and id.
        execution: String,
    },
    /// The id belongs to an execution that was started by someone else, or by another call.
    #[error(
        "the id of {execution} is taken by an execution that this call did not start: use an id of its own for each call"
    )]
    IdTaken {
        /// Which: workflow and id.
        execution: String,
    },
    /// The text cannot be an id.
    #[error("{message}")]
    InvalidId {
        /// What is wrong with it.
        message: String,
    },
    /// The data is over the limit.
    #[error(
        "the data of `{name}` is {len} bytes long, over the limit of {limit}: keep a reference to it instead, or raise the limit with `.payload_limit(…)`"
    )]
    TooLarge {
        /// The state or event.
        name: String,
        /// Its length in bytes.
        len: usize,
        /// The limit in bytes.
        limit: usize,
    },
}

/// A command, and which call of the handler waits for its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandCall {
    /// The journal key of the call.
    pub key: Name,
    /// What is to be done.
    pub command: Command,
}

/// What became of a [`CommandCall`].
#[derive(Debug, Clone, PartialEq)]
pub struct CommandAnswer {
    /// The journal key of the call.
    pub key: Name,
    /// What became of it.
    pub result: Result<Acknowledged, CommandRefused>,
}
