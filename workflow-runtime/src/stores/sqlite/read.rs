//! What is read of one execution: all of it is checked before it is believed.

use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use serde::de::DeserializeOwned;

use super::apply::status;
use super::error::failed_for;
use super::schema::{from_sql, to_sql, version_from_sql};
use crate::base::Timestamp;
use crate::record::{
    EventRecord, ExecutionKey, ExecutionRecord, JournalEntry, RecordKind, ReplyRecord, Status, UNDO_AT_ONCE, UndoPlace,
    UndoRecord, UnsealError, check_undo, open, open_entry,
};
use crate::store::{HistoryRow, KnownEvent, StoreError, Stored};
use crate::stores::rules::{Head, Pending};

/// See [`Store::load`](crate::store::Store::load).
pub(super) fn load(connection: &Connection, key: &ExecutionKey) -> Result<Option<Stored>, StoreError> {
    let Some(row) = find(connection, key).map_err(|error| failed_for(key, EXECUTION, error))? else { return Ok(None) };
    let mut record: ExecutionRecord = row.body.open(key, RecordKind::Execution, EXECUTION)?;
    if row.state != record.state || !row.head.is_that_of(&record) {
        return Err(corrupt(key, EXECUTION, "its columns and its body differ".to_owned()));
    }
    let journal = load_journal(connection, key, row.exec)?;
    let inbox = load_inbox(connection, key, row.exec)?;
    let undo = load_undo(connection, key, row.exec, record.undo_count, record.undo_wanted())?;
    check_pending(key, row.head.status, row.pending, inbox.len())?;
    let last_pending = inbox.last().map_or(0, |event| event.seq);
    if row.last_event < last_pending.max(record.inbox_seen) {
        return Err(corrupt(key, EXECUTION, "it has seen more events than it was sent".to_owned()));
    }
    // One that is due later than it should be is not looked at before somebody asks for it.
    let due = row.head.wake_at(Pending { last: last_pending, last_control: row.last_control });
    if due != row.wake_at {
        return Err(corrupt(key, EXECUTION, "it is not due when its other columns say".to_owned()));
    }
    if row.head.status == Status::Parked && record.parked.is_none() {
        let parked = serde_json::from_slice(row.parked.as_deref().unwrap_or_default());
        record.parked = Some(parked.map_err(|error| corrupt(key, EXECUTION, error.to_string()))?);
    }
    Ok(Some(Stored { record, journal, inbox, undo }))
}

/// See [`Store::history`](crate::store::Store::history).
pub(super) fn history(
    connection: &Connection,
    key: &ExecutionKey,
    after: u64,
    limit: usize,
) -> Result<Vec<HistoryRow>, StoreError> {
    let sql = "SELECT history.checksum, history.body, history.seq FROM history JOIN executions USING (exec)
               WHERE workflow = (SELECT workflow FROM workflows WHERE name = ?1) AND id = ?2 AND seq > ?3 ORDER BY seq LIMIT ?4";
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = || -> rusqlite::Result<Vec<(u64, Body)>> {
        let mut statement = connection.prepare_cached(sql)?;
        let rows = statement.query_map(params![&*key.workflow, key.id.as_str(), after, limit], |row| {
            Ok((from_sql(row.get(2)?), Body::of(row)?))
        })?;
        rows.collect()
    };
    let rows = rows().map_err(|error| failed_for(key, HISTORY, error))?;
    let open = |(seq, body): (u64, Body)| Ok(HistoryRow { seq, record: body.open(key, RecordKind::History, HISTORY)? });
    rows.into_iter().map(open).collect()
}

const EXECUTION: &str = "its record";
const JOURNAL: &str = "its journal";
const INBOX: &str = "its inbox";
const HISTORY: &str = "its history";
const UNDO: &str = "what is to be undone";
const REPLY: &str = "the answer to an event";

/// Whether all that is to be in the inbox is there: an event was acknowledged, and is not to be lost unnoticed with its row.
/// What has ended has emptied it.
fn check_pending(key: &ExecutionKey, status: Status, pending: u64, found: usize) -> Result<(), StoreError> {
    match status.is_over() || found as u64 == pending {
        true => Ok(()),
        false => Err(corrupt(key, INBOX, format!("{pending} events are to be in it, and {found} are"))),
    }
}

struct FoundRow {
    exec: i64,
    state: String,
    head: Head,
    last_event: u64,
    last_control: u64,
    /// When it is due, which all of these say.
    wake_at: Option<Timestamp>,
    /// How many events are in its inbox.
    pending: u64,
    /// The `ParkedRecord`, as JSON: the record's own, or that of a quarantine.
    parked: Option<Vec<u8>>,
    body: Body,
}

/// A record as it stands in a row whose first columns are `checksum` and `body`, not believed yet.
struct Body {
    checksum: i64,
    text: Vec<u8>,
}

impl Body {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { checksum: row.get(0)?, text: bytes(row, 1)? })
    }

    fn open<T: DeserializeOwned>(
        &self,
        key: &ExecutionKey,
        kind: RecordKind,
        what: &'static str,
    ) -> Result<T, StoreError> {
        self.open_with(key, what, |body, checksum| open(kind, key, body, checksum))
    }

    fn open_with<T>(
        &self,
        key: &ExecutionKey,
        what: &'static str,
        open: impl FnOnce(&str, u32) -> Result<T, UnsealError>,
    ) -> Result<T, StoreError> {
        let text = str::from_utf8(&self.text).map_err(|error| corrupt(key, what, error.to_string()))?;
        let checksum = u32::try_from(self.checksum).map_err(|error| corrupt(key, what, error.to_string()))?;
        open(text, checksum).map_err(|error| corrupt(key, what, error.to_string()))
    }
}

impl Head {
    /// Whether the columns are those of `record`. A quarantine parks an execution in its columns alone.
    fn is_that_of(&self, record: &ExecutionRecord) -> bool {
        let expected = Self::of(record);
        let quarantined = Self { status: Status::Parked, ..expected.clone() };
        *self == expected || *self == quarantined
    }
}

fn find(connection: &Connection, key: &ExecutionKey) -> rusqlite::Result<Option<FoundRow>> {
    let mut statement = connection.prepare_cached(
        "SELECT checksum, body, exec, state, visit, status, entered_at, record_wake_at, inbox_seen, last_event,
                parked, version, pending, wake_at, last_control
         FROM executions WHERE workflow = (SELECT workflow FROM workflows WHERE name = ?1) AND id = ?2",
    )?;
    let found = statement.query_row(params![&*key.workflow, key.id.as_str()], |row| {
        let time = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis));
        let head = Head {
            version: version_from_sql(row.get(11)?),
            visit: from_sql(row.get(4)?),
            status: status(row.get_ref(5)?),
            entered_at: Timestamp::from_millis(row.get(6)?),
            record_wake_at: time(7)?,
            inbox_seen: from_sql(row.get(8)?),
        };
        let state = String::from_utf8_lossy(&bytes(row, 3)?).into_owned();
        let parked = row.get_ref(10)?.as_bytes_or_null()?.map(<[u8]>::to_vec);
        Ok(FoundRow {
            exec: row.get(2)?,
            state,
            head,
            last_event: from_sql(row.get(9)?),
            last_control: from_sql(row.get(14)?),
            wake_at: time(13)?,
            pending: from_sql(row.get(12)?),
            parked,
            body: Body::of(row)?,
        })
    });
    found.optional()
}

fn load_journal(connection: &Connection, key: &ExecutionKey, exec: i64) -> Result<Vec<JournalEntry>, StoreError> {
    let rows = || -> rusqlite::Result<Vec<(Vec<u8>, Body)>> {
        let mut statement = connection.prepare_cached("SELECT checksum, body, key FROM journal WHERE exec = ?1")?;
        let rows = statement.query_map([exec], |row| Ok((bytes(row, 2)?, Body::of(row)?)))?;
        rows.collect()
    };
    let rows = rows().map_err(|error| failed_for(key, JOURNAL, error))?;
    let entry = |(entry_key, body): (Vec<u8>, Body)| {
        let entry_key = str::from_utf8(&entry_key).map_err(|error| corrupt(key, JOURNAL, error.to_string()))?;
        let entry = body.open_with(key, JOURNAL, |body, checksum| open_entry(key, entry_key, body, checksum))?;
        match entry.key == *entry_key {
            true => Ok(entry),
            false => Err(corrupt(key, JOURNAL, "an entry stands under the key of another".to_owned())),
        }
    };
    rows.into_iter().map(entry).collect()
}

fn load_inbox(connection: &Connection, key: &ExecutionKey, exec: i64) -> Result<Vec<EventRecord>, StoreError> {
    let sql = "SELECT checksum, body, seq FROM inbox WHERE exec = ?1 ORDER BY seq";
    read_inbox(connection, key, sql, params![exec])
}

/// See [`Store::inbox`](crate::store::Store::inbox).
pub(super) fn inbox_after(
    connection: &Connection,
    key: &ExecutionKey,
    after: u64,
) -> Result<Vec<EventRecord>, StoreError> {
    let sql = "SELECT inbox.checksum, inbox.body, inbox.seq FROM inbox JOIN executions USING (exec)
               WHERE workflow = (SELECT workflow FROM workflows WHERE name = ?1) AND id = ?2 AND seq > ?3 ORDER BY seq";
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    read_inbox(connection, key, sql, params![&*key.workflow, key.id.as_str(), after])
}

fn read_inbox(
    connection: &Connection,
    key: &ExecutionKey,
    sql: &str,
    parameters: impl Params + Copy,
) -> Result<Vec<EventRecord>, StoreError> {
    let rows = || -> rusqlite::Result<Vec<(u64, Body)>> {
        let mut statement = connection.prepare_cached(sql)?;
        let rows = statement.query_map(parameters, |row| Ok((from_sql(row.get(2)?), Body::of(row)?)))?;
        rows.collect()
    };
    let rows = rows().map_err(|error| failed_for(key, INBOX, error))?;
    let event = |(seq, body): (u64, Body)| {
        let event: EventRecord = body.open(key, RecordKind::Event, INBOX)?;
        match event.seq == seq {
            true => Ok(event),
            false => Err(corrupt(key, INBOX, "an event stands in the place of another".to_owned())),
        }
    };
    rows.into_iter().map(event).collect()
}

/// See [`Store::undo`](crate::store::Store::undo).
pub(super) fn undo(connection: &Connection, key: &ExecutionKey, count: u64) -> Result<Vec<UndoRecord>, StoreError> {
    let exec = || -> rusqlite::Result<Option<i64>> {
        let mut statement = connection.prepare_cached(
            "SELECT exec FROM executions WHERE workflow = (SELECT workflow FROM workflows WHERE name = ?1) AND id = ?2",
        )?;
        statement.query_row(params![&*key.workflow, key.id.as_str()], |row| row.get(0)).optional()
    };
    match exec().map_err(|error| failed_for(key, UNDO, error))? {
        Some(exec) => load_undo(connection, key, exec, count, UNDO_AT_ONCE),
        None => Ok(Vec::new()),
    }
}

/// The newest of `count` that are to be undone: `wanted` of them, which is more than one if it unwinds.
fn load_undo(
    connection: &Connection,
    key: &ExecutionKey,
    exec: i64,
    count: u64,
    wanted: usize,
) -> Result<Vec<UndoRecord>, StoreError> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let sql = "SELECT checksum, body, visit, place FROM undo WHERE exec = ?1 ORDER BY visit DESC, place DESC LIMIT ?2";
    let undo = read_undo(connection, key, sql, params![exec, i64::try_from(wanted).unwrap_or(i64::MAX)])?;
    check_undo(&undo, count, wanted).map_err(|reason| corrupt(key, UNDO, reason))?;
    let left = count.saturating_sub(undo.len() as u64);
    match undo.first() {
        // Without unwinding, nothing is undone before more is read, and a load is not to cost what the stack is high.
        Some(oldest) if left > 0 && wanted > 1 => {
            let expected = left.saturating_sub(oldest.older);
            let counted = undo_below(connection, exec, oldest.place()).map_err(|error| failed_for(key, UNDO, error))?;
            match counted == expected {
                true => Ok(undo),
                false => {
                    let visit = oldest.visit;
                    let reason = format!("{expected} more are to be undone of visit {visit}, and {counted} are there");
                    Err(corrupt(key, UNDO, reason))
                }
            }
        }
        Some(_) | None => Ok(undo),
    }
}

/// See [`Store::undo_before`](crate::store::Store::undo_before).
pub(super) fn undo_before(
    connection: &Connection,
    key: &ExecutionKey,
    before: UndoPlace,
) -> Result<Vec<UndoRecord>, StoreError> {
    let sql = "SELECT undo.checksum, undo.body, undo.visit, undo.place FROM undo JOIN executions USING (exec)
               WHERE workflow = (SELECT workflow FROM workflows WHERE name = ?1) AND id = ?2
                   AND (undo.visit, undo.place) < (?3, ?4)
               ORDER BY undo.visit DESC, undo.place DESC LIMIT ?5";
    let limit = i64::try_from(UNDO_AT_ONCE).unwrap_or(i64::MAX);
    let before = (to_sql(before.visit), to_sql(before.order));
    read_undo(connection, key, sql, params![&*key.workflow, key.id.as_str(), before.0, before.1, limit])
}

/// Reads steps that are to be undone, which `sql` finds with the newest first.
fn read_undo(
    connection: &Connection,
    key: &ExecutionKey,
    sql: &str,
    parameters: impl Params + Copy,
) -> Result<Vec<UndoRecord>, StoreError> {
    let rows = || -> rusqlite::Result<Vec<(UndoPlace, Body)>> {
        let mut statement = connection.prepare_cached(sql)?;
        let rows = statement.query_map(parameters, |row| {
            Ok((UndoPlace { visit: from_sql(row.get(2)?), order: from_sql(row.get(3)?) }, Body::of(row)?))
        })?;
        rows.collect()
    };
    let rows = rows().map_err(|error| failed_for(key, UNDO, error))?;
    let undo = |(place, body): (UndoPlace, Body)| {
        let undo: UndoRecord = body.open(key, RecordKind::Undo, UNDO)?;
        match undo.place() == place {
            true => Ok(undo),
            false => Err(corrupt(key, UNDO, "a step stands in the place of another".to_owned())),
        }
    };
    rows.into_iter().rev().map(undo).collect()
}

/// How many of the same visit stand below a place. Within a visit the places have gaps, so that a row that is missing
/// among those that were read is not to be seen by them alone.
fn undo_below(connection: &Connection, exec: i64, place: UndoPlace) -> rusqlite::Result<u64> {
    let sql = "SELECT COUNT(*) FROM undo WHERE exec = ?1 AND visit = ?2 AND place < ?3";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row(params![exec, to_sql(place.visit), to_sql(place.order)], |row| Ok(from_sql(row.get(0)?)))
}

/// What is known of an event that was delivered.
pub(super) fn event(
    connection: &Connection,
    key: &ExecutionKey,
    event_id: &str,
) -> Result<Option<KnownEvent>, StoreError> {
    let row = || -> rusqlite::Result<Option<Option<Body>>> {
        let mut statement = connection.prepare_cached(
            "SELECT replies.checksum, replies.body FROM executions
             JOIN event_ids USING (exec) LEFT JOIN replies USING (exec, event_id)
             WHERE workflow = (SELECT workflow FROM workflows WHERE name = ?1) AND id = ?2 AND event_id = ?3",
        )?;
        let row = statement.query_row(params![&*key.workflow, key.id.as_str(), event_id], |row| {
            let is_answered = !matches!(row.get_ref(1)?, rusqlite::types::ValueRef::Null);
            is_answered.then(|| Body::of(row)).transpose()
        });
        row.optional()
    };
    let Some(body) = row().map_err(|error| failed_for(key, REPLY, error))? else { return Ok(None) };
    let reply: Option<ReplyRecord> = body.map(|body| body.open(key, RecordKind::Reply, REPLY)).transpose()?;
    match reply {
        Some(reply) if reply.event_id != event_id => {
            Err(corrupt(key, REPLY, "an answer stands in the place of another".to_owned()))
        }
        reply => Ok(Some(KnownEvent::new(reply.map(|reply| reply.answer)))),
    }
}

fn bytes(row: &Row<'_>, column: usize) -> rusqlite::Result<Vec<u8>> {
    Ok(row.get_ref(column)?.as_bytes()?.to_vec())
}

fn corrupt(key: &ExecutionKey, what: &'static str, reason: String) -> StoreError {
    StoreError::Corrupt { key: key.clone(), what, reason }
}
