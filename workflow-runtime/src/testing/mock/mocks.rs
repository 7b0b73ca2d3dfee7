//! The mocks of one world.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::AnyMock;
use super::shared::Shared;
use crate::base::{Clock, Name};
use crate::machine::{Answering, ArgumentsWanted, Graph, StepSeen};
use crate::record::{ExecutionKey, JournalEntry, JournalResult};

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
    graphs: Vec<&'static Graph>,
    /// What the calls were made with that have a mock, until what they came to for good is on disk.
    arguments: BTreeMap<ExecutionKey, BTreeMap<Name, Vec<Value>>>,
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
        let other = inner.mocks.iter().find(|other| other.clashes_with(&mock)).cloned();
        let mistake = match other {
            Some(other) => Some(format!(
                "{mock} has a mock already, that of {other}, made at {}. A step has one mock: say in that one all that it answers, one answer after another, as in `when(…).fails_times(2, …).then(…)`; or say with `only_for` for which executions each of the two is",
                other.made_at()
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

    /// The steps of this workflow are its own: mocks of functions that are none are not for them.
    pub(in crate::testing) fn knows(&self, graph: &'static Graph) {
        self.lock().graphs.push(graph);
    }

    /// The mock that is for this call: one for some executions goes before one for all.
    fn mock_of(&self, step: &StepSeen<'_>) -> Option<Arc<Shared>> {
        let inner = self.lock();
        let is_its = |graph: &&&Graph| graph.workflow == &*step.key.workflow;
        let has_it =
            |graph: &&Graph| graph.steps.iter().any(|known| known.name == step.step || known.undo == Some(step.step));
        let is_method = inner.graphs.iter().filter(is_its).any(has_it);
        let mut those = inner.mocks.iter().filter(|mock| mock.is_for(step, is_method));
        let first = those.next()?;
        Some(Arc::clone(if first.is_for_some() { first } else { those.next().unwrap_or(first) }))
    }

    /// The steps that have a mock.
    pub(in crate::testing) fn steps(&self) -> Vec<&'static str> {
        self.lock().mocks.iter().map(|mock| mock.step()).collect()
    }

    /// A call was made with these arguments.
    pub(in crate::testing) fn called(&self, step: &StepSeen<'_>, arguments: &[Value]) {
        if self.mock_of(step).is_some() {
            let mut inner = self.lock();
            inner.arguments.entry(step.key.clone()).or_default().insert(step.call.clone(), arguments.to_vec());
        }
    }

    pub(in crate::testing) fn began(&self, step: &StepSeen<'_>) -> Option<Answering> {
        let mock = self.mock_of(step)?;
        let (arguments, clock) = {
            let inner = self.lock();
            (inner.arguments.get(step.key).and_then(|calls| calls.get(step.call)).cloned(), inner.clock.clone())
        };
        mock.began(step, arguments.unwrap_or_default(), clock)
    }

    /// These entries of the execution's journal are on disk, or all that its handler has come to: the results of those calls are not
    /// lost any more.
    pub(in crate::testing) fn saved(&self, key: &ExecutionKey, drop_journal: bool, journal: &[JournalEntry]) {
        let mut inner = self.lock();
        if drop_journal {
            inner.mocks.iter().for_each(|mock| mock.saved(key, None));
            inner.arguments.remove(key);
        }
        for JournalEntry { key: call, result, .. } in journal {
            let is_over = matches!(result, JournalResult::Done(_) | JournalResult::Failed { .. });
            if is_over || matches!(result, JournalResult::Retrying { .. }) {
                inner.mocks.iter().for_each(|mock| mock.saved(key, Some(call)));
            }
            if is_over && let Some(arguments) = inner.arguments.get_mut(key) {
                arguments.remove(call);
                if arguments.is_empty() {
                    inner.arguments.remove(key);
                }
            }
        }
    }

    /// What there is to say of those that ought to have been called, and were not.
    pub(in crate::testing) fn unused(&self, called: &[String]) -> Option<String> {
        let unused: Vec<_> = self.lock().mocks.iter().filter(|mock| mock.is_unused()).map(Arc::clone).collect();
        let unused: Vec<_> = unused
            .iter()
            .map(|mock| format!("the mock of {mock} was never called (made at {})", mock.made_at()))
            .collect();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ExecutionId;
    use crate::record::Json;

    fn seen<'a>(key: &'a ExecutionKey, call: &'a Name, attempt: u32) -> StepSeen<'a> {
        StepSeen {
            key,
            visit: 1,
            edge_number: 0,
            handler: "ship",
            step: "book",
            call,
            attempt,
            undoable: false,
            digest: u128::from(crc32fast::hash(key.id.as_str().as_bytes())),
        }
    }

    #[test]
    fn what_is_on_disk_is_looked_at_no_more_however_much_it_was() {
        let (mocks, mock) = (Mocks::default(), Arc::new(Shared::new(None, "book", std::panic::Location::caller())));
        mocks.add(AnyMock(Arc::clone(&mock)));
        let entry = |call: &Name, result| JournalEntry::new(call.clone(), 1, result);
        let done = || JournalResult::Done(Json::encode(&1).unwrap());
        for number in 0..10_000 {
            let id = ExecutionId::new(number.to_string()).unwrap();
            let (key, call) = (ExecutionKey { workflow: "Order".into(), id }, Name::from("ship:book:1:0"));
            mocks.called(&seen(&key, &call, 0), &[Value::from(number)]);
            drop(mocks.began(&seen(&key, &call, 1)));
            assert_eq!((mock.open(), mocks.lock().arguments.len()), (1, 1), "that of call {number} alone");
            match number % 3 {
                0 => mocks.saved(&key, true, &[]),
                1 => mocks.saved(&key, false, &[entry(&call, done())]),
                _ => mocks.saved(&key, true, &[entry(&call, done())]),
            }
            assert_eq!((mock.open(), mocks.lock().arguments.len()), (0, 0), "call {number}");
        }
        let calls = mock.calls();
        assert_eq!((mock.attempts(), calls[9_999].argument::<u32>(0)), (10_000, 9_999));
    }

    #[test]
    fn an_attempt_counts_once_until_it_is_on_disk() {
        let (mocks, mock) = (Mocks::default(), Arc::new(Shared::new(None, "book", std::panic::Location::caller())));
        mocks.add(AnyMock(Arc::clone(&mock)));
        let key = ExecutionKey { workflow: "Order".into(), id: ExecutionId::new("a").unwrap() };
        let call = Name::from("ship:book:1:0");
        for _ in 0..3 {
            drop(mocks.began(&seen(&key, &call, 1)));
        }
        assert_eq!(mock.attempts(), 1, "it was lost twice");
        mocks.saved(&key, true, &[]);
        drop(mocks.began(&seen(&key, &call, 1)));
        assert_eq!(mock.attempts(), 2, "it is made again for another reason");
    }
}
