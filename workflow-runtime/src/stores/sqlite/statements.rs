//! The statements of what writes.

use std::convert::Infallible;

use rusqlite::{CachedStatement, Connection, MappedRows, Params, Row};

/// A statement, fetched when it is first used: it is prepared once a connection, and what is never used not at all.
pub(super) struct Statement<'connection> {
    connection: &'connection Connection,
    sql: &'static str,
    prepared: Option<CachedStatement<'connection>>,
}

impl<'connection> Statement<'connection> {
    pub(super) fn prepared(&mut self) -> rusqlite::Result<&mut CachedStatement<'connection>> {
        match &mut self.prepared {
            Some(prepared) => Ok(prepared),
            prepared @ None => Ok(prepared.insert(self.connection.prepare_cached(self.sql)?)),
        }
    }

    pub(super) fn execute(&mut self, parameters: impl Params) -> rusqlite::Result<usize> {
        self.prepared()?.execute(parameters)
    }

    pub(super) fn insert(&mut self, parameters: impl Params) -> rusqlite::Result<i64> {
        self.prepared()?.insert(parameters)
    }

    pub(super) fn exists(&mut self, parameters: impl Params) -> rusqlite::Result<bool> {
        self.prepared()?.exists(parameters)
    }

    pub(super) fn query_row<T>(
        &mut self,
        parameters: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.prepared()?.query_row(parameters, read)
    }

    pub(super) fn query_map<T, F: FnMut(&Row<'_>) -> rusqlite::Result<T>>(
        &mut self,
        parameters: impl Params,
        read: F,
    ) -> rusqlite::Result<MappedRows<'_, F>> {
        self.prepared()?.query_map(parameters, read)
    }
}

/// The statements of what writes. They stay prepared in the connection's cache when this is dropped.
pub(super) struct Statements<'connection> {
    pub(super) begin: Statement<'connection>,
    pub(super) commit: Statement<'connection>,
    pub(super) get_epoch: Statement<'connection>,
    pub(super) set_epoch: Statement<'connection>,
    pub(super) data_version: Statement<'connection>,
    pub(super) log_length: Statement<'connection>,
    pub(super) checkpoint: Statement<'connection>,
    pub(super) last_history: Statement<'connection>,
    pub(super) find_workflow: Statement<'connection>,
    pub(super) add_workflow: Statement<'connection>,
    pub(super) find: Statement<'connection>,
    pub(super) create: Statement<'connection>,
    pub(super) replace: Statement<'connection>,
    pub(super) set_wake_at: Statement<'connection>,
    pub(super) set_last_event: Statement<'connection>,
    pub(super) quarantine: Statement<'connection>,
    pub(super) put_journal: Statement<'connection>,
    pub(super) forget_journal: Statement<'connection>,
    pub(super) drop_journal: Statement<'connection>,
    pub(super) put_undo: Statement<'connection>,
    pub(super) forget_undo: Statement<'connection>,
    pub(super) drop_undo: Statement<'connection>,
    pub(super) put_event: Statement<'connection>,
    pub(super) put_event_id: Statement<'connection>,
    pub(super) consume_event: Statement<'connection>,
    pub(super) last_pending: Statement<'connection>,
    pub(super) inbox: Statement<'connection>,
    pub(super) drop_inbox: Statement<'connection>,
    pub(super) find_event_id: Statement<'connection>,
    pub(super) add_history: Statement<'connection>,
    pub(super) trim_history: Statement<'connection>,
    pub(super) add_reply: Statement<'connection>,
    pub(super) drop_attributes: Statement<'connection>,
    pub(super) put_attribute: Statement<'connection>,
}

impl<'connection> Statements<'connection> {
    pub(super) fn of(connection: &'connection Connection) -> Self {
        let Ok(statements) = Self::each(|sql| Ok::<_, Infallible>(Statement { connection, sql, prepared: None }));
        statements
    }

    /// Prepares them all, which fails where the file is not what they are for.
    pub(super) fn prepare(connection: &'connection Connection) -> rusqlite::Result<()> {
        let prepare = |sql| Ok(Statement { connection, sql, prepared: Some(connection.prepare_cached(sql)?) });
        Self::each(prepare).map(drop)
    }

    fn each<E>(prepare: impl Fn(&'static str) -> Result<Statement<'connection>, E>) -> Result<Self, E> {
        Ok(Self {
            begin: prepare("BEGIN IMMEDIATE")?,
            commit: prepare("COMMIT")?,
            get_epoch: prepare("SELECT epoch FROM meta")?,
            set_epoch: prepare("UPDATE meta SET epoch = ?1")?,
            // It changes when another connection has written to the file, and with nothing else.
            data_version: prepare("PRAGMA data_version")?,
            log_length: prepare("PRAGMA wal_checkpoint(NOOP)")?,
            checkpoint: prepare("PRAGMA wal_checkpoint(PASSIVE)")?,
            find_workflow: prepare("SELECT workflow FROM workflows WHERE name = ?1")?,
            add_workflow: prepare("INSERT INTO workflows (name) VALUES (?1)")?,
            find: prepare(
                "SELECT exec, visit, status, entered_at, record_wake_at, inbox_seen, last_event,
                     last_control, has_attributes, version
                 FROM executions WHERE workflow = ?1 AND id = ?2",
            )?,
            create: prepare(
                "INSERT INTO executions (workflow, id, state, status, visit, entered_at, record_wake_at, wake_at,
                     inbox_seen, last_event, pending, last_control, parked, checksum, body, failing, error, error_kind,
                     has_attributes, version)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, 0, 0, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
                 ON CONFLICT DO NOTHING",
            )?,
            replace: prepare(
                "UPDATE executions SET state = ?2, status = ?3, visit = ?4, entered_at = ?5, record_wake_at = ?6,
                     wake_at = ?7, inbox_seen = ?8, parked = ?9, checksum = ?10, body = ?11,
                     last_control = ?12, failing = ?13, error = ?14, error_kind = ?15, has_attributes = ?16, version = ?17,
                     pending = max(pending, 0) - ?18
                 WHERE exec = ?1",
            )?,
            // No inbox is as long as that: a number past it is damaged, stays wrong, and is not to overflow.
            set_wake_at: prepare(
                "UPDATE executions SET wake_at = ?2, last_control = ?3, pending = max(pending, 0) - ?4 WHERE exec = ?1",
            )?,
            set_last_event: prepare(
                "UPDATE executions SET last_event = ?2, wake_at = ?3, last_control = ?4, pending = min(pending, 1 << 62) + 1
                 WHERE exec = ?1",
            )?,
            quarantine: prepare(
                "UPDATE executions SET status = ?2, wake_at = NULL, last_control = 0, parked = ?3, error = ?4,
                     error_kind = ?5
                 WHERE exec = ?1",
            )?,
            put_journal: prepare("INSERT OR REPLACE INTO journal (exec, key, checksum, body) VALUES (?1, ?2, ?3, ?4)")?,
            forget_journal: prepare("DELETE FROM journal WHERE exec = ?1 AND key = ?2")?,
            drop_journal: prepare("DELETE FROM journal WHERE exec = ?1")?,
            put_undo: prepare(
                "INSERT OR REPLACE INTO undo (exec, visit, place, checksum, body) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?,
            forget_undo: prepare("DELETE FROM undo WHERE exec = ?1 AND visit = ?2 AND place = ?3")?,
            drop_undo: prepare("DELETE FROM undo WHERE exec = ?1")?,
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
            // No history is as long as that: a place past it is damaged, and what comes after the last is still to have one.
            last_history: prepare("SELECT MAX(seq) FROM history WHERE exec = ?1 AND seq < 1 << 62")?,
            add_history: prepare("INSERT INTO history (exec, seq, checksum, body) VALUES (?1, ?2, ?3, ?4)")?,
            // Both ends of what is dropped are found by the key, so it costs what it drops.
            trim_history: prepare("DELETE FROM history WHERE exec = ?1 AND seq <= ?2")?,
            drop_attributes: prepare("DELETE FROM attributes WHERE exec = ?1")?,
            put_attribute: prepare(
                "INSERT OR REPLACE INTO attributes (exec, name, value, workflow, id) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?,
        })
    }
}
