//! What the journal has of a call of a `#[parallel]` function, besides the results of the steps in it.

use serde::{Deserialize, Serialize};

use super::{ErrorRecord, Json};
use crate::base::{Name, Timestamp};

/// A call whose branches run at once. The keys of what is recorded in it begin with the key of its entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParallelRecord {
    /// The function's name.
    pub name: Name,
    /// The names of its branches, where each is written on its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<Name>,
    /// How many branches there are, once that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// When its time is over, if it has a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// What it came to, once it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<ParallelEnd>,
}

/// What a parallel call came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ParallelEnd {
    /// What was asked for is there.
    Succeeded {
        /// The keys of the branches that decided it, where the others were stopped.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        by: Vec<Name>,
    },
    /// What was asked for is out of reach.
    Failed {
        /// The keys of the branches that decided it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        by: Vec<Name>,
    },
    /// Its time was over before it was decided.
    TimedOut,
}

impl ParallelEnd {
    /// The branches that decided it.
    #[must_use]
    pub fn by(&self) -> &[Name] {
        match self {
            Self::Succeeded { by } | Self::Failed { by } => by,
            Self::TimedOut => &[],
        }
    }
}

/// A branch of a parallel call that has ended.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct BranchRecord {
    /// What it was called with, for people, where it failed and that is short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Why it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorRecord>,
    /// What it came to, if no step of it says so.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "super::json::present")]
    pub value: Option<Json>,
}
