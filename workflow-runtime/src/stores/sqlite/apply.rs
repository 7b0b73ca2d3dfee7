//! Applying one commit inside the transaction of its group.
//!
//! Whether a commit is refused is known before its first write, so a refusal leaves nothing to take back, and an error
//! of SQLite concerns the whole group.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use super::cache::{Cache, Found, HistoryEnds};
use super::schema::{from_sql, to_sql, version_from_sql};
use super::statements::Statements;
use super::write::{ExecutionRow, SealedAdvance, Write, WriteKind};
use crate::base::{Quick, Timestamp};
use crate::record::{EventRecord, ExecutionKey, Json, NewEvent, RecordKind, Sealed, Status, UndoPlace, open, seal};
use crate::store::{Committed, Epoch, Refused};
use crate::stores::rules::{Head, Pending, event_left};

/// What stands for the name of an event that cannot be read.
const UNREADABLE: &str = "(unreadable)";

/// What is known of the file from earlier groups.
#[derive(Default)]
pub(super) struct Known {
    cache: Cache,
    workflows: HashMap<Arc<str>, i64, Quick>,
    /// The epoch that may write, and SQLite's number for the state of the file that it was read from.
    seen: Option<(i64, Epoch)>,
    /// Executions of the group that had to be looked up.
    lookups: u64,
}

impl Known {
    /// Forgets what was read: the file has changed, or what was written has been taken back.
    pub(super) fn forget(&mut self) {
        self.cache.clear();
        self.workflows.clear();
        self.seen = None;
    }
}

/// What applies the commits of a group.
pub(super) struct Applier<'group> {
    statements: Statements<'group>,
    known: &'group mut Known,
}

impl<'group> Applier<'group> {
    pub(super) fn new(connection: &'group Connection, known: &'group mut Known) -> Self {
        Self { statements: Statements::of(connection), known }
    }

    /// Begins a transaction; the answer is the epoch that may write. It is that of the file as it is now, so that even a
    /// process that got past the lock file is fenced.
    pub(super) fn begin(&mut self) -> rusqlite::Result<Epoch> {
        self.known.lookups = 0;
        self.statements.begin.execute([])?;
        let version = self.statements.data_version.query_row([], |row| row.get(0))?;
        if let Some((_, epoch)) = self.known.seen.filter(|(seen, _)| *seen == version) {
            return Ok(epoch);
        }
        // Somebody else has written to the file, such as a person with an SQLite shell.
        self.known.forget();
        let epoch = self.statements.get_epoch.query_row([], |row| Ok(Epoch(from_sql(row.get(0)?))))?;
        self.known.seen = Some((version, epoch));
        Ok(epoch)
    }

    /// Ends the transaction; the answer is how often an execution had to be looked up.
    pub(super) fn commit(&mut self) -> rusqlite::Result<u64> {
        self.statements.commit.execute([])?;
        Ok(self.known.lookups)
    }

    /// How many pages the log has.
    pub(super) fn log_length(&mut self) -> rusqlite::Result<i64> {
        self.statements.log_length.query_row([], |row| row.get(1))
    }

    /// Moves the log into the file, as much of it as nobody is reading.
    pub(super) fn checkpoint(&mut self) -> rusqlite::Result<()> {
        self.statements.checkpoint.query_row([], |_| Ok(()))
    }

    pub(super) fn acquire(&mut self, Epoch(last): Epoch) -> rusqlite::Result<Epoch> {
        let epoch = last.wrapping_add(1);
        self.statements.set_epoch.execute([to_sql(epoch)])?;
        self.known.seen = self.known.seen.map(|(version, _)| (version, Epoch(epoch)));
        Ok(Epoch(epoch))
    }

    pub(super) fn apply(&mut self, write: Write, epoch: Epoch) -> rusqlite::Result<Result<Committed, Refused>> {
        let Write { key, kind } = write;
        let kind = match kind {
            WriteKind::Create { row, history } => return Ok(Ok(self.create(key, *row, &history)?)),
            kind => kind,
        };
        let known = match self.known.cache.take(&key) {
            None => self.find(&key)?.map(|found| (key, Box::new(found))),
            known => known,
        };
        let Some((key, mut found)) = known else { return Ok(Err(Refused::Unknown)) };
        let outcome = self.change(&key, &mut found, kind, epoch)?;
        self.known.cache.put(key, found);
        Ok(outcome)
    }

    fn change(
        &mut self,
        key: &ExecutionKey,
        found: &mut Found,
        kind: WriteKind,
        epoch: Epoch,
    ) -> rusqlite::Result<Result<Committed, Refused>> {
        let admitted = match &kind {
            WriteKind::Advance { fence, .. } => found.head.admit_advance(*fence, epoch),
            _ => found.head.admit_unless_ended(),
        };
        if let Err(refused) = admitted {
            return match kind {
                // A repetition of what was accepted is no news, also when nothing new is.
                WriteKind::Deliver { event }
                    if self.statements.find_event_id.exists(params![found.exec, event.event_id])? =>
                {
                    Ok(Ok(Committed::Existed))
                }
                _ => Ok(Err(refused)),
            };
        }
        match kind {
            WriteKind::Create { .. } => Ok(Ok(Committed::Existed)),
            WriteKind::Deliver { event } => Ok(Ok(self.deliver(key, found, event)?)),
            WriteKind::Advance { advance, .. } => {
                self.advance(key, found, advance)?;
                Ok(Ok(Committed::Applied))
            }
            WriteKind::Quarantine { parked, error } => {
                let parameters = params![found.exec, Status::Parked.name(), parked, error.text, error.kind];
                self.statements.quarantine.execute(parameters)?;
                found.head.status = Status::Parked;
                found.last_control = 0;
                Ok(Ok(Committed::Applied))
            }
        }
    }

    fn find(&mut self, key: &ExecutionKey) -> rusqlite::Result<Option<Found>> {
        self.known.lookups += 1;
        let Some(workflow) = self.find_workflow(&key.workflow)? else { return Ok(None) };
        let found = self.statements.find.query_row(params![workflow, key.id.as_str()], |row| {
            let time = |millis: Option<i64>| millis.map(Timestamp::from_millis);
            Ok(Found {
                exec: row.get(0)?,
                head: Head {
                    version: version_from_sql(row.get(9)?),
                    visit: from_sql(row.get(1)?),
                    status: status(row.get_ref(2)?),
                    entered_at: Timestamp::from_millis(row.get(3)?),
                    record_wake_at: time(row.get(4)?),
                    inbox_seen: from_sql(row.get(5)?),
                },
                last_event: from_sql(row.get(6)?),
                last_control: from_sql(row.get(7)?),
                has_attributes: row.get(8)?,
                has_journal: true,
                is_inbox_known: false,
                history: None,
            })
        });
        found.optional()
    }

    /// The number of a workflow, if it has had an execution.
    fn find_workflow(&mut self, name: &Arc<str>) -> rusqlite::Result<Option<i64>> {
        if let Some(workflow) = self.known.workflows.get(name) {
            return Ok(Some(*workflow));
        }
        let found: Option<i64> = self.statements.find_workflow.query_row([&**name], |row| row.get(0)).optional()?;
        if let Some(workflow) = found {
            self.known.workflows.insert(Arc::clone(name), workflow);
        }
        Ok(found)
    }

    fn create(&mut self, key: ExecutionKey, row: ExecutionRow, history: &[Sealed]) -> rusqlite::Result<Committed> {
        let ExecutionRow { head, state, parked, failing, error, attributes, sealed } = row;
        let workflow = match self.find_workflow(&key.workflow)? {
            Some(workflow) => workflow,
            None => {
                let workflow = self.statements.add_workflow.insert([&*key.workflow])?;
                self.known.workflows.insert(Arc::clone(&key.workflow), workflow);
                workflow
            }
        };
        let created = self.statements.create.insert(params![
            workflow,
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
            head.version,
        ]);
        let exec = match created {
            Ok(exec) => exec,
            Err(rusqlite::Error::StatementChangedRows(0)) => return Ok(Committed::Existed),
            Err(error) => return Err(error),
        };
        let mut found = Found {
            exec,
            head,
            last_event: 0,
            last_control: 0,
            has_attributes: !attributes.is_empty(),
            has_journal: false,
            is_inbox_known: true,
            history: Some(HistoryEnds::default()),
        };
        self.add_attributes(exec, &key, &attributes)?;
        self.add_history(&mut found, history)?;
        self.known.cache.put(key, Box::new(found));
        Ok(Committed::Applied)
    }

    fn deliver(&mut self, key: &ExecutionKey, found: &mut Found, event: NewEvent) -> rusqlite::Result<Committed> {
        let exec = found.exec;
        if self.statements.put_event_id.execute(params![exec, event.event_id])? == 0 {
            return Ok(Committed::Existed);
        }
        // The inbox is asked too, so that a damaged number can not make two events collide.
        if !found.is_inbox_known {
            found.last_event = found.last_event.max(self.last_pending(exec)?);
            found.is_inbox_known = true;
        }
        let seq = found.last_event.wrapping_add(1);
        found.last_event = seq;
        if event.control().is_some() {
            found.last_control = seq;
        }
        let Sealed { body, checksum } = seal_row(RecordKind::Event, key, &EventRecord { seq, event })?;
        self.statements.put_event.execute(params![exec, to_sql(seq), checksum, body])?;
        let pending = Pending { last: seq, last_control: found.last_control };
        let wake_at = found.head.wake_at(pending).map(Timestamp::as_millis);
        self.statements.set_last_event.execute(params![exec, to_sql(seq), wake_at, to_sql(found.last_control)])?;
        Ok(Committed::Applied)
    }

    fn advance(&mut self, key: &ExecutionKey, found: &mut Found, advance: SealedAdvance) -> rusqlite::Result<()> {
        let exec = found.exec;
        let is_ended = advance.row.as_ref().is_some_and(|row| row.is_ended());
        if (advance.drop_journal || is_ended) && found.has_journal {
            self.statements.drop_journal.execute([exec])?;
            found.has_journal = false;
        }
        if !is_ended {
            for forgotten in &advance.forget {
                self.statements.forget_journal.execute(params![exec, forgotten])?;
            }
            for (entry, Sealed { body, checksum }) in &advance.journal {
                self.statements.put_journal.execute(params![exec, entry, checksum, body])?;
                found.has_journal = true;
            }
        }
        // Nothing is done here for an execution that has nothing to undo.
        if advance.drop_undo {
            self.statements.drop_undo.execute([exec])?;
        }
        for UndoPlace { visit, order } in &advance.forget_undo {
            self.statements.forget_undo.execute(params![exec, to_sql(*visit), to_sql(*order)])?;
        }
        for (UndoPlace { visit, order }, Sealed { body, checksum }) in &advance.undo {
            self.statements.put_undo.execute(params![exec, to_sql(*visit), to_sql(*order), checksum, body])?;
        }
        // What was not there is not counted, so that it is still missed.
        let mut consumed = 0;
        for seq in &advance.consumed {
            consumed += i64::from(self.statements.consume_event.execute(params![exec, to_sql(*seq)])? > 0);
        }
        if advance.consumed.contains(&found.last_control) {
            found.last_control = 0;
        }
        self.add_history(found, &advance.history)?;
        for (event_id, Sealed { body, checksum }) in &advance.replies {
            self.statements.add_reply.execute(params![exec, event_id, checksum, body])?;
        }
        match advance.row {
            Some(row) => self.replace(key, found, *row, consumed)?,
            None if !advance.consumed.is_empty() => {
                let wake_at = self.wake_at(found, &found.head)?;
                self.statements.set_wake_at.execute(params![exec, wake_at, to_sql(found.last_control), consumed])?;
            }
            None => {}
        }
        if is_ended && found.last_event > 0 {
            self.end(key, found)?;
        }
        if let Some(keep) = advance.keep_history {
            self.trim_history(found, keep)?;
        }
        Ok(())
    }

    /// When `found` is due once `head` is its head.
    fn wake_at(&mut self, found: &Found, head: &Head) -> rusqlite::Result<Option<i64>> {
        let last = match found.last_event > head.inbox_seen {
            true => self.last_pending(found.exec)?,
            false => 0,
        };
        Ok(head.wake_at(Pending { last, last_control: found.last_control }).map(Timestamp::as_millis))
    }

    fn replace(
        &mut self,
        key: &ExecutionKey,
        found: &mut Found,
        row: ExecutionRow,
        consumed: i64,
    ) -> rusqlite::Result<()> {
        let ExecutionRow { head, state, parked, failing, error, attributes, sealed } = row;
        let wake_at = self.wake_at(found, &head)?;
        self.statements.replace.execute(params![
            found.exec,
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
            to_sql(found.last_control),
            failing,
            error.as_ref().map(|error| &error.text),
            error.as_ref().map(|error| error.kind),
            !attributes.is_empty(),
            head.version,
            consumed,
        ])?;
        found.head = head;
        if found.has_attributes {
            self.statements.drop_attributes.execute([found.exec])?;
        }
        found.has_attributes = !attributes.is_empty();
        self.add_attributes(found.exec, key, &attributes)
    }

    fn add_attributes(
        &mut self,
        exec: i64,
        key: &ExecutionKey,
        attributes: &[(String, String)],
    ) -> rusqlite::Result<()> {
        for (name, value) in attributes {
            self.statements.put_attribute.execute(params![exec, name, value, &*key.workflow, key.id.as_str()])?;
        }
        Ok(())
    }

    /// Clears the inbox of an execution that has come to its end, and notes what was left in it.
    fn end(&mut self, key: &ExecutionKey, found: &mut Found) -> rusqlite::Result<()> {
        let events =
            self.statements.inbox.query_map([found.exec], |row| event_of(key, row.get(0)?, row.get_ref(1)?))?;
        let left = events.collect::<rusqlite::Result<Vec<_>>>()?;
        let head = &found.head;
        let left = left.into_iter().map(|event| seal_row(RecordKind::History, key, &event_left(head, event)));
        let left = left.collect::<rusqlite::Result<Vec<_>>>()?;
        self.add_history(found, &left)?;
        self.statements.drop_inbox.execute([found.exec])?;
        Ok(())
    }

    fn last_pending(&mut self, exec: i64) -> rusqlite::Result<u64> {
        let last: Option<i64> = self.statements.last_pending.query_row([exec], |row| row.get(0))?;
        Ok(last.map_or(0, from_sql))
    }

    fn add_history(&mut self, found: &mut Found, rows: &[Sealed]) -> rusqlite::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut ends = self.history_ends(found)?;
        for Sealed { body, checksum } in rows {
            ends.last += 1;
            self.statements.add_history.execute(params![found.exec, ends.last, checksum, body])?;
        }
        found.history = Some(ends);
        Ok(())
    }

    fn trim_history(&mut self, found: &mut Found, keep: u64) -> rusqlite::Result<()> {
        let ends = self.history_ends(found)?;
        let dropped = ends.last.saturating_sub(i64::try_from(keep.max(1)).unwrap_or(i64::MAX));
        if dropped > ends.dropped {
            self.statements.trim_history.execute([found.exec, dropped])?;
            found.history = Some(HistoryEnds { dropped, ..ends });
        }
        Ok(())
    }

    fn history_ends(&mut self, found: &mut Found) -> rusqlite::Result<HistoryEnds> {
        if let Some(ends) = found.history {
            return Ok(ends);
        }
        let last: Option<i64> = self.statements.last_history.query_row([found.exec], |row| row.get(0))?;
        let ends = HistoryEnds { dropped: 0, last: last.unwrap_or_default() };
        found.history = Some(ends);
        Ok(ends)
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
