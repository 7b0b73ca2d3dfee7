//! What a lock says of the code as it is.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::judge::Kept;
use super::section::{Edge, Kind, Root, Section};
use super::several::{EXTENSION, folder};
use super::shape::Shape;
use super::trace::{Named, Traced, Tracer};
use super::verify::{Advice, verify};
use super::{Lock, LockError, Mode, Verified};
use crate::machine::{Graph, Keep, SavedTypes, StepError, Workflow};
use crate::testing::mock::function_name;

/// The code of a workflow, as far as a lock speaks of it.
///
/// ```
/// use workflow_runtime::prelude::*;
/// use workflow_runtime::testing::lock::Code;
///
/// #[workflow]
/// async fn greet(cx: &Cx, name: String) -> Result<u32> {
///     write_to(cx, &name).await
/// }
///
/// #[step(retry(max = 3))]
/// async fn write_to(_: &Cx, name: &str) -> Result<u32> {
///     Ok(name.len() as u32)
/// }
///
/// let lock = Code::of::<Greet>().step(write_to).lock();
/// assert!(lock.to_string().contains(" 1 step write_to: u32\n"));
/// ```
#[derive(Debug)]
pub struct Code {
    pub(super) workflow: &'static str,
    pub(super) version: u32,
    /// Whether executions stay with it, once there is a newer version beside it.
    pub(super) kept: bool,
    /// The type, for people.
    pub(super) ty: &'static str,
    graph: &'static Graph,
    traces: Traces,
    old: BTreeMap<u32, Section>,
}

impl Code {
    /// What the workflow saves as its code is now: its present version, and the older ones whose states it names.
    ///
    /// The types are traced, nothing of the workflow is run.
    #[must_use]
    pub fn of<W: Workflow>() -> Self {
        let mut traces = Traces::default();
        W::saved_types(&mut traces);
        let mut old = BTreeMap::new();
        for leap in W::MIGRATIONS {
            let mut traces = Traces::default();
            if W::old_types(leap.from, &mut traces) {
                old.insert(leap.from, traces.into_section());
            }
        }
        Self {
            workflow: W::NAME,
            version: W::VERSION,
            kept: W::KEEP != Keep::No,
            ty: std::any::type_name::<W>(),
            graph: W::GRAPH,
            traces,
            old,
        }
    }

    /// With a step that is a function of its own, by its name: `.step(write_to)`. The workflow's type does not know which of
    /// these its handlers call.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a function is named here as it is elsewhere")]
    pub fn step<A, F: StepFunction<A>>(mut self, step: F) -> Self {
        F::saved(&mut self.traces, function_name(&step).unwrap_or_else(|| std::any::type_name::<F>()));
        self
    }

    /// The lock that says all of this.
    #[must_use]
    pub fn lock(self) -> Lock {
        let mut versions = self.old;
        versions.insert(self.version, self.traces.section(self.graph));
        Lock { workflow: self.workflow.to_owned(), versions }
    }

    /// Where its lock is: `workflows/<Name>.lock` beside the `Cargo.toml` of the package that is tested.
    ///
    /// # Errors
    /// [`LockError::NoDirectory`], if cargo does not run the program.
    pub fn path(&self) -> Result<PathBuf, LockError> {
        Ok(self.path_in(&folder(None)?))
    }

    /// Holds it to its lock at `path`, and writes there what `mode` allows.
    ///
    /// # Errors
    /// If the code does not fit its lock, or the lock cannot be read or written. Then nothing was written.
    pub fn verify(self, path: &Path, mode: Mode) -> Result<Verified, LockError> {
        let kept = Kept { this: self.kept, ..Kept::default() };
        verify(path, mode, &self.lock(), &kept, &Advice::of_test())
    }

    /// Where its lock is among others.
    pub(super) fn path_in(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.{EXTENSION}", self.workflow))
    }
}

/// A function with `#[step]`, that takes these arguments.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no step",
    label = "not a function with `#[step]` that the lock can name",
    note = "write the name of a function with `#[step]`, without its arguments"
)]
pub trait StepFunction<Arguments> {
    /// Tells of what it returns.
    #[doc(hidden)]
    fn saved<V: SavedTypes>(types: &mut V, name: &'static str);
}

macro_rules! step_functions {
    ($($($argument:ident)*;)*) => {
        $(impl<F, R, T, E, $($argument),*> StepFunction<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> R,
            R: Future<Output = Result<T, E>>,
            T: DeserializeOwned,
            E: StepError,
        {
            fn saved<V: SavedTypes>(types: &mut V, name: &'static str) {
                types.saved::<T>(Kind::Step, name);
                E::saved(types, name);
            }
        })*
    };
}

step_functions! {
    A1;
    A1 A2;
    A1 A2 A3;
    A1 A2 A3 A4;
    A1 A2 A3 A4 A5;
    A1 A2 A3 A4 A5 A6;
    A1 A2 A3 A4 A5 A6 A7;
    A1 A2 A3 A4 A5 A6 A7 A8;
}

/// The types that were told, traced.
#[derive(Debug, Default)]
struct Traces {
    tracer: Tracer,
    traced: BTreeMap<(Kind, String), Traced>,
    /// The names that states and steps had before.
    renamed: BTreeMap<(Kind, String), &'static [&'static str]>,
}

impl SavedTypes for Traces {
    fn saved<T: DeserializeOwned>(&mut self, what: Kind, name: &'static str) {
        // Several handlers may answer one event, all with one type.
        if !self.traced.contains_key(&(what, name.to_owned())) {
            let traced = self.tracer.trace::<T>();
            self.traced.insert((what, name.to_owned()), traced);
        }
    }

    fn renamed(&mut self, what: Kind, name: &'static str, was: &'static [&'static str]) {
        self.renamed.insert((what, name.to_owned()), was);
    }
}

impl Traces {
    fn into_section(self) -> Section {
        let mut named = Named::default();
        let roots = self.traced.into_iter().map(|(key, traced)| {
            let shape = named.shape(&self.tracer, traced);
            // What is saved of a step is under the names of that.
            let named_as = if matches!(key.0, Kind::Error | Kind::Undo) { Kind::Step } else { key.0 };
            let was = self.renamed.get(&(named_as, key.1.clone())).copied().unwrap_or_default();
            (key, Root { shape, was: was.iter().map(|was| (*was).to_owned()).collect() })
        });
        let roots = roots.collect();
        Section { roots, types: named.types, ..Section::default() }
    }

    /// With what the graph knows: other names, edges, and what could not be traced at all.
    fn section(self, graph: &Graph) -> Section {
        let mut section = self.into_section();
        let states = graph.states.iter().map(|state| (Kind::State, state.name, state.was));
        let events = graph.events.iter().map(|event| (Kind::Event, event.name, event.was));
        let steps = graph.steps.iter().map(|step| (Kind::Step, step.name, step.was));
        for (kind, name, was) in states.chain(events).chain(steps) {
            let unknown = || Root { shape: Shape::Opaque("not read by serde".to_owned()), was: Default::default() };
            let root = section.roots.entry((kind, name.to_owned())).or_insert_with(unknown);
            root.was.extend(was.iter().map(|was| (*was).to_owned()));
        }
        section.edges = graph
            .edges()
            .map(|edge| Edge {
                from: edge.from.to_owned(),
                to: edge.to.to_owned(),
                handler: edge.handler.name.to_owned(),
            })
            .collect();
        section
    }
}
