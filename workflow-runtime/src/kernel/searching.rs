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

    /// The suspended handler waits for the limits of a step: whoever finds it so, and knows nothing of that, is to have it
    /// [resume](Self::resume), so that it asks again.
    pub fn queued(&mut self) {
        if self.record.resume_at.is_some() {
            self.record.attributes.insert(QUEUED.to_owned(), queued());
            self.changed = true;
        }
    }

    /// Whether the suspended handler waits for the limits of a step.
    #[must_use]
    pub fn is_queued(&self) -> bool {
        self.record.attributes.contains_key(QUEUED)
    }

    /// Brings up to date which step fails, before `result` is put into the journal.
    pub(super) fn see_failing(&mut self, result: &JournalEntry) {
        let is_this = self.record.failing.as_ref().is_some_and(|failing| failing.key == result.key);
        if self.record.failing.is_some() && !is_this {
            return;
        }
        let since = self.record.failing.as_ref().map_or(self.now, |failing| failing.since);
        self.record.failing = failing_in(result, since);
        if is_this && self.record.failing.is_none() {
            let other = self.journal.retrying_besides(&result.key);
            self.record.failing = other.and_then(|entry| failing_in(entry, self.now));
        }
        self.changed |= is_this || self.record.failing.is_some();
    }

    /// Brings up to date which step fails, after entries have been taken out of the journal.
    pub(super) fn look_for_failing(&mut self) {
        let Some(failing) = &self.record.failing else { return };
        if self.journal.get(&failing.key).is_none() {
            let other = self.journal.retrying_besides(&failing.key);
            self.record.failing = other.and_then(|entry| failing_in(entry, self.now));
            self.changed = true;
        }
    }
}

/// What executions are found by that wait for the limits of a step. No field of a state has such a name.
pub(crate) const QUEUED: &str = "~queued";

fn queued() -> Json {
    // The text of `true` is JSON, whatever happens.
    Json::encode(&true).unwrap_or_else(|_| Json::null())
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
