//! A commit made ready to be written: what is costly, the JSON and the checksums, is done by whoever calls.

use rusqlite::types::{ToSql, ToSqlOutput};
use serde::Serialize;

use crate::base::Name;
use crate::record::{
    ErrorRecord, ExecutionKey, ExecutionRecord, HistoryRecord, NewEvent, ParkedRecord, RecordKind, Sealed, Status,
    UndoPlace, seal, seal_entry,
};
use crate::store::{Change, Commit, Fence};
use crate::stores::rules::Head;

impl ToSql for Name {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.as_str().to_sql()
    }
}

/// A [`Commit`], sealed.
pub(super) struct Write {
    pub(super) key: ExecutionKey,
    pub(super) kind: WriteKind,
}

pub(super) enum WriteKind {
    Create { row: Box<ExecutionRow>, history: Vec<Sealed> },
    Deliver { event: NewEvent },
    Advance { fence: Fence, advance: SealedAdvance },
    Quarantine { parked: String, error: LastError },
}

/// An [`Advance`](crate::kernel::Advance), sealed.
pub(super) struct SealedAdvance {
    pub(super) row: Option<Box<ExecutionRow>>,
    pub(super) drop_journal: bool,
    pub(super) journal: Vec<(Name, Sealed)>,
    pub(super) forget: Vec<Name>,
    pub(super) drop_undo: bool,
    pub(super) forget_undo: Vec<UndoPlace>,
    pub(super) undo: Vec<(UndoPlace, Sealed)>,
    pub(super) consumed: Vec<u64>,
    pub(super) history: Vec<Sealed>,
    pub(super) replies: Vec<(String, Sealed)>,
    pub(super) keep_history: Option<u64>,
}

/// A row of the table `executions`.
pub(super) struct ExecutionRow {
    pub(super) head: Head,
    pub(super) state: Name,
    /// A [`ParkedRecord`] as JSON.
    pub(super) parked: Option<String>,
    /// A [`FailingRecord`](crate::record::FailingRecord) as JSON.
    pub(super) failing: Option<String>,
    pub(super) error: Option<LastError>,
    /// Names, and values as JSON.
    pub(super) attributes: Vec<(String, String)>,
    pub(super) sealed: Sealed,
}

/// What a last error is found by.
pub(super) struct LastError {
    pub(super) text: String,
    pub(super) kind: &'static str,
}

impl LastError {
    fn of(error: &ErrorRecord) -> Self {
        Self { text: error.to_string(), kind: error.kind.name() }
    }
}

/// The most bytes of a record: what SQLite can take, with room to spare. An engine's limits are far below; so is that of
/// the tests, which would be slow.
pub(super) const LARGEST: usize = if cfg!(test) { 4 * 1024 * 1024 } else { 512 * 1024 * 1024 };

/// Why a commit cannot be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unwritable {
    #[error("a record has no JSON form")]
    Json(#[from] serde_json::Error),
    #[error("a record has {0} bytes, where SQLite takes {LARGEST}")]
    TooLarge(usize),
}

impl Write {
    /// About how many pages of the log it may take.
    pub(super) fn weight(&self) -> usize {
        let bytes = match &self.kind {
            WriteKind::Create { row, .. } => row.sealed.body.len(),
            WriteKind::Deliver { event } => event.payload.text().len(),
            WriteKind::Advance { advance, .. } => {
                let record = advance.row.as_ref().map_or(0, |row| row.sealed.body.len());
                let journal = advance.journal.iter().map(|(_, sealed)| sealed.body.len());
                record + journal.chain(advance.undo.iter().map(|(_, sealed)| sealed.body.len())).sum::<usize>()
            }
            WriteKind::Quarantine { .. } => 0,
        };
        4 + bytes / 4_096
    }

    /// Makes all commits of a call ready.
    pub(super) fn all(commits: Vec<Commit>) -> Result<Vec<Self>, Unwritable> {
        sealed(commits, Self::new)
    }

    fn new(commit: Commit) -> Result<Self, Unwritable> {
        let Commit { key, change } = commit;
        let kind = match change {
            Change::Create { record, history } => WriteKind::Create {
                row: Box::new(ExecutionRow::new(&key, *record)?),
                history: seal_history(&key, &history)?,
            },
            Change::Deliver { event } => {
                // It is sealed by the writer, who knows its place.
                check_size(event.payload.text())?;
                WriteKind::Deliver { event }
            }
            Change::Advance { fence, advance } => {
                let advance = *advance;
                let row = advance.record.map(|record| Ok::<_, Unwritable>(Box::new(ExecutionRow::new(&key, record)?)));
                let journal = sealed(advance.journal, |entry| {
                    let sealed = check_sealed(seal_entry(&key, &entry)?)?;
                    Ok((entry.key, sealed))
                });
                let undo = sealed(advance.undo, |undo| {
                    let sealed = seal_checked(RecordKind::Undo, &key, &undo)?;
                    Ok((undo.place(), sealed))
                });
                let replies = sealed(advance.replies, |reply| {
                    let sealed = seal_checked(RecordKind::Reply, &key, &reply)?;
                    Ok((reply.event_id, sealed))
                });
                let advance = SealedAdvance {
                    row: row.transpose()?,
                    drop_journal: advance.drop_journal,
                    journal: journal?,
                    forget: advance.forget,
                    drop_undo: advance.drop_undo,
                    forget_undo: advance.forget_undo,
                    undo: undo?,
                    consumed: advance.consumed,
                    history: seal_history(&key, &advance.history)?,
                    replies: replies?,
                    keep_history: advance.keep_history,
                };
                WriteKind::Advance { fence, advance }
            }
            Change::Quarantine { error, at } => {
                let last = LastError::of(&error);
                WriteKind::Quarantine { parked: serde_json::to_string(&ParkedRecord { at, error })?, error: last }
            }
        };
        Ok(Self { key, kind })
    }
}

impl ExecutionRow {
    fn new(key: &ExecutionKey, record: ExecutionRecord) -> Result<Self, Unwritable> {
        let head = Head::of(&record);
        let parked = record.parked.as_ref().filter(|_| head.status == Status::Parked);
        Ok(Self {
            parked: parked.map(serde_json::to_string).transpose()?,
            failing: record.failing.as_ref().map(serde_json::to_string).transpose()?,
            error: record.last_error().map(LastError::of),
            attributes: record.attributes.iter().map(|(name, value)| (name.clone(), value.text().to_owned())).collect(),
            sealed: seal_checked(RecordKind::Execution, key, &record)?,
            head,
            state: record.state,
        })
    }

    pub(super) fn is_ended(&self) -> bool {
        self.head.status.is_over()
    }
}

fn seal_history(key: &ExecutionKey, history: &[HistoryRecord]) -> Result<Vec<Sealed>, Unwritable> {
    sealed(history, |record| seal_checked(RecordKind::History, key, record))
}

/// Each of `records`, sealed. There is one or none of them as a rule, for which collecting results would ask for memory
/// more often than a commit does otherwise.
fn sealed<R: IntoIterator<IntoIter: ExactSizeIterator>, T>(
    records: R,
    mut seal: impl FnMut(R::Item) -> Result<T, Unwritable>,
) -> Result<Vec<T>, Unwritable> {
    let records = records.into_iter();
    let mut sealed = Vec::with_capacity(records.len());
    for record in records {
        sealed.push(seal(record)?);
    }
    Ok(sealed)
}

fn seal_checked<T: Serialize>(kind: RecordKind, key: &ExecutionKey, record: &T) -> Result<Sealed, Unwritable> {
    check_sealed(seal(kind, key, record)?)
}

fn check_sealed(sealed: Sealed) -> Result<Sealed, Unwritable> {
    check_size(&sealed.body)?;
    Ok(sealed)
}

fn check_size(text: &str) -> Result<(), Unwritable> {
    match text.len() {
        len if len > LARGEST => Err(Unwritable::TooLarge(len)),
        _ => Ok(()),
    }
}
