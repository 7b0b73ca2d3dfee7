//! What became of an event, for whoever waits for the answer.

use serde::{Deserialize, Serialize};

use super::{ErrorRecord, Json};

/// The answer to one event. It is kept for good, so that who asks again gets the same one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplyRecord {
    /// The sender's name for the event.
    pub event_id: String,
    /// The answer.
    pub answer: Answer,
}

/// What an event came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Answer {
    /// An edge took it and answered with this.
    Replied(Json),
    /// An edge took it and refused it, for this reason: the state is as it was.
    Refused(Json),
    /// No edge of the state took it, and it is one that is not kept for later.
    Rejected {
        /// The state.
        state: String,
    },
    /// The same, and nobody was to be told.
    Dropped {
        /// The state.
        state: String,
    },
    /// The edge that took it failed for good, and another edge caught the error, or all was undone.
    Failed {
        /// The error.
        error: ErrorRecord,
    },
}
