//! The envelope of a persisted record: its checksum.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ExecutionKey;

/// What kind of record an envelope holds; part of what the checksum covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordKind {
    /// An [`ExecutionRecord`](super::ExecutionRecord).
    Execution,
    /// A [`JournalEntry`](super::JournalEntry).
    Journal,
    /// An [`EventRecord`](super::EventRecord).
    Event,
    /// A [`HistoryRecord`](super::HistoryRecord).
    History,
    /// A [`ReplyRecord`](super::ReplyRecord).
    Reply,
    /// An [`UndoRecord`](super::UndoRecord).
    Undo,
}

impl RecordKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Execution => "execution",
            Self::Journal => "journal",
            Self::Event => "event",
            Self::History => "history",
            Self::Reply => "reply",
            Self::Undo => "undo",
        }
    }
}

/// A record ready to be written: its JSON text and the checksum that goes beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The record as JSON.
    pub body: String,
    /// CRC-32 over the record's kind, the execution it belongs to, and the body.
    pub checksum: u32,
}

/// Why a persisted record was not believed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnsealError {
    /// The bytes are not those that were written, or not where they were written.
    #[error("its checksum is {found:08x} where {expected:08x} was written with it: the row is damaged")]
    Checksum {
        /// The checksum of what was read.
        found: u32,
        /// The checksum beside it.
        expected: u32,
    },
    /// The bytes are those that were written, but this build does not know the form.
    #[error("it is not a record of a form that this build knows")]
    Form(#[source] serde_json::Error),
}

/// Puts `record` of `key` into an envelope.
///
/// # Errors
/// If its JSON cannot be written, which the record types rule out but for lack of memory.
pub fn seal<T: Serialize>(kind: RecordKind, key: &ExecutionKey, record: &T) -> Result<Sealed, serde_json::Error> {
    let body = serde_json::to_string(record)?;
    let checksum = checksum(kind, key, &body);
    Ok(Sealed { body, checksum })
}

/// Takes a record of `key` out of its envelope.
///
/// # Errors
/// [`UnsealError`] if it is damaged, misplaced, or of an unknown form.
pub fn open<T: DeserializeOwned>(
    kind: RecordKind,
    key: &ExecutionKey,
    body: &str,
    expected: u32,
) -> Result<T, UnsealError> {
    let found = checksum(kind, key, body);
    if found != expected {
        return Err(UnsealError::Checksum { found, expected });
    }
    serde_json::from_str(body).map_err(UnsealError::Form)
}

fn checksum(kind: RecordKind, key: &ExecutionKey, body: &str) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for part in [kind.name(), &key.workflow, key.id.as_str(), body] {
        hasher.update(part.as_bytes());
        // A byte that UTF-8 never has keeps the parts apart.
        hasher.update(&[0xff]);
    }
    hasher.finalize()
}
