//! An SQLite file that stands for the world outside: what it has seen stays, whoever crashes.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use workflow_runtime::{Context as _, Error, Result};

/// An SQLite file. Cloning gives the same.
#[derive(Debug, Clone)]
pub struct Database {
    // Held for one piece of work, on a thread that may block.
    connection: Arc<Mutex<Connection>>,
}

impl Database {
    /// Opens the file, and gives it the tables of `schema`, a list of `CREATE TABLE IF NOT EXISTS`.
    ///
    /// # Errors
    /// If the file cannot be used.
    pub fn open(path: &Path, schema: &str) -> Result<Self> {
        let open = || -> rusqlite::Result<Connection> {
            let connection = Connection::open(path)?;
            connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
            connection.execute_batch(schema)?;
            Ok(connection)
        };
        let connection = open().with_context(|| format!("cannot use the file {}", path.display()))?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)) })
    }

    /// Has `work` done on this thread.
    ///
    /// # Errors
    /// That of `work`.
    pub fn with<T>(&self, work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        work(&mut self.connection.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has `work` done on a thread that may block.
    ///
    /// # Errors
    /// That of `work`.
    pub async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let database = self.clone();
        let done = tokio::task::spawn_blocking(move || database.with(work)).await.map_err(Error::from)?;
        Ok(done?)
    }
}
