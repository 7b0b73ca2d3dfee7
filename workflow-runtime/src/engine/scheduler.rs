//! Finds what is due.
//!
//! The store is the queue: what has no place yet stays there, so a burst costs disk and no memory. The scheduler looks
//! when the earliest known time has come, when a place is free and something waits for one, and when the engine starts.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::core::Core;
use crate::base::Timestamp;

/// The most executions that are read from the store at once, beyond those that run already.
const BATCH: usize = 256;

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
    backlog: bool,
}

impl Alarm {
    pub(super) fn new() -> Self {
        Self { setting: Mutex::new(Setting { next: Timestamp::MAX, backlog: false }), notify: Notify::new() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Setting> {
        self.setting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the scheduler look now.
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

    /// Something is due that has no place.
    pub(super) fn backlog(&self) {
        self.lock().backlog = true;
    }

    /// A place is free.
    pub(super) fn place_freed(&self, free: usize, limit: usize) {
        // Not for every single place: reading the store pays from a handful on.
        if free >= limit.div_ceil(4) && self.lock().backlog {
            self.ring();
        }
    }
}

/// Runs until the engine stops.
pub(super) async fn schedule(core: Arc<Core>) {
    let workflows = core.registry.names();
    while !core.is_stopping() {
        {
            // Before the look, so that what comes up during it is not forgotten.
            let mut setting = core.alarm.lock();
            setting.next = Timestamp::MAX;
            setting.backlog = false;
        }
        let limit = core.active.len() + core.active.free().min(BATCH);
        let due = match core.store.due(&workflows, core.now(), limit).await {
            Ok(due) => due,
            Err(error) => return core.fail(error),
        };
        let all = due.ready.len() < limit;
        let mut activated = 0;
        for key in due.ready.iter().filter(|key| !core.active.is_active(key)) {
            core.activate(key);
            activated += 1;
        }
        if !all {
            core.alarm.backlog();
            if activated > 0 && core.active.free() > 0 {
                continue;
            }
        }
        let next = {
            let mut setting = core.alarm.lock();
            // With a backlog, a place that is freed comes first; looking earlier would find no room.
            if let (true, Some(next)) = (all, due.next) {
                setting.next = next.min(setting.next);
            }
            setting.next
        };
        let again = core.clock.sleep_until(next);
        tokio::select! {
            () = core.alarm.notify.notified() => {}
            () = again, if next < Timestamp::MAX => {}
        }
    }
}
