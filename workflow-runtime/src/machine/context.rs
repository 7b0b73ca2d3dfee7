//! The context of a handler: what it may ask of the execution that it runs in.

use std::any::Any;
use std::fmt;
use std::hash::Hasher;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use siphasher::sip128::{Hasher128, SipHasher13};

use super::digest::Hex;
use super::step::StepScope;
use super::turn_state::TurnState;
use super::{Failure, Services, TurnScope};
use crate::base::{Clock, Error, ExecutionId, Name, Timestamp};
use crate::record::{ErrorKind, ExecutionKey, JournalEntry, JournalResult, Json};

/// The context that a handler with effects is given, and that it hands to its steps.
///
/// Cloning is cheap, and a clone is the same context.
#[derive(Clone)]
pub struct Cx {
    turn: Arc<TurnState>,
    /// The attempt of a step that it is of, unless it is that of the handler itself.
    step: Option<Arc<StepScope>>,
    /// The key of the branch that it is of, inside of that.
    branch: Option<Name>,
    /// The workflow whose handler runs.
    workflow: Option<Arc<dyn Any + Send + Sync>>,
    /// The key that the step has which is called with this, if it had one before.
    again: Option<Name>,
}

impl fmt::Debug for Cx {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Cx")
            .field("turn", &self.turn)
            .field("step", &self.step)
            .field("branch", &self.branch)
            .finish_non_exhaustive()
    }
}

impl Cx {
    pub(super) fn new(turn: Arc<TurnState>) -> Self {
        Self { turn, step: None, branch: None, workflow: None, again: None }
    }

    /// The same, for a handler of `workflow`.
    pub(super) fn serving<W: Any + Send + Sync>(self, workflow: Arc<W>) -> Self {
        Self { workflow: Some(workflow), ..self }
    }

    /// A context that belongs to no execution, to call one handler or step in a unit test. Steps run and are retried as
    /// declared, by `clock`; nothing is saved. Where a step would end the handler, as one does that panics and whose error
    /// type has no room for that, it panics.
    #[must_use]
    pub fn detached(workflow: &str, id: ExecutionId, clock: impl Clock) -> Self {
        Self::detached_with(ExecutionKey { workflow: workflow.into(), id }, Services::new(clock))
    }

    pub(super) fn detached_with(key: ExecutionKey, services: Services) -> Self {
        Self::detached_in(key, 1, services, Vec::new())
    }

    /// The same in this visit, with what is recorded so far.
    pub(super) fn detached_in(key: ExecutionKey, visit: u64, services: Services, journal: Vec<JournalEntry>) -> Self {
        let scope = TurnScope { key, visit, handler: Name::constant("detached"), edge_number: 0, services };
        Self::new(Arc::new(TurnState::detached(scope, journal)))
    }

    /// The caller's name for the execution.
    #[must_use]
    pub fn id(&self) -> &ExecutionId {
        &self.turn.scope.key.id
    }

    /// The persisted name of the workflow.
    #[must_use]
    pub fn workflow(&self) -> &str {
        &self.turn.scope.key.workflow
    }

    /// How many states the execution has entered, the present one included.
    #[must_use]
    pub fn visit(&self) -> u64 {
        self.turn.scope.visit
    }

    /// Inside a step: which attempt this is, from 1. In a handler: 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.step.as_ref().map_or(1, |step| step.attempt)
    }

    /// A text of 32 hexadecimal digits that is the same whenever the same call of this step is made: in a retry, after a
    /// crash, in another process. Hand it to the service that the step calls, so that it can tell a repetition from a new
    /// request.
    ///
    /// In a handler, outside a step, it names this run of the handler. Each time that an edge is taken is a run of its
    /// own.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        self.call_key(self.caller())
    }

    /// A text that names this call of this run of the handler, whenever it is made again.
    pub(super) fn call_key(&self, call: &str) -> String {
        Hex::new(self.call_digest(call)).to_string()
    }

    pub(super) fn call_digest(&self, call: &str) -> u128 {
        let scope = &self.turn.scope;
        let mut hasher = SipHasher13::new();
        for part in [&*scope.key.workflow, scope.key.id.as_str(), call] {
            hasher.write(part.as_bytes());
            hasher.write(&[0xff]);
        }
        hasher.write(&scope.visit.to_le_bytes());
        hasher.write(&scope.edge_number.to_le_bytes());
        hasher.finish128().as_u128()
    }

    /// The present, recorded: when the handler is run again after a crash, it sees the same time as before.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.chosen("now", |_| self.turn.scope.services.clock.now())
    }

    /// A random number, recorded: when the handler is run again after a crash, it sees the same one. Not for secrets.
    #[must_use]
    pub fn random(&self) -> u64 {
        self.chosen("random", |key| self.chance(key).unwrap_or_else(|| fastrand::u64(..)))
    }

    /// A random identifier (a UUID of version 4, as text), recorded: when the handler is run again after a crash, it sees the
    /// same one.
    ///
    /// ```
    /// # use workflow_runtime::prelude::*;
    /// # use workflow_runtime::{ExecutionId, ManualClock};
    /// # let cx = Cx::detached("Order", ExecutionId::new("1").unwrap(), ManualClock::default());
    /// assert_eq!(cx.uuid().len(), "67e55044-10b1-426f-9247-bb680e5fe0c8".len());
    /// ```
    #[must_use]
    pub fn uuid(&self) -> String {
        self.chosen("uuid", |key| self.chance(key).map_or_else(super::uuid::new_uuid, super::uuid::uuid_of))
    }

    /// What an interceptor says of chance in the call with this key.
    pub(super) fn chance(&self, key: &str) -> Option<u64> {
        self.turn.scope.services.chance(|| self.call_digest(key))
    }

    /// What `choose` gives, recorded under this name.
    fn chosen<T: Serialize + DeserializeOwned>(&self, name: &str, choose: impl FnOnce(&str) -> T) -> T {
        let key = self.claim(name);
        let recorded = self.turn.recorded(&key).map(|entry| entry.result);
        if let Some(JournalResult::Done(json)) = recorded
            && let Ok(value) = json.decode()
        {
            return value;
        }
        let value = choose(&key);
        match Json::encode(&value) {
            Ok(json) => self.turn.record(JournalEntry::new(key, 0, JournalResult::Done(json))),
            Err(error) => self.turn.fail(Failure { kind: ErrorKind::Unreadable, error: Error::from(error) }),
        }
        value
    }

    /// Waits for `duration`, durably: the execution leaves memory, and after a crash the rest of the time is waited for,
    /// not all of it again.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        let turn = Arc::clone(&self.turn);
        // Taken by the call: what polls two sleeps may poll either first.
        let key = self.claim("sleep");
        async move {
            let due = match turn.recorded(&key).map(|entry| entry.result) {
                Some(JournalResult::Sleeping { due }) => due,
                _ => {
                    let due = turn.scope.services.clock.now() + duration;
                    turn.record(JournalEntry::new(key.clone(), 0, JournalResult::Sleeping { due }));
                    due
                }
            };
            turn.sleep_until(due, &key).await;
        }
    }

    pub(super) fn claim(&self, call: &str) -> Name {
        self.turn.claim(&[self.caller(), call])
    }

    /// Who makes the calls in this context: the first part of their keys.
    pub(super) fn caller(&self) -> &str {
        let step = || self.step.as_ref().map_or(&*self.turn.scope.handler, |step| &step.key);
        self.branch.as_deref().unwrap_or_else(step)
    }

    pub(super) fn turn(&self) -> &Arc<TurnState> {
        &self.turn
    }

    /// The attempt that this is the context of.
    pub(super) fn step_scope(&self) -> Option<&StepScope> {
        self.step.as_deref()
    }

    pub(super) fn in_step(&self, step: &Arc<StepScope>) -> Self {
        Self { step: Some(Arc::clone(step)), branch: None, again: None, ..self.clone() }
    }

    /// That of a branch: what it calls is found by the branch's key first.
    pub(super) fn in_branch(&self, key: &Name) -> Self {
        Self { branch: Some(key.clone()), ..self.clone() }
    }

    /// The workflow whose handler runs, if it is this one: a branch that runs on its own needs it for as long as it does.
    pub(super) fn shared<W: Any + Send + Sync>(&self, workflow: &W) -> Option<Arc<W>> {
        let shared = Arc::clone(self.workflow.as_ref()?).downcast::<W>().ok()?;
        std::ptr::eq(&*shared, workflow).then_some(shared)
    }

    /// The context to call a step with that had this key when it was called first.
    pub(super) fn again(&self, key: &Name) -> Self {
        Self { again: Some(key.clone()), ..self.clone() }
    }

    /// The key that the step has which is called with this context, if it had one before.
    pub(super) fn key_again(&self) -> Option<&Name> {
        self.again.as_ref()
    }
}
