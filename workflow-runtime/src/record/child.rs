//! What ties an execution to the one that started it.

use serde::{Deserialize, Serialize};

use super::{ErrorRecord, Json};

/// Who started an execution, and which call of it waits for the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParentRecord {
    /// The persisted name of the parent's workflow.
    pub workflow: String,
    /// The parent's id.
    pub id: String,
    /// The visit of the parent in which the call was made.
    pub visit: u64,
    /// Which taking of an edge of that visit the call belongs to.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub edge: u64,
    /// The journal key of the call.
    pub call: String,
    /// Whether the parent is told of the end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reports: bool,
    /// Whether the parent is told, too, if the child is parked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reports_parking: bool,
}

/// A child whose parent has moved on without waiting for it any longer: it is to be cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftChildRecord {
    /// The persisted name of the child's workflow.
    pub workflow: String,
    /// The child's id.
    pub id: String,
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
    pub call: String,
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
        state: String,
        /// The data of it: the outcome.
        data: Json,
    },
    /// It was cancelled.
    Cancelled {
        /// Why, as the caller said.
        reason: String,
    },
    /// It was terminated.
    Terminated {
        /// Why, as the caller said.
        reason: String,
    },
    /// It is parked, and whoever called it did not want to wait for a person.
    Parked {
        /// Why it failed.
        error: ErrorRecord,
    },
}

/// The name of the event by which a child tells its parent of its end. No event of a user can have it.
pub const CHILD_EVENT: &str = "~child";

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over by reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
