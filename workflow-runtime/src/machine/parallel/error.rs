//! What a parallel call comes to that no branch of it said.

use serde::{Deserialize, Serialize};

/// A parallel call took longer than its `timeout`. A `#[catch]` handler can take it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("the parallel call `{call}` was cut off after {timeout_millis} ms, its timeout")]
pub struct ParallelTimedOut {
    /// The function.
    pub call: String,
    /// Its timeout in milliseconds.
    pub timeout_millis: u64,
}

/// Fewer branches than asked for can succeed, and there is no branch whose failure says so: there are too few. A `#[catch]`
/// handler can take it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("the parallel call `{call}` has {branches} branches, and {wanted} of them are to succeed")]
pub struct JoinMissed {
    /// The function.
    pub call: String,
    /// How many are to succeed.
    pub wanted: u64,
    /// How many there are.
    pub branches: u64,
}
