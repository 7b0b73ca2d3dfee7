//! What the code says that an execution may do: the part of a workflow's graph that decisions need.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Name, Timestamp};
use crate::record::{ErrorKind, ErrorRecord, ExecutionRecord, FIRST_VERSION, Json};

/// Every state of a workflow by its persisted name, old names included.
#[derive(Clone)]
pub struct Plan {
    version: u32,
    migrate: Option<Arc<Migrate>>,
    states: BTreeMap<String, Arc<StatePlan>>,
    timer_of: Option<Arc<TimerOf>>,
    on_failure: OnFailure,
    policies: BTreeMap<String, EventPolicy>,
}

/// Says when the timer of a handler is due, from the state and its data alone; `None` if the data has none. It is called
/// whenever a state is entered, and has to be pure.
pub type TimerOf = dyn Fn(&str, &ExecutionRecord) -> Result<Option<Timestamp>, ErrorRecord> + Send + Sync;

/// Brings a state of an older version to the plan's own: the version, the state's persisted name and its data go in. It has to
/// be pure.
pub type Migrate = dyn Fn(u32, &str, &Json) -> Result<MigratedState, ErrorRecord> + Send + Sync;

/// What a state of an older version has become.
#[derive(Debug, Clone, PartialEq)]
pub struct MigratedState {
    /// The persisted name of the state.
    pub state: Name,
    /// Its data.
    pub data: Json,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            version: FIRST_VERSION,
            migrate: None,
            states: BTreeMap::new(),
            timer_of: None,
            on_failure: OnFailure::default(),
            policies: BTreeMap::new(),
        }
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Plan").field("states", &self.states).finish_non_exhaustive()
    }
}

/// What becomes of an event that no edge of the present state takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum EventPolicy {
    /// It is kept until a state comes that takes it.
    #[default]
    Defer,
    /// It is refused, and its sender told.
    Reject,
    /// It is forgotten; the history says so.
    Drop,
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
    /// The names of the fields of its data that executions in it can be searched by.
    pub attributes: Vec<String>,
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
    pub name: Name,
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
    /// When it is due.
    pub rule: TimerRule,
    /// The handler.
    pub handler: HandlerPlan,
}

/// When a timer is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimerRule {
    /// When the state has lasted this long.
    After(Duration),
    /// Whenever the state has lasted this long again.
    Every(Duration),
    /// When the state has lasted as long as the data of its entry says.
    Computed,
    /// At the time that the data says, which changes with it.
    At,
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

    /// Has timers whose time stands in the data told by `timer_of`.
    #[must_use]
    pub fn with_timers(mut self, timer_of: Arc<TimerOf>) -> Self {
        self.timer_of = Some(timer_of);
        self
    }

    /// Says which version it is, and how states of older ones are brought to it.
    #[must_use]
    pub fn with_version(mut self, version: u32, migrate: Arc<Migrate>) -> Self {
        self.version = version;
        self.migrate = Some(migrate);
        self
    }

    /// The version of the code that it is of.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// What the state of an older version has become.
    ///
    /// # Errors
    /// If there is no way from there, or a migration fails.
    pub fn migrate(&self, version: u32, state: &str, data: &Json) -> Result<MigratedState, ErrorRecord> {
        match &self.migrate {
            Some(migrate) => migrate(version, state, data),
            None => Err(no_way(version, self.version)),
        }
    }

    /// When the timer of `handler` is due, if the data says so.
    pub(super) fn due(&self, handler: &str, record: &ExecutionRecord) -> Result<Option<Timestamp>, ErrorRecord> {
        self.timer_of.as_ref().map_or(Ok(None), |timer_of| timer_of(handler, record))
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

    /// Says what becomes of an event that no edge takes.
    pub fn set_policy(&mut self, event: &str, policy: EventPolicy) {
        self.policies.insert(event.to_owned(), policy);
    }

    /// What becomes of an event that no edge takes.
    #[must_use]
    pub fn policy(&self, event: &str) -> EventPolicy {
        self.policies.get(event).copied().unwrap_or_default()
    }

    /// Whether two persisted names, current or old, are those of one state.
    pub(super) fn is_same(&self, one: &str, other: &str) -> bool {
        one == other
            || matches!((self.state(one), self.state(other)), (Some(one), Some(other)) if Arc::ptr_eq(one, other))
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

fn no_way(from: u32, to: u32) -> ErrorRecord {
    let message = format!(
        "the execution is of version {from} of the workflow, and its code is of version {to}, which has no way from there: give it `from({from} = …)` and migrations, or register the code of version {from} beside it, with `keep`"
    );
    ErrorRecord { kind: ErrorKind::Migration, message, sources: Vec::new() }
}
