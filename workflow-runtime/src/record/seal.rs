//! The envelope of a persisted record: its checksum.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{ExecutionKey, JournalEntry, JournalResult, UndoableCall};
use crate::base::Name;

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
    let checksum = checksum(kind, key, &[&body]);
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
    open_parts(kind, key, &[body], body, expected)
}

fn open_parts<T: DeserializeOwned>(
    kind: RecordKind,
    key: &ExecutionKey,
    parts: &[&str],
    body: &str,
    expected: u32,
) -> Result<T, UnsealError> {
    let found = checksum(kind, key, parts);
    if found != expected {
        return Err(UnsealError::Checksum { found, expected });
    }
    serde_json::from_str(body).map_err(UnsealError::Form)
}

/// A journal entry as it stands beside its key.
#[derive(Serialize)]
struct Keyless<'a> {
    attempts: u32,
    result: &'a JournalResult,
    #[serde(skip_serializing_if = "Option::is_none")]
    undo: &'a Option<UndoableCall>,
}

/// What was read beside a key. Up to format 2, the key stood in the body as well.
#[derive(Deserialize)]
struct Read {
    key: Option<Name>,
    attempts: u32,
    result: JournalResult,
    #[serde(default)]
    undo: Option<UndoableCall>,
}

/// Puts an entry of the journal of `key` into an envelope that stands beside the entry's key, and is without it: the key
/// is the longest part of most entries. The checksum covers it.
///
/// # Errors
/// As those of [`seal`].
pub fn seal_entry(key: &ExecutionKey, entry: &JournalEntry) -> Result<Sealed, serde_json::Error> {
    let JournalEntry { key: entry_key, attempts, result, undo } = entry;
    let body = serde_json::to_string(&Keyless { attempts: *attempts, result, undo })?;
    let checksum = checksum(RecordKind::Journal, key, &[entry_key, &body]);
    Ok(Sealed { body, checksum })
}

/// Takes the entry of the journal of `key` that stands beside `entry_key` out of its envelope, of whatever format.
///
/// # Errors
/// As those of [`open`].
pub fn open_entry(key: &ExecutionKey, entry_key: &str, body: &str, expected: u32) -> Result<JournalEntry, UnsealError> {
    let parts: &[&str] = if body.starts_with("{\"key\":") { &[body] } else { &[entry_key, body] };
    let Read { key, attempts, result, undo } = open_parts(RecordKind::Journal, key, parts, body, expected)?;
    Ok(JournalEntry { key: key.unwrap_or_else(|| entry_key.into()), attempts, result, undo })
}

fn checksum(kind: RecordKind, key: &ExecutionKey, parts: &[&str]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for part in [kind.name(), &key.workflow, key.id.as_str()].iter().chain(parts) {
        hasher.update(part.as_bytes());
        // A byte that UTF-8 never has keeps the parts apart.
        hasher.update(&[0xff]);
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ExecutionId;
    use crate::record::Json;

    fn key(id: &str) -> ExecutionKey {
        ExecutionKey { workflow: "Orders".into(), id: ExecutionId::new(id).unwrap() }
    }

    fn entry() -> JournalEntry {
        JournalEntry::new("run:load:0", 2, JournalResult::Done(Json::encode("text").unwrap()))
    }

    #[test]
    fn an_entry_is_read_beside_its_key_and_nowhere_else() {
        let sealed = seal_entry(&key("a"), &entry()).unwrap();
        assert_eq!(sealed.body, r#"{"attempts":2,"result":{"done":"text"}}"#);
        let open = |id, entry_key| open_entry(&key(id), entry_key, &sealed.body, sealed.checksum);
        assert_eq!(open("a", "run:load:0").unwrap(), entry());
        assert!(matches!(open("a", "run:load:1"), Err(UnsealError::Checksum { .. })));
        assert!(matches!(open("b", "run:load:0"), Err(UnsealError::Checksum { .. })));
    }

    #[test]
    fn an_entry_that_has_its_key_in_it_is_read_too() {
        let sealed = seal(RecordKind::Journal, &key("a"), &entry()).unwrap();
        assert!(sealed.body.starts_with(r#"{"key":"run:load:0","#), "{}", sealed.body);
        assert_eq!(open_entry(&key("a"), "run:load:0", &sealed.body, sealed.checksum).unwrap(), entry());
    }
}
