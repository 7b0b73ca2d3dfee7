//! The table that the files are read into: an SQLite file of its own.

use std::path::{Path, PathBuf};

use example_support::Database;
use rusqlite::{Connection, OpenFlags, params};
use workflow_runtime::{Context as _, Result};

use crate::content::Facts;
use crate::file_name::FileName;

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

/// The table, to write to. Cloning gives the same.
#[derive(Debug, Clone)]
pub struct Results {
    table: Database,
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

/// The table is that of another directory.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{} holds the files of {root}: name other files with --store and --results", path.display())]
pub struct OtherRoot {
    /// The file.
    path: PathBuf,
    /// The directory.
    root: String,
}

impl Results {
    /// Opens the table of the files below `root` in the file `path`, or makes it.
    ///
    /// # Errors
    /// [`OtherRoot`] if it is the table of another directory; if SQLite cannot use the file.
    pub async fn open(path: &Path, root: &Path) -> Result<Self> {
        let table = Database::open(path, SCHEMA)?;
        let root = root.display().to_string();
        let claimed = root.clone();
        let known = table.call(move |connection| claim_for(connection, &claimed)).await?;
        if known != root {
            return Err(OtherRoot { path: path.to_owned(), root: known }.into());
        }
        Ok(Self { table })
    }

    /// Writes the row of a file, or writes it over. When this returns, the row is on disk.
    ///
    /// # Errors
    /// If SQLite cannot; then the row is as it was.
    pub async fn upsert(&self, file: &FileName, facts: &Facts) -> Result<()> {
        let (file, Facts { digest, bytes, lines, words, .. }) = (file.clone(), facts.clone());
        let upsert = move |connection: &Connection| {
            connection.prepare_cached(UPSERT)?.execute(params![file.as_str(), digest, bytes, lines, words])
        };
        self.table.call(upsert).await.context("cannot write the table")?;
        Ok(())
    }

    /// Every row, in the order of paths.
    ///
    /// # Errors
    /// If SQLite cannot read them.
    pub async fn rows(&self) -> Result<Vec<Row>> {
        self.table.call(select_rows).await.context("cannot read the table")
    }
}

/// Every row of the table in the file `path`, in the order of paths.
///
/// # Errors
/// If SQLite cannot read it.
pub fn rows(path: &Path) -> Result<Vec<Row>> {
    let rows = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let rows = rows.and_then(|connection| select_rows(&connection));
    rows.with_context(|| format!("cannot read the table in {}", path.display()))
}

fn select_rows(connection: &Connection) -> rusqlite::Result<Vec<Row>> {
    let mut select = connection.prepare("SELECT path, digest, writes FROM files ORDER BY path")?;
    let rows = select.query_map([], |row| {
        Ok(Row { file: FileName::persisted(row.get(0)?), digest: row.get(1)?, writes: row.get(2)? })
    })?;
    rows.collect()
}

/// Notes the directory that the table is of, unless there is one already; says which it is.
fn claim_for(connection: &Connection, root: &str) -> rusqlite::Result<String> {
    connection.execute("INSERT INTO source SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM source)", [root])?;
    connection.query_row("SELECT root FROM source", [], |row| row.get(0))
}
