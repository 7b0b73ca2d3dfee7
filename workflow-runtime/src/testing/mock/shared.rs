//! What a mock and the world that it is in share: its answers, and what it has seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::pending;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::MockCall;
use crate::base::{Clock, Name, Timestamp};
use crate::machine::{Answer, Answering, StepSeen};
use crate::record::ExecutionKey;

/// What a mock says.
#[derive(Clone)]
pub(super) enum Say {
    /// The step itself runs.
    Run,
    /// This.
    Answer(Arc<dyn Fn(&MockCall) -> Answer + Send + Sync>),
    /// Nothing, ever.
    Hang,
}

pub(super) struct Shared {
    workflow: Option<&'static str>,
    step: &'static str,
    /// Where the test has made it.
    made_at: &'static Location<'static>,
    /// Whether it is in a world.
    is_taken: AtomicBool,
    // Held only to read or change plain data, never over an await or a call of user code.
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    answers: Vec<(Say, Option<u64>)>,
    takes: Duration,
    only_for: BTreeSet<String>,
    is_optional: bool,
    calls: Vec<MockCall>,
    /// The last attempt of each call, until what came of it is on disk: so long it may be lost, and made again.
    open: BTreeMap<ExecutionKey, BTreeMap<Name, Last>>,
}

/// The last attempt of a call.
struct Last {
    digest: u128,
    attempt: u32,
    number: u64,
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Shared")
            .field("workflow", &self.workflow)
            .field("step", &self.step)
            .field("only_for", &self.lock().only_for)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}`", self.step)?;
        self.workflow.map_or(Ok(()), |workflow| write!(formatter, " of `{workflow}`"))?;
        let only_for = self.lock().only_for.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>();
        if only_for.is_empty() { Ok(()) } else { write!(formatter, " for {}", only_for.join(", ")) }
    }
}

impl Shared {
    pub(super) fn new(workflow: Option<&'static str>, step: &'static str, made_at: &'static Location<'static>) -> Self {
        Self { workflow, step, made_at, is_taken: AtomicBool::new(false), inner: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[track_caller]
    pub(super) fn say(&self, say: Say) {
        let mut inner = self.lock();
        let is_said_for_ever = matches!(inner.answers.last(), Some((_, None)));
        if is_said_for_ever {
            // Not while it is held: the panic would find it poisoned.
            drop(inner);
            panic!(
                "the mock of {self} says something after an answer for all attempts, which nothing would come to: write `.times(1)` after that one"
            );
        }
        inner.answers.push((say, None));
    }

    #[track_caller]
    pub(super) fn times(&self, times: u64) {
        let mut inner = self.lock();
        match inner.answers.last_mut() {
            Some((_, for_attempts)) => *for_attempts = Some(times),
            None => {
                drop(inner);
                panic!("`times({times})` of the mock of {self} comes after no answer: say first what is said so often")
            }
        }
    }

    pub(super) fn takes(&self, duration: Duration) {
        self.lock().takes = duration;
    }

    pub(super) fn only_for(&self, id: String) {
        self.lock().only_for.insert(id);
    }

    pub(super) fn optional(&self) {
        self.lock().is_optional = true;
    }

    pub(super) fn attempts(&self) -> usize {
        self.lock().calls.len()
    }

    pub(super) fn calls(&self) -> Vec<MockCall> {
        self.lock().calls.clone()
    }

    pub(super) fn step(&self) -> &'static str {
        self.step
    }

    pub(super) fn made_at(&self) -> &'static Location<'static> {
        self.made_at
    }

    /// It belongs to one world from here on: says whether it did to none before.
    pub(super) fn take(&self) -> bool {
        !self.is_taken.swap(true, Ordering::Relaxed)
    }

    /// Whether it and the other are for the same calls; one that is for some executions goes before one for all.
    pub(super) fn clashes_with(&self, other: &Self) -> bool {
        if self.step != other.step || self.workflow != other.workflow {
            return false;
        }
        let ours = self.lock().only_for.clone();
        let theirs = other.lock().only_for.clone();
        (ours.is_empty() && theirs.is_empty()) || !ours.is_disjoint(&theirs)
    }

    pub(super) fn is_for_some(&self) -> bool {
        !self.lock().only_for.is_empty()
    }

    /// Whether it is for this call. A workflow's own step is none of the functions of that name.
    pub(super) fn is_for(&self, step: &StepSeen<'_>, is_method: bool) -> bool {
        let is_of = match self.workflow {
            Some(workflow) => workflow == &*step.key.workflow,
            None => !is_method,
        };
        if self.step != step.step || !is_of {
            return false;
        }
        let inner = self.lock();
        inner.only_for.is_empty() || inner.only_for.contains(step.key.id.as_str())
    }

    /// Whether it ought to have been called, and was not.
    pub(super) fn is_unused(&self) -> bool {
        let inner = self.lock();
        inner.calls.is_empty() && !inner.is_optional
    }

    /// What it says to an attempt; nothing, where the step itself is to run.
    pub(super) fn began(
        self: &Arc<Self>,
        step: &StepSeen<'_>,
        arguments: Vec<Value>,
        clock: Option<Arc<dyn Clock>>,
    ) -> Option<Answering> {
        let mut inner = self.lock();
        let seen = u64::try_from(inner.calls.len()).unwrap_or(u64::MAX);
        let open = inner.open.get(step.key).and_then(|open| open.get(step.call));
        let again = |last: &&Last| (last.digest, last.attempt) == (step.digest, step.attempt);
        let number = open.filter(again).map_or(seen + 1, |last| last.number);
        let call = MockCall::new(step, number, arguments);
        if number > seen {
            inner.calls.push(call.clone());
        }
        let last = Last { digest: step.digest, attempt: step.attempt, number };
        inner.open.entry(step.key.clone()).or_default().insert(step.call.clone(), last);
        let mut before = 0_u64;
        let is_next = |(_, times): &&(Say, Option<u64>)| {
            before = times.map_or(u64::MAX, |times| before.saturating_add(times));
            number <= before
        };
        let say = inner.answers.iter().find(is_next).map(|(say, _)| say.clone())?;
        let takes = inner.takes;
        drop(inner);
        let name = step.call.clone();
        match say {
            Say::Run => None,
            Say::Hang => Some(Box::pin(async move {
                if let Some(clock) = clock {
                    clock.pause_until(Timestamp::MAX, &name).await;
                }
                pending().await
            })),
            Say::Answer(answer) => Some(Box::pin(async move {
                if let Some(clock) = clock.filter(|_| !takes.is_zero()) {
                    clock.pause_until(clock.now() + takes, &name).await;
                }
                answer(&call)
            })),
        }
    }

    /// What came of this call of the execution, or of all of them, is on disk.
    pub(super) fn saved(&self, key: &ExecutionKey, call: Option<&Name>) {
        let mut inner = self.lock();
        let is_last = inner.open.get_mut(key).is_some_and(|open| {
            match call {
                Some(call) => drop(open.remove(call)),
                None => open.clear(),
            }
            open.is_empty()
        });
        if is_last {
            inner.open.remove(key);
        }
    }

    /// Of how many calls it is not known whether what came of them is on disk.
    #[cfg(test)]
    pub(super) fn open(&self) -> usize {
        self.lock().open.values().map(BTreeMap::len).sum()
    }
}
