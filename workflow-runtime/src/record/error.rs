//! An error as data: what is kept of a failure.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::Error;

/// An error as it is kept: its text, those of its sources, and what kind of failure it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorRecord {
    /// What kind of failure it was.
    pub kind: ErrorKind,
    /// The error's text.
    pub message: String,
    /// The texts of its sources, nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
}

/// What kind of failure an [`ErrorRecord`] is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// User code returned an error.
    Failed,
    /// User code panicked.
    Panicked,
    /// A step was cut off by its `timeout`.
    TimedOut,
    /// A step was cut off because it gave no sign of life.
    HeartbeatMissed,
    /// What was saved could not be read, or what was to be saved could not be written: the code and the data do not fit,
    /// or the data is damaged.
    Unreadable,
    /// What was saved by an older version of the workflow could not be brought to the present one.
    Migration,
    /// The state is one that the code does not know, which is of the version that wrote it: an older build of that version.
    UnknownState,
    /// Nothing failed: a person asked for it.
    ByHand,
}

impl ErrorKind {
    /// The persisted name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Panicked => "panicked",
            Self::TimedOut => "timed_out",
            Self::HeartbeatMissed => "heartbeat_missed",
            Self::Unreadable => "unreadable",
            Self::Migration => "migration",
            Self::UnknownState => "unknown_state",
            Self::ByHand => "by_hand",
        }
    }
}

impl ErrorRecord {
    /// The record of `error`.
    #[must_use]
    pub fn new(kind: ErrorKind, error: &Error) -> Self {
        let mut texts = error.chain().map(ToString::to_string);
        let message = texts.next().unwrap_or_default();
        Self { kind, message, sources: texts.collect() }
    }

    /// The error with the same texts; its type is gone.
    #[must_use]
    pub fn to_error(&self) -> Error {
        Error::from_texts(self.message.clone(), self.sources.clone())
    }
}

impl fmt::Display for ErrorRecord {
    /// The text and its sources on one line.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        for source in &self.sources {
            write!(formatter, ": {source}")?;
        }
        Ok(())
    }
}
