//! What stands in the columns of rows: records, as JSON.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::record::{
    ChildEnd, ChildReport, ExecutionRecord, HistoryRecord, JournalEntry, NewEvent, ParkedRecord, ReplyRecord,
    UndoRecord, check_undo,
};

/// What stands in a row, or in a column of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Execution,
    Journal,
    Event,
    History,
    Answer,
    Undo,
    Parked,
    Report,
}

impl Format {
    pub(super) const ALL: [Self; 8] = [
        Self::Execution,
        Self::Journal,
        Self::Event,
        Self::History,
        Self::Answer,
        Self::Undo,
        Self::Parked,
        Self::Report,
    ];

    /// Says whether the text is one of this format.
    pub(super) fn is_read(self, text: &str) -> bool {
        match self {
            Self::Execution => is_stable::<ExecutionRecord>(text, look_at),
            Self::Journal => is_stable::<JournalEntry>(text, |entry| {
                let _ = (entry.step().len(), entry.has_failed(), entry.is_of("work"));
            }),
            Self::Event => is_stable::<NewEvent>(text, |event| {
                let _ = event.control();
            }),
            Self::History => is_stable::<HistoryRecord>(text, |_| {}),
            Self::Answer => is_stable::<ReplyRecord>(text, |_| {}),
            Self::Undo => is_stable::<UndoRecord>(text, |undo| {
                let _ = (undo.place(), undo.handler(), check_undo(std::slice::from_ref(undo), undo.older, 64));
            }),
            Self::Parked => is_stable::<ParkedRecord>(text, |parked| {
                let _ = (parked.error.to_string(), parked.error.to_error().to_string());
            }),
            Self::Report => is_stable::<ChildReport>(text, |_| {}),
        }
    }
}

/// All that a driver asks of a record before it goes on with it.
fn look_at(record: &ExecutionRecord) {
    let _ = (record.status(), record.wake_at(), record.next_timer(), record.edge_number(), record.last_error());
    let _ = (record.left_to_undo(), record.undo_wanted(), ChildEnd::of(record));
    let _ = record.failing.as_ref().map(|failing| failing.step().len());
    record.outgoing.iter().for_each(|outgoing| drop(outgoing.receiver()));
}

/// Reads a text, and writes what was read: what comes back is the same value, and the same text from then on.
fn is_stable<T: Serialize + DeserializeOwned + PartialEq + Debug>(text: &str, look_at: impl Fn(&T)) -> bool {
    let Ok(value) = serde_json::from_str::<T>(text) else { return false };
    look_at(&value);
    let _ = format!("{value:?}");
    let written = serde_json::to_string(&value).unwrap();
    // Nothing is left out of what is read but what nobody knows, so it gets no longer than by its defaults.
    assert!(written.len() <= text.len() * 2 + 1_000, "{} bytes became {}", text.len(), written.len());
    let again: T = serde_json::from_str(&written).unwrap();
    assert_eq!(again, value, "what was written is read as something else");
    assert_eq!(serde_json::to_string(&again).unwrap(), written);
    true
}

/// Reads a text as a record of each kind; says how many it is.
pub fn records(data: &[u8]) -> usize {
    // What is no UTF-8 is refused before it comes here.
    let text = String::from_utf8_lossy(data);
    Format::ALL.into_iter().filter(|format| format.is_read(&text)).count()
}
