//! A store that dies at a commit: just before it is applied, or just after, with the answer lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use workflow_runtime::store::{
    Commit, Committed, Due, Epoch, HistoryRow, KnownEvent, KnownWorkflow, Page, Query, Refused, StateCount, Store,
    StoreError, StoreFuture, Stored,
};
use workflow_runtime::stores::MemoryStore;
use workflow_runtime::{ExecutionKey, Timestamp};

#[derive(Debug, Clone, Copy)]
pub enum Moment {
    Before,
    After,
}

#[derive(Debug)]
pub struct Dying {
    store: MemoryStore,
    /// The commits that are left.
    left: AtomicUsize,
    moment: Moment,
    dead: AtomicBool,
}

impl Dying {
    pub fn new(store: MemoryStore, left: usize, moment: Moment) -> Arc<Self> {
        Arc::new(Self { store, left: AtomicUsize::new(left), moment, dead: AtomicBool::new(false) })
    }

    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    fn read<T: Send + 'static>(&self, answer: StoreFuture<T>) -> StoreFuture<T> {
        match self.is_dead() {
            true => Box::pin(std::future::ready(Err(StoreError::Full))),
            false => answer,
        }
    }
}

impl Store for Dying {
    fn acquire(&self) -> StoreFuture<Epoch> {
        self.store.acquire()
    }

    fn commit(&self, commits: Vec<Commit>) -> StoreFuture<Vec<Result<Committed, Refused>>> {
        let dies = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err();
        if self.is_dead() {
            return self.read(self.store.commit(Vec::new()));
        }
        if dies {
            self.dead.store(true, Ordering::SeqCst);
            if let Moment::After = self.moment {
                drop(self.store.commit(commits));
            }
            return self.read(self.store.commit(Vec::new()));
        }
        self.store.commit(commits)
    }

    fn load(&self, key: &ExecutionKey) -> StoreFuture<Option<Stored>> {
        self.read(self.store.load(key))
    }

    fn event(&self, key: &ExecutionKey, event_id: &str) -> StoreFuture<Option<KnownEvent>> {
        self.read(self.store.event(key, event_id))
    }

    fn due(&self, workflows: &[KnownWorkflow], now: Timestamp, limit: usize) -> StoreFuture<Due> {
        self.read(self.store.due(workflows, now, limit))
    }

    fn list(&self, query: &Query) -> StoreFuture<Page> {
        self.read(self.store.list(query))
    }

    fn counts(&self, workflow: Option<&str>) -> StoreFuture<Vec<StateCount>> {
        self.read(self.store.counts(workflow))
    }

    fn history(&self, key: &ExecutionKey, after: u64, limit: usize) -> StoreFuture<Vec<HistoryRow>> {
        self.read(self.store.history(key, after, limit))
    }
}
