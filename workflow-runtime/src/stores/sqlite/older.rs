//! Files of older formats as if they were of the present one, for those who may only read: nothing of the file changes, as
//! what is added are views that the connection has by itself.
//!
//! The number of a workflow is its name there, as it has none.

use rusqlite::Connection;

use crate::record::FORMAT_VERSION;

const WORKFLOWS: &str = "
    CREATE TEMP VIEW workflows AS SELECT DISTINCT workflow AS workflow, workflow AS name FROM main.executions;
    CREATE TEMP VIEW undo AS SELECT 0 AS exec, 0 AS visit, 0 AS place, 0 AS checksum, '' AS body WHERE 0;
";

const VERSION_1: &str = "
    CREATE TEMP VIEW executions AS SELECT exec, workflow, id, state, status, visit, entered_at, record_wake_at, wake_at,
        inbox_seen, last_event, (SELECT count(*) FROM inbox WHERE inbox.exec = executions.exec) AS pending, 1 AS version,
        0 AS last_control, 0 AS has_attributes, checksum,
        CASE WHEN json_valid(parked) THEN json_extract(parked, '$.error.kind') END AS error_kind,
        CASE WHEN json_valid(parked) THEN COALESCE(json_extract(parked, '$.error.message'), '') || COALESCE(': ' ||
            (SELECT group_concat(value, ': ') FROM json_each(parked, '$.error.sources')), '') END AS error,
        NULL AS failing, parked, body
        FROM main.executions;
    CREATE TEMP VIEW attributes AS
        SELECT 0 AS exec, '' AS name, '' AS value, '' AS workflow, '' AS id WHERE 0;
    CREATE TEMP VIEW replies AS SELECT 0 AS exec, '' AS event_id, 0 AS checksum, '' AS body WHERE 0;
";

const VERSION_2: &str = "
    CREATE TEMP VIEW executions AS SELECT *, 1 AS version,
        (SELECT count(*) FROM inbox WHERE inbox.exec = executions.exec) AS pending FROM main.executions;
";

/// Has the tables of a file of this format read as those of the present one.
pub(super) fn show_as_present(connection: &Connection, format: u32) -> rusqlite::Result<()> {
    if format < 3 {
        connection.execute_batch(WORKFLOWS)?;
    }
    match format {
        1 => connection.execute_batch(VERSION_1)?,
        2 => connection.execute_batch(VERSION_2)?,
        _ => {}
    }
    // That all of it is there shows now, and not with the first execution that is read.
    connection.prepare(
        "SELECT exec, workflow, id, state, status, visit, entered_at, wake_at, version, pending, error, body FROM executions",
    )?;
    connection.prepare("SELECT exec, visit, place, checksum, body FROM undo")?;
    connection.prepare("SELECT exec, seq, checksum, body FROM history")?;
    Ok(())
}

const _: () = assert!(FORMAT_VERSION == 3, "a newer format needs views for the files before it");
