//! A store that counts what is asked of the one behind it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use workflow_runtime::Timestamp;
use workflow_runtime::record::{EventRecord, ExecutionKey};
use workflow_runtime::store::{
    Change, Commit, Committed, Due, Epoch, HistoryRow, KnownEvent, KnownWorkflow, Loaded, Page, Query, Refused,
    StateCount, Store, StoreFuture, Stored,
};

/// How often each thing was asked for.
#[derive(Debug, Default)]
pub struct Tally {
    /// Calls that write, each of which the caller waits for: with one caller, so many syncs.
    pub commits: AtomicU64,
    /// Calls that load, however many executions.
    pub loads: AtomicU64,
    /// Bytes that are written, as JSON: records, entries of journals, what is to be undone.
    pub bytes: AtomicU64,
    /// Looks for what is due.
    pub looks: AtomicU64,
}

impl Tally {
    /// What was counted since the last call: commits, loads, looks.
    pub fn take(&self) -> [u64; 3] {
        [&self.commits, &self.loads, &self.looks].map(|count| count.swap(0, Ordering::Relaxed))
    }
}

#[derive(Debug)]
pub struct Tallied {
    store: Arc<dyn Store>,
    tally: Arc<Tally>,
}

impl Tallied {
    pub fn on(store: impl Store) -> (Arc<dyn Store>, Arc<Tally>) {
        let tally: Arc<Tally> = Arc::default();
        (Arc::new(Self { store: Arc::new(store), tally: Arc::clone(&tally) }), tally)
    }
}

fn count(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

fn bytes_of(commit: &Commit) -> usize {
    let Change::Advance { advance, .. } = &commit.change else { return 0 };
    let record = serde_json::to_string(&advance.record).unwrap();
    let rows = [serde_json::to_string(&advance.journal).unwrap(), serde_json::to_string(&advance.undo).unwrap()];
    record.len() + rows.iter().map(String::len).sum::<usize>()
}

impl Store for Tallied {
    fn acquire(&self) -> StoreFuture<Epoch> {
        self.store.acquire()
    }

    fn commit(&self, commits: Vec<Commit>) -> StoreFuture<Vec<Result<Committed, Refused>>> {
        count(&self.tally.commits);
        let bytes = commits.iter().map(bytes_of).sum::<usize>();
        self.tally.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.store.commit(commits)
    }

    fn load(&self, key: &ExecutionKey) -> StoreFuture<Option<Stored>> {
        count(&self.tally.loads);
        self.store.load(key)
    }

    fn load_many(&self, keys: &[ExecutionKey]) -> StoreFuture<Vec<Loaded>> {
        count(&self.tally.loads);
        self.store.load_many(keys)
    }

    fn inbox(&self, key: &ExecutionKey, after: u64) -> StoreFuture<Vec<EventRecord>> {
        self.store.inbox(key, after)
    }

    fn event(&self, key: &ExecutionKey, event_id: &str) -> StoreFuture<Option<KnownEvent>> {
        self.store.event(key, event_id)
    }

    fn due(&self, workflows: &[KnownWorkflow], now: Timestamp, limit: usize) -> StoreFuture<Due> {
        count(&self.tally.looks);
        self.store.due(workflows, now, limit)
    }

    fn list(&self, query: &Query) -> StoreFuture<Page> {
        self.store.list(query)
    }

    fn counts(&self, workflow: Option<&str>) -> StoreFuture<Vec<StateCount>> {
        self.store.counts(workflow)
    }

    fn history(&self, key: &ExecutionKey, after: u64, limit: usize) -> StoreFuture<Vec<HistoryRow>> {
        self.store.history(key, after, limit)
    }
}
