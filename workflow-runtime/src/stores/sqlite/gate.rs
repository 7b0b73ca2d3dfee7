//! Where searches wait for the log to be moved into the file.
//!
//! SQLite begins its log anew when all of it is in the file and nobody reads from it. Where one search follows the other without
//! a pause, somebody always does, and the log would grow for as long as that goes on. So once it is long, the next search waits
//! until the writer has begun it anew, which takes a few groups; if nothing is written, it waits no longer than it has to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a search waits for the writer.
const PATIENCE: Duration = Duration::from_millis(100);

#[derive(Debug, Default)]
pub(super) struct Gate {
    // Held only to read or change plain data.
    state: Mutex<State>,
    opened: Condvar,
    /// Whether it is shut and nobody is inside: then the writer has something to do.
    is_cleared: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    is_shut: bool,
    /// Whether a search has a snapshot.
    has_search: bool,
}

impl Gate {
    fn change(&self, change: impl FnOnce(&mut State)) -> MutexGuard<'_, State> {
        // Each change is made in one go, so a panic elsewhere cannot have left it half done.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        self.is_cleared.store(state.is_shut && !state.has_search, Ordering::Release);
        state
    }

    /// A search is about to take its snapshot: it waits while the gate is shut, and opens it if that lasts.
    pub(super) fn enter(&self) {
        let state = self.change(|_| {});
        let waited = self.opened.wait_timeout_while(state, PATIENCE, |state| state.is_shut);
        drop(waited);
        drop(self.change(|state| *state = State { is_shut: false, has_search: true }));
    }

    /// It has given its snapshot back.
    pub(super) fn leave(&self) {
        drop(self.change(|state| state.has_search = false));
    }

    /// The log is long: no search is to begin.
    pub(super) fn shut(&self) {
        drop(self.change(|state| state.is_shut = true));
    }

    /// The log is short.
    pub(super) fn open(&self) {
        drop(self.change(|state| state.is_shut = false));
        self.opened.notify_all();
    }

    /// Whether it is shut and nobody is inside.
    pub(super) fn is_cleared(&self) -> bool {
        self.is_cleared.load(Ordering::Acquire)
    }
}
