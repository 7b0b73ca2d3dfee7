//! What an execution can be found by: the attributes of its state, and the step that fails.

use std::collections::BTreeMap;

use super::{Kernel, Plan};
use crate::base::Timestamp;
use crate::record::{ExecutionRecord, FailingRecord, JournalEntry, JournalResult, Json};

impl Kernel {
    /// Says what time it is: what is told from now on happened then.
    pub fn at(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }

    /// Brings up to date which step fails.
    pub(super) fn look_for_failing(&mut self) {
        let before = self.record.failing.take();
        let still = before.as_ref().and_then(|failing| {
            let entry = self.journal.iter().find(|entry| entry.key == failing.key)?;
            failing_in(entry, failing.since)
        });
        self.record.failing = still.or_else(|| self.journal.iter().find_map(|entry| failing_in(entry, self.now)));
        self.changed |= self.record.failing != before;
    }
}

fn failing_in(entry: &JournalEntry, since: Timestamp) -> Option<FailingRecord> {
    let JournalResult::Retrying { error, due } = &entry.result else { return None };
    let (key, attempts) = (entry.key.clone(), entry.attempts);
    Some(FailingRecord { key, attempts, error: error.clone(), since, due: *due })
}

/// Brings up to date what it can be searched by, after its data has changed.
pub(super) fn index(record: &mut ExecutionRecord, plan: &Plan) {
    let names = plan.state(&record.state).map(|state| state.attributes.as_slice()).unwrap_or_default();
    record.attributes = attributes(&record.data, names).unwrap_or_default();
}

/// The values of these fields, but for those that have none.
fn attributes(data: &Json, names: &[String]) -> Option<BTreeMap<String, Json>> {
    if names.is_empty() {
        return None;
    }
    let mut fields: BTreeMap<String, Json> = data.decode().ok()?;
    let value = |name: &String| {
        // Read and written again, so that one value has one text.
        let value: serde_json::Value = fields.remove(name)?.decode().ok()?;
        let is_scalar = value.is_string() || value.is_boolean() || value.is_i64() || value.is_u64();
        is_scalar.then(|| Some((name.clone(), Json::encode(&value).ok()?)))?
    };
    Some(names.iter().filter_map(value).collect())
}
