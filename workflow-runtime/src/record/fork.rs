//! What executions begin with that are forks of others.

use serde::{Deserialize, Serialize};

use super::{ExecutionRecord, Json, first_version, is_first_version};
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
    /// The version of the workflow that the state is one of.
    #[serde(default = "first_version", skip_serializing_if = "is_first_version")]
    pub version: u32,
}

impl KeptState {
    /// That of an execution as it is now.
    #[must_use]
    pub fn of(record: &ExecutionRecord) -> Self {
        let ExecutionRecord { visit, state, data, version, .. } = record;
        Self { visit: *visit, state: state.clone(), data: data.clone(), version: *version }
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
