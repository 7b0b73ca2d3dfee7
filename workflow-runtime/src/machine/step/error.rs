//! The errors of a step: its own, and those that stand for an attempt that was cut off.

use std::error::Error as StdError;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::base::Error;
use crate::machine::saved::{Saved, SavedTypes};
use crate::record::{ErrorKind, ErrorRecord, Json, JsonError};

/// The last attempt of a step took longer than its `timeout`. A `#[catch]` handler can take it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("the step `{step}` was cut off after {timeout_millis} ms, its timeout")]
pub struct StepTimedOut {
    /// The step.
    pub step: String,
    /// Its timeout in milliseconds.
    pub timeout_millis: u64,
}

/// The last attempt of a step gave no sign of life for as long as its `heartbeat`. A `#[catch]` handler can take it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("the step `{step}` was cut off: it gave no heartbeat for {heartbeat_millis} ms")]
pub struct StepHeartbeatMissed {
    /// The step.
    pub step: String,
    /// How long it may go without a sign of life, in milliseconds.
    pub heartbeat_millis: u64,
}

/// The last attempt of a step panicked. A `#[catch]` handler can take it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("the step `{step}` panicked: {message}")]
pub struct StepPanicked {
    /// The step.
    pub step: String,
    /// What the panic said.
    pub message: String,
}

/// The error of a step: a type that can be saved, so that it is the same after a restart, or the boxed [`Error`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a step",
    label = "not an error that can be saved",
    note = "a step's final error is recorded like its result: give `{Self}` `std::error::Error`, `serde::Serialize` and `serde::Deserialize`, or return `Result<T>` with the boxed `workflow_runtime::Error`"
)]
pub trait StepError: Sized + 'static {
    /// The error as it is saved: for people, and for the code that called the step.
    #[doc(hidden)]
    fn to_recorded(&self) -> (ErrorRecord, Option<Json>);

    /// The error that was saved.
    #[doc(hidden)]
    fn from_recorded(record: &ErrorRecord, value: Option<&Json>) -> Result<Self, JsonError>;

    /// The error that stands for an attempt that was cut off, where the type has one.
    #[doc(hidden)]
    fn from_cut(cut: Error) -> Result<Self, Error>;

    /// Tells of the type that is saved, where it has one of its own.
    #[doc(hidden)]
    fn saved<V: SavedTypes>(types: &mut V, step: &'static str) {
        let _ = (types, step);
    }
}

impl StepError for Error {
    fn to_recorded(&self) -> (ErrorRecord, Option<Json>) {
        (ErrorRecord::new(ErrorKind::Failed, self), None)
    }

    fn from_recorded(record: &ErrorRecord, _: Option<&Json>) -> Result<Self, JsonError> {
        Ok(record.to_error())
    }

    fn from_cut(cut: Error) -> Result<Self, Error> {
        Ok(cut)
    }
}

#[diagnostic::do_not_recommend]
impl<E: StdError + Serialize + DeserializeOwned + Send + Sync + 'static> StepError for E {
    fn to_recorded(&self) -> (ErrorRecord, Option<Json>) {
        let texts = std::iter::successors(self.source(), |error| (*error).source());
        let sources = texts.map(ToString::to_string).collect();
        let record = ErrorRecord { kind: ErrorKind::Failed, message: self.to_string(), sources };
        (record, Json::encode(self).ok())
    }

    fn from_recorded(record: &ErrorRecord, value: Option<&Json>) -> Result<Self, JsonError> {
        match value {
            Some(value) => value.decode(),
            None => Json::encode(&record.message)?.decode(),
        }
    }

    fn from_cut(cut: Error) -> Result<Self, Error> {
        Err(cut)
    }

    fn saved<V: SavedTypes>(types: &mut V, step: &'static str) {
        types.saved::<Self>(Saved::Error, step);
    }
}

/// How an attempt ended, if not with a result of the step's own.
pub(super) enum Cut {
    TimedOut(StepTimedOut),
    HeartbeatMissed(StepHeartbeatMissed),
    Panicked(StepPanicked),
}

impl Cut {
    pub(super) fn timed_out(step: &str, timeout: Duration) -> Self {
        Self::TimedOut(StepTimedOut { step: step.to_owned(), timeout_millis: millis(timeout) })
    }

    pub(super) fn heartbeat_missed(step: &str, heartbeat: Duration) -> Self {
        Self::HeartbeatMissed(StepHeartbeatMissed { step: step.to_owned(), heartbeat_millis: millis(heartbeat) })
    }

    pub(super) fn panicked(step: &str, message: &str) -> Self {
        Self::Panicked(StepPanicked { step: step.to_owned(), message: message.to_owned() })
    }

    /// What `to_recorded` made of it, if `record` is of one.
    pub(super) fn from_recorded(record: &ErrorRecord, value: Option<&Json>) -> Result<Option<Self>, JsonError> {
        let Some(value) = value else { return Ok(None) };
        Ok(match record.kind {
            ErrorKind::TimedOut => Some(Self::TimedOut(value.decode()?)),
            ErrorKind::HeartbeatMissed => Some(Self::HeartbeatMissed(value.decode()?)),
            ErrorKind::Panicked => Some(Self::Panicked(value.decode()?)),
            _ => None,
        })
    }

    pub(super) fn to_recorded(&self) -> (ErrorRecord, Option<Json>) {
        let (kind, message, value) = match self {
            Self::TimedOut(cut) => (ErrorKind::TimedOut, cut.to_string(), Json::encode(cut)),
            Self::HeartbeatMissed(cut) => (ErrorKind::HeartbeatMissed, cut.to_string(), Json::encode(cut)),
            Self::Panicked(cut) => (ErrorKind::Panicked, cut.to_string(), Json::encode(cut)),
        };
        (ErrorRecord { kind, message, sources: Vec::new() }, value.ok())
    }

    pub(super) fn took_too_long(&self) -> bool {
        matches!(self, Self::TimedOut(_) | Self::HeartbeatMissed(_))
    }

    pub(super) fn into_error(self) -> Error {
        match self {
            Self::TimedOut(cut) => Error::from(cut),
            Self::HeartbeatMissed(cut) => Error::from(cut),
            Self::Panicked(cut) => Error::from(cut),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
