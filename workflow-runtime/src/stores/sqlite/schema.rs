//! The file format, version 1.
//!
//! The header of the file says what it is: `application_id` that it is one of ours, `user_version` which version. Both are
//! in the first hundred bytes, so that a foreign or newer file is recognised without touching it.
//!
//! A record's `body` is its JSON and the truth; `checksum` covers it and whose it is. The other columns of `executions`
//! are derived from the body, for queries. Rows of one execution share its number `exec`, which keeps their keys small.

use rusqlite::Connection;

use crate::record::FORMAT_VERSION;

/// `wkfl`, in the header of every file.
pub(super) const APPLICATION_ID: u32 = 0x776b_666c;

// `record_wake_at` is the record's own wish, `wake_at` is that and the inbox together; see `Head::wake_at`. `parked` is
// a `ParkedRecord`, the record's or that of a quarantine. The payload of an event is dropped when it is consumed, its id
// when the execution ends.
const TABLES: &str = "
    CREATE TABLE meta (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        epoch INTEGER NOT NULL
    ) STRICT;
    INSERT INTO meta (one, epoch) VALUES (1, 0);

    CREATE TABLE executions (
        exec INTEGER PRIMARY KEY,
        workflow TEXT NOT NULL,
        id TEXT NOT NULL,
        state TEXT NOT NULL,
        status TEXT NOT NULL,
        visit INTEGER NOT NULL,
        entered_at INTEGER NOT NULL,
        record_wake_at INTEGER,
        wake_at INTEGER,
        inbox_seen INTEGER NOT NULL,
        last_event INTEGER NOT NULL,
        parked TEXT,
        checksum INTEGER NOT NULL,
        body TEXT NOT NULL,
        UNIQUE (workflow, id)
    ) STRICT;
    CREATE INDEX due ON executions (workflow, wake_at) WHERE wake_at IS NOT NULL;

    CREATE TABLE journal (
        exec INTEGER NOT NULL,
        key TEXT NOT NULL,
        checksum INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (exec, key)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE inbox (
        exec INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        checksum INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (exec, seq)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE event_ids (
        exec INTEGER NOT NULL,
        event_id TEXT NOT NULL,
        PRIMARY KEY (exec, event_id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE history (
        exec INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        checksum INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (exec, seq)
    ) STRICT, WITHOUT ROWID;
";

/// Makes an empty file a store, in one transaction. It must not be in WAL mode yet, so that the header is in the file
/// itself as soon as anything is.
pub(super) fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "BEGIN EXCLUSIVE;
         PRAGMA application_id = {APPLICATION_ID};
         PRAGMA user_version = {FORMAT_VERSION};
         {TABLES}
         COMMIT;"
    ))
}

/// A number of a record as SQLite has them. Back with [`from_sql`], every value is kept; their order only up to
/// [`i64::MAX`], which none reaches.
pub(super) fn to_sql(number: u64) -> i64 {
    number.cast_signed()
}

/// See [`to_sql`].
pub(super) fn from_sql(number: i64) -> u64 {
    number.cast_unsigned()
}
