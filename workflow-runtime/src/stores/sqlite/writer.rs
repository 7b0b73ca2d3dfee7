//! The thread that writes: everything that waits goes into one transaction, with one sync (group commit).
//!
//! It never waits for a group to fill. While it writes and syncs one group, the next gathers in the queue.

use std::sync::mpsc::Receiver;

use futures_channel::oneshot;
use rusqlite::{Connection, ErrorCode};

use super::apply::Applier;
use super::error::failed;
use super::health::Health;
use super::pace::Pace;
use super::stats::Counters;
use super::write::Write;
use crate::store::{Committed, Epoch, Refused, StoreError};

/// Commits after which a group takes no more calls in, so that the first of it need not wait for ever.
const GROUP_LIMIT: usize = 8_192;

/// Calls of a group after which the writer gives way once before it writes the next one: what is written for a group takes
/// longer than its commits, and many calls that come soon are cheaper in one than in two. If nobody else can run, nothing is
/// waited for.
const MANY: usize = 8;

/// Pages of the log, of 4 KiB, after which it is moved into the file: large enough that its two syncs are rare.
const CHECKPOINT_PAGES: i64 = 1_000;

/// Pages that may have come to the log, after which its length is looked at.
const LOOK_AFTER: usize = 400;

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

/// What a group came to.
struct Written {
    commits: usize,
    weight: usize,
    lookups: u64,
}

/// How the log is kept from growing.
#[derive(Default)]
struct Log {
    /// How many pages may have come to it since its length was looked at.
    weight: usize,
}

impl Log {
    /// Moves the log into the file once it is long. To look at its length is a statement, so it is not done each time.
    fn tidy(&mut self, applier: &mut Applier<'_>, weight: usize, counters: &Counters) {
        self.weight += weight + 1;
        if self.weight < LOOK_AFTER {
            return;
        }
        self.weight = 0;
        // If it cannot be moved, everything is in the log all the same, and the next time comes.
        if applier.log_length().is_ok_and(|pages| pages >= CHECKPOINT_PAGES) && applier.checkpoint().is_ok() {
            counters.count_checkpoint();
        }
    }
}

/// Writes until the store is dropped and the queue is empty.
pub(super) fn run(connection: Connection, queue: &Receiver<WriteCall>, health: &Health, counters: &Counters) {
    match Applier::new(&connection) {
        Ok(mut applier) => write_groups(&connection, &mut applier, queue, health, counters),
        Err(error) => health.poison(&failed(error)),
    }
    // Closing the last connection moves the log into the file; if that fails, the log is kept and nothing is lost.
    drop(connection);
}

fn write_groups(
    connection: &Connection,
    applier: &mut Applier<'_>,
    queue: &Receiver<WriteCall>,
    health: &Health,
    counters: &Counters,
) {
    let mut group = Vec::new();
    let mut log = Log::default();
    let mut pace = Pace::default();
    // How many calls the last group was of.
    let mut calls = 0;
    while let Ok(first) = queue.recv() {
        if let Err(error) = health.check() {
            first.refuse(error);
            continue;
        }
        let epoch = match applier.begin() {
            Ok(epoch) => epoch,
            Err(error) => {
                // If another program is writing to the file, nothing has happened, and the call may be made again.
                let is_busy = error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
                let error = failed(error);
                if !is_busy {
                    health.poison(&error);
                }
                roll_back(connection);
                applier.forget();
                // Those who wait have waited as long as the first: each of them trying again would take that long anew.
                let waiting: Vec<_> = queue.try_iter().collect();
                for call in std::iter::once(first).chain(waiting) {
                    call.refuse(error.clone());
                }
                continue;
            }
        };
        let written = write_group(applier, epoch, first, queue, (&mut pace, calls >= MANY), &mut group).map_err(failed);
        match &written {
            Ok(written) => counters.count_group(written.commits, written.lookups),
            Err(error) => {
                health.poison(error);
                roll_back(connection);
                applier.forget();
            }
        }
        calls = group.len();
        let answer = written.as_ref().map(|_| ()).map_err(Clone::clone);
        for applied in group.drain(..) {
            applied.answer(&answer);
        }
        if let Ok(written) = written {
            // After the answers, so that nobody of the group waits for it.
            log.tidy(applier, written.weight, counters);
        }
    }
}

fn write_group(
    applier: &mut Applier<'_>,
    mut epoch: Epoch,
    first: WriteCall,
    queue: &Receiver<WriteCall>,
    (pace, mut are_many): (&mut Pace, bool),
    group: &mut Vec<Applied>,
) -> rusqlite::Result<Written> {
    let (mut commits, mut weight) = (0, 0);
    let mut next = Some(first);
    while let Some(call) = next {
        match call {
            WriteCall::Acquire(answer) => {
                let acquired = applier.acquire(epoch);
                epoch = *acquired.as_ref().unwrap_or(&epoch);
                group.push(Applied::Acquire(answer, epoch));
                acquired?;
            }
            WriteCall::Commit(writes, answer) => {
                commits += writes.len();
                weight += writes.iter().map(Write::weight).sum::<usize>();
                let mut outcomes = Vec::with_capacity(writes.len());
                let applied = apply_all(applier, writes, epoch, &mut outcomes);
                group.push(Applied::Commit(answer, outcomes));
                applied?;
            }
        }
        // What has come in meanwhile joins the group.
        next = if commits < GROUP_LIMIT { queue.try_recv().ok() } else { None };
        if next.is_none() && std::mem::take(&mut are_many) && commits < GROUP_LIMIT {
            // Those of the last group who have only to be let on the processor come into this one, too.
            pace.give_way();
            next = queue.try_recv().ok();
        }
    }
    let lookups = applier.commit()?;
    Ok(Written { commits, weight, lookups })
}

fn apply_all(
    applier: &mut Applier<'_>,
    writes: Vec<Write>,
    epoch: Epoch,
    outcomes: &mut Outcomes,
) -> rusqlite::Result<()> {
    for write in writes {
        outcomes.push(applier.apply(write, epoch)?);
    }
    Ok(())
}

fn roll_back(connection: &Connection) {
    if !connection.is_autocommit() {
        // If this fails too, closing the connection rolls back.
        let _ = connection.execute_batch("ROLLBACK");
    }
}
