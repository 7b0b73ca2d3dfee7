//! What the code says that an execution may do: the part of a workflow's graph that decisions need.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Every state of a workflow by its persisted name, old names included.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    states: BTreeMap<String, Arc<StatePlan>>,
    on_failure: OnFailure,
}

/// What becomes of an execution that failed for good, where nothing catches the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OnFailure {
    /// It is parked.
    #[default]
    Park,
    /// Everything is undone, then it is parked.
    Unwind,
}

/// What may happen in a state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatePlan {
    /// Whether it is an end state.
    pub end: bool,
    /// Whether entering it makes everything done before final.
    pub pivot: bool,
    /// The entry handler.
    pub entry: Option<HandlerPlan>,
    /// The edges that events take.
    pub on: Vec<OnPlan>,
    /// The edges that timers take, in declaration order.
    pub after: Vec<AfterPlan>,
    /// The handlers that take errors; which of them takes one is decided by types, outside the kernel.
    pub catch: Vec<HandlerPlan>,
}

/// A handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandlerPlan {
    /// Its name.
    pub name: String,
    /// Whether it has no effects: then it runs between two commits, not after one.
    pub pure: bool,
}

/// An edge that an event takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnPlan {
    /// The event's persisted names, the current one first.
    pub events: Vec<String>,
    /// The handler.
    pub handler: HandlerPlan,
}

/// An edge that a timer takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AfterPlan {
    /// How long the state has to last.
    pub delay: Duration,
    /// The handler.
    pub handler: HandlerPlan,
}

impl Plan {
    /// Adds a state under its persisted names. A current name wins over an old one of another state.
    pub fn add(&mut self, name: &str, was: &[&str], state: StatePlan) {
        let state = Arc::new(state);
        for old in was {
            self.states.entry((*old).to_owned()).or_insert_with(|| Arc::clone(&state));
        }
        self.states.insert(name.to_owned(), state);
    }

    /// Says what a failure that nothing catches comes to.
    pub fn set_on_failure(&mut self, on_failure: OnFailure) {
        self.on_failure = on_failure;
    }

    /// What a failure that nothing catches comes to.
    #[must_use]
    pub fn on_failure(&self) -> OnFailure {
        self.on_failure
    }

    /// The state of this persisted name.
    #[must_use]
    pub fn state(&self, name: &str) -> Option<&Arc<StatePlan>> {
        self.states.get(name)
    }
}

impl StatePlan {
    /// The handler of this name.
    #[must_use]
    pub fn handler(&self, name: &str) -> Option<&HandlerPlan> {
        let on = self.on.iter().map(|edge| &edge.handler);
        let after = self.after.iter().map(|edge| &edge.handler);
        self.entry.iter().chain(on).chain(after).chain(&self.catch).find(|handler| handler.name == name)
    }

    /// The edge that takes this event.
    #[must_use]
    pub fn on(&self, event: &str) -> Option<&OnPlan> {
        self.on.iter().find(|edge| edge.events.iter().any(|name| name == event))
    }

    /// Whether something other than the entry handler can end the state.
    #[must_use]
    pub fn has_edges(&self) -> bool {
        !self.on.is_empty() || !self.after.is_empty()
    }
}
