//! The thread that writes: everything that waits goes into one transaction, with one sync (group commit).
//!
//! It never waits for a group to fill. While it writes and syncs one group, the next gathers in the queue.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use futures_channel::oneshot;
use rusqlite::{Connection, ErrorCode};

use super::apply::Statements;
use super::error::failed;
use super::health::Health;
use super::write::Write;
use crate::store::{Committed, Epoch, Refused, StoreError};

/// Commits after which a group takes no more calls in, so that the first of it need not wait for ever.
const GROUP_LIMIT: usize = 8_192;

/// What became of each commit of a call.
pub(super) type Outcomes = Vec<Result<Committed, Refused>>;

/// The way back to a caller. The answer is dropped if the caller does not wait for it any more.
pub(super) type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

pub(super) enum WriteCall {
    Acquire(Answer<Epoch>),
    Commit(Vec<Write>, Answer<Outcomes>),
}

/// A call that was applied, whose answer waits for the group to be on disk.
enum Applied {
    Acquire(Answer<Epoch>, Epoch),
    Commit(Answer<Outcomes>, Outcomes),
}

impl WriteCall {
    fn refuse(self, error: StoreError) {
        match self {
            Self::Acquire(answer) => drop(answer.send(Err(error))),
            Self::Commit(_, answer) => drop(answer.send(Err(error))),
        }
    }
}

impl Applied {
    fn answer(self, written: &Result<(), StoreError>) {
        match self {
            Self::Acquire(answer, epoch) => drop(answer.send(written.clone().map(|()| epoch))),
            Self::Commit(answer, outcomes) => drop(answer.send(written.clone().map(|()| outcomes))),
        }
    }
}

/// Writes until the store is dropped and the queue is empty.
pub(super) fn run(connection: Connection, queue: &Receiver<WriteCall>, health: &Arc<Health>) {
    match Statements::prepare(&connection) {
        Ok(mut statements) => write_groups(&connection, &mut statements, queue, health),
        Err(error) => health.poison(&failed(error)),
    }
    // Closing the last connection moves the log into the file; if that fails, the log is kept and nothing is lost.
    drop(connection);
}

fn write_groups(
    connection: &Connection,
    statements: &mut Statements<'_>,
    queue: &Receiver<WriteCall>,
    health: &Arc<Health>,
) {
    let mut group = Vec::new();
    while let Ok(first) = queue.recv() {
        if let Err(error) = health.check() {
            first.refuse(error);
            continue;
        }
        let epoch = match statements.begin() {
            Ok(epoch) => epoch,
            Err(error) => {
                // If another program is writing to the file, nothing has happened, and the call may be made again.
                let is_busy = error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
                let error = failed(error);
                if !is_busy {
                    health.poison(&error);
                }
                roll_back(connection);
                // Those who wait have waited as long as the first: each of them trying again would take that long anew.
                let waiting: Vec<_> = queue.try_iter().collect();
                for call in std::iter::once(first).chain(waiting) {
                    call.refuse(error.clone());
                }
                continue;
            }
        };
        let written = write_group(statements, epoch, first, queue, &mut group).map_err(failed);
        if let Err(error) = &written {
            health.poison(error);
            roll_back(connection);
        }
        for applied in group.drain(..) {
            applied.answer(&written);
        }
    }
}

fn write_group(
    statements: &mut Statements<'_>,
    mut epoch: Epoch,
    first: WriteCall,
    queue: &Receiver<WriteCall>,
    group: &mut Vec<Applied>,
) -> rusqlite::Result<()> {
    let mut commits = 0;
    let mut next = Some(first);
    while let Some(call) = next {
        match call {
            WriteCall::Acquire(answer) => {
                let acquired = statements.acquire(epoch);
                epoch = *acquired.as_ref().unwrap_or(&epoch);
                group.push(Applied::Acquire(answer, epoch));
                acquired?;
            }
            WriteCall::Commit(writes, answer) => {
                commits += writes.len();
                let mut outcomes = Vec::with_capacity(writes.len());
                let applied = apply_all(statements, writes, epoch, &mut outcomes);
                group.push(Applied::Commit(answer, outcomes));
                applied?;
            }
        }
        // What has come in meanwhile joins the group.
        next = if commits < GROUP_LIMIT { queue.try_recv().ok() } else { None };
    }
    statements.commit()
}

fn apply_all(
    statements: &mut Statements<'_>,
    writes: Vec<Write>,
    epoch: Epoch,
    outcomes: &mut Outcomes,
) -> rusqlite::Result<()> {
    for write in writes {
        outcomes.push(statements.apply(write, epoch)?);
    }
    Ok(())
}

fn roll_back(connection: &Connection) {
    if !connection.is_autocommit() {
        // If this fails too, closing the connection rolls back.
        let _ = connection.execute_batch("ROLLBACK");
    }
}
