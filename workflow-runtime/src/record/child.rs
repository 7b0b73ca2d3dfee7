//! What ties an execution to the one that started it.

use serde::{Deserialize, Serialize};

use super::{
    Activity, Closed, ErrorRecord, ExecutionKey, ExecutionRecord, Json, NewEvent, Reason, first_version,
    is_first_version,
};
use crate::base::{ExecutionId, Name};

/// Who started an execution, and which call of it waits for the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParentRecord {
    /// The persisted name of the parent's workflow.
    pub workflow: String,
    /// The parent's id.
    pub id: String,
    /// The execution that it started: workflow and id.
    pub child: String,
    /// The visit of the parent in which the call was made.
    pub visit: u64,
    /// Which taking of an edge of that visit the call belongs to.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub edge: u64,
    /// The journal key of the call.
    pub call: Name,
    /// Whether the parent is told of the end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reports: bool,
    /// Whether the parent is told, too, if the child is parked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reports_parking: bool,
}

/// An event that an execution is to put into another one's inbox before it does anything else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutgoingRecord {
    /// The persisted name of the receiver's workflow.
    pub workflow: String,
    /// The receiver's id.
    pub id: String,
    /// The event.
    pub event: NewEvent,
    /// The call that may have started the receiver, where it is not known whether it has: one that it has not started gets
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_of: Option<ChildCallRecord>,
}

/// A call of an execution that starts another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildCallRecord {
    /// The visit in which it was made.
    pub visit: u64,
    /// Its key in the journal.
    pub call: Name,
}

impl ParentRecord {
    /// Whether it was this call of this execution that started the child.
    #[must_use]
    pub fn is_call(&self, parent: &ExecutionKey, call: &ChildCallRecord) -> bool {
        (&*self.workflow, &*self.id) == (&*parent.workflow, parent.id.as_str())
            && (self.visit, &self.call) == (call.visit, &call.call)
    }
}

impl OutgoingRecord {
    /// Whose inbox it is for; `None` if that is no name of an execution.
    #[must_use]
    pub fn receiver(&self) -> Option<ExecutionKey> {
        let id = ExecutionId::new(&self.id).ok()?;
        Some(ExecutionKey { workflow: self.workflow.as_str().into(), id })
    }
}

/// What a parent is told of a child: the payload of the event [`CHILD_EVENT`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChildReport {
    /// The visit of the parent in which the call was made.
    pub visit: u64,
    /// Which taking of an edge of that visit the call belongs to.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub edge: u64,
    /// The journal key of the call.
    pub call: Name,
    /// What became of the child.
    pub end: ChildEnd,
}

/// How a child stands when its parent is told of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChildEnd {
    /// It came to an end state.
    Ended {
        /// The persisted name of the end state.
        state: Name,
        /// The data of it: the outcome.
        data: Json,
        /// The version of the workflow that the state is one of.
        #[serde(default = "first_version", skip_serializing_if = "is_first_version")]
        version: u32,
    },
    /// It was cancelled.
    Cancelled {
        /// Why, and who did it.
        reason: Reason,
    },
    /// It was terminated.
    Terminated {
        /// Why, and who did it.
        reason: Reason,
    },
    /// It is parked, and whoever called it did not want to wait for a person.
    Parked {
        /// Why it failed.
        error: ErrorRecord,
    },
}

impl ChildEnd {
    /// How the execution with this record has ended, if it has.
    #[must_use]
    pub fn of(record: &ExecutionRecord) -> Option<Self> {
        match (&record.activity, record.closed.clone()) {
            (_, Some(Closed::Cancelled { reason })) => Some(Self::Cancelled { reason }),
            (_, Some(Closed::Terminated { reason })) => Some(Self::Terminated { reason }),
            (Activity::Ended, None) => {
                Some(Self::Ended { state: record.state.clone(), data: record.data.clone(), version: record.version })
            }
            (_, None) => None,
        }
    }
}

/// The name of the event by which a child tells its parent of its end. No event of a user can have it.
pub const CHILD_EVENT: &str = "~child";

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over by reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
