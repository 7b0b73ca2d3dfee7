//! The embedded store: one SQLite file, written by one thread and read by two others.
//!
//! ```text
//! commit ──seal (caller's thread)──▶ queue ──▶ writer thread: drain ▸ one transaction ▸ one sync ▸ answer all
//! load, due … ─────────────────────▶ queue ──▶ reader thread: one snapshot for all that wait
//! list, counts, history ───────────▶ queue ──▶ another one, so that a long search keeps no execution waiting
//! ```
//!
//! A call takes its place in the queue when it is made, before its future is first polled. There is no async runtime
//! here: answers come through a one-shot channel, which any executor can wait for.
//!
//! Limits: one process at a time; a file system with locks and working syncs, so no network share; and as fast as one
//! thread can write, which the group commit makes the disk's syncs no part of.

mod apply;
mod cache;
mod damaged;
mod desk;
mod error;
mod gate;
mod health;
mod lock;
mod older;
mod open;
mod pace;
mod read;
mod read_only;
mod reader;
mod schema;
mod search;
mod shortcut;
mod source;
mod statements;
mod stats;
#[cfg(test)]
mod tests;
mod worker;
mod write;
mod writer;

pub(crate) use lock::this_process;
pub use stats::SqliteStats;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use futures_channel::oneshot;
use rusqlite::Connection;

use self::desk::{Answer, Desk, WriteCall};
use self::gate::Gate;
use self::health::Health;
use self::lock::LockFile;
use self::open::Opened;
use self::reader::ReadCall;
use self::shortcut::{Made, Shortcut, Writing, let_others_run};
use self::source::Source;
use self::stats::Counters;
use self::worker::Worker;
use self::write::Write;
use crate::base::Timestamp;
use crate::record::{EventRecord, ExecutionKey, ParentRecord, UndoPlace, UndoRecord};
use crate::store::{
    Commit, Committed, Due, Epoch, HistoryRow, KnownEvent, KnownWorkflow, Loaded, Page, Query, Refused, StateCount,
    Store, StoreError, StoreFuture, Stored, one_of_many,
};

/// A store in one SQLite file, beside which SQLite keeps its log (`-wal`, `-shm`) and this store its lock (`.lock`).
///
/// What was acknowledged is on the disk: the file is in WAL mode with `synchronous = FULL`, and everything that waits is
/// written in one transaction with one sync. One process uses the file at a time; others may look at it with any SQLite
/// tool.
///
/// Dropping the store writes what was queued, moves the log into the file and releases the lock; this blocks for as long
/// as that takes, some milliseconds.
///
/// ```
/// # let folder = std::env::temp_dir().join(format!("workflow-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("orders.db");
/// use workflow_runtime::SqliteStore;
///
/// let store = SqliteStore::open(&path)?;
/// let second = SqliteStore::open(&path);
/// assert!(second.unwrap_err().to_string().contains("is in use by this process"));
/// # drop(store);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), workflow_runtime::Error>(())
/// ```
pub struct SqliteStore {
    path: PathBuf,
    health: Arc<Health>,
    counters: Arc<Counters>,
    // Dropped in this order: the writer's connection is the last, so that closing it can clear the log away.
    searcher: Worker<ReadCall>,
    reader: Worker<ReadCall>,
    /// Not there if it was opened to be read only.
    writer: Option<(Worker<WriteCall>, Arc<Writing>)>,
    _lock: Option<LockFile>,
}

impl SqliteStore {
    /// Opens the store in the file at `path`; if there is none, or an empty one, makes a new store there. It blocks for
    /// as long as that takes: some milliseconds, after a crash longer. A file that an older version of this crate wrote is
    /// brought to the present format, after which older versions refuse it.
    ///
    /// # Errors
    /// [`StoreError`] says what is wrong with the file, and leaves it as it was.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::start(open::open(path.as_ref())?)
    }

    /// Opens the store in the file at `path` to read it, and nothing else: every call that would write answers
    /// [`StoreError::OpenedReadOnly`]. Another process may use the file meanwhile, and what it has acknowledged is seen; it is not
    /// disturbed, as no lock is taken. Nothing is written, neither to the file nor beside it, but for the index of a log that is there
    /// already, which SQLite shares among those who have the file open.
    ///
    /// A file of an older format is read as it is, and stays so.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("orders.db");
    /// use workflow_runtime::SqliteStore;
    /// use workflow_runtime::store::{Query, Store};
    ///
    /// let in_production = SqliteStore::open(&path)?;
    /// let store = SqliteStore::open_read_only(&path)?;
    /// # workflow_runtime::block_on(async {
    /// assert!(store.list(&Query::default()).await?.executions.is_empty());
    /// assert!(store.acquire().await.unwrap_err().to_string().contains("opened to be read only"));
    /// # workflow_runtime::Result::<()>::Ok(())
    /// # })?;
    /// # Ok::<(), workflow_runtime::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] says what is wrong with the file.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::start_reading(path.as_ref())
    }

    /// What it has done since it was opened, counted.
    #[must_use]
    pub fn stats(&self) -> SqliteStats {
        self.counters.stats()
    }

    fn start(opened: Opened) -> Result<Self, StoreError> {
        let Opened { path, lock, writer, reader, searcher } = opened;
        let health = Arc::new(Health::default());
        let counters = Arc::new(Counters::default());
        let gate = Arc::new(Gate::default());
        let no_thread = |error| error::cannot_open_io(&path, error);
        let writing = Arc::new(Writing {
            desk: Mutex::new(Desk::new(writer, Arc::clone(&gate))),
            health: Arc::clone(&health),
            counters: Arc::clone(&counters),
            shortcut: Shortcut::default(),
        });
        let writers = Arc::clone(&writing);
        let writer = Worker::spawn("workflow-store-writer", move |queue| writer::run(&queue, &writers));
        let writer = writer.map_err(no_thread)?;
        let read_on = |name, connection: Connection, gate: Option<Arc<Gate>>| {
            let (health, counters) = (Arc::clone(&health), Arc::clone(&counters));
            let mut source = Source::live(connection);
            let run = move |queue| reader::run(&mut source, &queue, gate.as_deref(), (&health, &counters));
            Worker::spawn(name, run).map_err(no_thread)
        };
        let reader = read_on("workflow-store-reader", reader, None)?;
        let searcher = read_on("workflow-store-search", searcher, Some(gate))?;
        Ok(Self { path, health, counters, searcher, reader, writer: Some((writer, writing)), _lock: Some(lock) })
    }

    fn start_reading(path: &Path) -> Result<Self, StoreError> {
        let health = Arc::new(Health::default());
        let counters = Arc::new(Counters::default());
        let read_on = |name| {
            let mut source = read_only::open(path)?;
            let (health, counters) = (Arc::clone(&health), Arc::clone(&counters));
            let run = move |queue| reader::run(&mut source, &queue, None, (&health, &counters));
            let worker = Worker::spawn(name, run);
            worker.map_err(|error| error::cannot_open_io(path, error))
        };
        let (reader, searcher) = (read_on("workflow-store-reader")?, read_on("workflow-store-search")?);
        Ok(Self { path: path.to_owned(), health, counters, searcher, reader, writer: None, _lock: None })
    }

    /// Reads what is found by its key, or what is due: nothing that takes long.
    fn read<T: Send + 'static>(
        &self,
        query: impl Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> StoreFuture<T> {
        self.read_by(&self.reader, query)
    }

    /// Reads what may take as long as there are executions.
    fn search<T: Send + 'static>(
        &self,
        query: impl Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> StoreFuture<T> {
        self.read_by(&self.searcher, query)
    }

    fn read_by<T: Send + 'static>(
        &self,
        reader: &Worker<ReadCall>,
        query: impl Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> StoreFuture<T> {
        if let Err(error) = self.health.check() {
            return Box::pin(std::future::ready(Err(error)));
        }
        let (call, answer) = reader::call(query);
        reader.send(call);
        let health = Arc::clone(&self.health);
        Box::pin(async move { answer.await.unwrap_or_else(|_| Err(health.gone())) })
    }

    fn write<T: Send + 'static>(
        &self,
        call: impl FnOnce(Answer<T>) -> Result<WriteCall, StoreError>,
    ) -> StoreFuture<T> {
        let (answer, receiver) = oneshot::channel();
        let writer = self.writer.as_ref().ok_or(StoreError::OpenedReadOnly);
        let checked = self.health.check().and(writer).and_then(|writer| Ok((writer, call(answer)?)));
        let ((writer, writing), call) = match checked {
            Ok(checked) => checked,
            Err(error) => return Box::pin(std::future::ready(Err(error))),
        };
        let health = Arc::clone(&self.health);
        let made = writing.make(call, writer);
        Box::pin(async move {
            if made == Made::Enough {
                let_others_run().await;
            }
            receiver.await.unwrap_or_else(|_| Err(health.gone()))
        })
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SqliteStore").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Store for SqliteStore {
    fn acquire(&self) -> StoreFuture<Epoch> {
        self.write(|answer| Ok(WriteCall::Acquire(answer)))
    }

    fn commit(&self, commits: Vec<Commit>) -> StoreFuture<Vec<Result<Committed, Refused>>> {
        self.write(|answer| {
            let writes = Write::all(commits).map_err(|error| StoreError::Io { source: Arc::new(error) })?;
            Ok(WriteCall::Commit(writes, answer))
        })
    }

    fn load(&self, key: &ExecutionKey) -> StoreFuture<Option<Stored>> {
        let key = key.clone();
        self.read(move |connection| read::load(connection, &key))
    }

    fn load_many(&self, keys: &[ExecutionKey]) -> StoreFuture<Vec<Loaded>> {
        let keys = keys.to_vec();
        self.read(move |connection| keys.iter().map(|key| one_of_many(read::load(connection, key))).collect())
    }

    fn inbox(&self, key: &ExecutionKey, after: u64) -> StoreFuture<Vec<EventRecord>> {
        let key = key.clone();
        self.read(move |connection| read::inbox_after(connection, &key, after))
    }

    fn undo(&self, key: &ExecutionKey, count: u64) -> StoreFuture<Vec<UndoRecord>> {
        let key = key.clone();
        self.read(move |connection| read::undo(connection, &key, count))
    }

    fn undo_before(&self, key: &ExecutionKey, before: UndoPlace) -> StoreFuture<Option<Vec<UndoRecord>>> {
        let key = key.clone();
        self.read(move |connection| read::undo_before(connection, &key, before).map(Some))
    }

    fn parent(&self, key: &ExecutionKey) -> StoreFuture<Option<ParentRecord>> {
        let key = key.clone();
        self.read(move |connection| damaged::parent(connection, &key))
    }

    fn event(&self, key: &ExecutionKey, event_id: &str) -> StoreFuture<Option<KnownEvent>> {
        let (key, event_id) = (key.clone(), event_id.to_owned());
        self.read(move |connection| read::event(connection, &key, &event_id))
    }

    fn due(&self, workflows: &[KnownWorkflow], now: Timestamp, limit: usize) -> StoreFuture<Due> {
        let workflows = workflows.to_vec();
        self.read(move |connection| search::due(connection, &workflows, now, limit))
    }

    fn list(&self, query: &Query) -> StoreFuture<Page> {
        let query = query.clone();
        self.search(move |connection| search::list(connection, &query))
    }

    fn counts(&self, workflow: Option<&str>) -> StoreFuture<Vec<StateCount>> {
        let workflow = workflow.map(str::to_owned);
        self.search(move |connection| search::counts(connection, workflow.as_deref()))
    }

    fn history(&self, key: &ExecutionKey, after: u64, limit: usize) -> StoreFuture<Vec<HistoryRow>> {
        let key = key.clone();
        self.search(move |connection| read::history(connection, &key, after, limit))
    }
}
