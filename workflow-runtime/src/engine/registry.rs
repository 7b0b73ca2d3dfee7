//! The workflows that an engine was given, with their types forgotten.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::{EngineError, SystemClock};
use crate::base::{Error, ExecutionId};
use crate::kernel::Plan;
use crate::machine::{
    Cx, Finished, Graph, HandlerCall, Limits, PureHandlers, ResultReaders, Turn, TurnScope, Workflow,
    WorkflowEvent as _, WorkflowState as _, plan,
};
use crate::record::{JournalEntry, Json, JsonError, UndoRecord};

/// A workflow whose type does not matter any more.
pub(super) trait Machine: Send + Sync {
    fn name(&self) -> &'static str;
    fn plan(&self) -> &Plan;
    fn graph(&self) -> &'static Graph;
    fn turn(&self, call: HandlerCall, scope: TurnScope, journal: Vec<JournalEntry>) -> Turn;
    /// What a handler without effects comes to; `None` if it has some.
    fn run_pure(&self, call: &HandlerCall) -> Option<Finished>;
    fn catch(&self, state: &str, error: &Error) -> Option<(&'static str, Json)>;
    /// Whether its data is one of this state; `None` if it has no such state.
    fn check_state(&self, state: &str, data: &Json) -> Option<Result<(), JsonError>>;
    /// Whether this is the payload of this event; `None` if it has no such event.
    fn check_event(&self, event: &str, payload: &Json) -> Option<Result<(), JsonError>>;
    /// Whether it can undo this.
    fn has_undo(&self, undo: &UndoRecord) -> bool;
    fn result_readers(&self) -> ResultReaders;
}

impl fmt::Debug for dyn Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Machine({})", self.name())
    }
}

struct Registered<W> {
    workflow: Arc<W>,
    pure: PureHandlers<W>,
    plan: Plan,
}

impl<W: Workflow> Machine for Registered<W> {
    fn name(&self) -> &'static str {
        W::NAME
    }

    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn graph(&self) -> &'static Graph {
        W::GRAPH
    }

    fn turn(&self, call: HandlerCall, scope: TurnScope, journal: Vec<JournalEntry>) -> Turn {
        Turn::new(Arc::clone(&self.workflow), call, scope, journal)
    }

    fn run_pure(&self, call: &HandlerCall) -> Option<Finished> {
        self.pure.run(call)
    }

    fn catch(&self, state: &str, error: &Error) -> Option<(&'static str, Json)> {
        self.workflow.catch(state, error)
    }

    fn check_state(&self, state: &str, data: &Json) -> Option<Result<(), JsonError>> {
        Some(W::State::decode(state, data)?.map(drop))
    }

    fn check_event(&self, event: &str, payload: &Json) -> Option<Result<(), JsonError>> {
        Some(W::Event::decode(event, payload)?.map(drop))
    }

    fn has_undo(&self, undo: &UndoRecord) -> bool {
        // It is not polled, so nothing of it runs.
        let cx = Cx::detached(W::NAME, ExecutionId::stepper(), SystemClock);
        self.workflow.undo(&cx, undo).is_some()
    }

    fn result_readers(&self) -> ResultReaders {
        ResultReaders::of::<W>()
    }
}

pub(super) fn register<W: Workflow>(workflow: W) -> Arc<dyn Machine> {
    let workflow = Arc::new(workflow);
    Arc::new(Registered { plan: plan(&workflow), pure: PureHandlers::new(Arc::clone(&workflow)), workflow })
}

/// The workflows by name.
#[derive(Debug)]
pub(super) struct Registry {
    machines: BTreeMap<Arc<str>, Arc<dyn Machine>>,
}

impl Registry {
    pub(super) fn new(machines: Vec<Arc<dyn Machine>>) -> Result<Self, EngineError> {
        let mut by_name = BTreeMap::new();
        for machine in machines {
            let workflow = machine.name();
            if by_name.insert(Arc::from(workflow), machine).is_some() {
                return Err(EngineError::DuplicateWorkflow { workflow: workflow.to_owned() });
            }
        }
        Ok(Self { machines: by_name })
    }

    /// Makes the steps of every workflow known to `limits`.
    pub(super) fn declare_limits(&self, limits: &Limits) {
        for machine in self.machines.values() {
            let steps = machine.graph().steps;
            steps.iter().for_each(|step| limits.declare(machine.name(), step.name, step.limits()));
        }
    }

    pub(super) fn get(&self, workflow: &str) -> Option<(&Arc<str>, &Arc<dyn Machine>)> {
        self.machines.get_key_value(workflow)
    }

    pub(super) fn names(&self) -> Vec<Arc<str>> {
        self.machines.keys().cloned().collect()
    }
}
