//! What the SQLite store promises beyond the contract of every store.

mod counts;
mod crash;
mod damage;
mod faults;
mod files;
mod log;
mod migration;
mod plans;
mod searching;
mod shortcut;
mod undo;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::executor::block_on;
use tempfile::TempDir;

use super::*;
use crate::base::ExecutionId;
use crate::kernel::Advance;
use crate::record::{
    Activity, ExecutionRecord, HistoryKind, HistoryRecord, JournalEntry, JournalResult, Json, NewEvent, UndoOutput,
    UndoRecord,
};
use crate::store::{Change, Fence};

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    (folder, path)
}

fn key(id: &str) -> ExecutionKey {
    ExecutionKey { workflow: "Orders".into(), id: ExecutionId::new(id).unwrap() }
}

fn text(text: &str) -> Json {
    Json::encode(text).unwrap()
}

fn record(visit: u64) -> ExecutionRecord {
    let record = ExecutionRecord::new("Pending".to_owned(), text("data"), Timestamp::EPOCH);
    ExecutionRecord { visit, activity: Activity::Entry, ..record }
}

fn history(visit: u64) -> HistoryRecord {
    let kind = HistoryKind::Retried { state: "Pending".into() };
    HistoryRecord::new(Timestamp::EPOCH, visit, kind)
}

fn entry(key: &str) -> JournalEntry {
    JournalEntry::new(key, 1, JournalResult::Done(text("done")))
}

fn undo(visit: u64, order: u64, older: u64) -> UndoRecord {
    UndoRecord {
        step: "reserve".to_owned(),
        key: format!("work:reserve:{visit}.{order}"),
        visit,
        edge_number: 0,
        order,
        older,
        output: UndoOutput::Known(text("seat")),
    }
}

fn create(id: &str) -> Commit {
    Commit { key: key(id), change: Change::Create { record: Box::new(record(1)), history: vec![history(1)] } }
}

fn deliver(id: &str, event_id: &str) -> Commit {
    let event = NewEvent {
        event_id: event_id.to_owned(),
        name: "Paid".into(),
        payload: text("payload"),
        sent_at: Timestamp::EPOCH,
    };
    Commit { key: key(id), change: Change::Deliver { event } }
}

fn advance(id: &str, epoch: Epoch, visit: u64, advance: Advance) -> Commit {
    let change = Change::Advance { fence: Fence { visit, epoch }, advance: Box::new(advance) };
    Commit { key: key(id), change }
}

fn open(path: &Path) -> (SqliteStore, Epoch) {
    let store = SqliteStore::open(path).unwrap();
    let epoch = block_on(store.acquire()).unwrap();
    (store, epoch)
}

fn commit(store: &SqliteStore, commit: Commit) -> Result<Committed, Refused> {
    block_on(store.commit(vec![commit])).unwrap().remove(0)
}

/// Applies `commits`, each of which has to be accepted.
fn apply(store: &SqliteStore, commits: Vec<Commit>) {
    let outcomes = block_on(store.commit(commits)).unwrap();
    assert!(outcomes.iter().all(|outcome| *outcome == Ok(Committed::Applied)), "{outcomes:?}");
}

/// A connection as another program has it.
fn other_program(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}
