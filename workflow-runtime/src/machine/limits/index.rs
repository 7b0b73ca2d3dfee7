//! The executions that are not in memory and have a ticket somewhere.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError};

use super::queue::{CallId, StepQueue};
use crate::base::Quick;
use crate::base::sync::{Mutex, MutexGuard};
use crate::record::ExecutionKey;

type Tell = Box<dyn Fn(&ExecutionKey) + Send + Sync>;
type Tickets = Vec<(Arc<StepQueue>, CallId)>;

#[derive(Default)]
pub(super) struct Suspended {
    // Held only to look up, insert or remove; no queue is locked meanwhile.
    tickets: Mutex<HashMap<ExecutionKey, Tickets, Quick>>,
    tell: OnceLock<Tell>,
}

impl Suspended {
    fn lock(&self) -> MutexGuard<'_, HashMap<ExecutionKey, Tickets, Quick>> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn on_offer(&self, tell: Tell) {
        // The first one stays.
        let _ = self.tell.set(tell);
    }

    /// Whether executions can be told of an offer when they are not in memory.
    pub(super) fn can_tell(&self) -> bool {
        self.tell.get().is_some()
    }

    pub(super) fn tell(&self, execution: &ExecutionKey) {
        if let Some(tell) = self.tell.get() {
            tell(execution);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    pub(super) fn insert(&self, execution: &ExecutionKey, queue: &Arc<StepQueue>, call: CallId) {
        let mut tickets = self.lock();
        let tickets = tickets.entry(execution.clone()).or_default();
        if !tickets.iter().any(|(_, other)| *other == call) {
            tickets.push((Arc::clone(queue), call));
        }
    }

    pub(super) fn has(&self, execution: &ExecutionKey) -> bool {
        self.lock().contains_key(execution)
    }

    pub(super) fn calls(&self, execution: &ExecutionKey) -> Tickets {
        self.lock().get(execution).cloned().unwrap_or_default()
    }

    pub(super) fn take(&self, execution: &ExecutionKey) -> Tickets {
        self.lock().remove(execution).unwrap_or_default()
    }
}
