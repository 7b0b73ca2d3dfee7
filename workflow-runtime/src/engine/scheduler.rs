//! Finds what is due.
//!
//! The store is the queue: what has no place yet stays there, so a burst costs disk and no memory but for the names that
//! are read ahead. The scheduler looks when the earliest known time has come, when a place is free and something waits
//! for one, and when the engine starts.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::core::{Core, NotNow};
use super::queued::Queued;
use super::run::Run;
use crate::base::Timestamp;
use crate::record::ExecutionKey;
use crate::store::StoreError;

/// How many executions are read from the store at once, beyond those that run already.
const BATCH: usize = 256;

/// How many executions are loaded in one read, at most: more would keep those waiting that want to read something else.
const GROUP: usize = 64;

/// Wakes the scheduler.
#[derive(Debug)]
pub(super) struct Alarm {
    // Held only to read or change plain data.
    setting: Mutex<Setting>,
    notify: Notify,
}

#[derive(Debug)]
struct Setting {
    /// When the scheduler looks again by itself.
    next: Timestamp,
    /// Whether something is due that has no place.
    backlog: Backlog,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Backlog {
    None,
    /// The scheduler knows all of it.
    Known,
    /// There is more of it in the store than the scheduler knows.
    InStore,
}

impl Alarm {
    pub(super) fn new() -> Self {
        let setting = Setting { next: Timestamp::MAX, backlog: Backlog::None };
        Self { setting: Mutex::new(setting), notify: Notify::new() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Setting> {
        self.setting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the scheduler.
    pub(super) fn ring(&self) {
        self.notify.notify_one();
    }

    /// Has the scheduler look at `due` at the latest.
    pub(super) fn set(&self, due: Timestamp) {
        let mut setting = self.lock();
        if due < setting.next {
            setting.next = due;
            drop(setting);
            self.ring();
        }
    }

    /// Something is due that has no place. Who says so looks for a free place after that, not before: one that was freed
    /// in between has rung for nobody.
    pub(super) fn backlog(&self) {
        self.lock().backlog = Backlog::InStore;
    }

    /// A place is free.
    pub(super) fn place_freed(&self) {
        if self.lock().backlog != Backlog::None {
            self.ring();
        }
    }

    /// All that comes up from now on is news.
    fn forget(&self) {
        *self.lock() = Setting { next: Timestamp::MAX, backlog: Backlog::None };
    }

    /// As [`set`](Self::set), by the scheduler itself.
    fn not_after(&self, due: Timestamp) {
        let mut setting = self.lock();
        setting.next = setting.next.min(due);
    }

    /// Whether the scheduler has names left that wait for a place.
    fn has_queue(&self, has_queue: bool) {
        let mut setting = self.lock();
        setting.backlog = match (setting.backlog, has_queue) {
            (Backlog::InStore, _) => Backlog::InStore,
            (_, true) => Backlog::Known,
            (_, false) => Backlog::None,
        };
    }
}

/// Runs until the engine stops.
pub(super) async fn schedule(core: Arc<Core>) {
    let _stop = StopAtEnd(&core);
    let workflows = core.registry.known();
    let mut queue = VecDeque::new();
    let mut queued = Queued::new(core.registry.names());
    let mut has_looked = false;
    while !core.is_stopping() {
        queue.extend(core.offered.take());
        if queue.is_empty() {
            // Before the look, so that what comes up during it is not forgotten.
            core.alarm.forget();
            let limit = core.active.len() + BATCH;
            let due = match core.store.due(&workflows, core.now(), limit).await {
                Ok(due) => due,
                Err(error) => return core.fail(&error),
            };
            due.newer.iter().for_each(|newer| core.warn_of_newer(&newer.name, newer.version));
            // What is due goes first.
            let asking = if has_looked { queued.page(&core).await } else { Ok(Vec::new()) };
            has_looked = true;
            let asking = match asking {
                Ok(asking) => asking,
                Err(error) => return core.fail(&error),
            };
            if due.ready.len() == limit || !queued.is_done() {
                core.alarm.backlog();
            } else if let Some(next) = due.next {
                core.alarm.not_after(next);
            }
            queue.extend(due.ready.into_iter().chain(asking).filter(|key| !core.active.is_active(key)));
        }
        core.alarm.has_queue(!queue.is_empty());
        if let Err(error) = begin(&core, claim_places(&core, &mut queue)).await {
            return core.fail(&error);
        }
        core.alarm.has_queue(!queue.is_empty());
        let Setting { next, backlog } = *core.alarm.lock();
        if backlog == Backlog::None {
            let next = core.services.limits.tick(core.now()).map_or(next, |due| due.min(next));
            let again = core.services.clock.sleep_until(next);
            tokio::select! {
                // Either has it look; in order, as chance is not to decide anything.
                biased;
                () = core.alarm.notify.notified() => {}
                () = again, if next < Timestamp::MAX => {}
            }
        } else if core.active.free() == 0 {
            // A place that is freed comes before any time: looking earlier would find no room.
            core.alarm.notify.notified().await;
        }
    }
}

/// Without a scheduler nothing goes on, so nobody is to wait for it: also if its runtime is gone, or it has panicked.
struct StopAtEnd<'a>(&'a Core);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// The runs of those that are given a place now.
fn claim_places(core: &Arc<Core>, queue: &mut VecDeque<ExecutionKey>) -> Vec<Run> {
    let mut runs = Vec::new();
    while runs.len() < GROUP && core.active.free() > 0 {
        let Some(key) = queue.pop_front() else { break };
        let is_known = core.registry.get(&key.workflow).is_some();
        match core.claim(&key) {
            Ok(run) => runs.extend(run),
            Err(NotNow) if is_known => {
                // Somebody was quicker. What was offered something is not due in the store, so it is not to be forgotten.
                queue.push_front(key);
                if core.is_stopping() {
                    break;
                }
            }
            Err(NotNow) => {}
        }
    }
    runs
}

/// Reads what these are about in one go, and begins them. They have their places already, so whatever is written to their
/// executions from now on signals them, and as many are in memory as may run.
async fn begin(core: &Core, runs: Vec<Run>) -> Result<(), StoreError> {
    if runs.is_empty() {
        return Ok(());
    }
    let keys: Vec<_> = runs.iter().map(|run| run.place().key().clone()).collect();
    let mut loaded = core.store.load_many(&keys).await?.into_iter();
    for run in runs {
        // One that is damaged finds that out, and is parked, by itself.
        let stored = loaded.next().and_then(Result::ok).flatten();
        core.begin(run, stored.map(Box::new));
    }
    Ok(())
}

/// Executions whose calls were let through by the limits of their steps while they were not in memory.
#[derive(Debug, Default)]
pub(super) struct Offered {
    // Held only to add or to take.
    keys: Mutex<Vec<ExecutionKey>>,
}

impl Offered {
    pub(super) fn add(&self, key: &ExecutionKey) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).push(key.clone());
    }

    fn take(&self) -> Vec<ExecutionKey> {
        std::mem::take(&mut *self.keys.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
