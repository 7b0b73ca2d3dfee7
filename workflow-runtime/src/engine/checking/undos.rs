//! All that an execution may have to undo, however much it is: a page at a time, of each step the newest.

use std::collections::BTreeMap;

use crate::record::{ExecutionKey, UndoRecord, check_undo};
use crate::store::{Store, StoreError, Stored};

/// How often a stack is looked at again that somebody has changed meanwhile.
const TRIES: u32 = 3;

/// What is to be undone before that which a load reads.
#[derive(Debug)]
pub(super) enum Older {
    /// One for each step.
    Steps(Vec<UndoRecord>),
    /// The store cannot tell, or it changes too fast.
    Unknown,
    /// What is wrong with it.
    Damaged(String),
}

/// Reads what is to be undone before that which stands in `stored`.
///
/// # Errors
/// If the store fails.
pub(super) async fn older(store: &dyn Store, key: &ExecutionKey, stored: &Stored) -> Result<Older, StoreError> {
    let mut known = (stored.record.visit, stored.record.undo_count);
    let mut top = stored.undo.first().map(UndoRecord::place);
    let mut left = stored.record.undo_count.saturating_sub(stored.undo.len() as u64);
    for _ in 0..TRIES {
        let mut steps = BTreeMap::new();
        let mut reason = None;
        let mut before = top;
        while let Some(place) = before.filter(|_| left > 0) {
            let page = match store.undo_before(key, place).await {
                Ok(Some(page)) => page,
                Ok(None) => return Ok(Older::Unknown),
                Err(StoreError::Corrupt { what, reason: why, .. }) => {
                    reason = Some(format!("{what}: {why}"));
                    break;
                }
                Err(error) => return Err(error),
            };
            if let Err(why) = check_undo(&page, left, page.len().max(1)) {
                reason = Some(why);
                break;
            }
            left = left.saturating_sub(page.len() as u64);
            before = page.first().map(UndoRecord::place);
            for undo in page.into_iter().rev() {
                steps.entry(undo.step.clone()).or_insert(undo);
            }
        }
        let Some(reason) = reason else { return Ok(Older::Steps(steps.into_values().collect())) };
        // Somebody may be at work on it.
        let again = match store.load(key).await {
            Ok(Some(again)) => again,
            Ok(None) => return Ok(Older::Steps(Vec::new())),
            Err(StoreError::Corrupt { .. }) => return Ok(Older::Damaged(reason)),
            Err(error) => return Err(error),
        };
        let now = (again.record.visit, again.record.undo_count);
        if now == known {
            return Ok(Older::Damaged(reason));
        }
        known = now;
        top = again.undo.first().map(UndoRecord::place);
        left = again.record.undo_count.saturating_sub(again.undo.len() as u64);
    }
    Ok(Older::Unknown)
}
