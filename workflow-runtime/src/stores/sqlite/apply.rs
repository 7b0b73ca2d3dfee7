//! Applying one commit inside the transaction of its group.
//!
//! Whether a commit is refused is known before its first write, so a refusal leaves nothing to take back, and an error
//! of SQLite concerns the whole group.

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use serde::Serialize;

use super::schema::{from_sql, to_sql};
use super::write::{ExecutionRow, SealedAdvance, Write, WriteKind};
use crate::base::Timestamp;
use crate::record::{EventRecord, ExecutionKey, Json, NewEvent, RecordKind, Sealed, Status, open, seal};
use crate::store::{Committed, Epoch, Refused};
use crate::stores::rules::{Head, Pending, event_left};

/// The statements of the writer, prepared once.
pub(super) struct Statements<'connection> {
    begin: CachedStatement<'connection>,
    commit: CachedStatement<'connection>,
    get_epoch: CachedStatement<'connection>,
    set_epoch: CachedStatement<'connection>,
    find: CachedStatement<'connection>,
    create: CachedStatement<'connection>,
    replace: CachedStatement<'connection>,
    set_wake_at: CachedStatement<'connection>,
    set_last_event: CachedStatement<'connection>,
    quarantine: CachedStatement<'connection>,
    put_journal: CachedStatement<'connection>,
    forget_journal: CachedStatement<'connection>,
    drop_journal: CachedStatement<'connection>,
    put_event: CachedStatement<'connection>,
    put_event_id: CachedStatement<'connection>,
    consume_event: CachedStatement<'connection>,
    last_pending: CachedStatement<'connection>,
    inbox: CachedStatement<'connection>,
    drop_inbox: CachedStatement<'connection>,
    find_event_id: CachedStatement<'connection>,
    add_history: CachedStatement<'connection>,
    trim_history: CachedStatement<'connection>,
    add_reply: CachedStatement<'connection>,
    drop_attributes: CachedStatement<'connection>,
    put_attribute: CachedStatement<'connection>,
}

/// What stands for the name of an event that cannot be read.
const UNREADABLE: &str = "(unreadable)";

/// An execution as the writer finds it.
struct Found {
    exec: i64,
    head: Head,
    last_event: u64,
    last_control: u64,
    has_attributes: bool,
}

impl<'connection> Statements<'connection> {
    pub(super) fn prepare(connection: &'connection Connection) -> rusqlite::Result<Self> {
        let prepare = |sql| connection.prepare_cached(sql);
        Ok(Self {
            begin: prepare("BEGIN IMMEDIATE")?,
            commit: prepare("COMMIT")?,
            get_epoch: prepare("SELECT epoch FROM meta")?,
            set_epoch: prepare("UPDATE meta SET epoch = ?1")?,
            find: prepare(
                "SELECT exec, visit, status, entered_at, record_wake_at, inbox_seen, last_event,
                     last_control, has_attributes
                 FROM executions WHERE workflow = ?1 AND id = ?2",
            )?,
            create: prepare(
                "INSERT INTO executions (workflow, id, state, status, visit, entered_at, record_wake_at, wake_at,
                     inbox_seen, last_event, parked, checksum, body, failing, error, error_kind, has_attributes)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
                 ON CONFLICT DO NOTHING",
            )?,
            replace: prepare(
                "UPDATE executions SET state = ?2, status = ?3, visit = ?4, entered_at = ?5, record_wake_at = ?6,
                     wake_at = ?7, inbox_seen = ?8, parked = ?9, checksum = ?10, body = ?11,
                     last_control = ?12, failing = ?13, error = ?14, error_kind = ?15, has_attributes = ?16
                 WHERE exec = ?1",
            )?,
            set_wake_at: prepare("UPDATE executions SET wake_at = ?2, last_control = ?3 WHERE exec = ?1")?,
            set_last_event: prepare(
                "UPDATE executions SET last_event = ?2, wake_at = ?3, last_control = ?4 WHERE exec = ?1",
            )?,
            quarantine: prepare(
                "UPDATE executions SET status = ?2, wake_at = NULL, last_control = 0, parked = ?3, error = ?4,
                     error_kind = ?5
                 WHERE exec = ?1",
            )?,
            put_journal: prepare("INSERT OR REPLACE INTO journal (exec, key, checksum, body) VALUES (?1, ?2, ?3, ?4)")?,
            forget_journal: prepare("DELETE FROM journal WHERE exec = ?1 AND key = ?2")?,
            drop_journal: prepare("DELETE FROM journal WHERE exec = ?1")?,
            put_event: prepare("INSERT INTO inbox (exec, seq, checksum, body) VALUES (?1, ?2, ?3, ?4)")?,
            put_event_id: prepare("INSERT OR IGNORE INTO event_ids (exec, event_id) VALUES (?1, ?2)")?,
            consume_event: prepare("DELETE FROM inbox WHERE exec = ?1 AND seq = ?2")?,
            last_pending: prepare("SELECT MAX(seq) FROM inbox WHERE exec = ?1")?,
            inbox: prepare("SELECT checksum, body FROM inbox WHERE exec = ?1 ORDER BY seq")?,
            drop_inbox: prepare("DELETE FROM inbox WHERE exec = ?1")?,
            find_event_id: prepare("SELECT 1 FROM event_ids WHERE exec = ?1 AND event_id = ?2")?,
            add_reply: prepare(
                "INSERT OR IGNORE INTO replies (exec, event_id, checksum, body) VALUES (?1, ?2, ?3, ?4)",
            )?,
            add_history: prepare(
                "INSERT INTO history (exec, seq, checksum, body)
                 VALUES (?1, (SELECT COALESCE(MAX(seq), 0) + 1 FROM history WHERE exec = ?1), ?2, ?3)",
            )?,
            // Both ends of what is dropped are found by the key, so it costs what it drops.
            trim_history: prepare(
                "DELETE FROM history WHERE exec = ?1
                 AND seq <= (SELECT MAX(seq) FROM history WHERE exec = ?1) - ?2",
            )?,
            drop_attributes: prepare("DELETE FROM attributes WHERE exec = ?1")?,
            put_attribute: prepare(
                "INSERT OR REPLACE INTO attributes (exec, name, value, workflow, id) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?,
        })
    }

    /// Begins a transaction; the answer is the epoch that may write. It is read each time, so that even a process that
    /// got past the lock file is fenced.
    pub(super) fn begin(&mut self) -> rusqlite::Result<Epoch> {
        self.begin.execute([])?;
        self.get_epoch.query_row([], |row| Ok(Epoch(from_sql(row.get(0)?))))
    }

    pub(super) fn commit(&mut self) -> rusqlite::Result<()> {
        self.commit.execute([])?;
        Ok(())
    }

    pub(super) fn acquire(&mut self, Epoch(last): Epoch) -> rusqlite::Result<Epoch> {
        let epoch = last.wrapping_add(1);
        self.set_epoch.execute([to_sql(epoch)])?;
        Ok(Epoch(epoch))
    }

    pub(super) fn apply(&mut self, write: Write, epoch: Epoch) -> rusqlite::Result<Result<Committed, Refused>> {
        let Write { key, kind } = write;
        let kind = match kind {
            WriteKind::Create { row, history } => return Ok(Ok(self.create(&key, &row, &history)?)),
            kind => kind,
        };
        let Some(found) = self.find(&key)? else { return Ok(Err(Refused::Unknown)) };
        let admitted = match &kind {
            WriteKind::Advance { fence, .. } => found.head.admit_advance(*fence, epoch),
            _ => found.head.admit_unless_ended(),
        };
        if let Err(refused) = admitted {
            return match kind {
                // A repetition of what was accepted is no news, also when nothing new is.
                WriteKind::Deliver { event } if self.find_event_id.exists(params![found.exec, event.event_id])? => {
                    Ok(Ok(Committed::Existed))
                }
                _ => Ok(Err(refused)),
            };
        }
        match kind {
            WriteKind::Create { .. } => Ok(Ok(Committed::Existed)),
            WriteKind::Deliver { event } => Ok(Ok(self.deliver(&key, found, event)?)),
            WriteKind::Advance { advance, .. } => {
                self.advance(&key, found, &advance)?;
                Ok(Ok(Committed::Applied))
            }
            WriteKind::Quarantine { parked, error } => {
                let parameters = params![found.exec, Status::Parked.name(), parked, error.text, error.kind];
                self.quarantine.execute(parameters)?;
                Ok(Ok(Committed::Applied))
            }
        }
    }

    fn find(&mut self, key: &ExecutionKey) -> rusqlite::Result<Option<Found>> {
        let found = self.find.query_row(params![&*key.workflow, key.id.as_str()], |row| {
            let time = |millis: Option<i64>| millis.map(Timestamp::from_millis);
            Ok(Found {
                exec: row.get(0)?,
                head: Head {
                    visit: from_sql(row.get(1)?),
                    status: status(row.get_ref(2)?),
                    entered_at: Timestamp::from_millis(row.get(3)?),
                    record_wake_at: time(row.get(4)?),
                    inbox_seen: from_sql(row.get(5)?),
                },
                last_event: from_sql(row.get(6)?),
                last_control: from_sql(row.get(7)?),
                has_attributes: row.get(8)?,
            })
        });
        found.optional()
    }

    fn create(&mut self, key: &ExecutionKey, row: &ExecutionRow, history: &[Sealed]) -> rusqlite::Result<Committed> {
        let ExecutionRow { head, state, parked, failing, error, attributes, sealed } = row;
        let created = self.create.insert(params![
            &*key.workflow,
            key.id.as_str(),
            state,
            head.status.name(),
            to_sql(head.visit),
            head.entered_at.as_millis(),
            head.record_wake_at.map(Timestamp::as_millis),
            head.wake_at(Pending::default()).map(Timestamp::as_millis),
            to_sql(head.inbox_seen),
            parked,
            sealed.checksum,
            sealed.body,
            failing,
            error.as_ref().map(|error| &error.text),
            error.as_ref().map(|error| error.kind),
            !attributes.is_empty(),
        ]);
        let exec = match created {
            Ok(exec) => exec,
            Err(rusqlite::Error::StatementChangedRows(0)) => return Ok(Committed::Existed),
            Err(error) => return Err(error),
        };
        self.add_attributes(exec, key, attributes)?;
        self.add_history(exec, history)?;
        Ok(Committed::Applied)
    }

    fn deliver(&mut self, key: &ExecutionKey, found: Found, event: NewEvent) -> rusqlite::Result<Committed> {
        let Found { exec, head, last_event, mut last_control, .. } = found;
        if self.put_event_id.execute(params![exec, event.event_id])? == 0 {
            return Ok(Committed::Existed);
        }
        // The inbox is asked too, so that a damaged number can not make two events collide.
        let seq = last_event.max(self.last_pending(exec)?).wrapping_add(1);
        if event.control().is_some() {
            last_control = seq;
        }
        let Sealed { body, checksum } = seal_row(RecordKind::Event, key, &EventRecord { seq, event })?;
        self.put_event.execute(params![exec, to_sql(seq), checksum, body])?;
        let wake_at = head.wake_at(Pending { last: seq, last_control }).map(Timestamp::as_millis);
        self.set_last_event.execute(params![exec, to_sql(seq), wake_at, to_sql(last_control)])?;
        Ok(Committed::Applied)
    }

    fn advance(&mut self, key: &ExecutionKey, found: Found, advance: &SealedAdvance) -> rusqlite::Result<()> {
        let Found { exec, head: head_before, last_event, mut last_control, has_attributes } = found;
        let is_ended = advance.row.as_ref().is_some_and(ExecutionRow::is_ended);
        if advance.drop_journal || is_ended {
            self.drop_journal.execute([exec])?;
        }
        if !is_ended {
            for forgotten in &advance.forget {
                self.forget_journal.execute(params![exec, forgotten])?;
            }
            for (entry, Sealed { body, checksum }) in &advance.journal {
                self.put_journal.execute(params![exec, entry, checksum, body])?;
            }
        }
        for seq in &advance.consumed {
            self.consume_event.execute(params![exec, to_sql(*seq)])?;
        }
        if advance.consumed.contains(&last_control) {
            last_control = 0;
        }
        self.add_history(exec, &advance.history)?;
        for (event_id, Sealed { body, checksum }) in &advance.replies {
            self.add_reply.execute(params![exec, event_id, checksum, body])?;
        }
        let head = advance.row.as_ref().map_or(&head_before, |row| &row.head);
        let inbox_changed = advance.row.is_some() || !advance.consumed.is_empty();
        let last = match last_event > head.inbox_seen && inbox_changed {
            true => self.last_pending(exec)?,
            false => 0,
        };
        let wake_at = head.wake_at(Pending { last, last_control }).map(Timestamp::as_millis);
        match &advance.row {
            Some(row) => {
                self.replace(exec, row, wake_at, last_control)?;
                if has_attributes {
                    self.drop_attributes.execute([exec])?;
                }
                self.add_attributes(exec, key, &row.attributes)?;
            }
            None if inbox_changed => {
                self.set_wake_at.execute(params![exec, wake_at, to_sql(last_control)])?;
            }
            None => {}
        }
        if is_ended && last_event > 0 {
            self.end(key, exec, advance)?;
        }
        if let Some(keep) = advance.keep_history {
            let keep = i64::try_from(keep.max(1)).unwrap_or(i64::MAX);
            self.trim_history.execute([exec, keep])?;
        }
        Ok(())
    }

    fn replace(
        &mut self,
        exec: i64,
        row: &ExecutionRow,
        wake_at: Option<i64>,
        last_control: u64,
    ) -> rusqlite::Result<()> {
        let ExecutionRow { head, state, parked, failing, error, attributes, sealed } = row;
        self.replace.execute(params![
            exec,
            state,
            head.status.name(),
            to_sql(head.visit),
            head.entered_at.as_millis(),
            head.record_wake_at.map(Timestamp::as_millis),
            wake_at,
            to_sql(head.inbox_seen),
            parked,
            sealed.checksum,
            sealed.body,
            to_sql(last_control),
            failing,
            error.as_ref().map(|error| &error.text),
            error.as_ref().map(|error| error.kind),
            !attributes.is_empty(),
        ])?;
        Ok(())
    }

    fn add_attributes(
        &mut self,
        exec: i64,
        key: &ExecutionKey,
        attributes: &[(String, String)],
    ) -> rusqlite::Result<()> {
        for (name, value) in attributes {
            self.put_attribute.execute(params![exec, name, value, &*key.workflow, key.id.as_str()])?;
        }
        Ok(())
    }

    /// Clears the inbox of an execution that has come to its end, and notes what was left in it.
    fn end(&mut self, key: &ExecutionKey, exec: i64, advance: &SealedAdvance) -> rusqlite::Result<()> {
        let Some(ExecutionRow { head, .. }) = &advance.row else { return Ok(()) };
        let events = self.inbox.query_map([exec], |row| event_of(key, row.get(0)?, row.get_ref(1)?))?;
        let left = events.collect::<rusqlite::Result<Vec<_>>>()?;
        let left = left.into_iter().map(|event| seal_row(RecordKind::History, key, &event_left(head, event)));
        let left = left.collect::<rusqlite::Result<Vec<_>>>()?;
        self.add_history(exec, &left)?;
        self.drop_inbox.execute([exec])?;
        Ok(())
    }

    fn last_pending(&mut self, exec: i64) -> rusqlite::Result<u64> {
        let last: Option<i64> = self.last_pending.query_row([exec], |row| row.get(0))?;
        Ok(last.map_or(0, from_sql))
    }

    fn add_history(&mut self, exec: i64, rows: &[Sealed]) -> rusqlite::Result<()> {
        for Sealed { body, checksum } in rows {
            self.add_history.execute(params![exec, checksum, body])?;
        }
        Ok(())
    }
}

/// The status in a column; one that is damaged counts as parked, in which nothing happens by itself.
pub(super) fn status(column: ValueRef<'_>) -> Status {
    column.as_str().ok().and_then(Status::from_name).unwrap_or(Status::Parked)
}

/// An event that is only to be named: a damaged one is, too.
fn event_of(key: &ExecutionKey, checksum: i64, body: ValueRef<'_>) -> rusqlite::Result<NewEvent> {
    let sealed = u32::try_from(checksum).ok().zip(body.as_str().ok());
    let record: Option<EventRecord> =
        sealed.and_then(|(checksum, body)| open(RecordKind::Event, key, body, checksum).ok());
    match record {
        Some(record) => Ok(record.event),
        None => Ok(NewEvent {
            event_id: UNREADABLE.to_owned(),
            name: UNREADABLE.into(),
            payload: Json::encode(&()).map_err(unwritable)?,
            sent_at: Timestamp::EPOCH,
        }),
    }
}

fn seal_row<T: Serialize>(kind: RecordKind, key: &ExecutionKey, record: &T) -> rusqlite::Result<Sealed> {
    seal(kind, key, record).map_err(unwritable)
}

fn unwritable(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}
