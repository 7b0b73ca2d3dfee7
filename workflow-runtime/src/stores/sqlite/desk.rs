//! Where is written: everything of a group of calls in one transaction, with one sync (group commit).
//!
//! Whoever has the desk writes: mostly the thread that is there for it, and the caller himself where that is
//! [shorter](super::shortcut).

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_channel::oneshot;
use rusqlite::{Connection, ErrorCode};

use super::apply::{Applier, Known};
use super::error::failed;
use super::gate::Gate;
use super::health::Health;
use super::open::BUSY_TIMEOUT;
use super::stats::Counters;
use super::write::Write;
use crate::store::{Committed, Epoch, Refused, StoreError};

/// Commits after which a group takes no more calls in, so that the first of it need not wait for ever.
const GROUP_LIMIT: usize = 8_192;

/// Pages of the log, of 4 KiB, after which it is moved into the file: large enough that its two syncs are rare.
const CHECKPOINT_PAGES: i64 = 1_000;

/// Pages of the log from which on searches wait until it is begun anew.
const LONG_PAGES: i64 = 4 * CHECKPOINT_PAGES;

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
    pub(super) fn refuse(self, error: StoreError) {
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

/// A call whose group could not be begun: nothing has happened, and the call may be made again.
pub(super) struct NotBegun {
    pub(super) call: WriteCall,
    pub(super) error: StoreError,
    /// Whether another program is writing to the file.
    pub(super) is_busy: bool,
}

/// What is written with, and what is known from earlier.
pub(super) struct Desk {
    // Closing the last connection moves the log into the file; if that fails, the log is kept and nothing is lost.
    connection: Connection,
    known: Known,
    group: Vec<Applied>,
    /// How many pages may have come to the log since its length was looked at.
    weight: usize,
    /// What searches have to pass, who keep the log from being begun anew.
    gate: Arc<Gate>,
}

impl Desk {
    pub(super) fn new(connection: Connection, gate: Arc<Gate>) -> Self {
        Self { connection, known: Known::default(), group: Vec::new(), weight: 0, gate }
    }

    /// Writes a group of `first` and what `next` has, until it has nothing, and answers all of them. It says how many calls
    /// these were, and how long they took until they were answered. If the store is poisoned, `first` is refused.
    ///
    /// If another program is writing to the file, that is waited for; with `in_no_time` it is not.
    pub(super) fn write(
        &mut self,
        first: WriteCall,
        next: impl FnMut() -> Option<WriteCall>,
        in_no_time: bool,
        (health, counters): (&Health, &Counters),
    ) -> Result<(usize, Duration), NotBegun> {
        let begun = Instant::now();
        // Asked while nobody else can write: what came before may just have failed.
        if let Err(error) = health.check() {
            first.refuse(error);
            return Ok((1, begun.elapsed()));
        }
        let Self { connection, known, group, weight, .. } = self;
        let mut applier = Applier::new(connection, known);
        let epoch = match begin(connection, &mut applier, in_no_time) {
            Ok(epoch) => epoch,
            Err(error) => {
                drop(applier);
                let is_busy = error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
                roll_back(connection);
                known.forget();
                return Err(NotBegun { call: first, error: failed(error), is_busy });
            }
        };
        let written = write_group(&mut applier, epoch, first, next, group).map_err(failed);
        drop(applier);
        match &written {
            Ok(written) => {
                counters.count_group(written.commits, written.lookups);
                *weight += written.weight + 1;
            }
            Err(error) => {
                health.poison(error);
                roll_back(connection);
                known.forget();
            }
        }
        let (calls, time) = (group.len(), begun.elapsed());
        let answer = written.map(|_| ());
        for applied in group.drain(..) {
            applied.answer(&answer);
        }
        Ok((calls, time))
    }

    /// Whether the log may have grown long, or searches wait for it.
    pub(super) fn is_untidy(&self) -> bool {
        self.weight >= LOOK_AFTER || self.gate.is_cleared()
    }

    /// Moves the log into the file once it is long. To look at its length is a statement, so it is not done each time.
    pub(super) fn tidy(&mut self, counters: &Counters) {
        if !self.is_untidy() {
            return;
        }
        self.weight = 0;
        let mut applier = Applier::new(&self.connection, &mut self.known);
        // If it cannot be moved, everything is in the log all the same, and the next time comes.
        let pages = applier.log_length().unwrap_or_default();
        if pages >= CHECKPOINT_PAGES && applier.checkpoint().is_ok() {
            counters.count_checkpoint();
        }
        // That all of it is in the file is not enough: whoever reads from it now keeps the next group from beginning it anew.
        match pages {
            LONG_PAGES.. => self.gate.shut(),
            ..CHECKPOINT_PAGES => self.gate.open(),
            _ => {}
        }
    }
}

/// What a group came to.
struct Written {
    commits: usize,
    weight: usize,
    lookups: u64,
}

fn begin(connection: &Connection, applier: &mut Applier<'_>, in_no_time: bool) -> rusqlite::Result<Epoch> {
    if !in_no_time {
        return applier.begin();
    }
    connection.busy_timeout(Duration::ZERO)?;
    let begun = applier.begin();
    connection.busy_timeout(BUSY_TIMEOUT)?;
    begun
}

fn write_group(
    applier: &mut Applier<'_>,
    mut epoch: Epoch,
    first: WriteCall,
    mut next: impl FnMut() -> Option<WriteCall>,
    group: &mut Vec<Applied>,
) -> rusqlite::Result<Written> {
    let (mut commits, mut weight) = (0, 0);
    let mut call = Some(first);
    while let Some(made) = call {
        match made {
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
        call = if commits < GROUP_LIMIT { next() } else { None };
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
