//! Opening the file: what it is, whether it can be written, and that the pragmas hold.
//!
//! A file that is refused is left as it was, and nothing is put beside it: its header is read first, by itself. A file of
//! an older version is brought to the present one where it is.

use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error::{cannot_open, cannot_open_io, not_a_store};
use super::lock::LockFile;
use super::schema;
use super::statements::Statements;
use crate::record::FORMAT_VERSION;
use crate::store::StoreError;

/// How long to wait for another program that writes to the file, such as a person's SQLite shell.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// The size in bytes that the log is cut back to after a large call had made it grow.
const LOG_SIZE: u32 = 64 * 1024 * 1024;

/// More than there are statements.
const STATEMENTS: usize = 64;

/// A store's file, open.
pub(super) struct Opened {
    pub(super) path: PathBuf,
    pub(super) lock: LockFile,
    pub(super) writer: Connection,
    pub(super) reader: Connection,
    pub(super) searcher: Connection,
}

/// Opens the store at `path`, or makes one there.
pub(super) fn open(path: &Path) -> Result<Opened, StoreError> {
    // One at a time in this process: closing any handle of a file drops all of the process's POSIX locks on it, so the
    // header must not be read while SQLite has the file open, which the lock file rules out.
    static OPENING: Mutex<()> = Mutex::new(());
    let _opening = OPENING.lock().unwrap_or_else(PoisonError::into_inner);

    let path = resolve(path)?;
    let lock = LockFile::take_existing(&path)?;
    check_file(&path)?;
    let lock = match lock {
        Some(lock) => lock,
        None => LockFile::create(&path)?,
    };
    let writer = connect_writer(&path)?;
    let connect = || connect_reader(&path).map_err(|error| cannot_open(&path, error));
    let (reader, searcher) = (connect()?, connect()?);
    Ok(Opened { path, lock, writer, reader, searcher })
}

/// The file that `path` leads to, so that two links to one file have one lock.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, StoreError> {
    // To SQLite these are no files, and what was acknowledged would be gone with the process.
    if path.as_os_str().is_empty() {
        return Err(not_a_store(Path::new("``"), "it is the name of no file"));
    }
    if path == Path::new(":memory:") {
        return Err(not_a_store(
            path,
            "it is what SQLite calls a store in memory, which is `Engine::in_memory()` here",
        ));
    }
    let resolved = match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => resolve_new(path),
        resolved => resolved,
    };
    let resolved = resolved.map_err(|error| cannot_open_io(path, error))?;
    match fs::metadata(&resolved) {
        Ok(metadata) if metadata.is_dir() => Err(not_a_store(path, "it is a directory")),
        Ok(metadata) if !metadata.is_file() => Err(not_a_store(path, "it is no regular file")),
        Ok(_) => Ok(resolved),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(resolved),
        Err(error) => Err(cannot_open_io(path, error)),
    }
}

fn resolve_new(path: &Path) -> io::Result<PathBuf> {
    let no_name = || io::Error::new(io::ErrorKind::InvalidInput, "the path names no file");
    let name = path.file_name().ok_or_else(no_name)?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    Ok(fs::canonicalize(folder)?.join(name))
}

/// Refuses what is no store of ours, by the first bytes alone.
fn check_file(path: &Path) -> Result<(), StoreError> {
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) => {
            return match error.kind() {
                io::ErrorKind::NotFound => Ok(()),
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Err(StoreError::ReadOnly),
                _ => Err(cannot_open_io(path, error)),
            };
        }
    };
    let mut header = Vec::new();
    file.by_ref().take(100).read_to_end(&mut header).map_err(|error| cannot_open_io(path, error))?;
    if header.is_empty() {
        return Ok(());
    }
    if !header.starts_with(b"SQLite format 3\0") {
        return Err(not_a_store(path, "it is no SQLite file"));
    }
    check_versions(path, number_at(&header, 68), number_at(&header, 60))
}

fn number_at(header: &[u8], offset: usize) -> u32 {
    let bytes = header.get(offset..).and_then(|rest| rest.first_chunk::<4>());
    bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

pub(super) fn check_versions(path: &Path, application_id: u32, version: u32) -> Result<(), StoreError> {
    match version {
        _ if application_id != schema::APPLICATION_ID => {
            Err(not_a_store(path, "it is an SQLite file of another program"))
        }
        0 => Err(not_a_store(path, "its header has no format version")),
        1..=FORMAT_VERSION => Ok(()),
        found => Err(StoreError::Newer { path: path.to_owned(), found }),
    }
}

fn connect_writer(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connect = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        keep_plans(&connection)?;
        Ok(connection)
    };
    let connection = connect().map_err(|error| cannot_open(path, error))?;
    let sqlite = |error| cannot_open(path, error);
    if connection.is_readonly("main").map_err(sqlite)? {
        return Err(StoreError::ReadOnly);
    }
    if number(&connection, "PRAGMA page_count").map_err(sqlite)? == 0 {
        schema::create(&connection).map_err(sqlite)?;
    }
    let application_id = number(&connection, "PRAGMA application_id").map_err(sqlite)?;
    let version = number(&connection, "PRAGMA user_version").map_err(sqlite)?;
    check_versions(path, application_id, version)?;
    harden(path, &connection)?;
    settle_log(&connection).map_err(sqlite)?;
    schema::migrate(&connection, version).map_err(sqlite)?;
    // They stay prepared in the cache of the connection.
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    let prepared = Statements::prepare(&connection);
    prepared.map_err(|error| not_a_store(path, &format!("its tables are not those of a store: {error}")))?;
    Ok(connection)
}

/// Sets what durability hangs on, and reads it back: SQLite takes a pragma that it cannot follow without a word.
fn harden(path: &Path, connection: &Connection) -> Result<(), StoreError> {
    let set = || -> rusqlite::Result<(String, u32)> {
        connection.execute_batch(&format!(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA wal_autocheckpoint = 0;
             PRAGMA journal_size_limit = {LOG_SIZE};
             PRAGMA cache_size = -16384;
             PRAGMA trusted_schema = OFF;
             PRAGMA cell_size_check = ON;"
        ))?;
        let journal_mode = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
        Ok((journal_mode, number(connection, "PRAGMA synchronous")?))
    };
    let (journal_mode, synchronous) = set().map_err(|error| cannot_open(path, error))?;
    if journal_mode == "wal" && synchronous == 2 {
        return Ok(());
    }
    let reason = format!(
        "SQLite cannot write here durably (journal mode {journal_mode}, synchronous {synchronous}); a network file system?"
    );
    Err(cannot_open_io(path, io::Error::other(reason)))
}

/// Moves what an earlier process left in the log into the file, with a sync of both: if that process died of a failed
/// sync, what can be read of the log may not be on the disk yet.
fn settle_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::ZERO)?;
    // If the tables have just been made, the next statement reads of them, and what reads cannot move the log.
    number(connection, "SELECT COUNT(*) FROM sqlite_schema")?;
    // Someone who reads the file meanwhile is no reason to wait: the rest of the log is moved later.
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    connection.busy_timeout(BUSY_TIMEOUT)
}

fn connect_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    set_up_reader(&connection)?;
    Ok(connection)
}

pub(super) fn set_up_reader(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    keep_plans(connection)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch("PRAGMA cache_size = -16384; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")
}

/// Has SQLite plan each statement once. Beside a partial index it would look at what is bound to a statement, and plan
/// it anew each time that this may have changed: with every call.
fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

pub(super) fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<u32> {
    connection.query_row(pragma, [], |row| row.get(0))
}
