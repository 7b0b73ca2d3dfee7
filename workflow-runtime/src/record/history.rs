//! The history: an audit trail that nothing reads to make progress.

use serde::{Deserialize, Serialize};

use super::{Cause, ControlAction, ErrorRecord, Reason};
use crate::base::Timestamp;

/// One row of an execution's history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryRecord {
    /// When it happened.
    pub at: Timestamp,
    /// The visit that it happened in: 1 for the start state, one more for each transition.
    pub visit: u64,
    /// What happened.
    pub kind: HistoryKind,
}

/// What a [`HistoryRecord`] is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HistoryKind {
    /// The execution began.
    Started {
        /// The start state.
        to: String,
    },
    /// A transition was taken.
    Transition {
        /// The state it left.
        from: String,
        /// The state it entered.
        to: String,
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
        unclaimed: Vec<String>,
    },
    /// A handler returned `Stay`, or that of an edge `Wait`: the visit goes on.
    Stayed {
        /// The state.
        state: String,
        /// What ran.
        cause: Cause,
    },
    /// A failure that nothing caught: the execution waits for a person.
    Parked {
        /// The state it is parked in.
        state: String,
        /// What ran.
        cause: Cause,
        /// Why it failed.
        error: ErrorRecord,
    },
    /// A person had a parked execution tried again.
    Retried {
        /// The state it was parked in.
        state: String,
    },
    /// Somebody asked for something by hand. What it led to is in the rows after this one.
    Control {
        /// What was asked for.
        action: ControlAction,
        /// The name of the request.
        event_id: String,
        /// The state that the execution was in.
        state: String,
        /// Why, and who asked.
        reason: Reason,
        /// Why nothing came of it, if so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<String>,
    },
    /// The execution ended while this event waited in its inbox: no edge took it.
    EventLeft {
        /// The event's persisted name.
        event: String,
        /// The sender's name for it.
        event_id: String,
    },
}
