//! What is to be undone, and where an execution goes when it has been.

use serde::{Deserialize, Serialize};

use super::{Closed, ErrorRecord, JournalEntry, Json};
use crate::base::Name;

/// What a [`JournalEntry`] says besides of a step that has an `undo`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UndoableCall {
    /// The step's name: what is to be undone is found by it.
    pub step: Name,
    /// Which taking of an edge the handler ran for, as in [`edge_number`](super::ExecutionRecord::edge_number).
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub edge_number: u64,
    /// The arguments, as a list, so that the step can be run again to learn its output; `None` once that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<Json>,
    /// Its place among the calls of the visit that have an `undo`, by when it was started or, once it has ended, by when
    /// that was.
    #[serde(default)]
    pub order: u64,
}

/// One step that unwinding would undo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UndoRecord {
    /// The step's name.
    pub step: String,
    /// The key of the call in its journal. With visit and edge number, it makes the idempotency key.
    pub key: String,
    /// The visit that the step ran in.
    pub visit: u64,
    /// Which taking of an edge its handler ran for.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub edge_number: u64,
    /// Its place among those of its visit.
    #[serde(default)]
    pub order: u64,
    /// What is known of it.
    pub output: UndoOutput,
}

impl UndoRecord {
    /// What the undo runs under: the beginning of the keys in its journal.
    #[must_use]
    pub fn handler(&self) -> String {
        format!("~undo:{}", self.key)
    }
}

/// What is known of the output of a step that is to be undone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UndoOutput {
    /// It is recorded.
    Known(Json),
    /// The step may have run, and no output is recorded: it is run again with its idempotency key to learn it.
    Unknown {
        /// The step's arguments, as a list.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        args: Option<Json>,
        /// What is recorded of calls inside of the step.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        inside: Vec<JournalEntry>,
    },
}

/// Where an execution goes once everything is undone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UnwindInto {
    /// It enters a state.
    State {
        /// The state's persisted name.
        state: Name,
        /// Its data.
        data: Json,
    },
    /// It is parked in the state that it is in.
    Park {
        /// The failure that nothing caught.
        error: ErrorRecord,
    },
    /// It is over without an end state.
    Closed(Closed),
}

impl UnwindInto {
    /// The persisted name of the state that it enters, if it enters one.
    #[must_use]
    pub fn state(&self) -> Option<&Name> {
        match self {
            Self::State { state, .. } => Some(state),
            Self::Park { .. } | Self::Closed(_) => None,
        }
    }
}
