//! What is to be undone, and where an execution goes when it has been.
//!
//! What is to be undone of the visits before stands on a stack, each of it in a row of its own; the record has their
//! number. A commit so writes what it puts there or takes away, however much there is.

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
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "super::json::present")]
    pub args: Option<Json>,
    /// Its place among the calls of the visit that have an `undo`, by when it was started or, once it has ended, by when
    /// that was.
    #[serde(default)]
    pub order: u64,
}

/// How many of the steps that are to be undone are read at once while an execution unwinds.
pub(crate) const UNDO_AT_ONCE: usize = 64;

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
    /// How many are to be undone of the visits before its own: by that, a row that is missing is noticed.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub older: u64,
    /// What is known of it.
    pub output: UndoOutput,
}

/// Where on the stack a step stands that is to be undone: the greatest is the newest, and is undone first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UndoPlace {
    /// The visit that the step ran in.
    pub visit: u64,
    /// Its place among those of its visit.
    pub order: u64,
}

impl UndoRecord {
    /// Where on the stack it stands.
    #[must_use]
    pub fn place(&self) -> UndoPlace {
        UndoPlace { visit: self.visit, order: self.order }
    }

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
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "super::json::present")]
        args: Option<Json>,
        /// What is recorded of calls inside of the step.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        inside: Vec<JournalEntry>,
    },
}

/// Says what is wrong with `top`, which is what was read of a stack of `count`, the newest last: `wanted` of it, or all
/// there is. Nothing may be missing in it, or the older would be undone before the newer.
///
/// # Errors
/// With what does not fit.
pub fn check_undo(top: &[UndoRecord], count: u64, wanted: usize) -> Result<(), String> {
    if top.len() as u64 != count.min(wanted as u64) {
        return Err(format!(
            "{} of {count} are to be undone next, and {} are there",
            count.min(wanted as u64),
            top.len()
        ));
    }
    let mut left = count;
    let mut newer: Option<&UndoRecord> = None;
    for undo in top.iter().rev() {
        let fits = newer.is_none_or(|newer| match newer.visit == undo.visit {
            true => newer.order > undo.order && newer.older == undo.older,
            false => newer.visit > undo.visit && newer.older == left,
        });
        if !fits || undo.older >= left {
            return Err(format!("something is missing that was to be undone before `{}`", undo.key));
        }
        left -= 1;
        newer = Some(undo);
    }
    match newer {
        Some(oldest) if left == 0 && oldest.older != 0 => {
            Err(format!("something is missing that was to be undone after `{}`", oldest.key))
        }
        _ => Ok(()),
    }
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
