//! Executions that were suspended when the engine began.
//!
//! Who waits for the limits of a step has a ticket in memory, and on disk no more than a time to ask again by itself,
//! which is far off. A crash loses the ticket, so the time would be lost too: those who may be such have one turn when the
//! engine begins, and ask again. Who waits for something else finds that it still does.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::core::Core;
use crate::record::ExecutionKey;
use crate::store::StoreError;

/// How far ahead is looked, and for how many: longer than those many wait before they ask again by themselves.
const AHEAD: Duration = Duration::from_secs(15 * 60);
const MOST: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Regained {
    // Held only to add or to take.
    keys: Mutex<HashSet<ExecutionKey>>,
}

impl Regained {
    /// Finds them: those of workflows with limits that wait for a time that is near.
    pub(super) async fn find(core: &Core) -> Result<Vec<ExecutionKey>, StoreError> {
        let now = core.now();
        let states = core.services.limits.states(now);
        let has_limits = |name: &str| states.iter().any(|state| state.workflow == name);
        let workflows: Vec<_> = core.registry.names().into_iter().filter(|name| has_limits(name)).collect();
        if workflows.is_empty() {
            return Ok(Vec::new());
        }
        let found = core.store.due(&workflows, now + AHEAD, MOST).await?.ready;
        core.regained.keys.lock().unwrap_or_else(PoisonError::into_inner).extend(found.iter().cloned());
        Ok(found)
    }

    /// Whether it is one of them, and has not been asked for before.
    pub(super) fn take(&self, key: &ExecutionKey) -> bool {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).remove(key)
    }
}
