//! Has a parked execution go on: the one change of a record that is not made by the task that runs it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::EngineError;
use super::core::Core;
use crate::kernel::Kernel;
use crate::record::ExecutionKey;
use crate::store::{Change, Commit, Fence};

/// The executions that are being retried, one at a time each: the fence of a visit does not tell two retries apart, and
/// the later one would write over what the first one has led to.
#[derive(Debug, Default)]
pub(super) struct Retries {
    // Held only to look up, insert or remove, never over an await.
    under_way: Mutex<HashSet<ExecutionKey>>,
}

struct Retry<'a> {
    retries: &'a Retries,
    key: &'a ExecutionKey,
}

impl Retries {
    fn begin<'a>(&'a self, key: &'a ExecutionKey) -> Option<Retry<'a>> {
        let new = self.under_way.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
        new.then_some(Retry { retries: self, key })
    }
}

impl Drop for Retry<'_> {
    fn drop(&mut self) {
        self.retries.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(self.key);
    }
}

/// See [`Execution::retry`](super::Execution::retry).
pub(super) async fn retry(core: &Arc<Core>, key: &ExecutionKey) -> Result<(), EngineError> {
    let (core, key) = (Arc::clone(core), key.clone());
    let own = Arc::clone(&core);
    own.see_through(async move {
        let Some(_retry) = core.retries.begin(&key) else { return Err(EngineError::NotParked { key: key.clone() }) };
        let stored = core.store().load(&key).await?;
        let stored = stored.ok_or_else(|| EngineError::UnknownExecution { key: key.clone() })?;
        let mut execution = Kernel::new(stored.record, stored.journal, stored.inbox);
        if !execution.retry(core.now()) {
            return Err(EngineError::NotParked { key: key.clone() });
        }
        let fence = Fence { visit: execution.stored_visit(), epoch: core.epoch };
        let change = Change::Advance { fence, advance: Box::new(execution.take_changes()) };
        core.commit_one(Commit { key: key.clone(), change }).await?;
        core.activate(&key);
        Ok(())
    })
    .await
}
