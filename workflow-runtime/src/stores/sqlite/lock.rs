//! The lock file: one process at a time, one store at a time within it.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::error::cannot_open_io;
use crate::store::StoreError;

/// Held while a store is open. The file stays when it is released, as taking it away would race with the next holder.
#[derive(Debug)]
pub(super) struct LockFile {
    // The lock goes with the handle.
    _file: File,
}

impl LockFile {
    /// Takes the lock of the store at `path`, if it has a lock file already.
    pub(super) fn take_existing(path: &Path) -> Result<Option<Self>, StoreError> {
        let options = OpenOptions::new().read(true).write(true).clone();
        match options.open(lock_path(path)) {
            Ok(file) => Self::take(file, path).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(not_writable(path, error)),
        }
    }

    /// Takes the lock of the store at `path`, and makes its lock file.
    pub(super) fn create(path: &Path) -> Result<Self, StoreError> {
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).clone();
        let file = options.open(lock_path(path)).map_err(|error| not_writable(path, error))?;
        Self::take(file, path)
    }

    fn take(mut file: File, path: &Path) -> Result<Self, StoreError> {
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::InUse { path: path.to_owned(), holder: holder(&mut file) });
            }
            Err(TryLockError::Error(error)) => return Err(cannot_open_io(path, error)),
        }
        // For people only, so a full disk is no reason to refuse; it will say so itself soon enough.
        let _ = write_holder(&mut file);
        Ok(Self { _file: file })
    }
}

/// The store's path with `.lock` after it.
fn lock_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".lock");
    name.into()
}

fn write_holder(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn holder(file: &mut File) -> String {
    let mut content = String::new();
    // Where locks are mandatory, the holder's number cannot be read.
    let _ = file.take(32).read_to_string(&mut content);
    match content.trim().parse::<u32>() {
        Ok(id) if id == std::process::id() => this_process(),
        Ok(id) => format!("process {id}"),
        Err(_) => "another process".to_owned(),
    }
}

fn not_writable(path: &Path, error: io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem if path.exists() => StoreError::ReadOnly,
        _ => cannot_open_io(path, error),
    }
}

/// How this process is called as the holder of a lock.
pub(crate) fn this_process() -> String {
    format!("this process ({})", std::process::id())
}
