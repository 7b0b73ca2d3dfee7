//! What executions begin with that are forks of others.

use serde::{Deserialize, Serialize};

use super::{ExecutionRecord, Json};
use crate::base::Name;

/// The state that an execution was in, with its data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptState {
    /// The visit.
    pub visit: u64,
    /// The persisted name of the state.
    pub state: Name,
    /// Its data.
    pub data: Json,
}

impl KeptState {
    /// That of an execution as it is now.
    #[must_use]
    pub fn of(record: &ExecutionRecord) -> Self {
        Self { visit: record.visit, state: record.state.clone(), data: record.data.clone() }
    }
}

/// What an execution is a fork of: another one of its workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForkRecord {
    /// The id of the other.
    pub id: String,
    /// The visit of the other, whose state it began with.
    pub visit: u64,
}
