//! Sees what a simulation does, and keeps one fact of each kind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::fact::{Fact, Seen, Then, facts, then};
use crate::base::Name;
use crate::machine::{Interceptor, StepSeen};
use crate::record::{ErrorRecord, ExecutionKey, HistoryRecord, Json};
use crate::store::{Change, Commit};
use crate::testing::sim::Kept;

/// What is seen of one simulation. What steps do counts when a commit of their execution is on disk, as only that says which
/// version of the code it was.
#[derive(Debug, Default)]
pub(in crate::testing) struct Observer {
    // Held only to read or change plain data.
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    seen: Seen,
    /// Steps that succeeded since the last commit of their execution.
    done: BTreeMap<ExecutionKey, BTreeSet<Name>>,
    /// Calls that failed for good and of which nothing has come yet, with the version they are of once that is known.
    failed: BTreeMap<ExecutionKey, BTreeMap<u128, Name>>,
    versions: BTreeMap<ExecutionKey, u32>,
}

/// What there is to learn of a commit, once it is on disk.
#[derive(Debug)]
pub(in crate::testing) struct Glance {
    key: ExecutionKey,
    version: u32,
    facts: Vec<(u32, Fact)>,
    then: Option<Then>,
}

impl Glance {
    /// What these commits are about; `None` for one that says nothing of the code.
    pub(in crate::testing) fn at(commits: &[Commit]) -> Vec<Option<Self>> {
        commits.iter().map(Self::of).collect()
    }

    fn of(commit: &Commit) -> Option<Self> {
        let (record, history) = match &commit.change {
            Change::Create { record, history } => (&**record, history),
            Change::Advance { advance, .. } => (advance.record.as_ref()?, &advance.history),
            Change::Deliver { .. } | Change::Quarantine { .. } => return None,
        };
        let rows: Vec<&HistoryRecord> = history.iter().collect();
        let (facts, then) = (facts(record, &rows), then(&rows));
        Some(Self { key: commit.key.clone(), version: record.version, facts, then })
    }
}

impl Observer {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This is on disk.
    pub(in crate::testing) fn committed(&self, glance: Glance) {
        self.lock().committed(glance);
    }

    /// What a simulation left on disk: also what nobody was told that it had been written.
    pub(in crate::testing) fn left(&self, kept: &[Kept]) {
        let mut inner = self.lock();
        for kept in kept {
            let rows: Vec<&HistoryRecord> = kept.history.iter().map(|row| &row.record).collect();
            inner.saw(&kept.key.workflow, facts(&kept.stored.record, &rows));
        }
    }

    /// All that was seen.
    pub(super) fn take(&self) -> Seen {
        let mut inner = self.lock();
        for (key, calls) in std::mem::take(&mut inner.failed) {
            let version = inner.versions.get(&key).copied();
            let facts = calls.into_values().map(|step| Fact::Failed { step, then: Then::Open });
            inner.saw(&key.workflow, facts.filter_map(|fact| Some((version?, fact))).collect());
        }
        std::mem::take(&mut inner.seen)
    }
}

impl Inner {
    fn saw(&mut self, workflow: &Arc<str>, facts: Vec<(u32, Fact)>) {
        for (version, fact) in facts {
            self.seen.entry((Arc::clone(workflow), version)).or_default().insert(fact);
        }
    }

    fn committed(&mut self, Glance { key, version, mut facts, then }: Glance) {
        let done = self.done.remove(&key).unwrap_or_default();
        facts.extend(done.into_iter().map(|step| (version, Fact::Done(step))));
        match then {
            Some(then) => {
                self.versions.remove(&key);
                let calls = self.failed.remove(&key).unwrap_or_default();
                facts.extend(calls.into_values().map(|step| (version, Fact::Failed { step, then: then.clone() })));
            }
            None if self.failed.contains_key(&key) => {
                self.versions.insert(key.clone(), version);
            }
            None => {}
        }
        self.saw(&key.workflow, facts);
    }
}

/// Whether the call is of a run that undoes something. That a step was undone stands in the history.
fn is_undo(step: &StepSeen<'_>) -> bool {
    step.handler.starts_with("~undo:")
}

impl Interceptor for Observer {
    fn ended(&self, step: &StepSeen<'_>, result: Result<&Json, &ErrorRecord>) {
        if result.is_ok() && !is_undo(step) {
            let mut inner = self.lock();
            inner.done.entry(step.key.clone()).or_default().insert(step.step.into());
            if let Some(calls) = inner.failed.get_mut(step.key) {
                calls.remove(&step.digest);
            }
        }
    }

    fn failed_for_good(&self, step: &StepSeen<'_>) {
        if !is_undo(step) {
            self.lock().failed.entry(step.key.clone()).or_default().insert(step.digest, step.step.into());
        }
    }
}
