//! The file format, version by version.
//!
//! A new file is made by going through every version, and an old one by going through those that it lacks: so both come
//! out the same.
//!
//! The header of the file says what it is: `application_id` that it is one of ours, `user_version` which version. Both are
//! in the first hundred bytes, so that a foreign or newer file is recognised without touching it.
//!
//! A record's `body` is its JSON and the truth; `checksum` covers it and whose it is. The other columns of `executions`
//! are derived from the body, for queries. An entry of the journal has its key in the column alone, but for one that was
//! written up to version 2. Rows of one execution share its number `exec`, which keeps their keys small.
//! A person reads `executions_by_name`, where workflows have their names.

use rusqlite::Connection;

use crate::record::FORMAT_VERSION;

/// `wkfl`, in the header of every file.
pub(super) const APPLICATION_ID: u32 = 0x776b_666c;

// `record_wake_at` is the record's own wish, `wake_at` is that and the inbox together; see `Head::wake_at`. `parked` is
// a `ParkedRecord`, the record's or that of a quarantine. The payload of an event is dropped when it is consumed, its id
// when the execution ends.
const VERSION_1: &str = "
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

// `last_control` is the place in the inbox of the last control event, 0 if there is none that is to be looked at. `error`
// is the text of the last error, that of `parked` or of the step in `failing`, which is a `FailingRecord`; `error_kind` is
// its kind. `has_attributes` says whether there are rows in `attributes`. An attribute's `value` is its JSON; `workflow`
// and `id` are those of the execution, so that a page of a search is one stretch of the index. A reply is what the edge
// that took an event answered.
const VERSION_2: &str = "
    ALTER TABLE executions ADD COLUMN last_control INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE executions ADD COLUMN failing TEXT;
    ALTER TABLE executions ADD COLUMN error TEXT;
    ALTER TABLE executions ADD COLUMN error_kind TEXT;
    ALTER TABLE executions ADD COLUMN has_attributes INTEGER NOT NULL DEFAULT 0;
    UPDATE executions SET
        error = COALESCE(json_extract(parked, '$.error.message'), '') || COALESCE(': ' ||
            (SELECT group_concat(value, ': ') FROM json_each(parked, '$.error.sources')), ''),
        error_kind = json_extract(parked, '$.error.kind')
    WHERE parked IS NOT NULL AND json_valid(parked);
    CREATE INDEX troubled ON executions (workflow, id) WHERE error IS NOT NULL;

    CREATE TABLE attributes (
        exec INTEGER NOT NULL,
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        workflow TEXT NOT NULL,
        id TEXT NOT NULL,
        PRIMARY KEY (exec, name)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX attributes_by_value ON attributes (workflow, name, value, id);

    CREATE TABLE replies (
        exec INTEGER NOT NULL,
        event_id TEXT NOT NULL,
        checksum INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (exec, event_id)
    ) STRICT, WITHOUT ROWID;
";

// The name of a workflow stands in one place, and its number in `executions` and the indexes: with a million executions the
// names would take more than their ids. Short columns come before long ones, so that none is read past a long one. What is
// due is found by version, so that those that a build is too old for are not in its way. `pending` is how many events are in
// the inbox, so that one whose row is lost is missed. What is to be undone has rows of its own; what stands in a record of an
// older file moves there when the execution goes on.
const VERSION_3: &str = "
    CREATE TABLE workflows (
        workflow INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE
    ) STRICT;
    INSERT INTO workflows (name) SELECT DISTINCT workflow FROM executions ORDER BY workflow;

    CREATE TABLE new_executions (
        exec INTEGER PRIMARY KEY,
        workflow INTEGER NOT NULL,
        id TEXT NOT NULL,
        state TEXT NOT NULL,
        status TEXT NOT NULL,
        version INTEGER NOT NULL,
        visit INTEGER NOT NULL,
        entered_at INTEGER NOT NULL,
        record_wake_at INTEGER,
        wake_at INTEGER,
        inbox_seen INTEGER NOT NULL,
        last_event INTEGER NOT NULL,
        pending INTEGER NOT NULL,
        last_control INTEGER NOT NULL,
        has_attributes INTEGER NOT NULL,
        checksum INTEGER NOT NULL,
        error_kind TEXT,
        error TEXT,
        failing TEXT,
        parked TEXT,
        body TEXT NOT NULL,
        UNIQUE (workflow, id)
    ) STRICT;
    INSERT INTO new_executions
        SELECT exec, (SELECT workflows.workflow FROM workflows WHERE name = executions.workflow), id, state, status, 1, visit,
            entered_at, record_wake_at, wake_at, inbox_seen, last_event,
            (SELECT count(*) FROM inbox WHERE inbox.exec = executions.exec), last_control, has_attributes, checksum,
            error_kind, error, failing, parked, body
        FROM executions ORDER BY exec;
    DROP TABLE executions;
    ALTER TABLE new_executions RENAME TO executions;
    CREATE INDEX due ON executions (workflow, version, wake_at) WHERE wake_at IS NOT NULL;
    CREATE INDEX troubled ON executions (workflow, id) WHERE error IS NOT NULL;

    CREATE TABLE undo (
        exec INTEGER NOT NULL,
        visit INTEGER NOT NULL,
        place INTEGER NOT NULL,
        checksum INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (exec, visit, place)
    ) STRICT, WITHOUT ROWID;

    CREATE VIEW executions_by_name AS
        SELECT workflows.name AS workflow, id, state, status, version, visit, wake_at, error, body
        FROM executions JOIN workflows USING (workflow);
";

/// What makes a file of the version before one of this version, from version 1 on.
const VERSIONS: [&str; FORMAT_VERSION as usize] = [VERSION_1, VERSION_2, VERSION_3];

/// Makes an empty file a store, in one transaction. It must not be in WAL mode yet, so that the header is in the file
/// itself as soon as anything is.
pub(super) fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "BEGIN EXCLUSIVE;
         PRAGMA application_id = {APPLICATION_ID};
         PRAGMA user_version = {FORMAT_VERSION};
         {}
         COMMIT;",
        VERSIONS.concat()
    ))
}

/// Brings a file of an older version to the present one, in one transaction: after a crash it is what it was, or whole.
pub(super) fn migrate(connection: &Connection, version: u32) -> rusqlite::Result<()> {
    let missing = VERSIONS.iter().skip(usize::try_from(version).unwrap_or(usize::MAX));
    let missing: Vec<&str> = missing.copied().collect();
    if missing.is_empty() {
        return Ok(());
    }
    let migrated = connection.execute_batch(&format!(
        "BEGIN EXCLUSIVE;
         {}
         PRAGMA user_version = {FORMAT_VERSION};
         COMMIT;",
        missing.concat()
    ));
    if migrated.is_err() && !connection.is_autocommit() {
        // If this fails too, closing the connection rolls back.
        let _ = connection.execute_batch("ROLLBACK");
    }
    migrated
}

/// A number of a record as SQLite has them. Back with [`from_sql`], every value is kept; their order only up to
/// [`i64::MAX`], which none reaches.
pub(super) fn to_sql(number: u64) -> i64 {
    number.cast_signed()
}

/// A version as it is read: one that is none, as of a damaged row, is newer than any.
pub(super) fn version_from_sql(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// See [`to_sql`].
pub(super) fn from_sql(number: i64) -> u64 {
    number.cast_unsigned()
}
