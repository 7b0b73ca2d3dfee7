//! Those who wait for an execution to end.
//!
//! Whoever waits when it ends is handed its last record, which nothing changes any more, and need not read it. While an
//! execution runs, whoever begins to wait need not read it either: he is told when it has stopped running.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use tokio::sync::watch::{Receiver, Sender};

use crate::base::Quick;
use crate::base::sync::{Mutex, MutexGuard};
use crate::record::{ExecutionKey, ExecutionRecord};

/// The last record, if the execution has ended.
type News = Option<Arc<ExecutionRecord>>;

/// Who waits for what. An execution that nobody waits for has no entry.
#[derive(Debug, Default)]
pub(super) struct Watchers {
    // Held only to look up, insert or remove, never over an await.
    watched: Mutex<HashMap<ExecutionKey, Watched, Quick>>,
}

#[derive(Debug, Default)]
struct Watched {
    sender: Sender<News>,
    /// Whether someone waits who has not read how it stands.
    is_unread: bool,
}

/// One who waits. Dropping it ends that.
#[derive(Debug)]
pub(super) struct Watch<'a> {
    watchers: &'a Watchers,
    key: &'a ExecutionKey,
    told: Option<Receiver<News>>,
}

impl Watchers {
    fn lock(&self) -> MutexGuard<'_, HashMap<ExecutionKey, Watched, Quick>> {
        // Each change is one insert or remove, so a panic elsewhere cannot have left it half done.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many are waited for.
    #[cfg(all(test, loom))]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    pub(super) fn watch<'a>(&'a self, key: &'a ExecutionKey) -> Watch<'a> {
        let told = self.lock().entry(key.clone()).or_default().sender.subscribe();
        Watch { watchers: self, key, told: Some(told) }
    }

    /// Wakes those who wait for this execution.
    pub(super) fn tell(&self, key: &ExecutionKey) {
        // Dropping it tells them.
        let watched = self.lock().remove(key);
        drop(watched);
    }

    /// Wakes those who wait for this execution without having read how it stands: it does not run any more.
    pub(super) fn tell_of_rest(&self, key: &ExecutionKey) {
        let watched = {
            let mut all = self.lock();
            all.get(key).is_some_and(|watched| watched.is_unread).then(|| all.remove(key))
        };
        drop(watched);
    }

    /// Wakes those who wait for this execution: this is its record, as committed.
    pub(super) fn tell_of(&self, key: &ExecutionKey, record: &ExecutionRecord) {
        let watched = self.lock().remove(key);
        if let Some(watched) = watched.filter(|_| record.status().is_over()) {
            // Those who wait are told by that, and those who have gone need not be.
            let _ = watched.sender.send(Some(Arc::new(record.clone())));
        }
    }

    /// Wakes everyone.
    pub(super) fn tell_all(&self) {
        let all = std::mem::take(&mut *self.lock());
        drop(all);
    }
}

impl Watch<'_> {
    /// Has it told also when the execution does not run any more. Whoever says so looks afterwards whether it does.
    pub(super) fn mark_unread(&self) {
        if let Some(watched) = self.watchers.lock().get_mut(self.key) {
            watched.is_unread = true;
        }
    }

    /// Ready when it has been told: with the last record, if the execution has ended.
    pub(super) async fn told(mut self) -> News {
        let told = self.told.as_mut()?;
        match told.changed().await {
            Ok(()) => told.borrow_and_update().clone(),
            // The other end was dropped, which tells no more than to look again.
            Err(_) => None,
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let mut watched = self.watchers.lock();
        self.told = None;
        if watched.get(self.key).is_some_and(|watched| watched.sender.receiver_count() == 0) {
            watched.remove(self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;
    use crate::base::ExecutionId;

    fn key() -> ExecutionKey {
        ExecutionKey { workflow: "Test".into(), id: ExecutionId::new("a").unwrap() }
    }

    #[test]
    fn everyone_who_waits_is_told_and_nothing_is_kept_for_those_who_have_gone() {
        let (watchers, key) = (Watchers::default(), key());
        let (first, second, gone) = (watchers.watch(&key), watchers.watch(&key), watchers.watch(&key));
        drop(gone);
        watchers.tell(&key);
        let third = watchers.watch(&key);
        assert!(first.told().now_or_never().is_some());
        assert!(second.told().now_or_never().is_some());
        assert_eq!(watchers.lock().len(), 1, "the third one still waits");
        assert!(third.told().now_or_never().is_none());
        assert_eq!(watchers.lock().len(), 0);
        let fourth = watchers.watch(&key);
        watchers.tell_all();
        assert!(fourth.told().now_or_never().is_some());
    }
}
