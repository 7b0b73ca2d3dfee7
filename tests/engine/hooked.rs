//! A store that tells of every call before it is made, and fails it if it is told to.

use std::fmt;
use std::sync::Arc;

use workflow_runtime::Timestamp;
use workflow_runtime::record::ExecutionKey;
use workflow_runtime::store::{
    Commit, Committed, Due, Epoch, HistoryRow, KnownEvent, KnownWorkflow, Page, Query, Refused, StateCount, Store,
    StoreError, StoreFuture, Stored,
};
use workflow_runtime::stores::MemoryStore;

/// A call of the store.
pub enum Call<'a> {
    Commit(&'a [Commit]),
    /// The commit was applied; to fail now loses the acknowledgement alone.
    Committed,
    Load(&'a ExecutionKey),
    Due,
}

type Hook = Box<dyn Fn(Call<'_>) -> Result<(), StoreError> + Send + Sync>;

pub struct Hooked {
    store: MemoryStore,
    hook: Hook,
}

impl fmt::Debug for Hooked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hooked")
    }
}

impl Hooked {
    pub fn new(
        store: MemoryStore,
        hook: impl Fn(Call<'_>) -> Result<(), StoreError> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { store, hook: Box::new(hook) })
    }
}

fn failed<T: Send + 'static>(error: StoreError) -> StoreFuture<T> {
    Box::pin(async { Err(error) })
}

impl Store for Hooked {
    fn acquire(&self) -> StoreFuture<Epoch> {
        self.store.acquire()
    }

    fn commit(&self, commits: Vec<Commit>) -> StoreFuture<Vec<Result<Committed, Refused>>> {
        match (self.hook)(Call::Commit(&commits)) {
            Ok(()) => {
                let answer = self.store.commit(commits);
                match (self.hook)(Call::Committed) {
                    Ok(()) => answer,
                    Err(error) => failed(error),
                }
            }
            Err(error) => failed(error),
        }
    }

    fn load(&self, key: &ExecutionKey) -> StoreFuture<Option<Stored>> {
        match (self.hook)(Call::Load(key)) {
            Ok(()) => self.store.load(key),
            Err(error) => failed(error),
        }
    }

    fn event(&self, key: &ExecutionKey, event_id: &str) -> StoreFuture<Option<KnownEvent>> {
        self.store.event(key, event_id)
    }

    fn due(&self, workflows: &[KnownWorkflow], now: Timestamp, limit: usize) -> StoreFuture<Due> {
        match (self.hook)(Call::Due) {
            Ok(()) => self.store.due(workflows, now, limit),
            Err(error) => failed(error),
        }
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
