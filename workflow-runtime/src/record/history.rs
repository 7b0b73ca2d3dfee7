//! The history: an audit trail that nothing reads to make progress.

use serde::{Deserialize, Serialize};

use super::{Cause, Closed, ControlAction, ErrorRecord, KeptState, Reason};
use crate::base::{Name, Timestamp};

/// One row of an execution's history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryRecord {
    /// When it happened.
    pub at: Timestamp,
    /// The visit that it happened in: 1 for the start state, one more for each transition.
    pub visit: u64,
    /// What happened.
    pub kind: HistoryKind,
    /// The state and its data after it, if they were changed and are [kept](crate::EngineBuilder::keep_state_data).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Box<KeptState>>,
}

impl HistoryRecord {
    /// A row that carries no data.
    #[must_use]
    pub fn new(at: Timestamp, visit: u64, kind: HistoryKind) -> Self {
        Self { at, visit, kind, kept: None }
    }
}

/// What a [`HistoryRecord`] is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HistoryKind {
    /// The execution began.
    Started {
        /// The start state.
        to: Name,
    },
    /// The execution was asked for, and begins later.
    Planned {
        /// The start state.
        to: Name,
        /// When it begins.
        starts_at: Timestamp,
    },
    /// The execution began as a fork of another one of its workflow, with the state that this was in.
    Forked {
        /// The id of the other.
        from: String,
        /// The visit of the other.
        visit: u64,
        /// The state.
        to: Name,
    },
    /// A transition was taken.
    Transition {
        /// The state it left.
        from: Name,
        /// The state it entered.
        to: Name,
        /// What made it.
        cause: Cause,
        /// How long the state that was left had lasted, in milliseconds.
        duration_millis: u64,
        /// How many attempts the steps of the visit took, all together, but for those of edges that kept it.
        attempts: u32,
        /// The error that a `#[catch]` took, if that is what led here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<ErrorRecord>,
        /// Keys of journal entries of the visit that no call asked for after the last restart: steps that the code no
        /// longer has, or calls with other arguments.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unclaimed: Vec<Name>,
    },
    /// A handler returned `Stay`, or that of an edge `Wait`: the visit goes on.
    Stayed {
        /// The state.
        state: Name,
        /// What ran.
        cause: Cause,
    },
    /// A failure that nothing caught: the execution waits for a person.
    Parked {
        /// The state it is parked in.
        state: Name,
        /// What ran.
        cause: Cause,
        /// Why it failed.
        error: ErrorRecord,
    },
    /// It was brought to a newer version of the workflow. What its code says of the state it is in now holds from here on.
    Migrated {
        /// The version that it was of.
        from: u32,
        /// The version that it is of now.
        to: u32,
        /// The state that it was in.
        state: Name,
        /// The state that this has become.
        into: Name,
    },
    /// A feature flag was asked for, for the first time in the visit: the answer holds for all of it.
    Flag {
        /// The name of the flag.
        flag: Name,
        /// Whether it is on.
        on: bool,
        /// Why it is off, if nobody has said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<String>,
    },
    /// A person had a parked execution tried again.
    Retried {
        /// The state it was parked in.
        state: Name,
    },
    /// A child told of its end, and the call that waited for it belongs to a visit that is over.
    ReportDropped {
        /// The child: its workflow and id.
        child: String,
    },
    /// Somebody asked for something by hand. What it led to is in the rows after this one.
    Control {
        /// What was asked for.
        action: ControlAction,
        /// The name of the request.
        event_id: String,
        /// The state that the execution was in.
        state: Name,
        /// Why, and who asked.
        reason: Reason,
        /// Why nothing came of it, if so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<String>,
    },
    /// What the execution has done is to be undone.
    UnwindBegan {
        /// The state it is in.
        from: Name,
        /// The state that it enters when all is undone; without, it is parked or closed then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        into: Option<Name>,
        /// What made it.
        cause: Cause,
        /// The error that made it, if one did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<ErrorRecord>,
        /// As in [`Transition`](Self::Transition).
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unclaimed: Vec<Name>,
    },
    /// A step was undone.
    Undone {
        /// The step.
        step: Name,
        /// The key that its call had in the journal.
        key: Name,
        /// Whether there was anything to undo: not if the step may have run, was run again to learn its output, and
        /// failed with its own error.
        effect: bool,
    },
    /// A step could not be undone: the execution is parked with that and all older ones left to undo.
    UndoFailed {
        /// The step.
        step: Name,
        /// The key that its call had in the journal.
        key: Name,
        /// Why its undo failed.
        error: ErrorRecord,
    },
    /// The execution is over without an end state.
    Closed {
        /// The state it was in.
        state: Name,
        /// Why.
        closed: Closed,
    },
    /// A handler refused the event that made it run: the state is as it was.
    Refused {
        /// The state.
        state: Name,
        /// What ran.
        cause: Cause,
    },
    /// No edge of the state took this event, and its type says `reject` or `drop`.
    EventRefused {
        /// The state.
        state: Name,
        /// The event's persisted name.
        event: Name,
        /// The sender's name for it.
        event_id: String,
    },
    /// The execution ended while this event waited in its inbox: no edge took it.
    EventLeft {
        /// The event's persisted name.
        event: Name,
        /// The sender's name for it.
        event_id: String,
    },
}
