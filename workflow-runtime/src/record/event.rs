//! Events on their way: the inbox of an execution.

use serde::{Deserialize, Serialize};

use super::Json;
use crate::base::Timestamp;

/// An event that is to be put into an inbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewEvent {
    /// The sender's name for this message; the second of one name is taken for a repetition of the first.
    pub event_id: String,
    /// The event's persisted name.
    pub name: String,
    /// What the message says.
    pub payload: Json,
    /// When it was sent.
    pub sent_at: Timestamp,
}

/// An event in an inbox, where it stays until a transition consumes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventRecord {
    /// Its place in the inbox of its execution: 1 for the first event ever sent to it, never given twice.
    pub seq: u64,
    /// The event.
    pub event: NewEvent,
}
