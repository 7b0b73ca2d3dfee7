//! What a reader reads from: a connection, which may have been opened on a file that nobody had open.
//!
//! Such a file is read as it lies there, without a log: a connection that takes part in the log would leave files beside it.
//! When somebody opens it after all, which shows in the file and beside it, what was read meanwhile is not believed, and
//! is read again by a connection that takes part.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rusqlite::Connection;

use super::error::failed;
use super::read_only::connect;
use crate::store::StoreError;

pub(super) struct Source {
    connection: Connection,
    /// What it looked like when nobody had it open.
    still: Option<Still>,
    /// The format that was found, if the file may be brought to another one meanwhile.
    format: Option<u32>,
}

impl Source {
    /// One that takes part in the log.
    pub(super) fn live(connection: Connection) -> Self {
        Self { connection, still: None, format: None }
    }

    /// One that was opened to be read only.
    pub(super) fn read_only(connection: Connection, still: Option<Still>, format: u32) -> Self {
        Self { connection, still, format: Some(format) }
    }

    /// Takes a snapshot, which is given back by [`end`](Self::end).
    pub(super) fn begin(&mut self) -> Result<(), StoreError> {
        if self.is_moved() {
            self.take_part()?;
        }
        execute(&self.connection, "BEGIN").map_err(failed)?;
        match self.format {
            Some(format) if self.connection.query_row("PRAGMA user_version", [], |row| row.get(0)) != Ok(format) => {
                Err(StoreError::Reformatted)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn end(&mut self) {
        if !self.connection.is_autocommit() {
            // A snapshot has nothing to lose; if it cannot be given back, the next `BEGIN` says so.
            let _ = execute(&self.connection, "COMMIT");
        }
    }

    /// What `query` reads from the snapshot.
    pub(super) fn read<T>(&mut self, query: impl Fn(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let read = query(&self.connection);
        if !self.is_moved() {
            return read;
        }
        self.take_part()?;
        self.begin()?;
        query(&self.connection)
    }

    fn is_moved(&self) -> bool {
        self.still.as_ref().is_some_and(Still::is_moved)
    }

    fn take_part(&mut self) -> Result<(), StoreError> {
        if let Some(still) = self.still.take() {
            let (live, format) = connect(&still.path)?;
            self.format = Some(format);
            leave_open(std::mem::replace(&mut self.connection, live));
        }
        Ok(())
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        if self.is_moved()
            && let Ok(nothing) = Connection::open_in_memory()
        {
            leave_open(std::mem::replace(&mut self.connection, nothing));
        }
    }
}

/// Closing a file drops all locks that the process has on it, those of a store that was opened meanwhile among them.
fn leave_open(connection: Connection) {
    std::mem::forget(connection);
}

/// A file that nobody has open.
pub(super) struct Still {
    path: PathBuf,
    log: PathBuf,
    len: u64,
    modified: Option<SystemTime>,
}

impl Still {
    /// That at `path`, unless somebody has it open, or its log was left behind.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let mut log = OsString::from(path);
        log.push("-wal");
        let metadata = fs::metadata(path).ok()?;
        let still =
            Self { path: path.to_owned(), log: log.into(), len: metadata.len(), modified: metadata.modified().ok() };
        (!still.is_moved()).then_some(still)
    }

    fn is_moved(&self) -> bool {
        let same = |metadata: fs::Metadata| metadata.len() == self.len && metadata.modified().ok() == self.modified;
        // The log is there from before the first write until all of it is in the file.
        !fs::metadata(&self.path).is_ok_and(same) || fs::symlink_metadata(&self.log).is_ok()
    }
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}
