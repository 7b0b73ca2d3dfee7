//! What happened in a simulation, in order: what handlers and steps did, what was saved, where it crashed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::clock::SimClock;
use super::fuse::Fuse;
use super::given::{Given, Written};
use super::injected::Injected;
use super::seed::chosen;
use crate::base::{Clock as _, Error, Name, Timestamp};
use crate::machine::{Answering, HandlerSeen, Interceptor, StepSeen};
use crate::record::{ErrorRecord, ExecutionKey, Json};
use crate::store::{Commit, Stored};
use crate::testing::mock::Mocks;

/// A call of a step, as a simulation saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimCall {
    /// The execution.
    pub key: ExecutionKey,
    /// The visit.
    pub visit: u64,
    /// Which taking of an edge it was for.
    pub edge_number: u64,
    /// The handler that called it. For what was undone, this begins with `~undo:`.
    pub handler: String,
    /// The step's name.
    pub step: String,
    /// The key of the call in the journal.
    pub call: Name,
    /// What tells the call from every other; [`idempotency_key`](Self::idempotency_key) is made of it.
    pub digest: u128,
    /// Whether the step has an `undo`.
    pub undoable: bool,
}

impl SimCall {
    fn of(seen: &StepSeen<'_>) -> Self {
        Self {
            key: seen.key.clone(),
            visit: seen.visit,
            edge_number: seen.edge_number,
            handler: seen.handler.to_owned(),
            step: seen.step.to_owned(),
            call: seen.call.clone(),
            digest: seen.digest,
            undoable: seen.undoable,
        }
    }

    /// What the step was handed as its idempotency key.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        format!("{:032x}", self.digest)
    }
}

impl fmt::Display for SimCall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let undo = if self.handler.starts_with("~undo:") { "undo " } else { "" };
        write!(formatter, "{undo}`{}` of {}", self.step, self.key)
    }
}

/// Something that happened in a simulation.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SimEvent {
    /// A handler was begun, or begun again.
    Handler {
        /// The execution.
        key: ExecutionKey,
        /// The state it was in.
        state: String,
        /// The visit.
        visit: u64,
        /// The handler.
        handler: String,
    },
    /// An attempt of a step began.
    Began {
        /// The call.
        call: Arc<SimCall>,
        /// The number of the attempt, from 1.
        attempt: u32,
    },
    /// An attempt ended.
    Ended {
        /// The call.
        call: Arc<SimCall>,
        /// The number of the attempt, from 1.
        attempt: u32,
        /// Why it failed, if it did.
        error: Option<ErrorRecord>,
    },
    /// A call was answered from the journal.
    Recalled {
        /// The call.
        call: Arc<SimCall>,
    },
    /// The result of a call was acknowledged by the store.
    Saved {
        /// The call.
        call: Arc<SimCall>,
    },
    /// The process died.
    Crashed {
        /// What it was about to do, or had just done.
        at: String,
    },
}

/// Everything that happened, with the times.
#[derive(Debug)]
pub(super) struct Tape {
    seed: u64,
    clock: SimClock,
    fuse: Arc<Fuse>,
    // Held only to read or change plain data, never over an await or a call of user code.
    inner: Mutex<Inner>,
    mocks: Mocks,
    injected: Injected,
    also: Mutex<Vec<Arc<dyn Interceptor>>>,
}

#[derive(Debug, Default)]
struct Inner {
    events: Vec<(Timestamp, SimEvent)>,
    /// The youngest call of each key, by which a commit names it.
    calls: BTreeMap<(ExecutionKey, Name), Arc<SimCall>>,
    in_flight: BTreeMap<(u128, u32), (Timestamp, Arc<SimCall>)>,
    /// Calls that have ended, and whose results may be saved with what their handler comes to.
    ended: BTreeMap<ExecutionKey, Vec<(Name, u128)>>,
    /// Calls whose results are saved.
    saved: BTreeMap<(ExecutionKey, Name), u128>,
    /// What the store has not answered for.
    given: Given,
    /// How many rows each history has, and had whenever the process died.
    rows: BTreeMap<ExecutionKey, usize>,
    rows_then: Vec<BTreeMap<ExecutionKey, usize>>,
    /// Steps that ran though they had a result.
    repeated: Vec<Arc<SimCall>>,
}

impl Tape {
    pub(super) fn new(seed: u64, clock: SimClock, fuse: Arc<Fuse>) -> Self {
        let mocks = Mocks::default();
        mocks.keep_time_by(clock.clone());
        Self {
            seed,
            clock,
            fuse,
            inner: Mutex::default(),
            mocks,
            injected: Injected::default(),
            also: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has this one see and answer too; of several that answer, the first counts.
    pub(super) fn also(&self, interceptor: Arc<dyn Interceptor>) {
        self.also.lock().unwrap_or_else(PoisonError::into_inner).push(interceptor);
    }

    /// What is said in place of steps.
    pub(super) fn mocks(&self) -> &Mocks {
        &self.mocks
    }

    /// What is made to fail.
    pub(super) fn injected(&self) -> &Injected {
        &self.injected
    }

    fn others(&self) -> Vec<Arc<dyn Interceptor>> {
        self.also.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn push(&self, event: SimEvent) {
        let now = self.clock.now();
        self.lock().events.push((now, event));
    }

    pub(super) fn events(&self) -> Vec<(Timestamp, SimEvent)> {
        self.lock().events.clone()
    }

    /// What is under way, and since when.
    pub(super) fn in_flight(&self) -> Vec<(Timestamp, Arc<SimCall>)> {
        self.lock().in_flight.values().cloned().collect()
    }

    /// The steps that were called, by name, each once.
    pub(super) fn steps(&self) -> Vec<String> {
        let inner = self.lock();
        let steps: BTreeSet<_> =
            inner.calls.values().map(|call| format!("`{}` of `{}`", call.step, call.key.workflow)).collect();
        steps.into_iter().collect()
    }

    /// The names of the steps that were called.
    pub(super) fn step_names(&self) -> BTreeSet<String> {
        self.lock().calls.values().map(|call| call.step.clone()).collect()
    }

    /// How many attempts of steps of this name have begun.
    pub(super) fn attempts(&self, step: &str) -> usize {
        let is_one = |event: &SimEvent| matches!(event, SimEvent::Began { call, .. } if call.step == step);
        self.lock().events.iter().filter(|(_, event)| is_one(event)).count()
    }

    /// Steps that ran though their results had been saved.
    pub(super) fn repeated(&self) -> Vec<Arc<SimCall>> {
        self.lock().repeated.clone()
    }

    pub(super) fn crashed(&self, at: String) {
        self.push(SimEvent::Crashed { at });
        let mut inner = self.lock();
        inner.in_flight.clear();
        inner.ended.clear();
        let rows = inner.rows.clone();
        inner.rows_then.push(rows);
    }

    /// The store is given these commits: numbers to tell by what became of each.
    pub(super) fn given(&self, process: u64, commits: &[Commit]) -> Vec<Option<u64>> {
        let mut inner = self.lock();
        let deaths = inner.rows_then.len();
        commits.iter().map(|commit| inner.given.add(process, commit, deaths)).collect()
    }

    /// The store says of one of them whether it is on disk, whoever else hears of that.
    pub(super) fn answered(&self, key: &ExecutionKey, number: u64, is_applied: bool) {
        let written = self.lock().given.answered(key, number, is_applied);
        self.written(key, written);
    }

    /// A process has read this: so it shows what is on disk of what the store has not answered for.
    pub(super) fn found(&self, process: u64, key: &ExecutionKey, stored: Option<&Stored>) {
        let written = self.lock().given.found(process, key, stored);
        self.written(key, written);
    }

    fn written(&self, key: &ExecutionKey, written: impl IntoIterator<Item = Written>) {
        for Written { rows, deaths, drop_journal, forget, journal, .. } in written {
            self.mocks.saved(key, drop_journal, &journal);
            let mut inner = self.lock();
            for call in forget {
                inner.saved.remove(&(key.clone(), call));
            }
            *inner.rows.entry(key.clone()).or_insert(0) += rows;
            // Those that died since then died with it on disk.
            for rows_then in inner.rows_then.iter_mut().skip(deaths) {
                *rows_then.entry(key.clone()).or_insert(0) += rows;
            }
        }
    }

    /// How many rows each history had whenever the process died.
    pub(super) fn rows(&self) -> Vec<BTreeMap<ExecutionKey, usize>> {
        self.lock().rows_then.clone()
    }

    /// The store has acknowledged that the handler is done for which the calls were made that have ended.
    pub(super) fn over(&self, key: &ExecutionKey) {
        let mut inner = self.lock();
        for (call, digest) in inner.ended.remove(key).unwrap_or_default() {
            inner.saved.insert((key.clone(), call), digest);
        }
    }

    /// The store has acknowledged the result of this call.
    pub(super) fn saved(&self, key: &ExecutionKey, call: &Name) {
        let now = self.clock.now();
        let mut inner = self.lock();
        let place = (key.clone(), call.clone());
        if let Some(call) = inner.calls.get(&place).cloned() {
            inner.saved.insert(place, call.digest);
            inner.events.push((now, SimEvent::Saved { call }));
        }
    }
}

impl Interceptor for Tape {
    fn handler(&self, run: &HandlerSeen<'_>) -> Option<Error> {
        let (key, state) = (run.key.clone(), run.state.to_owned());
        self.push(SimEvent::Handler { key, state, visit: run.visit, handler: run.handler.to_owned() });
        self.injected.handler(run).or_else(|| self.others().iter().find_map(|other| other.handler(run)))
    }

    fn began(&self, step: &StepSeen<'_>) -> Option<Answering> {
        let now = self.clock.now();
        let call = Arc::new(SimCall::of(step));
        let mut inner = self.lock();
        let place = (call.key.clone(), call.call.clone());
        if inner.saved.get(&place) == Some(&call.digest) {
            inner.repeated.push(Arc::clone(&call));
        }
        inner.calls.insert(place, Arc::clone(&call));
        inner.in_flight.insert((call.digest, step.attempt), (now, Arc::clone(&call)));
        inner.events.push((now, SimEvent::Began { call, attempt: step.attempt }));
        drop(inner);
        let injected = self.injected.began(step);
        let others = || self.others().iter().find_map(|other| other.began(step));
        injected.or_else(others).or_else(|| self.mocks.began(step))
    }

    fn called(&self, step: &StepSeen<'_>, arguments: &[Value]) {
        self.mocks.called(step, arguments);
    }

    fn ended(&self, step: &StepSeen<'_>, result: Result<&Json, &ErrorRecord>) {
        let now = self.clock.now();
        let mut inner = self.lock();
        let running = inner.in_flight.remove(&(step.digest, step.attempt));
        let call = running.map_or_else(|| Arc::new(SimCall::of(step)), |(_, call)| call);
        let error = result.err().cloned();
        inner.ended.entry(step.key.clone()).or_default().push((step.call.clone(), step.digest));
        inner.events.push((now, SimEvent::Ended { call, attempt: step.attempt, error }));
        drop(inner);
        self.others().iter().for_each(|other| other.ended(step, result));
        if self.fuse.step_ended(step.digest) {
            self.crashed(format!("the end of step {}, before its result is saved", SimCall::of(step)));
        }
    }

    fn failed_for_good(&self, step: &StepSeen<'_>) {
        self.others().iter().for_each(|other| other.failed_for_good(step));
    }

    fn recalled(&self, step: &StepSeen<'_>) {
        self.push(SimEvent::Recalled { call: Arc::new(SimCall::of(step)) });
        self.others().iter().for_each(|other| other.recalled(step));
    }

    fn chance(&self, call: u128) -> Option<u64> {
        self.others().iter().find_map(|other| other.chance(call)).or_else(|| Some(chosen(self.seed, call)))
    }
}
