//! A store that does at once what it is told, and answers some time later, as one on a disk does.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use workflow_runtime::Timestamp;
use workflow_runtime::record::ExecutionKey;
use workflow_runtime::store::{
    Commit, Committed, Due, Epoch, HistoryRow, KnownEvent, KnownWorkflow, Page, Query, Refused, StateCount, Store,
    StoreFuture, Stored,
};
use workflow_runtime::stores::MemoryStore;

/// How often other tasks have their turn before the store answers.
#[derive(Default)]
pub struct Lag {
    /// Before the answer to a commit.
    pub commit: AtomicUsize,
    /// Before the answer to a load.
    pub load: AtomicUsize,
}

pub struct Lagging {
    store: MemoryStore,
    pub lag: Lag,
}

impl fmt::Debug for Lagging {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Lagging")
    }
}

impl Lagging {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { store: MemoryStore::new(), lag: Lag::default() })
    }
}

fn late<T: Send + 'static>(answer: StoreFuture<T>, lag: &AtomicUsize) -> StoreFuture<T> {
    let lag = lag.load(Ordering::Relaxed);
    Box::pin(async move {
        for _ in 0..lag {
            tokio::task::yield_now().await;
        }
        answer.await
    })
}

impl Store for Lagging {
    fn acquire(&self) -> StoreFuture<Epoch> {
        self.store.acquire()
    }

    fn commit(&self, commits: Vec<Commit>) -> StoreFuture<Vec<Result<Committed, Refused>>> {
        late(self.store.commit(commits), &self.lag.commit)
    }

    fn load(&self, key: &ExecutionKey) -> StoreFuture<Option<Stored>> {
        late(self.store.load(key), &self.lag.load)
    }

    fn event(&self, key: &ExecutionKey, event_id: &str) -> StoreFuture<Option<KnownEvent>> {
        self.store.event(key, event_id)
    }

    fn due(&self, workflows: &[KnownWorkflow], now: Timestamp, limit: usize) -> StoreFuture<Due> {
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
