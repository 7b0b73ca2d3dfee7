//! The table that the files are read into: an SQLite file of its own.
//!
//! Many executions write at once, and a transaction for each would have each wait for the disk. One thread has the only
//! connection that writes, and puts all the rows that wait into one transaction. Whoever wrote a row hears of it when it
//! is on disk.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, params};
use tokio::sync::{mpsc, oneshot};

use crate::content::Facts;
use crate::file_name::FileName;

/// The most rows that wait to be written; who comes then waits in turn.
const QUEUE: usize = 1_000;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS files (
        path TEXT PRIMARY KEY,
        digest TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        lines INTEGER NOT NULL,
        words INTEGER NOT NULL,
        writes INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS source (root TEXT NOT NULL) STRICT;";

// The same row written again is the same row: `writes` alone tells.
const UPSERT: &str = "
    INSERT INTO files (path, digest, bytes, lines, words, writes) VALUES (?1, ?2, ?3, ?4, ?5, 1)
    ON CONFLICT (path) DO UPDATE SET
        digest = excluded.digest, bytes = excluded.bytes, lines = excluded.lines, words = excluded.words,
        writes = writes + 1";

/// The table, to write to.
///
/// Dropping it writes what waits and closes the file, which blocks for some milliseconds.
#[derive(Debug)]
pub struct Results {
    path: PathBuf,
    // Both are there until it is dropped.
    queue: Option<mpsc::Sender<Write>>,
    writer: Option<JoinHandle<()>>,
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The file.
    pub file: FileName,
    /// The digest of its content.
    pub digest: String,
    /// How often the row was written: more than once if the process died before the engine knew that it had been.
    pub writes: u64,
}

/// Why the table cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ResultsError {
    /// SQLite cannot.
    #[error("cannot use the table in {}: {message}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        message: String,
    },
    /// The table is that of another directory.
    #[error("{} holds the files of {root}: name other files with --store and --results", path.display())]
    OtherRoot {
        /// The file.
        path: PathBuf,
        /// The directory.
        root: String,
    },
}

struct Write {
    file: FileName,
    facts: Facts,
    done: oneshot::Sender<Result<(), ResultsError>>,
}

impl Results {
    /// Opens the table of the files below `root` in the file `path`, or makes it.
    ///
    /// # Errors
    /// If it is the table of another directory, or SQLite cannot use the file.
    pub fn open(path: &Path, root: &Path) -> Result<Self, ResultsError> {
        let failed = |error| sqlite_error(path, &error);
        let connection = Connection::open(path).map_err(failed)?;
        prepare(&connection).map_err(failed)?;
        let root = root.display().to_string();
        let known = claim_for(&connection, &root).map_err(failed)?;
        if known != root {
            return Err(ResultsError::OtherRoot { path: path.to_owned(), root: known });
        }
        let (queue, waiting) = mpsc::channel(QUEUE);
        let owned = path.to_owned();
        let writer = std::thread::spawn(move || write_all(connection, &owned, waiting));
        Ok(Self { path: path.to_owned(), queue: Some(queue), writer: Some(writer) })
    }

    /// Writes the row of a file, or writes it over. When this returns, the row is on disk.
    ///
    /// # Errors
    /// If SQLite cannot; then the row is as it was.
    pub async fn upsert(&self, file: &FileName, facts: &Facts) -> Result<(), ResultsError> {
        let (done, written) = oneshot::channel();
        let write = Write { file: file.clone(), facts: facts.clone(), done };
        if let Some(queue) = &self.queue {
            // If the thread has stopped, its answer does not come either.
            let _ = queue.send(write).await;
        }
        let stopped = || "the thread that writes has stopped".to_owned();
        written.await.unwrap_or_else(|_| Err(ResultsError::Sqlite { path: self.path.clone(), message: stopped() }))
    }
}

impl Drop for Results {
    fn drop(&mut self) {
        // The thread ends when nobody can send to it any more.
        self.queue = None;
        if let Some(writer) = self.writer.take() {
            // If it panicked, whoever waited has been told.
            let _ = writer.join();
        }
    }
}

/// Every row of the table in the file `path`, in the order of paths.
///
/// # Errors
/// If SQLite cannot read it.
pub fn rows(path: &Path) -> Result<Vec<Row>, ResultsError> {
    let read = || -> rusqlite::Result<Vec<Row>> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let mut select = connection.prepare("SELECT path, digest, writes FROM files ORDER BY path")?;
        let rows = select.query_map([], |row| {
            Ok(Row { file: FileName::persisted(row.get(0)?), digest: row.get(1)?, writes: row.get(2)? })
        })?;
        rows.collect()
    };
    read().map_err(|error| sqlite_error(path, &error))
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
    connection.execute_batch(SCHEMA)
}

/// Notes the directory that the table is of, unless there is one already; says which it is.
fn claim_for(connection: &Connection, root: &str) -> rusqlite::Result<String> {
    connection.execute("INSERT INTO source SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM source)", [root])?;
    connection.query_row("SELECT root FROM source", [], |row| row.get(0))
}

fn write_all(mut connection: Connection, path: &Path, mut queue: mpsc::Receiver<Write>) {
    let mut waiting = Vec::new();
    while queue.blocking_recv_many(&mut waiting, QUEUE) > 0 {
        let written = write_together(&mut connection, &waiting).map_err(|error| sqlite_error(path, &error));
        for write in waiting.drain(..) {
            // Who has gone away does not mind.
            let _ = write.done.send(written.clone());
        }
    }
}

fn write_together(connection: &mut Connection, writes: &[Write]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    {
        let mut upsert = transaction.prepare_cached(UPSERT)?;
        for Write { file, facts, .. } in writes {
            upsert.execute(params![file.as_str(), facts.digest, facts.bytes, facts.lines, facts.words])?;
        }
    }
    transaction.commit()
}

fn sqlite_error(path: &Path, error: &rusqlite::Error) -> ResultsError {
    ResultsError::Sqlite { path: path.to_owned(), message: error.to_string() }
}
