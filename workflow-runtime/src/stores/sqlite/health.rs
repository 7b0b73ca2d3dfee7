//! Whether the store can still be trusted; shared by the handle and its threads.

use std::sync::OnceLock;

use crate::store::StoreError;

#[derive(Debug, Default)]
pub(super) struct Health {
    poisoned: OnceLock<String>,
}

impl Health {
    /// From now on, every call is refused. The first reason stays.
    pub(super) fn poison(&self, reason: &StoreError) {
        let _ = self.poisoned.set(describe(reason));
    }

    pub(super) fn check(&self) -> Result<(), StoreError> {
        match self.poisoned.get() {
            Some(reason) => Err(StoreError::Poisoned { reason: reason.clone() }),
            None => Ok(()),
        }
    }

    /// What to answer when a thread of the store is gone.
    pub(super) fn gone(&self) -> StoreError {
        self.check().err().unwrap_or(StoreError::Closed)
    }
}

fn describe(error: &StoreError) -> String {
    match error {
        StoreError::Io { source } => source.to_string(),
        StoreError::Full => "the disk is full".to_owned(),
        other => other.to_string(),
    }
}
