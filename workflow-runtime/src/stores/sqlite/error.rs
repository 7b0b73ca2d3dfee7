//! What SQLite's errors mean to the user of a store.

use std::error::Error;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rusqlite::ErrorCode;

use crate::record::ExecutionKey;
use crate::store::StoreError;

/// A failed read or write.
pub(super) fn failed(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        Some(ErrorCode::ReadOnly) => StoreError::ReadOnly,
        _ => StoreError::Io { source: Arc::new(error) },
    }
}

/// A failed look at what is stored of one execution: its rows may be damaged, the others are not concerned.
pub(super) fn failed_for(key: &ExecutionKey, what: &'static str, error: rusqlite::Error) -> StoreError {
    match error {
        rusqlite::Error::SqliteFailure(failure, _) if failure.code != ErrorCode::DatabaseCorrupt => failed(error),
        damaged => StoreError::Corrupt { key: key.clone(), what, reason: damaged.to_string() },
    }
}

/// A failure to open the file at `path`.
pub(super) fn cannot_open(path: &Path, error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => not_a_store(path, "SQLite cannot read it"),
        Some(ErrorCode::DatabaseCorrupt) => not_a_store(path, "it is an SQLite file, but a damaged one"),
        Some(ErrorCode::DiskFull | ErrorCode::ReadOnly) => failed(error),
        _ => unopened(path, error),
    }
}

/// As [`cannot_open`], for an error of the operating system.
pub(super) fn cannot_open_io(path: &Path, error: io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
        _ => unopened(path, error),
    }
}

pub(super) fn not_a_store(path: &Path, reason: &str) -> StoreError {
    StoreError::NotAStore { path: path.to_owned(), reason: reason.to_owned() }
}

fn unopened(path: &Path, error: impl Error + Send + Sync + 'static) -> StoreError {
    StoreError::Open { path: path.to_owned(), source: Arc::new(error) }
}
