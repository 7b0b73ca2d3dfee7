//! The limits of steps, which everything that one driver runs shares.
//!
//! An attempt of a step that has limits asks for admission before it begins. Whoever is not let through at once has a
//! ticket in the step's queue, and is served in the order of the tickets. A ticket belongs to a call, not to the task that
//! makes it: where a driver can be [told](Limits::on_offer) that an execution's turn has come, a handler that waits for
//! nothing else leaves memory, and its ticket (some hundred bytes) is all that stays. Without such a driver a turn that
//! ends gives its tickets back.
//!
//! What is known of the past (failures, latencies, what began when) is in memory alone: after a restart, limits are as
//! declared, breakers are closed, and whoever waited asks again.

mod index;
#[cfg(all(test, loom))]
mod loom_tests;
mod queue;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use self::index::Suspended;
pub(super) use self::queue::{CallId, Permit, StepQueue};
use crate::base::Timestamp;
use crate::kernel::{BreakerState, StepLimits};
use crate::record::ExecutionKey;

/// The limits of every step that a driver runs. Cloning is cheap, and a clone is the same.
#[derive(Clone, Default)]
pub struct Limits {
    shared: Arc<Shared>,
}

/// The queues of one workflow, by step.
type Steps = BTreeMap<String, Arc<StepQueue>>;

#[derive(Default)]
struct Shared {
    // Held only to look up or to insert, never over an await.
    queues: RwLock<BTreeMap<Arc<str>, Steps>>,
    suspended: Arc<Suspended>,
}

impl fmt::Debug for Limits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Limits").finish_non_exhaustive()
    }
}

/// What the limits of a step come to at present.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitState {
    /// The workflow's persisted name.
    pub workflow: String,
    /// The step's name.
    pub step: String,
    /// The limits that it has.
    pub limits: StepLimits,
    /// How many attempts may be under way at once at present, if that is limited.
    pub at_once: Option<u32>,
    /// How many attempts are under way.
    pub in_use: u32,
    /// How many calls wait to be let through.
    pub waiting: usize,
    /// What its breaker does, if it has one.
    pub breaker: Option<BreakerState>,
}

/// A step that nobody has heard of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnknownStep {
    pub(crate) known: Vec<String>,
}

impl Limits {
    /// Has `tell` called when it is the turn of an execution that is not in memory: a new turn of it will find that its call
    /// is let through. Only the first one that is set is called.
    pub fn on_offer(&self, tell: impl Fn(&ExecutionKey) + Send + Sync + 'static) {
        self.shared.suspended.on_offer(Box::new(tell));
    }

    /// Makes a step known, with the limits that it is declared with. One that is known already is left as it is.
    pub fn declare(&self, workflow: &str, step: &str, limits: StepLimits) {
        self.queue_of(workflow, step, Some(limits));
    }

    /// The queue of a step. One that is not known is made if it is `declared`.
    pub(super) fn queue_of(&self, workflow: &str, step: &str, declared: Option<StepLimits>) -> Option<Arc<StepQueue>> {
        {
            let queues = self.shared.queues.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(queue) = queues.get(workflow).and_then(|steps| steps.get(step)) {
                return Some(Arc::clone(queue));
            }
        }
        let limits = declared?;
        let mut queues = self.shared.queues.write().unwrap_or_else(PoisonError::into_inner);
        let steps = match queues.get_mut(workflow) {
            Some(steps) => steps,
            None => queues.entry(workflow.into()).or_default(),
        };
        let new = || Arc::new(StepQueue::new(limits, Arc::clone(&self.shared.suspended)));
        Some(Arc::clone(steps.entry(step.to_owned()).or_insert_with(new)))
    }

    fn known(&self, workflow: &str, step: &str) -> Result<Arc<StepQueue>, UnknownStep> {
        self.queue_of(workflow, step, None).ok_or_else(|| {
            let queues = self.shared.queues.read().unwrap_or_else(PoisonError::into_inner);
            let known = queues.get(workflow).map(|steps| steps.keys().cloned().collect()).unwrap_or_default();
            UnknownStep { known }
        })
    }

    pub(crate) fn get(&self, workflow: &str, step: &str) -> Result<StepLimits, UnknownStep> {
        Ok(self.known(workflow, step)?.limits())
    }

    /// Changes the limits of a step. Whoever waits is let through as the new ones allow.
    pub(crate) fn change(
        &self,
        workflow: &str,
        step: &str,
        change: impl FnOnce(&mut StepLimits),
        now: Timestamp,
    ) -> Result<Result<StepLimits, String>, UnknownStep> {
        Ok(self.known(workflow, step)?.change(change, now))
    }

    /// Every step that has limits, by workflow and name.
    #[must_use]
    pub fn states(&self, now: Timestamp) -> Vec<LimitState> {
        let mut states = Vec::new();
        for (workflow, step, queue) in self.all() {
            let state = queue.state(&workflow, step, now);
            if !state.limits.is_none() {
                states.push(state);
            }
        }
        states
    }

    /// Lets through whose time has come, and says when to call this again.
    pub fn tick(&self, now: Timestamp) -> Option<Timestamp> {
        if self.shared.suspended.is_empty() {
            return None;
        }
        self.all().into_iter().filter_map(|(_, _, queue)| queue.tick(now)).min()
    }

    /// Whether a call of this execution, which is not in memory, has been let through: then a turn is to be begun.
    #[must_use]
    pub fn takes_offer(&self, execution: &ExecutionKey) -> bool {
        let calls = self.shared.suspended.calls(execution);
        // Each of them is to hear of it.
        calls.iter().filter(|(queue, call)| queue.take_offer(*call)).count() > 0
    }

    /// Whether a call of this execution, which is not in memory, waits to be let through.
    pub(crate) fn has_ticket(&self, execution: &ExecutionKey) -> bool {
        self.shared.suspended.has(execution)
    }

    /// A turn of the execution has ended: what it was offered and did not want is given to others.
    pub fn settle(&self, execution: &ExecutionKey, now: Timestamp) {
        let calls = self.shared.suspended.take(execution);
        for (queue, call) in calls {
            if queue.settle(call, now) {
                self.shared.suspended.insert(execution, &queue, call);
            }
        }
    }

    fn all(&self) -> Vec<(Arc<str>, String, Arc<StepQueue>)> {
        let queues = self.shared.queues.read().unwrap_or_else(PoisonError::into_inner);
        let steps = queues.iter().flat_map(|(workflow, steps)| {
            steps.iter().map(|(step, queue)| (Arc::clone(workflow), step.clone(), Arc::clone(queue)))
        });
        steps.collect()
    }
}
