//! Opening a file to read it only: also one that another process writes to, and one of an older format, which stays as it is.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::error::{cannot_open, not_a_store};
use super::older;
use super::open::{check_versions, number, resolve, set_up_reader};
use super::source::{Source, Still};
use crate::store::StoreError;

/// What reads from the file at `path`, and can write nothing.
pub(super) fn open(path: &Path) -> Result<Source, StoreError> {
    if !path.exists() {
        return Err(StoreError::NoSuchFile { path: path.to_owned() });
    }
    let path = resolve(path)?;
    match Still::of(&path).and_then(|still| Some((still_uri(&path)?, still))) {
        Some((uri, still)) => {
            let flags = OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(uri, flags).map_err(|error| cannot_open(&path, error))?;
            let format = set_up(&path, &connection)?;
            Ok(Source::read_only(connection, Some(still), format))
        }
        None => connect(&path).map(|(connection, format)| Source::read_only(connection, None, format)),
    }
}

/// A connection that takes part in the log, and the format of the file.
pub(super) fn connect(path: &Path) -> Result<(Connection, u32), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| cannot_open(path, error))?;
    let format = set_up(path, &connection)?;
    Ok((connection, format))
}

fn set_up(path: &Path, connection: &Connection) -> Result<u32, StoreError> {
    let read = || -> rusqlite::Result<(u32, u32, u32)> {
        set_up_reader(connection)?;
        connection.execute_batch("PRAGMA temp_store = MEMORY")?;
        let pages = number(connection, "PRAGMA page_count")?;
        let application_id = number(connection, "PRAGMA application_id")?;
        Ok((pages, application_id, number(connection, "PRAGMA user_version")?))
    };
    let (pages, application_id, format) = read().map_err(|error| cannot_open(path, error))?;
    if pages == 0 {
        return Err(not_a_store(path, "it is empty"));
    }
    check_versions(path, application_id, format)?;
    let shown = older::show_as_present(connection, format);
    shown.map_err(|error| not_a_store(path, &format!("its tables are not those of a store: {error}")))?;
    Ok(format)
}

/// The name of a file that nobody has open, as SQLite reads it as it lies there; `None` where there is no such name.
fn still_uri(path: &Path) -> Option<String> {
    if !cfg!(unix) {
        return None;
    }
    let path = path.to_str()?;
    let escaped = path.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    Some(format!("file:{escaped}?immutable=1"))
}
