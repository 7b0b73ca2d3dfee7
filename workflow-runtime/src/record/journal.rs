//! The journal: what the steps of the current visit came to.

use serde::{Deserialize, Serialize};

use super::{BranchRecord, ErrorRecord, Json, ParallelRecord, UndoableCall};
use crate::base::{Name, Timestamp};

/// What the keys of feature flags begin with: they belong to the visit, and to none of its handlers.
pub const FLAG_KEY: &str = "~flag:";

/// One recorded call of the current visit. A later entry of the same key replaces an earlier one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// Which call this is: handler, branch, step, digest of the arguments, and the how-manieth of those. A call inside of a
    /// step has that step's key before its own.
    pub key: Name,
    /// How often the step has been tried.
    pub attempts: u32,
    /// What became of it.
    pub result: JournalResult,
    /// What is to be known to undo it, if it is a step that has an `undo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<UndoableCall>,
}

impl JournalEntry {
    /// An entry of something that has no `undo`.
    #[must_use]
    pub fn new(key: impl Into<Name>, attempts: u32, result: JournalResult) -> Self {
        Self { key: key.into(), attempts, result, undo: None }
    }

    /// Whether the call was made by this handler.
    #[must_use]
    pub fn is_of(&self, handler: &str) -> bool {
        self.key.strip_prefix(handler).is_some_and(|rest| rest.starts_with(':'))
    }

    /// Whether its step has failed, for good or so far: then its result may be given by hand.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        matches!(self.result, JournalResult::Failed { .. } | JournalResult::Retrying { .. })
    }

    /// The name of the feature flag that it decides, if it does.
    #[must_use]
    pub fn flag(&self) -> Option<&str> {
        self.key.strip_prefix(FLAG_KEY)
    }

    /// The name of its step, or of what else it recorded.
    #[must_use]
    pub fn step(&self) -> &str {
        step_of(&self.key)
    }
}

/// The name of the step, or of what else was called, in the key of a call.
pub(super) fn step_of(key: &str) -> &str {
    let call = key.rsplitn(3, ':').nth(2).unwrap_or(key);
    call.rsplit(':').next().unwrap_or(call)
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum JournalResult {
    /// It succeeded with this output.
    Done(Json),
    /// It failed for good.
    Failed {
        /// The error, for people.
        error: ErrorRecord,
        /// The error, for the code that called the step, where its type is serializable.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "super::json::present")]
        value: Option<Json>,
    },
    /// It failed and is tried again.
    Retrying {
        /// Why the last attempt failed.
        error: ErrorRecord,
        /// When the next attempt is due.
        due: Timestamp,
    },
    /// It was started. Only a step that has an `undo` says so before it runs, so that it is undone also if nobody learns
    /// what came of it.
    Started,
    /// An event was received, and taken out of the inbox.
    Received {
        /// Its place in the inbox.
        seq: u64,
        /// Its persisted name.
        event: Name,
        /// What it says.
        payload: Json,
    },
    /// An execution was started, or was there already.
    Child {
        /// The persisted name of its workflow.
        workflow: String,
        /// Its id.
        id: String,
        /// Whether it is cancelled when the visit is left and this call has not been told of its end.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        cancel_when_left: bool,
        /// The visit that the call counts itself to, as long as it is not known whether the child was started. Only a call
        /// whose child is cancelled when it is left says so before it starts it, so that it is cancelled also if nobody
        /// learns that it was started.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        asked_in: Option<u64>,
    },
    /// A durable sleep, over at this time.
    Sleeping {
        /// When it is over.
        due: Timestamp,
    },
    /// A feature flag was asked for. The key has its name.
    Flag {
        /// Whether it is on.
        on: bool,
        /// Why it is off, if nobody has said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<String>,
    },
    /// A call of a `#[parallel]` function.
    Parallel(ParallelRecord),
    /// A branch of such a call, which has ended.
    Branch(BranchRecord),
}
