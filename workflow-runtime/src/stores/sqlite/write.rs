//! A commit made ready to be written: what is costly, the JSON and the checksums, is done by whoever calls.

use crate::record::{
    ExecutionKey, ExecutionRecord, HistoryRecord, NewEvent, ParkedRecord, RecordKind, Sealed, Status, seal,
};
use crate::store::{Change, Commit, Fence};
use crate::stores::rules::Head;

/// A [`Commit`], sealed.
pub(super) struct Write {
    pub(super) key: ExecutionKey,
    pub(super) kind: WriteKind,
}

pub(super) enum WriteKind {
    Create { row: ExecutionRow, history: Vec<Sealed> },
    Deliver { event: NewEvent },
    Advance { fence: Fence, advance: SealedAdvance },
    Quarantine { parked: String },
}

/// An [`Advance`](crate::kernel::Advance), sealed.
pub(super) struct SealedAdvance {
    pub(super) row: Option<ExecutionRow>,
    pub(super) drop_journal: bool,
    pub(super) journal: Vec<(String, Sealed)>,
    pub(super) forget: Vec<String>,
    pub(super) consumed: Vec<u64>,
    pub(super) history: Vec<Sealed>,
}

/// A row of the table `executions`.
pub(super) struct ExecutionRow {
    pub(super) head: Head,
    pub(super) state: String,
    /// A [`ParkedRecord`] as JSON.
    pub(super) parked: Option<String>,
    pub(super) sealed: Sealed,
}

impl Write {
    pub(super) fn new(commit: Commit) -> serde_json::Result<Self> {
        let Commit { key, change } = commit;
        let kind = match change {
            Change::Create { record, history } => {
                WriteKind::Create { row: ExecutionRow::new(&key, *record)?, history: seal_history(&key, &history)? }
            }
            Change::Deliver { event } => WriteKind::Deliver { event },
            Change::Advance { fence, advance } => {
                let row = advance.record.map(|record| ExecutionRow::new(&key, record)).transpose()?;
                let journal = advance.journal.into_iter().map(|entry| {
                    let sealed = seal(RecordKind::Journal, &key, &entry)?;
                    Ok((entry.key, sealed))
                });
                let advance = SealedAdvance {
                    row,
                    drop_journal: advance.drop_journal,
                    journal: journal.collect::<serde_json::Result<_>>()?,
                    forget: advance.forget,
                    consumed: advance.consumed,
                    history: seal_history(&key, &advance.history)?,
                };
                WriteKind::Advance { fence, advance }
            }
            Change::Quarantine { error, at } => {
                WriteKind::Quarantine { parked: serde_json::to_string(&ParkedRecord { at, error })? }
            }
        };
        Ok(Self { key, kind })
    }
}

impl ExecutionRow {
    fn new(key: &ExecutionKey, record: ExecutionRecord) -> serde_json::Result<Self> {
        let head = Head::of(&record);
        let parked = record.parked.as_ref().filter(|_| head.status == Status::Parked);
        Ok(Self {
            parked: parked.map(serde_json::to_string).transpose()?,
            sealed: seal(RecordKind::Execution, key, &record)?,
            head,
            state: record.state,
        })
    }

    pub(super) fn is_ended(&self) -> bool {
        self.head.status == Status::Ended
    }
}

fn seal_history(key: &ExecutionKey, history: &[HistoryRecord]) -> serde_json::Result<Vec<Sealed>> {
    history.iter().map(|record| seal(RecordKind::History, key, record)).collect()
}
