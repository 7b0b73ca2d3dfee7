//! The end of an execution that came to no end state.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Reason;

/// Why an execution is over although it is in no end state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Closed {
    /// It was cancelled: what it had done was undone before.
    Cancelled {
        /// Why, and who did it.
        reason: Reason,
    },
    /// It was terminated: it was left as it was.
    Terminated {
        /// Why, and who did it.
        reason: Reason,
    },
}

impl fmt::Display for Closed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled { reason } => write!(formatter, "cancelled: {reason}"),
            Self::Terminated { reason } => write!(formatter, "terminated: {reason}"),
        }
    }
}
