//! What a store has done since it was opened, counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of what a [`SqliteStore`](super::SqliteStore) has done since it was opened; they only ever grow.
///
/// They are for measuring: `groups / commits` says how many commits shared one sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SqliteStats {
    /// Commits that were written or refused, of groups that are on the disk.
    pub commits: u64,
    /// Transactions that are on the disk. Each that changed anything took one sync of the log.
    pub groups: u64,
    /// How often an execution was looked up in the file by the writer, because it did not know it from earlier.
    pub lookups: u64,
    /// Times that the log was moved into the file, or as much of it as nobody was reading. Each takes a sync of the log
    /// and one of the file.
    pub checkpoints: u64,
    /// Calls that read, all together.
    pub reads: u64,
    /// Snapshots that those reads shared.
    pub snapshots: u64,
}

/// The counters, shared by the handle and its threads. Each is right by itself; that they are of one moment is not
/// promised.
#[derive(Debug, Default)]
pub(super) struct Counters {
    commits: AtomicU64,
    groups: AtomicU64,
    lookups: AtomicU64,
    checkpoints: AtomicU64,
    reads: AtomicU64,
    snapshots: AtomicU64,
}

impl Counters {
    pub(super) fn count_group(&self, commits: usize, lookups: u64) {
        self.commits.fetch_add(commits as u64, Ordering::Relaxed);
        self.lookups.fetch_add(lookups, Ordering::Relaxed);
        self.groups.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_checkpoint(&self) {
        self.checkpoints.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_snapshot(&self, reads: usize) {
        self.reads.fetch_add(reads as u64, Ordering::Relaxed);
        self.snapshots.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn stats(&self) -> SqliteStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        SqliteStats {
            commits: read(&self.commits),
            groups: read(&self.groups),
            lookups: read(&self.lookups),
            checkpoints: read(&self.checkpoints),
            reads: read(&self.reads),
            snapshots: read(&self.snapshots),
        }
    }
}
