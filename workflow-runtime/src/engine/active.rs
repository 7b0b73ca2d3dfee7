//! The executions that have a task: at most one each.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;

use crate::base::Quick;
use crate::base::sync::{AtomicBool, Mutex, MutexGuard, fence};
use crate::record::ExecutionKey;

#[derive(Debug)]
pub(super) struct ActiveSet {
    // Held only to look up, insert or remove, never over an await.
    tasks: Mutex<HashMap<ExecutionKey, Arc<Signal>, Quick>>,
    places: Arc<Semaphore>,
    limit: usize,
    /// Whether everything was told to abort: so is what comes later.
    aborted: AtomicBool,
}

/// Tells a task that its execution has got an event, or that the engine stops.
#[derive(Debug, Default)]
pub(super) struct Signal {
    dirty: AtomicBool,
    notify: Notify,
    /// The task, once it is known.
    task: OnceLock<AbortHandle>,
}

impl Signal {
    /// Whether there was a signal since the last call.
    pub(super) fn take(&self) -> bool {
        self.dirty.swap(false, Ordering::AcqRel)
    }

    fn give(&self) {
        // A swap, as in `take`: so the two are in one order without a thought.
        self.dirty.swap(true, Ordering::Release);
        self.notify.notify_one();
    }

    /// Ready after a signal, which may have been [taken](Self::take) since.
    pub(super) async fn given(&self) {
        self.notify.notified().await;
    }
}

/// What became of the wish to have an execution run.
pub(super) enum Claim {
    /// It has no task yet: this is the right to make one.
    Granted(Place),
    /// It has one, which has been told to look again.
    Running,
    /// Every place is taken.
    Full,
}

/// A place among those that run. Dropping it gives it up, and the execution is free.
#[derive(Debug)]
pub(super) struct Place {
    set: Arc<ActiveSet>,
    key: ExecutionKey,
    signal: Arc<Signal>,
    released: bool,
    _permit: OwnedSemaphorePermit,
}

impl ActiveSet {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            tasks: Mutex::default(),
            places: Arc::new(Semaphore::new(limit)),
            limit,
            aborted: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ExecutionKey, Arc<Signal>, Quick>> {
        // Each change is one insert or remove, so a panic elsewhere cannot have left it half done.
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn claim(self: &Arc<Self>, key: &ExecutionKey) -> Claim {
        let mut tasks = self.lock();
        if let Some(signal) = tasks.get(key) {
            signal.give();
            return Claim::Running;
        }
        let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() else { return Claim::Full };
        let signal = Arc::new(Signal::default());
        tasks.insert(key.clone(), Arc::clone(&signal));
        Claim::Granted(Place { set: Arc::clone(self), key: key.clone(), signal, released: false, _permit: permit })
    }

    /// A place for an execution that is about to be created, if one is free and nobody has it. Whatever is delivered from
    /// now on signals it.
    pub(super) fn reserve(self: &Arc<Self>, key: &ExecutionKey) -> Option<Place> {
        let mut tasks = self.lock();
        let Entry::Vacant(entry) = tasks.entry(key.clone()) else { return None };
        let permit = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let signal = Arc::clone(entry.insert(Arc::default()));
        Some(Place { set: Arc::clone(self), key: key.clone(), signal, released: false, _permit: permit })
    }

    /// Remembers the task of the place that `signal` is of, to abort it.
    pub(super) fn has_task(&self, signal: &Signal, task: AbortHandle) {
        // Set once, by whoever has made the task.
        let _ = signal.task.set(task);
        // Either this sees that everything is to abort, or whoever says so sees the task.
        fence(Ordering::SeqCst);
        if self.aborted.load(Ordering::Relaxed) {
            signal.task.get().into_iter().for_each(AbortHandle::abort);
        }
    }

    pub(super) fn is_active(&self, key: &ExecutionKey) -> bool {
        self.lock().contains_key(key)
    }

    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    pub(super) fn free(&self) -> usize {
        self.places.available_permits()
    }

    /// As [`claim`](Self::claim), but waits in line for a place. `None` if it has a task, which has been told to look again.
    pub(super) async fn claim_in_turn(self: &Arc<Self>, key: &ExecutionKey) -> Option<Place> {
        // An error would mean that the semaphore was closed, which nothing does.
        let permit = Arc::clone(&self.places).acquire_owned().await.ok()?;
        let mut tasks = self.lock();
        if let Some(signal) = tasks.get(key) {
            signal.give();
            return None;
        }
        let signal = Arc::new(Signal::default());
        tasks.insert(key.clone(), Arc::clone(&signal));
        Some(Place { set: Arc::clone(self), key: key.clone(), signal, released: false, _permit: permit })
    }

    pub(super) fn signal_all(&self) {
        let mut signals: Vec<_> = self.lock().iter().map(|(key, signal)| (key.clone(), Arc::clone(signal))).collect();
        // Not in the order of a hash, so that what comes of it is the same in every process.
        signals.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        signals.iter().for_each(|(_, signal)| signal.give());
    }

    /// Ready when nothing runs.
    pub(super) async fn idle(&self) {
        let all = u32::try_from(self.limit).unwrap_or(u32::MAX);
        // An error would mean that the semaphore was closed, which nothing does.
        drop(self.places.acquire_many(all).await);
    }

    pub(super) fn abort_all(&self) {
        self.aborted.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let signals: Vec<_> = self.lock().values().cloned().collect();
        signals.iter().filter_map(|signal| signal.task.get()).for_each(AbortHandle::abort);
    }
}

impl Place {
    pub(super) fn key(&self) -> &ExecutionKey {
        &self.key
    }

    pub(super) fn signal(&self) -> &Arc<Signal> {
        &self.signal
    }

    /// Gives the place up, unless there was a signal that has not been taken.
    pub(super) fn release(&mut self) -> bool {
        let mut tasks = self.set.lock();
        if self.signal.dirty.load(Ordering::Acquire) {
            return false;
        }
        tasks.remove(&self.key);
        self.released = true;
        true
    }

    /// Gives the place up in any case.
    pub(super) fn leave(&mut self) {
        if !std::mem::replace(&mut self.released, true) {
            self.set.lock().remove(&self.key);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ExecutionId;

    fn claim(set: &Arc<ActiveSet>) -> (ExecutionKey, Place) {
        let key = ExecutionKey { workflow: "Test".into(), id: ExecutionId::new("a").unwrap() };
        let Claim::Granted(place) = set.claim(&key) else { panic!("it has a place") };
        (key, place)
    }

    #[test]
    fn a_task_is_aborted_also_if_it_is_known_late() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let task = || runtime.spawn(std::future::pending::<()>());
        let set = Arc::new(ActiveSet::new(2));
        let (_, first) = claim(&set);
        let first_task = task();
        set.has_task(first.signal(), first_task.abort_handle());
        set.abort_all();
        assert!(runtime.block_on(first_task).unwrap_err().is_cancelled());
        drop(first);
        let (_, second) = claim(&set);
        let second_task = task();
        set.has_task(second.signal(), second_task.abort_handle());
        assert!(runtime.block_on(second_task).unwrap_err().is_cancelled());
    }

    #[test]
    fn a_place_is_reserved_once_and_only_if_one_is_free() {
        let set = Arc::new(ActiveSet::new(1));
        let key = |id: &str| ExecutionKey { workflow: "Test".into(), id: ExecutionId::new(id).unwrap() };
        let mut place = set.reserve(&key("a")).unwrap();
        assert!(set.reserve(&key("a")).is_none(), "it has a place");
        assert!(set.reserve(&key("b")).is_none(), "every place is taken");
        assert!(matches!(set.claim(&key("a")), Claim::Running));
        assert!(!place.release(), "it has been told of something");
        assert!(place.signal().take());
        assert!(place.release());
        drop(place);
        assert_eq!((set.len(), set.free()), (0, 1));
        assert!(set.reserve(&key("b")).is_some());
    }
}
