//! The mocks of one world.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::AnyMock;
use super::shared::Shared;
use crate::base::{Clock, Name};
use crate::kernel::Advance;
use crate::machine::{Answering, ArgumentsWanted, StepSeen};
use crate::record::{ExecutionKey, JournalResult};

/// The mocks of one world, each for other calls.
#[derive(Debug, Default)]
pub(in crate::testing) struct Mocks {
    // Held only to read or change plain data, never over an await or a call of user code.
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// What they take their time by.
    clock: Option<Arc<dyn Clock>>,
    mocks: Vec<Arc<Shared>>,
    /// What the calls were made with that have a mock.
    arguments: BTreeMap<(ExecutionKey, Name), Vec<Value>>,
    /// Has calls say what they are made with, as long as there are mocks.
    wanted: Option<ArgumentsWanted>,
}

impl Mocks {
    /// Has them take their time by this clock; without one, they take none.
    pub(in crate::testing) fn keep_time_by(&self, clock: impl Clock) {
        self.lock().clock = Some(Arc::new(clock));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[track_caller]
    pub(in crate::testing) fn add(&self, AnyMock(mock): AnyMock) {
        let mut inner = self.lock();
        let other = inner.mocks.iter().find(|other| other.clashes_with(&mock)).map(ToString::to_string);
        let mistake = match other {
            Some(other) => Some(format!(
                "{mock} has a mock already, that of {other}: say all in one, or for which executions each of them is, with `only_for`"
            )),
            None if !mock.take() => Some(format!(
                "the mock of {mock} is in another world already: make it inside the scenario, so that each run has its own"
            )),
            None => None,
        };
        if let Some(mistake) = mistake {
            drop(inner);
            panic!("{mistake}");
        }
        inner.mocks.push(mock);
        inner.wanted.get_or_insert_with(ArgumentsWanted::new);
    }

    /// The mock that is for this call: one for some executions goes before one for all.
    fn mock_of(&self, step: &StepSeen<'_>) -> Option<Arc<Shared>> {
        let inner = self.lock();
        let mut those = inner.mocks.iter().filter(|mock| mock.is_for(step));
        let first = those.next()?;
        Some(Arc::clone(if first.is_for_some() { first } else { those.next().unwrap_or(first) }))
    }

    /// A call was made with these arguments.
    pub(in crate::testing) fn called(&self, step: &StepSeen<'_>, arguments: &[Value]) {
        if self.mock_of(step).is_some() {
            self.lock().arguments.insert((step.key.clone(), step.call.clone()), arguments.to_vec());
        }
    }

    pub(in crate::testing) fn began(&self, step: &StepSeen<'_>) -> Option<Answering> {
        let mock = self.mock_of(step)?;
        let (arguments, clock) = {
            let inner = self.lock();
            (inner.arguments.get(&(step.key.clone(), step.call.clone())).cloned(), inner.clock.clone())
        };
        mock.began(step, arguments.unwrap_or_default(), clock)
    }

    /// This is on disk: what it says of the results of calls is not lost any more.
    pub(in crate::testing) fn saved(&self, key: &ExecutionKey, advance: &Advance) {
        let is_result = |result: &JournalResult| {
            matches!(result, JournalResult::Done(_) | JournalResult::Failed { .. } | JournalResult::Retrying { .. })
        };
        let results = || advance.journal.iter().filter(|entry| is_result(&entry.result));
        for mock in self.lock().mocks.clone() {
            mock.saved(key, |call| advance.drop_journal || results().any(|entry| entry.key == *call));
        }
    }

    /// What there is to say of those that ought to have been called, and were not.
    pub(in crate::testing) fn unused(&self, called: &[String]) -> Option<String> {
        let unused: Vec<_> = self.lock().mocks.iter().filter(|mock| mock.is_unused()).map(Arc::clone).collect();
        let unused: Vec<_> = unused.iter().map(|mock| format!("the mock of {mock} was never called")).collect();
        if unused.is_empty() {
            return None;
        }
        let mut text = unused.join("; ");
        let _ = match called.is_empty() {
            true => write!(text, ": no step was called at all"),
            false => write!(text, ": the steps that were called are {}", called.join(", ")),
        };
        text.push_str(". If that is meant, say `.optional()`");
        Some(text)
    }
}
