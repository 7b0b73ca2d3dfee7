//! The workflows that an engine was given, with their types forgotten.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::{EngineError, SystemClock};
use crate::base::{Error, ExecutionId};
use crate::kernel::{Kernel, Plan};
use crate::machine::{
    Cx, Finished, Graph, HandlerCall, Keep, Limits, PureHandlers, ResultReaders, Turn, TurnScope, Workflow,
    WorkflowEvent as _, WorkflowState as _, plan,
};
use crate::record::{JournalEntry, Json, JsonError, UndoRecord};
use crate::store::KnownWorkflow;

/// A workflow whose type does not matter any more.
pub(super) trait Machine: Send + Sync {
    fn name(&self) -> &'static str;
    fn plan(&self) -> &Plan;
    fn graph(&self) -> &'static Graph;
    /// Which code its executions go on with, once there is a newer one.
    fn keep(&self) -> Keep;
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

    fn keep(&self) -> Keep {
        W::KEEP
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
    workflows: BTreeMap<Arc<str>, Arc<Versions>>,
}

/// The code that there is for the executions of one workflow.
#[derive(Debug)]
pub(super) struct Versions {
    /// That of the newest version, which new executions begin with.
    present: Arc<dyn Machine>,
    /// That of older versions whose executions stay with it, by version.
    kept: BTreeMap<u32, Arc<dyn Machine>>,
}

impl Versions {
    pub(super) fn present(&self) -> &Arc<dyn Machine> {
        &self.present
    }

    /// What runs an execution as it is now: the code of its own version, if that is kept for it, or else the present one.
    pub(super) fn of(&self, execution: &Kernel) -> &Arc<dyn Machine> {
        let version = execution.record().version;
        let kept = self.kept.get(&version).filter(|machine| match machine.keep() {
            Keep::ToTheEnd => true,
            Keep::Visit => !execution.has_moved(),
            Keep::No => false,
        });
        kept.unwrap_or(&self.present)
    }

    /// The code of this version, or the present one.
    pub(super) fn of_version(&self, version: u32) -> &Arc<dyn Machine> {
        self.kept.get(&version).unwrap_or(&self.present)
    }

    /// Whether executions of this version go on with code of their own.
    pub(super) fn keeps(&self, version: u32) -> bool {
        self.kept.contains_key(&version)
    }

    /// Every version that there is code for.
    fn all(&self) -> impl Iterator<Item = &Arc<dyn Machine>> {
        self.kept.values().chain([&self.present])
    }
}

impl Registry {
    pub(super) fn new(machines: Vec<Arc<dyn Machine>>) -> Result<Self, EngineError> {
        let mut by_name: BTreeMap<&'static str, BTreeMap<u32, Arc<dyn Machine>>> = BTreeMap::new();
        for machine in machines {
            let workflow = machine.name();
            let version = machine.plan().version();
            if by_name.entry(workflow).or_default().insert(version, machine).is_some() {
                return Err(EngineError::DuplicateWorkflow { workflow: workflow.to_owned() });
            }
        }
        let mut workflows = BTreeMap::new();
        for (workflow, mut kept) in by_name {
            let Some((newest, present)) = kept.pop_last() else { continue };
            if let Some((version, _)) = kept.iter().find(|(_, machine)| machine.keep() == Keep::No) {
                let workflow = workflow.to_owned();
                return Err(EngineError::VersionNotKept { workflow, version: *version, newest });
            }
            workflows.insert(Arc::from(workflow), Arc::new(Versions { present, kept }));
        }
        Ok(Self { workflows })
    }

    /// Makes the steps of every workflow known to `limits`.
    pub(super) fn declare_limits(&self, limits: &Limits) {
        for machine in self.workflows.values().flat_map(|versions| versions.all()) {
            let steps = machine.graph().steps;
            steps.iter().for_each(|step| limits.declare(machine.name(), step.name, step.limits()));
        }
    }

    pub(super) fn get(&self, workflow: &str) -> Option<(&Arc<str>, &Arc<Versions>)> {
        self.workflows.get_key_value(workflow)
    }

    pub(super) fn names(&self) -> Vec<Arc<str>> {
        self.workflows.keys().cloned().collect()
    }

    /// The workflows, each with the newest version that there is code for.
    pub(super) fn known(&self) -> Vec<KnownWorkflow> {
        let known = |(name, versions): (&Arc<str>, &Arc<Versions>)| KnownWorkflow {
            name: Arc::clone(name),
            version: versions.present.plan().version(),
        };
        self.workflows.iter().map(known).collect()
    }
}
